package api

import (
	"context"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/stepsies/stepsies"
)

// profile is the caller's own profile.
type profile struct {
	Username    string   `json:"username" example:"sarahchen" doc:"Names the user in addresses."`
	DisplayName string   `json:"display_name" example:"Sarah Chen" doc:"The name that pages show."`
	Email       string   `json:"email" format:"email" example:"sarah@example.com" doc:"Unique among users."`
	Bio         string   `json:"bio" example:"Writes about email that people want to read." doc:"A few words about the user; may be empty."`
	Role        string   `json:"role" enum:"member,admin" example:"member" doc:"admin: may hold keys with the scope admin."`
	Plan        string   `json:"plan" enum:"free,pro,team,enterprise" example:"pro" doc:"The account's plan, which sets its limits."`
	CreatedAt   string   `json:"created_at" format:"date-time" example:"2024-12-04T10:00:00Z" doc:"When the user was made."`
	Limits      limits   `json:"limits"`
	Key         keyInUse `json:"key"`
}

type limits struct {
	Minute *window `json:"minute" doc:"null: no limit."`
	Hour   *window `json:"hour" doc:"null: no limit."`
	Month  *window `json:"month" doc:"null: no limit."`
}

func (limits) about() string {
	return "How the account stands in each window; null where it has no limit."
}

type window struct {
	Limit     int64 `json:"limit" example:"300" doc:"Requests that the window admits."`
	Remaining int64 `json:"remaining" example:"295" doc:"How many are left."`
	Reset     int64 `json:"reset" example:"1702500000" doc:"Unix seconds."`
}

// Schema lets the object be null.
func (window) Schema(r huma.Registry) *huma.Schema {
	type plain window
	s := *huma.SchemaFromType(r, reflect.TypeFor[plain]())
	s.Nullable = true
	return &s
}

type keyInUse struct {
	ID        int64    `json:"id" example:"7" doc:"Names the key in addresses."`
	Name      string   `json:"name" example:"CI Pipeline" doc:"What the key is for."`
	Scopes    []string `json:"scopes" enum:"read,write,admin" example:"[\"read\"]" doc:"What the key may be used for."`
	Hint      string   `json:"hint" example:"sk_1a2b…9f0e" doc:"The first and the last four digits, to recognise the key."`
	ExpiresAt *string  `json:"expires_at" format:"date-time" doc:"null: never."`
}

func (keyInUse) about() string { return "The key that this request was made with." }

type meAnswer struct {
	ReplayedHeader
	Body profile
}

func (a *API) meOf(c *call, u stepsies.User) profile {
	k := c.principal.Key
	return profile{
		Username: u.Username, DisplayName: u.DisplayName, Email: u.Email, Bio: u.Bio, Role: string(u.Role), Plan: string(u.Plan),
		CreatedAt: seconds(u.CreatedAt), Limits: windowsOf(c.decision),
		Key: keyInUse{ID: k.ID, Name: k.Name, Scopes: k.Scopes.Names(), Hint: k.Hint, ExpiresAt: secondsOrNull(k.ExpiresAt)},
	}
}

// errNoProfile is for the operator, who is nobody's user.
var errNoProfile = stepsies.NotFound("profile")

var getMe = serve((*API).getMe, operation{
	id: "get-me", route: "GET /me", scope: stepsies.ScopeRead, tag: tagProfile,
	summary:     "Get your profile",
	description: "Who you are, what your account may do, and which key this is.",
	status:      http.StatusOK, answer: answersNow,
	response: exampleMe(),
})

func (a *API) getMe(ctx context.Context, _ *struct{}) (*meAnswer, error) {
	c := callOf(ctx)
	if c.principal.IsOperator() {
		return nil, errNoProfile
	}
	u, err := a.Store.UserByID(ctx, c.principal.User.ID)
	if stepsies.CodeOf(err) == stepsies.CodeNotFound {
		return nil, stepsies.Unauthorized() // deleted since the key was admitted
	}
	if err != nil {
		return nil, err
	}
	return &meAnswer{Body: a.meOf(c, u)}, nil
}

type profileChange struct {
	DisplayName optional[string] `json:"display_name,omitempty" doc:"1 to 100 characters; null: the username."`
	Bio         optional[string] `json:"bio,omitempty" doc:"At most 1,000 characters; null empties it."`
}

type updateMeInput struct {
	OnceParams
	Body profileChange
	want stepsies.UserChange
}

// Resolve applies the rules of the domain.
func (in *updateMeInput) Resolve(huma.Context) []error {
	in.want = stepsies.UserChange{DisplayName: in.Body.DisplayName.or(""), Bio: in.Body.Bio.or("")}
	return problems((&stepsies.User{Username: "someone"}).Change(in.want, stepsies.AccountChange{}, someTime))
}

var updateMe = serve((*API).updateMe, operation{
	id: "update-me", route: "PATCH /me", scope: stepsies.ScopeWrite, tag: tagProfile,
	summary:     "Update your profile",
	description: "A JSON Merge Patch of your display name and bio.",
	status:      http.StatusOK, answer: answersNow,
	request:  map[string]any{"bio": "Writes about email that people want to read."},
	response: exampleMe(),
	refuses: map[string]string{ // what an admin can change
		"email": "is read-only here", "role": "is read-only here", "plan": "is read-only here", "limits": "is read-only here", "key": "is read-only here",
	},
})

func (a *API) updateMe(ctx context.Context, in *updateMeInput) (*meAnswer, error) {
	c := callOf(ctx)
	if c.principal.IsOperator() {
		return nil, errNoProfile
	}
	w, err := c.write()
	if err != nil {
		return nil, err
	}
	out, err := a.Store.UpdateUser(ctx, w, strings.ToLower(c.principal.User.Username), in.want)
	if err != nil {
		return nil, err
	}
	return &meAnswer{ReplayedHeader: replayedIf(out.Replayed), Body: a.meOf(c, out.Value)}, nil
}
