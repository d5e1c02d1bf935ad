package store

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/testenv"
)

// makers are links that end with who made them, and names that are kept back.
var makers = []guarantee{
	{"LinkWorksWhileItsMakerMayMakeIt", testLinkMaker},
	{"LinkIsNotUsedAfterItsMakersEnd", testLinkMakerRace},
	{"InvitationsOfAnAddressReplaceEachOther", testInvitationReplaced},
	{"InvitationEndsWhenItsAddressIsAUsers", testInvitedIsUser},
	{"UsernameOfADeletedUserIsKeptBack", testFormerUsername},
	{"UsernameIsKeptBackFromWhoAsksWhileItsUserGoes", testFormerUsernameRace},
}

// endsOfAdmin are the ways in which an admin ends as one.
func (f *fixture) endsOfAdmin(t *testing.T) map[string]func(name string) error {
	return map[string]func(string) error{
		"suspended": func(name string) error {
			return second(f.UpdateUser(t.Context(), byOperator, name, stepsies.UserChange{Suspended: ptr(true)}))
		},
		"demoted": func(name string) error {
			return second(f.UpdateUser(t.Context(), byOperator, name, stepsies.UserChange{Role: ptr("member")}))
		},
		"deleted": func(name string) error { return f.DeleteUser(t.Context(), byOperator, name) },
	}
}

