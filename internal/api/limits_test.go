package api_test

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/server"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/testenv"
)

// again opens a second installation on the same kind of database, with another
// configuration.
func (in *installation) again(t *testing.T, change func(*server.Config)) *installation {
	if in.Store().Engine() == "sqlite" {
		return open(t, "", change)
	}
	return open(t, testenv.Postgres(t), change)
}

// TestRequestsOfAnAccountAreWrittenWithWhatElseIsGathered looks at what the database has
// before and after a write of all that was gathered.
func TestRequestsOfAnAccountAreWrittenWithWhatElseIsGathered(t *testing.T) {
	in := open(t, "", func(c *server.Config) { c.RateLimits = true })
	w := in.world(t)
	bearer := w.bearer("reader")
	u, err := in.Store().User(t.Context(), w.get("author"))
	w.must(err)
	written := func() int64 {
		t.Helper()
		n, err := in.Store().AccountRequests(t.Context(), u.Account.ID, store.Day(begin), store.Day(begin))
		w.must(err)
		return n
	}
	before := written()
	for range 3 {
		in.ask("GET", "/v1/me", "", bearer)
	}
	if n := written(); n != before {
		t.Errorf("%d requests were written, each with the request itself", n-before)
	}
	w.must(in.Flush(t.Context()))
	if n := written(); n != before+3 {
		t.Errorf("%d requests are written, want 3", n-before)
	}
}

// TestLimitsStandBetweenTheKeyAndTheScope fills the minute of an account and looks
// at what each kind of request is answered then.
func TestLimitsStandBetweenTheKeyAndTheScope(t *testing.T) {
	in := open(t, "", func(c *server.Config) { c.RateLimits = true })
	w := in.world(t)
	plan, own := "enterprise", stepsies.Limits{Minute: 4, Hour: 6, Month: 8}
	w.get("draft")
	w.get("admin") // of another account
	etag := w.get("draft.etag")
	w.changeAccount("author", stepsies.AccountChange{Plan: &plan, Limits: &own})
	reset := fmt.Sprint(begin.Truncate(time.Minute).Add(time.Minute).Unix())
	left := func(a answer, status int, remaining string) {
		t.Helper()
		h := a.header
		if a.status != status || h.Get("X-RateLimit-Limit") != "4" || h.Get("X-RateLimit-Remaining") != remaining || h.Get("X-RateLimit-Reset") != reset {
			t.Errorf("%d %v %s, want %d with %s left", a.status, h, a.body, status, remaining)
		}
	}
	ask := func(method, path, as, body string, headers ...string) answer {
		return in.ask(method, w.fill(path), body, append(headers, w.bearer(as))...)
	}

	// Every request counts that its account can be told of, whatever comes of it.
	left(ask("GET", "/v1/stepsies/{draft}", "reader", "", "If-None-Match: "+etag), 304, "3")
	left(ask("POST", "/v1/stepsies", "reader", `{`), 403, "2")
	left(ask("GET", "/v1/stepsies/999999999", "key", ""), 404, "1")
	left(ask("POST", "/v1/stepsies", "writer", `{`), 400, "0")

	// Over the limit: after the route and the key, before the scope and the body.
	over := `{"error":{"code":"rate_limit_exceeded","message":"Too many requests. Please slow down.","retry_after":34}}`
	for range 2 { // a refused request consumes nothing
		for _, c := range []struct{ method, path, as, body string }{
			{"GET", "/v1/stepsies", "reader", ""}, {"POST", "/v1/stepsies", "reader", `{`}, {"GET", "/v1/users", "key", ""}, {"PATCH", "/v1/me", "writer", "\xff"},
		} {
			a := ask(c.method, c.path, c.as, c.body)
			left(a, http.StatusTooManyRequests, "0")
			if a.body != over || a.header.Get("Retry-After") != "34" || a.header.Get("WWW-Authenticate") != "" {
				t.Errorf("%s %s: %v %s", c.method, c.path, a.header, a.body)
			}
			checkForm(t, c.method, a)
		}
	}
	for _, c := range []struct {
		method, path, authorization string
		status                      int
	}{
		{"GET", "/v1/nothing", w.bearer("key"), 404}, {"PUT", "/v1/stepsies", w.bearer("key"), 405},
		{"GET", "/v1/stepsies", "Authorization: Bearer nothing", 401}, {"GET", "/v1/users", w.bearer("admin"), 200},
	} {
		if a := in.ask(c.method, c.path, "", c.authorization); a.status != c.status {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, a.status, c.status)
		}
	}

	// The next minute has two requests left in the hour, the next hour two in the month.
	w.moveClock(34 * time.Second)
	for _, want := range []int{200, 200, 429} {
		a := ask("GET", "/v1/stepsies", "reader", "")
		if a.status != want {
			t.Errorf("in the next minute: %d, want %d", a.status, want)
		}
		if want == 429 && at(t, a.body, "error.code") != "rate_limit_exceeded" {
			t.Error(a.body)
		}
	}
	w.moveClock(time.Hour)
	for _, want := range []int{200, 200} {
		if a := ask("GET", "/v1/stepsies", "reader", ""); a.status != want {
			t.Errorf("in the next hour: %d, want %d", a.status, want)
		}
	}
	month := ask("GET", "/v1/stepsies", "reader", "")
	// Whoever obeys Retry-After would sleep for days and tell nobody.
	if wait, _ := strconv.Atoi(fmt.Sprint(at(t, month.body, "error.retry_after"))); month.status != 429 || at(t, month.body, "error.code") != "quota_exceeded" || wait <= 3600 || month.header.Get("Retry-After") != "" {
		t.Errorf("over the month: %d %v %s", month.status, month.header, month.body)
	}
	checkForm(t, "GET", month)
}

// TestLeakReportsAreLimitedByAddress sends more of them than an hour admits.
func TestLeakReportsAreLimitedByAddress(t *testing.T) {
	in := open(t, "", func(c *server.Config) { c.RateLimits = true })
	for i := range 61 {
		a := in.ask("POST", "/leaked-keys", `{"keys":["x"]}`)
		want := 202
		if i == 60 {
			want = 429
		}
		if a.status != want {
			t.Fatalf("report %d: %d %s", i+1, a.status, a.body)
		}
		checkForm(t, "POST", a)
	}
	in.clock.advance(time.Hour)
	if a := in.ask("POST", "/leaked-keys", `{"keys":["x"]}`); a.status != 202 {
		t.Errorf("an hour later: %d %s", a.status, a.body)
	}
}
