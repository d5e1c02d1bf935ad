package ratelimit

import (
	"context"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stepsies/stepsies"
)

type limits = stepsies.Limits

const noon = "2024-03-15 12:00:00"

func TestNoWindowAdmitsMoreThanItsLimitToParallelCallers(t *testing.T) {
	for name, l := range map[string]limits{
		"minute": {Minute: 300, Hour: 10_000, Month: 50_000},
		"hour":   {Minute: 10_000, Hour: 300, Month: 50_000},
		"month":  {Minute: 10_000, Hour: 50_000, Month: 300},
		"all":    {Minute: 300, Hour: 300, Month: 300},
	} {
		t.Run(name, func(t *testing.T) {
			onEveryEngine(t, noon, func(t *testing.T, _ *wall, _ *ledger, open func() limiter) {
				lim := open()
				if got := takeParallel([]limiter{lim}, 1, l, 64, 3000); got != 300 {
					t.Errorf("64 callers were admitted %d times, the limit is 300", got)
				}
				if d := lim.Peek(context.Background(), 1, l); d.Allowed || d.RetryAfter < 1 {
					t.Errorf("after that: %+v", d)
				}
			})
		})
	}
}

func TestWindowsEndWithTheMinuteHourAndCalendarMonth(t *testing.T) {
	for _, c := range []struct {
		name       string
		at, resets string
		limits     limits
		exceeded   Period
	}{
		{"minute", "2024-03-15 12:00:59", "2024-03-15 12:01:00", limits{Minute: 2}, Minute},
		{"minute from its start", "2024-03-15 12:00:00", "2024-03-15 12:01:00", limits{Minute: 2}, Minute},
		{"hour", "2024-03-15 12:59:30", "2024-03-15 13:00:00", limits{Minute: 100, Hour: 2}, Hour},
		{"hour at midnight", "2024-03-15 23:00:00", "2024-03-16 00:00:00", limits{Hour: 2}, Hour},
		{"month of 31 days", "2024-03-01 00:00:00", "2024-04-01 00:00:00", limits{Month: 2}, Month},
		{"month of 30 days", "2024-04-30 23:59:59", "2024-05-01 00:00:00", limits{Minute: 9, Hour: 9, Month: 2}, Month},
		{"leap year, the 28th", "2024-02-28 23:59:59", "2024-03-01 00:00:00", limits{Month: 2}, Month},
		{"leap year, the 29th", "2024-02-29 12:00:00", "2024-03-01 00:00:00", limits{Month: 2}, Month},
		{"no leap year", "2023-02-28 23:59:59", "2023-03-01 00:00:00", limits{Month: 2}, Month},
		{"2100 is none", "2100-02-28 12:00:00", "2100-03-01 00:00:00", limits{Month: 2}, Month},
		{"end of the year", "2024-12-31 23:59:58", "2025-01-01 00:00:00", limits{Month: 2}, Month},
		{"all at once", "2024-12-31 23:59:58", "2025-01-01 00:00:00", limits{Minute: 2, Hour: 2, Month: 2}, Month},
	} {
		t.Run(c.name, func(t *testing.T) {
			onEveryEngine(t, c.at, func(t *testing.T, w *wall, _ *ledger, open func() limiter) {
				lim, end := open(), clockAt(t, c.resets).unix.Load()
				admitted, d := take(lim, 1, c.limits, 5)
				if admitted != 2 || d.Exceeded != c.exceeded {
					t.Fatalf("admitted %d of 5, at last %+v", admitted, d)
				}
				if want := end - w.unix.Load(); d.RetryAfter != want {
					t.Errorf("retry after %d s, want %d", d.RetryAfter, want)
				}
				if reset := map[Period]int64{Minute: d.Minute.Reset, Hour: d.Hour.Reset, Month: d.Month.Reset}[c.exceeded]; reset != end {
					t.Errorf("resets at %d, want %d", reset, end)
				}
				w.unix.Store(end - 1)
				if d := lim.Take(context.Background(), 1, c.limits); d.Allowed && c.exceeded != Minute || d.Allowed && d.Minute.Reset == end {
					t.Errorf("a second before the end: %+v", d)
				} else if !d.Allowed && d.RetryAfter != 1 {
					t.Errorf("retry after %d s, want 1", d.RetryAfter)
				}
				w.unix.Store(end)
				if admitted, _ := take(lim, 1, c.limits, 5); admitted != 2 {
					t.Errorf("the next window admitted %d, want 2", admitted)
				}
			})
		})
	}
}

