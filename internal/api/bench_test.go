package api_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/server"
)

// benched is an installation with what benchmarks read: a stepsy of five steps, and
// a list of twenty.
func benched(b *testing.B, change ...func(*server.Config)) (in *installation, w *world) {
	in = open(b, "", append(change, func(c *server.Config) { c.Now = time.Now })...)
	w = in.world(b)
	var all []string
	for i := range 5 {
		all = append(all, fmt.Sprintf(`{"title":"Step %d","content":"<p>%s</p>"}`, i+1, strings.Repeat("Before writing a single email, decide what it is for. ", 6)))
	}
	body := `{"title":"Email Welcome Sequence Blueprint","description":"Create a 5-email welcome sequence that converts.","category":"marketing","status":"published","steps":[` + strings.Join(all, ",") + `]}`
	for range 25 {
		a := in.ask("POST", "/v1/stepsies", body, w.bearer("key"))
		if a.status != 201 {
			b.Fatal(a.status, a.body)
		}
		w.set("stepsy", at(b, a.body, "id"))
	}
	return in, w
}

// benchedPaths are what is read.
var benchedPaths = []struct{ name, path string }{
	{"stepsy", "/v1/stepsies/{stepsy}"},
	{"list", "/v1/stepsies?limit=20"},
	{"listWithSteps", "/v1/stepsies?limit=20&include=steps"},
}

// bare is a handler that does nothing but write an answer that was given before.
func bare(a answer) http.Handler {
	body := []byte(a.body)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, values := range a.header {
			w.Header()[name] = values
		}
		_, _ = w.Write(body)
	})
}

// BenchmarkHandler asks the whole handler, without a network. The metric bare/op is
// what a handler that writes the same bytes takes.
func BenchmarkHandler(b *testing.B) {
	in, w := benched(b)
	for _, c := range benchedPaths {
		b.Run(c.name, func(b *testing.B) {
			path := w.fill(c.path)
			request := func() *http.Request {
				r := httptest.NewRequest("GET", path, nil)
				r.Header.Set("Authorization", "Bearer "+w.get("key"))
				return r
			}
			once := func(h http.Handler, r *http.Request) {
				rec := httptest.NewRecorder()
				h.ServeHTTP(rec, r)
				if rec.Code != 200 {
					b.Fatal(rec.Code, rec.Body)
				}
			}
			a := in.ask("GET", path, "", w.bearer("key"))
			b.SetBytes(int64(len(a.body)))
			b.ReportAllocs()
			r := request()
			for b.Loop() {
				once(in.handle, r)
			}
			ours, n := b.Elapsed(), b.N
			start := time.Now()
			for range n {
				once(bare(a), r)
			}
			theirs := time.Since(start)
			b.ReportMetric(float64(theirs.Nanoseconds())/float64(n), "bare-ns/op")
			b.ReportMetric(theirs.Seconds()/ours.Seconds(), "of-bare")
		})
	}
}

// BenchmarkLoopback asks over TCP by several clients at once, first this server,
// then one with a bare handler, in turns. The metric of-bare is the share of the
// bare handler's requests per second that is reached.
func BenchmarkLoopback(b *testing.B) {
	for _, limits := range []bool{false, true} {
		in, w := benched(b, func(c *server.Config) { c.RateLimits = limits })
		if limits {
			w.unlimited("author")
		}
		for _, c := range benchedPaths[:2] {
			name := c.name
			if limits {
				name += "/limits"
			}
			b.Run(name, func(b *testing.B) {
				path := w.fill(c.path)
				a := in.ask("GET", path, "", w.bearer("key"))
				ours, theirs := httptest.NewServer(in.handle), httptest.NewServer(bare(a))
				defer ours.Close()
				defer theirs.Close()
				client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients, DisableCompression: true}}
				defer client.CloseIdleConnections()
				secret := w.get("key")
				const turns = 4 // so that what else the machine does slows down both
				var took, bareTook time.Duration
				for b.Loop() {
					for range turns {
						took += load(b, client, ours.URL+path, secret)
						bareTook += load(b, client, theirs.URL+path, secret)
					}
				}
				requests := float64(b.N * turns * perTurn)
				b.ReportMetric(requests/took.Seconds(), "req/s")
				b.ReportMetric(requests/bareTook.Seconds(), "bare-req/s")
				b.ReportMetric(bareTook.Seconds()/took.Seconds(), "of-bare")
				b.ReportMetric(0, "ns/op") // of both, so it says nothing
			})
		}
	}
}

const (
	perTurn = 2000 // requests
	clients = 32   // at a time
)

// load sends perTurn requests from several clients at once and returns how long
// they took together.
func load(b *testing.B, client *http.Client, url, secret string) time.Duration {
	var left atomic.Int64
	left.Store(perTurn)
	var group sync.WaitGroup
	start := time.Now()
	for range clients {
		group.Go(func() {
			for left.Add(-1) >= 0 {
				r, err := http.NewRequest("GET", url, nil)
				if err != nil {
					b.Error(err)
					return
				}
				r.Header.Set("Authorization", "Bearer "+secret)
				answer, err := client.Do(r)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
				if answer.StatusCode != 200 {
					b.Errorf("status %d", answer.StatusCode)
					return
				}
			}
		})
	}
	group.Wait()
	took := time.Since(start)
	runtime.GC() // what one turn left is not the next one's to clear away
	return took
}
