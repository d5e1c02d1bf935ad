package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
)

// someTime stands for now where a rule is tried on input alone. It is early, so
// that no expiry is judged before the store's clock judges it.
var someTime = time.Unix(0, 0)

// APIKey is the object. It never holds the secret.
type APIKey struct {
	ID            int64    `json:"id" example:"7" doc:"Names the key in addresses."`
	Name          string   `json:"name" example:"CI Pipeline" doc:"What it is for."`
	Description   string   `json:"description" example:"Publishes the handbook on every merge" doc:"Where it is kept, who looks after it; may be empty."`
	Scopes        []string `json:"scopes" enum:"read,write,admin" example:"[\"read\",\"write\"]" doc:"What it may be used for."`
	Hint          string   `json:"hint" example:"sk_1a2b…9f0e" doc:"The first and the last four digits, to recognise the key."`
	Status        string   `json:"status" enum:"active,expiring,expired,revoked" example:"active" doc:"expiring: ends within 7 days."`
	CreatedAt     string   `json:"created_at" format:"date-time" example:"2024-12-04T10:00:00Z" doc:"When it was made."`
	LastUsedAt    *string  `json:"last_used_at" format:"date-time" doc:"Right to within 10 seconds; null until used."`
	LastUsedIP    *string  `json:"last_used_ip" doc:"Where from; null until used."`
	ExpiresAt     *string  `json:"expires_at" format:"date-time" doc:"null: never."`
	RevokedAt     *string  `json:"revoked_at" format:"date-time" doc:"null unless it is revoked."`
	User          string   `json:"user_id" example:"sarahchen" doc:"The username of the owner."`
	RefusedCount  int64    `json:"refused_count" example:"0" doc:"How often the key was used after its end."`
	LastRefusedAt *string  `json:"last_refused_at" format:"date-time" doc:"When that was last; null if never."`
	RevokedReason *string  `json:"revoked_reason" enum:"revoked,leaked" doc:"leaked: someone who held the key reported it."`
	LeakSource    *string  `json:"leak_source_url" doc:"Where a leaked key was found."`
}

// createdAPIKey is the one answer that holds the secret, and holds it once.
type createdAPIKey struct {
	APIKey
	Key string `json:"key,omitempty" pattern:"^sk_[0-9a-f]{48}$" doc:"The key itself. It is shown this once and stored nowhere: copy it now. Absent when the answer is replayed."`
}

func (createdAPIKey) about() string { return "A key with its secret, which is shown this once." }

func (a *API) key(k stepsies.APIKey) APIKey {
	return APIKey{
		ID: k.ID, Name: k.Name, Description: k.Description, Scopes: k.Scopes.Names(), Hint: k.Hint, Status: string(k.Status(a.Now())),
		CreatedAt: seconds(k.CreatedAt), LastUsedAt: secondsOrNull(k.LastUsedAt), LastUsedIP: textOrNull(k.LastUsedIP),
		ExpiresAt: secondsOrNull(k.ExpiresAt), RevokedAt: secondsOrNull(k.RevokedAt), User: k.Username,
		RefusedCount: k.RefusedCount, LastRefusedAt: secondsOrNull(k.LastRefusedAt),
		RevokedReason: textOrNull(string(k.Reason)), LeakSource: textOrNull(k.LeakSource),
	}
}

type keyAnswer struct {
	ReplayedHeader
	Body APIKey
}

type createdKeyAnswer struct {
	ReplayedHeader
	CacheControl string `header:"Cache-Control" doc:"no-store: the answer holds a secret."`
	Location     string `header:"Location" format:"uri" doc:"Where the new key is."`
	Body         createdAPIKey
}

func (a *API) keyAnswer(out store.Outcome[stepsies.APIKey], err error) (*keyAnswer, error) {
	if err != nil {
		return nil, err
	}
	return &keyAnswer{ReplayedHeader: replayedIf(out.Replayed), Body: a.key(out.Value)}, nil
}

