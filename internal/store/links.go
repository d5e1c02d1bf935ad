package store

import (
	"context"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
)

// LinkKind says what a one-time link is for.
type LinkKind string

// The kinds of links.
const (
	LinkFirstAdmin LinkKind = "first_admin" // makes the first admin
	LinkInvitation LinkKind = "invitation"  // makes a user
	LinkPassword   LinkKind = "password"    // sets a new password
	LinkEmail      LinkKind = "email"       // proves an address; without a user, it lets who reads it become one
)

// Link is a link that works once and for a while.
type Link struct {
	ID        int64
	Kind      LinkKind
	MakerID   int64         // the admin who made it; 0 for the operator, and for what users ask for themselves
	UserID    int64         // whom it is for, 0 where nobody is yet
	Email     string        // where it was sent, "" where it was not
	Role      stepsies.Role // of the user that it makes
	CreatedAt time.Time
	ExpiresAt time.Time
}

// CreateLink keeps a new link. A link to set a password, or to prove an address,
// takes the place of the user's earlier ones, or of those of the address where there is
// no user yet; an invitation that of the same address; the first admin's of every other.
// A link of an admin's ends with what lets them make it. The error has the code conflict
// where someone is invited who is a user.
func (s *Store) CreateLink(ctx context.Context, w Write, l Link, hash TokenHash, lifetime time.Duration) error {
	return s.transact(ctx, w.onUserID(l.UserID), func(t *tx) error {
		emailKey := strings.ToLower(l.Email)
		l.MakerID = 0
		if l.Kind == LinkInvitation || l.Kind == LinkPassword {
			l.MakerID = w.Actor.UserID
		}
		if l.MakerID != 0 && !t.actor.CountsAsAdmin() {
			return stepsies.NotFound("user")
		}
		if l.Kind == LinkInvitation {
			if err := t.checkInvited(ctx, emailKey); err != nil {
				return err
			}
		} else if _, err := t.exec(ctx, `delete from one_time_links where kind = $1 and user_id = $2 and (user_id <> 0 or email_key = $3)`,
			string(l.Kind), l.UserID, emailKey); err != nil {
			return wrap(err, "replace a link")
		}
		if _, err := t.exec(ctx, `insert into one_time_links (kind, token_hash, maker_id, user_id, email, email_key, role, created_at, expires_at)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			on conflict (email_key) where kind = 'invitation' and email_key <> '' do update set token_hash = excluded.token_hash,
				maker_id = excluded.maker_id, email = excluded.email, role = excluded.role, created_at = excluded.created_at, expires_at = excluded.expires_at`,
			string(l.Kind), hash[:], l.MakerID, l.UserID, l.Email, emailKey, string(l.Role), stamp(t.now), stamp(t.now.Add(lifetime))); err != nil {
			return wrap(err, "create a link")
		}
		if l.Kind == LinkPassword && w.Actor.Kind != stepsies.ActorAnonymous {
			u, err := readUser(ctx, t, `u.id = $1`, "", l.UserID)
			if err != nil {
				return err
			}
			return t.recordUser(ctx, w, stepsies.ActionLinkPassword, u, "")
		}
		if l.Kind == LinkInvitation {
			return t.record(ctx, w, stepsies.Activity{Action: stepsies.ActionInviteUser, OwnerID: w.Actor.UserID, Name: l.Email, Detail: "role " + string(l.Role)})
		}
		return nil
	})
}

// checkInvited refuses to invite who is there already.
func (t *tx) checkInvited(ctx context.Context, emailKey string) error {
	var username string
	err := t.one(ctx, `select username from users where email_key = $1`, []any{emailKey}, &username)
	switch {
	case err == nil:
		return stepsies.Conflict("%s is a user already and has this e-mail address. Open their page under Users to change their role or to make a link for a new password.", username)
	case err == errNoRow:
		return nil
	}
	return wrap(err, "look for an invited user")
}

// worksNow is the condition under which a link l works at $1: its time is not over,
// who made it may still make such a one, and nobody has the address that is invited.
const worksNow = `l.expires_at > $1
	and (l.maker_id = 0 or exists (select 1 from users m where m.id = l.maker_id and m.role = 'admin' and m.suspended_at is null))
	and (l.kind <> 'invitation' or l.email_key = '' or not exists (select 1 from users u where u.email_key = l.email_key))`

// LinkByToken returns a live link, NotFound for every other.
func (s *Store) LinkByToken(ctx context.Context, kind LinkKind, hash TokenHash) (Link, error) {
	return readLink(ctx, s.read, kind, hash, s.clock())
}

func readLink(ctx context.Context, q querier, kind LinkKind, hash TokenHash, now time.Time) (Link, error) {
	l := Link{Kind: kind}
	err := q.one(ctx, `select l.id, l.maker_id, l.user_id, l.email, l.role, l.created_at, l.expires_at from one_time_links l
		where l.token_hash = $2 and l.kind = $3 and `+worksNow,
		[]any{stamp(now), hash[:], string(kind)}, &l.ID, &l.MakerID, &l.UserID, &l.Email, &l.Role, stampTo{&l.CreatedAt}, stampTo{&l.ExpiresAt})
	return l, orNotFound(err, "link: it has been used, or its time is over")
}

