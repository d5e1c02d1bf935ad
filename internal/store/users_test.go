package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

var users = []guarantee{
	{"UserIsReadBackAsMade", testUserRoundTrip},
	{"UsernamesAndEmailsAreUniqueWhateverTheCase", testUniqueUsers},
	{"UserChangeIsStoredAndAnEmptyOneIsNot", testUpdateUser},
	{"UsersAreFoundByNameAddressAndDisplayName", testListUsers},
	{"UserPagesLoseAndDoubleNobody", testUserPages},
	{"LastAdminStays", testLastAdmin},
	{"AccountEndsWithItsLastUser", testAccountEndsWithItsLastUser},
	{"DeletedUserLeavesNothingBehind", testDeleteUser},
	{"PasswordIsFoundByNameAndAddress", testPasswords},
}

func testUserRoundTrip(t *testing.T, f *fixture) {
	out, err := f.CreateUser(t.Context(), byOperator, stepsies.UserChange{
		Username: ptr("sarah-chen"), Email: ptr("Sarah.Chen@Example.com"), DisplayName: ptr(" Sarah 👩‍🚀 Chen "), Bio: ptr("Line\nline"),
		Role: ptr("admin"), TimeZone: ptr("Europe/Berlin"),
	}, stepsies.AccountChange{Plan: ptr("enterprise"), Limits: &stepsies.Limits{Minute: 10, Month: 3_000_000}})

	if err != nil {
		t.Fatal(err)
	}
	want := out.Value
	if want.CreatedAt != epoch || want.DisplayName != "Sarah 👩‍🚀 Chen" || want.ID == 0 || want.Account.ID == 0 {
		t.Errorf("made: %+v", want)
	}
	byName, err := f.User(t.Context(), "Sarah-CHEN")
	if err != nil || byName != want {
		t.Errorf("read by name: %+v (%v), want %+v", byName, err, want)
	}
	if byID, err := f.UserByID(t.Context(), want.ID); err != nil || byID != want {
		t.Errorf("read by id: %+v (%v)", byID, err)
	}
	for _, name := range []string{"", "sarah", "sarah-chen-", "sarah%"} {
		_, err := f.User(t.Context(), name)
		wantCode(t, err, stepsies.CodeNotFound)
	}
	_, err = f.UserByID(t.Context(), want.ID+1)
	wantCode(t, err, stepsies.CodeNotFound)
}

func testUniqueUsers(t *testing.T, f *fixture) {
	f.member(t, "sarah")
	accounts := f.count(t, `select count(*) from accounts`)
	for _, c := range []struct{ name, email, says string }{
		{"sarah", "other@example.com", "username"},
		{"other", "Sarah@Example.COM", "e-mail"},
	} {
		_, err := f.CreateUser(t.Context(), byOperator, stepsies.UserChange{Username: &c.name, Email: &c.email}, stepsies.AccountChange{})
		wantCode(t, err, stepsies.CodeConflict)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v does not speak of the %s", err, c.says)
		}
	}
	if n := f.count(t, `select count(*) from accounts`); n != accounts {
		t.Errorf("%d accounts stayed of users who could not be made", n-accounts)
	}
	f.member(t, "mike")
	_, err := f.UpdateUser(t.Context(), byOperator, "mike", stepsies.UserChange{Email: ptr("SARAH@example.com")})
	wantCode(t, err, stepsies.CodeConflict)
	_, err = f.UpdateUser(t.Context(), byOperator, "mike", stepsies.UserChange{Email: ptr("MIKE@example.com")})
	if err != nil {
		t.Errorf("one's own address in another case is a conflict: %v", err)
	}
}

