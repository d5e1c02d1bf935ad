package bench

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/server"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/testenv"
)

// accounts is how many users call in turn, each with a key of their own.
const accounts = 64

// BenchmarkAdmission sends requests that are admitted up to the last check and then
// refused for their scope, so that nothing is measured but admission: finding the
// route, parsing and looking up the key, counting for its account, comparing the
// scope, and a line of JSON in answer and log.
func BenchmarkAdmission(b *testing.B) {
	onInstallations(b, func(b *testing.B, in *installation) {
		in.ask(b, http.StatusForbidden, "POST", "/v1/stepsies", "{}")
	})
}

// BenchmarkGetStepsy is the same with the scope that is asked for, and a stepsy of
// five steps in answer.
func BenchmarkGetStepsy(b *testing.B) {
	onInstallations(b, func(b *testing.B, in *installation) {
		in.ask(b, http.StatusOK, "GET", fmt.Sprintf("/v1/stepsies/%d", in.stepsy), "")
	})
}

// installation is a server without a network around it.
type installation struct {
	handler http.Handler
	keys    []string
	stepsy  int64
	callers int
}

// onInstallations runs a benchmark on each engine with each limiter that goes with
// it, from one caller and from sixteen at once.
func onInstallations(b *testing.B, bench func(*testing.B, *installation)) {
	for _, kind := range []struct {
		name            string
		postgres, redis bool
	}{{"sqlite+memory", false, false}, {"postgres+memory", true, false}, {"postgres+redis", true, true}} {
		b.Run(kind.name, func(b *testing.B) {
			c := server.Config{
				DataDir: b.TempDir(), PublicURL: "http://localhost", RateLimits: true, Migrate: true,
				Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), // written, as in earnest
			}
			if kind.postgres {
				c.DatabaseURL = testenv.Postgres(b)
			}
			if kind.redis {
				c.RedisURL = testenv.StartRedis(b).URL()
			}
			in := open(b, c)
			for _, callers := range []int{1, 16} {
				b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
					in.callers = callers
					bench(b, in)
				})
			}
		})
	}
}

func open(b *testing.B, c server.Config) *installation {
	s, err := server.Open(b.Context(), c)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	in := &installation{handler: s.Handler()}
	w := store.Write{Actor: auth.Operator().Actor}
	for i := range accounts {
		name := fmt.Sprintf("caller%d", i)
		far := stepsies.Limits{Minute: stepsies.MaxLimit, Hour: stepsies.MaxLimit, Month: stepsies.MaxLimit}
		if _, err := s.Store().CreateUser(b.Context(), w, stepsies.UserChange{
			Username: &name, Email: new(name + "@example.com"),
		}, stepsies.AccountChange{Plan: new(string(stepsies.PlanEnterprise)), Limits: &far}); err != nil {
			b.Fatal(err)
		}
		secret := stepsies.NewSecret()
		if _, err := s.Store().CreateAPIKey(b.Context(), w, name, stepsies.KeyChange{
			Name: new("bench"), Scopes: &[]string{"read"},
		}, secret); err != nil {
			b.Fatal(err)
		}
		in.keys = append(in.keys, "Bearer "+secret.Reveal())
	}
	in.stepsy = in.publish(b, s)
	return in
}

// publish makes a stepsy that everyone may read, through the operator's door.
func (in *installation) publish(b *testing.B, s *server.Server) int64 {
	b.Helper()
	var steps []string
	for i := range 5 {
		steps = append(steps, fmt.Sprintf(`{"title":"Step %d","content":"<p>%s</p>"}`, i+1, strings.Repeat("Before writing a single email, decide what it is for. ", 6)))
	}
	body := `{"user_id":"caller0","title":"Email Welcome Sequence Blueprint","status":"published","steps":[` + strings.Join(steps, ",") + `]}`
	r := httptest.NewRequestWithContext(b.Context(), "POST", "/v1/stepsies", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	s.OperatorHandler().ServeHTTP(rec, r)
	var id int64
	if _, err := fmt.Sscanf(rec.Body.String(), `{"id":%d,`, &id); err != nil || rec.Code != http.StatusCreated {
		b.Fatal(rec.Code, rec.Body, err)
	}
	return id
}

// ask shares the iterations between the callers. Each request goes through the
// whole handler and has to be answered with the status.
func (in *installation) ask(b *testing.B, status int, method, path, body string) {
	b.ReportAllocs()
	b.ResetTimer()
	var wait sync.WaitGroup
	for c := range in.callers {
		wait.Go(func() {
			for i := c; i < b.N; i += in.callers {
				r := httptest.NewRequestWithContext(b.Context(), method, path, strings.NewReader(body))
				r.Header.Set("Authorization", in.keys[i%len(in.keys)])
				rec := httptest.NewRecorder()
				in.handler.ServeHTTP(rec, r)
				if rec.Code != status {
					b.Errorf("status %d, want %d: %.200s", rec.Code, status, rec.Body)
					return
				}
			}
		})
	}
	wait.Wait()
}
