package store

import (
	"reflect"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

// authority is about rights that end while a write is on its way.
var authority = []guarantee{
	{"NoWriteIsMadeWithoutARight", testEveryWriteIsJudged},
	{"WhatEndsARightEndsTheWrite", testRightsEnd},
}

// testEveryWriteIsJudged calls every method that takes a Write, whichever there are, in
// the name of who may do nothing any more.
func testEveryWriteIsJudged(t *testing.T, f *fixture) {
	u := f.user(t, "ada", stepsies.RoleAdmin)
	f.user(t, "boss", stepsies.RoleAdmin)
	k, _ := f.key(t, u, "admin")
	must[Outcome[stepsies.APIKey]](t)(f.RevokeAPIKey(t.Context(), byOperator, k.ID))
	dead := by(u)
	dead.Right.SessionID = 1 << 50
	methods := 0
	store := reflect.ValueOf(f.Store)
	for i := range store.NumMethod() {
		call, name := store.Method(i), store.Type().Method(i).Name
		if call.Type().NumIn() < 2 || call.Type().In(1) != reflect.TypeFor[Write]() {
			continue
		}
		methods++
		for who, c := range map[string]struct {
			w    Write
			want error
		}{
			"nobody":                     {Write{}, errNoRight},
			"a key without an operation": {Write{Actor: byKey(k, stepsies.ScopeAdmin).Actor}, errNoRight},
			"a person without a session": {Write{Actor: by(u).Actor}, errNoRight},
			"a key that is revoked":      {byKey(k, stepsies.ScopeRead), stepsies.Unauthorized()},
			"a person who is signed out": {dead, ErrSignedOut},
		} {
			args := []reflect.Value{reflect.ValueOf(t.Context()), reflect.ValueOf(c.w)}
			for n := 2; n < call.Type().NumIn(); n++ {
				args = append(args, reflect.Zero(call.Type().In(n)))
			}
			out := call.Call(args)
			err, _ := out[len(out)-1].Interface().(error)
			if err == nil || err.Error() != c.want.Error() {
				t.Errorf("%s by %s: %v, want %v", name, who, err, c.want)
			}
		}
	}
	if methods < 15 {
		t.Errorf("only %d methods take a Write", methods)
	}
}

// byKey is a write by a key, by an operation that needs the scope.
func byKey(k stepsies.APIKey, scope stepsies.Scope) Write {
	return Write{
		Actor: stepsies.Actor{Kind: stepsies.ActorKey, UserID: k.UserID, Username: k.Username, KeyID: k.ID, KeyName: k.Name, IP: "192.0.2.7"},
		Right: Right{Scope: scope},
	}
}

// testRightsEnd has writes that were admitted meet each end of their right, with an
// idempotency record that would answer them.
func testRightsEnd(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.user(t, "boss", stepsies.RoleAdmin)
	update := func(name string, c stepsies.UserChange) error { return second(f.UpdateUser(ctx, byOperator, name, c)) }
	edit := func(k stepsies.APIKey, c stepsies.KeyChange) error {
		return second(f.UpdateAPIKey(ctx, byOperator, k.ID, c))
	}
	gone, narrow := stepsies.Unauthorized(), error(ErrScopeGone)
	for name, c := range map[string]struct {
		end          func(u stepsies.User, k stepsies.APIKey, s stepsies.Secret) error
		key, session error // nil: goes on
	}{
		"revoked": {func(_ stepsies.User, k stepsies.APIKey, _ stepsies.Secret) error {
			return second(f.RevokeAPIKey(ctx, byOperator, k.ID))
		}, gone, nil},
		"expired": {func(_ stepsies.User, k stepsies.APIKey, _ stepsies.Secret) error {
			return edit(k, stepsies.KeyChange{ExpiresAt: ptr(f.Store.clock())})
		}, gone, nil},
		"narrowed": {func(_ stepsies.User, k stepsies.APIKey, _ stepsies.Secret) error {
			return edit(k, stepsies.KeyChange{Scopes: &[]string{"read"}})
		}, narrow, nil},
		"rotated": {func(_ stepsies.User, k stepsies.APIKey, _ stepsies.Secret) error {
			return second(f.RotateAPIKey(ctx, byOperator, k.ID, 0, stepsies.NewSecret()))
		}, gone, nil},
		"leaked": {func(_ stepsies.User, _ stepsies.APIKey, s stepsies.Secret) error {
			return second(f.RevokeLeaked(ctx, Write{Actor: stepsies.Actor{Kind: stepsies.ActorAnonymous}}, []stepsies.KeyHash{s.Hash()}, ""))
		}, gone, nil},
		"suspended": {func(u stepsies.User, _ stepsies.APIKey, _ stepsies.Secret) error {
			return update(u.Username, stepsies.UserChange{Suspended: ptr(true)})
		}, gone, ErrSignedOut},
		"demoted": {func(u stepsies.User, _ stepsies.APIKey, _ stepsies.Secret) error {
			return update(u.Username, stepsies.UserChange{Role: ptr("member")})
		}, narrow, errNoAdmin},
		"deleted": {func(u stepsies.User, _ stepsies.APIKey, _ stepsies.Secret) error {
			return f.DeleteUser(ctx, byOperator, u.Username)
		}, gone, ErrSignedOut},
		"password": {func(u stepsies.User, _ stepsies.APIKey, _ stepsies.Secret) error {
			return f.SetPassword(ctx, byOperator, u.Username, "hash", 0)
		}, nil, ErrSignedOut},
		"renewed": {func(u stepsies.User, _ stepsies.APIKey, _ stepsies.Secret) error {
			return f.ChangePassword(ctx, by(u), u.Username, "hash", -u.ID, TokenHash{7})
		}, nil, ErrSignedOut},
		"signedout": {func(u stepsies.User, _ stepsies.APIKey, _ stepsies.Secret) error {
			return f.EndSessions(ctx, byOperator, u, 0)
		}, nil, ErrSignedOut},
	} {
		u := f.user(t, name, stepsies.RoleAdmin)
		k, secret := f.key(t, u, "admin")
		inSession := by(u)
		inSession.Right.Role = stepsies.RoleAdmin
		for _, who := range []struct {
			w    Write
			want error
		}{{byKey(k, stepsies.ScopeAdmin), c.key}, {inSession, c.session}} {
			who.w.Once = &Once{UserID: u.ID, Key: "once", Route: string(who.w.Actor.Kind)}
			act := func(w Write, made string) error {
				return second(f.CreateUser(ctx, w, stepsies.UserChange{Username: ptr(made), Email: ptr(made + "@example.com")}, stepsies.AccountChange{}))
			}
			if err := act(who.w, name+"-a-"+string(who.w.Actor.Kind[:1])); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if err := c.end(u, k, secret); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		before := f.count(t, `select count(*) from users`) + f.count(t, `select count(*) from activity`) + f.count(t, `select count(*) from idempotency_records`)
		for _, who := range []struct {
			w    Write
			want error
		}{{byKey(k, stepsies.ScopeAdmin), c.key}, {inSession, c.session}} {
			for _, once := range []string{"", "once", "another"} {
				w := who.w
				if once != "" {
					w.Once = &Once{UserID: u.ID, Key: once, Route: string(w.Actor.Kind)}
				}
				out, err := f.CreateUser(ctx, w, stepsies.UserChange{Username: ptr("x"), Email: ptr("x@example.com")}, stepsies.AccountChange{})
				if who.want == nil {
					continue // it is refused for its name, or replayed
				}
				if err == nil || err.Error() != who.want.Error() || out.Replayed {
					t.Errorf("%s: a %s with Idempotency-Key %q: %v, want %v", name, w.Actor.Kind, once, err, who.want)
				}
			}
		}
		after := f.count(t, `select count(*) from users`) + f.count(t, `select count(*) from activity`) + f.count(t, `select count(*) from idempotency_records`)
		if after != before {
			t.Errorf("%s: %d rows are there, want %d", name, after, before)
		}
	}
}

// TestKeyCannotHoldUpItsOwnRevocation has a write by a key hold what a revocation waits
// for, and another one come later: it must not go first, or there could be one more for
// as long as the key likes.
func TestKeyCannotHoldUpItsOwnRevocation(t *testing.T) {
	t.Parallel()
	f := postgresFixture(t)
	k, _ := f.key(t, f.member(t, "sarah"), "write")
	first, later, revoked := make(chan error, 1), make(chan error, 1), make(chan error, 1)
	judged, finish := make(chan struct{}), make(chan struct{})
	go func() {
		first <- f.transact(t.Context(), byKey(k, stepsies.ScopeWrite), func(*tx) error {
			close(judged)
			<-finish
			return nil
		})
	}()
	<-judged
	go func() { revoked <- second(f.RevokeAPIKey(t.Context(), byOperator, k.ID)) }()
	f.waitForLocks(t, 1)
	go func() {
		later <- f.transact(t.Context(), byKey(k, stepsies.ScopeWrite), func(*tx) error { return nil })
	}()
	f.waitForLocks(t, 2)
	close(finish)
	if err := <-first; err != nil {
		t.Errorf("the write that was judged before: %v", err)
	}
	if err := <-revoked; err != nil {
		t.Errorf("the revocation: %v", err)
	}
	wantCode(t, <-later, stepsies.CodeUnauthorized)
}

// waitForLocks waits until n transactions wait for a lock.
func (f *fixture) waitForLocks(t *testing.T, n int64) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		waiting := f.count(t, `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`)
		if waiting >= n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d transactions wait for a lock, want %d", waiting, n)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
