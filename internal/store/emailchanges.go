package store

import (
	"context"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
)

// Bounds of what users do to their own address.
const (
	// EmailChangeLifetime is how long a new address waits to be confirmed.
	EmailChangeLifetime = 7 * 24 * time.Hour
	// MaxEmailChanges is how many new addresses a user may ask for within
	// EmailChangeWindow, from the first one on: each sends an e-mail to someone who may
	// not want it.
	MaxEmailChanges   = 3
	EmailChangeWindow = 24 * time.Hour
)

// EmailChange is an address that a user has asked for and not confirmed. Until then
// nothing goes by it, and others may ask for it as well.
type EmailChange struct {
	Email   string
	AskedAt time.Time
	Taken   bool // it has become another user's meanwhile
}

// EmailChange returns the address that a user waits for. The error has the code
// not_found where there is none.
func (s *Store) EmailChange(ctx context.Context, userID int64) (EmailChange, error) {
	return readEmailChange(ctx, s.read, userID, s.clock())
}

func readEmailChange(ctx context.Context, q querier, userID int64, now time.Time) (EmailChange, error) {
	var c EmailChange
	var others int64
	err := q.one(ctx, `select c.email, c.asked_at, (select count(*) from users u where u.email_key = c.email_key and u.id <> c.user_id)
		from email_changes c where c.user_id = $1 and c.email <> '' and c.asked_at > $2`,
		[]any{userID, stamp(now.Add(-EmailChangeLifetime))}, &c.Email, stampTo{&c.AskedAt}, &others)
	c.Taken = others > 0
	return c, orNotFound(err, "change of address")
}

// AskEmailChange notes the address that a user wants, in place of one that they waited
// for. The error has the code conflict where it is another's, and rate_limit_exceeded
// after [MaxEmailChanges]; what was refused as another's counts as well, or it could be
// found out of any number of addresses whether they have an account.
func (s *Store) AskEmailChange(ctx context.Context, w Write, username, email string) error {
	taken := false
	err := s.transact(ctx, w.onUser(username), func(t *tx) error {
		u, err := t.lockUser(ctx, username)
		if err != nil {
			return err
		}
		if err := t.countEmailChange(ctx, u.ID); err != nil {
			return err
		}
		var others int64
		if err := t.one(ctx, `select count(*) from users where email_key = $1 and id <> $2`, []any{strings.ToLower(email), u.ID}, &others); err != nil {
			return wrap(err, "look for an address")
		}
		if taken = others > 0; taken {
			return nil
		}
		if err := t.endEmailChange(ctx, u.ID); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `update email_changes set email = $2, email_key = $3, asked_at = $4 where user_id = $1`,
			u.ID, email, strings.ToLower(email), stamp(t.now)); err != nil {
			return wrap(err, "note the new address of user %d", u.ID)
		}
		return t.recordUser(ctx, w, stepsies.ActionAskEmail, u, "")
	})
	if err == nil && taken {
		err = stepsies.Conflict("%s", takenMessages["users_email_key"])
	}
	return err
}

// countEmailChange counts one more change of a user whom the transaction has locked.
func (t *tx) countEmailChange(ctx context.Context, userID int64) error {
	began, asked := t.now, int64(0)
	var since time.Time
	var n int64
	switch err := t.one(ctx, `select began_at, asked from email_changes where user_id = $1`, []any{userID}, stampTo{&since}, &n); {
	case err == nil && t.now.Before(since.Add(EmailChangeWindow)):
		began, asked = since, n
	case err != nil && err != errNoRow:
		return wrap(err, "count the changes of address of user %d", userID)
	}
	if asked >= MaxEmailChanges {
		wait := began.Add(EmailChangeWindow).Sub(t.now)
		return stepsies.TooManyRequests(int64((wait + time.Second - 1) / time.Second))
	}
	_, err := t.exec(ctx, `insert into email_changes (user_id, email, email_key, asked_at, began_at, asked) values ($1, '', '', $2, $3, $4)
		on conflict (user_id) do update set began_at = excluded.began_at, asked = excluded.asked`,
		userID, stamp(t.now), stamp(began), asked+1)
	return wrap(err, "count the changes of address of user %d", userID)
}

// EndEmailChange takes back what a user has asked for. The error has the code
// not_found where nothing waits.
func (s *Store) EndEmailChange(ctx context.Context, w Write, username string) error {
	return s.transact(ctx, w.onUser(username), func(t *tx) error {
		u, err := t.lockUser(ctx, username)
		if err != nil {
			return err
		}
		if _, err := readEmailChange(ctx, t, u.ID, t.now); err != nil {
			return err
		}
		if err := t.endEmailChange(ctx, u.ID); err != nil {
			return err
		}
		return t.recordUser(ctx, w, stepsies.ActionEndEmail, u, "")
	})
}

// endEmailChange ends what waits to be confirmed, and the links that were sent for it.
// The count of changes goes on.
func (t *tx) endEmailChange(ctx context.Context, userID int64) error {
	n, err := t.exec(ctx, `update email_changes set email = '', email_key = '' where user_id = $1 and email <> ''`, userID)
	if err == nil && n > 0 {
		_, err = t.exec(ctx, `delete from one_time_links where user_id = $1 and kind = 'email'`, userID)
	}
	return wrap(err, "end the change of address of user %d", userID)
}

