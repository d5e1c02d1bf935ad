package nodes

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/testenv"
)

// drain is how long a node of these tests goes on after it has said that it ends:
// longer than any of the proxies needs to notice.
const drain = "4s"

// TestRollingRestartFailsNoRequest restarts three nodes behind a proxy, one after
// the other, while clients read and write.
func TestRollingRestartFailsNoRequest(t *testing.T) {
	for _, behind := range []struct {
		name  string
		start func(*testing.T, *cluster) *proxy
	}{{"a proxy that asks readyz", readinessProxy}, {"Caddy", caddy}, {"nginx", nginx}} {
		t.Run(behind.name, func(t *testing.T) {
			t.Parallel() // they wait, mostly
			c := newCluster(t, 3, testenv.Postgres(t), testenv.StartRedis(t).URL(), "--drain", drain, "--trusted-proxies", "127.0.0.1")
			rollingRestart(t, c, behind.start(t, c))
		})
	}
}

func rollingRestart(t *testing.T, c *cluster, p *proxy) {
	key := c.makeUser(t, "steady", unlimited)
	done := make(chan struct{})
	var clients sync.WaitGroup
	var reads, writes, failed atomic.Int64
	for i := range 4 {
		who := p.caller(key.Key, "127.0.0.2")
		clients.Go(func() {
			defer who.HTTP.CloseIdleConnections()
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				case <-time.After(10 * time.Millisecond):
				}
				var err error
				if i%2 == 0 {
					err = who.Want(http.StatusOK, "GET", "/v1/stepsies?limit=1", nil)
					reads.Add(1)
				} else {
					title := fmt.Sprintf("Written by %d as number %d", i, n)
					err = once(who, title).Want(http.StatusCreated, "POST", "/v1/stepsies", map[string]any{"title": title})
					writes.Add(1)
				}
				if err != nil && failed.Add(1) <= 5 {
					t.Errorf("a request failed: %v", err)
				}
			}
		})
	}
	for _, n := range c.nodes {
		if err := restart(p, n); err != nil {
			t.Error(err)
			break
		}
	}
	close(done)
	clients.Wait()
	t.Logf("%d reads and %d writes while three nodes were restarted, %d failed", reads.Load(), writes.Load(), failed.Load())
	if reads.Load() < 100 || writes.Load() < 100 {
		t.Error("that is too few to show anything")
	}
	if there := titles(t, c.nodes[0].as(key.Key)); int64(there) != writes.Load() {
		t.Errorf("%d stepsies were written and %d are there", writes.Load(), there)
	}
}

// restart does what docs/operating.md says about restarting one of several nodes.
func restart(p *proxy, n *node) error {
	if p.takeOut != nil {
		if err := p.takeOut(n); err != nil {
			return err
		}
	}
	if err := n.stop(); err != nil {
		return err
	}
	if err := n.start(); err != nil {
		return err
	}
	if p.putBack != nil {
		return p.putBack(n)
	}
	time.Sleep(2 * time.Second) // until the proxy has seen it
	return nil
}

// once returns the caller with an idempotency key, as clients that may have to
// send a write again use it.
func once(c *testenv.Caller, key string) *testenv.Caller {
	other := *c
	other.Header = http.Header{"Idempotency-Key": {key}}
	return &other
}

// titles counts the stepsies of the caller, and fails where two have one title.
func titles(t *testing.T, c *testenv.Caller) int {
	t.Helper()
	seen := map[string]bool{}
	path := "/v1/stepsies?limit=100"
	for path != "" {
		var page struct {
			Data []struct{ Title string }
			Meta struct {
				NextCursor string `json:"next_cursor"`
			}
		}
		c.Must(t, http.StatusOK, "GET", path, nil, &page)
		for _, s := range page.Data {
			if seen[s.Title] {
				t.Errorf("%q was written twice", s.Title)
			}
			seen[s.Title] = true
		}
		path = ""
		if page.Meta.NextCursor != "" {
			path = "/v1/stepsies?limit=100&cursor=" + url.QueryEscape(page.Meta.NextCursor)
		}
	}
	return len(seen)
}

// TestNodeDrainsBeforeItStopsToAccept looks at one node from SIGTERM to its end.
func TestNodeDrainsBeforeItStopsToAccept(t *testing.T) {
	c := newCluster(t, 1, testenv.Postgres(t), "", "--drain", "2s")
	n := c.nodes[0]
	who := n.as(c.root.Key)
	if err := n.signalEnd(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "readyz says that the node drains", func() bool {
		status, text := n.ready()
		return status == http.StatusServiceUnavailable && text == "draining"
	})
	// It still serves, on new connections too.
	for range 3 {
		fresh := n.as(c.root.Key)
		fresh.Must(t, http.StatusOK, "GET", "/v1/me", nil)
		who.Must(t, http.StatusOK, "GET", "/v1/me", nil)
	}
	if a, err := who.Send("GET", "/healthz", nil); err != nil || a.Status != http.StatusOK {
		t.Errorf("healthz while draining: status %d, %v", a.Status, err)
	}
	if err := n.awaitEnd(); err != nil {
		t.Error(err)
	}
	var me json.RawMessage
	if err := who.Want(http.StatusOK, "GET", "/v1/me", nil, &me); err == nil {
		t.Error("the node still answers after its end")
	}
}
