package ratelimit

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/testenv"
)

// startNode starts a node with the timeouts that are used otherwise.
func startNode(t *testing.T, server *testenv.RedisServer, w *wall, l *ledger) *Redis {
	t.Helper()
	c := redisConfig(server.URL(), w, l)
	c.Timeout = 0
	r, err := NewRedis(c)
	if err != nil {
		t.Fatal(err)
	}
	return flushing(t, r)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func back(t *testing.T, nodes ...*Redis) {
	t.Helper()
	for _, r := range nodes {
		eventually(t, "Redis is in use", func() bool { return !r.Degraded() })
	}
}

func TestRedisThatIsNotThereAtTheStartIsUsedOnceItIs(t *testing.T) {
	server := testenv.StartRedis(t)
	must(t, server.Kill())
	w, l := clockAt(t, noon), newLedger()
	r, plan := startNode(t, server, w, l), limits{Minute: 10, Month: 100}
	admitted, d := take(r, 1, plan, 8)
	if admitted != 8 || !d.Degraded || !r.Degraded() || r.Stats().RedisOutages != 1 {
		t.Errorf("without Redis admitted %d, %+v, %+v", admitted, d, r.Stats())
	}
	must(t, server.Start())
	back(t, r)
	if d := r.Take(context.Background(), 1, plan); d.Degraded || d.Minute.Remaining != 1 || d.Month.Remaining != 91 {
		t.Errorf("Redis was not told what was admitted without it: %+v", d)
	}
}

// TestIdleNodeNoticesThatRedisIsGone: nobody asks it for a decision.
func TestIdleNodeNoticesThatRedisIsGone(t *testing.T) {
	server := testenv.StartRedis(t)
	w, l := clockAt(t, noon), newLedger()
	r := startNode(t, server, w, l)
	back(t, r)
	for _, gone := range []struct{ end, back func() error }{{server.Kill, server.Start}, {server.Pause, server.Resume}} {
		must(t, gone.end())
		eventually(t, "the node knows that Redis is gone", r.Degraded)
		must(t, gone.back())
		back(t, r)
	}
}

func TestRedisThatForgotEverythingIsToldByTheNodes(t *testing.T) {
	server := testenv.StartRedis(t)
	w, l := clockAt(t, noon), newLedger()
	a, b := startNode(t, server, w, l), startNode(t, server, w, l)
	back(t, a, b)
	plan := limits{Minute: 100, Hour: 1000, Month: 5000}
	takeParallel([]limiter{a, b}, 1, plan, 4, 60)
	eventually(t, "both have saved", func() bool { return l.total(1) == 60 })
	a.Take(context.Background(), 1, plan) // so that both know of the others' requests
	b.Take(context.Background(), 1, plan)
	must(t, server.Kill())
	if admitted, d := take(a, 1, plan, 5); admitted != 5 || !d.Degraded || d.Minute.Remaining > 100-61-5 {
		t.Errorf("alone, the node forgot what Redis had said: %+v", d)
	}
	take(b, 1, plan, 5)
	must(t, server.Start())
	back(t, a, b)
	eventually(t, "both have told Redis what they admitted", func() bool {
		d := a.Peek(context.Background(), 1, plan)
		// What a node had not heard of when Redis ended may be missing from the minute.
		return !d.Degraded && d.Minute.Remaining <= 100-70 && d.Month.Remaining <= 5000-72
	})
	d := b.Peek(context.Background(), 1, plan)
	if d.Minute.Remaining < 100-72 || d.Month.Remaining != 5000-72 {
		t.Errorf("something was counted twice: %+v", d)
	}
}

func TestRedisThatWasAwayAndForgotNothingIsToldWhatItMissed(t *testing.T) {
	server := testenv.StartRedis(t)
	w, l := clockAt(t, noon), newLedger()
	r, other := startNode(t, server, w, l), startNode(t, server, w, l)
	back(t, r, other)
	plan := limits{Minute: 1000, Hour: 2000, Month: 5000}
	takeParallel([]limiter{r, other}, 1, plan, 4, 100)
	must(t, server.Pause())
	// One after the other, so that five at most are still waiting in Redis's socket.
	admitted, d := take(r, 1, plan, 50)
	if admitted != 50 || !d.Degraded || !r.Degraded() {
		t.Errorf("admitted %d, %+v", admitted, d)
	}
	must(t, server.Resume())
	back(t, r, other)
	eventually(t, "Redis has all of it", func() bool {
		d := other.Peek(context.Background(), 1, plan)
		return !d.Degraded && d.Minute.Remaining == 850 && d.Hour.Remaining == 1850 && d.Month.Remaining == 4850
	})
}

// TestOutagesUnderLoad kills, restarts and pauses Redis while 32 callers go on. The
// clock stands still, so that there is one minute, and the one node knows all that
// was admitted: it must never be more than the limit, whoever decides.
func TestOutagesUnderLoad(t *testing.T) {
	server := testenv.StartRedis(t)
	w, l := clockAt(t, noon), newLedger()
	r := startNode(t, server, w, l)
	back(t, r)
	const limit, accounts = 2000, 8
	plan := limits{Minute: limit, Hour: 10 * limit, Month: 10 * limit}
	var admitted [accounts]atomic.Int64
	var slowest, calls atomic.Int64
	stop := make(chan struct{})
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				account := rand.IntN(accounts)
				began := time.Now()
				if r.Take(context.Background(), int64(account), plan).Allowed {
					admitted[account].Add(1)
				}
				for took := int64(time.Since(began)); took > slowest.Load(); {
					slowest.Store(took)
				}
				calls.Add(1)
				time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
			}
		})
	}
	proceed := func(n int64) {
		t.Helper()
		until := calls.Load() + n
		eventually(t, "requests go on", func() bool { return calls.Load() >= until })
	}
	for range 2 {
		proceed(300)
		must(t, server.Kill())
		eventually(t, "the node notices", r.Degraded)
		proceed(300)
		must(t, server.Start())
		back(t, r)
		proceed(300)
		must(t, server.Pause())
		eventually(t, "the node notices", r.Degraded)
		proceed(300)
		must(t, server.Resume())
		back(t, r)
		proceed(300)
		must(t, server.Restart())
	}
	back(t, r)
	close(stop)
	group.Wait()
	eventually(t, "Redis knows of all of it", func() bool { return r.Stats().Owed == 0 })
	t.Logf("%d decisions, the slowest took %v; %+v", calls.Load(), time.Duration(slowest.Load()), r.Stats())
	if took := time.Duration(slowest.Load()); took > 2*time.Second {
		// 100 ms are meant; a machine that runs other tests may be late itself.
		t.Errorf("a decision took %v", took)
	}
	for account := range int64(accounts) {
		// Use up the rest, and see that nothing was forgotten.
		n := admitted[account].Load()
		rest := int64(takeParallel([]limiter{r}, account, plan, 8, limit+100))
		// A decision that Redis took and nobody heard of may have been used up in vain.
		if n+rest > limit || n+rest < limit-100 {
			t.Errorf("account %d was admitted %d and then %d times, the limit is %d", account, n, rest, limit)
		}
		admitted[account].Store(n + rest)
	}
	eventually(t, "all of it is saved", func() bool {
		for account := range int64(accounts) {
			if l.total(account) != admitted[account].Load() {
				return false
			}
		}
		return true
	})
}

