package client_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stepsies/stepsies/client"
	"github.com/stepsies/stepsies/internal/server"
)

// installation is the real server, in this process and on SQLite, with what a
// test puts between it and its clients.
type installation struct {
	url      string
	operator *client.Client                                  // all of scope admin, as the command line has it
	between  atomic.Pointer[func(http.Handler) http.Handler] // nil: nothing
	clock    atomic.Pointer[time.Time]                       // where it is not nil, the server's time, which stands still
	requests atomic.Int64
}

// open opens an installation that ends with the test.
func open(t *testing.T, config server.Config) *installation {
	t.Helper()
	in := &installation{}
	config.DataDir, config.PublicURL = t.TempDir(), "https://stepsies.test"
	config.Log = slog.New(slog.DiscardHandler)
	config.Now = func() time.Time {
		if stands := in.clock.Load(); stands != nil {
			return *stands
		}
		return time.Now()
	}
	s, err := server.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	public := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in.requests.Add(1)
		h := s.Handler()
		if wrap := in.between.Load(); wrap != nil {
			h = (*wrap)(h)
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(public.Close)
	in.url = public.URL
	socket := httptest.NewServer(s.OperatorHandler())
	t.Cleanup(socket.Close)
	in.operator = newClient(t, client.WithBaseURL(socket.URL), client.WithoutAPIKey())
	return in
}

// put puts a handler between clients and server.
func (in *installation) put(wrap func(http.Handler) http.Handler) { in.between.Store(&wrap) }

// setClock makes the server's time stand still at the given one.
func (in *installation) setClock(at time.Time) { in.clock.Store(&at) }

// user makes a user.
func (in *installation) user(t *testing.T, name string, role client.Role) {
	t.Helper()
	if _, err := in.operator.CreateUser(t.Context(), client.NewUser{Username: name, Email: name + "@example.com", Role: role}); err != nil {
		t.Fatal(err)
	}
}

// key makes an API key of a user.
func (in *installation) key(t *testing.T, user string, scopes ...client.Scope) *client.CreatedKey {
	t.Helper()
	k, err := in.operator.CreateAPIKey(t.Context(), client.NewAPIKey{Name: "Test", Scopes: scopes, UserID: user})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// as returns a client with a new key of a user, who is made first.
func (in *installation) as(t *testing.T, user string, scopes []client.Scope, opts ...client.Option) *client.Client {
	t.Helper()
	role := client.RoleMember
	for _, s := range scopes {
		if s == client.ScopeAdmin {
			role = client.RoleAdmin
		}
	}
	in.user(t, user, role)
	key := in.key(t, user, scopes...).Key.Reveal()
	return newClient(t, append([]client.Option{client.WithBaseURL(in.url), client.WithAPIKey(key)}, opts...)...)
}

var readWrite = []client.Scope{client.ScopeRead, client.ScopeWrite}

// inParallel calls f for 0 to n-1 from a few goroutines and fails at the first
// error.
func inParallel(t *testing.T, n int, f func(ctx context.Context, i int) error) {
	t.Helper()
	var next, failed atomic.Int64
	errs := make(chan error, 8)
	var wg sync.WaitGroup
	for range cap(errs) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && failed.Load() == 0; i = int(next.Add(1)) - 1 {
				if err := f(t.Context(), i); err != nil {
					failed.Add(1)
					errs <- fmt.Errorf("%d: %w", i, err)
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Fatal(err)
	}
}
