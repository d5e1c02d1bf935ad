package api_test

import (
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

const parallel = 8

// atOnce sends the same request several times at the same moment.
func (in *installation) atOnce(method, path, body string, headers ...string) []answer {
	answers := make([]answer, parallel)
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() {
			<-start
			answers[i] = in.ask(method, path, body, headers...)
		})
	}
	close(start)
	group.Wait()
	return answers
}

// TestARequestRepeatedAtOnceHappensOnce sends one idempotent request several times
// before the first of them is answered.
func TestARequestRepeatedAtOnceHappensOnce(t *testing.T) {
	onEachEngine(t, func(t *testing.T, in *installation) {
		w := in.world(t)
		key, author := w.bearer("key"), w.get("author")
		for round := range 5 {
			first, replayed := "", 0
			for _, a := range in.atOnce("POST", "/v1/stepsies", `{"title":"Once"}`, key, fmt.Sprintf("Idempotency-Key: round %d", round)) {
				if first == "" {
					first = a.body
				}
				if a.status != 201 || a.body != first {
					t.Errorf("%d %s, another answer was %s", a.status, a.body, first)
				}
				if a.header.Get("Idempotency-Replayed") == "true" {
					replayed++
				}
			}
			if replayed != parallel-1 {
				t.Errorf("%d of %d answers are replayed", replayed, parallel)
			}
		}
		if n := len(at(t, w.read("/v1/stepsies?limit=100&user_id="+author), "data").([]any)); n != 5 {
			t.Errorf("%d stepsies were made, want 5", n)
		}
	})
}

// TestOneOfManyWritersWins lets several change the version that all of them have
// read.
func TestOneOfManyWritersWins(t *testing.T) {
	onEachEngine(t, func(t *testing.T, in *installation) {
		w := in.world(t)
		path, key := w.fill("/v1/stepsies/{draft}"), w.bearer("key")
		for round := range 5 {
			etag, won := w.stepsy(w.id("draft"), "ETag"), 0
			for _, a := range in.atOnce("PATCH", path, fmt.Sprintf(`{"title":"Round %d"}`, round), key, "If-Match: "+etag) {
				switch a.status {
				case 200:
					won++
				case 412:
				default:
					t.Errorf("%d %s", a.status, a.body)
				}
			}
			if won != 1 {
				t.Errorf("%d writers won", won)
			}
		}
	})
}

// TestEqualTitlesAtOnceGetSlugsOfTheirOwn makes stepsies whose slugs would be the
// same.
func TestEqualTitlesAtOnceGetSlugsOfTheirOwn(t *testing.T) {
	onEachEngine(t, func(t *testing.T, in *installation) {
		w := in.world(t)
		slugs := map[any]bool{}
		for _, a := range in.atOnce("POST", "/v1/stepsies", `{"title":"Equal"}`, w.bearer("key")) {
			if a.status != 201 {
				t.Errorf("%d %s", a.status, a.body)
				continue
			}
			slugs[at(t, a.body, "slug")] = true
		}
		for n := range parallel {
			slug := "equal"
			if n > 0 {
				slug = fmt.Sprintf("equal-%d", n+1)
			}
			if !slugs[slug] {
				t.Errorf("nobody got %s: %v", slug, slugs)
			}
		}
	})
}

// onRead runs once, when the body that it stands for is first read: after the
// request's key has been admitted.
type onRead struct {
	io.Reader
	once func()
}

func (r *onRead) Read(p []byte) (int, error) {
	if r.once != nil {
		r.once()
		r.once = nil
	}
	return r.Reader.Read(p)
}

// TestRequestOfAUserDeletedMeanwhileIsUnauthorized deletes the user of a key that
// has been admitted, before its request is carried out.
func TestRequestOfAUserDeletedMeanwhileIsUnauthorized(t *testing.T) {
	onEachEngine(t, func(t *testing.T, in *installation) {
		for _, c := range []struct{ method, path, body string }{
			{"POST", "/v1/stepsies", `{"title":"Too late"}`},
			{"PATCH", "/v1/me", `{"bio":"Too late."}`},
		} {
			w := in.world(t)
			dead := in.ask(c.method, c.path, c.body, "Authorization: Bearer sk_"+strings.Repeat("0", 48))
			r := httptest.NewRequest(c.method, "http://stepsies.example"+c.path, &onRead{strings.NewReader(c.body), func() {
				if err := in.Store().DeleteUser(t.Context(), operator, w.get("author")); err != nil {
					t.Error(err)
				}
			}})
			name, value, _ := strings.Cut(w.bearer("key"), ": ")
			r.Header.Set(name, value)
			rec := httptest.NewRecorder()
			in.handle.ServeHTTP(rec, r)
			if rec.Code != 401 || rec.Body.String() != dead.body || rec.Header().Get("WWW-Authenticate") != dead.header.Get("WWW-Authenticate") {
				t.Errorf("%s %s: %d %v %s, want what an unknown key gets: %s", c.method, c.path, rec.Code, rec.Header(), rec.Body, dead.body)
			}
		}
	})
}
