package store

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

// signIns are sessions and the links that work once.
var signIns = []guarantee{
	{"SessionLivesUntilItsTimeOrItsEnd", testSession},
	{"SessionsHaveABoundAndTheOldestGivesWay", testSessionBound},
	{"SuspensionAndANewPasswordEndSessions", testSessionsEnd},
	{"SignInIsRefusedWhenWhatItComparedHasChanged", testSignInCompared},
	{"LinkWorksOnceAndForAWhile", testLink},
	{"OneOfManyGetsTheLink", testLinkRace},
	{"FirstAdminIsMadeWhileThereIsNobody", testFirstAdmin},
	{"InvitationDecidesTheRole", testInvitation},
	{"PasswordLinkSignsOutEverywhere", testPasswordLink},
	{"AddressIsProvedBeforeThereIsAUser", testSignUpByAddress},
}

func token(n byte) TokenHash { return TokenHash{n, 0, 255} }

func (f *fixture) session(t *testing.T, u stepsies.User, n byte) Session {
	t.Helper()
	return must[Session](t)(f.CreateSession(t.Context(), NewSession{
		UserID: u.ID, PasswordHash: must[string](t)(passwordHash(t.Context(), f.read, u.ID)), Token: token(n), IP: "192.0.2.7", UserAgent: "a browser", Lifetime: time.Hour,
	}))
}

