package page

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

// Attempts limits how often it may be tried to sign in, by client address and by
// name. Both are shared by all nodes where there is Redis.
type Attempts struct{ byAddress, byName *ratelimit.AddressLimiter }

// NewAttempts returns the limits. They are shared by all nodes where there is Redis; shared may be nil.
func NewAttempts(shared *ratelimit.Redis, now func() time.Time) Attempts {
	return Attempts{
		byAddress: ratelimit.NewAddressLimiter(ratelimit.AddressConfig{Name: "sign-in", Limit: attemptsPerAddress, Window: attemptWindow, Shared: shared, Now: now}),
		byName:    ratelimit.NewAddressLimiter(ratelimit.AddressConfig{Name: "sign-in-name", Limit: attemptsPerName, Window: attemptWindow, Shared: shared, Now: now}),
	}
}

// Take counts an attempt, or refuses it. A name may be empty.
func (a Attempts) Take(ctx context.Context, address, name string) error {
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

// Forget begins anew for a name: whoever got in may mistype again later.
func (a Attempts) Forget(ctx context.Context, name string) {
	a.byName.ForgetName(ctx, strings.TrimSpace(name))
}
