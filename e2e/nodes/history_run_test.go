package nodes

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/testenv"
)

// workload lets clients use and end keys through several addresses at once, and
// records what they asked and saw.
type workload struct {
	root   string   // key with scope admin
	nodes  []string // addresses; clients take any of them at random
	began  time.Time
	active [8]atomic.Pointer[subject]
	made   atomic.Int64

	answered atomic.Int64 // operations recorded with an answer
	left     atomic.Int64 // recorded without one
	dropped  atomic.Int64 // requests that say nothing: nobody listened, or a use without an answer
	mu       sync.Mutex
	history  []*operation
	wrong    []string // answers that no operation may have, at most a few
}

// subject is a user of the model, with the keys that clients know.
type subject struct {
	index int
	name  string
	mu    sync.Mutex
	keys  []*heldKey
	taken int // places in the model
}

type heldKey struct {
	index  int
	id     int64
	secret string
}

func newWorkload(root string, nodes []string) *workload {
	return &workload{root: root, nodes: nodes, began: time.Now()}
}

// now is the time in Unix nanoseconds. It never goes back.
func (w *workload) now() int64 { return w.began.UnixNano() + int64(time.Since(w.began)) }

// clientTimeout is when a client gives up: what it asked is open then.
const clientTimeout = 2 * time.Second

// run lets the clients work until done, which is asked now and then.
func (w *workload) run(t *testing.T, users, admins int, done func() bool) {
	t.Helper()
	for i := range w.active {
		w.replace(i)
	}
	stop := make(chan struct{})
	var clients sync.WaitGroup
	client := func(work func(*session)) {
		clients.Go(func() {
			s := &session{w, &testenv.Caller{HTTP: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}, Timeout: clientTimeout}}}
			defer s.http.HTTP.CloseIdleConnections()
			for {
				select {
				case <-stop:
					return
				default:
					work(s)
				}
			}
		})
	}
	for range users {
		client((*session).useAny)
	}
	for range admins {
		client((*session).changeAny)
	}
	for deadline := time.Now().Add(5 * time.Minute); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("only %d operations were recorded in five minutes", w.answered.Load())
			break
		}
	}
	close(stop)
	clients.Wait()
}

// recorded is the history so far.
func (w *workload) recorded() []*operation {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.history)
}

func (w *workload) complain(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.wrong) < 5 {
		w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
	}
}

// replace puts a new user with two keys in the place of one whose keys are used up.
func (w *workload) replace(place int) {
	i := int(w.made.Add(1))
	u := &subject{index: i, name: fmt.Sprintf("user%d", i)}
	s := &session{w, &testenv.Caller{HTTP: &http.Client{Transport: &http.Transport{}, Timeout: clientTimeout}}}
	defer s.http.HTTP.CloseIdleConnections()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		a, err := s.at(w.root).Send("POST", "/v1/users", map[string]any{"username": u.name, "email": u.name + "@example.com", "plan": "enterprise"})
		if err == nil && (a.Status == http.StatusCreated || a.Status == http.StatusConflict) { // made by the try before
			break
		}
		if time.Now().After(deadline) {
			w.complain("no user could be made: status %d, %v", a.Status, err)
			return
		}
	}
	for range 2 {
		s.create(u)
	}
	w.active[place].Store(u)
}

// session is one client.
type session struct {
	*workload
	http *testenv.Caller
}

// at returns the client with a key, at any node.
func (s *session) at(key string) *testenv.Caller {
	c := *s.http
	c.Key, c.URL = key, s.nodes[rand.IntN(len(s.nodes))]
	return &c
}

