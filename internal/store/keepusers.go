package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
)

// keepUsersBack gives the restored users the lower of two roles, their present password
// and address, and suspends who is suspended or gone. The installation may be without an
// admin afterwards.
func (t *tx) keepUsersBack(ctx context.Context, was present, done *Restored) (restoredUsers, error) {
	left := restoredUsers{map[int64]restoredUser{}, map[int64]restoredUser{}}
	var changed []userHeldBack
	if err := t.eachHeldUser(ctx, func(u heldUser) {
		c := userHeldBack{heldUser: u, before: u}
		if was.known {
			c.holdBack(was, t)
		}
		if len(c.reasons) > 0 || c.gone {
			changed = append(changed, c)
		}
		r := restoredUser{u.id, u.username, c.role}
		left.byID[u.id], left.byAccount[u.accountID] = r, r
		done.consider(c)
	}); err != nil {
		return left, err
	}
	if err := t.moveAddresses(ctx, changed); err != nil {
		return left, err
	}
	for _, c := range changed {
		if len(c.reasons) == 0 {
			continue
		}
		if _, err := t.exec(ctx, `update users set email = $2, email_key = $3, email_verified_at = $4, role = $5, suspended_at = $6, password_hash = $7
			where id = $1`, c.id, c.email, c.emailKey, stamp(c.confirmed), string(c.role), stamp(c.suspendedAt), c.password); err != nil {
			return left, wrap(err, "keep back what user %d had", c.id)
		}
		if err := t.note(ctx, done, KeptBack{Kind: "user", ID: c.id, User: c.username, Reason: c.reasons}, stepsies.Activity{
			Action: stepsies.ActionKeepBackUser, OwnerID: c.id, TargetID: c.id, Name: c.username, Detail: strings.Join(c.reasons, ", "),
		}); err != nil {
			return left, err
		}
	}
	return left, nil
}

// userHeldBack is a restored user on the way to what they may be now.
type userHeldBack struct {
	heldUser
	before  heldUser // as the backup has them
	gone    bool     // deleted since
	reasons []string
}

func (c *userHeldBack) because(format string, args ...any) {
	c.reasons = append(c.reasons, fmt.Sprintf(format, args...))
}

// holdBack compares a restored user with the present one.
func (c *userHeldBack) holdBack(was present, t *tx) {
	now, ok := was.users[c.id]
	if !ok || now.username != c.username || !now.created.Equal(c.created) {
		c.gone = true
		if c.suspendedAt.IsZero() {
			c.suspendedAt = t.now
			c.because("suspended, since they were deleted")
		}
		return
	}
	if c.role == stepsies.RoleAdmin && now.role != stepsies.RoleAdmin {
		c.role = now.role
		c.because("role admin → %s", now.role)
	}
	if c.suspendedAt.IsZero() && !now.suspendedAt.IsZero() {
		c.suspendedAt = now.suspendedAt
		c.because("suspended")
	}
	if c.password != now.password {
		c.password = now.password
		c.because("present password")
	}
	if c.email != now.email || !c.confirmed.Equal(now.confirmed) {
		if c.email != now.email {
			c.because("present e-mail address")
		} else if now.confirmed.IsZero() {
			c.because("e-mail address not confirmed")
		} else if c.confirmed.IsZero() {
			return // confirmed since: what the backup has is less
		}
		c.email, c.emailKey, c.confirmed = now.email, now.emailKey, now.confirmed
	}
}

// moveAddresses makes room for the addresses that users have now, whoever had them in
// the backup: among those who are there they are as unique as they were, and who was
// deleted gets one to which nothing can be sent (RFC 2606 §2).
func (t *tx) moveAddresses(ctx context.Context, changed []userHeldBack) error {
	taken := map[string]bool{}
	for i := range changed {
		c := &changed[i]
		if c.emailKey == c.before.emailKey {
			continue
		}
		taken[c.emailKey] = true
		if _, err := t.exec(ctx, `update users set email_key = $2 where id = $1`, c.id, fmt.Sprintf(" %d", c.id)); err != nil {
			return wrap(err, "move the address of user %d", c.id)
		}
	}
	for i := range changed {
		c := &changed[i]
		if !c.gone || !taken[c.emailKey] {
			continue
		}
		c.email = fmt.Sprintf("restored-%d@stepsies.invalid", c.id)
		c.emailKey, c.confirmed = c.email, time.Time{}
		c.because("their e-mail address is another user's now")
		if _, err := t.exec(ctx, `update users set email = $2, email_key = $2, email_verified_at = null where id = $1`, c.id, c.email); err != nil {
			return wrap(err, "move the address of user %d", c.id)
		}
	}
	return nil
}

// consider counts a restored user as an admin, or remembers them as who could be made
// one: best whom the backup has as an admin and who was not deleted since.
func (r *Restored) consider(c userHeldBack) {
	if c.role == stepsies.RoleAdmin && c.suspendedAt.IsZero() {
		r.Admins++
	}
	next := Candidate{
		Username: c.username, Member: c.role != stepsies.RoleAdmin, Suspended: !c.suspendedAt.IsZero(),
		administered: c.before.role == stepsies.RoleAdmin, gone: c.gone,
	}
	if best := r.Candidate; best == nil || next.score() > best.score() {
		r.Candidate = &next
	}
}

func (c Candidate) score() (n int) {
	if c.administered {
		n += 2
	}
	if !c.gone {
		n++
	}
	return n
}
