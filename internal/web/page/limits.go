package page

import (
	"context"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/ratelimit"
)

// Limiter tells how an account stands, in this node's memory or in Redis. nil:
// limits are off.
type Limiter interface {
	Peek(ctx context.Context, account int64, limits stepsies.Limits) ratelimit.Decision
}
