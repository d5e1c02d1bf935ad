package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/testenv"
)

// raceKeys is how many keys end while they are in use. The first half of them is
// busy, the second quiet: used once at the start, and hardly ever afterwards.
func raceKeys() int {
	if testing.Short() {
		return 32
	}
	return 100
}

// racedKey is a key that ends while clients use it.
type racedKey struct {
	id      int64
	secret  string
	user    string
	ending  string
	refused int // status after the end
	ended   atomic.Bool
	after   atomic.Int64 // requests that started after the end
}

type ending struct {
	name    string
	refused int
	end     func(t *testing.T, admin *testenv.Caller, in *installation, k *racedKey) error
}

// endings are the ways in which a key loses what it could do. The call has
// returned when the function has.
var endings = []ending{
	{"revocation by the API", http.StatusUnauthorized, func(_ *testing.T, admin *testenv.Caller, _ *installation, k *racedKey) error {
		return admin.Want(http.StatusOK, "POST", fmt.Sprintf("/v1/api-keys/%d/revoke", k.id), nil)
	}},
	{"revocation by the command line", http.StatusUnauthorized, func(t *testing.T, _ *testenv.Caller, in *installation, k *racedKey) error {
		if r := in.run(t, "key", "revoke", strconv.FormatInt(k.id, 10)); r.code != 0 {
			return errors.New(r.stderr)
		}
		return nil
	}},
	{"suspension of its user", http.StatusUnauthorized, func(_ *testing.T, admin *testenv.Caller, _ *installation, k *racedKey) error {
		return admin.Want(http.StatusOK, "PATCH", "/v1/users/"+k.user, map[string]any{"suspended": true})
	}},
	{"removal of the scope", http.StatusForbidden, func(_ *testing.T, admin *testenv.Caller, _ *installation, k *racedKey) error {
		return admin.Want(http.StatusOK, "PATCH", fmt.Sprintf("/v1/api-keys/%d", k.id), map[string]any{"scopes": []string{"write"}})
	}},
	{"an expiry moved into the past", http.StatusUnauthorized, func(_ *testing.T, admin *testenv.Caller, _ *installation, k *racedKey) error {
		past := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
		return admin.Want(http.StatusOK, "PATCH", fmt.Sprintf("/v1/api-keys/%d", k.id), map[string]any{"expires_at": past})
	}},
	{"a leak report", http.StatusUnauthorized, func(_ *testing.T, admin *testenv.Caller, _ *installation, k *racedKey) error {
		anonymous := *admin
		anonymous.Key = ""
		return anonymous.Want(http.StatusAccepted, "POST", "/leaked-keys", map[string]any{"keys": []string{k.secret}})
	}},
	{"deletion of its user", http.StatusUnauthorized, func(_ *testing.T, admin *testenv.Caller, _ *installation, k *racedKey) error {
		return admin.Want(http.StatusNoContent, "DELETE", "/v1/users/"+k.user, nil)
	}},
	{"rotation without grace", http.StatusUnauthorized, func(_ *testing.T, admin *testenv.Caller, _ *installation, k *racedKey) error {
		return admin.Want(http.StatusCreated, "POST", fmt.Sprintf("/v1/api-keys/%d/rotate", k.id), map[string]any{"grace_period_seconds": 0})
	}},
}

// TestEndedKeyIsRefusedFromTheInstantItsEndingReturned hammers 100 keys with 8
// clients while they end in every way there is. No request that starts after the
// ending call has returned may be accepted; with PostgreSQL, on neither of two
// nodes.
func TestEndedKeyIsRefusedFromTheInstantItsEndingReturned(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		in := sqliteInstallation(t)
		race(t, in, in.serve(t))
	})
	t.Run("postgres, two nodes", func(t *testing.T) {
		in := postgresInstallation(t, testenv.Postgres(t))
		race(t, in, in.serve(t), in.serve(t))
	})
}

