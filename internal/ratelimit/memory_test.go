package ratelimit

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestDecisionInMemoryAllocatesNothing(t *testing.T) {
	w, l := clockAt(t, noon), newLedger()
	m := closing(t, NewMemory(config(w, l)))
	plan := limits{Minute: 1 << 40, Hour: 1 << 40, Month: 1 << 40}
	for account := range int64(1000) {
		m.Take(context.Background(), account, plan)
	}
	account := int64(0)
	if n := testing.AllocsPerRun(1000, func() {
		m.Take(context.Background(), account, plan)
		account = (account + 1) % 1000
	}); n != 0 {
		t.Errorf("%v allocations for a decision", n)
	}
}

// bubble runs a test on a limiter that is flushed every second by synctest's clock,
// as everything else goes by it.
func bubble(t *testing.T, test func(t *testing.T, m *Memory, l *ledger)) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		c := config(&wall{}, l)
		c.Now = time.Now
		m := NewMemory(c)
		time.Sleep(time.Millisecond) // so that the first Flush is a tick away from here
		stop := flushEvery(time.Second, m)
		synctest.Wait()
		test(t, m, l)
		stop()
		if err := m.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

// tick lets the next Flush have its turn.
func tick() {
	time.Sleep(time.Second + time.Millisecond)
	synctest.Wait()
}

func TestCountsAreSavedWhenFlushed(t *testing.T) {
	bubble(t, func(t *testing.T, m *Memory, l *ledger) {
		take(m, 1, limits{}, 10)
		if got := l.total(1); got != 0 || m.Stats().Unsaved != 1 {
			t.Errorf("%d are saved at once", got)
		}
		tick()
		if got := l.total(1); got != 10 || m.Stats().Unsaved != 0 {
			t.Errorf("%d are saved after a flush", got)
		}
	})
}

func TestMonthThatCannotBeLoadedBeginsAtZeroAndIsAddedLater(t *testing.T) {
	bubble(t, func(t *testing.T, m *Memory, l *ledger) {
		l.days[[2]int64{1, time.Now().Unix() / daySeconds}] = 40
		l.failLoad.Store(true)
		l.failSave.Store(true)
		plan := limits{Month: 50}
		if admitted, d := take(m, 1, plan, 5); admitted != 5 || d.Month.Remaining != 45 {
			t.Fatalf("admitted %d, %+v", admitted, d)
		}
		take(m, 2, plan, 5)
		if l.loadCount() != 1 {
			t.Errorf("%d loads: an account waited for a database that was known to be away", l.loadCount())
		}
		tick()
		l.failSave.Store(false) // writes come back first
		tick()
		l.failLoad.Store(false)
		tick()
		if d := m.Peek(context.Background(), 1, plan); d.Month.Remaining != 5 {
			t.Errorf("once it can be loaded, %d of 50 remain, want 5: %+v", d.Month.Remaining, d)
		}
		if d := m.Peek(context.Background(), 2, plan); d.Month.Remaining != 45 {
			t.Errorf("the other account: %+v", d)
		}
		if s := m.Stats(); s.LoadFailures == 0 || s.SaveFailures == 0 {
			t.Errorf("failures are not counted: %+v", s)
		}
		if admitted, _ := take(m, 3, plan, 60); admitted != 50 || m.loadsFail.Load() {
			t.Errorf("a third account was admitted %d times", admitted)
		}
	})
}

func TestMonthIsLoadedRightWhileNothingCanBeSaved(t *testing.T) {
	bubble(t, func(t *testing.T, m *Memory, l *ledger) {
		l.days[[2]int64{1, time.Now().Unix() / daySeconds}] = 40
		l.failLoad.Store(true)
		l.failSave.Store(true)
		take(m, 1, limits{Month: 50}, 5)
		l.failLoad.Store(false)
		for range 3 {
			tick()
			if d := m.Peek(context.Background(), 1, limits{Month: 50}); d.Month.Remaining != 5 {
				t.Errorf("%d of 50 remain, want 5", d.Month.Remaining)
			}
			l.failSave.Store(false)
		}
	})
}

