package nodes

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// caller calls the API at an address with a key.
type caller struct {
	url, key string
	http     *http.Client
	header   http.Header // of every request
}

// as returns a caller of the node that keeps its connections.
func (n *node) as(key string) *caller { return callerOf(n.url(), key) }

func callerOf(address, key string) *caller {
	return &caller{url: address, key: key, http: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: patience,
	}}
}

// with returns the caller with another key.
func (c *caller) with(key string) *caller {
	other := *c
	other.key = key
	return &other
}

// at returns the caller at another node.
func (c *caller) at(n *node) *caller {
	other := *c
	other.url = n.url()
	return &other
}

// answer is a whole answer.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send sends a request and reads its answer; body is nil, a string or what is to
// be encoded as JSON.
func (c *caller) send(method, path string, body any) (answer, error) {
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			return answer{}, err
		}
		reader = bytes.NewReader(text)
	}
	req, err := http.NewRequest(method, c.url+path, reader)
	if err != nil {
		return answer{}, err
	}
	for name, values := range c.header {
		req.Header[name] = values
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	if reader != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, text}, err
}

// want sends a request that has to be answered with this status, and decodes the
// answer into each of into.
func (c *caller) want(status int, method, path string, body any, into ...any) error {
	a, err := c.send(method, path, body)
	if err != nil {
		return err
	}
	if a.status != status {
		return fmt.Errorf("%s %s: status %d, want %d: %.500s", method, path, a.status, status, a.body)
	}
	for _, v := range into {
		if err := json.Unmarshal(a.body, v); err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
	}
	return nil
}

// must is want for the goroutine of the test, which it ends.
func (c *caller) must(t *testing.T, status int, method, path string, body any, into ...any) {
	t.Helper()
	if err := c.want(status, method, path, body, into...); err != nil {
		t.Fatal(err)
	}
}

// status is the status of a GET.
func (c *caller) status(t *testing.T, path string) int {
	t.Helper()
	a, err := c.send("GET", path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a.status
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
	c.root.must(t, http.StatusCreated, "POST", "/v1/users", user)
	return c.makeKey(t, name, scopes...)
}

func (c *cluster) makeKey(t *testing.T, user string, scopes ...string) (k madeKey) {
	t.Helper()
	if len(scopes) == 0 {
		scopes = []string{"read", "write"}
	}
	c.root.must(t, http.StatusCreated, "POST", "/v1/api-keys", map[string]any{"name": "for a test", "scopes": scopes, "user_id": user}, &k)
	return k
}

var unlimited = map[string]any{"plan": "enterprise"}

// keyLike is a well-formed key that nobody has.
func keyLike() string {
	var random [24]byte
	_, _ = rand.Read(random[:]) // never fails
	return "sk_" + hex.EncodeToString(random[:])
}

func unmarshal(a answer, into any) error { return json.Unmarshal(a.body, into) }