func testLinkMaker(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.user(t, "root", stepsies.RoleAdmin) // somebody stays
	target := f.member(t, "target")
	n := byte(0)
	for how, end := range f.endsOfAdmin(t) {
		boss, other := f.user(t, "boss-"+how, stepsies.RoleAdmin), f.user(t, "other-"+how, stepsies.RoleAdmin)
		n += 10
		for i, l := range []Link{
			{Kind: LinkInvitation, Email: how + "@example.org", Role: stepsies.RoleAdmin},
			{Kind: LinkInvitation, Role: stepsies.RoleMember},
			{Kind: LinkPassword, UserID: target.ID, Email: target.Email},
		} {
			if err := f.CreateLink(ctx, by(boss), l, token(n+byte(i)), time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		f.link(t, Link{Kind: LinkInvitation, Role: stepsies.RoleMember}, n+3)
		if err := f.CreateLink(ctx, by(other), Link{Kind: LinkInvitation, Role: stepsies.RoleMember}, token(n+4), time.Hour); err != nil {
			t.Fatal(err)
		}
		if l := must[Link](t)(f.LinkByToken(ctx, LinkInvitation, token(n))); l.MakerID != boss.ID {
			t.Errorf("%s: the maker is %d, want %d", how, l.MakerID, boss.ID)
		}
		open := len(must[[]Link](t)(f.ListInvitations(ctx, 100)))
		if err := end(boss.Username); err != nil {
			t.Fatal(err)
		}
		if rows := f.count(t, `select count(*) from one_time_links where maker_id = $1`, boss.ID); rows != 0 {
			t.Errorf("%s: %d links are left in the table", how, rows)
		}
		if left := len(must[[]Link](t)(f.ListInvitations(ctx, 100))); left != open-2 {
			t.Errorf("%s: of %d invitations %d are listed, want 2 less", how, open, left)
		}
		for i := range byte(2) {
			_, err := f.SignUp(ctx, "", newUser(fmt.Sprint(how, i)), "hash", LinkInvitation, token(n+i))
			wantCode(t, err, stepsies.CodeNotFound)
		}
		_, err := f.ResetPassword(ctx, "", token(n+2), "stolen")
		wantCode(t, err, stepsies.CodeNotFound)
		if how == "suspended" { // and the end of a suspension brings none back
			must[Outcome[stepsies.User]](t)(f.UpdateUser(ctx, byOperator, boss.Username, stepsies.UserChange{Suspended: ptr(false)}))
			_, err := f.LinkByToken(ctx, LinkInvitation, token(n))
			wantCode(t, err, stepsies.CodeNotFound)
			if err := f.DeleteUser(ctx, byOperator, boss.Username); err != nil {
				t.Fatal(err)
			}
		}
		if f.CreateLink(ctx, by(boss), Link{Kind: LinkInvitation, Role: stepsies.RoleAdmin}, token(n+5), time.Hour) == nil {
			t.Errorf("%s: and invites someone all the same", how)
		}
		// The operator's and the other admin's work.
		for _, i := range []byte{3, 4} {
			must[stepsies.User](t)(f.SignUp(ctx, "", newUser(fmt.Sprint(how, i)), "hash", LinkInvitation, token(n+i)))
		}
	}
	// A link whose end was missed, as by a node of an older version, does not work either.
	f.link(t, Link{Kind: LinkInvitation, Role: stepsies.RoleAdmin}, 200)
	f.raw(t, `update one_time_links set maker_id = $1 where kind = 'invitation' and role = 'admin'`, target.ID)
	_, err := f.SignUp(ctx, "", newUser("missed"), "hash", LinkInvitation, token(200))
	wantCode(t, err, stepsies.CodeNotFound)
}

// testLinkMakerRace uses links while their maker ends: who got in did so before.
func testLinkMakerRace(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.user(t, "root", stepsies.RoleAdmin)
	round := 0
	for range 4 {
		for how, end := range f.endsOfAdmin(t) {
			round++
			boss := f.user(t, fmt.Sprint("boss-", round), stepsies.RoleAdmin)
			for i := range byte(3) {
				if err := f.CreateLink(ctx, by(boss), Link{Kind: LinkInvitation, Role: stepsies.RoleAdmin}, TokenHash{byte(round), i}, time.Hour); err != nil {
					t.Fatal(err)
				}
			}
			var wg sync.WaitGroup
			errs := make([]error, 3)
			for i := range errs {
				wg.Go(func() {
					_, errs[i] = f.SignUp(ctx, "", newUser(fmt.Sprint("made-", round, "-", i)), "hash", LinkInvitation, TokenHash{byte(round), byte(i)})
				})
			}
			wg.Go(func() {
				if err := end(boss.Username); err != nil {
					t.Errorf("%s: %v", how, err)
				}
			})
			wg.Wait()
			// Nobody was made in a transaction that came after the end: the record of
			// activity is written under the maker's lock, so its order is theirs.
			ended := f.count(t, `select max(id) from activity where target_name = $1`, boss.Username)
			last := f.count(t, `select coalesce(max(id), 0) from activity where action = 'user.create' and target_name like $1`, fmt.Sprint("made-", round, "-%"))
			for _, err := range errs {
				if err != nil {
					wantCode(t, err, stepsies.CodeNotFound)
				}
			}
			if last > ended {
				t.Errorf("%s: a user was made by row %d, after the end in row %d", how, last, ended)
			}
			if n := f.count(t, `select count(*) from one_time_links`); n != 0 {
				t.Errorf("%s: %d links are left", how, n)
			}
		}
	}
}

func testInvitationReplaced(t *testing.T, f *fixture) {
	ctx := t.Context()
	a, b := f.user(t, "anna", stepsies.RoleAdmin), f.user(t, "bert", stepsies.RoleAdmin)
	invite := func(w Write, email string, role stepsies.Role, n byte) {
		t.Helper()
		if err := f.CreateLink(ctx, w, Link{Kind: LinkInvitation, Email: email, Role: role}, token(n), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	invite(by(a), "Sarah@example.com", stepsies.RoleAdmin, 1)
	invite(by(a), "", stepsies.RoleMember, 2)
	invite(by(a), "", stepsies.RoleMember, 3) // those without an address are many
	invite(by(a), "other@example.com", stepsies.RoleMember, 4)
	f.clock.forward(time.Minute)
	invite(by(b), "sarah@EXAMPLE.com", stepsies.RoleMember, 5)
	for n, want := range map[byte]stepsies.Code{1: stepsies.CodeNotFound, 2: "", 3: "", 4: "", 5: ""} {
		_, err := f.LinkByToken(ctx, LinkInvitation, token(n))
		wantCode(t, err, want)
	}
	list := must[[]Link](t)(f.ListInvitations(ctx, 10))
	if len(list) != 4 || list[0].Email != "sarah@EXAMPLE.com" || list[0].Role != stepsies.RoleMember || list[0].MakerID != b.ID || list[0].ExpiresAt != epoch.Add(time.Hour+time.Minute) {
		t.Errorf("the invitations are %+v", list)
	}
	_, err := f.SignUp(ctx, "", newUser("sarah"), "hash", LinkInvitation, token(1))
	wantCode(t, err, stepsies.CodeNotFound)
	// Its first maker's end leaves the second's.
	must[Outcome[stepsies.User]](t)(f.UpdateUser(ctx, byOperator, "anna", stepsies.UserChange{Role: ptr("member")}))
	must[stepsies.User](t)(f.SignUp(ctx, "", newUser("sarah"), "hash", LinkInvitation, token(5)))
	// Many at once leave one.
	var wg sync.WaitGroup
	for i := range byte(8) {
		wg.Go(func() {
			if err := f.CreateLink(ctx, byOperator, Link{Kind: LinkInvitation, Email: "many@example.com", Role: stepsies.RoleMember}, token(100+i), time.Hour); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := f.count(t, `select count(*) from one_time_links where email_key = 'many@example.com'`); n != 1 {
		t.Errorf("%d invitations of one address were made at once", n)
	}
}

func testInvitedIsUser(t *testing.T, f *fixture) {
	ctx := t.Context()
	admin := f.user(t, "boss", stepsies.RoleAdmin)
	ways := map[string]func(email string) error{
		"created": func(email string) error {
			return second(f.CreateUser(ctx, byOperator, stepsies.UserChange{Username: ptr("created"), Email: &email}, stepsies.AccountChange{}))
		},
		"signed up": func(email string) error {
			return second(f.SignUp(ctx, "", stepsies.UserChange{Username: ptr("open"), Email: &email}, "hash", "", TokenHash{}))
		},
		"changed": func(email string) error {
			f.member(t, "changed")
			return second(f.UpdateUser(ctx, byOperator, "changed", stepsies.UserChange{Email: &email}))
		},
	}
	ways["confirmed"] = func(email string) error {
		u := f.member(t, "confirmed")
		if err := f.AskEmailChange(ctx, by(u), u.Username, email); err != nil {
			return err
		}
		f.link(t, Link{Kind: LinkEmail, UserID: u.ID, Email: email}, 99)
		_, _, err := f.VerifyEmail(ctx, "", token(99))
		return err
	}
	n := byte(0)
	for how, way := range ways {
		n += 10
		email := strings.ReplaceAll(how, " ", "-") + "@example.org"
		for i, l := range []Link{{Kind: LinkInvitation, Email: email, Role: stepsies.RoleAdmin}, {Kind: LinkEmail, Email: email, Role: stepsies.RoleMember}} {
			if err := f.CreateLink(ctx, by(admin), l, token(n+byte(i)), time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		if err := way(strings.ToUpper(email[:1]) + email[1:]); err != nil {
			t.Fatal(err)
		}
		for i, kind := range []LinkKind{LinkInvitation, LinkEmail} {
			_, err := f.SignUp(ctx, "", newUser(fmt.Sprintf("late-%d-%d", n, i)), "hash", kind, token(n+byte(i)))
			wantCode(t, err, stepsies.CodeNotFound)
		}
		err := f.CreateLink(ctx, by(admin), Link{Kind: LinkInvitation, Email: email, Role: stepsies.RoleMember}, token(n+2), time.Hour)
		wantCode(t, err, stepsies.CodeConflict)
		if err == nil || !strings.Contains(err.Error(), "is a user already") {
			t.Errorf("%s: inviting them again says %v", how, err)
		}
	}
	if n := f.count(t, `select count(*) from one_time_links`); n != 0 {
		t.Errorf("%d links are left", n)
	}
	// One that slipped in while the user was made does not work.
	f.link(t, Link{Kind: LinkInvitation, Email: "slipped@example.com", Role: stepsies.RoleAdmin}, 200)
	f.raw(t, `update users set email = 'slipped@example.com', email_key = 'slipped@example.com' where username = 'open'`)
	_, err := f.SignUp(ctx, "", newUser("slipped2"), "hash", LinkInvitation, token(200))
	wantCode(t, err, stepsies.CodeNotFound)
}

func testFormerUsername(t *testing.T, f *fixture) {
	ctx := t.Context()
	admin := f.user(t, "boss", stepsies.RoleAdmin)
	f.member(t, "sarah")
	if err := f.DeleteUser(ctx, byOperator, "Sarah"); err != nil {
		t.Fatal(err)
	}
	refused := func() {
		t.Helper()
		for who, w := range map[string]Write{"the operator": byOperator, "an admin": by(admin)} {
			_, err := f.CreateUser(ctx, w, newUser("sarah"), stepsies.AccountChange{})
			wantCode(t, err, stepsies.CodeConflict)
			if err == nil || !strings.Contains(err.Error(), "kept back until 12 June 2026 (UTC)") || !strings.Contains(err.Error(), "Choose another one.") {
				t.Errorf("%s is told %v", who, err)
			}
		}
		// Who signs up is told no more than of a name that somebody has.
		_, err := f.SignUp(ctx, "", newUser("sarah"), "hash", "", TokenHash{})
		_, taken := f.SignUp(ctx, "", stepsies.UserChange{Username: ptr("boss"), Email: ptr("x@example.com")}, "hash", "", TokenHash{})
		if err == nil || taken == nil || err.Error() == "" || stepsies.CodeOf(err) != stepsies.CodeConflict || messageOf(err) != messageOf(taken) {
			t.Errorf("who signs up is told %v, of a taken name %v", err, taken)
		}
	}
	refused()
	f.clock.forward(stepsies.FormerUsernameKept - time.Millisecond)
	if _, err := f.Purge(ctx); err != nil {
		t.Fatal(err)
	}
	refused()
	f.member(t, "sarah2") // its like is free
	f.clock.forward(time.Millisecond)
	f.member(t, "sarah")
	if n, err := f.Purge(ctx); err != nil || n != 1 {
		t.Errorf("%d rows were purged (%v), want the name", n, err)
	}
	// And once more, for the next bearer.
	if err := f.DeleteUser(ctx, byOperator, "sarah"); err != nil {
		t.Fatal(err)
	}
	_, err := f.CreateUser(ctx, byOperator, newUser("sarah"), stepsies.AccountChange{})
	wantCode(t, err, stepsies.CodeConflict)
}

func messageOf(err error) string {
	e, _ := errors.AsType[*stepsies.Error](err)
	return e.Message
}

func testFormerUsernameRace(t *testing.T, f *fixture) {
	for round := range 10 {
		name := fmt.Sprint("name-", round)
		f.member(t, name)
		var wg sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			wg.Go(func() {
				for try := 0; try < 5; try++ {
					_, errs[i] = f.CreateUser(t.Context(), byOperator, stepsies.UserChange{Username: &name, Email: ptr(fmt.Sprintf("%s-%d-%d@example.org", name, i, try))}, stepsies.AccountChange{})
				}
			})
		}
		wg.Go(func() {
			if err := f.DeleteUser(t.Context(), byOperator, name); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		for _, err := range errs {
			wantCode(t, err, stepsies.CodeConflict)
		}
		if n := f.count(t, `select count(*) from users where username = $1`, name); n != 0 {
			t.Fatalf("round %d: somebody got the name of a user who was deleted meanwhile", round)
		}
	}
}

func TestRestoreGivesNoUsernameBack(t *testing.T) {
	t.Parallel()
	for engine, config := range map[string]func(*testing.T) Config{
		"sqlite":   func(t *testing.T) Config { return Config{Path: filepath.Join(t.TempDir(), "stepsies.db")} },
		"postgres": func(t *testing.T) Config { return Config{URL: testenv.Postgres(t)} },
	} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			s := openMigrated(t, config(t))
			create := func(name string) error {
				return second(s.CreateUser(ctx, byOperator, newUser(name), stepsies.AccountChange{}))
			}
			drop := func(name string) {
				t.Helper()
				if err := s.DeleteUser(ctx, byOperator, name); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range []string{"before", "between"} {
				if err := create(name); err != nil {
					t.Fatal(err)
				}
			}
			drop("before")
			var file bytes.Buffer
			if err := s.Backup(ctx, &file); err != nil {
				t.Fatal(err)
			}
			drop("between")
			if err := create("after"); err != nil {
				t.Fatal(err)
			}
			drop("after")
			if _, err := s.Restore(ctx, bytes.NewReader(file.Bytes()), false); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"before", "after"} {
				wantCode(t, create(name), stepsies.CodeConflict)
			}
			var kept int
			if err := s.read.one(ctx, `select count(*) from former_usernames where username = 'between'`, nil, &kept); err != nil || kept != 0 {
				t.Errorf("the name of a user who is there again is kept back (%v)", err)
			}
			empty := openMigrated(t, config(t))
			if _, err := empty.Restore(ctx, bytes.NewReader(file.Bytes()), false); err != nil {
				t.Fatal(err)
			}
			_, err := empty.CreateUser(ctx, byOperator, newUser("before"), stepsies.AccountChange{})
			wantCode(t, err, stepsies.CodeConflict)
		})
	}
}