func testUpdateUser(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	f.raw(t, `update users set email_verified_at = 1 where id = $1`, u.ID)
	now := f.clock.forward(time.Hour)
	out, err := f.UpdateUserAndAccount(t.Context(), byOperator, "Sarah", stepsies.UserChange{
		Email: ptr("SARAH@example.com"), DisplayName: ptr("Ms. Chen"), Bio: ptr("New"), TimeZone: ptr("Asia/Tokyo"),
	}, stepsies.AccountChange{Plan: ptr("enterprise"), Limits: &stepsies.Limits{Hour: 7}})
	if err != nil {
		t.Fatal(err)
	}
	read, err := f.User(t.Context(), "sarah")
	if err != nil || read != out.Value {
		t.Errorf("read %+v (%v), want what the update returned: %+v", read, err, out.Value)
	}
	if read.UpdatedAt != now || read.CreatedAt != epoch || read.EmailVerifiedAt.IsZero() || read.Limits() != (stepsies.Limits{Hour: 7}) {
		t.Errorf("after the update: %+v", read)
	}
	// Another address has not been proved.
	if out, err = f.UpdateUser(t.Context(), by(u), "sarah", stepsies.UserChange{Email: ptr("chen@example.com")}); err != nil {
		t.Fatal(err)
	}
	if read, err = f.User(t.Context(), "sarah"); err != nil || read != out.Value || !read.EmailVerifiedAt.IsZero() {
		t.Errorf("after the address was changed: %+v (%v), want %+v", read, err, out.Value)
	}
	rows := f.count(t, `select count(*) from activity`)
	f.clock.forward(time.Hour)
	if out, err = f.UpdateUser(t.Context(), by(u), "sarah", stepsies.UserChange{Bio: ptr("New"), Suspended: ptr(false)}); err != nil || out.Value != read {
		t.Errorf("a change that changes nothing gave %+v (%v)", out.Value, err)
	}
	if n := f.count(t, `select count(*) from activity`); n != rows {
		t.Error("a change that changes nothing was recorded")
	}
	_, err = f.UpdateUserAndAccount(t.Context(), byOperator, "sarah", stepsies.UserChange{Role: ptr("king")}, stepsies.AccountChange{Plan: ptr("gold")})
	wantCode(t, err, stepsies.CodeValidation)
	if again, err := f.User(t.Context(), "sarah"); err != nil || again != read {
		t.Errorf("a refused change left %+v (%v)", again, err)
	}
}