// VerifyEmail notes that a user has proved an address by the link that was sent there:
// their present one, or the one that they have asked for, which counts from then on.
// It returns the user as they are and as they were before. The error has the code
// not_found where the link works no more, and conflict where the address is another's
// by now; nothing is changed then. What lets it happen is the link and no session, so
// that it is the link that is judged here, with the suspension of its user.
func (s *Store) VerifyEmail(ctx context.Context, ip string, hash TokenHash) (u, before stepsies.User, err error) {
	err = s.transactUnjudged(ctx, func(t *tx) error {
		l, err := t.useLink(ctx, LinkEmail, hash)
		if err != nil {
			return err
		}
		if err := t.lockUserRow(ctx, l.UserID); err != nil {
			return err
		}
		if u, err = readUser(ctx, t, `u.id = $1`, "", l.UserID); err != nil {
			return err
		}
		before = u
		wanted, err := readEmailChange(ctx, t, u.ID, t.now)
		if err != nil && stepsies.CodeOf(err) != stepsies.CodeNotFound {
			return err
		}
		w := Write{Actor: stepsies.Actor{Kind: stepsies.ActorAnonymous, IP: ip}}
		u.EmailVerifiedAt = t.now
		switch {
		case u.Suspended():
			return stepsies.NotFound("link")
		case wanted.Email != "" && wanted.Email == l.Email:
			u.Email, u.UpdatedAt = wanted.Email, t.now
			return t.changeEmail(ctx, w, u)
		case !strings.EqualFold(l.Email, u.Email):
			return stepsies.NotFound("link")
		}
		if _, err = t.exec(ctx, `update users set email_verified_at = $2 where id = $1`, u.ID, stamp(t.now)); err != nil {
			return wrap(err, "verify the address of user %d", u.ID)
		}
		return t.recordUser(ctx, w, stepsies.ActionVerifyEmail, u, "")
	})
	return u, before, err
}

// errAddressGone is what the second one reads of two who waited for the same address.
var errAddressGone = stepsies.Conflict("Another account has this address by now, so it cannot become that of yours. Your address stays as it was; you can choose another one under Profile.")

// changeEmail gives a user the address that they have asked for and proved.
func (t *tx) changeEmail(ctx context.Context, w Write, u stepsies.User) error {
	_, err := t.exec(ctx, `update users set email = $2, email_key = $3, email_verified_at = $4, updated_at = $4 where id = $1`,
		u.ID, u.Email, strings.ToLower(u.Email), stamp(t.now))
	if stepsies.CodeOf(err) == stepsies.CodeConflict {
		return errAddressGone
	}
	if err != nil {
		return wrap(err, "change the address of user %d", u.ID)
	}
	if err := t.endMailedLinks(ctx, u.ID); err != nil {
		return err
	}
	if err := t.endOffers(ctx, u.Email); err != nil {
		return err
	}
	return t.recordUser(ctx, w, stepsies.ActionConfirmEmail, u, "")
}

// endMailedLinks ends what is under way to a user's address, and to the one that they
// wait for. What went to an earlier address must not open the account any more.
func (t *tx) endMailedLinks(ctx context.Context, userID int64) error {
	if err := t.endEmailChange(ctx, userID); err != nil {
		return err
	}
	_, err := t.exec(ctx, `delete from one_time_links where user_id = $1 and kind in ('password', 'email')`, userID)
	return wrap(err, "end the links of user %d", userID)
}

// proveByReset notes that a new password was set by a link that was sent to a user's
// address. Where that proves it for the first time, whoever held the account before may
// have been somebody else: their keys end, and how many is returned.
func (t *tx) proveByReset(ctx context.Context, w Write, u stepsies.User) (ended int, err error) {
	if _, err := t.exec(ctx, `update users set email_verified_at = $2 where id = $1`, u.ID, stamp(t.now)); err != nil {
		return 0, wrap(err, "verify the address of user %d", u.ID)
	}
	var ids []int64
	if err := t.each(ctx, `select id from api_keys where user_id = $1 and revoked_at is null order by id`, []any{u.ID}, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		ids = append(ids, id)
		return err
	}); err != nil {
		return 0, wrap(err, "find the keys of user %d", u.ID)
	}
	for _, id := range ids {
		k, err := readKey(ctx, t, id, stepsies.Access{UserID: u.ID}, t.lock("k"))
		if err != nil {
			return 0, err
		}
		if !k.RevokedAt.IsZero() {
			continue // ended while its lock was waited for
		}
		if err := t.revoke(ctx, w, &k, stepsies.RevokedByHand, "made before the e-mail address was confirmed"); err != nil {
			return 0, err
		}
		ended++
	}
	return ended, nil
}

func purgeEmailChanges(ctx context.Context, t *tx) (int64, error) {
	n, err := t.exec(ctx, `delete from email_changes where user_id in (select user_id from email_changes where asked_at <= $1 and began_at <= $1 order by asked_at limit $2)`,
		stamp(t.now.Add(-EmailChangeLifetime)), purgeOthers)
	return n, wrap(err, "purge changes of address")
}