func testSession(t *testing.T, f *fixture) {
	ctx := t.Context()
	u, other := f.member(t, "sarah"), f.member(t, "mike")
	s := f.session(t, u, 1)
	want := Session{ID: s.ID, UserID: u.ID, IP: "192.0.2.7", UserAgent: "a browser", CreatedAt: epoch, LastSeenAt: epoch, ExpiresAt: epoch.Add(time.Hour)}
	read, who, err := f.SessionByToken(ctx, token(1))
	if err != nil || read != want || s != want || who != u {
		t.Errorf("read %+v of %+v (%v), want %+v", read, who, err, want)
	}
	_, _, err = f.SessionByToken(ctx, token(2))
	wantCode(t, err, stepsies.CodeNotFound)
	now := f.clock.forward(time.Hour - time.Millisecond)
	if err := f.TouchSession(ctx, s.ID, "2001:db8::7"); err != nil {
		t.Fatal(err)
	}
	want.LastSeenAt, want.IP = now, "2001:db8::7"
	if list, err := f.ListSessions(ctx, u.ID); err != nil || len(list) != 2 || list[0] != want {
		t.Errorf("listed %+v (%v), want %+v", list, err, want)
	}
	later := f.session(t, u, 3)
	foreign := f.session(t, other, 4)
	f.clock.forward(time.Millisecond)
	_, _, err = f.SessionByToken(ctx, token(1))
	wantCode(t, err, stepsies.CodeNotFound)
	if list, err := f.ListSessions(ctx, u.ID); err != nil || len(list) != 2 || list[0].ID != later.ID {
		t.Errorf("with one over, listed %+v (%v)", list, err)
	}
	// Nobody ends another's.
	if err := f.EndSession(ctx, by(u), u, foreign.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.SessionByToken(ctx, token(4)); err != nil {
		t.Errorf("another's session was ended: %v", err)
	}
	if err := f.EndSession(ctx, by(u), u, later.ID); err != nil {
		t.Fatal(err)
	}
	_, _, err = f.SessionByToken(ctx, token(3))
	wantCode(t, err, stepsies.CodeNotFound)
	for action, want := range map[string]int64{"session.start": 3, "session.end": 1} {
		if n := f.count(t, `select count(*) from activity where action = $1`, action); n != want {
			t.Errorf("%s is recorded %d times, want %d", action, n, want)
		}
	}
	f.clock.forward(time.Hour)
	if n, err := f.Purge(ctx); err != nil || n != 2 || f.count(t, `select count(*) from sessions where id > 0`) != 0 {
		t.Errorf("%d sessions were purged (%v), want 2", n, err)
	}
}

func testSessionBound(t *testing.T, f *fixture) {
	u, other := f.member(t, "sarah"), f.member(t, "mike")
	f.session(t, other, 200)
	for i := range maxSessions + 2 {
		f.session(t, u, byte(i))
	}
	for i, want := range map[byte]stepsies.Code{0: stepsies.CodeNotFound, 1: stepsies.CodeNotFound, 2: "", maxSessions + 1: "", 200: ""} {
		_, _, err := f.SessionByToken(t.Context(), token(i))
		wantCode(t, err, want)
	}
}

func testSessionsEnd(t *testing.T, f *fixture) {
	ctx := t.Context()
	u, other := f.member(t, "sarah"), f.member(t, "mike")
	f.session(t, other, 100)
	kept := f.session(t, u, 1)
	f.session(t, u, 2)
	live := func(want ...byte) {
		t.Helper()
		for i := range byte(6) {
			code := stepsies.CodeNotFound
			for _, n := range want {
				if n == i {
					code = ""
				}
			}
			_, _, err := f.SessionByToken(ctx, token(i))
			wantCode(t, err, code)
		}
		if _, _, err := f.SessionByToken(ctx, token(100)); err != nil {
			t.Errorf("another's session ended: %v", err)
		}
	}
	live(1, 2)
	inKept := by(u)
	inKept.Right.SessionID, inKept.Right.Token = kept.ID, token(1)
	if err := f.EndSessions(ctx, inKept, u, kept.ID); err != nil {
		t.Fatal(err)
	}
	live(1)
	f.session(t, u, 3)
	if err := f.SetPassword(ctx, inKept, "sarah", "hash", kept.ID); err != nil {
		t.Fatal(err)
	}
	live(1)
	f.session(t, u, 4)
	for _, suspended := range []bool{true, false} { // and the end of a suspension brings none back
		must[Outcome[stepsies.User]](t)(f.UpdateUser(ctx, byOperator, "sarah", stepsies.UserChange{Suspended: &suspended}))
		live()
	}
}

func testSignInCompared(t *testing.T, f *fixture) {
	ctx := t.Context()
	u := f.member(t, "sarah")
	signIn := func(hash string, want stepsies.Code) {
		t.Helper()
		_, err := f.CreateSession(ctx, NewSession{UserID: u.ID, PasswordHash: hash, Token: token(byte(f.count(t, `select count(*) from sessions`))), Lifetime: time.Hour})
		wantCode(t, err, want)
	}
	if err := f.SetPassword(ctx, byOperator, "sarah", "first", 0); err != nil {
		t.Fatal(err)
	}
	signIn("first", "")
	signIn("", stepsies.CodeNotFound)
	if err := f.SetPassword(ctx, byOperator, "sarah", "second", 0); err != nil {
		t.Fatal(err)
	}
	signIn("first", stepsies.CodeNotFound)
	must[Outcome[stepsies.User]](t)(f.UpdateUser(ctx, byOperator, "sarah", stepsies.UserChange{Suspended: ptr(true)}))
	signIn("second", stepsies.CodeNotFound)
	must[Outcome[stepsies.User]](t)(f.UpdateUser(ctx, byOperator, "sarah", stepsies.UserChange{Suspended: ptr(false)}))
	signIn("second", "")
	if err := f.DeleteUser(ctx, byOperator, "sarah"); err != nil {
		t.Fatal(err)
	}
	signIn("second", stepsies.CodeNotFound)
	if n := f.count(t, `select count(*) from activity where action = 'session.start'`); n != 2 {
		t.Errorf("%d sign-ins are recorded, want the 2 that were made", n)
	}
}

func (f *fixture) link(t *testing.T, l Link, n byte) {
	t.Helper()
	if err := f.CreateLink(t.Context(), byOperator, l, token(n), time.Hour); err != nil {
		t.Fatal(err)
	}
}

func testLink(t *testing.T, f *fixture) {
	ctx := t.Context()
	u := f.member(t, "sarah")
	f.link(t, Link{Kind: LinkPassword, UserID: u.ID}, 1)
	f.link(t, Link{Kind: LinkPassword, UserID: u.ID}, 2) // takes the place of the first
	f.link(t, Link{Kind: LinkEmail, UserID: u.ID, Email: u.Email}, 3)
	f.link(t, Link{Kind: LinkInvitation, Email: "a@example.com", Role: stepsies.RoleMember}, 4)
	f.link(t, Link{Kind: LinkInvitation, Email: "b@example.com", Role: stepsies.RoleAdmin}, 5)
	for _, c := range []struct {
		n    byte
		kind LinkKind
		want stepsies.Code
	}{{1, LinkPassword, stepsies.CodeNotFound}, {2, LinkPassword, ""}, {2, LinkEmail, stepsies.CodeNotFound}, {3, LinkEmail, ""}, {4, LinkInvitation, ""}, {5, LinkInvitation, ""}, {9, LinkPassword, stepsies.CodeNotFound}} {
		l, err := f.LinkByToken(ctx, c.kind, token(c.n))
		wantCode(t, err, c.want)
		if err == nil && (l.Kind != c.kind || l.CreatedAt != epoch || l.ExpiresAt != epoch.Add(time.Hour)) {
			t.Errorf("link %d is %+v", c.n, l)
		}
	}
	if l := must[Link](t)(f.LinkByToken(ctx, LinkInvitation, token(5))); l.Email != "b@example.com" || l.Role != stepsies.RoleAdmin || l.UserID != 0 {
		t.Errorf("the invitation is %+v", l)
	}
	f.clock.forward(time.Hour)
	_, err := f.LinkByToken(ctx, LinkPassword, token(2))
	wantCode(t, err, stepsies.CodeNotFound)
	_, err = f.ResetPassword(ctx, "192.0.2.7", token(2), "hash")
	wantCode(t, err, stepsies.CodeNotFound)
	if n, err := f.Purge(ctx); err != nil || n != 4 {
		t.Errorf("%d links were purged (%v), want 4", n, err)
	}
}

func testLinkRace(t *testing.T, f *fixture) {
	f.link(t, Link{Kind: LinkInvitation, Role: stepsies.RoleMember}, 1)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = f.SignUp(t.Context(), "192.0.2.7", newUser(fmt.Sprint("user", i)), "hash", LinkInvitation, token(1))
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		wantCode(t, err, stepsies.CodeNotFound)
	}
	if n := must[int64](t)(f.CountUsers(t.Context())); won != 1 || n != 1 {
		t.Errorf("%d used the link, and there are %d users", won, n)
	}
}

