package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/stepsies/stepsies"
)

const userColumns = `u.id, u.account_id, u.username, u.email, u.email_verified_at, u.display_name, u.bio, u.role, u.time_zone,
	u.suspended_at, u.created_at, u.updated_at, case when u.password_hash is null then 0 else 1 end,
	a.plan, a.limit_minute, a.limit_hour, a.limit_month`

const userTables = ` from users u join accounts a on a.id = u.account_id`

func scanUser(scan func(...any) error) (u stepsies.User, err error) {
	var hasPassword int64
	err = scan(&u.ID, &u.Account.ID, &u.Username, &u.Email, stampTo{&u.EmailVerifiedAt}, &u.DisplayName, &u.Bio, &u.Role, &u.TimeZone,
		stampTo{&u.SuspendedAt}, stampTo{&u.CreatedAt}, stampTo{&u.UpdatedAt}, &hasPassword,
		&u.Plan, &u.OwnLimits.Minute, &u.OwnLimits.Hour, &u.OwnLimits.Month)
	u.HasPassword = hasPassword == 1
	return u, err
}

func readUser(ctx context.Context, q querier, condition, lock string, arg any) (stepsies.User, error) {
	var u stepsies.User
	err := errNoRow
	readErr := q.few(ctx, `select `+userColumns+userTables+` where `+condition+lock, []any{arg}, func(scan func(...any) error) error {
		u, err = scanUser(scan)
		return err
	})
	if readErr != nil {
		return u, wrap(readErr, "read a user")
	}
	return u, orNotFound(err, "user")
}

// User returns the user of that name, whatever its case.
func (s *Store) User(ctx context.Context, username string) (stepsies.User, error) {
	return readUser(ctx, s.read, `u.username = $1`, "", usernameKey(username))
}

// usernameKey is a username as it is stored. What cannot be one is "", which
// nobody has: PostgreSQL fails on text that is not UTF-8 or holds a NUL.
func usernameKey(name string) string {
	key, err := stepsies.ParseUsername(strings.ToLower(name))
	if err != nil {
		return ""
	}
	return key
}

// UserByID returns the user with that id.
func (s *Store) UserByID(ctx context.Context, id int64) (stepsies.User, error) {
	return readUser(ctx, s.read, `u.id = $1`, "", id)
}

// ListUsers returns the users whose name, e-mail address or display name holds q,
// newest first.
func (s *Store) ListUsers(ctx context.Context, q string, p Page) (Paged[stepsies.User], error) {
	var c conditions
	if stepsies.CheckText(q, true) != nil {
		return Paged[stepsies.User]{}, nil // nobody is called so
	}
	if q != "" {
		folded, lower := c.arg(like(stepsies.Fold(q))), c.arg(like(strings.ToLower(q)))
		c.and(fmt.Sprintf(`(u.username like $%d escape '\' or u.email_key like $%d escape '\' or u.name_key like $%d escape '\')`,
			lower, lower, folded))
	}
	return pageByID(ctx, s, p, &c, `select `+userColumns+userTables, "u.id", func(scan func(...any) error) (stepsies.User, int64, error) {
		u, err := scanUser(scan)
		return u, u.ID, err
	})
}

// CreateUser makes a user with an account of their own.
func (s *Store) CreateUser(ctx context.Context, w Write, want stepsies.UserChange, account stepsies.AccountChange) (Outcome[stepsies.User], error) {
	return write(ctx, s, w, func(t *tx) (stepsies.User, error) { return t.createUser(ctx, w, want, account) })
}

func (t *tx) createUser(ctx context.Context, w Write, want stepsies.UserChange, account stepsies.AccountChange) (stepsies.User, error) {
	u, err := stepsies.NewUser(want, account, t.now)
	if err != nil {
		return u, err
	}
	if err := t.one(ctx, `insert into accounts (plan, limit_minute, limit_hour, limit_month, created_at)
		values ($1, $2, $3, $4, $5) returning id`,
		[]any{string(u.Plan), u.OwnLimits.Minute, u.OwnLimits.Hour, u.OwnLimits.Month, stamp(t.now)}, &u.Account.ID); err != nil {
		return u, wrap(err, "create an account")
	}
	if err := t.one(ctx, `insert into users (account_id, username, email, email_key, display_name, name_key, bio, role, time_zone, created_at, updated_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10) returning id`,
		[]any{u.Account.ID, u.Username, u.Email, strings.ToLower(u.Email), u.DisplayName, stepsies.Fold(u.DisplayName), u.Bio,
			string(u.Role), u.TimeZone, stamp(t.now)}, &u.ID); err != nil {
		return u, wrap(err, "create a user")
	}
	if err := t.checkFormerUsername(ctx, w, u.Username); err != nil {
		return u, err
	}
	if err := t.endOffers(ctx, u.Email); err != nil {
		return u, err
	}
	return u, t.recordUser(ctx, w, stepsies.ActionCreateUser, u, "role "+string(u.Role)+", plan "+string(u.Plan))
}

