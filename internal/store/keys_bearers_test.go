package store

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

// TestWhatIsRememberedOfAKeyEndsBeforeTheWriteReturns has readers look keys up
// without a pause while each key ends in another way.
func TestWhatIsRememberedOfAKeyEndsBeforeTheWriteReturns(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := openMigrated(t, Config{Path: filepath.Join(t.TempDir(), "stepsies.db")})
	ends := []func(id int64, user string) error{
		func(id int64, _ string) error { _, err := s.RevokeAPIKey(ctx, byOperator, id); return err },
		func(id int64, _ string) error {
			past := s.clock().Add(-1)
			_, err := s.UpdateAPIKey(ctx, byOperator, id, stepsies.KeyChange{ExpiresAt: &past})
			return err
		},
		func(id int64, _ string) error {
			_, err := s.RotateAPIKey(ctx, byOperator, id, 0, stepsies.NewSecret())
			return err
		},
		func(_ int64, user string) error {
			yes := true
			_, err := s.UpdateUser(ctx, byOperator, user, stepsies.UserChange{Suspended: &yes})
			return err
		},
		func(_ int64, user string) error { return s.DeleteUser(ctx, byOperator, user) },
	}
	for i := range 40 {
		user, email, name := fmt.Sprintf("user%d", i), fmt.Sprintf("user%d@example.com", i), "key"
		if _, err := s.CreateUser(ctx, byOperator, stepsies.UserChange{Username: &user, Email: &email}, stepsies.AccountChange{}); err != nil {
			t.Fatal(err)
		}
		secret := stepsies.NewSecret()
		k, err := s.CreateAPIKey(ctx, byOperator, user, stepsies.KeyChange{Name: &name, Scopes: &[]string{"read"}}, secret)
		if err != nil {
			t.Fatal(err)
		}
		var ended, stop atomic.Bool
		var readers sync.WaitGroup
		for range 4 {
			readers.Go(func() {
				for !stop.Load() {
					endedBefore := ended.Load()
					found, err := s.LookUpKeys(ctx, []stepsies.KeyHash{secret.Hash()})
					if err != nil {
						t.Error(err)
						return
					}
					if endedBefore && len(found) > 0 && found[0].Works(s.clock()) {
						t.Errorf("a key works after it was ended, way %d", i%len(ends))
						return
					}
				}
			})
		}
		if err := ends[i%len(ends)](k.Value.ID, user); err != nil {
			t.Fatal(err)
		}
		ended.Store(true)
		for range 50 {
			if found, err := s.LookUpKeys(ctx, []stepsies.KeyHash{secret.Hash()}); err != nil || len(found) > 0 && found[0].Works(s.clock()) {
				t.Errorf("a key works after it was ended, way %d: %v", i%len(ends), err)
			}
		}
		stop.Store(true)
		readers.Wait()
	}
}

// TestNothingIsRememberedOfAKeyThatDoesNotWork, so that its refusal takes as long as
// that of a key that never existed.
func TestNothingIsRememberedOfAKeyThatDoesNotWork(t *testing.T) {
	t.Parallel()
	f := sqliteFixture(t)
	for name, end := range map[string]func(k stepsies.APIKey) error{
		"revoked":         func(k stepsies.APIKey) error { return second(f.RevokeAPIKey(t.Context(), byOperator, k.ID)) },
		"expired by time": func(stepsies.APIKey) error { f.clock.forward(time.Hour); return nil },
		"expired by hand": func(k stepsies.APIKey) error {
			return second(f.UpdateAPIKey(t.Context(), byOperator, k.ID, stepsies.KeyChange{ExpiresAt: ptr(f.Store.clock().Add(-1))}))
		},
		"of one suspended": func(k stepsies.APIKey) error {
			return second(f.UpdateUser(t.Context(), byOperator, k.Username, stepsies.UserChange{Suspended: ptr(true)}))
		},
	} {
		u := f.member(t, strings.ReplaceAll(name, " ", "-"))
		secret := stepsies.NewSecret()
		made, err := f.CreateAPIKey(t.Context(), byOperator, u.Username, stepsies.KeyChange{Name: &name, Scopes: &[]string{"read"}, ExpiresAt: ptr(f.Store.clock().Add(time.Minute))}, secret)
		if err != nil {
			t.Fatal(err)
		}
		hash := []stepsies.KeyHash{secret.Hash()}
		remembered := func() bool {
			t.Helper()
			if found, err := f.LookUpKeys(t.Context(), hash); err != nil || len(found) != 1 {
				t.Fatalf("%s: %d keys are found (%v)", name, len(found), err)
			}
			known, _, _ := f.bearers.take(hash, nil, f.Store.clock())
			return len(known) > 0
		}
		if !remembered() {
			t.Errorf("%s: a key that works is not remembered", name)
		}
		if err := end(made.Value); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if remembered() {
				t.Errorf("%s: it is remembered after its end", name)
			}
		}
	}
}
