package store

import (
	"context"
	"fmt"
	"time"

	"github.com/stepsies/stepsies"
)

// Totals sums up what a user has written and what readers did with it. What lies in
// the trash does not count.
type Totals struct {
	Published, Drafts  int64
	Views, Completions int64
	Ratings, Stars     int64 // how many ratings, and the sum of their stars
}

// Totals returns the totals of a user.
func (s *Store) Totals(ctx context.Context, userID int64) (Totals, error) {
	var n Totals
	err := s.read.one(ctx, `select count(case when s.status = 'published' then 1 end), count(case when s.status = 'draft' then 1 end),
			coalesce(cast(sum(c.views) as bigint), 0), coalesce(cast(sum(c.completions) as bigint), 0),
			coalesce(cast(sum(c.ratings) as bigint), 0), coalesce(cast(sum(c.stars) as bigint), 0)
		from stepsies s left join stepsy_counts c on c.stepsy_id = s.id
		where s.user_id = $1 and s.deleted_at is null`, []any{userID},
		&n.Published, &n.Drafts, &n.Views, &n.Completions, &n.Ratings, &n.Stars)
	return n, wrap(err, "sum up the stepsies of user %d", userID)
}

// Lately returns what readers did with the stepsies of a user on the given day and
// since; what lies in the trash does not count.
func (s *Store) Lately(ctx context.Context, userID, from int64) (ReadingDay, error) {
	n := ReadingDay{Day: from}
	err := s.read.one(ctx, `select coalesce(cast(sum(d.views) as bigint), 0), coalesce(cast(sum(d.completions) as bigint), 0)
		from stepsies s join stepsy_days d on d.stepsy_id = s.id and d.day >= $2
		where s.user_id = $1 and s.deleted_at is null`, []any{userID, from}, &n.Views, &n.Completions)
	if err == nil {
		err = s.read.one(ctx, `select count(*), coalesce(cast(sum(r.stars) as bigint), 0)
			from stepsies s join ratings r on r.stepsy_id = s.id and r.updated_at >= $2
			where s.user_id = $1 and s.deleted_at is null`, []any{userID, from * 86400000}, &n.Ratings, &n.Stars)
	}
	return n, wrap(err, "sum up what readers of user %d did lately", userID)
}

// KeysToMind returns the keys of a user, newest first and limit at most, that their
// owner should look at: those that end within stepsies.ExpiringWithin or ended by
// themselves since then, those that were called after their end since then, and
// those that work and lie idle since the given time.
func (s *Store) KeysToMind(ctx context.Context, userID int64, idleSince time.Time, limit int) ([]stepsies.APIKey, error) {
	now := s.clock()
	var q conditions
	q.where("k.user_id = $%d", userID)
	before, after, idle, at := q.arg(stamp(now.Add(-stepsies.ExpiringWithin))), q.arg(stamp(now.Add(stepsies.ExpiringWithin))), q.arg(stamp(idleSince)), q.arg(stamp(now))
	q.and(fmt.Sprintf(`(k.revoked_at is null and k.expires_at > $%d and k.expires_at <= $%d
		or c.last_refused_at > $%d
		or k.revoked_at is null and (k.expires_at is null or k.expires_at > $%d) and coalesce(c.last_used_at, k.created_at) <= $%d)`,
		before, after, before, at, idle))
	found, err := pageByID(ctx, s, Page{Limit: limit}, &q, `select `+keyColumns+keyTables, "k.id", func(scan func(...any) error) (stepsies.APIKey, int64, error) {
		k, err := scanKey(scan)
		return k, k.ID, err
	})
	return found.Items, wrap(err, "list the keys of user %d to look at", userID)
}

// Belongings counts what goes with a user who is deleted.
type Belongings struct {
	Stepsies, Trash    int64
	LiveKeys, DeadKeys int64
}

// Belongings returns what a user owns.
func (s *Store) Belongings(ctx context.Context, userID int64) (Belongings, error) {
	var b Belongings
	err := s.read.one(ctx, `select
			(select count(*) from stepsies where user_id = $1 and deleted_at is null),
			(select count(*) from stepsies where user_id = $1 and deleted_at is not null),
			(select count(*) from api_keys where user_id = $1 and revoked_at is null and (expires_at is null or expires_at > $2)),
			(select count(*) from api_keys where user_id = $1 and (revoked_at is not null or expires_at <= $2))`,
		[]any{userID, stamp(s.clock())}, &b.Stepsies, &b.Trash, &b.LiveKeys, &b.DeadKeys)
	return b, wrap(err, "count what user %d owns", userID)
}
