package ratelimit

import "time"

const (
	minuteSeconds = 60
	hourSeconds   = 3600
	daySeconds    = 86400
)

// moment is a time by an account's clock, in Unix seconds. A second is as fine as
// it has to be: until the end of a window, which is a whole second, it is as many
// whole seconds rounded up as it is from the second that has begun.
type moment struct {
	time     int64 // never before the minute that the account has reached
	shift    int64 // how far that is ahead of the clock on the wall
	monthEnd int64
}

func (m moment) minuteEnd() int64 { return m.time - m.time%minuteSeconds + minuteSeconds }
func (m moment) hourEnd() int64   { return m.time - m.time%hourSeconds + hourSeconds }

// day is the day, in UTC and by the clock on the wall, that a request counts for
// in the database. A clock that was wrong for a while thus leaves no trace there
// beyond that while.
func (m moment) day() int64 { return (m.time - m.shift) / daySeconds }

// clock is an account's own time, which never returns to a minute that it has
// left. Its zero value has not begun.
type clock struct {
	minute     int64 // start of the minute reached, Unix seconds
	monthStart int64
	monthEnd   int64
	shift      int64
}

// advance moves the clock to the wall's time and returns the account's time and
// the longest window that has ended on the way. The script in take.lua does the
// same.
func (c *clock) advance(wall int64) (moment, Period) {
	now := wall
	if wall >= c.minute {
		c.shift = 0
	} else if now = wall + c.shift; now < c.minute {
		c.shift = c.minute - wall
		now = c.minute
	}
	ended := None
	if now >= c.minute+minuteSeconds {
		ended = c.turn(now)
	}
	return moment{time: now, shift: c.shift, monthEnd: c.monthEnd}, ended
}

// turn begins the minute of now, and the hour and month where they are new.
func (c *clock) turn(now int64) Period {
	old := c.minute
	c.minute = now - now%minuteSeconds
	switch {
	case now >= c.monthEnd:
		c.monthStart, c.monthEnd = monthOf(now)
		return Month
	case now/hourSeconds != old/hourSeconds:
		return Hour
	}
	return Minute
}

// monthOf returns the start and the end of the calendar month in UTC.
func monthOf(unix int64) (start, end int64) {
	year, month, _ := time.Unix(unix, 0).UTC().Date()
	return time.Date(year, month, 1, 0, 0, 0, 0, time.UTC).Unix(),
		time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC).Unix()
}
