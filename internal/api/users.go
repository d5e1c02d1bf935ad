package api

import (
	"context"
	"net/http"
	"net/url"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
)

// user is the object that admins see.
type user struct {
	Username    string     `json:"username" example:"sarahchen" doc:"Names the user in addresses."`
	DisplayName string     `json:"display_name" example:"Sarah Chen" doc:"The name that pages show."`
	Email       string     `json:"email" format:"email" example:"sarah@example.com" doc:"Unique among users."`
	Bio         string     `json:"bio" example:"Writes about email that people want to read." doc:"A few words about the user; may be empty."`
	Role        string     `json:"role" enum:"member,admin" example:"member" doc:"admin: may hold keys with the scope admin."`
	Plan        string     `json:"plan" enum:"free,pro,team,enterprise" example:"pro" doc:"The account's plan, which sets its limits."`
	Limits      *ownLimits `json:"limits" doc:"The account's own limits; null on every plan but enterprise."`
	Suspended   bool       `json:"suspended" example:"false" doc:"A suspended user's keys and sessions are dead for as long as it lasts."`
	SuspendedAt *string    `json:"suspended_at" format:"date-time" doc:"null unless suspended."`
	CreatedAt   string     `json:"created_at" format:"date-time" example:"2024-12-04T10:00:00Z" doc:"When the user was made."`
}

// ownLimits are requests per window; null is no limit.
type ownLimits struct {
	Minute *int64 `json:"minute" minimum:"1" example:"1200" doc:"null: no limit."`
	Hour   *int64 `json:"hour" minimum:"1" example:"60000" doc:"null: no limit."`
	Month  *int64 `json:"month" minimum:"1" example:"1000000" doc:"null: no limit."`
}

// Schema lets the object be null.
func (ownLimits) Schema(r huma.Registry) *huma.Schema {
	type plain ownLimits
	s := *huma.SchemaFromType(r, reflect.TypeFor[plain]())
	s.Nullable = true
	return &s
}

func userOf(u stepsies.User) user {
	out := user{
		Username: u.Username, DisplayName: u.DisplayName, Email: u.Email, Bio: u.Bio, Role: string(u.Role), Plan: string(u.Plan),
		Suspended: u.Suspended(), SuspendedAt: secondsOrNull(u.SuspendedAt), CreatedAt: seconds(u.CreatedAt),
	}
	if u.Plan == stepsies.PlanEnterprise {
		limit := func(n int64) *int64 {
			if n == 0 {
				return nil
			}
			return &n
		}
		out.Limits = &ownLimits{Minute: limit(u.OwnLimits.Minute), Hour: limit(u.OwnLimits.Hour), Month: limit(u.OwnLimits.Month)}
	}
	return out
}

type userAnswer struct {
	ReplayedHeader
	Location string `header:"Location" format:"uri" doc:"Where the new user is."`
	Body     user
}

func (a *API) userAnswer(out store.Outcome[stepsies.User], err error) (*userAnswer, error) {
	if err != nil {
		return nil, err
	}
	return &userAnswer{ReplayedHeader: replayedIf(out.Replayed), Body: userOf(out.Value)}, nil
}

type listUsersInput struct {
	PageParams
	Query string `query:"q" maxLength:"200" example:"chen" doc:"Text in the username, the e-mail address or the display name."`
}

type userList list[user]

var listUsers = serve((*API).listUsers, operation{
	id: "list-users", route: "GET /users", scope: stepsies.ScopeAdmin, tag: tagUsers,
	summary:     "List users",
	description: "Newest first.",
	status:      http.StatusOK, answer: answersPage,
	response: userList{Data: []user{exampleUser}, Meta: examplePage},
})

func (a *API) listUsers(ctx context.Context, in *listUsersInput) (*listAnswer[userList], error) {
	found, err := a.Store.ListUsers(ctx, in.Query, in.store())
	if err != nil {
		return nil, err
	}
	link, body := page(a, callOf(ctx), in.Limit, found, userOf)
	return &listAnswer[userList]{Link: link, Body: userList(body)}, nil
}