func (t *tx) recordUser(ctx context.Context, w Write, action stepsies.Action, u stepsies.User, detail string) error {
	return t.record(ctx, w, stepsies.Activity{Action: action, OwnerID: u.ID, TargetID: u.ID, Name: u.Username, Detail: detail})
}

// UpdateUser changes a user, and nothing of their account. The installation always
// keeps an admin.
func (s *Store) UpdateUser(ctx context.Context, w Write, username string, want stepsies.UserChange) (Outcome[stepsies.User], error) {
	return s.UpdateUserAndAccount(ctx, w, username, want, stepsies.AccountChange{})
}

// UpdateUserAndAccount changes a user and their account in one write. What becomes of
// an account is for those who reach everyone's: its own users are refused.
func (s *Store) UpdateUserAndAccount(ctx context.Context, w Write, username string, want stepsies.UserChange, account stepsies.AccountChange) (Outcome[stepsies.User], error) {
	w = w.onUser(username)
	if want.Role != nil || want.Suspended != nil {
		w = w.withAdmins()
	}
	return write(ctx, s, w, func(t *tx) (stepsies.User, error) {
		u, err := t.lockUser(ctx, username)
		if err != nil {
			return u, err
		}
		if account != (stepsies.AccountChange{}) {
			if !t.access.Everyone {
				return u, t.outOfReach("account")
			}
			if u.Account, err = t.lockAccount(ctx, u.Account.ID); err != nil {
				return u, err
			}
		}
		before := u
		if err := u.Change(want, account, t.now); err != nil {
			return u, err
		}
		if u == before {
			return u, nil
		}
		if before.CountsAsAdmin() && !u.CountsAsAdmin() {
			if err := t.keepAnAdmin(ctx, u.ID); err != nil {
				return u, err
			}
		}
		if _, err := t.exec(ctx, `update users set email = $2, email_key = $3, display_name = $4, name_key = $5, bio = $6, role = $7,
				time_zone = $8, suspended_at = $9, updated_at = $10,
				email_verified_at = case when email_key = $3 then email_verified_at end
			where id = $1`,
			u.ID, u.Email, strings.ToLower(u.Email), u.DisplayName, stepsies.Fold(u.DisplayName), u.Bio, string(u.Role),
			u.TimeZone, stamp(u.SuspendedAt), stamp(u.UpdatedAt)); err != nil {
			return u, wrap(err, "update user %d", u.ID)
		}
		if !strings.EqualFold(u.Email, before.Email) || u.Suspended() {
			if err := t.endMailedLinks(ctx, u.ID); err != nil {
				return u, err
			}
			if err := t.endOffers(ctx, u.Email); err != nil {
				return u, err
			}
		}
		if before.CountsAsAdmin() && !u.CountsAsAdmin() {
			// What they could make others by their links, they may not make any more.
			if _, err := t.exec(ctx, `delete from one_time_links where maker_id = $1`, u.ID); err != nil {
				return u, wrap(err, "end the links that user %d made", u.ID)
			}
		}
		if u.Account != before.Account {
			if _, err := t.exec(ctx, `update accounts set plan = $2, limit_minute = $3, limit_hour = $4, limit_month = $5 where id = $1`,
				u.Account.ID, string(u.Plan), u.OwnLimits.Minute, u.OwnLimits.Hour, u.OwnLimits.Month); err != nil {
				return u, wrap(err, "update account %d", u.Account.ID)
			}
		}
		action := stepsies.ActionUpdateUser
		if u.Suspended() {
			if _, err := t.exec(ctx, `delete from sessions where user_id = $1`, u.ID); err != nil {
				return u, wrap(err, "end the sessions of user %d", u.ID)
			}
		}
		if u.Suspended() != before.Suspended() {
			action = map[bool]stepsies.Action{true: stepsies.ActionSuspendUser, false: stepsies.ActionUnsuspendUser}[u.Suspended()]
		}
		return u, t.recordUser(ctx, w, action, u, userDiff(before, u))
	})
}