func newUser(name string) stepsies.UserChange {
	return stepsies.UserChange{Username: &name, Email: ptr(name + "@example.com")}
}

func testFirstAdmin(t *testing.T, f *fixture) {
	ctx := t.Context()
	first := Link{Kind: LinkFirstAdmin, Role: stepsies.RoleAdmin}
	f.link(t, first, 1)
	f.link(t, first, 2)
	_, err := f.SignUp(ctx, "", newUser("root"), "hash", LinkFirstAdmin, token(1))
	wantCode(t, err, stepsies.CodeNotFound)
	// A sign-up that is refused uses nothing up.
	_, err = f.SignUp(ctx, "", stepsies.UserChange{Username: ptr("x")}, "hash", LinkFirstAdmin, token(2))
	wantCode(t, err, stepsies.CodeValidation)
	u := must[stepsies.User](t)(f.SignUp(ctx, "192.0.2.7", newUser("root"), "hash", LinkFirstAdmin, token(2)))
	if u.Role != stepsies.RoleAdmin {
		t.Errorf("the first admin is %+v", u)
	}
	if _, hash, err := f.PasswordHash(ctx, "root"); err != nil || hash != "hash" {
		t.Errorf("their password is %q (%v)", hash, err)
	}
	f.link(t, first, 3)
	_, err = f.SignUp(ctx, "", newUser("second"), "hash", LinkFirstAdmin, token(3))
	wantCode(t, err, stepsies.CodeConflict)
}

