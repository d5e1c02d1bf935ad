package store

import (
	"context"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
)

// keepKeysBack gives each restored key no more than it has now: keys are met by their
// hash, since that is what opens.
func (t *tx) keepKeysBack(ctx context.Context, was present, users restoredUsers, revokeAll bool, done *Restored) error {
	type heldBack struct {
		heldKey
		reasons []string
	}
	var changed []heldBack
	if err := t.eachHeldKey(ctx, func(k heldKey) {
		if !k.revokedAt.IsZero() {
			return
		}
		var reasons []string
		if was.known {
			now, ok := was.keys[k.hash]
			reasons = k.holdBack(now, ok, users.byID[k.userID].role, t.now)
		}
		if revokeAll && k.revokedAt.IsZero() {
			k.revokedAt, k.reason = t.now, stepsies.RevokedByHand
			reasons = append(reasons, "revoked with every other key")
		}
		if len(reasons) > 0 {
			changed = append(changed, heldBack{k, reasons})
		}
	}); err != nil {
		return err
	}
	for _, k := range changed {
		if _, err := t.exec(ctx, `update api_keys set scopes = $2, expires_at = $3, revoked_at = $4, revoked_reason = $5, leak_source = $6
			where id = $1`, k.id, k.scopes.String(), stamp(k.expires), stamp(k.revokedAt), string(k.reason), k.source); err != nil {
			return wrap(err, "keep back what key %d had", k.id)
		}
		if !k.revokedAt.IsZero() {
			done.Revoked++
		}
		if err := t.note(ctx, done, KeptBack{
			Kind: "api_key", ID: k.id, User: users.byID[k.userID].username, Name: k.name, Hint: k.hint, Reason: k.reasons,
		}, stepsies.Activity{
			Action: stepsies.ActionKeepBackKey, OwnerID: k.userID, TargetID: k.id, Name: k.name, Detail: strings.Join(k.reasons, ", "),
		}); err != nil {
			return err
		}
	}
	return nil
}

// holdBack takes from a restored key what the present one, if there is any, does not
// have, and says why.
func (k *heldKey) holdBack(now heldKey, there bool, owner stepsies.Role, at time.Time) []string {
	switch {
	case !there:
		k.revokedAt, k.reason = at, stepsies.RevokedByHand
		return []string{"revoked, since it was not there any more"}
	case !now.revokedAt.IsZero():
		k.revokedAt, k.reason, k.source = now.revokedAt, now.reason, now.source
		if now.reason == stepsies.RevokedLeaked {
			return []string{"revoked as leaked"}
		}
		return []string{"revoked"}
	}
	var reasons []string
	switch both := k.scopes.Both(now.scopes, owner); both {
	case k.scopes:
	case stepsies.Scopes{}:
		k.revokedAt, k.reason = at, stepsies.RevokedByHand
		return []string{"revoked, since its scopes are others now"}
	default:
		reasons = append(reasons, "scopes "+k.scopes.String()+" → "+both.String())
		k.scopes = both
	}
	if !now.expires.IsZero() && (k.expires.IsZero() || now.expires.Before(k.expires)) {
		reasons = append(reasons, "expires "+expiryText(k.expires)+" → "+expiryText(now.expires))
		k.expires = now.expires
	}
	return reasons
}

// keepAccountsBack gives each restored account no higher limit than it has now, and
// has what it used of its month count.
func (t *tx) keepAccountsBack(ctx context.Context, was present, users restoredUsers, done *Restored) error {
	var restored []heldAccount
	if err := t.eachHeldAccount(ctx, func(a heldAccount) { restored = append(restored, a) }); err != nil {
		return err
	}
	for _, a := range restored {
		now, ok := was.accounts[a.id]
		if !ok {
			continue // its user was deleted, and is suspended
		}
		if now.month > a.month {
			if _, err := t.exec(ctx, `insert into account_usage_days (account_id, day, requests) values ($1, $2, $3)
				on conflict (account_id, day) do update set requests = account_usage_days.requests + excluded.requests`,
				a.id, Day(t.now), now.month-a.month); err != nil {
				return wrap(err, "keep what account %d used", a.id)
			}
		}
		plan, own := lowerPlan(a, now)
		if plan == a.plan && own == a.own {
			continue
		}
		if _, err := t.exec(ctx, `update accounts set plan = $2, limit_minute = $3, limit_hour = $4, limit_month = $5 where id = $1`,
			a.id, string(plan), own.Minute, own.Hour, own.Month); err != nil {
			return wrap(err, "keep back what account %d had", a.id)
		}
		why, owner := "limits", users.byAccount[a.id]
		if plan != a.plan {
			why = "plan " + string(a.plan) + " → " + string(plan)
		}
		if err := t.note(ctx, done, KeptBack{Kind: "account", ID: a.id, User: owner.username, Reason: []string{why}}, stepsies.Activity{
			Action: stepsies.ActionKeepBackUser, OwnerID: owner.id, TargetID: owner.id, Name: owner.username, Detail: why,
		}); err != nil {
			return err
		}
	}
	return nil
}

// lowerPlan returns the plan of the two accounts that admits less. Where one admits less
// in a minute and the other in a month, it is enterprise with the lower numbers.
func lowerPlan(a, b heldAccount) (stepsies.Plan, stepsies.Limits) {
	la, lb := stepsies.LimitsOf(a.plan, a.own), stepsies.LimitsOf(b.plan, b.own)
	low := stepsies.Limits{Minute: lowerLimit(la.Minute, lb.Minute), Hour: lowerLimit(la.Hour, lb.Hour), Month: lowerLimit(la.Month, lb.Month)}
	switch low {
	case la:
		return a.plan, a.own
	case lb:
		return b.plan, b.own
	}
	return stepsies.PlanEnterprise, low
}

// lowerLimit returns the lower of two limits, of which 0 is none.
func lowerLimit(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
