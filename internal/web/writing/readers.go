package writing

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// opinionsPerPage is how many ratings are shown at once.
const opinionsPerPage = 20

// readersView is what readers did with a stepsy, for its author.
type readersView struct {
	stepsyAction
	Days     []store.ReadingDay // of chartDays, oldest first, quiet days included
	Stops    []stop
	Ratings  []stepsies.Rating
	Next     string // address of older ratings
	Followed int64  // readers who opened follow mode, as far as is known
}

// stop is a step, and how many readers got to it.
type stop struct {
	stepsies.Step
	Readers int64 // who reached it while following
	Left    int64 // of whom came no further
}

// Readers shows what readers did with a stepsy.
func (p *Pages) Readers(q *page.Request) error {
	s, err := p.stepsyOfPath(q)
	if err != nil {
		return err
	}
	v := readersView{stepsyAction: actionOn(q, s)}
	first := store.Day(p.Now()) - page.ChartDays + 1
	days, err := p.Store.ReadingDays(q.Context(), s.ID, first)
	if err != nil {
		return err
	}
	v.Days = everyDay(first, days)
	reaches, err := p.Store.StepReaches(q.Context(), s.ID)
	if err != nil {
		return err
	}
	v.Stops = stopsOf(s, reaches)
	for _, at := range v.Stops {
		v.Followed = max(v.Followed, at.Readers)
	}
	ratings, err := p.Store.ListRatings(q.Context(), s.ID, store.Page{Limit: opinionsPerPage, Cursor: q.FormValue("cursor")})
	if err != nil {
		return page.OfThisList(err)
	}
	v.Ratings = ratings.Items
	if ratings.Next != "" {
		v.Next = page.StepsyPath(s, "readers") + "?cursor=" + ratings.Next + "#ratings"
	}
	return q.Render(http.StatusOK, readersPageOf(q.Page("Readers of "+s.Title, "Stepsies"), v))
}

// everyDay fills in the days on which nothing happened.
func everyDay(first int64, known []store.ReadingDay) []store.ReadingDay {
	days := make([]store.ReadingDay, page.ChartDays)
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

// stopsOf says of each step how many readers left there: those who reached it less
// those who reached any later one. Steps that moved can make that a guess; it is
// never below none.
func stopsOf(s stepsies.Stepsy, reaches map[int64]int64) []stop {
	stops := make([]stop, len(s.Steps))
	later := s.Completions
	for i := len(s.Steps) - 1; i >= 0; i-- {
		n := reaches[s.Steps[i].ID]
		stops[i] = stop{Step: s.Steps[i], Readers: n, Left: max(0, n-later)}
		if i == len(s.Steps)-1 {
			stops[i].Left = 0 // reaching the last step is completing it
		}
		later = n
	}
	return stops
}

// series is one number for each day of a chart.
type series struct {
	Name   string // "views"
	Thing  string // "view"
	Values []int64
	First  time.Time
}

func seriesOf(days []store.ReadingDay, name, thing string, value func(store.ReadingDay) int64) series {
	s := series{Name: name, Thing: thing, First: time.Unix(days[0].Day*86400, 0).UTC()}
	for _, d := range days {
		s.Values = append(s.Values, value(d))
	}
	return s
}

func (s series) total() (n int64) {
	for _, v := range s.Values {
		n += v
	}
	return n
}

func (s series) top() int64 {
	most := int64(1)
	for _, v := range s.Values {
		most = max(most, v)
	}
	return most
}

func (s series) words() string {
	return fmt.Sprintf("%s in the last %d days. The numbers are in the table below.", page.Plural(int(s.total()), s.Thing), len(s.Values))
}

// bars draws the days into a box of the given size, with what each says.
func (s series) bars(width, height, gap float64) (bars []page.Bar, words []string) {
	step, top := width/float64(len(s.Values)), float64(s.top())
	for i, v := range s.Values {
		tall := 0.0
		if v > 0 {
			tall = max(float64(v)/top*height, 1)
		}
		bars = append(bars, page.NewBar(float64(i)*step+gap/2, height-tall, step-gap, tall))
		words = append(words, s.First.AddDate(0, 0, i).Format("Mon 2 Jan")+": "+page.Plural(int(v), s.Thing))
	}
	return bars, words
}

// meanOrDash is the mean of ratings, "–" without any.
func meanOrDash(ratings, stars int64) string { return cmp.Or(page.MeanOf(ratings, stars), "–") }

func starsOf(n int) string { return strings.Repeat("★", n) }
