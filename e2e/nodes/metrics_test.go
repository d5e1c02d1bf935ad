package nodes

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stepsies/stepsies/internal/testenv"
)

// families are what /metrics tells of, as docs/operating.md lists them. The
// samples are there after some traffic.
var families = map[string][]string{
	"requests by route and status": {
		`stepsies_http_requests_total{method="GET",route="/v1/stepsies/{id}",status="404"}`,
		`stepsies_http_requests_total{method="POST",route="/v1/stepsies",status="201"}`,
		`stepsies_http_requests_total{method="GET",route="none",status="404"}`,
	},
	"durations": {
		`stepsies_http_request_duration_seconds_bucket{route="/v1/stepsies/{id}",le="+Inf"}`,
		`stepsies_http_request_duration_seconds_count{route="/v1/me"}`,
	},
	"admissions by outcome": {
		`stepsies_admissions_total{outcome="ok"}`, `stepsies_admissions_total{outcome="unauthorized"}`,
		`stepsies_admissions_total{outcome="forbidden"}`, `stepsies_admissions_total{outcome="rate_limit_exceeded"}`,
	},
	"limiter decisions by store": {
		`stepsies_limiter_decisions_total{decision="allowed",store="redis"}`,
		`stepsies_limiter_decisions_total{decision="refused_minute",store="redis"}`,
		`stepsies_limiter_decisions_total{decision="allowed",store="memory"}`,
	},
	"look-ups and their batches": {
		`stepsies_key_lookups_total{outcome="ok"}`, `stepsies_key_lookup_keys_bucket{le="1"}`, `stepsies_key_lookup_duration_seconds_count`,
	},
	"database pools": {
		`go_sql_open_connections{db_name="write"}`, `go_sql_in_use_connections{db_name="write"}`, `go_sql_wait_duration_seconds_total{db_name="write"}`,
	},
	"Redis": {
		`stepsies_redis_decision_duration_seconds_count`, `stepsies_limiter_redis_errors_total`, `stepsies_limiter_redis_outages_total`,
	},
	"degraded state": {`stepsies_degraded`},
	"the process":    {`process_resident_memory_bytes`, `go_goroutines`},
}

// TestMetricsTellOfEveryPartWithBoundedLabels sends traffic of all kinds, also such
// as is made to fill the memory of a monitoring system.
func TestMetricsTellOfEveryPartWithBoundedLabels(t *testing.T) {
	listen := freeAddress(t)
	c := newCluster(t, 1, testenv.Postgres(t), testenv.StartRedis(t).URL(), "--metrics-listen", listen)
	node := c.nodes[0]
	key := c.makeUser(t, "measured", map[string]any{"plan": "enterprise", "limits": map[string]any{"minute": 5}}, "read")
	limited, anyone := node.as(key.Key), node.as(keyLike())
	c.root.Must(t, http.StatusCreated, "POST", "/v1/stepsies", map[string]any{"title": "Measured"})
	limited.Must(t, http.StatusForbidden, "POST", "/v1/stepsies", "{}")
	for range 10 {
		_ = limited.Status(t, "/v1/me")
	}
	anyone.Must(t, http.StatusUnauthorized, "GET", "/v1/me", nil)
	c.root.Must(t, http.StatusNotFound, "GET", "/v1/stepsies/999999999", nil)
	c.root.Must(t, http.StatusNotFound, "GET", "/v1/nothing", nil)

	metrics := callerOf("http://"+listen, "")
	before := scrape(t, metrics)
	for what, samples := range families {
		for _, s := range samples {
			if !slices.ContainsFunc(before, func(line string) bool { return strings.HasPrefix(line, s+" ") }) {
				t.Errorf("%s: %s is missing", what, s)
			}
		}
	}

	// Now what nobody has foreseen: it finds series that are there already, or makes
	// a few of a kind, however much of it comes.
	made := func(n int) int {
		for range n {
			word := strings.ToUpper(keyLike()[3:11])
			for _, request := range [][2]string{
				{"GET", "/v1/" + word}, {"GET", "/" + word}, {"GET", "/v1/stepsies/" + word}, {"GET", "/@" + word + "/" + word}, {"GET", "/v1/me?" + word + "=1"},
				{"GET", "/assets/" + word}, {word, "/v1/me"}, {word, "/" + word}, {"PROPFIND", "/v1/stepsies"}, {"GET", "/api/v1/users/" + word},
			} {
				if _, err := c.root.Send(request[0], request[1], nil); err != nil {
					t.Fatal(err)
				}
			}
		}
		return len(scrape(t, metrics))
	}
	if few, many := made(2), made(30); many > few {
		t.Errorf("after 2 rounds of random requests there are %d series, after 32 rounds %d", few, many)
	}
	text := strings.Join(scrape(t, metrics), "\n")
	if keyPattern.MatchString(text) || strings.Contains(text, "measured") {
		t.Error("the metrics hold a key or a name")
	}

	// With a listener of their own they are not on the public one.
	if status := node.as("").Status(t, "/metrics"); status != http.StatusNotFound {
		t.Errorf("/metrics on the public address is answered %d, want 404", status)
	}
	if status := metrics.Status(t, "/v1/me"); status != http.StatusNotFound {
		t.Errorf("the API on the address of the metrics is answered %d, want 404", status)
	}
}

// TestMetricsOnThePublicAddressAreForThisMachine asks without --metrics-listen.
func TestMetricsOnThePublicAddressAreForThisMachine(t *testing.T) {
	c := newCluster(t, 1, "", "", "--trusted-proxies", "127.0.0.1")
	local := c.nodes[0].as("")
	if lines := scrape(t, local); len(lines) < 50 {
		t.Errorf("%d series", len(lines))
	}
	if status := forwarded(local, "127.0.0.1").Status(t, "/metrics"); status != http.StatusNotFound {
		t.Errorf("through a proxy: status %d, want 404", status)
	}
}

var sampleLine = regexp.MustCompile(`^[a-z_]+(_[a-z0-9]+)*(\{.*\})? [-+0-9.eEInfNa]+$`)

// scrape returns the samples.
func scrape(t *testing.T, c *testenv.Caller) (lines []string) {
	t.Helper()
	a, err := c.Send("GET", "/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	if a.Status != http.StatusOK || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/plain") {
		t.Fatalf("/metrics: status %d, %s", a.Status, a.Header.Get("Content-Type"))
	}
	for line := range strings.Lines(string(a.Body)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		if !sampleLine.MatchString(line) {
			t.Errorf("no sample: %.200s", line)
		}
		lines = append(lines, line)
	}
	return lines
}
