package store

import (
	"context"
	"fmt"

	"github.com/stepsies/stepsies"
)

// record writes one row of the record of activity, in the transaction of the
// change that it speaks of. What the action is done to follows from it.
func (t *tx) record(ctx context.Context, w Write, a stepsies.Activity) error {
	actor, target := w.Actor, a.Action.Target()
	if target == "" {
		return fmt.Errorf("record activity: %q is no action", a.Action)
	}
	_, err := t.exec(ctx, `insert into activity (at, actor_kind, actor_user_id, actor_name, key_id, key_name, ip,
			action, owner_id, target, target_id, target_name, detail)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		stamp(t.now), string(actor.Kind), actor.UserID, actor.Username, actor.KeyID, actor.KeyName, actor.IP,
		string(a.Action), a.OwnerID, string(target), a.TargetID, a.Name, a.Detail)
	return wrap(err, "record activity")
}

// saidJustNow reports whether the last row about a thing says what a new one would:
// the same act of the same actor, not long ago.
func (t *tx) saidJustNow(ctx context.Context, w Write, a stepsies.Activity) (bool, error) {
	var last stepsies.Activity
	err := t.one(ctx, `select at, actor_kind, actor_user_id, key_id, action from activity
		where target = $1 and target_id = $2 order by id desc limit 1`, []any{string(a.Action.Target()), a.TargetID},
		stampTo{&last.At}, &last.Actor.Kind, &last.Actor.UserID, &last.Actor.KeyID, &last.Action)
	if err == errNoRow {
		return false, nil
	}
	same := last.Action == a.Action && last.Actor.Kind == w.Actor.Kind && last.Actor.UserID == w.Actor.UserID && last.Actor.KeyID == w.Actor.KeyID
	return same && t.now.Sub(last.At) < quietFor, wrap(err, "read the last activity")
}

// ActivityKind is what a row of the record of activity is about, as people sort it.
type ActivityKind string

// The kinds of activity.
const (
	ActivityKeys     ActivityKind = "keys"
	ActivityStepsies ActivityKind = "stepsies"
	ActivityUsers    ActivityKind = "users"
	ActivitySignIns  ActivityKind = "sign-ins"
)

// kindConditions choose the rows of a kind.
var kindConditions = map[ActivityKind]string{
	ActivityKeys:     `target = 'api_key'`,
	ActivityStepsies: `target = 'stepsy'`,
	ActivityUsers:    `target = 'user' and action not like 'session.%'`,
	ActivitySignIns:  `target = 'user' and action like 'session.%'`,
}

// ActivityFilter chooses rows of the record of activity.
type ActivityFilter struct {
	Access   stepsies.Access
	Target   stepsies.Target // "" for every one
	TargetID int64           // with Target; 0 for every one
	Kind     ActivityKind    // "" for every one
	UserID   int64           // what that user did, and what was done to what is theirs; 0 for everyone's
	Page     Page
}

// ListActivity returns who did what, newest first, as far as the access reaches.
func (s *Store) ListActivity(ctx context.Context, f ActivityFilter) (Paged[stepsies.Activity], error) {
	return pageByID(ctx, s, f.Page, f.conditions(), activityRows, "id", func(scan func(...any) error) (stepsies.Activity, int64, error) {
		a, err := scanActivity(scan)
		return a, a.ID, err
	})
}

const activityRows = `select id, at, actor_kind, actor_user_id, actor_name, key_id, key_name, ip,
		action, owner_id, target, target_id, target_name, detail
	from activity`

func scanActivity(scan func(...any) error) (a stepsies.Activity, err error) {
	err = scan(&a.ID, stampTo{&a.At}, &a.Actor.Kind, &a.Actor.UserID, &a.Actor.Username, &a.Actor.KeyID,
		&a.Actor.KeyName, &a.Actor.IP, &a.Action, &a.OwnerID, &a.Target, &a.TargetID, &a.Name, &a.Detail)
	return a, err
}

func (f ActivityFilter) conditions() *conditions {
	var q conditions
	if !f.Access.Everyone {
		q.where("owner_id = $%d", f.Access.UserID)
	}
	if f.Target != "" {
		q.where("target = $%d", string(f.Target))
	}
	if f.TargetID != 0 {
		q.where("target_id = $%d", f.TargetID)
	}
	if kind, ok := kindConditions[f.Kind]; ok {
		q.and(kind)
	}
	if f.UserID != 0 {
		q.where("(owner_id = $%d or actor_user_id = $%d)", f.UserID)
	}
	return &q
}
