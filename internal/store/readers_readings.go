package store

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// Reader is a hash that stands for a reader on one day. It is keyed with the salt
// of that day, so nobody can tell who it was once the day is over.
type Reader int64

// Marks of a reading, beside the ids of steps, which are above zero.
const (
	MarkView       int64 = 0
	MarkCompletion int64 = -1
)

// Reading is something that a reader did with a stepsy on a day. The same one
// counts once, however often and by whichever node it is recorded.
type Reading struct {
	StepsyID int64
	Day      int64 // see Day
	Reader   Reader
	Mark     int64 // MarkView, MarkCompletion, or the id of the step that was reached
}

func compareReadings(a, b Reading) int {
	return cmp.Or(cmp.Compare(a.StepsyID, b.StepsyID), cmp.Compare(a.Day, b.Day),
		cmp.Compare(a.Reader, b.Reader), cmp.Compare(a.Mark, b.Mark))
}

type stepsyDay struct{ stepsyID, day int64 }
type stepOf struct{ stepsyID, stepID int64 }

// tally is what readings add to.
type tally struct {
	counts  map[int64]*Counts
	days    map[stepsyDay]*ReadingDay
	reaches map[stepOf]int64
}

// RecordReadings counts what readers did with published stepsies. Doing it twice
// changes nothing, so that a write whose answer was lost may be tried again.
func (s *Store) RecordReadings(ctx context.Context, readings []Reading) error {
	// One order on every node, so that two of them never wait for each other's rows.
	slices.SortFunc(readings, compareReadings)
	readings = slices.Compact(readings)
	return s.transactUnjudged(ctx, func(t *tx) error {
		t.keysUntouched = true
		n := tally{counts: map[int64]*Counts{}, days: map[stepsyDay]*ReadingDay{}, reaches: map[stepOf]int64{}}
		if err := inChunks(readings, func(chunk []Reading) error { return t.mark(ctx, chunk, n) }); err != nil {
			return wrap(err, "mark what readers did")
		}
		if err := t.addCounts(ctx, sortedValues(n.counts)); err != nil {
			return err
		}
		if err := t.addDays(ctx, n.days); err != nil {
			return wrap(err, "count what readers did by day")
		}
		return wrap(t.addReaches(ctx, n.reaches), "count how far readers came")
	})
}

// mark stores those readings that are new, and adds them up.
func (t *tx) mark(ctx context.Context, readings []Reading, n tally) error {
	var args []any
	for _, r := range readings {
		args = append(args, r.Day, r.StepsyID, int64(r.Reader), r.Mark)
	}
	return t.each(ctx, `insert into reader_marks (day, stepsy_id, reader, mark)
		`+rows(len(readings), "bigint", "bigint", "bigint", "bigint")+`
		where exists (select 1 from stepsies where id = v.column2 and status = 'published' and deleted_at is null)
		on conflict (day, stepsy_id, reader, mark) do nothing returning stepsy_id, day, mark`, args,
		func(scan func(...any) error) error {
			var stepsyID, day, mark int64
			if err := scan(&stepsyID, &day, &mark); err != nil {
				return err
			}
			n.add(stepsyID, day, mark)
			return nil
		})
}

func (n tally) add(stepsyID, day, mark int64) {
	if mark > 0 {
		n.reaches[stepOf{stepsyID, mark}]++
		return
	}
	c, d := n.counts[stepsyID], n.days[stepsyDay{stepsyID, day}]
	if c == nil {
		c = &Counts{StepsyID: stepsyID}
		n.counts[stepsyID] = c
	}
	if d == nil {
		d = &ReadingDay{Day: day}
		n.days[stepsyDay{stepsyID, day}] = d
	}
	if mark == MarkView {
		c.Views++
		d.Views++
		return
	}
	c.Completions++
	c.At = time.Unix(day*86400, 0)
	d.Completions++
}

func sortedValues(counts map[int64]*Counts) []Counts {
	values := make([]Counts, 0, len(counts))
	for _, c := range counts {
		values = append(values, *c)
	}
	return values
}