// lockUser reads a user whom this transaction is about to change, if the actor reaches
// so far; judge has locked the row where there is anything to lock.
func (t *tx) lockUser(ctx context.Context, username string) (stepsies.User, error) {
	name := usernameKey(username)
	if t.actor.ID != 0 && name == t.actor.Username {
		return t.actor, nil
	}
	if !t.access.Everyone {
		return stepsies.User{}, t.outOfReach("user")
	}
	return readUser(ctx, t, `u.username = $1`, "", name)
}

// keepAnAdmin refuses a change that would leave nobody to administer the
// installation. The transaction is one of withAdmins.
func (t *tx) keepAnAdmin(ctx context.Context, leaving int64) error {
	var others int64
	err := t.one(ctx, `select count(*) from users where role = 'admin' and suspended_at is null and id <> $1`, []any{leaving}, &others)
	if err == nil && others == 0 {
		return stepsies.ErrLastAdmin
	}
	return wrap(err, "count the admins")
}

// userDiff says which properties changed. Names of fields and plain values only.
func userDiff(a, b stepsies.User) string {
	var d []string
	add := func(field, from, to string) {
		if from != to {
			d = append(d, field+" "+from+" → "+to)
		}
	}
	add("role", string(a.Role), string(b.Role))
	add("plan", string(a.Plan), string(b.Plan))
	if a.OwnLimits != b.OwnLimits {
		d = append(d, "limits")
	}
	for _, f := range []struct {
		name    string
		changed bool
	}{{"e-mail", a.Email != b.Email}, {"display name", a.DisplayName != b.DisplayName}, {"bio", a.Bio != b.Bio}, {"time zone", a.TimeZone != b.TimeZone}} {
		if f.changed {
			d = append(d, f.name)
		}
	}
	return strings.Join(d, ", ")
}

// DeleteUser removes a user and all that they own, for good. The record of
// activity stays, and the username is kept back for stepsies.FormerUsernameKept.
func (s *Store) DeleteUser(ctx context.Context, w Write, username string) error {
	return s.transact(ctx, w.onUser(username).withAdmins(), func(t *tx) error {
		u, err := t.lockUser(ctx, username)
		if err != nil {
			return err
		}
		if u.CountsAsAdmin() {
			if err := t.keepAnAdmin(ctx, u.ID); err != nil {
				return err
			}
		}
		if err := t.run(ctx, []any{u.ID}, append(besideStepsies(`in (select id from stepsies where user_id = $1)`),
			`delete from reader_marks where stepsy_id in (select id from stepsies where user_id = $1)`,
			`delete from stepsy_search where rowid in (select id from stepsies where user_id = $1)`,
			`delete from stepsies where user_id = $1`,
			`delete from key_usage where key_id in (select id from api_keys where user_id = $1)`,
			`delete from key_usage_days where key_id in (select id from api_keys where user_id = $1)`,
			`delete from api_keys where user_id = $1`,
			`delete from idempotency_records where user_id = $1`,
			`delete from sessions where user_id = $1`,
			`delete from one_time_links where user_id = $1 or maker_id = $1`,
			`delete from email_changes where user_id = $1`,
			`delete from users where id = $1`)...); err != nil {
			return wrap(err, "delete user %d", u.ID)
		}
		if err := t.endAccount(ctx, u.Account.ID); err != nil {
			return err
		}
		if err := t.keepUsername(ctx, u.Username, t.now.Add(stepsies.FormerUsernameKept)); err != nil {
			return err
		}
		return t.recordUser(ctx, w, stepsies.ActionDeleteUser, u, "")
	})
}

// SetPassword stores the hash of a user's new password and signs them out
// everywhere but in the session to keep; 0 keeps none.
func (s *Store) SetPassword(ctx context.Context, w Write, username, hash string, keep int64) error {
	return s.transact(ctx, w.onUser(username), func(t *tx) error {
		u, err := t.lockUser(ctx, username)
		if err != nil {
			return err
		}
		return t.setPassword(ctx, w, u, hash, keep)
	})
}

