package ratelimit

import (
	"sync"

	"github.com/stepsies/stepsies"
)

// maxUnsavedDays bounds how many days an account may owe to the database. The
// oldest one goes first: it is over a month old then and limits nothing.
const maxUnsavedDays = 40

// account is what a node knows of one account. mu guards all of it.
type account struct {
	id int64

	mu    sync.Mutex
	gone  bool // taken out of its shard: whoever still holds it looks it up again
	clock clock
	counts

	// The month's count begins with what the database has. Until that is known
	// it begins at zero, and what the database has is added later.
	monthKnown  bool
	monthFailed bool          // it could not be loaded; the background tries again
	queued      bool          // it waits for the background
	loading     chan struct{} // closed when the load that is under way ends

	// What the database has not got. Counts move from unsaved to saving and, when
	// they could not be written, back.
	unsaved, saving []dayCount
	saved           chan struct{} // closed when the write that is under way ends
	dirty           bool          // listed in its shard as having something unsaved

	// What Redis has not got: requests that were admitted without it.
	owed owed
}

type dayCount struct{ day, count int64 }

// owed is what was admitted without Redis in the current minute and hour. The
// month needs no number, since the database has it from every node.
type owed struct {
	any          bool // Redis lacks something of this account
	minute, hour int64
}

// advance moves the account to the wall's time: windows that have ended are
// empty again.
func (a *account) advance(wall int64) moment {
	at, ended := a.clock.advance(wall)
	if ended >= Minute {
		a.minute, a.owed.minute = 0, 0
	}
	if ended >= Hour {
		a.hour, a.owed.hour = 0, 0
	}
	if ended >= Month {
		a.month = 0
		a.monthKnown, a.monthFailed = false, false
	}
	return at
}

// decide takes one decision on what is known here.
func (a *account) decide(l stepsies.Limits, at moment, take bool) Decision {
	refused := a.exceeded(l)
	if refused == None && take {
		a.minute++
		a.hour++
		a.month++
	}
	return a.describe(l, refused, at)
}

// admitted notes a request for the database. It reports whether the account has to
// be listed as dirty.
func (a *account) admitted(day int64) bool {
	a.unsaved = addDay(a.unsaved, day, 1)
	if a.dirty {
		return false
	}
	a.dirty = true
	return true
}

func addDay(days []dayCount, day, count int64) []dayCount {
	for i := len(days) - 1; i >= 0; i-- {
		if days[i].day == day {
			days[i].count += count
			return days
		}
	}
	return append(days, dayCount{day, count})
}

// giveBack takes up again what could not be written, and returns how many days
// had to be given up.
func (a *account) giveBack() (dropped int) {
	for _, d := range a.saving {
		a.unsaved = addDay(a.unsaved, d.day, d.count)
	}
	a.saving = a.saving[:0]
	for ; len(a.unsaved) > maxUnsavedDays; dropped++ {
		oldest := 0
		for i, d := range a.unsaved {
			if d.day < a.unsaved[oldest].day {
				oldest = i
			}
		}
		a.unsaved = append(a.unsaved[:oldest], a.unsaved[oldest+1:]...)
	}
	return dropped
}

// unsavedThisMonth is how much of the month's count the database has not got.
func (a *account) unsavedThisMonth() (n int64) {
	for _, d := range a.unsaved {
		if start := d.day * daySeconds; start >= a.clock.monthStart && start < a.clock.monthEnd {
			n += d.count
		}
	}
	return n
}

// idle reports whether nothing would be lost with the account: its minute and hour
// are over and the database has its month.
func (a *account) idle(wall int64) bool {
	return wall >= a.clock.minute-a.clock.minute%hourSeconds+hourSeconds &&
		len(a.unsaved) == 0 && len(a.saving) == 0 && a.loading == nil && !a.owed.any
}
