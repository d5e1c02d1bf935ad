package web

import (
	"context"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/ratelimit"
)

// Limiter tells how an account stands, in this node's memory or in Redis. nil:
// limits are off.
type Limiter interface {
	Peek(ctx context.Context, account int64, limits stepsies.Limits) ratelimit.Decision
}

// Bounds of signing in and of what else asks for a password or sends an e-mail.
const (
	attemptsPerAddress = 30
	attemptsPerName    = 10
	attemptWindow      = 15 * time.Minute
)

// attempts limits how often it may be tried to sign in, by client address and by
// name. Both are shared by all nodes where there is Redis.
type attempts struct{ byAddress, byName *ratelimit.AddressLimiter }

func newAttempts(shared *ratelimit.Redis, now func() time.Time) attempts {
	return attempts{
		byAddress: ratelimit.NewAddressLimiter(ratelimit.AddressConfig{Name: "sign-in", Limit: attemptsPerAddress, Window: attemptWindow, Shared: shared, Now: now}),
		byName:    ratelimit.NewAddressLimiter(ratelimit.AddressConfig{Name: "sign-in-name", Limit: attemptsPerName, Window: attemptWindow, Shared: shared, Now: now}),
	}
}

// take counts an attempt, or refuses it. A name may be empty.
func (a attempts) take(ctx context.Context, address, name string) error {
	if v := a.byAddress.Take(ctx, address); !v.Allowed {
		return stepsies.TooManyRequests(v.RetryAfter)
	}
	if name = strings.TrimSpace(name); name != "" {
		if v := a.byName.TakeName(ctx, name); !v.Allowed {
			return stepsies.TooManyRequests(v.RetryAfter)
		}
	}
	return nil
}

// forget begins anew for a name: whoever got in may mistype again later.
func (a attempts) forget(ctx context.Context, name string) {
	a.byName.ForgetName(ctx, strings.TrimSpace(name))
}
