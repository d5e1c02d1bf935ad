package store

import (
	"context"

	"github.com/stepsies/stepsies"
)

// Keys that work, and keys that ended: both sides of what Status says.
const (
	liveKeys = `k.revoked_at is null and (k.expires_at is null or k.expires_at > $%d)`
	deadKeys = `(k.revoked_at is not null or k.expires_at <= $%d)`
)

// ListKeysByEnd returns the keys of a user newest first: those that work now, or
// those that are revoked or expired.
func (s *Store) ListKeysByEnd(ctx context.Context, userID int64, live bool, p Page) (Paged[stepsies.APIKey], error) {
	var q conditions
	q.where("k.user_id = $%d", userID)
	if live {
		q.where(liveKeys, stamp(s.clock()))
	} else {
		q.where(deadKeys, stamp(s.clock()))
	}
	found, err := pageByID(ctx, s, p, &q, `select `+keyColumns+keyTables, "k.id", func(scan func(...any) error) (stepsies.APIKey, int64, error) {
		k, err := scanKey(scan)
		return k, k.ID, err
	})
	return found, wrap(err, "list the keys of user %d", userID)
}

// EndedKeys is how many keys of a user have ended, and how.
type EndedKeys struct{ Revoked, Expired int64 }

// CountEndedKeys counts the keys of a user that do not work any more.
func (s *Store) CountEndedKeys(ctx context.Context, userID int64) (EndedKeys, error) {
	var n EndedKeys
	err := s.read.one(ctx, `select count(revoked_at), count(case when revoked_at is null and expires_at <= $2 then 1 end)
		from api_keys where user_id = $1`, []any{userID, stamp(s.clock())}, &n.Revoked, &n.Expired)
	return n, wrap(err, "count the keys of user %d", userID)
}

// KeyDaysBetween returns, for each key of a user with an id from first to last, the
// days from the given one on, oldest first, on which it was called.
func (s *Store) KeyDaysBetween(ctx context.Context, userID, first, last, from int64) (map[int64][]KeyDay, error) {
	days := map[int64][]KeyDay{}
	err := s.read.each(ctx, `select d.key_id, d.day, d.requests, d.refusals
		from api_keys k join key_usage_days d on d.key_id = k.id
		where k.user_id = $1 and k.id >= $2 and k.id <= $3 and d.day >= $4 order by d.key_id, d.day`,
		[]any{userID, first, last, from}, func(scan func(...any) error) error {
			var id int64
			var d KeyDay
			err := scan(&id, &d.Day, &d.Requests, &d.Refusals)
			days[id] = append(days[id], d)
			return err
		})
	return days, wrap(err, "read the use of the keys of user %d", userID)
}

// Successor returns the latest key that a rotation made of k. The error has the
// code not_found where k was never rotated.
func (s *Store) Successor(ctx context.Context, k stepsies.APIKey) (stepsies.APIKey, error) {
	var id int64
	if err := s.read.one(ctx, `select coalesce(max(id), 0) from api_keys where user_id = $1 and rotated_from = $2`,
		[]any{k.UserID, k.ID}, &id); err != nil {
		return stepsies.APIKey{}, wrap(err, "find the successor of key %d", k.ID)
	}
	return s.APIKey(ctx, id, stepsies.Access{UserID: k.UserID})
}
