package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"
)

// Scope limits what a key may do.
type Scope string

// The scopes. ScopeAdmin includes the others; ScopeWrite does not include
// ScopeRead.
const (
	ScopeRead  Scope = "read"
	ScopeWrite Scope = "write"
	ScopeAdmin Scope = "admin"
)

// KeyStatus is what an API key is worth at present.
type KeyStatus string

// The states of a key. Expiring keys work, and stop within a week.
const (
	KeyActive   KeyStatus = "active"
	KeyExpiring KeyStatus = "expiring"
	KeyExpired  KeyStatus = "expired"
	KeyRevoked  KeyStatus = "revoked"
)

// APIKey is what is known of an API key to all but its bearer.
type APIKey struct {
	ID            int64      `json:"id"`
	Name          string     `json:"name"`
	Description   string     `json:"description"`
	Scopes        []Scope    `json:"scopes"`
	Hint          string     `json:"hint"` // enough of the key to recognise it
	Status        KeyStatus  `json:"status"`
	CreatedAt     time.Time  `json:"created_at"`
	LastUsedAt    *time.Time `json:"last_used_at"` // nil until used; right to within 10 s
	LastUsedIP    *string    `json:"last_used_ip"`
	ExpiresAt     *time.Time `json:"expires_at"`    // nil: never
	RevokedAt     *time.Time `json:"revoked_at"`    // nil: not revoked
	UserID        string     `json:"user_id"`       // username of the owner
	RefusedCount  int64      `json:"refused_count"` // uses after its end
	LastRefusedAt *time.Time `json:"last_refused_at"`
	RevokedReason *string    `json:"revoked_reason"`  // "revoked" or "leaked"
	LeakSourceURL *string    `json:"leak_source_url"` // where a leaked key was found, as its finder said
}

// CreatedKey is a new API key with its secret, which no later answer shows.
type CreatedKey struct {
	APIKey
	Key Secret `json:"key"` // Key.Reveal() gives it
}

// ErrSecretLost is the failure of CreateAPIKey and RotateAPIKey when the key was
// made but the answer with its secret was lost on the way: the server keeps no
// secret, so that the repetition brings the key without it. The CreatedKey is
// returned beside the error; revoke that key and make another.
var ErrSecretLost = errors.New("the answer with the new key's secret was lost")

// NewAPIKey is an API key to be made. Name and scopes are required.
type NewAPIKey struct {
	Name        string    `json:"name"`                 // 1 to 100 characters
	Description string    `json:"description,omitzero"` // at most 500 characters
	Scopes      []Scope   `json:"scopes,omitzero"`      // one or more; admin for users with the role admin only
	ExpiresAt   time.Time `json:"expires_at,omitzero"`  // whole seconds; never where zero
	UserID      string    `json:"user_id,omitzero"`     // username of the owner; the caller where empty
}

// APIKeyChange is a change of an API key. It never changes the secret.
type APIKeyChange struct {
	Name        Optional[string]    `json:"name,omitzero"`
	Description Optional[string]    `json:"description,omitzero"`
	Scopes      Optional[[]Scope]   `json:"scopes,omitzero"`
	ExpiresAt   Optional[time.Time] `json:"expires_at,omitzero"` // null: never
}

// Rotation says how an API key is rotated.
type Rotation struct {
	// GracePeriod is how long the old key lives on: 0 to 30 days, cut down to
	// whole seconds. Absent is a day.
	GracePeriod Optional[time.Duration]
}

// APIKeyQuery says which API keys to list.
type APIKeyQuery struct {
	Limit  int    // page size, 1 to MaxPageSize; 0: 20 for ListAPIKeys, MaxPageSize for AllAPIKeys
	Cursor string // where to begin; "" at the beginning
	UserID string // username of the owner; everyone's where empty
}

// ListAPIKeys returns a page of API keys.
func (c *Client) ListAPIKeys(ctx context.Context, q APIKeyQuery, opts ...CallOption) (*Page[APIKey], error) {
	r := listAPIKeys.to().paged(q.Limit, q.Cursor, map[string]string{"user_id": q.UserID})
	return result[Page[APIKey]](ctx, c, r, nil, opts)
}

// AllAPIKeys returns what ListAPIKeys returns, over all pages.
func (c *Client) AllAPIKeys(ctx context.Context, q APIKeyQuery) iter.Seq2[APIKey, error] {
	q.Limit = pageSize(q.Limit)
	return pages(q.Cursor, func(cursor string) (*Page[APIKey], error) {
		q.Cursor = cursor
		return c.ListAPIKeys(ctx, q)
	})
}

// GetAPIKey returns an API key.
func (c *Client) GetAPIKey(ctx context.Context, id int64, opts ...CallOption) (*APIKey, error) {
	return result[APIKey](ctx, c, getAPIKey.on(id), nil, opts)
}

// CreateAPIKey makes an API key and returns it with its secret. See ErrSecretLost.
func (c *Client) CreateAPIKey(ctx context.Context, k NewAPIKey, opts ...CallOption) (*CreatedKey, error) {
	return c.newKey(ctx, createAPIKey.to(), k, opts)
}

// UpdateAPIKey changes the name, description, scopes or expiry of an API key. A
// revoked key is refused with ErrConflict.
func (c *Client) UpdateAPIKey(ctx context.Context, id int64, change APIKeyChange, opts ...CallOption) (*APIKey, error) {
	return result[APIKey](ctx, c, updateAPIKey.on(id), change, opts)
}

// RevokeAPIKey ends an API key at once and for good. One that is revoked already
// stays as it is.
func (c *Client) RevokeAPIKey(ctx context.Context, id int64, opts ...CallOption) (*APIKey, error) {
	return result[APIKey](ctx, c, revokeAPIKey.on(id), nil, opts)
}

// RotateAPIKey makes a successor of an API key, with the same name, description,
// scopes and lifetime, and returns it with its secret; the old key lives on for
// the grace period. See ErrSecretLost.
func (c *Client) RotateAPIKey(ctx context.Context, id int64, how Rotation, opts ...CallOption) (*CreatedKey, error) {
	var in struct {
		Seconds Optional[int64] `json:"grace_period_seconds,omitzero"`
	}
	if d, ok := how.GracePeriod.Get(); ok {
		in.Seconds = Set(int64(d / time.Second))
	}
	return c.newKey(ctx, rotateAPIKey.on(id), in, opts)
}

func (c *Client) newKey(ctx context.Context, r *request, in any, opts []CallOption) (*CreatedKey, error) {
	created, err := result[CreatedKey](ctx, c, r, in, opts)
	if err == nil && created.Key.IsZero() {
		err = &callError{operation: r.name(), err: fmt.Errorf("%w; revoke key %d and make another", ErrSecretLost, created.ID)}
	}
	return created, err
}

// ReportLeakedKeys ends API keys that were found where they should not be: 1 to
// 100 of them, whosever they are. The address says where they were found, for
// their owners, and may be empty. It returns how many the server received, which
// does not tell which of them were live. The client's own key is not sent.
func (c *Client) ReportLeakedKeys(ctx context.Context, keys []string, sourceURL string, opts ...CallOption) (int, error) {
	r := reportLeakedKeys.to()
	r.anonymous, r.repeatable = true, true // a key cannot be revoked twice
	if err := refusePlain(c.base); err != nil && !c.insecure {
		r.refuse(err)
	}
	in := struct {
		Keys      []string `json:"keys"`
		SourceURL string   `json:"source_url,omitzero"`
	}{keys, sourceURL}
	var out struct {
		Received int `json:"received"`
	}
	_, err := c.call(ctx, r, in, &out, opts)
	return out.Received, err
}
