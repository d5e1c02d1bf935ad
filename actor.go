package stepsies

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

// Access is how far a caller reaches: to what is one user's own and what is their
// account's, or to everyone's.
type Access struct {
	UserID    int64
	AccountID int64
	Everyone  bool
}
