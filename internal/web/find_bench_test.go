package web_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
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

// BenchmarkPublicPages asks for whole pages where a thousand, and where a hundred
// thousand stepsies are published: seven steps of a kilobyte each in every one of the
// thousand, a short one in the others. The metric cpu-µs/op is the time of all processors
// that one takes; with SQLite that is the database's too. Making the hundred thousand
// takes minutes.
func BenchmarkPublicPages(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		for _, n := range []int{1_000, 100_000} {
			b.Run(fmt.Sprintf("engine=%s/stepsies=%d", engine, n), func(b *testing.B) {
				c := server.Config{DataDir: b.TempDir(), PublicURL: "http://stepsies.test", Migrate: true, Log: slog.New(slog.DiscardHandler)}
				if engine == "postgres" {
					c.DataDir, c.DatabaseURL = "", testenv.Postgres(b)
				}
				s, err := server.Open(b.Context(), c)
				if err != nil {
					b.Fatal(err)
				}
				b.Cleanup(func() { _ = s.Close() })
				publishMany(b, s, n)
				for _, page := range []struct{ name, path string }{
					{"stepsy", "/@author1/stepsy-number-1"}, {"stepsy=followed", "/@author1/stepsy-number-1/follow"},
					{"front", "/"}, {"newest", "/newest"}, {"best-rated", "/best-rated"}, {"category", "/categories/design"}, {"author", "/@author1"},
					{"search=titles", "/search?q=stepsy+number"}, {"search=steps", "/search?q=sequence+goal"},
					{"search=one", "/search?q=number+777"}, {"search=none", "/search?q=zeppelin"},
					{"feed", "/feed.atom"}, {"sitemap", "/sitemaps/1.xml"},
				} {
					b.Run(page.name, func(b *testing.B) {
						before, searches := processorTime(), 0
						b.ReportAllocs()
						for b.Loop() {
							w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "http://stepsies.test"+page.path, nil)
							r.Header.Set("User-Agent", firefox) // a reader, who is counted
							searches++                          // each from an address of its own, since they are limited
							if strings.HasPrefix(page.path, "/search") {
								r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1234", searches>>16&255, searches>>8&255, searches&255)
							}
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
}

// publishMany publishes n stepsies by ten authors, a thousand of them long.
func publishMany(b *testing.B, s *server.Server, n int) {
	b.Helper()
	for i := range 10 {
		name, email := fmt.Sprint("author", i), fmt.Sprintf("author%d@example.com", i)
		if _, err := s.Store().CreateUser(b.Context(), operator, stepsies.UserChange{Username: &name, Email: &email}, stepsies.AccountChange{}); err != nil {
			b.Fatal(err)
		}
	}
	short := []stepsies.StepChange{{Title: "The one step", Content: richtext.Sanitise("<p>Short.</p>")}}
	var long []stepsies.StepChange
	for i := range 7 {
		text := "<p>" + strings.Repeat("Before writing a single email, decide what it is for. ", 18) + fmt.Sprintf("Define the goal of sequence %d.</p>", i)
		long = append(long, stepsies.StepChange{Title: fmt.Sprint("Step ", i), Content: richtext.Sanitise(text)})
	}
	var group sync.WaitGroup
	for author := range 10 { // at the same time, so that they share what a commit costs
		group.Go(func() {
			for i := author; i < n; i += 10 {
				title, description := fmt.Sprint("Stepsy number ", i), "A description of some length, which says in two sentences what will be done. It fits on three lines."
				category, steps := stepsies.Categories[i%len(stepsies.Categories)], &short
				if i < 1000 {
					steps = &long
				}
				_, err := s.Store().CreateStepsy(b.Context(), operator, fmt.Sprint("author", author), stepsies.StepsyChange{
					Title: &title, Description: &description, Category: &category, Publish: true, Steps: steps,
				})
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
}