type UserName struct {
	Username string `path:"username" doc:"The username, whatever its case." example:"sarahchen"`
}

var getUser = serve((*API).getUser, operation{
	id: "get-user", route: "GET /users/{username}", scope: stepsies.ScopeAdmin, tag: tagUsers,
	summary:     "Get a user",
	description: "With the plan and the limits of their account.",
	status:      http.StatusOK, answer: answersNow,
	response: exampleUser,
	fails:    []stepsies.Code{stepsies.CodeNotFound},
})

func (a *API) getUser(ctx context.Context, in *UserName) (*userAnswer, error) {
	u, err := a.Store.User(ctx, in.Username)
	return a.userAnswer(store.Outcome[stepsies.User]{Value: u}, err)
}

// limitsChange is what a client may say about an account's own limits.
type limitsChange struct {
	Minute optional[int64] `json:"minute,omitempty" minimum:"1" maximum:"1000000000" doc:"Requests per minute; null: no limit. A change leaves what is absent as it is."`
	Hour   optional[int64] `json:"hour,omitempty" minimum:"1" maximum:"1000000000" doc:"Requests per hour; null: no limit. A change leaves what is absent as it is."`
	Month  optional[int64] `json:"month,omitempty" minimum:"1" maximum:"1000000000" doc:"Requests per calendar month in UTC; null: no limit. A change leaves what is absent as it is."`
}

// Schema lets the object be null.
func (limitsChange) Schema(r huma.Registry) *huma.Schema {
	type plain limitsChange
	s := *huma.SchemaFromType(r, reflect.TypeFor[plain]())
	s.Nullable = true
	return &s
}

// UserFields are what a client may say about a user.
type UserFields struct {
	DisplayName optional[string]       `json:"display_name,omitempty" doc:"1 to 100 characters; null: the username."`
	Bio         optional[string]       `json:"bio,omitempty" doc:"At most 1,000 characters; null empties it."`
	Role        optional[string]       `json:"role,omitempty" enum:"member,admin" doc:"member (the default) or admin."`
	Plan        optional[string]       `json:"plan,omitempty" enum:"free,pro,team,enterprise" doc:"free (the default), pro, team or enterprise."`
	Limits      optional[limitsChange] `json:"limits,omitempty" doc:"The account's own limits, on the plan enterprise only. null: none."`
	Suspended   optional[bool]         `json:"suspended,omitempty" doc:"true ends every use of the user's keys and sessions at once, false lets them go on."`
}

func (f UserFields) change() stepsies.UserChange {
	return stepsies.UserChange{
		DisplayName: f.DisplayName.or(""), Bio: f.Bio.or(""), Role: f.Role.or(string(stepsies.RoleMember)), Suspended: f.Suspended.or(false),
	}
}

func (f UserFields) accountChange(bad *stepsies.Problems) stepsies.AccountChange {
	want := stepsies.AccountChange{Plan: f.Plan.or(string(stepsies.PlanFree))}
	if !f.Limits.set {
		return want
	}
	want.Limits = &stepsies.Limits{}
	for _, w := range []struct {
		field string
		from  optional[int64]
		to    *int64
		kept  *bool
	}{
		{"limits.minute", f.Limits.value.Minute, &want.Limits.Minute, &want.KeptLimits.Minute},
		{"limits.hour", f.Limits.value.Hour, &want.Limits.Hour, &want.KeptLimits.Hour},
		{"limits.month", f.Limits.value.Month, &want.Limits.Month, &want.KeptLimits.Month},
	} {
		*w.to = *w.from.orEmpty()
		*w.kept = !w.from.set && !f.Limits.null
		if w.from.set && !w.from.null && *w.to < 1 {
			bad.Add(w.field, "must be from 1 to %d, or null for no limit", stepsies.MaxLimit)
		}
	}
	return want
}

type newUser struct {
	Username string `json:"username" pattern:"^[a-z0-9_-]{3,30}$" patternDescription:"3 to 30 characters of a-z, 0-9, underscore and hyphen" doc:"3 to 30 of a-z, 0-9, underscore and hyphen." example:"sarahchen"`
	Email    string `json:"email" format:"email" doc:"Unique among users." example:"sarah@example.com"`
	UserFields
}