// useLink takes a link away and returns what it was. Two who use it at the same
// time do not both get it. Its maker and whom it is for are locked first, in the order
// in which everything locks users, and then it is asked again whether it works.
func (t *tx) useLink(ctx context.Context, kind LinkKind, hash TokenHash) (Link, error) {
	l, err := readLink(ctx, t, kind, hash, t.now)
	if err != nil {
		return l, err
	}
	if t.s.engine.forUpdate != "" {
		if err := t.each(ctx, `select id from users where id in ($1, $2) order by id`+t.s.engine.forUpdate,
			[]any{l.MakerID, l.UserID}, func(func(...any) error) error { return nil }); err != nil {
			return l, wrap(err, "lock the users of a link")
		}
	}
	n, err := t.exec(ctx, `delete from one_time_links as l where l.id = $2 and l.token_hash = $3 and `+worksNow, stamp(t.now), l.ID, hash[:])
	if err == nil && n == 0 {
		err = stepsies.NotFound("link")
	}
	return l, err
}

// endOffers ends the invitations of an address, and the links to sign up with it: it
// is a user's now.
func (t *tx) endOffers(ctx context.Context, email string) error {
	_, err := t.exec(ctx, `delete from one_time_links where kind in ('invitation', 'email') and user_id = 0 and email_key = $1`, strings.ToLower(email))
	return wrap(err, "end the invitations of an address")
}

// SignUp makes a user with a password. Where a link is given it is used up: it
// decides the role, and an address that it was sent to counts as proved. One that
// proves an address decides that, too. The first admin's link works only while there
// is no user.
func (s *Store) SignUp(ctx context.Context, ip string, want stepsies.UserChange, passwordHash string, kind LinkKind, hash TokenHash) (stepsies.User, error) {
	var made stepsies.User
	err := s.transactUnjudged(ctx, func(t *tx) error {
		w := Write{Actor: stepsies.Actor{Kind: stepsies.ActorAnonymous, IP: ip}}
		proved := false
		if kind != "" {
			l, err := t.useLink(ctx, kind, hash)
			if err != nil {
				return err
			}
			if kind == LinkEmail {
				if l.UserID != 0 {
					return stepsies.NotFound("link")
				}
				want.Email = &l.Email
			}
			role := string(l.Role)
			want.Role = &role
			proved = l.Email != "" && want.Email != nil && strings.EqualFold(l.Email, strings.TrimSpace(*want.Email))
		}
		if kind == LinkFirstAdmin {
			var users int64
			if err := t.one(ctx, `select count(*) from users`, nil, &users); err != nil {
				return wrap(err, "count the users")
			}
			if users > 0 {
				return stepsies.Conflict("There is a user already. Ask the operator: stepsies user create NAME --email E --admin.")
			}
		}
		var err error
		if made, err = t.createUser(ctx, w, want, stepsies.AccountChange{}); err != nil {
			return err
		}
		_, err = t.exec(ctx, `update users set password_hash = $2, email_verified_at = $3 where id = $1`,
			made.ID, passwordHash, stampIf(proved, t.now))
		return wrap(err, "set the password of user %d", made.ID)
	})
	return made, err
}

func stampIf(yes bool, t time.Time) any {
	if !yes {
		return nil
	}
	return stamp(t)
}

// PasswordReset is what a reset did.
type PasswordReset struct {
	User stepsies.User
	// KeysEnded is how many keys ended since the reset proved the address for the first
	// time.
	KeysEnded int
}

// ResetPassword sets the password of the user whom a link is for, and signs them
// out everywhere. Whoever got the link by e-mail has proved the address; where that is
// the first time, the keys that were made before are revoked.
func (s *Store) ResetPassword(ctx context.Context, ip string, hash TokenHash, passwordHash string) (PasswordReset, error) {
	var done PasswordReset
	err := s.transactUnjudged(ctx, func(t *tx) error {
		done = PasswordReset{}
		l, err := t.useLink(ctx, LinkPassword, hash)
		if err != nil {
			return err
		}
		if err := t.lockUserRow(ctx, l.UserID); err != nil {
			return err
		}
		if done.User, err = readUser(ctx, t, `u.id = $1`, "", l.UserID); err != nil {
			return err
		}
		u := done.User
		w := Write{Actor: stepsies.Actor{Kind: stepsies.ActorAnonymous, IP: ip}}
		if l.Email != "" && strings.EqualFold(l.Email, u.Email) && u.EmailVerifiedAt.IsZero() {
			if done.KeysEnded, err = t.proveByReset(ctx, w, u); err != nil {
				return err
			}
		}
		return t.setPassword(ctx, w, u, passwordHash, 0)
	})
	return done, err
}

// CountUsers returns how many users there are.
func (s *Store) CountUsers(ctx context.Context) (int64, error) {
	var n int64
	err := s.read.one(ctx, `select count(*) from users`, nil, &n)
	return n, wrap(err, "count the users")
}
