package auth

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/testenv"
)

// TestMain lets PostgreSQL do without fsync: nothing here is about the loss of power.
func TestMain(m *testing.M) {
	if err := os.Setenv(testenv.FastVariable, "1"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// house is a database with an authenticator before it.
type house struct {
	*Keys
	store *store.Store
	usage *Usage

	mu      sync.Mutex
	now     time.Time
	lookups int // look-ups that reached the store
}

func (h *house) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) forward(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func (h *house) asked() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lookups
}

func newHouse(tb testing.TB, config store.Config) *house {
	tb.Helper()
	h := &house{now: noon}
	config.Now = h.Now
	s, err := store.Open(context.Background(), config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	if _, err := s.Migrate(context.Background()); err != nil {
		tb.Fatal(err)
	}
	h.store, h.usage = s, NewUsage(s)
	h.Keys = NewKeys(s, h.usage, h.Now)
	h.Observe(func(int, time.Duration, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.lookups++
	})
	return h
}

// onEachEngine runs a test on SQLite and on PostgreSQL.
func onEachEngine(t *testing.T, test func(t *testing.T, h *house)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, newHouse(t, store.Config{Path: filepath.Join(t.TempDir(), "stepsies.db")}))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, newHouse(t, store.Config{URL: testenv.Postgres(t), MaxConns: 10}))
	})
}

var byOperator = store.Write{Actor: stepsies.Actor{Kind: stepsies.ActorOperator}}

func (h *house) user(tb testing.TB, name string, role stepsies.Role) {
	tb.Helper()
	email, r := name+"@example.com", string(role)
	if _, err := h.store.CreateUser(tb.Context(), byOperator, stepsies.UserChange{Username: &name, Email: &email, Role: &r}, stepsies.AccountChange{}); err != nil {
		tb.Fatal(err)
	}
}

func (h *house) key(tb testing.TB, owner string, scopes ...string) (stepsies.APIKey, string) {
	tb.Helper()
	secret, name := stepsies.NewSecret(), "a key"
	out, err := h.store.CreateAPIKey(tb.Context(), byOperator, owner, stepsies.KeyChange{Name: &name, Scopes: &scopes}, secret)
	if err != nil {
		tb.Fatal(err)
	}
	return out.Value, "Bearer " + secret.Reveal()
}

var everyone = stepsies.Access{Everyone: true}

func TestKeyMakesAPrincipal(t *testing.T) {
	onEachEngine(t, func(t *testing.T, h *house) {
		h.user(t, "sarah", stepsies.RoleAdmin)
		k, header := h.key(t, "sarah", "read", "admin")
		p, err := h.Authenticate(t.Context(), []string{header}, "192.0.2.7")
		if err != nil {
			t.Fatal(err)
		}
		want := stepsies.Actor{Kind: stepsies.ActorKey, UserID: k.UserID, Username: "sarah", KeyID: k.ID, KeyName: "a key", IP: "192.0.2.7"}
		if p.Actor != want || p.Scopes != stepsies.ScopesOf(stepsies.ScopeRead, stepsies.ScopeAdmin) || p.IsOperator() ||
			p.User.Account.ID == 0 || p.Access() != (stepsies.Access{UserID: k.UserID, AccountID: p.User.Account.ID, Everyone: true}) || p.User.Limits() != stepsies.LimitsOf(stepsies.PlanFree, stepsies.Limits{}) {
			t.Errorf("the principal is %+v", p)
		}
		_, header = h.key(t, "sarah", "read", "write")
		if p, err = h.Authenticate(t.Context(), []string{header}, ""); err != nil || p.Access().Everyone {
			t.Errorf("an admin's key without the scope admin reaches everyone: %+v (%v)", p.Access(), err)
		}
		if o := Operator(); !o.IsOperator() || !o.Access().Everyone || o.User.ID != 0 {
			t.Errorf("the operator is %+v", o)
		}
		if text := fmt.Sprint(p.LogValue()); strings.Contains(text, "sarah") || !strings.Contains(text, fmt.Sprint("user=", k.UserID)) {
			t.Errorf("in a log the principal is %s", text)
		}
	})
}

