package store

import (
	"slices"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

var usage = []guarantee{
	{"LastUseMovesForwardOnly", testLastUse},
	{"UsesAreCountedByDay", testKeyDays},
	{"ManyKeysAreWrittenAtOnce", testManyUses},
	{"AccountsAreCountedByDay", testAccountDays},
}

var purging = []guarantee{
	{"TrashIsPurgedAfterThirtyDays", testPurgeTrash},
	{"PurgeIsBoundedAndGoesOn", testPurgeBound},
}

func testLastUse(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	k, _ := f.key(t, u, "read")
	day := Day(epoch)
	at := func(s int) time.Time { return epoch.Add(time.Duration(s) * time.Second) }
	for _, c := range []struct {
		use                   KeyUse
		lastUsed, lastRefused time.Time
		ip                    string
		refused               int64
	}{
		{KeyUse{Refusals: 1, LastRefused: at(1)}, time.Time{}, at(1), "", 1},
		{KeyUse{Requests: 1, LastUsed: at(10), LastUsedIP: "192.0.2.10"}, at(10), at(1), "192.0.2.10", 1},
		{KeyUse{Requests: 1, LastUsed: at(5), LastUsedIP: "192.0.2.5"}, at(10), at(1), "192.0.2.10", 1},
		{KeyUse{Requests: 1, LastUsed: at(20), LastUsedIP: "2001:db8::20", Refusals: 3, LastRefused: at(19)}, at(20), at(19), "2001:db8::20", 4},
		{KeyUse{Refusals: 1, LastRefused: at(2)}, at(20), at(19), "2001:db8::20", 5},
	} {
		c.use.KeyID, c.use.Day = k.ID, day
		if err := f.RecordKeyUse(t.Context(), []KeyUse{c.use}); err != nil {
			t.Fatal(err)
		}
		want := k
		want.LastUsedAt, want.LastRefusedAt, want.LastUsedIP, want.RefusedCount = c.lastUsed, c.lastRefused, c.ip, c.refused
		if read, err := f.APIKey(t.Context(), k.ID, of(u)); err != nil || read != want {
			t.Errorf("after %+v: %+v (%v), want %+v", c.use, read, err, want)
		}
	}
	if err := f.RecordKeyUse(t.Context(), nil); err != nil {
		t.Errorf("nothing cannot be recorded: %v", err)
	}
}

func testKeyDays(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	k, _ := f.key(t, u, "read")
	other, _ := f.key(t, u, "read")
	for range 2 {
		uses := []KeyUse{
			{KeyID: k.ID, Day: 12, Requests: 5, LastUsed: epoch}, {KeyID: other.ID, Day: 11, Requests: 100, LastUsed: epoch},
			{KeyID: k.ID, Day: 10, Requests: 1, Refusals: 2, LastUsed: epoch, LastRefused: epoch}, {KeyID: k.ID, Day: 11, Refusals: 3, LastRefused: epoch},
		}
		if err := f.RecordKeyUse(t.Context(), uses); err != nil {
			t.Fatal(err)
		}
	}
	for from, want := range map[int64][]KeyDay{
		0: {{10, 2, 4}, {11, 0, 6}, {12, 10, 0}}, 11: {{11, 0, 6}, {12, 10, 0}}, 13: nil,
	} {
		if got, err := f.KeyDays(t.Context(), k.ID, from); err != nil || !slices.Equal(got, want) {
			t.Errorf("from day %d: %v (%v), want %v", from, got, err, want)
		}
	}
	if read, err := f.APIKey(t.Context(), k.ID, of(u)); err != nil || read.RefusedCount != 10 {
		t.Errorf("%d uses were refused (%v), want 10", read.RefusedCount, err)
	}
	if got := Day(time.Date(1970, 1, 2, 23, 59, 59, 0, time.UTC)); got != 1 {
		t.Errorf("2 January 1970 is day %d", got)
	}
}

// testManyUses goes over every size of statement.
func testManyUses(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	const n = 629 // 500 + 100 + 20 + 2×4 + 1
	f.raw(t, `insert into api_keys (user_id, name, description, scopes, hint, hash, created_at, revoked_reason, leak_source)
		`+numbers(n)+`select cast($1 as bigint), 'n', '', 'read', '', `+f.pick(`cast(i as blob)`, `cast(cast(i as text) as bytea)`)+`, 0, '', '' from numbers`, u.ID)
	var uses []KeyUse
	first := f.count(t, `select min(id) from api_keys`)
	for i := range int64(n) {
		uses = append(uses, KeyUse{KeyID: first + i, Day: 1, Requests: i, LastUsed: epoch.Add(time.Duration(i) * time.Second)})
	}
	slices.Reverse(uses)
	if err := f.RecordKeyUse(t.Context(), uses); err != nil {
		t.Fatal(err)
	}
	if got := f.count(t, `select cast(sum(requests) as bigint) from key_usage_days`); got != n*(n-1)/2 {
		t.Errorf("%d requests are counted, want %d", got, n*(n-1)/2)
	}
	if got := f.count(t, `select count(*) from key_usage where last_used_at = $1 + (key_id - $2) * 1000`, epoch.UnixMilli(), first); got != n {
		t.Errorf("%d keys have their own last use, want %d", got, n)
	}
}

func testAccountDays(t *testing.T, f *fixture) {
	u, other := f.member(t, "sarah"), f.member(t, "mike")
	for range 2 {
		if err := f.AddAccountDays(t.Context(), []AccountDay{
			{u.Account.ID, 31, 5}, {other.Account.ID, 30, 1000}, {u.Account.ID, 29, 1}, {u.Account.ID, 30, 20}, {u.Account.ID, 1, 300},
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ from, to, want int64 }{{29, 31, 52}, {30, 30, 40}, {0, 100, 652}, {2, 28, 0}} {
		if got, err := f.AccountRequests(t.Context(), u.Account.ID, c.from, c.to); err != nil || got != c.want {
			t.Errorf("from day %d to %d: %d (%v), want %d", c.from, c.to, got, err, c.want)
		}
	}
}

func testPurgeTrash(t *testing.T, f *fixture) {
	ctx := t.Context()
	u := f.member(t, "sarah")
	kept := f.stepsy(t, u, "Kept")
	var gone []stepsies.Stepsy
	for _, title := range []string{"First", "Second"} {
		s := f.stepsy(t, u, title)
		if _, err := f.UpdateStepsy(ctx, by(u), s.ID, stepsies.StepsyChange{Slug: ptr(title[:1] + "x")}); stepsies.CodeOf(err) != stepsies.CodeValidation {
			t.Fatal(err)
		}
		if err := f.AddCounts(ctx, []Counts{{StepsyID: s.ID, Views: 1}, {StepsyID: kept.ID, Views: 1}}); err != nil {
			t.Fatal(err)
		}
		if err := f.DeleteStepsy(ctx, by(u), s.ID); err != nil {
			t.Fatal(err)
		}
		gone = append(gone, s)
		f.clock.forward(time.Hour)
	}
	if _, err := f.CreateStepsy(ctx, once(u, "k", "b"), "sarah", stepsies.StepsyChange{Title: ptr("t")}); err != nil {
		t.Fatal(err)
	}
	purge := func(want int64) {
		t.Helper()
		if n, err := f.Purge(ctx); err != nil || n != want {
			t.Errorf("%d rows were purged (%v), want %d", n, err, want)
		}
	}
	f.clock.forward(-2*time.Hour + stepsies.TrashLifetime - time.Millisecond)
	purge(1) // the idempotency record, which is older than a day
	if n := f.count(t, `select count(*) from stepsies where deleted_at is not null`); n != 2 {
		t.Errorf("the trash holds %d, want 2 that are not 30 days old", n)
	}
	f.clock.forward(time.Millisecond)
	purge(1)
	if n := f.count(t, `select count(*) from stepsies where id = $1`, gone[0].ID); n != 0 {
		t.Error("what was deleted 30 days ago is still there")
	}
	f.clock.forward(time.Hour)
	purge(1)
	purge(0)
	for table, want := range map[string]int64{"stepsies": 2, "stepsy_counts": 1, "idempotency_records": 0, "stepsy_search": 2} {
		if n := f.count(t, `select count(*) from `+table); n != want {
			t.Errorf("%s has %d rows, want %d", table, n, want)
		}
	}
}

func testPurgeBound(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	f.seed(t, u, purgeStepsies+10, 7, `'Trash'`, `'s' || cast(i as text)`)
	f.raw(t, `delete from stepsy_search`)
	f.raw(t, `update stepsies set deleted_at = $1`, stamp(epoch.Add(-stepsies.TrashLifetime)))
	f.raw(t, `insert into idempotency_records (user_id, route, client_key, body_hash, result, created_at)
		`+numbers(purgeOthers+10)+`select 0, 'r', cast(i as text), `+f.pick(`x'00'`, `cast('0' as bytea)`)+`, '', cast($1 as bigint) from numbers`, stamp(epoch.Add(-IdempotencyLifetime)))
	for i, want := range []int64{purgeStepsies + purgeOthers, 20, 0} {
		if n, err := f.Purge(t.Context()); err != nil || n != want {
			t.Errorf("call %d purged %d rows (%v), want %d", i+1, n, err, want)
		}
	}
	f.raw(t, `alter table idempotency_records rename to hidden`)
	f.raw(t, `alter table stepsies rename column deleted_at to gone_at`)
	if n, err := f.Purge(t.Context()); err == nil || n != 0 {
		t.Errorf("a purge that failed says that %d rows went (%v)", n, err)
	}
}
