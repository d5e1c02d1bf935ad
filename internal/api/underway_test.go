package api_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/api"
	"github.com/stepsies/stepsies/internal/server"
	"github.com/stepsies/stepsies/internal/testenv"
)

// keyEnds are the ways in which the right of a boss's key ends. The status is that of
// what it asks for afterwards.
var keyEnds = []struct {
	name   string
	end    func(w *world)
	status int
}{
	{"revoked", func(w *world) {
		w.must(second(w.in.Store().RevokeAPIKey(context.Background(), operator, w.id("admin_id"))))
	}, 401},
	{"expired", func(*world) {}, 401}, // with time, see expiry
	{"narrowed", func(w *world) { w.changeKey(stepsies.KeyChange{Scopes: &[]string{"read"}}) }, 403},
	{"rotated", func(w *world) {
		w.must(second(w.in.Store().RotateAPIKey(context.Background(), operator, w.id("admin_id"), 0, stepsies.NewSecret())))
	}, 401},
	{"leaked", func(w *world) {
		if a := w.in.ask("POST", "/leaked-keys", w.fill(`{"keys":["{admin}"]}`)); a.status != http.StatusAccepted {
			w.tb.Fatalf("the report of a leak: %d %s", a.status, a.body)
		}
	}, 401},
	{"suspended", func(w *world) { w.suspend("boss") }, 401},
	{"demoted", func(w *world) { w.demote("boss") }, 403},
	{"deleted", func(w *world) { w.must(w.in.Store().DeleteUser(context.Background(), operator, w.get("boss"))) }, 401},
}

// expiry is the life of the keys that expire.
const expiry = time.Minute

func second[T any](_ T, err error) error { return err }

func (w *world) changeKey(want stepsies.KeyChange) {
	w.tb.Helper()
	w.must(second(w.in.Store().UpdateAPIKey(context.Background(), operator, w.id("admin_id"), want)))
}

// writeUnderWay is a write by a key whose right ends while the body is on its way.
type writeUnderWay struct {
	name         string
	world        *world
	route        api.Route
	path, body   string
	headers      []string
	status       int
	unchallenged bool // what is left of the key may still do it
	sent         *testenv.Underway
}

// TestWhatEndsAKeyEndsItsWritesUnderWay sends half of every write of the API, has the
// right of its key end in every way, and sends the rest: it is answered like the same
// request anew, changes nothing, and gets no replay of what the key did before.
func TestWhatEndsAKeyEndsItsWritesUnderWay(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "pgx"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			source := ""
			if engine == "pgx" {
				source = testenv.Postgres(t)
			}
			in := open(t, source, func(c *server.Config) { c.RateLimits = true })
			if source == "" {
				source = filepath.Join(in.config.DataDir, "stepsies.db")
			}
			testWritesUnderWay(t, in, func() []string {
				return testenv.Rows(t, engine, source, "key_usage", "key_usage_days", "account_usage_days")
			})
		})
	}
}

func testWritesUnderWay(t *testing.T, in *installation, rows func() []string) {
	network := httptest.NewServer(in.handle)
	defer network.Close()
	var all []*writeUnderWay
	for _, r := range in.guarded() {
		if r.Method == http.MethodGet {
			continue
		}
		for _, e := range keyEnds {
			all = append(all, in.writesUnderWay(t, r, e.name, e.status)...)
		}
	}
	for _, u := range all {
		u.begin(t, network.Listener.Addr().String())
	}
	ended := map[*world]bool{}
	for _, u := range all {
		for _, e := range keyEnds {
			if e.name == u.name && !ended[u.world] {
				ended[u.world] = true
				e.end(u.world)
			}
		}
	}
	in.clock.advance(expiry)
	refused := func(u *writeUnderWay) bool { return !u.unchallenged }
	before := rows()
	finishAll(t, slices.Collect(filter(all, refused)))
	if after := rows(); !slices.Equal(after, before) {
		for _, row := range after {
			if _, there := slices.BinarySearch(before, row); !there {
				t.Errorf("changed or new: %s", row)
			}
		}
		t.Errorf("there are %d rows, were %d", len(after), len(before))
	}
	finishAll(t, slices.Collect(filter(all, func(u *writeUnderWay) bool { return u.unchallenged })))
}