func race(t *testing.T, in *installation, nodes ...*server) {
	adminKey := in.makeAdmin(t)
	var admins []*testenv.Caller
	for _, n := range nodes {
		admins = append(admins, n.as(t, adminKey))
	}
	keys := makeRacedKeys(t, admins[0])
	for _, k := range keys {
		if got := nodes[0].use(t, k); got != http.StatusOK {
			t.Fatalf("before the race a key gets status %d", got)
		}
	}

	stop := make(chan struct{})
	var clients sync.WaitGroup
	var accepted atomic.Int64
	for range 8 {
		var connections []*testenv.Caller
		for _, n := range nodes {
			connections = append(connections, n.as(t, ""))
		}
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					accepted.Add(hammer(t, connections, keys))
				}
			}
		})
	}
	endAll(t, in, admins, keys)
	close(stop)
	clients.Wait()

	var after, untried int64
	for _, k := range keys {
		for range 2 { // on each node where there are two
			for _, n := range nodes {
				if got := n.use(t, k); got != k.refused {
					t.Errorf("after the race and %s: status %d, want %d", k.ending, got, k.refused)
				}
			}
		}
		after += k.after.Load()
		if k.after.Load() == 0 {
			untried++
		}
	}
	t.Logf("%d requests were accepted before their key's end, %d refused after it", accepted.Load(), after)
	if untried > 0 {
		t.Errorf("%d keys were never tried while the race ran after their end: it has shown nothing of them", untried)
	}
	if accepted.Load() < int64(len(keys)) {
		t.Errorf("only %d requests were accepted before the ends: the keys were not in use", accepted.Load())
	}
}

// use sends one request with the key over a new connection.
func (s *server) use(t *testing.T, k *racedKey) int {
	t.Helper()
	c := s.as(t, k.secret)
	defer c.HTTP.CloseIdleConnections()
	return c.Status(t, "/v1/me")
}

// hammer sends one request over connections that are kept, and returns 1 where it
// was accepted.
func hammer(t *testing.T, connections []*testenv.Caller, keys []*racedKey) int64 {
	half := len(keys) / 2
	k := keys[rand.IntN(half)]
	if rand.IntN(20) == 0 {
		k = keys[half+rand.IntN(half)]
	}
	return try(t, connections[rand.IntN(len(connections))], k)
}

// try sends one request with a key and judges the answer by whether the key's end
// had returned before the request began.
func try(t *testing.T, connection *testenv.Caller, k *racedKey) int64 {
	c := *connection
	c.Key = k.secret
	ended := k.ended.Load()
	a, err := c.Send("GET", "/v1/stepsies", nil)
	switch {
	case err != nil:
		t.Errorf("a request got no answer: %v", err)
	case a.Status == http.StatusOK && ended:
		t.Errorf("a request was accepted that began after %s had returned", k.ending)
	case a.Status == http.StatusOK:
		return 1
	case a.Status != k.refused:
		t.Errorf("%s: status %d, want %d: %.200s", k.ending, a.Status, k.refused, a.Body)
	}
	if ended {
		k.after.Add(1)
	}
	return 0
}

// endAll ends the keys in random order, two at a time, through any of the nodes,
// and tries each one at once through all of them.
func endAll(t *testing.T, in *installation, admins []*testenv.Caller, keys []*racedKey) {
	queue := make(chan *racedKey, len(keys))
	for _, i := range rand.Perm(len(keys)) {
		queue <- keys[i]
	}
	close(queue)
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for k := range queue {
				i := slices.IndexFunc(endings, func(e ending) bool { return e.name == k.ending })
				if err := endings[i].end(t, admins[rand.IntN(len(admins))], in, k); err != nil {
					t.Errorf("%s: %v", k.ending, err)
					continue
				}
				k.ended.Store(true)
				for _, node := range admins {
					try(t, node, k)
				}
			}
		})
	}
	workers.Wait()
}

// makeRacedKeys makes the keys and their users, as many of each ending among the
// busy ones as among the quiet ones.
func makeRacedKeys(t *testing.T, admin *testenv.Caller) []*racedKey {
	t.Helper()
	var keys []*racedKey
	for i := range raceKeys() {
		e := endings[i%len(endings)]
		k := &racedKey{ending: e.name, refused: e.refused, user: fmt.Sprintf("user%d", i)}
		admin.Must(t, http.StatusCreated, "POST", "/v1/users",
			map[string]any{"username": k.user, "email": k.user + "@example.com", "plan": "enterprise"})
		var made struct {
			ID  int64
			Key string
		}
		admin.Must(t, http.StatusCreated, "POST", "/v1/api-keys",
			map[string]any{"name": "raced", "scopes": []string{"read", "write"}, "user_id": k.user}, &made)
		k.id, k.secret = made.ID, made.Key
		keys = append(keys, k)
	}
	return keys
}
