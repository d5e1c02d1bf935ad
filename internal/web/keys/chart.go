package keys

import (
	"fmt"
	"time"

	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// dayCounts is how a key was called on each day of a chart, oldest first, quiet
// days included.
type dayCounts []store.KeyDay

func newDayCounts(first int64, known []store.KeyDay) dayCounts {
	days := make(dayCounts, page.ChartDays)
	for i := range days {
		days[i].Day = first + int64(i)
	}
	for _, d := range known {
		if i := d.Day - first; i >= 0 && i < page.ChartDays {
			days[i] = d
		}
	}
	return days
}

// Requests is how many requests were accepted in all.
func (d dayCounts) Requests() (n int64) {
	for _, day := range d {
		n += day.Requests
	}
	return n
}

// Refusals is how many were refused, since the key had ended.
func (d dayCounts) Refusals() (n int64) {
	for _, day := range d {
		n += day.Refusals
	}
	return n
}

// Last is how many requests were accepted in the last days, today included.
func (d dayCounts) Last(days int) int64 { return d[len(d)-days:].Requests() }

// top is the highest bar, at least 1.
func (d dayCounts) top() int64 {
	most := int64(1)
	for _, day := range d {
		most = max(most, day.Requests+day.Refusals)
	}
	return most
}

// chartBar is one day of a chart: what was accepted, and on top of it what was
// refused.
type chartBar struct {
	Accepted, Refused, Whole page.Bar
	Words                    string
	Requests, Refusals       int64
	At                       time.Time
}

// bars draws the days into a box of the given size. The least of a day that was
// not quiet can still be seen.
func (d dayCounts) bars(width, height, gap float64) []chartBar {
	step, top := width/float64(len(d)), float64(d.top())
	scale := func(n int64) float64 {
		if n == 0 {
			return 0
		}
		return max(float64(n)/top*height, 1)
	}
	out := make([]chartBar, len(d))
	for i, day := range d {
		x, wide := float64(i)*step+gap/2, step-gap
		accepted, refused := scale(day.Requests), scale(day.Refusals)
		accepted = min(accepted, height-refused)
		at := time.Unix(day.Day*86400, 0).UTC()
		out[i] = chartBar{
			Accepted: page.NewBar(x, height-accepted, wide, accepted),
			Refused:  page.NewBar(x, height-accepted-refused, wide, refused),
			Whole:    page.NewBar(float64(i)*step, 0, step, height),
			Words:    at.Format("Mon 2 Jan") + ": " + dayWords(day), At: at,
			Requests: day.Requests, Refusals: day.Refusals,
		}
	}
	return out
}

func dayWords(d store.KeyDay) string {
	if d.Refusals == 0 {
		return requests(d.Requests)
	}
	return fmt.Sprintf("%s, %s refused", requests(d.Requests), page.Number(d.Refusals))
}

// chartWords says in a sentence what the large chart shows.
func chartWords(d dayCounts) string {
	return fmt.Sprintf("In the last %d days: %s accepted, %s refused. The numbers are in the table below.", page.ChartDays, requests(d.Requests()), page.Number(d.Refusals()))
}