func (t *tx) addDays(ctx context.Context, days map[stepsyDay]*ReadingDay) error {
	order := make([]stepsyDay, 0, len(days))
	for of := range days {
		order = append(order, of)
	}
	slices.SortFunc(order, func(a, b stepsyDay) int {
		return cmp.Or(cmp.Compare(a.stepsyID, b.stepsyID), cmp.Compare(a.day, b.day))
	})
	return inChunks(order, func(chunk []stepsyDay) error {
		var args []any
		for _, of := range chunk {
			args = append(args, of.stepsyID, of.day, days[of].Views, days[of].Completions)
		}
		_, err := t.exec(ctx, `insert into stepsy_days (stepsy_id, day, views, completions)
			`+rows(len(chunk), "bigint", "bigint", "bigint", "bigint")+`
			where true on conflict (stepsy_id, day) do update set views = stepsy_days.views + excluded.views,
				completions = stepsy_days.completions + excluded.completions`, args...)
		return err
	})
}

func (t *tx) addReaches(ctx context.Context, reaches map[stepOf]int64) error {
	order := make([]stepOf, 0, len(reaches))
	for of := range reaches {
		order = append(order, of)
	}
	slices.SortFunc(order, func(a, b stepOf) int {
		return cmp.Or(cmp.Compare(a.stepsyID, b.stepsyID), cmp.Compare(a.stepID, b.stepID))
	})
	return inChunks(order, func(chunk []stepOf) error {
		var args []any
		for _, of := range chunk {
			args = append(args, of.stepsyID, of.stepID, reaches[of])
		}
		_, err := t.exec(ctx, `insert into step_reaches (stepsy_id, step_id, readers)
			`+rows(len(chunk), "bigint", "bigint", "bigint")+`
			where true on conflict (stepsy_id, step_id) do update set readers = step_reaches.readers + excluded.readers`, args...)
		return err
	})
}

// ReadingDay is what readers did with a stepsy on one day.
type ReadingDay struct {
	Day                int64 // see Day
	Views, Completions int64
	Ratings, Stars     int64 // given or changed that day, and the sum of their stars
}

// ReadingDays returns the days from the given one on, oldest first, on which
// readers did anything with a stepsy.
func (s *Store) ReadingDays(ctx context.Context, stepsyID, from int64) ([]ReadingDay, error) {
	days := map[int64]ReadingDay{}
	err := s.read.each(ctx, `select day, views, completions from stepsy_days where stepsy_id = $1 and day >= $2`,
		[]any{stepsyID, from}, func(scan func(...any) error) error {
			var d ReadingDay
			err := scan(&d.Day, &d.Views, &d.Completions)
			days[d.Day] = d
			return err
		})
	if err != nil {
		return nil, wrap(err, "read the days of stepsy %d", stepsyID)
	}
	err = s.read.each(ctx, `select updated_at / 86400000, count(*), cast(sum(stars) as bigint) from ratings
			where stepsy_id = $1 and updated_at >= $2 group by 1`,
		[]any{stepsyID, from * 86400000}, func(scan func(...any) error) error {
			var day, ratings, stars int64
			err := scan(&day, &ratings, &stars)
			d := days[day]
			d.Day, d.Ratings, d.Stars = day, ratings, stars
			days[day] = d
			return err
		})
	if err != nil {
		return nil, wrap(err, "read the ratings of stepsy %d by day", stepsyID)
	}
	list := make([]ReadingDay, 0, len(days))
	for _, d := range days {
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b ReadingDay) int { return cmp.Compare(a.Day, b.Day) })
	return list, nil
}

// StepReaches returns how many readers reached each step of a stepsy while
// following, by the id of the step.
func (s *Store) StepReaches(ctx context.Context, stepsyID int64) (map[int64]int64, error) {
	reaches := map[int64]int64{}
	err := s.read.each(ctx, `select step_id, readers from step_reaches where stepsy_id = $1`, []any{stepsyID}, func(scan func(...any) error) error {
		var id, readers int64
		err := scan(&id, &readers)
		reaches[id] = readers
		return err
	})
	return reaches, wrap(err, "read how far readers of stepsy %d came", stepsyID)
}
