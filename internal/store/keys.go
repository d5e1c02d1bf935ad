package store

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
)

const keyColumns = `k.id, k.user_id, u.username, k.name, k.description, k.scopes, k.hint, k.created_at, k.expires_at,
	k.revoked_at, k.revoked_reason, k.leak_source, k.rotated_from,
	c.last_used_at, coalesce(c.last_used_ip, ''), coalesce(c.refused_count, 0), c.last_refused_at`

const keyTables = ` from api_keys k join users u on u.id = k.user_id left join key_usage c on c.key_id = k.id`

func scanKey(scan func(...any) error) (k stepsies.APIKey, err error) {
	var scopes string
	if err := scan(&k.ID, &k.UserID, &k.Username, &k.Name, &k.Description, &scopes, &k.Hint, stampTo{&k.CreatedAt}, stampTo{&k.ExpiresAt},
		stampTo{&k.RevokedAt}, &k.Reason, &k.LeakSource, &k.RotatedFrom,
		stampTo{&k.LastUsedAt}, &k.LastUsedIP, &k.RefusedCount, stampTo{&k.LastRefusedAt}); err != nil {
		return k, err
	}
	k.Scopes, err = stepsies.ParseScopes(strings.Fields(scopes))
	return k, wrap(err, "scopes of key %d", k.ID)
}

func readKey(ctx context.Context, q querier, id int64, access stepsies.Access, lock string) (stepsies.APIKey, error) {
	var k stepsies.APIKey
	err := errNoRow
	readErr := q.few(ctx, `select `+keyColumns+keyTables+` where k.id = $1`+lock, []any{id}, func(scan func(...any) error) error {
		k, err = scanKey(scan)
		return err
	})
	if readErr != nil {
		return k, wrap(readErr, "read key %d", id)
	}
	if err == nil && !access.Everyone && access.UserID != k.UserID {
		err = errNoRow
	}
	return k, orNotFound(err, "API key")
}

// lockKey reads a key and its owner, both of whom this transaction is about to
// judge. Everyone locks a user before that user's keys, so that no two transactions
// wait for each other.
func (t *tx) lockKey(ctx context.Context, id int64, access stepsies.Access) (k stepsies.APIKey, owner stepsies.User, err error) {
	if k, err = readKey(ctx, t, id, access, ""); err != nil {
		return k, owner, err
	}
	if owner = t.actor; owner.ID != k.UserID {
		if err := t.lockUserRow(ctx, k.UserID); err != nil {
			return k, owner, err
		}
		if owner, err = readUser(ctx, t, `u.id = $1`, "", k.UserID); err != nil {
			return k, owner, err
		}
	}
	if t.lock("k") != "" {
		k, err = readKey(ctx, t, id, access, t.lock("k"))
	}
	return k, owner, err
}

// APIKey returns a key as far as the access reaches.
func (s *Store) APIKey(ctx context.Context, id int64, access stepsies.Access) (stepsies.APIKey, error) {
	return readKey(ctx, s.read, id, access, "")
}

// ListAPIKeys returns keys newest first, the revoked ones too: those of owner, or
// everyone's where owner is "" and the access reaches so far.
func (s *Store) ListAPIKeys(ctx context.Context, access stepsies.Access, owner string, p Page) (Paged[stepsies.APIKey], error) {
	var q conditions
	if !access.Everyone {
		q.where("k.user_id = $%d", access.UserID)
	}
	if owner != "" {
		u, err := s.User(ctx, owner)
		if err != nil {
			return Paged[stepsies.APIKey]{}, err
		}
		q.where("k.user_id = $%d", u.ID)
	}
	return pageByID(ctx, s, p, &q, `select `+keyColumns+keyTables, "k.id", func(scan func(...any) error) (stepsies.APIKey, int64, error) {
		k, err := scanKey(scan)
		return k, k.ID, err
	})
}

// CreateAPIKey makes a key for the owner. Of the secret only its hash is stored,
// and its hint.
func (s *Store) CreateAPIKey(ctx context.Context, w Write, owner string, want stepsies.KeyChange, secret stepsies.Secret) (Outcome[stepsies.APIKey], error) {
	return write(ctx, s, w.onUser(owner), func(t *tx) (stepsies.APIKey, error) {
		u, err := t.lockUser(ctx, owner)
		if err != nil {
			return stepsies.APIKey{}, err
		}
		k, err := stepsies.NewAPIKey(u, want, t.now)
		if err != nil {
			return k, err
		}
		if err := t.insertKey(ctx, &k, secret); err != nil {
			return k, err
		}
		return k, t.recordKey(ctx, w, stepsies.ActionCreateKey, k, keyDetail(k))
	})
}