// ChangePassword stores the hash of the password that a user has set in a session. That
// session gets a new token, so that what somebody read of the old one is worth nothing;
// every other ends. The error has the code not_found where the session has ended.
func (s *Store) ChangePassword(ctx context.Context, w Write, username, hash string, session int64, token TokenHash) error {
	return s.transact(ctx, w.onUser(username), func(t *tx) error {
		u, err := t.lockUser(ctx, username)
		if err != nil {
			return err
		}
		n, err := t.exec(ctx, `update sessions set token_hash = $3 where id = $1 and user_id = $2`, session, u.ID, token[:])
		if err == nil && n == 0 {
			err = stepsies.NotFound("session")
		}
		if err != nil {
			return wrap(err, "give session %d a new token", session)
		}
		return t.setPassword(ctx, w, u, hash, session)
	})
}

func (t *tx) setPassword(ctx context.Context, w Write, u stepsies.User, hash string, keep int64) error {
	if _, err := t.exec(ctx, `update users set password_hash = $2, updated_at = $3, sign_in_round = sign_in_round + 1 where id = $1`, u.ID, hash, stamp(t.now)); err != nil {
		return wrap(err, "set the password of user %d", u.ID)
	}
	if _, err := t.exec(ctx, `delete from sessions where user_id = $1 and id <> $2`, u.ID, keep); err != nil {
		return wrap(err, "end the sessions of user %d", u.ID)
	}
	if _, err := t.exec(ctx, `delete from one_time_links where user_id = $1 and kind = 'password'`, u.ID); err != nil {
		return wrap(err, "end the links of user %d", u.ID)
	}
	// Whoever knew the old password may have asked for an address of their own.
	if err := t.endEmailChange(ctx, u.ID); err != nil {
		return err
	}
	return t.recordUser(ctx, w, stepsies.ActionSetPassword, u, "")
}

// PasswordHash returns the user of that name or e-mail address with the hash of
// their password, "" where they have none.
func (s *Store) PasswordHash(ctx context.Context, login string) (stepsies.User, string, error) {
	if stepsies.CheckText(login, false) != nil {
		return stepsies.User{}, "", stepsies.NotFound("user")
	}
	u, err := readUser(ctx, s.read, `(u.username = $1 or u.email_key = $1)`, "", strings.ToLower(login))
	if err != nil {
		return u, "", err
	}
	hash, err := passwordHash(ctx, s.read, u.ID)
	return u, hash, err
}

// passwordHash reads the hash of a user's password, "" where they have none.
func passwordHash(ctx context.Context, q querier, id int64) (string, error) {
	var hash string
	err := q.one(ctx, `select coalesce(password_hash, '') from users where id = $1`, []any{id}, &hash)
	return hash, orNotFound(err, "user")
}

// lockAccount reads an account that this transaction is about to change. Whose users
// are locked one by one, it is locked after them: two who change it through two of its
// users take turns, so that neither writes what the other has just changed.
func (t *tx) lockAccount(ctx context.Context, id int64) (stepsies.Account, error) {
	a := stepsies.Account{ID: id}
	err := t.one(ctx, `select plan, limit_minute, limit_hour, limit_month from accounts where id = $1`+t.s.engine.forUpdate, []any{id},
		&a.Plan, &a.OwnLimits.Minute, &a.OwnLimits.Hour, &a.OwnLimits.Month)
	return a, wrap(err, "lock account %d", id)
}

// endAccount deletes an account that has no user any more. Those who delete its last two
// users at once take turns, so that one of them sees that nobody is left.
func (t *tx) endAccount(ctx context.Context, id int64) error {
	if lock := t.s.engine.forUpdate; lock != "" {
		if _, err := t.exec(ctx, `select id from accounts where id = $1`+lock, id); err != nil {
			return wrap(err, "lock account %d", id)
		}
	}
	const isEmpty = ` and not exists (select 1 from users where account_id = $1)`
	return wrap(t.run(ctx, []any{id},
		`delete from account_usage_days where account_id = $1`+isEmpty,
		`delete from accounts where id = $1`+isEmpty), "delete account %d", id)
}