func (s *session) pick() (place int, u *subject) {
	for {
		place = rand.IntN(len(s.active))
		if u = s.active[place].Load(); u != nil {
			return place, u
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// any returns a key of the user, the newer the likelier.
func (u *subject) any() *heldKey {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.keys) == 0 {
		return nil
	}
	return u.keys[max(rand.IntN(len(u.keys)), rand.IntN(len(u.keys)))]
}

func (s *session) useAny() {
	_, u := s.pick()
	if k := u.any(); k != nil {
		s.use(u, k)
	} else {
		time.Sleep(10 * time.Millisecond)
	}
}

// use sends a request with a key, through any node.
func (s *session) use(u *subject, k *heldKey) {
	o := &operation{kind: useRead, user: u.index, key: k.index}
	method, path := "GET", "/v1/me"
	if rand.IntN(3) == 0 {
		o.kind, method, path = useWrite, "POST", "/v1/stepsies/999999999/publish" // there is none
	}
	s.ask(o, k.secret, method, path, nil, func(a testenv.Answer) result {
		switch {
		case a.Status == http.StatusUnauthorized, a.Status == http.StatusForbidden, a.Status == http.StatusNotFound && o.kind == useWrite:
			return result{status: a.Status}
		case a.Status == http.StatusOK && o.kind == useRead:
			var me struct{ Key struct{ Scopes []string } }
			if err := json.Unmarshal(a.Body, &me); err == nil {
				return result{status: a.Status, scopes: scopesOf(me.Key.Scopes)}
			}
		}
		return result{}
	})
}

// changeAny does something to a user or a key, and at once tries the key.
func (s *session) changeAny() {
	place, u := s.pick()
	k := u.any()
	if k == nil {
		s.create(u)
		return
	}
	key := fmt.Sprintf("/v1/api-keys/%d", k.id)
	switch n := rand.IntN(100); {
	case n < 22:
		want := scopes(1 + rand.IntN(3))
		s.change(setScopes, u, k, "PATCH", key, map[string]any{"scopes": want.names()}, func(o *operation) { o.scopes = want })
	case n < 40:
		s.setExpiry(u, k)
	case n < 52:
		s.rotate(u, k)
	case n < 60:
		s.create(u)
	case n < 68:
		s.change(revoke, u, k, "POST", key+"/revoke", nil, nil)
	case n < 84:
		o := []kind{suspend, unsuspend, unsuspend}[rand.IntN(3)]
		s.change(o, u, k, "PATCH", "/v1/users/"+u.name, map[string]any{"suspended": o == suspend}, nil)
	default:
		s.change(look, u, k, "GET", key, nil, nil)
	}
	for range 3 {
		s.use(u, k)
	}
	if u.mu.Lock(); u.taken == maxKeys && rand.IntN(8) == 0 && s.active[place].CompareAndSwap(u, nil) {
		u.mu.Unlock()
		s.replace(place)
		return
	}
	u.mu.Unlock()
}

func (s *session) setExpiry(u *subject, k *heldKey) {
	var at time.Time
	switch rand.IntN(4) {
	case 0:
		at = time.Now().Add(-time.Hour)
	case 1:
		at = time.Now().Add(2 * time.Second) // ends by itself, in use
	}
	var text any
	if !at.IsZero() {
		at = at.UTC().Truncate(time.Second)
		text = at.Format(time.RFC3339)
	}
	s.change(setExpiry, u, k, "PATCH", fmt.Sprintf("/v1/api-keys/%d", k.id), map[string]any{"expires_at": text}, func(o *operation) {
		if !at.IsZero() {
			o.expires = at.UnixNano()
		}
	})
}

// shownKey is a key as answers show it.
type shownKey struct {
	ID        int64
	Key       string
	Scopes    []string
	Status    string
	ExpiresAt *time.Time `json:"expires_at"`
}

func (k shownKey) result(status int) result {
	r := result{status: status, scopes: scopesOf(k.Scopes), revoked: k.Status == "revoked"}
	if k.ExpiresAt != nil {
		r.expires = k.ExpiresAt.UnixNano()
	}
	return r
}

func (s *session) change(what kind, u *subject, k *heldKey, method, path string, body any, more func(*operation)) {
	o := &operation{kind: what, user: u.index, key: k.index}
	if more != nil {
		more(o)
	}
	s.ask(o, s.root, method, path, body, func(a testenv.Answer) result {
		var shown shownKey
		switch {
		case a.Status == http.StatusConflict && (what == setScopes || what == setExpiry):
			return result{status: a.Status}
		case a.Status != http.StatusOK:
			return result{}
		case what == suspend || what == unsuspend:
			return result{status: a.Status}
		case json.Unmarshal(a.Body, &shown) != nil:
			return result{}
		}
		return shown.result(a.Status)
	})
}

func (s *session) rotate(u *subject, k *heldKey) {
	place, ok := u.take()
	if !ok {
		return
	}
	o := &operation{kind: rotateNow, user: u.index, key: k.index, next: place}
	grace := 0
	if rand.IntN(2) == 0 {
		o.kind, grace = rotateLater, 3600
	}
	s.hold(u, o, fmt.Sprintf("/v1/api-keys/%d/rotate", k.id), map[string]any{"grace_period_seconds": grace}, place)
}

func (s *session) create(u *subject) {
	place, ok := u.take()
	if !ok {
		return
	}
	o := &operation{kind: create, user: u.index, key: place, scopes: scopes(1 + rand.IntN(3))}
	s.hold(u, o, "/v1/api-keys", map[string]any{"name": "in a history", "scopes": o.scopes.names(), "user_id": u.name}, place)
}

func (u *subject) take() (place int, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.taken == maxKeys {
		return 0, false
	}
	u.taken++
	return u.taken - 1, true
}

// hold makes a key by an operation, for other clients to use from then on.
func (s *session) hold(u *subject, o *operation, path string, body any, place int) {
	var made shownKey
	s.ask(o, s.root, "POST", path, body, func(a testenv.Answer) result {
		switch {
		case a.Status == http.StatusConflict && o.kind != create:
			return result{status: a.Status}
		case a.Status != http.StatusCreated || json.Unmarshal(a.Body, &made) != nil:
			return result{}
		}
		return made.result(a.Status)
	})
	if made.Key == "" {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.keys = append(u.keys, &heldKey{index: place, id: made.ID, secret: made.Key})
}

// ask sends an operation and records it. Without an answer, or with one that
// leaves open whether it was done, it may have been done at any time after its
// call; a use tells nothing then.
func (s *session) ask(o *operation, key, method, path string, body any, read func(testenv.Answer) result) {
	c := s.at(key)
	o.node = c.URL
	o.call = s.now()
	a, err := c.Send(method, path, body)
	o.end = s.now()
	if errors.Is(err, syscall.ECONNREFUSED) {
		s.dropped.Add(1)
		time.Sleep(time.Millisecond)
		return
	}
	if err == nil {
		o.result = read(a)
		if o.open() && a.Status != http.StatusServiceUnavailable {
			s.complain("%s %s: status %d: %.300s", method, path, a.Status, a.Body)
		}
	}
	if !o.open() {
		s.answered.Add(1)
		s.record(o)
		return
	}
	if o.kind <= look || o.kind == create {
		s.dropped.Add(1) // nobody knows the key that it may have made
		return
	}
	o.end, o.result = math.MaxInt64, result{}
	s.left.Add(1)
	s.record(o)
}

func (w *workload) record(o *operation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.history = append(w.history, o)
}