func (t *tx) insertKey(ctx context.Context, k *stepsies.APIKey, secret stepsies.Secret) error {
	hash := secret.Hash()
	k.Hint = secret.Hint()
	err := t.one(ctx, `insert into api_keys (user_id, name, description, scopes, hint, hash, created_at, expires_at, revoked_reason, leak_source, rotated_from)
		values ($1, $2, $3, $4, $5, $6, $7, $8, '', '', $9) returning id`,
		[]any{k.UserID, k.Name, k.Description, k.Scopes.String(), k.Hint, hash[:], stamp(k.CreatedAt), stamp(k.ExpiresAt), k.RotatedFrom}, &k.ID)
	return wrap(err, "create a key")
}

func (t *tx) recordKey(ctx context.Context, w Write, action stepsies.Action, k stepsies.APIKey, detail string) error {
	return t.record(ctx, w, stepsies.Activity{Action: action, OwnerID: k.UserID, TargetID: k.ID, Name: k.Name, Detail: detail})
}

// UpdateAPIKey edits a key; the new expiry and scopes hold on every node when it
// returns.
func (s *Store) UpdateAPIKey(ctx context.Context, w Write, id int64, want stepsies.KeyChange) (Outcome[stepsies.APIKey], error) {
	return write(ctx, s, w.onKey(id), func(t *tx) (stepsies.APIKey, error) {
		k, owner, err := t.lockKey(ctx, id, t.access)
		if err != nil {
			return k, err
		}
		before := k
		if err := k.Change(owner, want); err != nil {
			return k, err
		}
		if k == before {
			return k, nil
		}
		if err := t.updateKey(ctx, k); err != nil {
			return k, err
		}
		return k, t.recordKey(ctx, w, stepsies.ActionUpdateKey, k, keyDiff(before, k))
	})
}

// updateKey writes what may change of a key. A revocation is never among what it
// takes back: the columns only ever go from NULL to a time.
func (t *tx) updateKey(ctx context.Context, k stepsies.APIKey) error {
	_, err := t.exec(ctx, `update api_keys set name = $2, description = $3, scopes = $4, expires_at = $5
		where id = $1 and revoked_at is null`,
		k.ID, k.Name, k.Description, k.Scopes.String(), stamp(k.ExpiresAt))
	return wrap(err, "update key %d", k.ID)
}

// RevokeAPIKey ends a key for good. Doing it twice changes nothing.
func (s *Store) RevokeAPIKey(ctx context.Context, w Write, id int64) (Outcome[stepsies.APIKey], error) {
	return write(ctx, s, w.onKey(id), func(t *tx) (stepsies.APIKey, error) {
		k, _, err := t.lockKey(ctx, id, t.access)
		if err != nil {
			return k, err
		}
		return k, t.revoke(ctx, w, &k, stepsies.RevokedByHand, "")
	})
}

// revoke ends a key. The note is where a leaked one was found, and of every other why
// it ended, where that does not go without saying; it stands in the record of activity.
func (t *tx) revoke(ctx context.Context, w Write, k *stepsies.APIKey, reason stepsies.RevokeReason, note string) error {
	source := ""
	if reason == stepsies.RevokedLeaked {
		source = note
	}
	if !k.Revoke(reason, source, t.now) {
		return nil
	}
	if _, err := t.exec(ctx, `update api_keys set revoked_at = $2, revoked_reason = $3, leak_source = $4 where id = $1 and revoked_at is null`,
		k.ID, stamp(k.RevokedAt), string(reason), source); err != nil {
		return wrap(err, "revoke key %d", k.ID)
	}
	action := stepsies.ActionRevokeKey
	if reason == stepsies.RevokedLeaked {
		action = stepsies.ActionReportKey
	}
	return t.recordKey(ctx, w, action, *k, note)
}

