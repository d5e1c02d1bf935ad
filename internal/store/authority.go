package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
)

// Right is what a write needs of its actor, beside their being there: it is asked
// for again in the transaction that makes the write, since what was true when the
// request was admitted may have ended while its body was on the way.
type Right struct {
	Scope     stepsies.Scope // of a key; never "" there
	SessionID int64          // of a person; never 0 there
	Token     TokenHash      // by which the browser holds that session
	Role      stepsies.Role  // of a person, "" for whichever they have
}

// ErrSignedOut is the end of a write whose person was signed out meanwhile.
var ErrSignedOut = &stepsies.Error{Code: stepsies.CodeUnauthorized, Message: "You are signed out. Sign in and send it again."}

// ErrScopeGone is the end of a write whose key has lost the scope of the operation.
var ErrScopeGone = stepsies.Forbidden()

// errNoRight is a fault of ours: a write that does not say by what right it is made.
var errNoRight = errors.New("a write names no actor, or no right of theirs")

// errNoAdmin is what a page for admins is to everyone else.
var errNoAdmin = stepsies.NotFound("page")

// target is the user whom a write is about to lock beside its actor.
type target struct {
	userID   int64
	username string
	keyID    int64 // of whose owner
	stepsyID int64 // of whose author
	admins   bool  // and all admins, of whom one must remain
}

func (w Write) onUser(username string) Write { w.target = target{username: username}; return w }
func (w Write) onUserID(id int64) Write      { w.target = target{userID: id}; return w }
func (w Write) onKey(id int64) Write         { w.target = target{keyID: id}; return w }
func (w Write) onStepsy(id int64) Write      { w.target = target{stepsyID: id}; return w }

// withAdmins is for a write that may take an admin away.
func (w Write) withAdmins() Write { w.target.admins = true; return w }

// judge reads what the actor of a write may do now, and holds it until the
// transaction ends: what ends a right waits for those who have been judged, and
// whoever is judged later finds it ended. It is the first thing that a write does,
// before its idempotency record is looked at.
//
// On SQLite there is one writer, so that nothing can change in between. On
// PostgreSQL the rows are locked: users in the order of their ids, each as strongly
// as the write is going to need, then what is theirs. A lock that is made stronger
// later, or taken in another order, is how two admins who edit each other would wait
// for each other for ever.
func (t *tx) judge(ctx context.Context, w Write) error {
	actor := w.Actor
	switch actor.Kind {
	case stepsies.ActorOperator:
		t.access = stepsies.Access{Everyone: true}
		return t.lockTarget(ctx, w)
	case stepsies.ActorAnonymous:
		return t.lockTarget(ctx, w)
	case stepsies.ActorKey:
		if actor.UserID == 0 || actor.KeyID == 0 || w.Right.Scope == "" {
			return errNoRight
		}
	case stepsies.ActorSession:
		if actor.UserID == 0 || w.Right.SessionID == 0 {
			return errNoRight
		}
	default:
		return errNoRight
	}
	if t.s.engine.forUpdate == "" {
		return t.judgeActor(ctx, w, false)
	}
	if w.target.admins {
		if err := t.lockAdmins(ctx, w); err != nil {
			return err
		}
	}
	id, err := t.targetID(ctx, w)
	if err != nil {
		return err
	}
	if id != 0 && id < actor.UserID {
		if err := t.lockUserRow(ctx, id); err != nil {
			return err
		}
	}
	if err := t.judgeActor(ctx, w, id == actor.UserID); err != nil {
		return err
	}
	if id > actor.UserID {
		return t.lockUserRow(ctx, id)
	}
	return nil
}

// judgeActor reads the actor with what lets them act. Alone says that this
// transaction is about to change the user.
func (t *tx) judgeActor(ctx context.Context, w Write, alone bool) error {
	read := t.judgeKey
	if w.Actor.Kind == stepsies.ActorSession {
		read = t.judgeSession
	}
	return read(ctx, w, t.s.engine.judging[alone])
}

// judging is what a statement that judges adds for an engine whose rows are locked.
// The user comes before what is theirs: PostgreSQL locks the rows of a join in the
// order in which they are named. Each is then seen as it was committed last, however
// long the wait was.
type judging struct {
	gate    string // joins the lock of gate, see lockUserRow
	key     string
	session string
}

const actorByKey = `select ` + userColumns + `, k.scopes, k.expires_at, k.revoked_at` + userTables +
	` join api_keys k on k.user_id = u.id`

func (t *tx) judgeKey(ctx context.Context, w Write, j judging) error {
	var k stepsies.APIKey
	var scopes string
	found, err := t.readActor(ctx, actorByKey+j.gate+` where u.id = $1 and k.id = $2`+j.key, []any{w.Actor.UserID, w.Actor.KeyID},
		&scopes, stampTo{&k.ExpiresAt}, stampTo{&k.RevokedAt})
	if err != nil {
		return wrap(err, "judge key %d", w.Actor.KeyID)
	}
	if !found || !(Bearer{Key: k, User: t.actor}).Works(t.now) {
		return stepsies.Unauthorized()
	}
	if k.Scopes, err = stepsies.ParseScopes(strings.Fields(scopes)); err != nil {
		return wrap(err, "scopes of key %d", w.Actor.KeyID)
	}
	may := k.Scopes.Holdable(t.actor.Role)
	if !may.Allow(w.Right.Scope) {
		return ErrScopeGone
	}
	t.access = stepsies.Access{UserID: t.actor.ID, AccountID: t.actor.Account.ID, Everyone: may.Allow(stepsies.ScopeAdmin)}
	t.byKey = true
	return nil
}