func TestLoadAndWriteOfAnAccountExcludeEachOther(t *testing.T) {
	for _, first := range []string{"load", "write"} {
		t.Run(first, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLedger()
				l.days[[2]int64{1, time.Now().Unix() / daySeconds}] = 40
				c := config(&wall{}, l)
				c.Now = time.Now
				// A load is old when it comes, a write is slow to have an effect.
				c.LoadMonth = func(ctx context.Context, account int64, month time.Time) (int64, error) {
					defer time.Sleep(100 * time.Millisecond)
					return l.load(ctx, account, month)
				}
				c.SaveDays = func(ctx context.Context, counts []DayCount) error {
					time.Sleep(100 * time.Millisecond)
					return l.save(ctx, counts)
				}
				m := NewMemory(c)
				defer m.Close(context.Background())
				hungUp, cancel := context.WithCancel(context.Background())
				cancel()
				for range 3 { // counted, and nothing known of the month yet
					m.Take(hungUp, 1, limits{Month: 50})
				}
				load := func() { m.Peek(context.Background(), 1, limits{Month: 50}) }
				write := func() { _ = m.save(context.Background()) }
				if first == "load" {
					go load()
					synctest.Wait()
					write()
				} else {
					go write()
					synctest.Wait()
					load()
				}
				time.Sleep(time.Second)
				write()
				if d := m.Peek(context.Background(), 1, limits{Month: 50}); d.Month.Remaining != 7 || l.total(1) != 43 {
					t.Errorf("%d of 50 remain after 40 and 3, and %d are saved", d.Month.Remaining, l.total(1))
				}
			})
		})
	}
}

func TestCountsThatCannotBeSavedAreKept(t *testing.T) {
	bubble(t, func(t *testing.T, m *Memory, l *ledger) {
		l.failSave.Store(true)
		for account := range int64(2000) {
			take(m, account, limits{}, 1)
		}
		for range 5 {
			take(m, 1, limits{}, 1)
			tick()
		}
		l.failSave.Store(false)
		tick()
		for account := range int64(2000) {
			want := int64(1)
			if account == 1 {
				want = 6
			}
			if got := l.total(account); got != want {
				t.Fatalf("account %d: %d are saved, want %d", account, got, want)
			}
		}
	})
}

func TestDatabaseThatIsAwayForWeeksIsOwedABoundedNumberOfDays(t *testing.T) {
	w, l := clockAt(t, noon), newLedger()
	m := closing(t, NewMemory(config(w, l)))
	l.failSave.Store(true)
	for range 60 {
		take(m, 1, limits{}, 1)
		if err := m.save(context.Background()); err == nil {
			t.Fatal("saved")
		}
		w.move(24 * time.Hour)
	}
	l.failSave.Store(false)
	if err := m.save(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got, s := l.total(1), m.Stats(); got != maxUnsavedDays || s.DroppedDays != 60-maxUnsavedDays {
		t.Errorf("%d days are saved and %d dropped", got, s.DroppedDays)
	}
	if l.days[[2]int64{1, w.unix.Load()/daySeconds - 1}] != 1 {
		t.Error("the latest day was dropped")
	}
}

func TestSlowDatabaseHoldsUpTheFirstRequestForHalfASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		c := config(&wall{}, l)
		c.Now = time.Now
		c.LoadMonth = func(ctx context.Context, _ int64, _ time.Time) (int64, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		}
		m := NewMemory(c)
		defer m.Close(context.Background())
		began := time.Now()
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() { m.Take(context.Background(), 1, limits{Month: 5}) })
		}
		group.Wait()
		m.Take(context.Background(), 1, limits{Month: 50})
		m.Take(context.Background(), 2, limits{Month: 50})
		if waited := time.Since(began); waited != loadTimeout {
			t.Errorf("waited %v", waited)
		}
		hungUp, cancel := context.WithCancel(context.Background())
		cancel()
		if d := m.Take(hungUp, 3, limits{Month: 1}); !d.Allowed || time.Since(began) != loadTimeout {
			t.Errorf("a client that hung up: %+v", d)
		}
	})
}

