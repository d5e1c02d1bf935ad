package ratelimit

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/testenv"
)

// limiter is what both engines are to those who use them.
type limiter interface {
	Take(ctx context.Context, account int64, limits stepsies.Limits) Decision
	Peek(ctx context.Context, account int64, limits stepsies.Limits) Decision
	Degraded() bool
	Stats() Stats
	Flush(ctx context.Context) error
	Close(ctx context.Context) error
}

// wall is a clock that a test sets.
type wall struct{ unix atomic.Int64 }

func clockAt(t testing.TB, text string) *wall {
	t.Helper()
	w := &wall{}
	w.set(t, text)
	return w
}

func (w *wall) set(t testing.TB, text string) {
	t.Helper()
	at, err := time.Parse(time.DateTime, text)
	if err != nil {
		t.Fatal(err)
	}
	w.unix.Store(at.Unix())
}

func (w *wall) move(d time.Duration) { w.unix.Add(int64(d / time.Second)) }
func (w *wall) now() time.Time       { return time.Unix(w.unix.Load(), 0).UTC() }

// ledger keeps counts as the database does. It can be made to fail.
type ledger struct {
	mu       sync.Mutex
	days     map[[2]int64]int64 // by account and day
	loads    int
	saves    int
	failLoad atomic.Bool
	failSave atomic.Bool
	delay    time.Duration // before each answer
}

func newLedger() *ledger { return &ledger{days: make(map[[2]int64]int64)} }

var errAway = errors.New("the database is away")

func (l *ledger) load(_ context.Context, account int64, monthStart time.Time) (int64, error) {
	time.Sleep(l.delay)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.loads++
	if l.failLoad.Load() {
		return 0, errAway
	}
	var n int64
	first, next := monthStart.Unix()/daySeconds, monthStart.AddDate(0, 1, 0).Unix()/daySeconds
	for k, count := range l.days {
		if k[0] == account && k[1] >= first && k[1] < next {
			n += count
		}
	}
	return n, nil
}

func (l *ledger) save(_ context.Context, counts []DayCount) error {
	time.Sleep(l.delay)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.saves++
	if l.failSave.Load() {
		return errAway
	}
	if len(counts) > 500 {
		return errors.New("more than 500 counts at once")
	}
	seen := make(map[[2]int64]bool)
	for _, c := range counts {
		k := [2]int64{c.Account, c.Day}
		if seen[k] || c.Count <= 0 {
			return errors.New("an account and day twice, or nothing to count")
		}
		seen[k] = true
		l.days[k] += c.Count
	}
	return nil
}

func (l *ledger) total(account int64) (n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, count := range l.days {
		if k[0] == account {
			n += count
		}
	}
	return n
}

func (l *ledger) loadCount() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.loads
}

func config(w *wall, l *ledger) Config {
	return Config{LoadMonth: l.load, SaveDays: l.save, Now: w.now, Logger: slog.New(slog.DiscardHandler)}
}

// engine makes limiters of one kind; all that come from one call of its maker
// share what is outside of them.
type engine struct {
	name string
	// open returns a function that starts a limiter, as a node does.
	open func(t testing.TB, w *wall, l *ledger) func() limiter
}

var engines = []engine{
	{"memory", func(t testing.TB, w *wall, l *ledger) func() limiter {
		return func() limiter { return flushing(t, NewMemory(config(w, l))) }
	}},
	{"redis", func(t testing.TB, w *wall, l *ledger) func() limiter {
		server := testenv.StartRedis(t)
		return func() limiter { return newRedis(t, server.URL(), w, l) }
	}},
}

// newRedis starts a node that takes the time from w, and fails the test when it
// does not reach Redis.
func newRedis(t testing.TB, url string, w *wall, l *ledger) *Redis {
	t.Helper()
	r, err := NewRedis(redisConfig(url, w, l))
	if err != nil {
		t.Fatal(err)
	}
	flushing(t, r)
	eventually(t, "Redis is in use", func() bool { return !r.Degraded() })
	return r
}

func redisConfig(url string, w *wall, l *ledger) RedisConfig {
	return RedisConfig{
		Config: config(w, l), URL: url, testNow: w.unix.Load,
		// What is tested is whether it is right, on machines that are busy; the
		// tests of outages use the timeout that is used otherwise.
		Timeout: 5 * time.Second,
	}
}

// flushing is closing a limiter that is flushed meanwhile, as a server does.
func flushing[L limiter](t testing.TB, l L) L {
	closing(t, l)
	stop := flushEvery(100*time.Millisecond, l)
	t.Cleanup(stop)
	return l
}

// flushEvery flushes a limiter until it is told to stop.
func flushEvery(pause time.Duration, l limiter) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for ctx.Err() == nil {
			_ = l.Flush(context.Background()) // some databases fail on purpose
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
	}()
	return func() { cancel(); <-stopped }
}

func closing[L limiter](t testing.TB, l L) L {
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := l.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return l
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

// onEveryEngine runs one test on each engine.
func onEveryEngine(t *testing.T, start string, test func(t *testing.T, w *wall, l *ledger, open func() limiter)) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			w, l := clockAt(t, start), newLedger()
			test(t, w, l, e.open(t, w, l))
		})
	}
}

// take calls Take n times and returns how often it was admitted, and the last
// decision.
func take(l limiter, account int64, limits stepsies.Limits, n int) (admitted int, last Decision) {
	for range n {
		last = l.Take(context.Background(), account, limits)
		if last.Allowed {
			admitted++
		}
	}
	return admitted, last
}

// takeParallel has callers call Take until n calls were made by all of them.
func takeParallel(limiters []limiter, account int64, limits stepsies.Limits, callers, n int) int {
	var admitted, calls atomic.Int64
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			for calls.Add(1) <= int64(n) {
				if limiters[i%len(limiters)].Take(context.Background(), account, limits).Allowed {
					admitted.Add(1)
				}
			}
		})
	}
	group.Wait()
	return int(admitted.Load())
}
