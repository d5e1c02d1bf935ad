package stepsies

import (
	"errors"
	"strings"
)

// Scope is one permission that an API key can carry.
type Scope string

// The scopes. Admin includes the other two; write does not include read.
const (
	ScopeRead  Scope = "read"
	ScopeWrite Scope = "write"
	ScopeAdmin Scope = "admin"
)

// Scopes is a set of scopes. The zero value is the empty set.
type Scopes struct{ read, write, admin bool }

// ErrScopes is what ParseScopes says of anything but the three names.
var ErrScopes = errors.New("must be one or more of read, write, admin")

// ParseScopes returns the set of the named scopes; naming one twice is the same
// as naming it once. There must be at least one.
func ParseScopes(names []string) (Scopes, error) {
	var set Scopes
	for _, name := range names {
		switch Scope(name) {
		case ScopeRead:
			set.read = true
		case ScopeWrite:
			set.write = true
		case ScopeAdmin:
			set.admin = true
		default:
			return Scopes{}, ErrScopes
		}
	}
	if set == (Scopes{}) {
		return Scopes{}, ErrScopes
	}
	return set, nil
}

// ScopesOf returns the set of the given scopes.
func ScopesOf(scopes ...Scope) Scopes {
	var set Scopes
	for _, s := range scopes {
		set.read = set.read || s == ScopeRead
		set.write = set.write || s == ScopeWrite
		set.admin = set.admin || s == ScopeAdmin
	}
	return set
}

// Names lists the scopes in the order read, write, admin.
func (s Scopes) Names() []string {
	names := make([]string, 0, 3)
	if s.read {
		names = append(names, string(ScopeRead))
	}
	if s.write {
		names = append(names, string(ScopeWrite))
	}
	if s.admin {
		names = append(names, string(ScopeAdmin))
	}
	return names
}

// String joins the names with spaces, as OAuth does (RFC 6749 §3.3).
func (s Scopes) String() string { return strings.Join(s.Names(), " ") }

// Allow reports whether the set permits what needs the scope.
func (s Scopes) Allow(need Scope) bool {
	switch need {
	case ScopeRead:
		return s.read || s.admin
	case ScopeWrite:
		return s.write || s.admin
	case ScopeAdmin:
		return s.admin
	}
	return false
}

// Holdable returns what a user of the role may use of the set now. Only admins
// can hold the scope admin, and it stops counting the moment they are none.
func (s Scopes) Holdable(r Role) Scopes {
	s.admin = s.admin && r == RoleAdmin
	return s
}

// MarshalText writes the set as its names with spaces between.
func (s Scopes) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote, the empty set too.
func (s *Scopes) UnmarshalText(text []byte) error {
	*s = Scopes{}
	if len(text) == 0 {
		return nil
	}
	var err error
	*s, err = ParseScopes(strings.Fields(string(text)))
	return err
}

// Both returns what both sets permit a user of the role: of a set with admin and one
// with read, read, where the role makes the former count.
func (s Scopes) Both(o Scopes, r Role) Scopes {
	either := func(in, inOther bool, need Scope) bool {
		return in && inOther || r == RoleAdmin && (in || inOther) && s.Allow(need) && o.Allow(need)
	}
	return Scopes{
		read:  either(s.read, o.read, ScopeRead),
		write: either(s.write, o.write, ScopeWrite),
		admin: s.admin && o.admin,
	}
}
