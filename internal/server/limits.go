package server

import (
	"context"
	"time"

	"github.com/stepsies/stepsies/internal/api"
	"github.com/stepsies/stepsies/internal/ratelimit"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web"
)

// Leak reports ask for no key, so they are limited by client address, whether or
// not the plans' limits are on.
const (
	leakReports = 60
	leakWindow  = time.Hour
)

// limiter is what both engines of the limits have.
type limiter interface {
	api.Limiter
	web.Limiter
	Stats() ratelimit.Stats
	Degraded() bool
	Flush(context.Context) error
	Close(context.Context) error
}

// openLimits starts counting: in Redis where nodes share it, else in memory.
func (s *Server) openLimits() error {
	c := s.config
	base := ratelimit.Config{
		LoadMonth: func(ctx context.Context, account int64, month time.Time) (int64, error) {
			return s.store.AccountRequests(ctx, account, store.Day(month), store.Day(month.AddDate(0, 1, -1)))
		},
		SaveDays: func(ctx context.Context, counts []ratelimit.DayCount) error {
			days := make([]store.AccountDay, len(counts))
			for i, c := range counts {
				days[i] = store.AccountDay{AccountID: c.Account, Day: c.Day, Requests: c.Count}
			}
			return s.store.AddAccountDays(ctx, days)
		},
		Now: c.Now, Logger: c.Log,
	}
	if c.RedisURL != "" {
		shared, err := ratelimit.NewRedis(ratelimit.RedisConfig{Config: base, URL: c.RedisURL,
			Observe: func(took time.Duration, _ error) { s.metrics.redisTime.Observe(took.Seconds()) }})
		if err != nil {
			return err
		}
		s.limiter = shared
	} else {
		s.limiter = ratelimit.NewMemory(base)
	}
	s.metrics.watchLimiter(s.limiter.Stats)
	return nil
}

// leakLimiter counts leak reports: in Redis where the nodes share it, else in memory.
func (s *Server) leakLimiter() *ratelimit.AddressLimiter {
	shared, _ := s.limiter.(*ratelimit.Redis)
	return ratelimit.NewAddressLimiter(ratelimit.AddressConfig{
		Name: "leaks", Limit: leakReports, Window: leakWindow, Shared: shared, Now: s.config.Now,
	})
}

// webLimiter is the limiter for pages that show how an account stands, nil where
// limits are off.
func (s *Server) webLimiter() web.Limiter {
	if s.limiter == nil {
		return nil
	}
	return s.limiter
}