// TestAllBadKeysAreTheSame: the same error for every cause, and among well-formed
// keys the same work.
func TestAllBadKeysAreTheSame(t *testing.T) {
	onEachEngine(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.user(t, "root", stepsies.RoleAdmin)
		for _, name := range []string{"sarah", "suspended", "deleted"} {
			h.user(t, name, stepsies.RoleMember)
		}
		revoked, revokedHeader := h.key(t, "sarah", "read")
		expired, expiredHeader := h.key(t, "sarah", "read")
		_, suspendedHeader := h.key(t, "suspended", "read")
		_, deletedHeader := h.key(t, "deleted", "read")
		yes, ends := true, noon.Add(time.Minute)
		for _, err := range []error{
			second(h.store.RevokeAPIKey(ctx, byOperator, revoked.ID)),
			second(h.store.UpdateAPIKey(ctx, byOperator, expired.ID, stepsies.KeyChange{ExpiresAt: &ends})),
			second(h.store.UpdateUser(ctx, byOperator, "suspended", stepsies.UserChange{Suspended: &yes})),
			h.store.DeleteUser(ctx, byOperator, "deleted"),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		h.forward(time.Minute - time.Millisecond)
		if _, err := h.Authenticate(ctx, []string{expiredHeader}, ""); err != nil {
			t.Errorf("a millisecond before its end a key is refused: %v", err)
		}
		h.forward(time.Millisecond)
		for name, c := range map[string]struct {
			headers []string
			lookups int
		}{
			"missing": {nil, 0}, "empty": {[]string{""}, 0}, "malformed": {[]string{"Bearer sk_xyz"}, 0}, "two": {[]string{revokedHeader, revokedHeader}, 0},
			"unknown": {[]string{"Bearer " + stepsies.NewSecret().Reveal()}, 1}, "revoked": {[]string{revokedHeader}, 1}, "expired": {[]string{expiredHeader}, 1},
			"suspended": {[]string{suspendedHeader}, 1}, "deleted": {[]string{deletedHeader}, 1},
		} {
			before := h.asked()
			p, err := h.Authenticate(ctx, c.headers, "192.0.2.7")
			if stepsies.CodeOf(err) != stepsies.CodeUnauthorized || err.Error() != stepsies.Unauthorized().Error() || p != (Principal{}) {
				t.Errorf("%s: %+v (%v)", name, p, err)
			}
			if n := h.asked() - before; n != c.lookups {
				t.Errorf("%s: %d look-ups, want %d", name, n, c.lookups)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestLostRoleTakesTheScopeAdminAtOnce(t *testing.T) {
	onEachEngine(t, func(t *testing.T, h *house) {
		h.user(t, "root", stepsies.RoleAdmin)
		h.user(t, "sarah", stepsies.RoleAdmin)
		_, only := h.key(t, "sarah", "admin")
		_, both := h.key(t, "sarah", "read", "admin")
		for role, want := range map[string][2]stepsies.Scopes{
			"member": {{}, stepsies.ScopesOf(stepsies.ScopeRead)}, "admin": {stepsies.ScopesOf(stepsies.ScopeAdmin), stepsies.ScopesOf(stepsies.ScopeRead, stepsies.ScopeAdmin)},
		} {
			if _, err := h.store.UpdateUser(t.Context(), byOperator, "sarah", stepsies.UserChange{Role: &role}); err != nil {
				t.Fatal(err)
			}
			for i, header := range []string{only, both} {
				p, err := h.Authenticate(t.Context(), []string{header}, "")
				if err != nil || p.Scopes != want[i] || p.Access().Everyone != (role == "admin") {
					t.Errorf("as %s the key %d may %q (%v), want %q", role, i, p.Scopes, err, want[i])
				}
			}
		}
	})
}

func TestUsesAndRefusalsReachTheirOwner(t *testing.T) {
	onEachEngine(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.user(t, "sarah", stepsies.RoleMember)
		k, header := h.key(t, "sarah", "read")
		for i := range 3 {
			h.forward(time.Second)
			if _, err := h.Authenticate(ctx, []string{header}, fmt.Sprint("192.0.2.", i)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := h.store.RevokeAPIKey(ctx, byOperator, k.ID); err != nil {
			t.Fatal(err)
		}
		for range 14 {
			h.forward(time.Second)
			if _, err := h.Authenticate(ctx, []string{header}, "192.0.2.9"); err == nil {
				t.Fatal("a revoked key works")
			}
		}
		if err := h.usage.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		read, err := h.store.APIKey(ctx, k.ID, everyone)
		if err != nil || read.LastUsedAt != at(3) || read.LastUsedIP != "192.0.2.2" || read.RefusedCount != 14 || read.LastRefusedAt != at(17) || read.RevokedAt != at(3) {
			t.Errorf("the owner sees %+v (%v)", read, err)
		}
		days, err := h.store.KeyDays(ctx, k.ID, 0)
		if err != nil || len(days) != 1 || days[0] != (store.KeyDay{Day: store.Day(noon), Requests: 3, Refusals: 14}) {
			t.Errorf("by day: %+v (%v)", days, err)
		}
	})
}

func TestDatabaseThatFailsIsNeverAnAnswerAboutAKey(t *testing.T) {
	onEachEngine(t, func(t *testing.T, h *house) {
		h.user(t, "sarah", stepsies.RoleMember)
		_, header := h.key(t, "sarah", "read")
		if err := h.store.Close(); err != nil {
			t.Fatal(err)
		}
		for name, headers := range map[string][]string{"a good key": {header}, "an unknown one": {"Bearer " + stepsies.NewSecret().Reveal()}} {
			_, err := h.Authenticate(t.Context(), headers, "")
			if stepsies.CodeOf(err) != stepsies.CodeUnavailable {
				t.Errorf("%s: %v, want unavailable", name, err)
			}
		}
		if _, err := h.Authenticate(t.Context(), []string{"Bearer sk_xyz"}, ""); stepsies.CodeOf(err) != stepsies.CodeUnauthorized {
			t.Errorf("a malformed key asks the database: %v", err)
		}
	})
}

// TestRevokedKeyIsRefusedFromTheMomentTheCallReturns hammers keys with readers while
// they end one after another.
func TestRevokedKeyIsRefusedFromTheMomentTheCallReturns(t *testing.T) {
	onEachEngine(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.user(t, "root", stepsies.RoleAdmin)
		const keys = 30
		var headers [keys]string
		var ids [keys]int64
		for i := range keys {
			name := fmt.Sprint("user", i)
			h.user(t, name, stepsies.RoleMember)
			var k stepsies.APIKey
			k, headers[i] = h.key(t, name, "read")
			ids[i] = k.ID
		}
		var ended [keys]struct {
			sync.RWMutex
			at bool
		}
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for n := g; ; n++ {
					select {
					case <-stop:
						return
					default:
					}
					i := n % keys
					ended[i].RLock()
					dead := ended[i].at // before the request begins
					ended[i].RUnlock()
					_, err := h.Authenticate(ctx, []string{headers[i]}, "")
					if code := stepsies.CodeOf(err); dead && code != stepsies.CodeUnauthorized || !dead && code != "" && code != stepsies.CodeUnauthorized {
						t.Errorf("key %d, ended %v: %v", i, dead, err)
						return
					}
				}
			})
		}
		yes, past := true, noon.Add(-time.Hour)
		for i := range keys {
			var err error
			switch i % 4 {
			case 0:
				_, err = h.store.RevokeAPIKey(ctx, byOperator, ids[i])
			case 1:
				_, err = h.store.UpdateUser(ctx, byOperator, fmt.Sprint("user", i), stepsies.UserChange{Suspended: &yes})
			case 2:
				_, err = h.store.UpdateAPIKey(ctx, byOperator, ids[i], stepsies.KeyChange{ExpiresAt: &past})
			case 3:
				err = h.store.DeleteUser(ctx, byOperator, fmt.Sprint("user", i))
			}
			if err != nil {
				t.Error(err)
			}
			ended[i].Lock()
			ended[i].at = true
			ended[i].Unlock()
		}
		for i := range keys { // and a quiet one
			if _, err := h.Authenticate(ctx, []string{headers[i]}, ""); stepsies.CodeOf(err) != stepsies.CodeUnauthorized {
				t.Errorf("key %d lives on: %v", i, err)
			}
		}
		close(stop)
		wg.Wait()
	})
}
