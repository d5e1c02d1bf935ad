package store

import (
	"context"
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
				return second(f.CreateUser(ctx, w, stepsies.UserChange{Username: ptr(made), Email: ptr(made + "@example.com")}))
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
				out, err := f.CreateUser(ctx, w, stepsies.UserChange{Username: ptr("x"), Email: ptr("x@example.com")})
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

// TestKeyCannotHoldUpItsOwnRevocation writes by one key without a pause and revokes it.
func TestKeyCannotHoldUpItsOwnRevocation(t *testing.T) {
	t.Parallel()
	f := postgresFixture(t)
	u := f.member(t, "sarah")
	k, _ := f.key(t, u, "write")
	began := make(chan struct{}, 8)
	ended := make(chan error, 8)
	for range 8 {
		go func() {
			for i := 0; ; i++ {
				err := f.transact(context.WithoutCancel(t.Context()), byKey(k, stepsies.ScopeWrite), func(t *tx) error {
					_, err := t.exec(context.Background(), `select pg_sleep(0.02)`) // as a slow commit
					return err
				})
				if i == 0 {
					began <- struct{}{}
				}
				if err != nil {
					ended <- err
					return
				}
			}
		}()
	}
	for range 8 {
		<-began
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := f.RevokeAPIKey(ctx, byOperator, k.ID); err != nil {
		t.Errorf("revoke: %v", err)
		f.raw(t, `update users set suspended_at = 1`)
	}
	for range 8 {
		if err := <-ended; stepsies.CodeOf(err) != stepsies.CodeUnauthorized {
			t.Errorf("a writer ended with %v", err)
		}
	}
}
