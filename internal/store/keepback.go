package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/stepsies/stepsies"
)

// present is what the database knows just before a restore of what somebody may do.
type present struct {
	known    bool // the backup is of this installation; all below is empty otherwise
	users    map[int64]heldUser
	keys     map[stepsies.KeyHash]heldKey
	accounts map[int64]heldAccount
	texts    map[int64]heldText
}

type heldUser struct {
	id, accountID          int64
	username               string
	created                time.Time
	email, emailKey        string
	confirmed, suspendedAt time.Time
	role                   stepsies.Role
	password               sql.NullString
}

type heldKey struct {
	id, userID         int64
	name, hint         string
	hash               stepsies.KeyHash
	scopes             stepsies.Scopes
	expires, revokedAt time.Time
	reason             stepsies.RevokeReason
	source             string
}

type heldAccount struct {
	id    int64
	plan  stepsies.Plan
	own   stepsies.Limits
	month int64 // requests in this calendar month
}

// heldText is how far a stepsy's numbers have come: of its versions, and of its steps.
type heldText struct{ id, version, nextStep int64 }

// present reads what is known of the installation whose backup is to be restored:
// nothing where the present database is another one's.
func (t *tx) present(ctx context.Context, header backupHeader) (present, error) {
	var was present
	id, _, err := t.installation(ctx)
	if err != nil {
		return was, err
	}
	was.known = header.Installation == id
	if header.Installation == "" {
		// A backup of before installations had names. It is taken for this one's, which is
		// the safe side, unless there is nothing here that it could be of.
		var rows int64
		if err := t.one(ctx, `select (select count(*) from users) + (select count(*) from activity)`, nil, &rows); err != nil {
			return was, wrap(err, "read the present database")
		}
		was.known = rows > 0
	}
	if !was.known {
		return was, nil
	}
	was.users, was.keys, was.accounts, was.texts = map[int64]heldUser{}, map[stepsies.KeyHash]heldKey{}, map[int64]heldAccount{}, map[int64]heldText{}
	if err := t.eachHeldUser(ctx, func(u heldUser) { was.users[u.id] = u }); err != nil {
		return was, err
	}
	if err := t.eachHeldKey(ctx, func(k heldKey) { was.keys[k.hash] = k }); err != nil {
		return was, err
	}
	if err := t.eachHeldAccount(ctx, func(a heldAccount) { was.accounts[a.id] = a }); err != nil {
		return was, err
	}
	return was, t.eachHeldText(ctx, func(x heldText) { was.texts[x.id] = x })
}

func (t *tx) eachHeldUser(ctx context.Context, fn func(heldUser)) error {
	err := t.each(ctx, `select id, account_id, username, created_at, email, email_key, email_verified_at, suspended_at, role, password_hash
		from users order by id`, nil, func(scan func(...any) error) error {
		var u heldUser
		if err := scan(&u.id, &u.accountID, &u.username, stampTo{&u.created}, &u.email, &u.emailKey, stampTo{&u.confirmed},
			stampTo{&u.suspendedAt}, &u.role, &u.password); err != nil {
			return err
		}
		fn(u)
		return nil
	})
	return wrap(err, "read the users")
}

func (t *tx) eachHeldKey(ctx context.Context, fn func(heldKey)) error {
	err := t.each(ctx, `select id, user_id, name, hint, hash, scopes, expires_at, revoked_at, revoked_reason, leak_source
		from api_keys order by id`, nil, func(scan func(...any) error) error {
		var k heldKey
		var hash []byte
		var scopes string
		if err := scan(&k.id, &k.userID, &k.name, &k.hint, &hash, &scopes, stampTo{&k.expires}, stampTo{&k.revokedAt}, &k.reason, &k.source); err != nil {
			return err
		}
		if len(hash) != len(k.hash) || k.scopes.UnmarshalText([]byte(scopes)) != nil {
			return fmt.Errorf("key %d cannot be read", k.id)
		}
		copy(k.hash[:], hash)
		fn(k)
		return nil
	})
	return wrap(err, "read the keys")
}

func (t *tx) eachHeldAccount(ctx context.Context, fn func(heldAccount)) error {
	first := time.Date(t.now.Year(), t.now.Month(), 1, 0, 0, 0, 0, time.UTC)
	err := t.each(ctx, `select a.id, a.plan, a.limit_minute, a.limit_hour, a.limit_month,
			cast(coalesce((select sum(d.requests) from account_usage_days d where d.account_id = a.id and d.day >= $1), 0) as bigint)
		from accounts a order by a.id`, []any{Day(first)}, func(scan func(...any) error) error {
		var a heldAccount
		if err := scan(&a.id, &a.plan, &a.own.Minute, &a.own.Hour, &a.own.Month, &a.month); err != nil {
			return err
		}
		fn(a)
		return nil
	})
	return wrap(err, "read the accounts")
}

func (t *tx) eachHeldText(ctx context.Context, fn func(heldText)) error {
	err := t.each(ctx, `select id, version, next_step_id from stepsies`, nil, func(scan func(...any) error) error {
		var x heldText
		if err := scan(&x.id, &x.version, &x.nextStep); err != nil {
			return err
		}
		fn(x)
		return nil
	})
	return wrap(err, "read the versions of the stepsies")
}

// keepBack takes from what was restored all that the present database knows to have
// ended: see rights.
func (t *tx) keepBack(ctx context.Context, was present, revokeAll bool, done *Restored) error {
	roles, err := t.keepUsersBack(ctx, was, done)
	if err != nil {
		return err
	}
	if err := t.keepKeysBack(ctx, was, roles, revokeAll, done); err != nil {
		return err
	}
	if !was.known {
		return nil
	}
	if err := t.keepAccountsBack(ctx, was, roles, done); err != nil {
		return err
	}
	return t.keepTextsBack(ctx, was)
}

// restoredUser is what keys and accounts are judged by, after the users were.
type restoredUser struct {
	id       int64
	username string
	role     stepsies.Role
}

// restoredUsers finds a restored user by their id, and by the account of theirs.
type restoredUsers struct{ byID, byAccount map[int64]restoredUser }

// note keeps one row that says what was kept back, here and in the record of activity.
func (t *tx) note(ctx context.Context, done *Restored, k KeptBack, a stepsies.Activity) error {
	if len(done.KeptBack) < maxKeptBack {
		done.KeptBack = append(done.KeptBack, k)
	} else {
		done.KeptBackMore++
	}
	return t.record(ctx, byRestore, a)
}

// keepTextsBack has versions and steps numbered on from where they were, so that no
// ETag and no id of a step names two different things.
func (t *tx) keepTextsBack(ctx context.Context, was present) error {
	var behind []heldText
	if err := t.eachHeldText(ctx, func(x heldText) {
		before, ok := was.texts[x.id]
		if ok && before.version > x.version {
			behind = append(behind, heldText{x.id, before.version + 1, max(x.nextStep, before.nextStep)})
		}
	}); err != nil {
		return err
	}
	for _, x := range behind {
		if _, err := t.exec(ctx, `update stepsies set version = $2, next_step_id = $3 where id = $1`, x.id, x.version, x.nextStep); err != nil {
			return wrap(err, "continue the versions of stepsy %d", x.id)
		}
	}
	return nil
}