func filter[T any](all []T, want func(T) bool) func(yield func(T) bool) {
	return func(yield func(T) bool) {
		for _, one := range all {
			if want(one) && !yield(one) {
				return
			}
		}
	}
}

// writesUnderWay are a plain write of the route, and one that the key has made before
// and that would be replayed.
func (in *installation) writesUnderWay(t *testing.T, r api.Route, name string, status int) []*writeUnderWay {
	w := in.world(t)
	path, body := w.sample(r)
	w.get("admin")
	w.changeKey(stepsies.KeyChange{Scopes: &[]string{"read", "write", "admin"}}) // so that a demotion leaves it something
	if name == "expired" {
		end := in.clock.now().Add(expiry)
		w.changeKey(stepsies.KeyChange{ExpiresAt: &end})
	}
	if body == "" && r.Method != http.MethodDelete {
		body = "{ }"
	}
	u := &writeUnderWay{name: name, world: w, route: r, path: path, body: body, status: status, headers: []string{w.bearer("admin")}}
	// An admin who is none any more still writes what is theirs.
	u.unchallenged = name == "demoted" && (r.ID == "update-me" || r.ID == "create-stepsy")
	if r.Method == http.MethodDelete {
		return []*writeUnderWay{u}
	}
	again := *u
	again.headers = append(slices.Clone(u.headers), "Idempotency-Key: before")
	if a := in.ask(r.Method, path, body, again.headers...); a.status >= 300 {
		t.Fatalf("%s before its key is %s: %d %s", r.ID, name, a.status, a.body)
	}
	return []*writeUnderWay{u, &again}
}

func (u *writeUnderWay) begin(t *testing.T, address string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), u.route.Method, "http://"+address+u.path, strings.NewReader(u.body))
	if err != nil {
		t.Fatal(err)
	}
	if u.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range u.headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	u.sent = testenv.Begin(t, r)
}

// finishAll finishes many at the same time, and judges their answers.
func finishAll(t *testing.T, all []*writeUnderWay) {
	var wait sync.WaitGroup
	next := make(chan *writeUnderWay)
	for range 8 {
		wait.Go(func() {
			for u := range next {
				u.finish(t)
			}
		})
	}
	for _, u := range all {
		next <- u
	}
	close(next)
	wait.Wait()
}

func (u *writeUnderWay) finish(t *testing.T) {
	name := fmt.Sprintf("%s %s by a key that is %s, %d headers", u.route.Method, u.route.Path, u.name, len(u.headers))
	got, body, err := u.sent.Finish()
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	a := answer{got.StatusCode, got.Header, body}
	if u.unchallenged {
		if a.status >= 300 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		return
	}
	anew := u.world.in.ask(u.route.Method, u.path, u.body, u.headers...)
	if a.status != anew.status || a.body != anew.body || !maps.EqualFunc(ofAnswer(a), ofAnswer(anew), slices.Equal) {
		t.Errorf("%s: %d %v %s\nanew: %d %v %s", name, a.status, a.header, a.body, anew.status, anew.header, anew.body)
	}
	switch {
	case u.status == http.StatusForbidden && u.name == "demoted" && u.route.Scope == stepsies.ScopeWrite:
		// The key lacks everyone's things alone, which are not there for it. What it was told
		// before it may be told again: the operation is still its own.
		replay := len(u.headers) > 1 && a.status < 300 && a.header.Get("Idempotency-Replayed") == "true"
		if a.status != http.StatusNotFound && !replay {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	case a.status != u.status:
		t.Errorf("%s: %d %s, want %d", name, a.status, a.body, u.status)
	case a.status == http.StatusForbidden:
		wantForbidden(t, name, u.route.Scope, a)
	case a.body != `{"error":{"code":"unauthorized","message":"Missing or invalid API key"}}`:
		t.Errorf("%s: %s", name, a.body)
	}
}

// ofAnswer are the headers that do not belong to a single request. A 401 is the same for
// everyone and says nothing of an account's limits.
func ofAnswer(a answer) http.Header {
	h := a.header.Clone()
	for _, name := range []string{"Date", "X-Request-Id", "Content-Length"} {
		h.Del(name)
	}
	if a.status != http.StatusUnauthorized {
		h.Del("X-RateLimit-Remaining")
		h.Del("X-RateLimit-Reset") // the clock has moved
	}
	return h
}
