package nodes

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stepsies/stepsies/internal/testenv"
)

// TestConditionalWritesWorkBehindProxiesThatCompress goes through each documented proxy:
// the tag that a client was given through it is the one that it sends back.
func TestConditionalWritesWorkBehindProxiesThatCompress(t *testing.T) {
	c := newCluster(t, 3, testenv.Postgres(t), testenv.StartRedis(t).URL(), "--trusted-proxies", "127.0.0.1")
	key := c.makeUser(t, "sarahchen", unlimited)
	for name, start := range map[string]func(*testing.T, *cluster) *proxy{"nginx": nginx, "caddy": caddy, "haproxy": haproxy, "apache": apache} {
		t.Run(name, func(t *testing.T) {
			p := start(t, c)
			for _, coding := range []string{"gzip", "br", "zstd", "gzip, deflate, br, zstd"} {
				who := p.caller(key.Key, "127.0.0.2")
				who.Header = http.Header{"Accept-Encoding": {coding}}
				conditionalWrites(t, who, coding)
			}
		})
	}
}

func conditionalWrites(t *testing.T, who *testenv.Caller, coding string) {
	t.Helper()
	send := func(want int, method, path string, body any, header ...string) testenv.Answer {
		t.Helper()
		one := *who
		one.Header = who.Header.Clone()
		for i := 0; i < len(header); i += 2 {
			one.Header.Set(header[i], header[i+1])
		}
		a, err := one.Send(method, path, body)
		if err != nil {
			t.Fatal(err)
		}
		if a.Status != want {
			t.Fatalf("%s: %s with %q is answered %d, want %d: %.300q", coding, method, header, a.Status, want, a.Body)
		}
		return a
	}
	made := send(http.StatusCreated, "POST", "/v1/stepsies", map[string]any{"title": "Tea", "description": strings.Repeat("Boil water. ", 100)})
	path := made.Header.Get("Location")
	path = path[strings.Index(path, "/v1/"):]
	read := send(http.StatusOK, "GET", path, nil)
	if strings.Contains(coding, "gzip") && read.Header.Get("Content-Encoding") == "" {
		t.Errorf("%s: the answer is not compressed", coding)
	}
	seen := read.Header.Get("ETag")
	send(http.StatusNotModified, "GET", path, nil, "If-None-Match", seen)
	for i, tag := range []string{made.Header.Get("ETag"), ""} { // the second time, of the first write's answer
		if tag == "" {
			tag = seen
		}
		changed := send(http.StatusOK, "PATCH", path, map[string]any{"title": fmt.Sprint("Tea ", i)}, "If-Match", tag)
		send(http.StatusPreconditionFailed, "PATCH", path, map[string]any{"title": "Lost"}, "If-Match", tag)
		send(http.StatusOK, "GET", path, nil, "If-None-Match", tag)
		seen = changed.Header.Get("ETag")
	}
	t.Logf("%s: %s as %s, written as %s", coding, read.Header.Get("Content-Encoding"), read.Header.Get("ETag"), seen)
	send(http.StatusNoContent, "DELETE", path, nil, "If-Match", seen)
}