func testListUsers(t *testing.T, f *fixture) {
	for _, u := range []struct{ name, email, display string }{
		{"sarah_chen", "sarah@example.com", "Sarah Chen"},
		{"mike", "mike@percent%.example", "Mike"},
		{"zoe", "zoë@example.org", "Zoë Crème"},
	} {
		if _, err := f.CreateUser(t.Context(), byOperator, stepsies.UserChange{Username: &u.name, Email: &u.email, DisplayName: &u.display}, stepsies.AccountChange{}); err != nil {
			t.Fatal(err)
		}
	}
	for q, want := range map[string][]string{
		"":         {"zoe", "mike", "sarah_chen"},
		"SARAH":    {"sarah_chen"},
		"h_c":      {"sarah_chen"},
		"h c":      {"sarah_chen"},
		"h%c":      {},
		"%":        {"mike"},
		"_":        {"sarah_chen"},
		`\`:        {},
		"creme":    {"zoe"},
		"ZOË":      {"zoe"},
		"zoë@":     {"zoe"},
		"example.": {"zoe", "sarah_chen"},
		"nobody":   {},
	} {
		found, err := f.ListUsers(t.Context(), q, Page{Limit: 10})
		if err != nil {
			t.Errorf("%q: %v", q, err)
		}
		names := []string{}
		for _, u := range found.Items {
			names = append(names, u.Username)
		}
		if !slices.Equal(names, want) {
			t.Errorf("%q finds %q, want %q", q, names, want)
		}
	}
}

func testUserPages(t *testing.T, f *fixture) {
	for i := range 7 {
		f.member(t, fmt.Sprintf("user%d", i))
	}
	var names []string
	page := Page{Limit: 3}
	for range 10 {
		found, err := f.ListUsers(t.Context(), "user", page)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range found.Items {
			names = append(names, u.Username)
		}
		if len(names) == 3 {
			f.member(t, "user-new") // what comes meanwhile moves nobody
		}
		if page.Cursor = found.Next; page.Cursor == "" {
			break
		}
	}
	if want := []string{"user6", "user5", "user4", "user3", "user2", "user1", "user0"}; !slices.Equal(names, want) {
		t.Errorf("the pages hold %q, want %q", names, want)
	}
}

func testLastAdmin(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.user(t, "only", stepsies.RoleAdmin)
	f.member(t, "member")
	resting := f.user(t, "resting", stepsies.RoleAdmin)
	if _, err := f.UpdateUser(ctx, byOperator, resting.Username, stepsies.UserChange{Suspended: ptr(true)}); err != nil {
		t.Fatal(err)
	}
	refused := func() {
		t.Helper()
		for what, err := range map[string]error{
			"demote":  second(f.UpdateUser(ctx, byOperator, "only", stepsies.UserChange{Role: ptr("member")})),
			"suspend": second(f.UpdateUser(ctx, byOperator, "only", stepsies.UserChange{Suspended: ptr(true)})),
			"delete":  f.DeleteUser(ctx, byOperator, "only"),
		} {
			if stepsies.CodeOf(err) != stepsies.CodeConflict {
				t.Errorf("%s the last admin: %v, want a conflict", what, err)
			}
		}
		if u, err := f.User(ctx, "only"); err != nil || !u.CountsAsAdmin() {
			t.Errorf("there is no admin left (%v)", err)
		}
	}
	refused() // a suspended admin does not count
	if err := f.DeleteUser(ctx, byOperator, "resting"); err != nil {
		t.Errorf("a suspended admin cannot be deleted: %v", err)
	}
	if _, err := f.UpdateUser(ctx, byOperator, "only", stepsies.UserChange{Bio: ptr("hello")}); err != nil {
		t.Errorf("the last admin cannot edit their bio: %v", err)
	}
	if _, err := f.UpdateUser(ctx, byOperator, "member", stepsies.UserChange{Role: ptr("admin")}); err != nil {
		t.Fatal(err)
	}
	if err := f.DeleteUser(ctx, byOperator, "only"); err != nil {
		t.Errorf("one of two admins cannot be deleted: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// testDeleteUser looks into every table that there is for what speaks of the user.
func testDeleteUser(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.user(t, "admin", stepsies.RoleAdmin)
	owned := func(name string) stepsies.User {
		u := f.member(t, name)
		k, _ := f.key(t, u, "read")
		w := by(u)
		w.Once = &Once{UserID: u.ID, Key: "once", Route: "POST /v1/stepsies"}
		made, err := f.CreateStepsy(ctx, w, name, stepsies.StepsyChange{Title: ptr("Title"), Steps: steps("One")})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.UpdateStepsy(ctx, by(u), made.Value.ID, stepsies.StepsyChange{Slug: ptr("other")}); err != nil {
			t.Fatal(err)
		}
		gone := f.stepsy(t, u, "In the trash")
		if err := f.DeleteStepsy(ctx, by(u), gone.ID); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{
			f.RecordKeyUse(ctx, []KeyUse{{KeyID: k.ID, Day: 1, Requests: 1, LastUsed: epoch}}),
			f.AddAccountDays(ctx, []AccountDay{{AccountID: u.Account.ID, Day: 1, Requests: 1}}),
			f.AddCounts(ctx, []Counts{{StepsyID: made.Value.ID, Views: 1}, {StepsyID: gone.ID, Views: 1}}),
			second(f.PublishStepsy(ctx, by(u), made.Value.ID)),
			f.RecordReadings(ctx, []Reading{{StepsyID: made.Value.ID, Mark: MarkView}, {StepsyID: made.Value.ID, Mark: 1}}),
			second(f.RateStepsy(ctx, byOperator, made.Value.ID, RatingReader{1}, stepsies.Rating{Stars: 5})),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := f.CreateSession(ctx, NewSession{UserID: u.ID, Token: TokenHash{byte(u.ID)}, Lifetime: time.Hour}); err != nil {
			t.Fatal(err)
		}
		f.raw(t, `insert into one_time_links (kind, token_hash, user_id, email, role, created_at, expires_at)
			values ('password', $1, $2, '', 'member', 0, 1)`, []byte{byte(u.ID)}, u.ID)
		f.raw(t, `insert into email_changes (user_id, email, email_key, asked_at, began_at, asked) values ($1, '', '', 0, 0, 1)`, u.ID)
		f.raw(t, `insert into preview_links (stepsy_id, token_hash, created_at) values ($1, $2, 0)`, made.Value.ID, []byte{byte(u.ID)})
		return u
	}
	if _, err := f.ReaderSalt(ctx, 1); err != nil { // speaks of no user
		t.Fatal(err)
	}
	before := map[string]int64{}
	for _, table := range f.tables(t) {
		before[table] = f.count(t, `select count(*) from `+table)
	}
	u := owned("leaving")
	keys, err := f.ListAPIKeys(ctx, everyone, "leaving", Page{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range f.tables(t) {
		if f.count(t, `select count(*) from `+table) == before[table] && table != "goose_db_version" && table != "program_compat" && table != "reader_salts" && table != "installation" && table != "former_usernames" && !strings.HasPrefix(table, "goose_") {
			t.Errorf("this test puts nothing into %s, so that it cannot see what stays there", table)
		}
	}
	if err := f.DeleteUser(ctx, byOperator, "Leaving"); err != nil {
		t.Fatal(err)
	}
	// What was still in memory when the user went leaves nothing either.
	if err := f.RecordKeyUse(ctx, []KeyUse{{KeyID: keys.Items[0].ID, Day: 2, Requests: 1, LastUsed: epoch}}); err != nil {
		t.Fatal(err)
	}
	if err := f.AddAccountDays(ctx, []AccountDay{{AccountID: u.Account.ID, Day: 2, Requests: 1}}); err != nil {
		t.Fatal(err)
	}
	for _, table := range f.tables(t) {
		if n := f.count(t, `select count(*) from `+table); n != before[table] && table != "activity" && table != "former_usernames" {
			t.Errorf("%s: %d rows of the user stay", table, n-before[table])
		}
	}
	if n := f.count(t, `select count(*) from activity where owner_id = $1 and action = 'user.delete'`, u.ID); n != 1 {
		t.Errorf("the deletion is recorded %d times", n)
	}
	_, err = f.User(ctx, "leaving")
	wantCode(t, err, stepsies.CodeNotFound)
	wantCode(t, f.DeleteUser(ctx, byOperator, "leaving"), stepsies.CodeNotFound)
	f.clock.forward(stepsies.FormerUsernameKept)
	owned("leaving") // the name is free again, and nothing stands in its way
}

// tables lists all tables of the program but the search index's own parts.
func (f *fixture) tables(t *testing.T) []string {
	t.Helper()
	var names []string
	err := f.read.each(t.Context(), f.pick(
		`select name from sqlite_master where type = 'table' and name not like 'sqlite_%' and name not like 'stepsy\_search\__%' escape '\' order by name`,
		`select cast(table_name as text) from information_schema.tables where table_schema = current_schema() order by 1`), nil,
		func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			names = append(names, name)
			return err
		})
	if err != nil || len(names) < 10 {
		t.Fatalf("the tables are %q (%v)", names, err)
	}
	return names
}

