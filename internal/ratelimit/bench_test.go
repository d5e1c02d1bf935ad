package ratelimit

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/testenv"
)

var plenty = limits{Minute: 1 << 40, Hour: 1 << 40, Month: 1 << 40}

func BenchmarkMemory(b *testing.B) {
	for _, accounts := range []int64{1, 10_000} {
		m := NewMemory(benchConfig())
		defer m.Close(context.Background())
		for account := range accounts {
			m.Take(context.Background(), account, plenty)
		}
		b.Run(fmt.Sprintf("accounts=%d/callers=1", accounts), func(b *testing.B) {
			b.ReportAllocs()
			account := int64(0)
			for b.Loop() {
				m.Take(context.Background(), account, plenty)
				if account++; account == accounts {
					account = 0
				}
			}
		})
		b.Run(fmt.Sprintf("accounts=%d/callers=64", accounts), func(b *testing.B) {
			b.ReportAllocs()
			inParallel(b, m, accounts, 64)
		})
	}
}

func BenchmarkRedis(b *testing.B) {
	// The timeout is long, so that a pause of the machine does not end the measurement.
	c := RedisConfig{Config: benchConfig(), URL: testenv.StartRedis(b).URL(), Timeout: 5 * time.Second}
	r, err := NewRedis(c)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close(context.Background())
	const accounts = 1000
	for account := range int64(accounts) {
		r.Take(context.Background(), account, plenty)
	}
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			b.ReportAllocs()
			inParallel(b, r, accounts, callers)
		})
	}
	if s := r.Stats(); s.Memory.Allowed != 0 {
		b.Errorf("not all was decided by Redis: %+v", s)
	}
}

func benchConfig() Config {
	return Config{
		LoadMonth: func(context.Context, int64, time.Time) (int64, error) { return 0, nil },
		SaveDays:  func(context.Context, []DayCount) error { return nil },
		Logger:    slog.New(slog.DiscardHandler),
	}
}

// inParallel has callers take decisions; as many goroutines as the processors
// make a multiple of.
func inParallel(b *testing.B, l limiter, accounts int64, callers int) {
	b.SetParallelism(max(callers/runtime.GOMAXPROCS(0), 1))
	if callers == 1 {
		account := int64(0)
		for b.Loop() {
			l.Take(context.Background(), account, plenty)
			account = (account + 1) % accounts
		}
		return
	}
	var first atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		account := first.Add(7919) % accounts
		for pb.Next() {
			l.Take(context.Background(), account, plenty)
			if account++; account == accounts {
				account = 0
			}
		}
	})
}
