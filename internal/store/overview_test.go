package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

var overviews = []guarantee{
	{"TotalsLeaveOutTheTrashAndOthers", testTotals},
	{"LatelyLeavesOutWhatIsOlderTheTrashAndOthers", testLatelyOfUser},
	{"KeysToMindAreThoseThatNeedAnEye", testKeysToMind},
	{"BelongingsCountWhatIsOwned", testBelongings},
	{"InvitationCanBeTakenBack", testEndInvitation},
	{"ActivityIsChosenByKindAndUser", testActivityFilter},
	{"ActivityLogIsReadInParts", testActivityLog},
	{"OnlyActionsAreRecorded", testOnlyActionsAreRecorded},
	{"ChangedAddressEndsLinksSentToTheOldOne", testChangedAddress},
}

func testTotals(t *testing.T, f *fixture) {
	ctx := t.Context()
	u, other := f.member(t, "sarah"), f.member(t, "mike")
	if got := must[Totals](t)(f.Totals(ctx, u.ID)); got != (Totals{}) {
		t.Errorf("who has written nothing has the totals %+v", got)
	}
	one := f.stepsyWith(t, u, stepsies.StepsyChange{Title: ptr("One"), Steps: steps("A step"), Publish: true})
	two, gone, foreign := f.stepsy(t, u, "Two"), f.stepsy(t, u, "Gone"), f.stepsy(t, other, "Foreign")
	var counts []Counts
	for _, id := range []int64{one.ID, two.ID, gone.ID, foreign.ID} {
		counts = append(counts, Counts{StepsyID: id, Views: 10, Completions: 3, Ratings: 2, Stars: 9})
	}
	if err := f.AddCounts(ctx, counts); err != nil {
		t.Fatal(err)
	}
	if err := f.DeleteStepsy(ctx, by(u), gone.ID); err != nil {
		t.Fatal(err)
	}
	want := Totals{Published: 1, Drafts: 1, Views: 20, Completions: 6, Ratings: 4, Stars: 18}
	if got := must[Totals](t)(f.Totals(ctx, u.ID)); got != want {
		t.Errorf("the totals are %+v, want %+v", got, want)
	}
}