type createUserInput struct {
	OnceParams
	Body    newUser
	want    stepsies.UserChange
	account stepsies.AccountChange
}

// Resolve applies the rules of the domain.
func (in *createUserInput) Resolve(huma.Context) []error {
	var bad stepsies.Problems
	in.want, in.account = in.Body.change(), in.Body.accountChange(&bad)
	in.want.Username, in.want.Email = &in.Body.Username, &in.Body.Email
	_, err := stepsies.NewUser(in.want, in.account, someTime)
	return append(problems(bad.Err()), problems(err)...)
}

var createUser = serve((*API).createUser, operation{
	id: "create-user", route: "POST /users", scope: stepsies.ScopeAdmin, tag: tagUsers,
	summary:     "Create a user",
	description: "With an account of their own. A user made here has no password until one is set.",
	status:      http.StatusCreated, answer: answersMade,
	request:  map[string]any{"username": "omar", "email": "omar@example.com", "display_name": "Omar Haddad", "plan": "pro"},
	response: exampleUser,
})

func (a *API) createUser(ctx context.Context, in *createUserInput) (*userAnswer, error) {
	w, err := callOf(ctx).write()
	if err != nil {
		return nil, err
	}
	answer, err := a.userAnswer(a.Store.CreateUser(ctx, w, in.want, in.account))
	if err == nil {
		answer.Location = a.PublicURL + basePath + "/users/" + url.PathEscape(answer.Body.Username)
	}
	return answer, err
}

type userChange struct {
	Email optional[string] `json:"email,omitempty" format:"email" doc:"Unique among users."`
	UserFields
}

type updateUserInput struct {
	UserName
	OnceParams
	Body    userChange
	want    stepsies.UserChange
	account stepsies.AccountChange
}

// Resolve applies the rules of the domain that need not know the stored user.
func (in *updateUserInput) Resolve(huma.Context) []error {
	var bad stepsies.Problems
	in.want, in.account = in.Body.change(), in.Body.accountChange(&bad)
	in.want.Email = in.Body.Email.or("")
	stored := stepsies.User{Username: "someone", Account: stepsies.Account{Plan: stepsies.PlanEnterprise}}
	return append(problems(bad.Err()), problems(stored.Change(in.want, in.account, someTime))...)
}

var updateUser = serve((*API).updateUser, operation{
	id: "update-user", route: "PATCH /users/{username}", scope: stepsies.ScopeAdmin, tag: tagUsers,
	summary:     "Update a user",
	description: "A JSON Merge Patch. Suspending a user ends their keys and sessions at once. The last admin stays.",
	status:      http.StatusOK, answer: answersNow,
	request:  map[string]any{"plan": "enterprise", "limits": map[string]any{"minute": 1200, "hour": 60000, "month": nil}},
	response: exampleEnterpriseUser(),
	fails:    []stepsies.Code{stepsies.CodeNotFound},
})

func (a *API) updateUser(ctx context.Context, in *updateUserInput) (*userAnswer, error) {
	w, err := callOf(ctx).write()
	if err != nil {
		return nil, err
	}
	return a.userAnswer(a.Store.UpdateUserAndAccount(ctx, w, in.Username, in.want, in.account))
}

var deleteUser = serve((*API).deleteUser, operation{
	id: "delete-user", route: "DELETE /users/{username}", scope: stepsies.ScopeAdmin, tag: tagUsers,
	summary:     "Delete a user",
	description: "With all that the user owns, for good. The last admin stays. Nobody gets the username for 90 days.",
	status:      http.StatusNoContent, answer: answersGone,
	fails: []stepsies.Code{stepsies.CodeNotFound, stepsies.CodeConflict},
})

func (a *API) deleteUser(ctx context.Context, in *UserName) (*struct{}, error) {
	return nil, a.Store.DeleteUser(ctx, callOf(ctx).plainWrite(), in.Username)
}