func testInvitation(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.link(t, Link{Kind: LinkInvitation, Email: "Sarah@example.com", Role: stepsies.RoleAdmin}, 1)
	f.link(t, Link{Kind: LinkInvitation, Email: "mike@example.com", Role: stepsies.RoleMember}, 2)
	must[stepsies.User](t)(f.SignUp(ctx, "", newUser("sarah"), "hash", LinkInvitation, token(1)))
	wanted := newUser("other")
	wanted.Role = ptr("admin") // what is wanted does not count
	must[stepsies.User](t)(f.SignUp(ctx, "", wanted, "hash", LinkInvitation, token(2)))
	open := newUser("open")
	must[stepsies.User](t)(f.SignUp(ctx, "", open, "hash", "", TokenHash{}))
	for name, want := range map[string]struct {
		role   stepsies.Role
		proved bool
	}{"sarah": {stepsies.RoleAdmin, true}, "other": {stepsies.RoleMember, false}, "open": {stepsies.RoleMember, false}} {
		u := must[stepsies.User](t)(f.User(ctx, name))
		if u.Role != want.role || u.EmailVerifiedAt.IsZero() == want.proved {
			t.Errorf("%s is %+v", name, u)
		}
	}
	_, err := f.SignUp(ctx, "", newUser("again"), "hash", LinkInvitation, token(1))
	wantCode(t, err, stepsies.CodeNotFound)
}

func testPasswordLink(t *testing.T, f *fixture) {
	ctx := t.Context()
	u := f.member(t, "sarah")
	f.session(t, u, 1)
	f.link(t, Link{Kind: LinkPassword, UserID: u.ID}, 1)
	if got := must[PasswordReset](t)(f.ResetPassword(ctx, "192.0.2.7", token(1), "new hash")); got.User.ID != u.ID || got.KeysEnded != 0 {
		t.Errorf("it was the link of %+v", got)
	}
	if _, hash, err := f.PasswordHash(ctx, "sarah"); err != nil || hash != "new hash" {
		t.Errorf("the password is %q (%v)", hash, err)
	}
	_, _, err := f.SessionByToken(ctx, token(1))
	wantCode(t, err, stepsies.CodeNotFound)
	_, err = f.ResetPassword(ctx, "192.0.2.7", token(1), "again")
	wantCode(t, err, stepsies.CodeNotFound)
	f.link(t, Link{Kind: LinkPassword, UserID: u.ID}, 2)
	if err := f.SetPassword(ctx, byOperator, "sarah", "by the operator", 0); err != nil {
		t.Fatal(err)
	}
	_, err = f.ResetPassword(ctx, "192.0.2.7", token(2), "old link")
	wantCode(t, err, stepsies.CodeNotFound)
}

func testSignUpByAddress(t *testing.T, f *fixture) {
	ctx := t.Context()
	u := f.member(t, "mike")
	f.link(t, Link{Kind: LinkEmail, UserID: u.ID, Email: u.Email}, 1)
	f.link(t, Link{Kind: LinkEmail, Email: "sarah@example.com", Role: stepsies.RoleMember}, 2)
	f.link(t, Link{Kind: LinkEmail, Email: "other@example.com", Role: stepsies.RoleMember}, 3)
	f.link(t, Link{Kind: LinkEmail, Email: "sarah@example.com", Role: stepsies.RoleMember}, 4) // takes the place of the second alone
	for n, want := range map[byte]stepsies.Code{2: stepsies.CodeNotFound, 3: "", 4: ""} {
		_, err := f.LinkByToken(ctx, LinkEmail, token(n))
		wantCode(t, err, want)
	}
	_, err := f.SignUp(ctx, "", newUser("mallory"), "hash", LinkEmail, token(1)) // it proves the address of a user
	wantCode(t, err, stepsies.CodeNotFound)
	_, _, err = f.VerifyEmail(ctx, "", token(4)) // and this one of nobody yet
	wantCode(t, err, stepsies.CodeNotFound)
	wanted := newUser("sarah")
	wanted.Email, wanted.Role = ptr("mike@example.com"), ptr("admin") // what is wanted does not count
	made := must[stepsies.User](t)(f.SignUp(ctx, "", wanted, "hash", LinkEmail, token(4)))
	if made.Email != "sarah@example.com" || made.Role != stepsies.RoleMember {
		t.Errorf("who signed up is %+v", made)
	}
	if read := must[stepsies.User](t)(f.User(ctx, "sarah")); read.EmailVerifiedAt != epoch {
		t.Errorf("the address was proved at %v", read.EmailVerifiedAt)
	}
}
