package store

import (
	"context"

	"github.com/stepsies/stepsies"
)

// record writes one row of the record of activity, in the transaction of the
// change that it speaks of.
func (t *tx) record(ctx context.Context, w Write, a stepsies.Activity) error {
	actor := w.Actor
	_, err := t.exec(ctx, `insert into activity (at, actor_kind, actor_user_id, actor_name, key_id, key_name, ip,
			action, owner_id, target, target_id, target_name, detail)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		stamp(t.now), string(actor.Kind), actor.UserID, actor.Username, actor.KeyID, actor.KeyName, actor.IP,
		a.Action, a.OwnerID, a.Target, a.TargetID, a.Name, a.Detail)
	return wrap(err, "record activity")
}

// ActivityFilter chooses rows of the record of activity.
type ActivityFilter struct {
	Access   stepsies.Access
	Target   string // "" for every kind
	TargetID int64  // with Target; 0 for every one
	Page     Page
}

// ListActivity returns who did what, newest first, as far as the access reaches.
func (s *Store) ListActivity(ctx context.Context, f ActivityFilter) (Paged[stepsies.Activity], error) {
	var q conditions
	if !f.Access.Everyone {
		q.where("owner_id = $%d", f.Access.UserID)
	}
	if f.Target != "" {
		q.where("target = $%d", f.Target)
	}
	if f.TargetID != 0 {
		q.where("target_id = $%d", f.TargetID)
	}
	return pageByID(ctx, s, f.Page, &q, `select id, at, actor_kind, actor_user_id, actor_name, key_id, key_name, ip,
			action, owner_id, target, target_id, target_name, detail
		from activity`, "id", func(scan func(...any) error) (a stepsies.Activity, id int64, err error) {
		err = scan(&a.ID, stampTo{&a.At}, &a.Actor.Kind, &a.Actor.UserID, &a.Actor.Username, &a.Actor.KeyID,
			&a.Actor.KeyName, &a.Actor.IP, &a.Action, &a.OwnerID, &a.Target, &a.TargetID, &a.Name, &a.Detail)
		return a, a.ID, err
	})
}
