package store

import (
	"context"

	"github.com/stepsies/stepsies"
)

// Bounds of the rows that one call of Purge removes, of each kind.
const (
	purgeStepsies = 100
	purgeOthers   = 1_000
)

// Purge removes what has had its time, a bounded number of rows a call: trash
// after 30 days, idempotency records after 24 hours, sessions, links and former
// usernames after theirs, marks of readers after their day. It returns how many rows went, so that the caller can go on while there
// are more.
func (s *Store) Purge(ctx context.Context) (int64, error) {
	var gone int64
	err := s.transactUnjudged(ctx, func(t *tx) error {
		gone = 0
		for _, purge := range []func(context.Context, *tx) (int64, error){purgeTrash, purgeIdempotency, purgeSessions, purgeLinks, purgeEmailChanges, purgeFormerUsernames, purgeReaders} {
			n, err := purge(ctx, t)
			if err != nil {
				return err
			}
			gone += n
		}
		return nil
	})
	if err != nil {
		return 0, err // nothing went, and trying again at once would not help
	}
	return gone, nil
}

const oldTrash = `select id from stepsies where deleted_at <= $1 order by deleted_at limit $2`

func purgeTrash(ctx context.Context, t *tx) (int64, error) {
	var ids []int64
	err := t.each(ctx, oldTrash, []any{stamp(t.now.Add(-stepsies.TrashLifetime)), purgeStepsies}, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		ids = append(ids, id)
		return err
	})
	if err != nil {
		return 0, wrap(err, "find old trash")
	}
	for _, id := range ids {
		if err := t.run(ctx, []any{id}, append(besideStepsies("= $1"), `delete from stepsies where id = $1`)...); err != nil {
			return 0, wrap(err, "purge stepsy %d", id)
		}
	}
	return int64(len(ids)), nil
}

// besideStepsies deletes what belongs to stepsies in other tables, but for the marks
// of readers, which go with their day.
func besideStepsies(which string) []string {
	var deletes []string
	for _, table := range []string{"stepsy_counts", "stepsy_days", "step_reaches", "ratings", "preview_links", "slug_history"} {
		deletes = append(deletes, `delete from `+table+` where stepsy_id `+which)
	}
	return deletes
}

func purgeIdempotency(ctx context.Context, t *tx) (int64, error) {
	n, err := t.exec(ctx, `delete from idempotency_records where (user_id, client_key, route) in (
			select user_id, client_key, route from idempotency_records where created_at <= $1 order by created_at limit $2)`,
		stamp(t.now.Add(-IdempotencyLifetime)), purgeOthers)
	return n, wrap(err, "purge idempotency records")
}

func purgeSessions(ctx context.Context, t *tx) (int64, error) {
	n, err := t.exec(ctx, `delete from sessions where id in (select id from sessions where expires_at <= $1 order by expires_at limit $2)`,
		stamp(t.now), purgeOthers)
	return n, wrap(err, "purge sessions")
}

func purgeLinks(ctx context.Context, t *tx) (int64, error) {
	n, err := t.exec(ctx, `delete from one_time_links where id in (select id from one_time_links where expires_at <= $1 order by expires_at limit $2)`,
		stamp(t.now), purgeOthers)
	return n, wrap(err, "purge links")
}
