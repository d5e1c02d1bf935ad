package readers_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/readers"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/testenv"
)

// shelf is a published stepsy, and a clock that is moved by hand.
type shelf struct {
	*store.Store
	offset atomic.Int64
	id     int64
}

func (s *shelf) now() time.Time {
	return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(s.offset.Load()))
}

func openShelf(t *testing.T, c store.Config) *shelf {
	t.Helper()
	s := &shelf{}
	c.Now = s.now
	var err error
	if s.Store, err = store.Open(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	operator := store.Write{Actor: stepsies.Actor{Kind: stepsies.ActorOperator}}
	name, email, title := "sarah", "sarah@example.com", "Bread"
	if _, err := s.CreateUser(t.Context(), operator, stepsies.UserChange{Username: &name, Email: &email}, stepsies.AccountChange{}); err != nil {
		t.Fatal(err)
	}
	made, err := s.CreateStepsy(t.Context(), operator, name, stepsies.StepsyChange{Title: &title, Steps: &[]stepsies.StepChange{{Title: "Mix"}}, Publish: true})
	if err != nil {
		t.Fatal(err)
	}
	s.id = made.Value.ID
	return s
}

func (s *shelf) node() *readers.Counter {
	return readers.New(s.Store, s.now, slog.New(slog.DiscardHandler))
}

func (s *shelf) want(t *testing.T, views, completions int64) {
	t.Helper()
	got, err := s.Stepsy(t.Context(), s.id, stepsies.Access{Everyone: true})
	if err != nil || got.Views != views || got.Completions != completions {
		t.Errorf("%d views and %d completions (%v), want %d and %d", got.Views, got.Completions, err, views, completions)
	}
}

func flush(t *testing.T, nodes ...*readers.Counter) {
	t.Helper()
	for _, c := range nodes {
		if err := c.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReaderCountsOnceADayOnAllNodes has many readers go to and fro between two
// nodes, at the same time, and come back the next day.
func TestReaderCountsOnceADayOnAllNodes(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]func(*testing.T) store.Config{
		"sqlite":   func(t *testing.T) store.Config { return store.Config{Path: filepath.Join(t.TempDir(), "stepsies.db")} },
		"postgres": func(t *testing.T) store.Config { return store.Config{URL: testenv.Postgres(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openShelf(t, config(t))
			a, b := s.node(), s.node()
			read := func() {
				var all sync.WaitGroup
				for i := range 100 {
					all.Go(func() {
						who := fmt.Sprint("192.0.2.", i)
						for _, node := range []*readers.Counter{a, b, a} {
							node.Note(t.Context(), s.id, who, store.MarkView, store.MarkView)
						}
						if i%4 == 0 {
							b.Note(t.Context(), s.id, who, store.MarkCompletion, 1)
						}
						if i%10 == 0 {
							if err := a.Flush(t.Context()); err != nil {
								t.Error(err)
							}
						}
					})
				}
				all.Wait()
				flush(t, b, a)
			}
			read()
			s.want(t, 100, 25)
			s.offset.Add(int64(24 * time.Hour))
			read()
			s.want(t, 200, 50)
		})
	}
}

// TestDayBoundaryIsThatOfUTC counts a reader who reads on past midnight once on
// each day, though both are written after it.
func TestDayBoundaryIsThatOfUTC(t *testing.T) {
	t.Parallel()
	s := openShelf(t, store.Config{Path: filepath.Join(t.TempDir(), "stepsies.db")})
	c := s.node()
	s.offset.Store(int64(12*time.Hour - time.Millisecond))
	c.Note(t.Context(), s.id, "reader", store.MarkView)
	s.offset.Add(int64(time.Millisecond))
	c.Note(t.Context(), s.id, "reader", store.MarkView)
	c.Note(t.Context(), s.id, "reader", store.MarkView)
	flush(t, c)
	s.want(t, 2, 0)
	days, err := s.ReadingDays(t.Context(), s.id, 0)
	if err != nil || len(days) != 2 || days[1].Day != days[0].Day+1 {
		t.Errorf("the days are %+v (%v)", days, err)
	}
}

// TestWhatCannotBeWrittenIsKept closes the database for a while, in effect: a
// context that has ended.
func TestWhatCannotBeWrittenIsKept(t *testing.T) {
	t.Parallel()
	s := openShelf(t, store.Config{Path: filepath.Join(t.TempDir(), "stepsies.db")})
	c := s.node()
	for i := range 3000 { // more than one transaction takes
		c.Note(t.Context(), s.id, fmt.Sprint(i), store.MarkView)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := c.Flush(ended); err == nil {
		t.Error("the write succeeded")
	}
	flush(t, c)
	s.want(t, 3000, 0)
	flush(t, c)
	s.want(t, 3000, 0)
}

func BenchmarkNote(b *testing.B) {
	s := &shelf{}
	var err error
	if s.Store, err = store.Open(b.Context(), store.Config{Path: filepath.Join(b.TempDir(), "stepsies.db")}); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if _, err := s.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	c := s.node()
	b.ReportAllocs()
	for b.Loop() {
		c.Note(b.Context(), 1, "192.0.2.7\nMozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", store.MarkView)
	}
}
