package reqlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stepsies/stepsies"
)

// served sends a request through Handler and returns the answer and the log.
func served(t *testing.T, r *http.Request, h http.HandlerFunc) (*httptest.ResponseRecorder, string, Answer) {
	t.Helper()
	var log bytes.Buffer
	var seen Answer
	w := httptest.NewRecorder()
	Handler(slog.New(slog.NewJSONHandler(&log, nil)), nil, func(a Answer) { seen = a }, h).ServeHTTP(w, r)
	return w, log.String(), seen
}

// lineOf reads the one line of a log.
func lineOf(t *testing.T, log string) map[string]any {
	t.Helper()
	line := map[string]any{}
	if strings.Count(log, "\n") != 1 {
		t.Fatalf("the log has %d lines: %s", strings.Count(log, "\n"), log)
	}
	if err := json.Unmarshal([]byte(log), &line); err != nil {
		t.Fatal(err)
	}
	return line
}

func TestLineSaysWhatHappened(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("PATCH", "/v1/stepsies/17", nil)
	r.Header.Set("X-Request-Id", "abc")
	w, log, seen := served(t, r, func(w http.ResponseWriter, r *http.Request) {
		e := From(r.Context())
		e.Route, e.UserID, e.KeyID = "/v1/stepsies/{id}", 3, 5
		if e.ID != "abc" || e.IP != "192.0.2.1" || e.Start.IsZero() {
			t.Errorf("the handler is told %+v", e)
		}
		w.WriteHeader(http.StatusPreconditionFailed)
		io.WriteString(w, "twelve bytes")
	})
	line := lineOf(t, log)
	for name, want := range map[string]any{
		"level": "INFO", "msg": "request", "method": "PATCH", "route": "/v1/stepsies/{id}", "status": 412.0, "bytes": 12.0, "request_id": "abc", "user_id": 3.0, "key_id": 5.0,
	} {
		if line[name] != want {
			t.Errorf("%s is %v, want %v", name, line[name], want)
		}
	}
	if d, ok := line["duration"].(float64); !ok || d < 0 {
		t.Errorf("the duration is %v", line["duration"])
	}
	if seen.Method != "PATCH" || seen.Route != "/v1/stepsies/{id}" || seen.Status != 412 || seen.Bytes != 12 || w.Header().Get("X-Request-Id") != "abc" {
		t.Errorf("observed %+v, answered with %v", seen, w.Header())
	}
}

// TestLineHoldsNoKeyNoQueryAndNoBody looks for what a request carries in everything
// that is logged of it.
func TestLineHoldsNoKeyNoQueryAndNoBody(t *testing.T) {
	t.Parallel()
	key := stepsies.NewSecret().Reveal()
	r := httptest.NewRequest("POST", "/v1/stepsies/in-the-path?q=in-the-query&api_key="+key, strings.NewReader("in-the-body "+key))
	for name, value := range map[string]string{
		"Authorization": "Bearer " + key, "Cookie": "session=in-a-cookie", "X-Request-Id": key, "User-Agent": "in-the-agent", "Referer": "https://example.com/in-the-referrer",
		"Idempotency-Key": "in-the-idempotency-key", "X-Forwarded-For": "203.0.113.99",
	} {
		r.Header.Set(name, value)
	}
	for _, status := range []int{200, 401, 500} {
		_, log, _ := served(t, r.Clone(t.Context()), func(w http.ResponseWriter, r *http.Request) {
			From(r.Context()).Route = "/v1/stepsies/{slug}"
			w.WriteHeader(status)
			io.WriteString(w, "in-the-answer "+key)
		})
		if strings.Contains(log, key[:12]) || strings.Contains(log, key[40:]) || strings.Contains(log, "in-") || strings.Contains(log, "203.0.113.99") {
			t.Errorf("status %d: the log shows what it must not: %s", status, strings.ReplaceAll(log, key, "[the key]"))
		}
		allowed := []string{"bytes", "duration", "level", "method", "msg", "request_id", "route", "status", "time"}
		if got := slices.Sorted(maps.Keys(lineOf(t, log))); !slices.Equal(got, allowed) {
			t.Errorf("the line has the fields %q, want %q", got, allowed)
		}
	}
}

