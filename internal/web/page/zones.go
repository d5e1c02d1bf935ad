package page

import (
	"sync"
	"time"
	_ "time/tzdata" // where the machine has no time zones of its own

	"github.com/stepsies/stepsies"
)

// zones are the time zones that were read already. There are some 600 in the world.
var zones sync.Map // name → *time.Location

// locationOf is the time zone in which a reader is shown exact times.
func locationOf(u stepsies.User) *time.Location {
	if u.TimeZone == "" {
		return time.UTC
	}
	if known, ok := zones.Load(u.TimeZone); ok {
		return known.(*time.Location)
	}
	l, err := time.LoadLocation(u.TimeZone)
	if err != nil { // it was known when it was chosen, to another version
		return time.UTC
	}
	zones.Store(u.TimeZone, l)
	return l
}