const actorBySession = `select ` + userColumns + `, s.expires_at` + userTables + ` join sessions s on s.user_id = u.id`

// judgeSession wants the token, too: a session goes on under a new one when its user
// changes their password, and whoever sent the old one is signed out.
func (t *tx) judgeSession(ctx context.Context, w Write, j judging) error {
	var ends time.Time
	found, err := t.readActor(ctx, actorBySession+j.gate+` where u.id = $1 and s.id = $2 and s.token_hash = $3`+j.session,
		[]any{w.Actor.UserID, w.Right.SessionID, w.Right.Token[:]}, stampTo{&ends})
	if err != nil {
		return wrap(err, "judge session %d", w.Right.SessionID)
	}
	if !found || !ends.After(t.now) || t.actor.Suspended() {
		return ErrSignedOut
	}
	if w.Right.Role != "" && t.actor.Role != w.Right.Role {
		return errNoAdmin
	}
	t.access = stepsies.Access{UserID: t.actor.ID, AccountID: t.actor.Account.ID, Everyone: t.actor.Role == stepsies.RoleAdmin}
	return nil
}

// readActor reads the acting user, and what stands behind the columns of a user.
func (t *tx) readActor(ctx context.Context, query string, args []any, more ...any) (found bool, err error) {
	err = t.few(ctx, query, args, func(scan func(...any) error) error {
		found = true
		t.actor, err = scanUser(func(user ...any) error { return scan(append(user, more...)...) })
		return err
	})
	return found, err
}

// targetID returns the id of the user whom a write is about to change, 0 where there
// is none. The write itself finds out what that means.
func (t *tx) targetID(ctx context.Context, w Write) (id int64, err error) {
	switch to := w.target; {
	case to.userID != 0:
		return to.userID, nil
	case to.username != "" && usernameKey(to.username) == w.Actor.Username:
		return w.Actor.UserID, nil
	case to.username != "":
		err = t.one(ctx, `select id from users where username = $1`, []any{usernameKey(to.username)}, &id)
	case to.keyID != 0:
		err = t.one(ctx, `select user_id from api_keys where id = $1`, []any{to.keyID}, &id)
	case to.stepsyID != 0:
		err = t.one(ctx, `select user_id from stepsies where id = $1`, []any{to.stepsyID}, &id)
	}
	if err == errNoRow {
		return 0, nil
	}
	return id, wrap(err, "find whom a write is about")
}

// lockTarget locks whom a write without an acting user is about to change.
func (t *tx) lockTarget(ctx context.Context, w Write) error {
	if t.s.engine.forUpdate == "" {
		return nil
	}
	if w.target.admins {
		return t.lockAdmins(ctx, w)
	}
	id, err := t.targetID(ctx, w)
	if err != nil || id == 0 {
		return err
	}
	return t.lockUserRow(ctx, id)
}

// lockUserRow locks a user whom this transaction is about to change, or one of whose
// rights it is about to end. Behind a lock that many share, PostgreSQL lets those who
// come later go first: with enough writes at the same time a key would hold up its
// own revocation for as long as it likes. So all pass an advisory lock first, for which
// they stand in line.
func (t *tx) lockUserRow(ctx context.Context, id int64) error {
	if t.s.engine.forUpdate == "" || id == t.locked {
		return nil
	}
	t.locked = id
	if _, err := t.exec(ctx, `select pg_advisory_xact_lock(-cast($1 as bigint))`, id); err != nil {
		return wrap(err, "stand in line for user %d", id)
	}
	_, err := t.exec(ctx, `select id from users where id = $1`+t.s.engine.forUpdate, id)
	return wrap(err, "lock user %d", id)
}

// lockAdmins locks all admins, the actor and the user whom a write is about in one
// order, so that two admins can neither take the role from each other nor wait for
// each other for ever.
func (t *tx) lockAdmins(ctx context.Context, w Write) error {
	const all = `select id from users where role = 'admin' or id = $1 or username = $2 order by id`
	args := []any{w.Actor.UserID, usernameKey(w.target.username)}
	if _, err := t.exec(ctx, `select pg_advisory_xact_lock(-id) from (`+all+`) as in_order`, args...); err != nil {
		return wrap(err, "stand in line for the admins")
	}
	_, err := t.exec(ctx, all+t.s.engine.forUpdate, args...)
	return wrap(err, "lock the admins")
}

// reaches reports whether the actor reaches what is that user's.
func (t *tx) reaches(userID int64) bool { return t.access.Everyone || t.access.UserID == userID }

// outOfReach is what naming another's thing is to who reaches their own alone. A key
// is told what scope it lacks; to a person what is not theirs to see does not exist.
func (t *tx) outOfReach(thing string) error {
	if t.byKey {
		return stepsies.Forbidden()
	}
	return stepsies.NotFound(thing)
}
