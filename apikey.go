package stepsies

import (
	"errors"
	"time"
)

// KeyStatus is what an API key is worth at a moment.
type KeyStatus string

// The states of a key. Expiring keys work, and stop within a week.
const (
	KeyActive   KeyStatus = "active"
	KeyExpiring KeyStatus = "expiring"
	KeyExpired  KeyStatus = "expired"
	KeyRevoked  KeyStatus = "revoked"
)

// ExpiringWithin is how long before its end a key is called expiring.
const ExpiringWithin = 7 * 24 * time.Hour

// Bounds of how long a rotated key lives on.
const (
	DefaultGrace = 24 * time.Hour
	MaxGrace     = 30 * 24 * time.Hour
)

// lastExpiry is the end of the year 9999, which is as far as RFC 3339 goes.
var lastExpiry = time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC).Unix()

// RevokeReason says why a key was revoked.
type RevokeReason string

// The reasons.
const (
	RevokedByHand RevokeReason = "revoked" // by its owner, an admin or the operator
	RevokedLeaked RevokeReason = "leaked"  // reported by someone who held the key
)

// APIKey lets a program act as one user, limited to its scopes. The secret
// itself is not part of it: nobody but its bearer has it.
type APIKey struct {
	ID, UserID  int64
	Username    string // of the owner
	Name        string
	Description string
	Scopes      Scopes
	Hint        string
	CreatedAt   time.Time
	ExpiresAt   time.Time // zero: never
	RevokedAt   time.Time // zero: not revoked
	Reason      RevokeReason
	LeakSource  string // where a leaked key was found, as its finder said
	RotatedFrom int64  // the key that this one succeeds, 0 for none

	LastUsedAt    time.Time // right to within 10 s while the server runs
	LastUsedIP    string
	RefusedCount  int64 // uses after its end
	LastRefusedAt time.Time
}

// Status returns what the key is worth at now.
func (k APIKey) Status(now time.Time) KeyStatus {
	switch {
	case !k.RevokedAt.IsZero():
		return KeyRevoked
	case k.ExpiresAt.IsZero():
		return KeyActive
	case !now.Before(k.ExpiresAt):
		return KeyExpired
	case k.ExpiresAt.Sub(now) <= ExpiringWithin:
		return KeyExpiring
	}
	return KeyActive
}

// KeyChange says what becomes of a key; nil leaves a field as it is.
type KeyChange struct {
	Name        *string
	Description *string
	Scopes      *[]string
	ExpiresAt   *time.Time // zero: never
}

// NewAPIKey returns a key for the owner, or all that is wrong with what is wanted.
func NewAPIKey(owner User, want KeyChange, now time.Time) (APIKey, error) {
	k := APIKey{UserID: owner.ID, Username: owner.Username, CreatedAt: now}
	var bad Problems
	if want.Name == nil {
		bad.Add("name", "is required")
	}
	if want.Scopes == nil {
		bad.Add("scopes", "is required")
	}
	k.apply(owner, want, &bad)
	if !k.ExpiresAt.IsZero() && !k.ExpiresAt.After(now) {
		bad.Add("expires_at", "must be in the future")
	}
	return k, bad.Err()
}

// Change edits a key: its name, description, scopes and expiry, never its
// secret. A revoked key cannot be edited, or an edit would bring it back.
func (k *APIKey) Change(owner User, want KeyChange) error {
	if !k.RevokedAt.IsZero() {
		return errRevokedKey("edited")
	}
	changed := *k
	var bad Problems
	changed.apply(owner, want, &bad)
	if err := bad.Err(); err != nil {
		return err
	}
	*k = changed
	return nil
}

func (k *APIKey) apply(owner User, want KeyChange, bad *Problems) {
	var err error
	if want.Name != nil {
		k.Name, err = line(*want.Name, 1, 100)
		bad.AddErr("name", err)
	}
	if want.Description != nil {
		k.Description, err = prose(*want.Description, 500)
		bad.AddErr("description", err)
	}
	if want.Scopes != nil {
		k.Scopes, err = ParseScopes(*want.Scopes)
		if err == nil {
			err = canHold(owner, k.Scopes)
		}
		bad.AddErr("scopes", err)
	}
	if want.ExpiresAt != nil {
		k.ExpiresAt = *want.ExpiresAt
		if !k.ExpiresAt.IsZero() {
			k.ExpiresAt = k.ExpiresAt.UTC().Truncate(time.Second)
			if k.ExpiresAt.Year() > 9999 || k.ExpiresAt.Year() < 1970 {
				bad.Add("expires_at", "must be a time from 1970 to 9999, or null for never")
			}
		}
	}
}

// Rotate returns the successor of a key: the same name, description, scopes and
// lifetime. The key itself lives on for the grace period and never longer than
// it would have. Latest is the newest key in the line of its successors, or the key
// itself: one that was rotated before ends with its grace period, and its own expiry
// says nothing of its lifetime any more.
func (k *APIKey) Rotate(owner User, latest APIKey, grace time.Duration, now time.Time) (APIKey, error) {
	if !k.RevokedAt.IsZero() {
		return APIKey{}, errRevokedKey("rotated")
	}
	var bad Problems
	if grace < 0 || grace > MaxGrace {
		bad.Add("grace_period_seconds", "must be from 0 to %d", int(MaxGrace.Seconds()))
	}
	bad.AddErr("scopes", canHold(owner, k.Scopes))
	if err := bad.Err(); err != nil {
		return APIKey{}, err
	}
	next := APIKey{
		UserID: k.UserID, Username: k.Username, Name: k.Name, Description: k.Description,
		Scopes: k.Scopes, CreatedAt: now, RotatedFrom: k.ID,
	}
	if !latest.ExpiresAt.IsZero() {
		// In seconds, since a Duration ends at 292 years. A key whose expiry was moved
		// before its creation has no lifetime to hand on.
		lifetime := max(latest.ExpiresAt.Unix()-latest.CreatedAt.Unix(), 1)
		next.ExpiresAt = time.Unix(min(now.Unix()+lifetime, lastExpiry), 0).UTC()
	}
	end := now.Truncate(time.Second)
	if grace > 0 {
		end = wholeSecondUp(now.Add(grace))
	}
	if k.ExpiresAt.IsZero() || end.Before(k.ExpiresAt) {
		k.ExpiresAt = end
	}
	return next, nil
}

// Revoke ends the key for good. It reports whether that changed anything.
func (k *APIKey) Revoke(reason RevokeReason, source string, now time.Time) bool {
	if !k.RevokedAt.IsZero() {
		return false
	}
	k.RevokedAt, k.Reason, k.LeakSource = now, reason, source
	return true
}

// canHold checks on create, edit and rotate alike that the owner may carry the
// scopes: minting admin through one of the three is the classic hole.
func canHold(owner User, s Scopes) error {
	if s.Holdable(owner.Role) != s {
		return errors.New("include admin, which only a user with the role admin can hold")
	}
	return nil
}

func errRevokedKey(verb string) error {
	return Conflict("A revoked key cannot be %s. Create a new key.", verb)
}

func wholeSecondUp(t time.Time) time.Time {
	return t.Add(time.Second - time.Nanosecond).Truncate(time.Second)
}