func TestRefusedRequestsConsumeNothing(t *testing.T) {
	onEveryEngine(t, noon, func(t *testing.T, w *wall, l *ledger, open func() limiter) {
		lim, plan := open(), limits{Minute: 2, Hour: 5, Month: 6}
		_, d := take(lim, 1, plan, 50)
		want := Decision{
			Exceeded: Minute, RetryAfter: 60,
			Minute: Window{2, 0, w.unix.Load() + 60},
			Hour:   Window{5, 3, w.unix.Load() + 3600},
			Month:  Window{6, 4, clockAt(t, "2024-04-01 00:00:00").unix.Load()},
		}
		if d != want {
			t.Errorf("refused by the minute:\n%+v, want\n%+v", d, want)
		}
		w.move(time.Minute)
		take(lim, 1, plan, 50)
		w.move(time.Minute)
		if admitted, d := take(lim, 1, plan, 50); admitted != 1 || d.Exceeded != Hour || d.Minute.Remaining != 1 || d.Month.Remaining != 1 {
			t.Errorf("refused by the hour: admitted %d, %+v", admitted, d)
		}
		w.move(time.Hour)
		if admitted, d := take(lim, 1, plan, 50); admitted != 1 || d.Exceeded != Month || d.Minute.Remaining != 1 || d.Hour.Remaining != 4 {
			t.Errorf("refused by the month: admitted %d, %+v", admitted, d)
		}
		eventually(t, "6 requests are saved, and no refused one", func() bool { return l.total(1) == 6 })
	})
}

func TestTheLongestWaitIsReported(t *testing.T) {
	onEveryEngine(t, noon, func(t *testing.T, _ *wall, _ *ledger, open func() limiter) {
		lim := open()
		for account, c := range []struct {
			limits   limits
			exceeded Period
		}{
			{limits{Minute: 1, Hour: 1, Month: 1}, Month},
			{limits{Minute: 1, Hour: 1, Month: 2}, Hour},
			{limits{Minute: 1, Hour: 2, Month: 1}, Month},
			{limits{Minute: 1, Hour: 2, Month: 2}, Minute},
		} {
			if _, d := take(lim, int64(account), c.limits, 2); d.Exceeded != c.exceeded {
				t.Errorf("%+v: exceeded the %v, want the %v", c.limits, d.Exceeded, c.exceeded)
			}
		}
	})
}

func TestChangingThePlanKeepsTheCounts(t *testing.T) {
	onEveryEngine(t, noon, func(t *testing.T, _ *wall, _ *ledger, open func() limiter) {
		lim, ctx := open(), context.Background()
		free, pro := stepsies.LimitsOf(stepsies.PlanFree, limits{}), stepsies.LimitsOf(stepsies.PlanPro, limits{})
		if admitted, _ := take(lim, 1, free, 100); admitted != 60 {
			t.Fatalf("free admitted %d", admitted)
		}
		d := lim.Take(ctx, 1, pro)
		if !d.Allowed || d.Minute.Remaining != 239 || d.Month.Remaining != 49_939 {
			t.Errorf("after the upgrade: %+v", d)
		}
		if d = lim.Take(ctx, 1, free); d.Allowed || d.Minute != (Window{60, 0, d.Minute.Reset}) {
			t.Errorf("after the downgrade: %+v", d)
		}
		if d = lim.Take(ctx, 1, limits{}); !d.Allowed || d.Minute.Limit != 0 || d.Minute.Remaining != 0 {
			t.Errorf("without limits: %+v", d)
		}
		// Even what was counted without limits counts.
		if d = lim.Peek(ctx, 1, pro); d.Minute.Remaining != 238 || d.Hour.Remaining != 9_938 || d.Month.Remaining != 49_938 {
			t.Errorf("with limits again: %+v", d)
		}
	})
}

