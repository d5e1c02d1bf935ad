package main

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
)

// recentDays are those of which the demo knows what readers did each day; of the
// time before only the sums.
const recentDays = 30

// readerSeeds makes readers, the same ones in every demo.
type readerSeeds struct {
	random   *rand.Rand
	clock    *demoClock
	readings []store.Reading
	counts   []store.Counts
}

func newReaderSeeds(clock *demoClock) *readerSeeds {
	return &readerSeeds{random: rand.New(rand.NewPCG(2024, 12)), clock: clock}
}

// add notes what readers did with a sample.
func (r *readerSeeds) add(made stepsies.Stepsy, s sample) {
	now := time.Now()
	recent := min(recentDays, s.DaysOld)
	share := func(n int64) int64 { return n * int64(recent) / int64(max(s.DaysOld, 1)) }
	views, completions := share(s.Views), share(s.Completions)
	if earlier := s.Completions - completions; s.Views > 0 {
		r.counts = append(r.counts, store.Counts{
			StepsyID: made.ID, Views: s.Views - views, Completions: earlier, At: now.AddDate(0, 0, -recent),
		})
	}
	for i := range views {
		day := store.Day(now.AddDate(0, 0, -r.random.IntN(recent+1)))
		reader := store.Reader(r.random.Int64())
		note := func(mark int64) {
			r.readings = append(r.readings, store.Reading{StepsyID: made.ID, Day: day, Reader: reader, Mark: mark})
		}
		note(store.MarkView)
		if i >= 2*completions {
			continue // has a look, and does not follow it
		}
		last := len(made.Steps)
		if i >= completions {
			last = 1 + r.random.IntN(last) // comes this far, or one step less
		}
		for _, step := range made.Steps[:last] {
			note(step.ID)
		}
		if i < completions {
			note(store.MarkCompletion)
		}
	}
}

// rate gives a sample its ratings, the words to its author with the last ones.
func (r *readerSeeds) rate(ctx context.Context, st *store.Store, made stepsies.Stepsy, s sample) error {
	var stars []int
	for i, n := range s.Ratings {
		for range n {
			stars = append(stars, i+1)
		}
	}
	r.random.Shuffle(len(stars), func(i, j int) { stars[i], stars[j] = stars[j], stars[i] })
	for i, n := range stars {
		rating := stepsies.Rating{Stars: n}
		if words := s.Words[n]; len(words) > 0 && len(stars)-i <= 10 {
			rating.Comment, s.Words[n] = words[0], words[1:]
		}
		r.clock.daysAgo(s.DaysOld * (len(stars) - 1 - i) / len(stars))
		if _, err := st.RateStepsy(ctx, operatorWrite, made.ID, store.RatingReader{byte(i), byte(i >> 8)}, rating); err != nil {
			return err
		}
	}
	r.clock.daysAgo(0)
	return nil
}

// sum gives a sample its ratings as a sum: they are of an author who does not look.
func (r *readerSeeds) sum(made stepsies.Stepsy, s sample) {
	c := store.Counts{StepsyID: made.ID}
	for i, n := range s.Ratings {
		c.Ratings += n
		c.Stars += n * int64(i+1)
	}
	r.counts = append(r.counts, c)
}

// write stores everything at once.
func (r *readerSeeds) write(ctx context.Context, st *store.Store) error {
	for _, c := range r.counts { // a stepsy may stand among them twice
		if err := st.AddCounts(ctx, []store.Counts{c}); err != nil {
			return err
		}
	}
	return st.RecordReadings(ctx, r.readings)
}
