package client

import (
	"context"
	"iter"
	"time"
)

// Role is what a user may be on an installation.
type Role string

// The roles. Only an admin can have keys with ScopeAdmin.
const (
	RoleMember Role = "member"
	RoleAdmin  Role = "admin"
)

// Plan decides how many requests an account may make.
type Plan string

// The plans. PlanEnterprise has limits of its own, or none.
const (
	PlanFree       Plan = "free"
	PlanPro        Plan = "pro"
	PlanTeam       Plan = "team"
	PlanEnterprise Plan = "enterprise"
)

// Profile is the user who the client's key belongs to.
type Profile struct {
	Username    string      `json:"username"`
	DisplayName string      `json:"display_name"`
	Email       string      `json:"email"`
	Bio         string      `json:"bio"`
	Role        Role        `json:"role"`
	Plan        Plan        `json:"plan"`
	CreatedAt   time.Time   `json:"created_at"`
	Limits      Usage       `json:"limits"`
	Key         *CurrentKey `json:"key"` // nil where the caller has none
}

// Usage is what the account's limits admit at present; nil where there is none.
type Usage struct {
	Minute *Window `json:"minute"`
	Hour   *Window `json:"hour"`
	Month  *Window `json:"month"`
}

// CurrentKey is the API key that the client uses.
type CurrentKey struct {
	ID        int64      `json:"id"`
	Name      string     `json:"name"`
	Scopes    []Scope    `json:"scopes"`
	Hint      string     `json:"hint"`
	ExpiresAt *time.Time `json:"expires_at"` // nil: never
}

// ProfileChange is a change of the caller's own profile.
type ProfileChange struct {
	DisplayName Optional[string] `json:"display_name,omitzero"` // null: the username
	Bio         Optional[string] `json:"bio,omitzero"`          // at most 1,000 characters
}

// Me returns the profile of the client's key, with the limits of its account.
// It is the way to check a key.
func (c *Client) Me(ctx context.Context, opts ...CallOption) (*Profile, error) {
	return result[Profile](ctx, c, getMe.to(), nil, opts)
}

// UpdateMe changes the profile of the client's key.
func (c *Client) UpdateMe(ctx context.Context, change ProfileChange, opts ...CallOption) (*Profile, error) {
	return result[Profile](ctx, c, updateMe.to(), change, opts)
}

// User is a person with an account, as an admin sees them.
type User struct {
	Username    string     `json:"username"`
	DisplayName string     `json:"display_name"`
	Email       string     `json:"email"`
	Bio         string     `json:"bio"`
	Role        Role       `json:"role"`
	Plan        Plan       `json:"plan"`
	Limits      *Limits    `json:"limits"` // own limits on the plan enterprise; nil: those of the plan
	Suspended   bool       `json:"suspended"`
	SuspendedAt *time.Time `json:"suspended_at"` // nil unless suspended
	CreatedAt   time.Time  `json:"created_at"`
}

// Limits are an account's own limits in requests; nil is no limit.
type Limits struct {
	Minute *int64 `json:"minute"`
	Hour   *int64 `json:"hour"`
	Month  *int64 `json:"month"`
}

// LimitsChange is a change of an account's own limits. Null is no limit; what is
// absent stays as it is.
type LimitsChange struct {
	Minute Optional[int64] `json:"minute,omitzero"`
	Hour   Optional[int64] `json:"hour,omitzero"`
	Month  Optional[int64] `json:"month,omitzero"`
}

// NewUser is a user to be made. Username and e-mail address are required.
type NewUser struct {
	Username    string  `json:"username"` // 3 to 30 of a-z, 0-9, underscore and hyphen
	Email       string  `json:"email"`
	DisplayName string  `json:"display_name,omitzero"` // the username where empty
	Bio         string  `json:"bio,omitzero"`
	Role        Role    `json:"role,omitzero"`   // a member where empty
	Plan        Plan    `json:"plan,omitzero"`   // free where empty
	Limits      *Limits `json:"limits,omitzero"` // on the plan enterprise only
	Suspended   bool    `json:"suspended,omitzero"`
}

// UserChange is a change of a user by an admin.
type UserChange struct {
	DisplayName Optional[string]       `json:"display_name,omitzero"`
	Bio         Optional[string]       `json:"bio,omitzero"`
	Email       Optional[string]       `json:"email,omitzero"`
	Role        Optional[Role]         `json:"role,omitzero"`
	Plan        Optional[Plan]         `json:"plan,omitzero"`
	Limits      Optional[LimitsChange] `json:"limits,omitzero"`    // on the plan enterprise only; null: none
	Suspended   Optional[bool]         `json:"suspended,omitzero"` // true ends sessions and keys until it is false again
}

// UserQuery says which users to list.
type UserQuery struct {
	Limit  int    // page size, 1 to MaxPageSize; 0: 20 for ListUsers, MaxPageSize for AllUsers
	Cursor string // where to begin; "" at the beginning
	Q      string // what to search for
}

// ListUsers returns a page of users.
func (c *Client) ListUsers(ctx context.Context, q UserQuery, opts ...CallOption) (*Page[User], error) {
	r := listUsers.to().paged(q.Limit, q.Cursor, map[string]string{"q": q.Q})
	return result[Page[User]](ctx, c, r, nil, opts)
}

// AllUsers returns what ListUsers returns, over all pages.
func (c *Client) AllUsers(ctx context.Context, q UserQuery) iter.Seq2[User, error] {
	q.Limit = pageSize(q.Limit)
	return pages(q.Cursor, func(cursor string) (*Page[User], error) {
		q.Cursor = cursor
		return c.ListUsers(ctx, q)
	})
}

// GetUser returns a user.
func (c *Client) GetUser(ctx context.Context, username string, opts ...CallOption) (*User, error) {
	return result[User](ctx, c, getUser.onUser(username), nil, opts)
}

// CreateUser makes a user.
func (c *Client) CreateUser(ctx context.Context, u NewUser, opts ...CallOption) (*User, error) {
	return result[User](ctx, c, createUser.to(), u, opts)
}

// UpdateUser changes a user. The last admin cannot be demoted or suspended:
// ErrConflict.
func (c *Client) UpdateUser(ctx context.Context, username string, change UserChange, opts ...CallOption) (*User, error) {
	return result[User](ctx, c, updateUser.onUser(username), change, opts)
}

// DeleteUser deletes a user with all that they own, for good. The last admin
// cannot be deleted: ErrConflict.
func (c *Client) DeleteUser(ctx context.Context, username string, opts ...CallOption) error {
	_, err := c.call(ctx, deleteUser.onUser(username), nil, nil, opts)
	return err
}
