package nodes

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stepsies/stepsies/internal/testenv"
)

// TestAssistantsNeedNoSessionOnAnyNode goes through each documented proxy to whichever
// node it chooses: a tool finds what another one wrote, and a dead key is told so.
func TestAssistantsNeedNoSessionOnAnyNode(t *testing.T) {
	c := newCluster(t, 3, testenv.Postgres(t), testenv.StartRedis(t).URL(), "--trusted-proxies", "127.0.0.1")
	key := c.makeUser(t, "sarahchen", unlimited)
	for name, start := range map[string]func(*testing.T, *cluster) *proxy{"nginx": nginx, "caddy": caddy, "haproxy": haproxy, "apache": apache} {
		t.Run(name, func(t *testing.T) {
			p := start(t, c)
			send := func(who *testenv.Caller, method string, params any) testenv.Answer {
				t.Helper()
				a, err := who.Send("POST", "/mcp", map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
				if err != nil {
					t.Fatal(err)
				}
				return a
			}
			type args map[string]any
			who := p.caller(key.Key, "127.0.0.2")
			who.Header = http.Header{"Mcp-Protocol-Version": {"2025-11-25"}, "Accept": {"application/json, text/event-stream"}}
			for i := range 6 {
				title := fmt.Sprintf("Tea by %s %d", name, i)
				made := send(who, "tools/call", args{"name": "draft_stepsy", "arguments": args{"title": title}})
				found := send(who, "tools/call", args{"name": "list_stepsies", "arguments": args{"limit": 1}})
				for _, a := range []testenv.Answer{made, found} {
					if a.Status != http.StatusOK || !strings.Contains(string(a.Body), title) || a.Header.Get("Mcp-Session-Id") != "" {
						t.Fatalf("%d %v %s", a.Status, a.Header, a.Body)
					}
				}
			}
			a := send(p.caller("sk_"+strings.Repeat("0", 48), "127.0.0.2"), "tools/list", args{})
			if a.Status != http.StatusUnauthorized || string(a.Body) != `{"error":{"code":"unauthorized","message":"Missing or invalid API key"}}` || a.Header.Get("WWW-Authenticate") != `Bearer realm="stepsies"` {
				t.Errorf("with a dead key: %d %v %s", a.Status, a.Header, a.Body)
			}
		})
	}
}
