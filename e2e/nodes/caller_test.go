package nodes

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stepsies/stepsies/internal/testenv"
)

// as returns a caller of the node that keeps its connections.
func (n *node) as(key string) *testenv.Caller { return callerOf(n.url(), key) }

func callerOf(address, key string) *testenv.Caller {
	return &testenv.Caller{URL: address, Key: key, HTTP: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: patience,
	}}
}

// madeKey is what the answer to creating or rotating a key says.
type madeKey struct {
	ID        int64
	Key       string
	Scopes    []string
	ExpiresAt *string `json:"expires_at"`
}

// makeUser makes a user on a plan, or with limits of their own on enterprise, and
// a key of theirs.
func (c *cluster) makeUser(t *testing.T, name string, fields map[string]any, scopes ...string) madeKey {
	t.Helper()
	user := map[string]any{"username": name, "email": name + "@example.com"}
	for k, v := range fields {
		user[k] = v
	}
	c.root.Must(t, http.StatusCreated, "POST", "/v1/users", user)
	return c.makeKey(t, name, scopes...)
}

func (c *cluster) makeKey(t *testing.T, user string, scopes ...string) (k madeKey) {
	t.Helper()
	if len(scopes) == 0 {
		scopes = []string{"read", "write"}
	}
	c.root.Must(t, http.StatusCreated, "POST", "/v1/api-keys", map[string]any{"name": "for a test", "scopes": scopes, "user_id": user}, &k)
	return k
}

var unlimited = map[string]any{"plan": "enterprise"}

// keyLike is a well-formed key that nobody has.
func keyLike() string {
	var random [24]byte
	_, _ = rand.Read(random[:]) // never fails
	return "sk_" + hex.EncodeToString(random[:])
}

func unmarshal(a testenv.Answer, into any) error { return json.Unmarshal(a.Body, into) }