// RotateAPIKey makes a successor of a key and lets the key live on for the grace
// period.
func (s *Store) RotateAPIKey(ctx context.Context, w Write, id int64, grace time.Duration, secret stepsies.Secret) (Outcome[stepsies.APIKey], error) {
	return write(ctx, s, w.onKey(id), func(t *tx) (stepsies.APIKey, error) {
		k, owner, err := t.lockKey(ctx, id, t.access)
		if err != nil {
			return k, err
		}
		latest, err := t.latestOf(ctx, k)
		if err != nil {
			return k, err
		}
		next, err := k.Rotate(owner, latest, grace, t.now)
		if err != nil {
			return k, err
		}
		if err := t.updateKey(ctx, k); err != nil {
			return k, err
		}
		if err := t.insertKey(ctx, &next, secret); err != nil {
			return k, err
		}
		if err := t.recordKey(ctx, w, stepsies.ActionRotateKey, k, "ends "+k.ExpiresAt.Format(time.RFC3339)+", succeeded by "+next.Hint); err != nil {
			return k, err
		}
		return next, t.recordKey(ctx, w, stepsies.ActionCreateKey, next, "successor of "+k.Hint+", "+keyDetail(next))
	})
}

// latestOf returns the newest key in the line of successors of a key, with its times
// alone: the key itself if it was never rotated. The newest one has no successor, so
// its expiry is still the one that it was given.
func (t *tx) latestOf(ctx context.Context, k stepsies.APIKey) (latest stepsies.APIKey, err error) {
	err = t.one(ctx, `with recursive line (id) as (
			select id from api_keys where id = $1
			union
			select n.id from api_keys n join line on n.rotated_from = line.id where n.user_id = $2)
		select id, created_at, expires_at from api_keys where id = (select max(id) from line)`,
		[]any{k.ID, k.UserID}, &latest.ID, stampTo{&latest.CreatedAt}, stampTo{&latest.ExpiresAt})
	return latest, wrap(err, "find the newest successor of key %d", k.ID)
}

// RevokeLeaked ends every key among the hashes that is live, and returns how many
// that were.
func (s *Store) RevokeLeaked(ctx context.Context, w Write, hashes []stepsies.KeyHash, source string) (int, error) {
	revoked := 0
	err := s.transact(ctx, w, func(t *tx) error {
		revoked = 0
		ids, err := t.leakedKeys(ctx, hashes)
		if err != nil {
			return err
		}
		for _, id := range ids {
			k, _, err := t.lockKey(ctx, id, stepsies.Access{Everyone: true})
			if stepsies.CodeOf(err) == stepsies.CodeNotFound || err == nil && !k.RevokedAt.IsZero() {
				continue // gone or ended since it was found
			}
			if err != nil {
				return err
			}
			if err := t.revoke(ctx, w, &k, stepsies.RevokedLeaked, source); err != nil {
				return err
			}
			revoked++
		}
		return nil
	})
	return revoked, err
}

// leakedKeys returns the ids of the keys among the hashes that are not revoked, in the
// order in which everyone locks them.
func (t *tx) leakedKeys(ctx context.Context, hashes []stepsies.KeyHash) ([]int64, error) {
	type found struct{ id, userID int64 }
	var keys []found
	for _, hash := range hashes {
		var k found
		err := t.one(ctx, `select id, user_id from api_keys where hash = $1 and revoked_at is null`, []any{hash[:]}, &k.id, &k.userID)
		if err == nil {
			keys = append(keys, k)
		} else if err != errNoRow {
			return nil, wrap(err, "find a leaked key")
		}
	}
	slices.SortFunc(keys, func(a, b found) int { return cmp.Or(cmp.Compare(a.userID, b.userID), cmp.Compare(a.id, b.id)) })
	ids := make([]int64, len(keys))
	for i, k := range keys {
		ids[i] = k.id
	}
	return ids, nil
}

func keyDetail(k stepsies.APIKey) string {
	d := "scopes " + k.Scopes.String()
	if !k.ExpiresAt.IsZero() {
		d += ", expires " + k.ExpiresAt.Format(time.RFC3339)
	}
	return d
}

func keyDiff(a, b stepsies.APIKey) string {
	var d []string
	if a.Name != b.Name {
		d = append(d, "name "+a.Name+" → "+b.Name)
	}
	if a.Description != b.Description {
		d = append(d, "description")
	}
	if a.Scopes != b.Scopes {
		d = append(d, "scopes "+a.Scopes.String()+" → "+b.Scopes.String())
	}
	if !a.ExpiresAt.Equal(b.ExpiresAt) {
		d = append(d, "expires "+expiryText(a.ExpiresAt)+" → "+expiryText(b.ExpiresAt))
	}
	return strings.Join(d, ", ")
}

func expiryText(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Format(time.RFC3339)
}
