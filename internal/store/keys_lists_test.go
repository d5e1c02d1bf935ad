package store

import (
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

// keyLists is what the dashboard reads of a user's keys.
var keyLists = []guarantee{
	{"KeysAreListedByWhetherTheyWork", testListKeysByEnd},
	{"KeyDaysBelongToTheirUser", testKeyDaysBetween},
	{"TheSuccessorIsTheLatestRotation", testSuccessor},
}

func testListKeysByEnd(t *testing.T, f *fixture) {
	sarah, other := f.member(t, "sarah"), f.member(t, "other")
	forever, _ := f.key(t, sarah, "read")
	expiring, _ := f.key(t, sarah, "read")
	revoked, _ := f.key(t, sarah, "read")
	f.key(t, other, "read")
	end := f.clock.Now().Add(time.Hour)
	must[Outcome[stepsies.APIKey]](t)(f.UpdateAPIKey(t.Context(), by(sarah), expiring.ID, stepsies.KeyChange{ExpiresAt: &end}))
	must[Outcome[stepsies.APIKey]](t)(f.RevokeAPIKey(t.Context(), by(sarah), revoked.ID))

	wantKeys(t, f, sarah, true, expiring.ID, forever.ID)
	wantKeys(t, f, sarah, false, revoked.ID)
	f.clock.forward(time.Hour) // to the millisecond at which the second key ends, or past it
	wantKeys(t, f, sarah, true, forever.ID)
	wantKeys(t, f, sarah, false, revoked.ID, expiring.ID)
	if n := must[EndedKeys](t)(f.CountEndedKeys(t.Context(), sarah.ID)); n != (EndedKeys{Revoked: 1, Expired: 1}) {
		t.Errorf("ended keys: %+v, want one revoked and one expired", n)
	}

	first := must[Paged[stepsies.APIKey]](t)(f.ListKeysByEnd(t.Context(), sarah.ID, false, Page{Limit: 1}))
	second := must[Paged[stepsies.APIKey]](t)(f.ListKeysByEnd(t.Context(), sarah.ID, false, Page{Limit: 1, Cursor: first.Next}))
	if first.Next == "" || second.Next != "" || second.Items[0].ID != expiring.ID {
		t.Errorf("the second page holds %+v", second)
	}
}

func wantKeys(t *testing.T, f *fixture, u stepsies.User, live bool, want ...int64) {
	t.Helper()
	got := must[Paged[stepsies.APIKey]](t)(f.ListKeysByEnd(t.Context(), u.ID, live, Page{Limit: 50})).Items
	same := len(got) == len(want)
	for i := range want {
		same = same && got[i].ID == want[i]
	}
	if !same {
		t.Errorf("keys that work (%v): %+v, want the ids %v", live, got, want)
	}
}

func testKeyDaysBetween(t *testing.T, f *fixture) {
	sarah, other := f.member(t, "sarah"), f.member(t, "other")
	one, _ := f.key(t, sarah, "read")
	foreign, _ := f.key(t, other, "read")
	two, _ := f.key(t, sarah, "read")
	today := Day(f.clock.Now())
	if err := f.RecordKeyUse(t.Context(), []KeyUse{
		{KeyID: one.ID, Day: today - 31, Requests: 9}, {KeyID: one.ID, Day: today - 1, Requests: 3}, {KeyID: one.ID, Day: today, Requests: 5, Refusals: 2},
		{KeyID: foreign.ID, Day: today, Requests: 7}, {KeyID: two.ID, Day: today, Requests: 11},
	}); err != nil {
		t.Fatal(err)
	}
	days := must[map[int64][]KeyDay](t)(f.KeyDaysBetween(t.Context(), sarah.ID, one.ID, two.ID, today-29))
	if len(days) != 2 || len(days[one.ID]) != 2 || days[one.ID][0] != (KeyDay{today - 1, 3, 0}) || days[one.ID][1] != (KeyDay{today, 5, 2}) ||
		len(days[two.ID]) != 1 || days[two.ID][0].Requests != 11 {
		t.Errorf("days by key: %+v", days)
	}
	if days := must[map[int64][]KeyDay](t)(f.KeyDaysBetween(t.Context(), sarah.ID, two.ID, two.ID, today-29)); len(days) != 1 {
		t.Errorf("days of the second key alone: %+v", days)
	}
}

func testSuccessor(t *testing.T, f *fixture) {
	sarah := f.member(t, "sarah")
	k, _ := f.key(t, sarah, "read")
	_, err := f.Successor(t.Context(), k)
	wantCode(t, err, stepsies.CodeNotFound)
	must[Outcome[stepsies.APIKey]](t)(f.RotateAPIKey(t.Context(), by(sarah), k.ID, time.Hour, stepsies.NewSecret()))
	latest := must[Outcome[stepsies.APIKey]](t)(f.RotateAPIKey(t.Context(), by(sarah), k.ID, time.Hour, stepsies.NewSecret())).Value
	if got := must[stepsies.APIKey](t)(f.Successor(t.Context(), k)); got.ID != latest.ID {
		t.Errorf("the successor is key %d, want %d", got.ID, latest.ID)
	}
}
