package store

import (
	"sync"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

// emailChanges are how users come to another address, and prove the one they have.
var emailChanges = []guarantee{
	{"AddressIsProvedByItsOwnLink", testVerifyEmail},
	{"NewAddressCountsWhenItIsConfirmed", testEmailChange},
	{"AddressThatTwoWaitForIsWhosConfirmsFirst", testEmailChangeRace},
	{"AddressThatWaitsEndsWithItsLinks", testEmailChangeEnds},
	{"AddressIsChangedThreeTimesADay", testEmailChangeBound},
	{"ResetThatProvesAnAddressFirstEndsTheKeysBefore", testResetProves},
}

func (f *fixture) verify(t *testing.T, n byte) (now, before stepsies.User) {
	t.Helper()
	now, before, err := f.VerifyEmail(t.Context(), "192.0.2.9", token(n))
	if err != nil {
		t.Fatal(err)
	}
	return now, before
}

// ask has a user want an address, to which a link goes.
func (f *fixture) ask(t *testing.T, u stepsies.User, email string, n byte) {
	t.Helper()
	if err := f.AskEmailChange(t.Context(), by(u), u.Username, email); err != nil {
		t.Fatal(err)
	}
	f.link(t, Link{Kind: LinkEmail, UserID: u.ID, Email: email}, n)
}

func (f *fixture) wantLink(t *testing.T, kind LinkKind, n byte, want stepsies.Code) {
	t.Helper()
	_, err := f.LinkByToken(t.Context(), kind, token(n))
	wantCode(t, err, want)
}

func testVerifyEmail(t *testing.T, f *fixture) {
	ctx := t.Context()
	u := f.member(t, "sarah")
	f.link(t, Link{Kind: LinkEmail, UserID: u.ID, Email: "old@example.com"}, 1)
	_, _, err := f.VerifyEmail(ctx, "", token(1))
	wantCode(t, err, stepsies.CodeNotFound)
	if read := must[stepsies.User](t)(f.User(ctx, "sarah")); !read.EmailVerifiedAt.IsZero() {
		t.Error("a link to another address proved this one")
	}
	f.link(t, Link{Kind: LinkEmail, UserID: u.ID, Email: "SARAH@example.com"}, 2)
	now, before := f.verify(t, 2)
	if read := must[stepsies.User](t)(f.User(ctx, "sarah")); read.EmailVerifiedAt != epoch || read != now || before != u || read.Email != u.Email {
		t.Errorf("the address was proved: %+v", read)
	}
	_, _, err = f.VerifyEmail(ctx, "", token(2))
	wantCode(t, err, stepsies.CodeNotFound)
}

func testEmailChange(t *testing.T, f *fixture) {
	ctx := t.Context()
	u, other := f.member(t, "sarah"), f.member(t, "mike")
	f.link(t, Link{Kind: LinkPassword, UserID: u.ID, Email: u.Email}, 1)
	f.ask(t, u, "New@example.com", 2)
	if c := must[EmailChange](t)(f.EmailChange(ctx, u.ID)); c != (EmailChange{Email: "New@example.com", AskedAt: epoch}) {
		t.Errorf("what waits is %+v", c)
	}
	// Until then everything goes by the old one, and the new one is anybody's.
	if read := must[stepsies.User](t)(f.User(ctx, "sarah")); read != u {
		t.Errorf("the user is %+v", read)
	}
	_, _, err := f.PasswordHash(ctx, "new@example.com")
	wantCode(t, err, stepsies.CodeNotFound)
	f.wantLink(t, LinkPassword, 1, "")
	f.ask(t, other, "new@example.com", 3)

	at := f.clock.forward(time.Minute)
	now, before := f.verify(t, 2)
	read := must[stepsies.User](t)(f.User(ctx, "sarah"))
	if read != now || before != u || read.Email != "New@example.com" || read.EmailVerifiedAt != at || read.UpdatedAt != at {
		t.Errorf("the user is %+v", read)
	}
	if found, _, err := f.PasswordHash(ctx, "NEW@example.com"); err != nil || found.ID != u.ID {
		t.Errorf("the new address is that of %+v (%v)", found, err)
	}
	_, _, err = f.PasswordHash(ctx, u.Email)
	wantCode(t, err, stepsies.CodeNotFound)
	f.wantLink(t, LinkPassword, 1, stepsies.CodeNotFound) // what went to the old address opens nothing any more
	_, err = f.EmailChange(ctx, u.ID)
	wantCode(t, err, stepsies.CodeNotFound)

	// The other is told, and keeps what they have.
	if c := must[EmailChange](t)(f.EmailChange(ctx, other.ID)); !c.Taken {
		t.Errorf("what waits is %+v", c)
	}
	_, _, err = f.VerifyEmail(ctx, "", token(3))
	wantCode(t, err, stepsies.CodeConflict)
	if read := must[stepsies.User](t)(f.User(ctx, "mike")); read != other {
		t.Errorf("the other is %+v", read)
	}
	wantCode(t, f.AskEmailChange(ctx, by(other), "mike", "new@EXAMPLE.com"), stepsies.CodeConflict)
	list := must[Paged[stepsies.Activity]](t)(f.ListActivity(ctx, ActivityFilter{Access: of(u), Target: "user", TargetID: u.ID, Page: Page{Limit: 10}}))
	if len(list.Items) < 2 || list.Items[0].Action != "user.email_confirm" || list.Items[0].Actor.IP != "192.0.2.9" || list.Items[1].Action != "user.email_ask" || list.Items[1].Actor.UserID != u.ID {
		t.Errorf("the record says %+v", list.Items)
	}
}

func testEmailChangeRace(t *testing.T, f *fixture) {
	ctx := t.Context()
	const many = 8
	var people [many]stepsies.User
	for i := range people {
		people[i] = f.member(t, "user"+string(rune('a'+i)))
		f.ask(t, people[i], "shared@example.com", byte(i+1))
	}
	var errs [many]error
	var all sync.WaitGroup
	for i := range people {
		all.Go(func() { _, _, errs[i] = f.VerifyEmail(ctx, "", token(byte(i+1))) })
	}
	all.Wait()
	won := 0
	for i, err := range errs {
		u := must[stepsies.User](t)(f.UserByID(ctx, people[i].ID))
		switch {
		case err == nil && u.Email == "shared@example.com":
			won++
		case stepsies.CodeOf(err) != stepsies.CodeConflict || u != people[i]:
			t.Errorf("user %d: %v, %+v", i, err, u)
		}
	}
	if won != 1 {
		t.Errorf("%d got the address", won)
	}
}

func testEmailChangeEnds(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.user(t, "boss", stepsies.RoleAdmin)
	for name, end := range map[string]func(u stepsies.User) error{
		"takenback": func(u stepsies.User) error { return f.EndEmailChange(ctx, by(u), u.Username) },
		"password":  func(u stepsies.User) error { return f.SetPassword(ctx, byOperator, u.Username, "hash", 0) },
		"reset": func(u stepsies.User) error {
			f.link(t, Link{Kind: LinkPassword, UserID: u.ID, Email: u.Email}, 200)
			_, err := f.ResetPassword(ctx, "", token(200), "hash")
			return err
		},
		"set": func(u stepsies.User) error {
			_, err := f.UpdateUser(ctx, byOperator, u.Username, stepsies.UserChange{Email: ptr("byoperator@example.com")})
			return err
		},
		"suspended": func(u stepsies.User) error {
			_, err := f.UpdateUser(ctx, byOperator, u.Username, stepsies.UserChange{Suspended: ptr(true)})
			if err == nil {
				_, err = f.UpdateUser(ctx, byOperator, u.Username, stepsies.UserChange{Suspended: ptr(false)})
			}
			return err
		},
		"another": func(u stepsies.User) error {
			return f.AskEmailChange(ctx, by(u), u.Username, "another@example.com")
		},
		"deleted": func(u stepsies.User) error { return f.DeleteUser(ctx, byOperator, u.Username) },
	} {
		u := f.member(t, name)
		f.ask(t, u, "mallory@example.com", 1)
		if err := end(u); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		f.wantLink(t, LinkEmail, 1, stepsies.CodeNotFound)
		f.link(t, Link{Kind: LinkEmail, UserID: u.ID, Email: "mallory@example.com"}, 2) // one that was on its way
		_, _, err := f.VerifyEmail(ctx, "", token(2))
		wantCode(t, err, stepsies.CodeNotFound)
		if c, err := f.EmailChange(ctx, u.ID); name != "another" && stepsies.CodeOf(err) != stepsies.CodeNotFound || c.Email == "mallory@example.com" {
			t.Errorf("%s: %+v still waits (%v)", name, c, err)
		}
		if name != "another" && name != "deleted" {
			wantCode(t, f.EndEmailChange(ctx, byOperator, u.Username), stepsies.CodeNotFound)
		}
		f.raw(t, `delete from one_time_links`)
	}
	// It ends by itself, whatever link there is.
	u := f.member(t, "slow")
	f.ask(t, u, "mallory@example.com", 1)
	f.clock.forward(EmailChangeLifetime)
	f.link(t, Link{Kind: LinkEmail, UserID: u.ID, Email: "mallory@example.com"}, 2)
	_, _, err := f.VerifyEmail(ctx, "", token(2))
	wantCode(t, err, stepsies.CodeNotFound)
	must[int64](t)(f.Purge(ctx))
	if n := f.count(t, `select count(*) from email_changes`); n != 0 {
		t.Errorf("%d changes are left", n)
	}
}

func testEmailChangeBound(t *testing.T, f *fixture) {
	ctx := t.Context()
	u := f.member(t, "sarah")
	f.member(t, "mike")
	ask := func(email string) error { return f.AskEmailChange(ctx, by(u), "sarah", email) }
	for i, want := range []stepsies.Code{"", stepsies.CodeConflict, "", stepsies.CodeRateLimit, stepsies.CodeRateLimit} {
		email := []string{"a@example.com", "mike@example.com"}[i%2] // whether it is another's is asked for three times as well
		if i == 2 {
			if err := f.EndEmailChange(ctx, by(u), "sarah"); err != nil { // taking back gives nothing back
				t.Fatal(err)
			}
		}
		wantCode(t, ask(email), want)
		f.clock.forward(time.Hour)
	}
	if c := must[EmailChange](t)(f.EmailChange(ctx, u.ID)); c.Email != "a@example.com" {
		t.Errorf("what waits is %+v", c)
	}
	f.clock.forward(19*time.Hour - time.Millisecond)
	wantCode(t, ask("b@example.com"), stepsies.CodeRateLimit)
	f.clock.forward(time.Millisecond)
	wantCode(t, ask("b@example.com"), "")
	// What the operator sets is not counted.
	for range 5 {
		for _, email := range []string{"c@example.com", "d@example.com"} {
			must[Outcome[stepsies.User]](t)(f.UpdateUser(ctx, byOperator, "sarah", stepsies.UserChange{Email: &email}))
		}
	}
}

func testResetProves(t *testing.T, f *fixture) {
	ctx := t.Context()
	reset := func(u stepsies.User, mailedTo string) PasswordReset {
		t.Helper()
		f.link(t, Link{Kind: LinkPassword, UserID: u.ID, Email: mailedTo}, 1)
		return must[PasswordReset](t)(f.ResetPassword(ctx, "192.0.2.9", token(1), "hash"))
	}
	u, other := f.member(t, "sarah"), f.member(t, "mike")
	f.session(t, u, 1)
	before, secret := f.key(t, u, "read")
	ended, _ := f.key(t, u, "write")
	must[Outcome[stepsies.APIKey]](t)(f.RevokeAPIKey(ctx, by(u), ended.ID))
	foreign, _ := f.key(t, other, "read")

	// A link that an admin gave them proves nothing, nor does one to an earlier address.
	if done := reset(u, ""); done.KeysEnded != 0 {
		t.Errorf("%+v", done)
	}
	if done := reset(u, "earlier@example.com"); done.KeysEnded != 0 {
		t.Errorf("%+v", done)
	}
	if read := must[stepsies.User](t)(f.User(ctx, "sarah")); !read.EmailVerifiedAt.IsZero() {
		t.Error("the address is proved")
	}
	if k := must[stepsies.APIKey](t)(f.APIKey(ctx, before.ID, everyone)); k.Status(epoch) != stepsies.KeyActive {
		t.Errorf("the key is %+v", k)
	}

	if done := reset(u, "Sarah@example.com"); done.KeysEnded != 1 {
		t.Errorf("%+v", done)
	}
	if read := must[stepsies.User](t)(f.User(ctx, "sarah")); read.EmailVerifiedAt != epoch {
		t.Error("the address is not proved")
	}
	if k := must[stepsies.APIKey](t)(f.APIKey(ctx, before.ID, everyone)); k.RevokedAt != epoch || k.Reason != stepsies.RevokedByHand || k.LeakSource != "" {
		t.Errorf("the key is %+v", k)
	}
	if got, err := f.LookUpKeys(ctx, []stepsies.KeyHash{secret.Hash()}); err != nil || len(got) != 1 || got[0].Works(epoch) {
		t.Errorf("the key is looked up as %+v (%v)", got, err)
	}
	if k := must[stepsies.APIKey](t)(f.APIKey(ctx, foreign.ID, everyone)); !k.RevokedAt.IsZero() {
		t.Error("another's key ended")
	}
	rows := must[Paged[stepsies.Activity]](t)(f.ListActivity(ctx, ActivityFilter{Access: of(u), Target: "api_key", TargetID: before.ID, Page: Page{Limit: 10}}))
	if len(rows.Items) != 2 || rows.Items[0].Action != "api_key.revoke" || rows.Items[0].Detail == "" || rows.Items[0].Actor.IP != "192.0.2.9" {
		t.Errorf("its owner reads %+v", rows.Items)
	}

	// The second reset proves nothing new.
	f.signIn(t, u)
	later, _ := f.key(t, u, "read")
	if done := reset(u, "sarah@example.com"); done.KeysEnded != 0 {
		t.Errorf("%+v", done)
	}
	if k := must[stepsies.APIKey](t)(f.APIKey(ctx, later.ID, everyone)); !k.RevokedAt.IsZero() {
		t.Error("a key made after the proof ended")
	}
}
