package web_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/richtext"
	"github.com/stepsies/stepsies/internal/server"
	"github.com/stepsies/stepsies/internal/testenv"
)

// processorTime is what this process has taken of the processors.
func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkPublicPages asks for whole pages where a thousand stepsies are published, of
// seven steps of a kilobyte each. The metric cpu-µs/op is the time of all processors
// that one takes; with SQLite that is the database's too. What becomes of the database's
// part among a hundred thousand is BenchmarkPublic of package store.
func BenchmarkPublicPages(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run("engine="+engine, func(b *testing.B) {
			c := server.Config{DataDir: b.TempDir(), PublicURL: "http://stepsies.test", Migrate: true, Log: slog.New(slog.DiscardHandler)}
			if engine == "postgres" {
				c.DataDir, c.DatabaseURL = "", testenv.Postgres(b)
			}
			s, err := server.Open(b.Context(), c)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = s.Close() })
			publishMany(b, s, 1000)
			for name, path := range map[string]string{
				"stepsy": "/@author1/stepsy-number-1", "stepsy=followed": "/@author1/stepsy-number-1/follow",
				"front": "/", "newest": "/newest", "best-rated": "/best-rated", "category": "/categories/design", "author": "/@author1",
				"search=titles": "/search?q=stepsy+number", "search=steps": "/search?q=sequence+goal", "search=one": "/search?q=number+777", "search=none": "/search?q=zeppelin",
				"feed": "/feed.atom", "sitemap": "/sitemaps/1.xml",
			} {
				b.Run(name, func(b *testing.B) {
					before := processorTime()
					b.ReportAllocs()
					for b.Loop() {
						w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "http://stepsies.test"+path, nil)
						r.Header.Set("User-Agent", firefox) // a reader, who is counted
						s.Handler().ServeHTTP(w, r)
						if w.Code != http.StatusOK {
							b.Fatal(w.Code)
						}
					}
					b.ReportMetric(float64((processorTime()-before).Microseconds())/float64(b.N), "cpu-µs/op")
				})
			}
		})
	}
}

// publishMany publishes n stepsies by ten authors.
func publishMany(b *testing.B, s *server.Server, n int) {
	b.Helper()
	for i := range 10 {
		name, email := fmt.Sprint("author", i), fmt.Sprintf("author%d@example.com", i)
		if _, err := s.Store().CreateUser(b.Context(), operator, stepsies.UserChange{Username: &name, Email: &email}); err != nil {
			b.Fatal(err)
		}
	}
	var steps []stepsies.StepChange
	for i := range 7 {
		text := "<p>" + strings.Repeat("Before writing a single email, decide what it is for. ", 18) + fmt.Sprintf("Define the goal of sequence %d.</p>", i)
		steps = append(steps, stepsies.StepChange{Title: fmt.Sprint("Step ", i), Content: richtext.Sanitise(text)})
	}
	for i := range n {
		title, description := fmt.Sprint("Stepsy number ", i), "A description of some length, which says in two sentences what will be done. It fits on three lines."
		category := stepsies.Categories[i%len(stepsies.Categories)]
		_, err := s.Store().CreateStepsy(b.Context(), operator, fmt.Sprint("author", i%10), stepsies.StepsyChange{
			Title: &title, Description: &description, Category: &category, Publish: true, Steps: &steps,
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
