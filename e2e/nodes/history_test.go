package nodes

import (
	"bytes"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/testenv"
)

// historySize is how many answered operations a history has at least.
const historySize = 20_000

// TestHistoryOfThreeNodesIsLinearizable uses keys on any of three nodes while they
// are made, edited, rotated and revoked, and their users suspended, through any
// other one, and while nodes are paused, killed and restarted. There is one order
// of all operations that explains every answer and in which each stands between
// its call and its return. So no accepted use began after the call that ended its
// key, or took its scope, had returned.
func TestHistoryOfThreeNodesIsLinearizable(t *testing.T) {
	testHistory(t, newCluster(t, 3, testenv.Postgres(t), "", "--rate-limits", "off", "--log-level", "warn"))
}

// TestHistoryOnSQLiteIsLinearizable is the same of the one node that SQLite has. While it
// is down nothing is answered, and what was acknowledged before must still hold when it
// is back.
func TestHistoryOnSQLiteIsLinearizable(t *testing.T) {
	testHistory(t, newCluster(t, 1, "", "", "--rate-limits", "off", "--log-level", "warn"))
}

func testHistory(t *testing.T, c *cluster) {
	c.outages = true // a paused or killed node leaves requests unfinished
	w := newWorkload(c.root.Key, c.urls())
	faults := &faults{}
	stop := make(chan struct{})
	var injector sync.WaitGroup
	injector.Go(func() { faults.inject(t, c.nodes, stop) })
	w.run(t, 8, 6, func() bool { return w.answered.Load() >= historySize && faults.enough() })
	close(stop)
	injector.Wait()

	history := w.recorded()
	for _, text := range w.wrong {
		t.Error(text)
	}
	t.Logf("%d operations answered and %d left open, in %v; %d requests told nothing; %d pauses, %d kills, %d restarts; %d users",
		w.answered.Load(), w.left.Load(), time.Since(w.began).Round(time.Second), w.dropped.Load(), faults.pauses, faults.kills, faults.restarts, w.made.Load())
	counts := countAnswers(history)
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%6d × %s", counts[what], what)
	}
	// A history in which hardly anything is accepted, or refused, shows nothing.
	for _, what := range []string{"use for reading → OK", "use for reading → Unauthorized", "use for reading → Forbidden",
		"use for writing → Not Found", "use for writing → Unauthorized", "use for writing → Forbidden"} {
		if counts[what] < 200 {
			t.Errorf("only %d × %s", counts[what], what)
		}
	}
	began := time.Now()
	if text := verdict(history); text != "" {
		t.Fatal(text)
	}
	t.Logf("checked in %v", time.Since(began).Round(time.Millisecond))
}

func (c *cluster) urls() []string {
	var urls []string
	for _, n := range c.nodes {
		urls = append(urls, n.url())
	}
	return urls
}

// countAnswers counts the operations by kind and status.
func countAnswers(history []*operation) map[string]int {
	counts := map[string]int{}
	for _, o := range history {
		answer := "open"
		if !o.open() {
			answer = http.StatusText(o.result.status)
		}
		counts[o.kind.String()+" → "+answer]++
	}
	return counts
}

// faults is what befalls nodes.
type faults struct {
	mu                      sync.Mutex
	pauses, kills, restarts int
}

func (f *faults) enough() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pauses >= 8 && f.kills >= 6 && f.restarts >= 3
}

// inject lets one fault after the other befall any node.
func (f *faults) inject(t *testing.T, nodes []*node, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(300+rand.IntN(700)) * time.Millisecond):
		}
		n := nodes[rand.IntN(len(nodes))]
		counter, err := f.fault(n)
		if err != nil {
			t.Errorf("a fault went wrong: %v", err)
			return
		}
		f.mu.Lock()
		*counter++
		f.mu.Unlock()
	}
}

func (f *faults) fault(n *node) (counter *int, err error) {
	switch i := rand.IntN(10); {
	case i < 5:
		if err := n.pause(); err != nil {
			return nil, err
		}
		// Now and then longer than clients wait: it goes on with what nobody wants any more.
		time.Sleep(time.Duration(200+rand.IntN(1000)+i/4*2000) * time.Millisecond)
		return &f.pauses, n.resume()
	case i < 8:
		n.kill()
		return &f.kills, n.start()
	default:
		if err := n.stop(); err != nil {
			return nil, err
		}
		return &f.restarts, n.start()
	}
}

// TestAStaleCacheIsFound puts a fault before one of three nodes: a proxy that
// remembers for 300 ms that a key was accepted. The checker must find it, or its
// silence about the nodes would say nothing.
func TestAStaleCacheIsFound(t *testing.T) {
	c := newCluster(t, 3, testenv.Postgres(t), "", "--rate-limits", "off", "--log-level", "warn")
	urls := c.urls()
	urls[0] = staleCache(t, urls[0])
	w := newWorkload(c.root.Key, urls)
	var text string
	for next := int64(1000); text == "" && next <= historySize; next += 1000 {
		w.run(t, 8, 3, func() bool { return w.answered.Load() >= next })
		text = verdict(w.recorded())
	}
	if text == "" {
		t.Fatalf("a cache that keeps answers for 300 ms was not found in %d operations", w.answered.Load())
	}
	t.Logf("found after %d operations: %s", w.answered.Load(), text)
}

// staleCache is a reverse proxy that answers a GET with a key as it was answered
// at most 300 ms before. It returns its address.
func staleCache(t *testing.T, target string) string {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	type entry struct {
		body []byte
		at   time.Time
	}
	var mu sync.Mutex
	kept := map[string]entry{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(u) },
		ModifyResponse: func(r *http.Response) error {
			if r.Request.Method != "GET" || r.StatusCode != http.StatusOK {
				return nil
			}
			body, err := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			mu.Lock()
			defer mu.Unlock()
			kept[r.Request.Header.Get("Authorization")+r.Request.URL.Path] = entry{body, time.Now()}
			return err
		},
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		e, ok := kept[r.Header.Get("Authorization")+r.URL.Path]
		mu.Unlock()
		if ok && r.Method == "GET" && time.Since(e.at) < 300*time.Millisecond {
			_, _ = w.Write(e.body)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}