func (a *API) createdKeyAnswer(out store.Outcome[stepsies.APIKey], secret stepsies.Secret, err error) (*createdKeyAnswer, error) {
	if err != nil {
		return nil, err
	}
	answer := &createdKeyAnswer{
		ReplayedHeader: replayedIf(out.Replayed), CacheControl: "no-store",
		Location: fmt.Sprintf("%s%s/api-keys/%d", a.PublicURL, basePath, out.Value.ID),
		Body:     createdAPIKey{APIKey: a.key(out.Value)},
	}
	if !out.Replayed {
		answer.Body.Key = secret.Reveal()
	}
	return answer, nil
}

type listKeysInput struct {
	PageParams
	User string `query:"user_id" example:"sarahchen" doc:"A username: only that user's keys."`
}

type APIKeyList list[APIKey]

var listAPIKeys = serve((*API).listAPIKeys, operation{
	id: "list-api-keys", route: "GET /api-keys", scope: stepsies.ScopeAdmin, tag: tagKeys,
	summary:     "List API keys",
	description: "Everyone's keys, newest first, the revoked ones too: a key is never removed from the list.",
	status:      http.StatusOK, answer: answersPage,
	response: APIKeyList{Data: []APIKey{exampleKey}, Meta: examplePage},
	fails:    []stepsies.Code{stepsies.CodeNotFound}, // the owner
})

func (a *API) listAPIKeys(ctx context.Context, in *listKeysInput) (*listAnswer[APIKeyList], error) {
	c := callOf(ctx)
	found, err := a.Store.ListAPIKeys(ctx, c.principal.Access(), in.User, in.store())
	if err != nil {
		return nil, err
	}
	link, body := page(a, c, in.Limit, found, a.key)
	return &listAnswer[APIKeyList]{Link: link, Body: APIKeyList(body)}, nil
}

type KeyID struct {
	ID int64 `path:"id" doc:"The id of the key." example:"7"`
}

var getAPIKey = serve((*API).getAPIKey, operation{
	id: "get-api-key", route: "GET /api-keys/{id}", scope: stepsies.ScopeAdmin, tag: tagKeys, thing: "API key",
	summary:     "Get an API key",
	description: "Its name, scopes, dates and use. The secret is nowhere: it was shown once.",
	status:      http.StatusOK, answer: answersNow,
	response: exampleKey,
	fails:    []stepsies.Code{stepsies.CodeNotFound},
})

func (a *API) getAPIKey(ctx context.Context, in *KeyID) (*keyAnswer, error) {
	k, err := a.Store.APIKey(ctx, in.ID, callOf(ctx).principal.Access())
	return a.keyAnswer(store.Outcome[stepsies.APIKey]{Value: k}, err)
}

type NewAPIKey struct {
	Name        string           `json:"name" doc:"1 to 100 characters that say what the key is for." example:"CI Pipeline"`
	Description optional[string] `json:"description,omitempty" doc:"At most 500 characters."`
	Scopes      []string         `json:"scopes" minItems:"1" enum:"read,write,admin" doc:"One or more of read, write, admin. Only a user with the role admin can hold admin." example:"[\"read\",\"write\"]"`
	ExpiresAt   optional[string] `json:"expires_at,omitempty" format:"date-time" doc:"RFC 3339, cut down to the whole second. Default: null, never." example:"2030-01-31T00:00:00Z"`
	User        optional[string] `json:"user_id,omitempty" doc:"A username: make the key for that user. Default: yourself."`
}

type createKeyInput struct {
	OnceParams
	Body NewAPIKey
	want stepsies.KeyChange
}