func TestAccountsDoNotShareAndKeysOfOneDo(t *testing.T) {
	onEveryEngine(t, noon, func(t *testing.T, _ *wall, _ *ledger, open func() limiter) {
		lim, plan := open(), limits{Minute: 10, Hour: 100, Month: 100}
		// A key is not known here: whichever it is, its account counts.
		if got := takeParallel([]limiter{lim, lim}, 7, plan, 16, 100); got != 10 {
			t.Errorf("one account was admitted %d times", got)
		}
		for _, account := range []int64{8, -8, 0, 1 << 62} {
			if got, _ := take(lim, account, plan, 20); got != 10 {
				t.Errorf("account %d was admitted %d times", account, got)
			}
		}
	})
}

func TestPeekCountsNothing(t *testing.T) {
	onEveryEngine(t, noon, func(t *testing.T, w *wall, l *ledger, open func() limiter) {
		l.days[[2]int64{1, w.unix.Load() / daySeconds}] = 4
		lim, plan, ctx := open(), limits{Minute: 2, Month: 5}, context.Background()
		for range 10 {
			if d := lim.Peek(ctx, 1, plan); !d.Allowed || d.Minute.Remaining != 2 || d.Month.Remaining != 1 || d.Hour.Limit != 0 {
				t.Fatalf("%+v", d)
			}
		}
		if d := lim.Take(ctx, 1, plan); !d.Allowed || d.Month.Remaining != 0 {
			t.Fatalf("%+v", d)
		}
		if d := lim.Peek(ctx, 1, plan); d.Allowed || d.Exceeded != Month || d.RetryAfter < 1 {
			t.Errorf("%+v", d)
		}
		if s := lim.Stats(); s.Memory.Allowed+s.Redis.Allowed != 1 || s.Memory.RefusedMonth+s.Redis.RefusedMonth != 0 {
			t.Errorf("looking was counted as a decision: %+v", s)
		}
	})
}

func TestClockThatGoesBackOpensNoWindowTwice(t *testing.T) {
	for name, back := range map[string]time.Duration{
		"1 s": time.Second, "59 s": 59 * time.Second, "61 s": 61 * time.Second, "90 min": 90 * time.Minute, "40 days": 40 * 24 * time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			onEveryEngine(t, "2024-03-01 00:00:00", func(t *testing.T, w *wall, _ *ledger, open func() limiter) {
				lim, plan := open(), limits{Minute: 5, Hour: 8, Month: 100}
				if admitted, _ := take(lim, 1, plan, 10); admitted != 5 {
					t.Fatalf("admitted %d", admitted)
				}
				w.move(-back)
				admitted, d := take(lim, 1, plan, 10)
				if admitted != 0 || d.Exceeded != Minute {
					t.Fatalf("after the step admitted %d, %+v", admitted, d)
				}
				if d.RetryAfter > 60 || d.Minute.Reset != w.unix.Load()+d.RetryAfter {
					t.Errorf("by a clock at %d: %+v", w.unix.Load(), d)
				}
				await := func(longest time.Duration) {
					t.Helper()
					began := w.now()
					for d := lim.Peek(context.Background(), 1, plan); !d.Allowed; d = lim.Peek(context.Background(), 1, plan) {
						w.move(time.Duration(d.RetryAfter) * time.Second)
					}
					if waited := w.now().Sub(began); waited > longest+min(back, longest) {
						t.Errorf("waited %v", waited)
					}
				}
				await(time.Minute)
				if admitted, d := take(lim, 1, plan, 10); admitted != 3 || d.Exceeded != Hour {
					t.Errorf("a minute on admitted %d, %+v", admitted, d)
				}
				// Back and forth within the minute changes nothing.
				for range 5 {
					w.move(-2 * time.Second)
					if admitted, _ := take(lim, 1, plan, 3); admitted != 0 {
						t.Errorf("another step back admitted %d", admitted)
					}
					w.move(2 * time.Second)
				}
				await(time.Hour)
				if admitted, d := take(lim, 1, plan, 10); admitted != 5 || d.Month.Remaining != 100-13 {
					t.Errorf("an hour on admitted %d, %+v", admitted, d)
				}
				w.move(back + time.Hour)
				if _, d := take(lim, 1, plan, 1); d.Minute.Reset != w.unix.Load()-w.unix.Load()%60+60 {
					t.Errorf("the account did not follow the clock again: at %d, %+v", w.unix.Load(), d)
				}
			})
		})
	}
}

