package ratelimit

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/testenv"
)

func newAddressLimiter(w *wall, shared *Redis) *AddressLimiter {
	return NewAddressLimiter(AddressConfig{Name: "test", Limit: 3, Window: time.Hour, Shared: shared, Now: w.now})
}

// onEachAddressLimiter runs one test on a node's own counts and on shared ones.
func onEachAddressLimiter(t *testing.T, test func(t *testing.T, l *AddressLimiter)) {
	w := clockAt(t, noon)
	t.Run("memory", func(t *testing.T) { test(t, newAddressLimiter(w, nil)) })
	t.Run("redis", func(t *testing.T) {
		test(t, newAddressLimiter(w, newRedis(t, testenv.StartRedis(t).URL(), w, newLedger())))
	})
}

func TestAddressesAreLimitedEachForItself(t *testing.T) {
	ctx := context.Background()
	onEachAddressLimiter(t, func(t *testing.T, l *AddressLimiter) {
		for _, same := range [][]string{
			{"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1"},
			{"192.0.2.2", "192.0.2.2", "192.0.2.2", "192.0.2.2"},
			{"2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::", "2001:db8::1%eth0"},
			{"2001:db8:0:1::1", "2001:db8:0:1::1", "2001:db8:0:1::1", "2001:db8:0:1::2"},
			{"", "", "", ""},
		} {
			for i, address := range same {
				v := l.Take(ctx, address)
				if v.Allowed != (i < 3) {
					t.Errorf("event %d, from %q: %+v", i+1, address, v)
				}
				if !v.Allowed && (v.RetryAfter < 3590 || v.RetryAfter > 3600) {
					t.Errorf("retry after %d s of an hour", v.RetryAfter)
				}
			}
		}
		// An address and a name never share.
		if v := l.TakeName(ctx, "192.0.2.1"); !v.Allowed {
			t.Errorf("%+v", v)
		}
	})
}

func TestNamesAreLimitedAndGivenBackOneByOne(t *testing.T) {
	ctx := context.Background()
	onEachAddressLimiter(t, func(t *testing.T, l *AddressLimiter) {
		var first Verdict
		for i, name := range []string{"sarah", "Sarah", "SARAH", "sarah"} {
			v := l.TakeName(ctx, name)
			if v.Allowed != (i < 3) {
				t.Errorf("event %d: %+v", i+1, v)
			}
			if i == 0 {
				first = v
			}
			if !v.Allowed {
				l.GiveBackName(ctx, name, v) // nothing was taken
			}
		}
		l.GiveBackName(ctx, "nobody", first)
		l.GiveBackName(ctx, "sarAh", first)
		for i := range 2 {
			if v := l.TakeName(ctx, "sarah"); v.Allowed != (i == 0) {
				t.Errorf("after one was given back, event %d: %+v", i+1, v)
			}
		}
	})
}

func TestNothingIsGivenBackToALaterWindow(t *testing.T) {
	w, ctx := clockAt(t, noon), context.Background()
	l := newAddressLimiter(w, nil)
	old := l.TakeName(ctx, "sarah")
	w.move(time.Hour)
	for range 3 {
		l.TakeName(ctx, "sarah")
	}
	l.GiveBackName(ctx, "sarah", old)
	if v := l.TakeName(ctx, "sarah"); v.Allowed {
		t.Error("a later window has got an event back")
	}
}

func TestParallelEventsOfOneAddressAreCounted(t *testing.T) {
	onEachAddressLimiter(t, func(t *testing.T, l *AddressLimiter) {
		var admitted atomic.Int64
		var group sync.WaitGroup
		for range 64 {
			group.Go(func() {
				for range 5 {
					if l.Take(context.Background(), "198.51.100.7").Allowed {
						admitted.Add(1)
					}
				}
			})
		}
		group.Wait()
		if admitted.Load() != 3 {
			t.Errorf("%d events were admitted", admitted.Load())
		}
	})
}

func TestWindowOfAnAddressBeginsWithItsFirstEvent(t *testing.T) {
	w, ctx := clockAt(t, "2024-03-15 12:30:10"), context.Background()
	l := newAddressLimiter(w, nil)
	for range 3 {
		l.Take(ctx, "192.0.2.1")
		w.move(10 * time.Minute)
	}
	if v := l.Take(ctx, "192.0.2.1"); v.Allowed || v.RetryAfter != 1800 {
		t.Errorf("%+v", v)
	}
	w.move(29*time.Minute + 59*time.Second)
	if v := l.Take(ctx, "192.0.2.1"); v.Allowed || v.RetryAfter != 1 {
		t.Errorf("%+v", v)
	}
	w.move(time.Second)
	if v := l.Take(ctx, "192.0.2.1"); !v.Allowed {
		t.Errorf("%+v", v)
	}
}

func TestAddressLimiterForgetsTheOldestAndWhatIsOver(t *testing.T) {
	w, ctx := clockAt(t, noon), context.Background()
	l := newAddressLimiter(w, nil)
	for i := range maxCallers + 1000 {
		l.Take(ctx, fmt.Sprint("host ", i))
	}
	if len(l.callers) != maxCallers || l.oldest.Len() != maxCallers {
		t.Errorf("%d and %d callers are known", len(l.callers), l.oldest.Len())
	}
	l.Take(ctx, fmt.Sprint("host ", maxCallers))
	l.Take(ctx, fmt.Sprint("host ", maxCallers))
	if v := l.Take(ctx, fmt.Sprint("host ", maxCallers)); v.Allowed {
		t.Error("a recent one was forgotten")
	}
	w.move(time.Hour)
	l.Take(ctx, "192.0.2.1")
	if len(l.callers) != 1 || l.oldest.Len() != 1 {
		t.Errorf("%d callers are known after an hour", len(l.callers))
	}
}

func TestNodesShareAddressesAndCountAloneWithoutRedis(t *testing.T) {
	server, w, ctx := testenv.StartRedis(t), clockAt(t, noon), context.Background()
	ra, rb := newRedis(t, server.URL(), w, newLedger()), newRedis(t, server.URL(), w, newLedger())
	a, b := newAddressLimiter(w, ra), newAddressLimiter(w, rb)
	for i, l := range []*AddressLimiter{a, b, a, b, a} {
		if v := l.Take(ctx, "192.0.2.1"); v.Allowed != (i < 3) {
			t.Errorf("event %d: %+v", i+1, v)
		}
	}
	must(t, server.Kill())
	for i := range 10 {
		if v := a.Take(ctx, "192.0.2.2"); v.Allowed != (i < 3) {
			t.Errorf("alone, event %d: %+v", i+1, v)
		}
	}
	if !ra.Degraded() {
		t.Error("ten failures did not stop it from asking Redis")
	}
	a.GiveBackName(ctx, "nobody", Verdict{Allowed: true})
}