func testPasswords(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	for _, login := range []string{"sarah", "SARAH", "Sarah@Example.com"} {
		found, hash, err := f.PasswordHash(t.Context(), login)
		if err != nil || found != u || hash != "" {
			t.Errorf("%s: %+v, %q (%v)", login, found, hash, err)
		}
	}
	if err := f.SetPassword(t.Context(), byOperator, "sarah", "a hash", 0); err != nil {
		t.Fatal(err)
	}
	if found, hash, err := f.PasswordHash(t.Context(), "sarah@example.com"); err != nil || hash != "a hash" || !found.HasPassword {
		t.Errorf("after it was set: %+v, %q (%v)", found, hash, err)
	}
	_, _, err := f.PasswordHash(t.Context(), "mike")
	wantCode(t, err, stepsies.CodeNotFound)
	wantCode(t, f.SetPassword(t.Context(), byOperator, "mike", "a hash", 0), stepsies.CodeNotFound)
}

func testAccountEndsWithItsLastUser(t *testing.T, f *fixture) {
	ctx := t.Context()
	first, second := f.member(t, "first"), f.member(t, "second")
	accounts := func() (n int64) {
		t.Helper()
		if err := f.read.one(ctx, `select count(*) from accounts where id = $1`, []any{first.Account.ID}, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err := f.transact(ctx, byOperator, func(tx *tx) error {
		return tx.run(ctx, []any{first.Account.ID, second.ID}, `update users set account_id = $1 where id = $2`)
	}); err != nil {
		t.Fatal(err)
	}
	if err := f.AddAccountDays(ctx, []AccountDay{{AccountID: first.Account.ID, Day: 20_000, Requests: 3}}); err != nil {
		t.Fatal(err)
	}
	used := func() int64 {
		t.Helper()
		n, err := f.AccountRequests(ctx, first.Account.ID, 20_000, 20_000)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err := f.DeleteUser(ctx, byOperator, "first"); err != nil {
		t.Fatal(err)
	}
	if u, err := f.User(ctx, "second"); err != nil || u.Account.ID != first.Account.ID || accounts() != 1 || used() != 3 {
		t.Errorf("who shared the account: %+v (%v), %d accounts, %d requests", u, err, accounts(), used())
	}
	if err := f.DeleteUser(ctx, byOperator, "second"); err != nil || accounts() != 0 || used() != 0 {
		t.Errorf("its last user is deleted (%v): %d accounts, %d requests", err, accounts(), used())
	}
}