func TestClientThatHangsUpDoesNotFailTheLoadOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		c := config(&wall{}, l)
		c.Now = time.Now
		c.LoadMonth = func(ctx context.Context, _ int64, _ time.Time) (int64, error) {
			select {
			case <-time.After(100 * time.Millisecond):
				return 7, nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
		m := NewMemory(c)
		defer m.Close(context.Background())
		ctx, cancel := context.WithCancel(context.Background())
		go m.Take(ctx, 1, limits{Month: 10})
		synctest.Wait()
		cancel()
		if d := m.Take(context.Background(), 1, limits{Month: 10}); d.Month.Remaining != 1 {
			t.Errorf("%+v", d)
		}
	})
}

func TestIdleAccountsAreForgottenAndTheirMonthComesBack(t *testing.T) {
	bubble(t, func(t *testing.T, m *Memory, l *ledger) {
		plan := limits{Minute: 10, Month: 100}
		for account := range int64(500) {
			take(m, account, plan, 3)
		}
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		if got := m.Stats().Accounts; got != 500 {
			t.Errorf("%d accounts are known within their hour", got)
		}
		l.failSave.Store(true)
		take(m, 7, plan, 1)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if got := m.Stats().Accounts; got != 1 {
			t.Errorf("%d accounts are known after their hour, want the one that is not saved", got)
		}
		l.failSave.Store(false)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got := m.Stats().Accounts; got != 0 {
			t.Errorf("%d accounts are known, want none", got)
		}
		if d := m.Take(context.Background(), 7, plan); d.Month.Remaining != 95 || d.Minute.Remaining != 9 {
			t.Errorf("%+v", d)
		}
	})
}

// TestNothingIsLostOrCountedTwiceWhileAccountsAreForgottenLoadedAndSaved has all of
// it happen at once, on a database that fails now and then.
func TestNothingIsLostOrCountedTwiceWhileAccountsAreForgottenLoadedAndSaved(t *testing.T) {
	w, l := clockAt(t, "2024-03-01 00:00:00"), newLedger()
	l.delay = 20 * time.Microsecond
	c := config(w, l)
	m := closing(t, NewMemory(c))
	const accounts, quota, callers, hours = 64, 100, 16, 250
	plan := limits{Month: quota}
	admitted := make([][accounts]int64, callers)
	var calls atomic.Int64
	done := make(chan struct{})
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				account := rand.IntN(accounts)
				if m.Take(context.Background(), int64(account), plan).Allowed {
					admitted[i][account]++
				}
				calls.Add(1)
				// So that an account is left alone for a moment now and then.
				time.Sleep(time.Duration(rand.IntN(300)) * time.Microsecond)
			}
		})
	}
	for hour := range hours { // all within the month
		for until := calls.Load() + 30; calls.Load() < until; {
			runtime.Gosched()
		}
		l.failSave.Store(hour%3 == 0)
		_ = m.save(context.Background()) // fails every third time; Flush would sweep a part only
		w.move(time.Hour)                // makes those idle that are saved
		m.sweep(shardCount)
	}
	close(done)
	group.Wait()
	for account := range accounts { // the rest
		n, _ := take(m, int64(account), plan, quota+1)
		admitted[0][account] += int64(n)
	}
	l.failSave.Store(false)
	if err := m.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if l.loadCount() < 3*accounts {
		t.Errorf("accounts were loaded %d times only: few were forgotten", l.loadCount())
	}
	for account := range int64(accounts) {
		var sum int64
		for i := range admitted {
			sum += admitted[i][account]
		}
		if sum != quota || l.total(account) != quota {
			t.Errorf("account %d: admitted %d, saved %d, want %d", account, sum, l.total(account), quota)
		}
	}
}

func TestCloseReportsWhatCouldNotBeSaved(t *testing.T) {
	w, l := clockAt(t, noon), newLedger()
	m := NewMemory(config(w, l))
	l.failSave.Store(true)
	take(m, 1, limits{}, 1)
	if err := m.Close(context.Background()); err == nil {
		t.Error("Close lost a count without a word")
	}
	l.failSave.Store(false)
	if err := m.Close(context.Background()); err != nil || l.total(1) != 1 {
		t.Errorf("a second Close: %v, %d are saved", err, l.total(1))
	}
}

func TestConfigWithoutADatabaseIsRefused(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a limiter without a database was made")
		}
	}()
	NewMemory(Config{})
}
