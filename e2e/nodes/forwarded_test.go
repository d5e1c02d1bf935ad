package nodes

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stepsies/stepsies/internal/testenv"
)

// outerProxy is an address from which these tests speak as a second trusted proxy
// that stands before nginx, so that clients can have any address there is.
const outerProxy = "127.0.0.9"

// TestClientAddressIsFoundBehindNginx goes through nginx to two nodes that trust
// it, with the documented configuration.
func TestClientAddressIsFoundBehindNginx(t *testing.T) {
	c := newCluster(t, 3, testenv.Postgres(t), testenv.StartRedis(t).URL(), "--trusted-proxies", "127.0.0.1,"+outerProxy)
	p := nginx(t, c)
	t.Run("last use of a key", func(t *testing.T) { lastUsedAddress(t, c, p) })
	t.Run("leak reports", func(t *testing.T) { leakReportsByAddress(t, c, p) })
	t.Run("large bodies", func(t *testing.T) { largeBodies(t, c, p) })
	t.Run("metrics are not for the network", func(t *testing.T) {
		if status := p.caller("", "127.0.0.2").Status(t, "/metrics"); status != http.StatusNotFound {
			t.Errorf("through the proxy /metrics is answered %d, want 404", status)
		}
	})
}

// forwarded returns the caller with an X-Forwarded-For of its own.
func forwarded(c *testenv.Caller, addresses string) *testenv.Caller {
	other := *c
	other.Header = http.Header{"X-Forwarded-For": {addresses}}
	return &other
}

func lastUsedAddress(t *testing.T, c *cluster, p *proxy) {
	for i, from := range []struct {
		what   string
		caller func(key string) *testenv.Caller
		want   string
	}{
		{"a client", func(key string) *testenv.Caller { return p.caller(key, "127.0.0.2") }, "127.0.0.2"},
		{"a client that lies", func(key string) *testenv.Caller { return forwarded(p.caller(key, "127.0.0.3"), "203.0.113.9") }, "127.0.0.3"},
		{"a client behind two proxies", func(key string) *testenv.Caller { return forwarded(p.caller(key, outerProxy), "203.0.113.10") }, "203.0.113.10"},
		{"one that lies behind two proxies", func(key string) *testenv.Caller {
			return forwarded(p.caller(key, outerProxy), "198.51.100.1, 203.0.113.11")
		}, "203.0.113.11"},
		{"IPv6", func(key string) *testenv.Caller { return forwarded(p.caller(key, outerProxy), "2001:db8::7") }, "2001:db8::7"},
		{"no address", func(key string) *testenv.Caller { return forwarded(p.caller(key, outerProxy), "unknown") }, outerProxy},
		{"past the proxy, from one that is not trusted", func(key string) *testenv.Caller {
			past := proxy{url: c.nodes[0].url()}
			return forwarded(past.caller(key, "127.0.0.4"), "203.0.113.12")
		}, "127.0.0.4"},
	} {
		user := fmt.Sprintf("address%d", i)
		key := c.makeUser(t, user, unlimited)
		from.caller(key.Key).Must(t, http.StatusOK, "GET", "/v1/me", nil)
		var shown struct {
			LastUsedIP *string `json:"last_used_ip"`
		}
		eventually(t, "the last use is written", func() bool {
			c.root.Must(t, http.StatusOK, "GET", fmt.Sprintf("/v1/api-keys/%d", key.ID), nil, &shown)
			return shown.LastUsedIP != nil && *shown.LastUsedIP != ""
		})
		if *shown.LastUsedIP != from.want {
			t.Errorf("%s: the key was last used from %s, want %s", from.what, *shown.LastUsedIP, from.want)
		}
	}
}

// leakReportsByAddress reports nothing of worth, sixty times and once more: over
// three nodes a client address has sixty an hour.
func leakReportsByAddress(t *testing.T, c *cluster, p *proxy) {
	report := func(who *testenv.Caller) testenv.Answer {
		a, err := who.Send("POST", "/leaked-keys", map[string]any{"keys": []string{keyLike()}})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	accepted := func(what string, who *testenv.Caller) {
		t.Helper()
		if a := report(who); a.Status != http.StatusAccepted || string(a.Body) != `{"received":1}` {
			t.Errorf("%s: status %d %s", what, a.Status, a.Body)
		}
	}
	refused := func(what string, who *testenv.Caller) {
		t.Helper()
		if a := report(who); a.Status != http.StatusTooManyRequests || a.Header.Get("Retry-After") == "" || !strings.Contains(string(a.Body), `"code":"rate_limit_exceeded"`) {
			t.Errorf("%s: status %d, Retry-After %q, %s; want 429", what, a.Status, a.Header.Get("Retry-After"), a.Body)
		}
	}
	four := p.caller("", "127.0.0.5")
	for range 60 {
		accepted("one of sixty", four)
	}
	refused("the sixty-first", four)
	refused("the sixty-second, which claims another address", forwarded(four, "203.0.113.77"))
	accepted("another client", p.caller("", "127.0.0.6"))

	outer := p.caller("", outerProxy)
	for i := range 60 {
		accepted("one of sixty from a network", forwarded(outer, fmt.Sprintf("2001:db8:1:2::%x", i)))
	}
	refused("another address of the same /64", forwarded(outer, "2001:db8:1:2:ffff:ffff:ffff:ffff"))
	accepted("the next /64", forwarded(outer, "2001:db8:1:3::1"))
}

// largeBodies checks that it is the node that answers about the size of a body.
func largeBodies(t *testing.T, c *cluster, p *proxy) {
	key := c.makeUser(t, "large", unlimited)
	who := p.caller(key.Key, "127.0.0.2")
	steps := func(n int) map[string]any {
		var list []map[string]string
		for range n {
			list = append(list, map[string]string{"title": "Long", "content": "<p>" + strings.Repeat("word ", 19_000) + "</p>"})
		}
		return map[string]any{"title": "Large", "steps": list}
	}
	who.Must(t, http.StatusCreated, "POST", "/v1/stepsies", steps(20)) // 1.9 MB
	a, err := who.Send("POST", "/v1/stepsies", steps(24))
	if err != nil {
		t.Fatal(err)
	}
	if a.Status != http.StatusRequestEntityTooLarge || !strings.HasPrefix(string(a.Body), `{"error":{"code":"payload_too_large"`) {
		t.Errorf("over 2 MiB: status %d %.200s", a.Status, a.Body)
	}
}