// TestDecisionsAreThoseOfTheSimplestLimiter compares with one that remembers every
// request.
func TestDecisionsAreThoseOfTheSimplestLimiter(t *testing.T) {
	onEveryEngine(t, "2024-01-31 23:58:00", func(t *testing.T, w *wall, _ *ledger, open func() limiter) {
		lim, account := open(), int64(0)
		rapid.Check(t, func(t *rapid.T) {
			account++
			var admitted []int64
			count := func(same func(time.Time) time.Time) (n int64) {
				for _, at := range admitted {
					if same(time.Unix(at, 0).UTC()).Equal(same(w.now())) {
						n++
					}
				}
				return n
			}
			for range rapid.IntRange(1, 60).Draw(t, "requests") {
				w.move(time.Duration(rapid.SampledFrom([]int{0, 0, 0, 1, 20, 60, 600, 3600, 86_400}).Draw(t, "step")) * time.Second)
				small := rapid.Int64Range(0, 6)
				plan := limits{Minute: small.Draw(t, "minute"), Hour: small.Draw(t, "hour"), Month: small.Draw(t, "month")}
				minute := count(func(at time.Time) time.Time { return at.Truncate(time.Minute) })
				hour := count(func(at time.Time) time.Time { return at.Truncate(time.Hour) })
				month := count(func(at time.Time) time.Time {
					return time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
				})
				full := func(limit, n int64) bool { return limit > 0 && n >= limit }
				want := !full(plan.Minute, minute) && !full(plan.Hour, hour) && !full(plan.Month, month)
				d := lim.Take(context.Background(), account, plan)
				if d.Allowed != want {
					t.Fatalf("at %v with %+v and %d, %d, %d: %+v", w.now(), plan, minute, hour, month, d)
				}
				if want {
					admitted = append(admitted, w.unix.Load())
					minute++
				}
				if plan.Minute > 0 && d.Minute.Remaining != max(plan.Minute-minute, 0) {
					t.Fatalf("%d remain of %d after %d", d.Minute.Remaining, plan.Minute, minute)
				}
			}
		})
	})
}

func TestRestartKeepsTheMonth(t *testing.T) {
	onEveryEngine(t, noon, func(t *testing.T, w *wall, _ *ledger, open func() limiter) {
		plan := limits{Minute: 10, Month: 25}
		first := open()
		take(first, 1, plan, 20)
		if err := first.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		second := open()
		d := second.Peek(context.Background(), 1, plan)
		if d.Month.Remaining != 15 {
			t.Errorf("after a restart %d of 25 remain in the month, want 15", d.Month.Remaining)
		}
		_, inRedis := second.(*Redis)
		if inRedis && d.Minute.Remaining != 0 {
			t.Errorf("Redis forgot the minute: %+v", d)
		}
		w.move(time.Minute)
		take(second, 1, plan, 20)
		w.move(time.Minute)
		if admitted, d := take(second, 1, plan, 20); admitted != 5 || d.Exceeded != Month {
			t.Errorf("the rest of the month admitted %d, %+v", admitted, d)
		}
	})
}

func TestEveryAdmittedRequestIsSavedOnceUnderItsDay(t *testing.T) {
	onEveryEngine(t, "2024-02-29 23:59:58", func(t *testing.T, w *wall, l *ledger, open func() limiter) {
		lim := open()
		first := w.unix.Load() / daySeconds
		for range 4 {
			if got := takeParallel([]limiter{lim}, 1, limits{Month: 1000}, 8, 100); got != 100 {
				t.Fatalf("admitted %d", got)
			}
			w.move(time.Second)
		}
		if err := lim.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if a, b := l.days[[2]int64{1, first}], l.days[[2]int64{1, first + 1}]; a != 200 || b != 200 {
			t.Errorf("%d and %d requests are saved, want 200 each", a, b)
		}
	})
}
