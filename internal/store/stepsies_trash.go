package store

import (
	"context"
	"fmt"
	"time"

	"github.com/stepsies/stepsies"
)

// ListTrash returns the stepsies of a user that can still be put back, without
// their steps, the latest deletion first.
func (s *Store) ListTrash(ctx context.Context, userID int64, p Page) (Paged[stepsies.Stepsy], error) {
	var q conditions
	q.where("s.user_id = $%d", userID)
	q.where("s.deleted_at > $%d", stamp(s.trashedSince()))
	after, err := parseCursor(p.Cursor, trashOrder)
	if err != nil {
		return Paged[stepsies.Stepsy]{}, err
	}
	if after != nil {
		at, id := q.arg(after.Num), q.arg(after.ID)
		q.and(fmt.Sprintf("(s.deleted_at, s.id) < ($%d, $%d)", at, id))
	}
	var out Paged[stepsies.Stepsy]
	err = s.read.each(ctx, fmt.Sprintf(`select %s%s%s order by s.deleted_at desc, s.id desc limit $%d`,
		headColumns, stepsyTables, &q, q.arg(p.Limit+1)), q.args, func(scan func(...any) error) error {
		item, err := scanStepsy(scan, false)
		if err != nil {
			return err
		}
		if n := len(out.Items); n == p.Limit {
			last := out.Items[n-1]
			out.Next = cursor{Sort: trashOrder, ID: last.ID, Num: last.DeletedAt.UnixMilli()}.String()
			return nil
		}
		out.Items = append(out.Items, item)
		return nil
	})
	return out, wrap(err, "list the trash of user %d", userID)
}

const trashOrder = "-deleted_at"

// trashedSince is the time after which a stepsy must have been deleted to be put
// back. What is older may wait for Purge, and is gone all the same.
func (s *Store) trashedSince() time.Time { return s.clock().Add(-stepsies.TrashLifetime) }

// RestoreStepsy takes a stepsy out of the trash, as it was. Where its slug was taken
// meanwhile it gets a number, and its old slugs lead to it but for those that were taken. What is not in the trash, or was there for 30 days, is
// not found.
func (s *Store) RestoreStepsy(ctx context.Context, w Write, id int64) (Outcome[stepsies.Stepsy], error) {
	return s.writeStepsy(ctx, w.onStepsy(id), func(t *tx) (stepsies.Stepsy, error) {
		st, err := readTrashed(ctx, t, id)
		if err == nil && (!st.ChangeableBy(t.access) || !st.DeletedAt.After(s.trashedSince())) {
			err = errNoRow
		}
		if err != nil {
			return stepsies.Stepsy{}, orNotFound(err, "stepsy")
		}
		if st.Slug, err = t.freeSlug(ctx, st); err != nil {
			return st, err
		}
		st.DeletedAt, st.UpdatedAt = time.Time{}, t.now
		st.Version++
		if _, err := t.exec(ctx, `delete from slug_history where user_id = $1 and slug = $2`, st.UserID, st.Slug); err != nil {
			return st, wrap(err, "restore stepsy %d", id)
		}
		if _, err := t.exec(ctx, `update stepsies set deleted_at = null, slug = $2, version = $3, updated_at = $4 where id = $1`,
			id, st.Slug, st.Version, stamp(st.UpdatedAt)); err != nil {
			return st, wrap(t.slugTakenMeanwhile(err, st.Slug), "restore stepsy %d", id)
		}
		if err := t.index(ctx, st); err != nil {
			return st, err
		}
		return st, t.recordStepsy(ctx, w, stepsies.ActionRestoreStepsy, st)
	})
}

// readTrashed returns a stepsy of the trash with its steps and locks it.
func readTrashed(ctx context.Context, t *tx, id int64) (stepsies.Stepsy, error) {
	var st stepsies.Stepsy
	err := errNoRow
	readErr := t.each(ctx, `select `+headColumns+`, s.steps`+stepsyTables+` where s.id = $1 and s.deleted_at is not null`+t.lock("s"),
		[]any{id}, func(scan func(...any) error) error {
			st, err = scanStepsy(scan, true)
			return err
		})
	if readErr != nil {
		return st, wrap(readErr, "read stepsy %d in the trash", id)
	}
	return st, err
}
