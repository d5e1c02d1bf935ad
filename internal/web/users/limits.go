package users

import (
	"context"
	"fmt"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/ratelimit"
)

// Bounds of what is done without a session, each within attemptWindow.
const (
	requestsPerNetwork = 30 // forms that make an account or send an e-mail
	requestsPerName    = 10 // of them, for one name from one network, and e-mails to one address
	attemptWindow      = 15 * time.Minute
)

// requestLimits bounds what anybody may ask for by a name that need not be theirs: from one
// network, so that nobody elsewhere is shut out, and, of what is sent, to one address.
type requestLimits struct{ network, name, sent *ratelimit.AddressLimiter }

func newRequests(kind string, shared *ratelimit.Redis, now func() time.Time) requestLimits {
	return requestLimits{
		network: limiter(kind, requestsPerNetwork, shared, now),
		name:    limiter(kind+"-name", requestsPerName, shared, now),
		sent:    limiter(kind+"-sent", requestsPerName, shared, now),
	}
}

func limiter(name string, limit int, shared *ratelimit.Redis, now func() time.Time) *ratelimit.AddressLimiter {
	return ratelimit.NewAddressLimiter(ratelimit.AddressConfig{Name: name, Limit: limit, Window: attemptWindow, Shared: shared, Now: now})
}

// take counts a request, or refuses it.
func (r requestLimits) take(ctx context.Context, address, name string) error {
	if v := r.network.Take(ctx, address); !v.Allowed {
		return stepsies.TooManyRequests(v.RetryAfter)
	}
	if v := r.name.TakeName(ctx, ratelimit.Network(address)+" "+name); !v.Allowed {
		return stepsies.TooManyRequests(v.RetryAfter)
	}
	return nil
}

// maySend counts an e-mail to a user or an address. Those that came within the window
// still work where it says no, and the answer to whoever asked is the same.
func (r requestLimits) maySend(ctx context.Context, to any) bool {
	return r.sent.TakeName(ctx, fmt.Sprint(to)).Allowed
}
