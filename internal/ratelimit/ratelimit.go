// Package ratelimit decides whether an account may make one more request in its
// minute, its hour and its month.
//
// The windows are fixed and aligned to UTC: they begin with the minute, the hour
// and the calendar month. One decision looks at all three, and only when none of
// them refuses counts the request in all of them, so that a refused request
// consumes nothing. Counts belong to the account and know nothing of its plan:
// when the plan changes in the middle of a window, the counts stay and the new
// limits apply to the next request.
//
// [Memory] counts on one node. [Redis] counts for any number of nodes, and falls
// back to a Memory of its own while Redis cannot be reached. [AddressLimiter]
// limits those who have no key yet: sign-ins and leak reports.
//
// # Clocks
//
// An account's windows move forward only. While the clock stands before the
// minute that an account has reached, because it was set back, the account's own
// time goes on from the start of that minute at the clock's pace. No window is
// opened twice, so none admits more than its limit, and a clock that goes back a
// day stops nobody for a day. The account follows the clock again as soon as that
// has caught up with its minute; a window may then last longer by as much as the
// clock went back, but never twice as long. What clients are told (Reset) is in
// the clock's terms.
package ratelimit

import (
	"context"
	"log/slog"
	"time"

	"github.com/stepsies/stepsies"
)

// Period names one of the windows.
type Period uint8

// The windows, shortest first. None stands for no window.
const (
	None Period = iota
	Minute
	Hour
	Month
)

// String returns the period in lower case, as it stands in metrics.
func (p Period) String() string {
	return [...]string{"none", "minute", "hour", "month"}[p&3]
}

// Window is how an account stands in one window.
type Window struct {
	Limit     int64 // requests that the window admits; 0 means that it is not limited
	Remaining int64 // requests that are left; 0 where the window is not limited
	Reset     int64 // when the window ends, in Unix seconds
}

// Decision is the answer for one request. Its windows are those after the request
// was counted, if it was.
type Decision struct {
	Allowed             bool
	Minute, Hour, Month Window

	// Exceeded is the window that refused: the one with the longest wait where
	// several did. Month means that the quota is used up.
	Exceeded Period
	// RetryAfter is how long the window that refused goes on, in whole seconds,
	// rounded up, at least 1; 0 where none refused.
	RetryAfter int64
	// Degraded says that a [Redis] limiter decided on this node's memory alone.
	Degraded bool
}

// DayCount is how many requests of an account were admitted on a day.
type DayCount struct {
	Account int64
	Day     int64 // days since 1970-01-01 in UTC
	Count   int64
}

// Config is what a limiter needs from its surroundings.
type Config struct {
	// LoadMonth returns how many requests of the account the database has from
	// the month's first day on. It is called at an account's first use in a month,
	// and where a count was lost.
	LoadMonth func(ctx context.Context, account int64, monthStart time.Time) (int64, error)
	// SaveDays adds to the counts of the database, all of them or, with an error,
	// none. It gets at most 500 at a time, no account and day twice.
	SaveDays func(ctx context.Context, counts []DayCount) error

	Now    func() time.Time // time.Now where nil
	Logger *slog.Logger     // slog.Default() where nil
}

// withDefaults fills in what may be left out. Without a database there is no
// quota, so its functions may not be.
func (c Config) withDefaults() Config {
	if c.LoadMonth == nil || c.SaveDays == nil {
		panic("ratelimit: Config needs LoadMonth and SaveDays")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// Outcomes counts decisions since the start.
type Outcomes struct {
	Allowed       uint64
	RefusedMinute uint64
	RefusedHour   uint64
	RefusedMonth  uint64
}

// Stats is what a limiter has done since the start, for metrics. Everything but
// Accounts, Unsaved, Owed and Degraded only grows.
type Stats struct {
	Memory Outcomes // decided on this node's memory
	Redis  Outcomes // decided by Redis

	Accounts     int    // accounts in memory
	Unsaved      int    // accounts with counts that the database has not got yet
	SaveFailures uint64 // calls of SaveDays that failed; their counts are kept and tried again
	LoadFailures uint64 // calls of LoadMonth that failed; they are tried again
	DroppedDays  uint64 // counts given up, since the database could not be written for 40 days

	Degraded     bool   // Redis is configured and not in use
	Owed         int    // accounts with requests that Redis has not been told of yet
	RedisErrors  uint64 // commands that failed or took too long
	RedisOutages uint64 // how often Redis was given up for a while
}

// counts is how many requests were admitted in each window.
type counts struct{ minute, hour, month int64 }

func (n counts) plus(m counts, times int64) counts {
	return counts{n.minute + times*m.minute, n.hour + times*m.hour, n.month + times*m.month}
}

// clear empties the windows up to the one that has ended.
func (n *counts) clear(ended Period) {
	switch ended {
	case Month:
		*n = counts{}
	case Hour:
		n.minute, n.hour = 0, 0
	case Minute:
		n.minute = 0
	}
}

// exceeded returns the longest window that is used up. It is also the one with
// the longest wait, since each window ends within or with the next longer one.
func (n counts) exceeded(l stepsies.Limits) Period {
	switch {
	case l.Month > 0 && n.month >= l.Month:
		return Month
	case l.Hour > 0 && n.hour >= l.Hour:
		return Hour
	case l.Minute > 0 && n.minute >= l.Minute:
		return Minute
	}
	return None
}

// describe makes the decision that was taken at a moment into what is told.
func (n counts) describe(l stepsies.Limits, refused Period, at moment) Decision {
	minuteEnd, hourEnd := at.minuteEnd(), at.hourEnd()
	d := Decision{
		Allowed:  refused == None,
		Exceeded: refused,
		Minute:   window(l.Minute, n.minute, minuteEnd-at.shift),
		Hour:     window(l.Hour, n.hour, hourEnd-at.shift),
		Month:    window(l.Month, n.month, at.monthEnd-at.shift),
	}
	switch refused {
	case Minute:
		d.RetryAfter = minuteEnd - at.time
	case Hour:
		d.RetryAfter = hourEnd - at.time
	case Month:
		d.RetryAfter = at.monthEnd - at.time
	}
	return d
}

func window(limit, count, end int64) Window {
	if limit <= 0 {
		return Window{Reset: end}
	}
	return Window{Limit: limit, Remaining: max(limit-count, 0), Reset: end}
}