func TestRedisThatTakesNoWritesIsNotUsed(t *testing.T) {
	server := testenv.StartRedis(t)
	w, l := clockAt(t, noon), newLedger()
	r := startNode(t, server, w, l)
	back(t, r)
	client := *r.client.Load()
	ctx := context.Background()
	must(t, client.Do(ctx, client.B().Arbitrary("CONFIG", "SET", "maxmemory", "1").Build()).Error())
	plan := limits{Minute: 100}
	if admitted, _ := take(r, 1, plan, 150); admitted != 100 || !r.Degraded() {
		t.Errorf("by a Redis that is full, admitted %d, degraded %v", admitted, r.Degraded())
	}
	must(t, client.Do(ctx, client.B().Arbitrary("CONFIG", "SET", "maxmemory", "0").Build()).Error())
	back(t, r)
	if d := r.Take(ctx, 1, plan); d.Allowed || d.Degraded {
		t.Errorf("%+v", d)
	}
}

func TestCloseDoesNotWaitForRedis(t *testing.T) {
	server := testenv.StartRedis(t)
	w, l := clockAt(t, noon), newLedger()
	c := redisConfig(server.URL(), w, l)
	r, err := NewRedis(c)
	must(t, err)
	take(r, 1, limits{Minute: 5}, 3)
	must(t, server.Pause())
	defer server.Resume()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := r.Close(ctx); err != nil || l.total(1) != 3 {
		t.Errorf("Close: %v, %d are saved", err, l.total(1))
	}
}
