package store

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"
)

// Counts is what readers did with a stepsy since it was last written.
type Counts struct {
	StepsyID, Views, Completions int64
	Ratings, Stars               int64     // how many more ratings, and the change of the sum of their stars
	At                           time.Time // when it was completed; zero is now
}

// AddCounts adds to what readers did with stepsies.
func (s *Store) AddCounts(ctx context.Context, counts []Counts) error {
	return s.transactUnjudged(ctx, func(t *tx) error {
		t.keysUntouched = true
		return t.addCounts(ctx, counts)
	})
}

// fadeDays is the time in which a completion comes to weigh 1/e of a new one in the
// order "completed lately".
const fadeDays = 7

// latelyOf is the weight of completions at a time: the logarithm of their number,
// each worth e times one of fadeDays earlier. Since all fade alike, the order of
// stepsies by it holds at any later time without being worked out again ("forward
// decay", Cormode et al., ICDE 2009).
func latelyOf(completions int64, at time.Time) any {
	if completions <= 0 {
		return nil
	}
	return math.Log(float64(completions)) + float64(at.Unix())/86400/fadeDays
}

func (t *tx) addCounts(ctx context.Context, counts []Counts) error {
	slices.SortFunc(counts, func(a, b Counts) int { return cmp.Compare(a.StepsyID, b.StepsyID) })
	err := inChunks(counts, func(counts []Counts) error {
		var args []any
		for _, c := range counts {
			if c.At.IsZero() {
				c.At = t.now
			}
			args = append(args, c.StepsyID, c.Views, c.Completions, c.Ratings, c.Stars, latelyOf(c.Completions, c.At))
		}
		// The sum of two logarithms' powers is taken from the greater one, since the
		// powers themselves overflow; PostgreSQL refuses those that come out as zero.
		_, err := t.exec(ctx, `insert into stepsy_counts (stepsy_id, views, completions, ratings, stars, lately)
			`+rows(len(counts), "bigint", "bigint", "bigint", "bigint", "bigint", "double precision")+`
			where exists (select 1 from stepsies where id = v.column1)
			on conflict (stepsy_id) do update set views = stepsy_counts.views + excluded.views,
				completions = stepsy_counts.completions + excluded.completions,
				ratings = stepsy_counts.ratings + excluded.ratings, stars = stepsy_counts.stars + excluded.stars,
				lately = case
					when excluded.lately is null or stepsy_counts.lately > excluded.lately + 30 then stepsy_counts.lately
					when stepsy_counts.lately is null or excluded.lately > stepsy_counts.lately + 30 then excluded.lately
					when stepsy_counts.lately > excluded.lately then stepsy_counts.lately + ln(1 + exp(excluded.lately - stepsy_counts.lately))
					else excluded.lately + ln(1 + exp(stepsy_counts.lately - excluded.lately)) end`, args...)
		return err
	})
	if err != nil {
		return wrap(err, "count what readers did")
	}
	return wrap(t.rank(ctx, counts), "rank what readers rated")
}

// rank puts stepsies whose ratings changed where they belong in the order "best
// rated": by the mean that they would have with five more ratings of 3.5, so that
// one of five stars is not above forty of 4.8.
func (t *tx) rank(ctx context.Context, counts []Counts) error {
	var rated []Counts
	for _, c := range counts {
		if c.Ratings != 0 || c.Stars != 0 {
			rated = append(rated, c)
		}
	}
	return inChunks(rated, func(chunk []Counts) error {
		var args []any
		for _, c := range chunk {
			args = append(args, c.StepsyID)
		}
		_, err := t.exec(ctx, `update stepsy_counts set rated = case when ratings > 0 then (stars + 17.5) / (ratings + 5) end
			where stepsy_id in (select column1 from (`+rows(len(chunk), "bigint")+`) as changed)`, args...)
		return err
	})
}
