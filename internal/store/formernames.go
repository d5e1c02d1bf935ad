package store

import (
	"context"
	"time"

	"github.com/stepsies/stepsies"
)

// keepUsername keeps a name back that a deleted user had: who reads it in an address
// or beside a stepsy must not take its next bearer for them.
func (t *tx) keepUsername(ctx context.Context, username string, until time.Time) error {
	_, err := t.exec(ctx, `insert into former_usernames (username, kept_until) values ($1, $2)
		on conflict (username) do update set kept_until = excluded.kept_until`, username, stamp(until))
	return wrap(err, "keep a username back")
}

// checkFormerUsername refuses a name that is kept back. The user of that name has been
// inserted, which waits for whoever deletes its last bearer at the same time, so that
// what they kept back is seen. Who signs up is told no more than of a name that is
// taken: when somebody was deleted is for admins and the operator to know.
func (t *tx) checkFormerUsername(ctx context.Context, w Write, username string) error {
	var until time.Time
	err := t.one(ctx, `select kept_until from former_usernames where username = $1 and kept_until > $2`,
		[]any{username, stamp(t.now)}, stampTo{&until})
	switch {
	case err == errNoRow:
		return nil
	case err != nil:
		return wrap(err, "look for a former username")
	case w.Actor.Kind == stepsies.ActorAnonymous:
		return stepsies.Conflict("%s", takenMessages["users_username"])
	}
	return stepsies.Conflict("This username is kept back until %s (UTC), since its user was deleted. Choose another one.", until.Format("2 January 2006"))
}

// formerUsernames returns the names that are kept back, with until when.
func (t *tx) formerUsernames(ctx context.Context) (map[string]time.Time, error) {
	kept := map[string]time.Time{}
	err := t.each(ctx, `select username, kept_until from former_usernames where kept_until > $1`, []any{stamp(t.now)}, func(scan func(...any) error) error {
		var username string
		var until time.Time
		err := scan(&username, stampTo{&until})
		kept[username] = until
		return err
	})
	return kept, wrap(err, "read the former usernames")
}

// keepUsernamesBack has a restore give back no name that was kept back before it,
// unless its user is there again.
func (t *tx) keepUsernamesBack(ctx context.Context, kept map[string]time.Time) error {
	for username, until := range kept {
		if _, err := t.exec(ctx, `insert into former_usernames (username, kept_until)
			select cast($1 as text), cast($2 as bigint) where not exists (select 1 from users where username = $1)
			on conflict (username) do update set kept_until = excluded.kept_until where former_usernames.kept_until < excluded.kept_until`,
			username, stamp(until)); err != nil {
			return wrap(err, "keep a username back")
		}
	}
	return nil
}

func purgeFormerUsernames(ctx context.Context, t *tx) (int64, error) {
	n, err := t.exec(ctx, `delete from former_usernames where username in (
			select username from former_usernames where kept_until <= $1 order by kept_until limit $2)`, stamp(t.now), purgeOthers)
	return n, wrap(err, "purge former usernames")
}
