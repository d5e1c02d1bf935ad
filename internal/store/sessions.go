package store

import (
	"context"
	"time"

	"github.com/stepsies/stepsies"
)

// TokenHash is the SHA-256 of a token that a browser holds: a session's or a
// link's. The token itself is stored nowhere.
type TokenHash [32]byte

// Session is a sign-in to the dashboard.
type Session struct {
	ID         int64
	UserID     int64
	IP         string
	UserAgent  string
	CreatedAt  time.Time
	LastSeenAt time.Time // right to within a minute
	ExpiresAt  time.Time
}

const sessionColumns = `s.id, s.user_id, s.ip, s.user_agent, s.created_at, s.last_seen_at, s.expires_at`

func (s *Session) fields() []any {
	return []any{&s.ID, &s.UserID, &s.IP, &s.UserAgent, stampTo{&s.CreatedAt}, stampTo{&s.LastSeenAt}, stampTo{&s.ExpiresAt}}
}

// maxSessions bounds the sessions of a user; the oldest one gives way.
const maxSessions = 50

// NewSession is a sign-in that is about to be made.
type NewSession struct {
	UserID int64
	// PasswordHash is the one that the password was compared with, "" where the user
	// had none.
	PasswordHash  string
	Token         TokenHash
	IP, UserAgent string
	Lifetime      time.Duration
}

// CreateSession signs a user in, if they may still do so: the user is locked, and the
// error has the code not_found where their password is another one by now, or where
// they were suspended or deleted. What ends a user's sessions holds the same lock, so
// that none slips in between the comparison of a password and its end.
func (s *Store) CreateSession(ctx context.Context, n NewSession) (Session, error) {
	var made Session
	err := s.transactUnjudged(ctx, func(t *tx) error {
		var err error
		made, err = t.createSession(ctx, n)
		return err
	})
	return made, err
}

func (t *tx) createSession(ctx context.Context, n NewSession) (Session, error) {
	made := Session{UserID: n.UserID, IP: n.IP, UserAgent: n.UserAgent, CreatedAt: t.now, LastSeenAt: t.now, ExpiresAt: t.now.Add(n.Lifetime)}
	if err := t.lockUserRow(ctx, n.UserID); err != nil {
		return made, err
	}
	u, err := readUser(ctx, t, `u.id = $1`, "", n.UserID)
	if err != nil {
		return made, err
	}
	hash, err := passwordHash(ctx, t, u.ID)
	if err != nil {
		return made, err
	}
	if hash != n.PasswordHash || u.Suspended() {
		return made, stepsies.NotFound("user")
	}
	if err := t.one(ctx, `insert into sessions (user_id, token_hash, ip, user_agent, created_at, last_seen_at, expires_at)
		values ($1, $2, $3, $4, $5, $5, $6) returning id`,
		[]any{u.ID, n.Token[:], n.IP, n.UserAgent, stamp(t.now), stamp(made.ExpiresAt)}, &made.ID); err != nil {
		return made, wrap(err, "create a session")
	}
	if _, err := t.exec(ctx, `delete from sessions where user_id = $1 and id not in (
			select id from sessions where user_id = $1 order by id desc limit $2)`, u.ID, maxSessions); err != nil {
		return made, wrap(err, "bound the sessions of user %d", u.ID)
	}
	w := Write{Actor: stepsies.Actor{Kind: stepsies.ActorSession, UserID: u.ID, Username: u.Username, IP: n.IP}}
	return made, t.recordUser(ctx, w, stepsies.ActionSignIn, u, "")
}

// SessionByToken returns the live session of a token and its user. A session ends
// with its time, with its user's suspension, and when it is ended.
func (s *Store) SessionByToken(ctx context.Context, hash TokenHash) (Session, stepsies.User, error) {
	var found Session
	err := s.read.one(ctx, `select `+sessionColumns+` from sessions s where s.token_hash = $1 and s.expires_at > $2`,
		[]any{hash[:], stamp(s.clock())}, found.fields()...)
	if err != nil {
		return found, stepsies.User{}, orNotFound(err, "session")
	}
	u, err := s.UserByID(ctx, found.UserID)
	if err == nil && u.Suspended() {
		err = stepsies.NotFound("session")
	}
	return found, u, err
}

// TouchSession notes that a session was seen now.
func (s *Store) TouchSession(ctx context.Context, id int64, ip string) error {
	return s.transactUnjudged(ctx, func(t *tx) error {
		t.keysUntouched = true
		_, err := t.exec(ctx, `update sessions set last_seen_at = $2, ip = $3 where id = $1`, id, stamp(t.now), ip)
		return wrap(err, "touch session %d", id)
	})
}

// ListSessions returns a user's live sessions, newest first.
func (s *Store) ListSessions(ctx context.Context, userID int64) ([]Session, error) {
	var list []Session
	err := s.read.each(ctx, `select `+sessionColumns+` from sessions s where s.user_id = $1 and s.expires_at > $2 order by s.id desc`,
		[]any{userID, stamp(s.clock())}, func(scan func(...any) error) error {
			var one Session
			err := scan(one.fields()...)
			list = append(list, one)
			return err
		})
	return list, wrap(err, "list the sessions of user %d", userID)
}

// EndSession signs out one of a user's sessions.
func (s *Store) EndSession(ctx context.Context, w Write, u stepsies.User, id int64) error {
	return s.transact(ctx, w.onUserID(u.ID), func(t *tx) error {
		if !t.reaches(u.ID) {
			return t.outOfReach("session")
		}
		n, err := t.exec(ctx, `delete from sessions where id = $1 and user_id = $2`, id, u.ID)
		if err != nil || n == 0 {
			return wrap(err, "end session %d", id)
		}
		return t.recordUser(ctx, w, stepsies.ActionSignOut, u, "")
	})
}

// EndSessions signs a user out everywhere but in the session to keep; 0 keeps none.
func (s *Store) EndSessions(ctx context.Context, w Write, u stepsies.User, keep int64) error {
	return s.transact(ctx, w.onUserID(u.ID), func(t *tx) error {
		if !t.reaches(u.ID) {
			return t.outOfReach("user")
		}
		if _, err := t.exec(ctx, `delete from sessions where user_id = $1 and id <> $2`, u.ID, keep); err != nil {
			return wrap(err, "end the sessions of user %d", u.ID)
		}
		return t.recordUser(ctx, w, stepsies.ActionSignOutEverywhere, u, "")
	})
}