// Resolve applies the rules of the domain that need not know the owner.
func (in *createKeyInput) Resolve(huma.Context) []error {
	b := &in.Body
	in.want = stepsies.KeyChange{Name: &b.Name, Description: b.Description.or(""), Scopes: &b.Scopes}
	var bad stepsies.Problems
	in.want.ExpiresAt = expiry(b.ExpiresAt, &bad)
	_, err := stepsies.NewAPIKey(anAdmin, in.want, someTime)
	return append(problems(bad.Err()), problems(err)...)
}

// anAdmin stands for an owner who can hold every scope; the store judges the real
// one.
var anAdmin = stepsies.User{Role: stepsies.RoleAdmin}

func expiry(field optional[string], bad *stepsies.Problems) *time.Time {
	text := field.or("")
	if text == nil {
		return nil
	}
	if field.null {
		return &time.Time{}
	}
	t, err := stepsies.ParseTime(*text)
	if err != nil || t.IsZero() { // the zero time means never
		bad.Add("expires_at", "must be a time such as 2030-01-31T12:00:00Z (RFC 3339), or null for never")
		return nil
	}
	return &t
}

var createAPIKey = serve((*API).createAPIKey, operation{
	id: "create-api-key", route: "POST /api-keys", scope: stepsies.ScopeAdmin, tag: tagKeys,
	summary:     "Create an API key",
	description: "The answer holds the key itself, this once. It is stored only as a hash, so nobody can show it again.",
	status:      http.StatusCreated, answer: answersMade,
	request: map[string]any{
		"name": "CI Pipeline", "description": "Publishes the handbook on every merge", "scopes": []string{"read", "write"}, "expires_at": "2099-01-31T00:00:00Z",
	},
	response: exampleCreatedKey(7),
	fails:    []stepsies.Code{stepsies.CodeNotFound}, // the owner
})

func (a *API) createAPIKey(ctx context.Context, in *createKeyInput) (*createdKeyAnswer, error) {
	c := callOf(ctx)
	owner, err := c.owner(in.Body.User)
	if err != nil {
		return nil, err
	}
	w, err := c.write()
	if err != nil {
		return nil, err
	}
	secret := stepsies.NewSecret()
	out, err := a.Store.CreateAPIKey(ctx, w, owner, in.want, secret)
	return a.createdKeyAnswer(out, secret, err)
}

// owner is whom a thing is made for: the named user, where the caller reaches
// everyone's, else the caller.
func (c *call) owner(named optional[string]) (string, error) {
	name := *named.orEmpty()
	switch {
	case name == "" && named.set && !named.null:
		// Behind it stands a variable that its writer thinks is set.
		return "", stepsies.Invalid("user_id", "must not be empty; leave it out for yourself")
	case name == "" && c.principal.IsOperator():
		return "", stepsies.Invalid("user_id", "is required: the operator has no things of their own")
	case name == "":
		return c.principal.User.Username, nil
	case !c.principal.Scopes.Allow(stepsies.ScopeAdmin) && !strings.EqualFold(name, c.principal.User.Username):
		return "", stepsies.Forbidden()
	}
	return name, nil
}

type APIKeyChange struct {
	Name        optional[string]   `json:"name,omitempty" doc:"1 to 100 characters."`
	Description optional[string]   `json:"description,omitempty" doc:"At most 500 characters; null empties it."`
	Scopes      optional[[]string] `json:"scopes,omitempty" minItems:"1" enum:"read,write,admin" doc:"One or more of read, write, admin."`
	ExpiresAt   optional[string]   `json:"expires_at,omitempty" format:"date-time" doc:"RFC 3339; null: never. A time in the past ends the key, one in the future brings an expired key back."`
}

type updateKeyInput struct {
	KeyID
	OnceParams
	Body APIKeyChange
	want stepsies.KeyChange
}

// Resolve applies the rules of the domain that need not know the stored key.
func (in *updateKeyInput) Resolve(huma.Context) []error {
	b := &in.Body
	in.want = stepsies.KeyChange{Name: b.Name.or(""), Description: b.Description.or(""), Scopes: b.Scopes.or(nil)}
	var bad stepsies.Problems
	in.want.ExpiresAt = expiry(b.ExpiresAt, &bad)
	return append(problems(bad.Err()), problems((&stepsies.APIKey{}).Change(anAdmin, in.want))...)
}

