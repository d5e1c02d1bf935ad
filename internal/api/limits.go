package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/ratelimit"
)

// count counts a request for its account and says in the headers how the minute
// stands. A request that a limit refuses consumes nothing.
func (a *API) count(c *call, w http.ResponseWriter) error {
	if a.Limiter == nil {
		return nil
	}
	user := c.principal.User
	d := a.Limiter.Take(c.request.Context(), user.Account.ID, user.Limits())
	c.decision = &d
	if d.Minute.Limit > 0 {
		h := w.Header()
		h.Set("X-RateLimit-Limit", strconv.FormatInt(d.Minute.Limit, 10))
		h.Set("X-RateLimit-Remaining", strconv.FormatInt(d.Minute.Remaining, 10))
		h.Set("X-RateLimit-Reset", strconv.FormatInt(d.Minute.Reset, 10))
	}
	switch {
	case d.Allowed:
		return nil
	case d.Exceeded == ratelimit.Month:
		return stepsies.QuotaExceeded(d.RetryAfter, time.Unix(d.Month.Reset, 0))
	}
	return stepsies.TooManyRequests(d.RetryAfter)
}

// windowsOf shows how the account stands in each window, null where it has no
// limit.
func windowsOf(d *ratelimit.Decision) limits {
	if d == nil {
		return limits{}
	}
	show := func(w ratelimit.Window) *window {
		if w.Limit == 0 {
			return nil
		}
		return &window{Limit: w.Limit, Remaining: w.Remaining, Reset: w.Reset}
	}
	return limits{Minute: show(d.Minute), Hour: show(d.Hour), Month: show(d.Month)}
}