func TestFailuresAreErrorsWithTheirCause(t *testing.T) {
	t.Parallel()
	_, log, seen := served(t, httptest.NewRequest("GET", "/", nil), func(w http.ResponseWriter, r *http.Request) {
		From(r.Context()).Err = errors.New("the disk is full")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	if line := lineOf(t, log); line["level"] != "ERROR" || line["error"] != "the disk is full" || line["status"] != 503.0 || seen.Status != 503 {
		t.Errorf("the log says %v", line)
	}
}

func TestAnswersAreCountedAsTheyAreSent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		handle http.HandlerFunc
		status int
		bytes  int64
	}{
		"nothing written": {func(http.ResponseWriter, *http.Request) {}, 200, 0},
		"a body alone":    {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "abc"); io.WriteString(w, "de") }, 200, 5},
		"a status alone":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, 204, 0},
		"a hint first":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103); w.WriteHeader(404) }, 404, 0},
		"a stream, controlled": {func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "a")
			if err := http.NewResponseController(w).Flush(); err != nil {
				panic(err)
			}
		}, 200, 1},
	} {
		_, log, seen := served(t, httptest.NewRequest("GET", "/", nil), c.handle)
		if line := lineOf(t, log); seen.Status != c.status || seen.Bytes != c.bytes || line["status"] != float64(c.status) || line["route"] != "none" {
			t.Errorf("%s: observed %+v, logged %v", name, seen, line)
		}
	}
}

// TestAbortedRequestIsLoggedAsAFailure: the panic itself goes on to net/http.
func TestAbortedRequestIsLoggedAsAFailure(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]bool{"before the answer": false, "in its middle": true} {
		var log bytes.Buffer
		var seen Answer
		h := Handler(slog.New(slog.NewJSONHandler(&log, nil)), nil, func(a Answer) { seen = a }, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if write {
				io.WriteString(w, "half of")
			}
			panic(http.ErrAbortHandler)
		}))
		func() {
			defer func() {
				if v := recover(); v != http.ErrAbortHandler {
					t.Errorf("%s: the panic became %v", name, v)
				}
			}()
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
		}()
		if line := lineOf(t, log.String()); seen.Status != 500 || line["level"] != "ERROR" {
			t.Errorf("%s: observed %+v, logged %v", name, seen, line)
		}
	}
}

func TestStartedKnowsWhetherItIsTooLateForAnotherAnswer(t *testing.T) {
	t.Parallel()
	served(t, httptest.NewRequest("GET", "/", nil), func(w http.ResponseWriter, _ *http.Request) {
		if Started(w) {
			t.Error("started before anything was written")
		}
		w.WriteHeader(103)
		if Started(w) {
			t.Error("a hint is no answer")
		}
		w.WriteHeader(200)
		if !Started(w) {
			t.Error("not started after the status was written")
		}
	})
	if Started(httptest.NewRecorder()) {
		t.Error("a foreign writer has started")
	}
}

func TestRequestIDIsTheClientsIfItIsSane(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"a", "0", "A-b_c.9", "01890a5d-ac96-774b-bcce-b302099a8057", strings.Repeat("x", 128)} {
		if got := idFor(t, id); got != id {
			t.Errorf("%q became %q", id, got)
		}
	}
	own := regexp.MustCompile(`^req_[0-9a-f]{16}$`)
	seen := map[string]bool{}
	for _, id := range []string{"", " ", "a b", "a\tb", "a\r\nSet-Cookie: x=1", "é", "a/b", "a:b", `"a"`, "<script>", "a\x00", strings.Repeat("x", 129), stepsies.NewSecret().Reveal(),
		"id-" + stepsies.NewSecret().Reveal()} {
		got := idFor(t, id)
		if !own.MatchString(got) || seen[got] {
			t.Errorf("an id of %d characters became %q", len(id), got)
		}
		seen[got] = true
	}
}

func idFor(t *testing.T, id string) string {
	t.Helper()
	r := httptest.NewRequest("GET", "/", nil)
	if id != "" {
		r.Header["X-Request-Id"] = []string{id}
	}
	w, log, _ := served(t, r, func(w http.ResponseWriter, r *http.Request) {
		if e := From(r.Context()); e.ID != w.Header().Get("X-Request-Id") {
			t.Errorf("the handler sees %q", e.ID)
		}
	})
	if got := lineOf(t, log)["request_id"]; got != w.Header().Get("X-Request-Id") {
		t.Errorf("the log has the id %v", got)
	}
	return w.Header().Get("X-Request-Id")
}

func TestEntryOfAForeignContextIsEmptyAndHarmless(t *testing.T) {
	t.Parallel()
	e := From(t.Context())
	e.Route = "x"
	if From(t.Context()).Route != "" {
		t.Error("a foreign context remembers an entry")
	}
}

func TestQuietLogWritesNothing(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	observed := 0
	h := Handler(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError})), nil, func(Answer) { observed++ }, http.NotFoundHandler())
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	if log.Len() != 0 || observed != 1 {
		t.Errorf("logged %q, observed %d times", log.String(), observed)
	}
}
