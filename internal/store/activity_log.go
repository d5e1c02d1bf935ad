package store

import (
	"context"
	"time"

	"github.com/stepsies/stepsies"
)

// ActivityLog asks for the record of activity as a log: oldest first.
type ActivityLog struct {
	Since  time.Time // rows from then on; zero for all
	After  int64     // rows after that one
	Newest int       // only so many of the newest rows; 0 for all. Not with After
	Limit  int       // of one answer
}

// ReadActivity returns a part of the record of activity, oldest first. Each next
// part begins after the last row of the one before.
func (s *Store) ReadActivity(ctx context.Context, l ActivityLog) ([]stepsies.Activity, error) {
	since := int64(0)
	if !l.Since.IsZero() {
		since = l.Since.UnixMilli()
	}
	if l.Newest > 0 {
		var first int64
		if err := s.read.one(ctx, `select coalesce(min(id), 0) from (select id from activity where at >= $1 order by id desc limit $2) as newest`,
			[]any{since, l.Newest}, &first); err != nil {
			return nil, wrap(err, "find the newest activity")
		}
		l.After = first - 1
	}
	rows := make([]stepsies.Activity, 0, l.Limit)
	err := s.read.each(ctx, activityRows+` where id > $1 and at >= $2 order by id limit $3`, []any{l.After, since, l.Limit},
		func(scan func(...any) error) error {
			a, err := scanActivity(scan)
			rows = append(rows, a)
			return err
		})
	return rows, wrap(err, "read the record of activity")
}