var updateAPIKey = serve((*API).updateAPIKey, operation{
	id: "update-api-key", route: "PATCH /api-keys/{id}", scope: stepsies.ScopeAdmin, tag: tagKeys, thing: "API key",
	summary:     "Update an API key",
	description: "Name, description, scopes and expiry. The secret never changes; a revoked key cannot be edited.",
	status:      http.StatusOK, answer: answersNow,
	request:  map[string]any{"scopes": []string{"read"}, "expires_at": nil},
	response: exampleKey,
	fails:    []stepsies.Code{stepsies.CodeNotFound},
	refuses:  map[string]string{"key": "is read-only: the secret of a key never changes, rotate the key instead"},
})

func (a *API) updateAPIKey(ctx context.Context, in *updateKeyInput) (*keyAnswer, error) {
	c := callOf(ctx)
	w, err := c.write()
	if err != nil {
		return nil, err
	}
	return a.keyAnswer(a.Store.UpdateAPIKey(ctx, w, in.ID, in.want))
}

type revokeKeyInput struct {
	KeyID
	OnceParams
}

var revokeAPIKey = serve((*API).revokeAPIKey, operation{
	id: "revoke-api-key", route: "POST /api-keys/{id}/revoke", scope: stepsies.ScopeAdmin, tag: tagKeys, thing: "API key",
	summary:     "Revoke an API key",
	description: "The key is dead on every node when this returns, for good. Doing it twice changes nothing.",
	status:      http.StatusOK, answer: answersNow,
	response: exampleRevokedKey(),
	fails:    []stepsies.Code{stepsies.CodeNotFound},
})

func (a *API) revokeAPIKey(ctx context.Context, in *revokeKeyInput) (*keyAnswer, error) {
	c := callOf(ctx)
	w, err := c.write()
	if err != nil {
		return nil, err
	}
	return a.keyAnswer(a.Store.RevokeAPIKey(ctx, w, in.ID))
}

type rotation struct {
	Grace optional[int64] `json:"grace_period_seconds,omitempty" minimum:"0" maximum:"2592000" doc:"How long the old key lives on, 0 to 2,592,000 seconds. Default: 86,400, a day."`
}

type rotateKeyInput struct {
	KeyID
	OnceParams
	Body *rotation
}

var rotateAPIKey = serve((*API).rotateAPIKey, operation{
	id: "rotate-api-key", route: "POST /api-keys/{id}/rotate", scope: stepsies.ScopeAdmin, tag: tagKeys, thing: "API key",
	summary:     "Rotate an API key",
	description: "Makes a successor with the same name, description, scopes and lifetime. The old key lives on for the grace period, so that nothing breaks while the new one is rolled out.",
	status:      http.StatusCreated, answer: answersMade,
	request:  map[string]any{"grace_period_seconds": 3600},
	response: exampleCreatedKey(8),
	fails:    []stepsies.Code{stepsies.CodeNotFound},
})

func (a *API) rotateAPIKey(ctx context.Context, in *rotateKeyInput) (*createdKeyAnswer, error) {
	c := callOf(ctx)
	w, err := c.write()
	if err != nil {
		return nil, err
	}
	grace := stepsies.DefaultGrace
	if in.Body != nil && in.Body.Grace.set && !in.Body.Grace.null {
		// Compared in seconds first: a duration of that many could overflow.
		s := max(-1, min(in.Body.Grace.value, int64(stepsies.MaxGrace/time.Second)+1))
		grace = time.Duration(s) * time.Second
	}
	secret := stepsies.NewSecret()
	out, err := a.Store.RotateAPIKey(ctx, w, in.ID, grace, secret)
	return a.createdKeyAnswer(out, secret, err)
}