func testLatelyOfUser(t *testing.T, f *fixture) {
	ctx := t.Context()
	u, other := f.member(t, "sarah"), f.member(t, "mike")
	today := Day(f.Store.clock())
	if got := must[ReadingDay](t)(f.Lately(ctx, u.ID, today)); got != (ReadingDay{Day: today}) {
		t.Errorf("who has written nothing has %+v", got)
	}
	one, two, gone, foreign := f.published(t, u, "One"), f.published(t, u, "Two"), f.published(t, u, "Gone"), f.published(t, other, "Foreign")
	var readings []Reading
	for _, s := range []stepsies.Stepsy{one, two, gone, foreign} {
		for day := today - 31; day <= today; day++ {
			readings = append(readings, Reading{StepsyID: s.ID, Day: day, Mark: MarkView}, Reading{StepsyID: s.ID, Day: day, Mark: MarkCompletion})
		}
		if _, err := f.RateStepsy(ctx, byOperator, s.ID, RatingReader{1}, stepsies.Rating{Stars: 4}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.RecordReadings(ctx, readings); err != nil {
		t.Fatal(err)
	}
	if err := f.DeleteStepsy(ctx, by(u), gone.ID); err != nil {
		t.Fatal(err)
	}
	want := ReadingDay{Day: today - 6, Views: 14, Completions: 14, Ratings: 2, Stars: 8}
	if got := must[ReadingDay](t)(f.Lately(ctx, u.ID, today-6)); got != want {
		t.Errorf("the last seven days are %+v, want %+v", got, want)
	}
	if got := must[ReadingDay](t)(f.Lately(ctx, u.ID, today+1)); got != (ReadingDay{Day: today + 1}) {
		t.Errorf("from tomorrow on there is %+v", got)
	}
}

func testKeysToMind(t *testing.T, f *fixture) {
	ctx := t.Context()
	u, other := f.member(t, "sarah"), f.member(t, "mike")
	named := map[int64]string{}
	add := func(name string, owner stepsies.User, expires time.Duration) stepsies.APIKey {
		t.Helper()
		k, _ := f.key(t, owner, "read")
		if expires != 0 {
			k = must[Outcome[stepsies.APIKey]](t)(f.UpdateAPIKey(ctx, by(owner), k.ID,
				stepsies.KeyChange{ExpiresAt: ptr(f.clock.Now().Add(expires))})).Value
		}
		named[k.ID] = name
		return k
	}
	const day = 24 * time.Hour
	revoke := func(k stepsies.APIKey) {
		t.Helper()
		if _, err := f.RevokeAPIKey(ctx, by(u), k.ID); err != nil {
			t.Fatal(err)
		}
	}
	add("idle", u, 0)
	add("another's", other, 0)
	quiet := add("revoked long ago", u, 0)
	revoke(quiet)
	f.clock.forward(90 * day)
	add("fresh", u, 0)
	add("ends soon", u, 7*day)
	add("ends later", u, 8*day)
	add("ended lately", u, -6*day)
	add("ended long ago", u, -8*day)
	called, silent := add("revoked and called", u, 0), add("revoked", u, 2*day)
	revoke(called)
	revoke(silent)
	used := add("used", u, 0)
	now := f.clock.Now()
	if err := f.RecordKeyUse(ctx, []KeyUse{
		{KeyID: called.ID, Day: Day(now), Refusals: 3, LastRefused: now},
		{KeyID: quiet.ID, Day: Day(now), Refusals: 3, LastRefused: now.Add(-8 * day)},
		{KeyID: used.ID, Day: Day(now), Requests: 1, LastUsed: now},
	}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, k := range must[[]stepsies.APIKey](t)(f.KeysToMind(ctx, u.ID, now.Add(-90*day), 10)) {
		got = append(got, named[k.ID])
	}
	if want := []string{"revoked and called", "ended lately", "ends soon", "idle"}; !slices.Equal(got, want) {
		t.Errorf("the keys to look at are %q, want %q", got, want)
	}
	if got := must[[]stepsies.APIKey](t)(f.KeysToMind(ctx, u.ID, now.Add(-90*day), 2)); len(got) != 2 {
		t.Errorf("%d keys come where two were asked for", len(got))
	}
}

func testBelongings(t *testing.T, f *fixture) {
	ctx := t.Context()
	u := f.member(t, "sarah")
	f.stepsy(t, u, "One")
	f.stepsy(t, u, "Two")
	gone := f.stepsy(t, u, "Gone")
	if err := f.DeleteStepsy(ctx, by(u), gone.ID); err != nil {
		t.Fatal(err)
	}
	f.key(t, u, "read")
	k, _ := f.key(t, u, "read")
	if _, err := f.RevokeAPIKey(ctx, by(u), k.ID); err != nil {
		t.Fatal(err)
	}
	want := Belongings{Stepsies: 2, Trash: 1, LiveKeys: 1, DeadKeys: 1}
	if got := must[Belongings](t)(f.Belongings(ctx, u.ID)); got != want {
		t.Errorf("they own %+v, want %+v", got, want)
	}
}

func testEndInvitation(t *testing.T, f *fixture) {
	ctx := t.Context()
	admin := f.user(t, "admin", stepsies.RoleAdmin)
	invite := func(email string, hash byte, lifetime time.Duration) {
		t.Helper()
		if err := f.CreateLink(ctx, by(admin), Link{Kind: LinkInvitation, Email: email, Role: stepsies.RoleMember}, TokenHash{hash}, lifetime); err != nil {
			t.Fatal(err)
		}
	}
	invite("old@example.com", 1, time.Hour)
	f.clock.forward(time.Hour)
	invite("ann@example.com", 2, time.Hour)
	invite("", 3, time.Hour)
	list := must[[]Link](t)(f.ListInvitations(ctx, 10))
	if len(list) != 2 || list[0].Email != "" || list[1].Email != "ann@example.com" || list[1].Role != stepsies.RoleMember {
		t.Fatalf("the invitations are %+v", list)
	}
	if err := f.EndInvitation(ctx, by(admin), list[1].ID); err != nil {
		t.Fatal(err)
	}
	_, err := f.LinkByToken(ctx, LinkInvitation, TokenHash{2})
	wantCode(t, err, stepsies.CodeNotFound)
	wantCode(t, f.EndInvitation(ctx, by(admin), list[1].ID), stepsies.CodeNotFound)
	rows := must[Paged[stepsies.Activity]](t)(f.ListActivity(ctx, ActivityFilter{Access: of(admin), Page: Page{Limit: 1}}))
	if a := rows.Items[0]; a.Action != "user.uninvite" || a.Name != "ann@example.com" || a.Actor != by(admin).Actor {
		t.Errorf("the record says %+v", a)
	}
	// A link of another kind is no invitation.
	if err := f.CreateLink(ctx, by(admin), Link{Kind: LinkPassword, UserID: admin.ID}, TokenHash{4}, time.Hour); err != nil {
		t.Fatal(err)
	}
	for id := range int64(10) {
		if id != list[0].ID {
			wantCode(t, f.EndInvitation(ctx, by(admin), id), stepsies.CodeNotFound)
		}
	}
}

func testActivityFilter(t *testing.T, f *fixture) {
	ctx := t.Context()
	admin, u := f.user(t, "admin", stepsies.RoleAdmin), f.member(t, "sarah")
	k, _ := f.key(t, u, "read")
	f.stepsy(t, u, "Title")
	must[Session](t)(f.CreateSession(ctx, NewSession{UserID: u.ID, Token: TokenHash{1}, IP: "192.0.2.1", Lifetime: time.Hour}))
	if _, err := f.RevokeAPIKey(ctx, by(admin), k.ID); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		filter ActivityFilter
		want   []string
	}{
		{"keys", ActivityFilter{Access: of(u), Kind: ActivityKeys}, []string{"api_key.revoke", "api_key.create"}},
		{"stepsies", ActivityFilter{Access: of(u), Kind: ActivityStepsies}, []string{"stepsy.create"}},
		{"sign-ins", ActivityFilter{Access: of(u), Kind: ActivitySignIns}, []string{"session.start"}},
		{"users", ActivityFilter{Access: of(u), Kind: ActivityUsers}, []string{"user.create"}},
		{"all", ActivityFilter{Access: of(u)}, []string{"api_key.revoke", "session.start", "stepsy.create", "api_key.create", "user.create"}},
		{"what an admin did and what is theirs", ActivityFilter{Access: everyone, UserID: admin.ID}, []string{"api_key.revoke", "user.create"}},
		{"another's, to a member", ActivityFilter{Access: of(u), UserID: admin.ID}, []string{"api_key.revoke"}},
	} {
		c.filter.Page = Page{Limit: 10}
		var got []string
		for _, a := range must[Paged[stepsies.Activity]](t)(f.ListActivity(ctx, c.filter)).Items {
			got = append(got, string(a.Action))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func testActivityLog(t *testing.T, f *fixture) {
	ctx := t.Context()
	for i := range 5 {
		f.clock.forward(time.Minute)
		f.member(t, fmt.Sprint("user", i))
	}
	since := f.clock.Now()
	for i := 5; i < 7; i++ {
		f.member(t, fmt.Sprint("user", i))
		f.clock.forward(time.Minute)
	}
	read := func(l ActivityLog) (names []string, last int64) {
		t.Helper()
		for _, a := range must[[]stepsies.Activity](t)(f.ReadActivity(ctx, l)) {
			names, last = append(names, a.Name), a.ID
		}
		return names, last
	}
	got, last := read(ActivityLog{Limit: 4})
	if want := []string{"user0", "user1", "user2", "user3"}; !slices.Equal(got, want) {
		t.Errorf("the first part is %q, want %q", got, want)
	}
	got, last = read(ActivityLog{After: last, Limit: 4})
	if want := []string{"user4", "user5", "user6"}; !slices.Equal(got, want) {
		t.Errorf("the second part is %q, want %q", got, want)
	}
	if got, _ = read(ActivityLog{After: last, Limit: 4}); len(got) != 0 {
		t.Errorf("after the last row there is %q", got)
	}
	if got, _ = read(ActivityLog{Since: since, Limit: 4}); !slices.Equal(got, []string{"user4", "user5", "user6"}) {
		t.Errorf("since a time there is %q", got)
	}
	if got, _ = read(ActivityLog{Newest: 2, Limit: 4}); !slices.Equal(got, []string{"user5", "user6"}) {
		t.Errorf("the newest two are %q", got)
	}
	if got, _ = read(ActivityLog{Newest: 20, Since: since, Limit: 4}); !slices.Equal(got, []string{"user4", "user5", "user6"}) {
		t.Errorf("the newest since a time are %q", got)
	}
	if got, _ = read(ActivityLog{Newest: 2, Since: since.Add(time.Hour), Limit: 4}); len(got) != 0 {
		t.Errorf("since the future there is %q", got)
	}
}

func testChangedAddress(t *testing.T, f *fixture) {
	ctx := t.Context()
	u := f.member(t, "sarah")
	for kind, hash := range map[LinkKind]TokenHash{LinkPassword: {1}, LinkEmail: {2}} {
		if err := f.CreateLink(ctx, byOperator, Link{Kind: kind, UserID: u.ID, Email: u.Email}, hash, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	change := func(c stepsies.UserChange) {
		t.Helper()
		if _, err := f.UpdateUser(ctx, by(u), "sarah", c); err != nil {
			t.Fatal(err)
		}
	}
	change(stepsies.UserChange{Bio: ptr("Hello"), Email: ptr("SARAH@example.com")})
	if _, err := f.LinkByToken(ctx, LinkPassword, TokenHash{1}); err != nil {
		t.Errorf("the link ended though the address is the same: %v", err)
	}
	change(stepsies.UserChange{Email: ptr("new@example.com")})
	for kind, hash := range map[LinkKind]TokenHash{LinkPassword: {1}, LinkEmail: {2}} {
		_, err := f.LinkByToken(ctx, kind, hash)
		wantCode(t, err, stepsies.CodeNotFound)
	}
}
