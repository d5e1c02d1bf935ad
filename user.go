package stepsies

import (
	"errors"
	"net/mail"
	"strings"
	"time"
)

// Role is what a user may be on an installation.
type Role string

// The roles.
const (
	RoleMember Role = "member"
	RoleAdmin  Role = "admin"
)

// ParseRole returns the role of that name.
func ParseRole(name string) (Role, error) {
	switch r := Role(name); r {
	case RoleMember, RoleAdmin:
		return r, nil
	}
	return "", errors.New("must be member or admin")
}

// User is a person: the author of stepsies and the bearer of keys. The plan and
// the limits are those of the account that the user belongs to.
type User struct {
	Account
	ID              int64
	Username        string
	Email           string
	DisplayName     string
	Bio             string
	Role            Role
	TimeZone        string    // IANA name; "" is UTC
	SuspendedAt     time.Time // zero when not suspended
	CreatedAt       time.Time
	EmailVerifiedAt time.Time // zero when not verified
	UpdatedAt       time.Time
	HasPassword     bool
}

// Suspended reports whether the user's keys and sessions are dead for now.
func (u User) Suspended() bool { return !u.SuspendedAt.IsZero() }

// CountsAsAdmin reports whether the user can administer the installation now.
// There must always be one.
func (u User) CountsAsAdmin() bool { return u.Role == RoleAdmin && !u.Suspended() }

// ErrLastAdmin refuses to leave an installation without an admin.
var ErrLastAdmin = Conflict("This is the last admin. Make another user an admin first.")

// FormerUsernameKept is how long nobody gets the username of a deleted user.
const FormerUsernameKept = 90 * 24 * time.Hour

// UserChange says what becomes of a user, and nothing of their account; nil leaves a
// field as it is.
type UserChange struct {
	Username    *string // on creation only
	Email       *string
	DisplayName *string // empty: the username
	Bio         *string
	Role        *string
	Suspended   *bool
	TimeZone    *string
}

// NewUser returns a user with the wanted properties and an account of their own: a
// member on the free plan unless they say otherwise. It reports all that is wrong at
// once.
func NewUser(want UserChange, account AccountChange, now time.Time) (User, error) {
	u := User{Account: Account{Plan: PlanFree}, Role: RoleMember, CreatedAt: now, UpdatedAt: now}
	var bad Problems
	if want.Username == nil {
		bad.Add("username", "is required")
	} else {
		var err error
		u.Username, err = ParseUsername(*want.Username)
		bad.AddErr("username", err)
	}
	if want.Email == nil {
		bad.Add("email", "is required")
	}
	if want.DisplayName == nil {
		want.DisplayName = new(string)
	}
	u.apply(want, now, &bad)
	u.Account.apply(account, &bad)
	return u, bad.Err()
}

// Change applies a change to the user and one to their account, or neither and reports
// all that is wrong with both. Whether an admin remains is for the store to see.
func (u *User) Change(want UserChange, account AccountChange, now time.Time) error {
	var bad Problems
	changed := *u
	changed.apply(want, now, &bad)
	changed.Account.apply(account, &bad)
	if err := bad.Err(); err != nil {
		return err
	}
	if changed != *u {
		changed.UpdatedAt = now
	}
	*u = changed
	return nil
}

func (u *User) apply(want UserChange, now time.Time, bad *Problems) {
	set := func(field string, to *string, from *string, parse func(string) (string, error)) {
		if from == nil {
			return
		}
		v, err := parse(*from)
		bad.AddErr(field, err)
		*to = v
	}
	before := u.Email
	set("email", &u.Email, want.Email, ParseEmail)
	if !strings.EqualFold(before, u.Email) {
		u.EmailVerifiedAt = time.Time{}
	}
	set("display_name", &u.DisplayName, want.DisplayName, func(s string) (string, error) {
		if strings.TrimSpace(s) == "" {
			return u.Username, nil
		}
		return line(s, 1, 100)
	})
	set("bio", &u.Bio, want.Bio, func(s string) (string, error) { return prose(s, 1000) })
	set("time_zone", &u.TimeZone, want.TimeZone, parseTimeZone)
	if want.Role != nil {
		r, err := ParseRole(*want.Role)
		bad.AddErr("role", err)
		u.Role = r
	}
	if want.Suspended != nil && *want.Suspended != u.Suspended() {
		u.SuspendedAt = time.Time{}
		if *want.Suspended {
			u.SuspendedAt = now
		}
	}
}

// ParseUsername returns s as a username: 3 to 30 of a-z, 0-9, underscore and
// hyphen.
func ParseUsername(s string) (string, error) {
	notIn := func(r rune) bool { return r > 127 || !isSlugByte(byte(r)) && r != '-' && r != '_' }
	if len(s) < 3 || len(s) > 30 || strings.ContainsFunc(s, notIn) {
		return "", errors.New("must be 3 to 30 characters of a-z, 0-9, underscore and hyphen")
	}
	return s, nil
}

// ParseEmail returns s as an e-mail address (RFC 5322 addr-spec) of at most 254
// characters (RFC 5321 §4.5.3.1.3), trimmed, spelt as given.
func ParseEmail(s string) (string, error) {
	s = strings.TrimSpace(s)
	addr, err := mail.ParseAddress(s)
	if err != nil || addr.Address != s || len(s) > 254 || CheckText(s, false) != nil {
		return "", errors.New("must be an e-mail address such as sarah@example.com")
	}
	return s, nil
}

func parseTimeZone(s string) (string, error) {
	if s == "" || s == "UTC" {
		return "", nil
	}
	if _, err := time.LoadLocation(s); err != nil || s == "Local" {
		return "", errors.New("must be the name of a time zone such as Europe/Berlin")
	}
	return s, nil
}
