package stepsies

import "time"

// ActorKind says by which door someone came.
type ActorKind string

// The doors: an API key, a dashboard session, the operator's command line, and
// none (a leak report, a forgotten password).
const (
	ActorKey       ActorKind = "key"
	ActorSession   ActorKind = "session"
	ActorOperator  ActorKind = "operator"
	ActorAnonymous ActorKind = "anonymous"
)

// Actor is who does something. Every write knows its actor.
type Actor struct {
	Kind     ActorKind
	UserID   int64  // 0 for the operator and the anonymous
	Username string // "" likewise
	KeyID    int64  // for ActorKey
	KeyName  string
	IP       string // where from; "" for the operator
}

// Access is how far a caller reaches: to what is one user's own, or to
// everyone's.
type Access struct {
	UserID   int64
	Everyone bool
}

// Activity is one row of the record of who did what.
type Activity struct {
	ID       int64
	At       time.Time
	Actor    Actor
	Action   string // "api_key.create", "user.suspend", "session.start" …
	OwnerID  int64  // the user whose thing it is, who may see the row
	Target   string // "api_key", "user", "stepsy"
	TargetID int64
	Name     string // of the target at that time
	Detail   string // what changed, in words; never a secret
}
