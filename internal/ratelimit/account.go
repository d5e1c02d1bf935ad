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

	mu     sync.Mutex
	gone   bool // taken out of its shard: whoever still holds it looks it up again
	clock  clock
	counts // admitted here; with Redis, what it said last

	// The month's count begins with what the database has. Until that is known
	// it begins at zero, and what the database has is added later.
	monthKnown  bool
	monthFailed bool          // it could not be loaded; Flush tries again
	queued      bool          // it waits for Flush
	loading     chan struct{} // closed when the load that is under way ends

	// What the database has not got. Counts move from unsaved to saving and, when
	// they could not be written, back.
	unsaved, saving []dayCount
	saved           chan struct{} // closed when the write that is under way ends
	dirty           bool          // listed in its shard as having something unsaved

	// With Redis: what was admitted without it, on top of counts. A part of that is
	// in doubt as long as it is not known whether Redis has it after all.
	owed, doubt counts
	debtor      bool // listed as having something owed
}

type dayCount struct{ day, count int64 }

// advance moves the account to the wall's time: windows that have ended are
// empty again.
func (a *account) advance(wall int64) moment {
	at, ended := a.clock.advance(wall)
	if ended != None {
		for _, n := range []*counts{&a.counts, &a.owed, &a.doubt} {
			n.clear(ended)
		}
		if ended == Month {
			a.monthKnown, a.monthFailed = false, false
		}
	}
	return at
}

// decide takes one decision on what is known here, and counts in one of counts and
// owed.
func (a *account) decide(l stepsies.Limits, at moment, take bool, in *counts) Decision {
	refused := a.counts.plus(a.owed, 1).exceeded(l)
	if refused == None && take {
		*in = in.plus(counts{1, 1, 1}, 1)
	}
	return a.counts.plus(a.owed, 1).describe(l, refused, at)
}

// learned takes over a month's count that includes all that this node admitted,
// but for what Redis may have anyway.
func (a *account) learned(month int64) {
	a.month = max(a.month+a.owed.month, month) - a.doubt.month
	a.owed.month = a.doubt.month
	a.monthKnown, a.monthFailed = true, false
}

// heard takes over what Redis said of the minute that the account has reached.
func (a *account) heard(n counts) {
	a.minute, a.hour, a.month = max(a.minute, n.minute), max(a.hour, n.hour), max(a.month, n.month)
	if n.month >= 0 {
		a.monthKnown = true
	}
}

// resolve ends the doubt about requests of a minute: Redis has them, or they are
// owed still. Of windows that have ended since, nothing is left to resolve.
func (a *account) resolve(n counts, of clock, has bool) {
	switch {
	case a.clock.monthStart != of.monthStart:
		return
	case a.clock.minute/hourSeconds != of.minute/hourSeconds:
		n.minute, n.hour = 0, 0
	case a.clock.minute != of.minute:
		n.minute = 0
	}
	a.doubt = a.doubt.plus(n, -1)
	if has {
		a.owed = a.owed.plus(n, -1)
	}
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
		len(a.unsaved) == 0 && len(a.saving) == 0 && a.loading == nil && !a.debtor && a.doubt == counts{}
}
