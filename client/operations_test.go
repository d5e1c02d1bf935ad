package client_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies/client"
)

const (
	stepsyJSON = `{"id":123,"slug":"email-welcome-sequence","title":"Email Welcome Sequence Blueprint",` +
		`"description":"Create a 5-email welcome sequence that converts.","category":"marketing","status":"published",` +
		`"published_at":"2024-12-04T10:30:00Z","featured":false,"featured_at":null,"views_count":150,"completions_count":42,` +
		`"average_rating":4.5,"url":"https://stepsies.com/@sarahchen/email-welcome-sequence",` +
		`"user":{"username":"sarahchen","display_name":"Sarah Chen"},` +
		`"steps":[{"id":1,"position":1,"title":"Define Your Sequence Goal","content":"<p>Before writing a single email...</p>"}],` +
		`"steps_count":1,"created_at":"2024-12-04T10:00:00Z","updated_at":"2024-12-04T10:30:00Z"}`
	keyJSON = `{"id":12,"name":"CI","description":"","scopes":["read","write"],"hint":"sk_1a2b…9f0e","status":"revoked",` +
		`"created_at":"2024-12-04T10:00:00Z","last_used_at":"2024-12-04T10:30:00Z","last_used_ip":"192.0.2.1","expires_at":null,` +
		`"revoked_at":"2024-12-05T10:00:00Z","user_id":"sarahchen","refused_count":14,"last_refused_at":"2024-12-06T10:00:00Z",` +
		`"revoked_reason":"leaked","leak_source_url":"https://example.com/paste"}`
	userJSON = `{"username":"sarahchen","display_name":"Sarah Chen","email":"sarah@example.com","bio":"","role":"member","plan":"enterprise",` +
		`"limits":{"minute":300,"hour":null,"month":50000},"suspended":true,"suspended_at":"2024-12-06T10:00:00Z","created_at":"2024-12-04T10:00:00Z"}`
	meJSON = `{"username":"sarahchen","display_name":"Sarah Chen","email":"sarah@example.com","bio":"","role":"member","plan":"pro",` +
		`"created_at":"2024-12-04T10:00:00Z","limits":{"minute":{"limit":300,"remaining":295,"reset":1702500000},"hour":{"limit":10000,"remaining":9995,"reset":1702503600},"month":null},` +
		`"key":{"id":12,"name":"CI","scopes":["read"],"hint":"sk_1a2b…9f0e","expires_at":null}}`
	metaJSON = `"meta":{"limit":20,"has_more":true,"next_cursor":"abc"}`
)

// TestWireTypesAreExact reads each object as the contract writes it and writes
// the same bytes again: no field is missing, misspelt, or out of order.
func TestWireTypesAreExact(t *testing.T) {
	noSteps := strings.Replace(stepsyJSON, stepsyJSON[strings.Index(stepsyJSON, `"steps":`):strings.Index(stepsyJSON, `"steps_count"`)], "", 1)
	noneYet := strings.Replace(strings.Replace(stepsyJSON, `"average_rating":4.5`, `"average_rating":null`, 1), `"published_at":"2024-12-04T10:30:00Z"`, `"published_at":null`, 1)
	for name, test := range map[string]struct {
		text string
		into any
	}{
		"stepsy":           {stepsyJSON, &client.Stepsy{}},
		"stepsy in a list": {noSteps, &client.Stepsy{}},
		"draft":            {noneYet, &client.Stepsy{}},
		"page":             {`{"data":[` + stepsyJSON + `],` + metaJSON + `}`, &client.Page[client.Stepsy]{}},
		"user":             {userJSON, &client.User{}},
		"user without own limits": {strings.Replace(userJSON, `{"minute":300,"hour":null,"month":50000}`, "null", 1),
			&client.User{}},
		"me":  {meJSON, &client.Profile{}},
		"key": {keyJSON, &client.APIKey{}},
	} {
		if got := rewrite(t, test.text, test.into); got != test.text {
			t.Errorf("%s:\n got %s\nwant %s", name, got, test.text)
		}
	}
}

func rewrite(t *testing.T, text string, into any) string {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(into); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// operationCase is a call of a method and what it must send and return.
type operationCase struct {
	call    func(context.Context, *client.Client) (any, error)
	answers http.HandlerFunc
	method  string
	path    string
	query   string
	body    string // "" for none
	returns string // as JSON; "" for nothing
}

func stepsyCalls() map[string]operationCase {
	change := client.StepsyChange{
		Title: client.Set("<b>"), Description: client.Null[string](), Featured: client.Set(false),
		Steps: client.Set([]client.StepInput{{ID: 1, Title: "a", Content: "<p>"}, {Title: "b"}}),
	}
	no := false
	return map[string]operationCase{
		"ListStepsies": {func(ctx context.Context, c *client.Client) (any, error) {
			return c.ListStepsies(ctx, client.StepsyQuery{Limit: 5, Cursor: "a&b=c", Status: client.StatusDraft, Category: "marketing",
				Featured: &no, Q: "e-mail & co", Sort: client.SortRecentlyPublished, UserID: "sarahchen", IncludeSteps: true})
		}, respond(200, `{"data":[`+stepsyJSON+`],`+metaJSON+`}`), "GET", "/v1/stepsies",
			"category=marketing&cursor=a%26b%3Dc&featured=false&include=steps&limit=5&q=e-mail+%26+co&sort=-published_at&status=draft&user_id=sarahchen",
			"", `{"data":[` + stepsyJSON + `],` + metaJSON + `}`},
		"GetStepsy": {func(ctx context.Context, c *client.Client) (any, error) { return c.GetStepsy(ctx, 123) },
			respond(200, stepsyJSON), "GET", "/v1/stepsies/123", "", "", stepsyJSON},
		"CreateStepsy": {func(ctx context.Context, c *client.Client) (any, error) {
			return c.CreateStepsy(ctx, client.NewStepsy{Title: "Tea", Description: "d", Category: "health", Slug: "tea", Featured: true,
				Status: client.StatusPublished, Steps: []client.StepInput{{Title: "Boil", Content: "<p>x</p>"}}, UserID: "sarahchen"})
		}, respond(201, stepsyJSON), "POST", "/v1/stepsies", "",
			`{"title":"Tea","description":"d","category":"health","slug":"tea","featured":true,"status":"published","steps":[{"title":"Boil","content":"<p>x</p>"}],"user_id":"sarahchen"}`,
			stepsyJSON},
		"UpdateStepsy": {func(ctx context.Context, c *client.Client) (any, error) { return c.UpdateStepsy(ctx, 123, change) },
			respond(200, stepsyJSON), "PATCH", "/v1/stepsies/123", "",
			`{"title":"<b>","description":null,"featured":false,"steps":[{"id":1,"title":"a","content":"<p>"},{"title":"b","content":""}]}`, stepsyJSON},
		"DeleteStepsy": {func(ctx context.Context, c *client.Client) (any, error) { return nil, c.DeleteStepsy(ctx, 123) },
			respond(204, ""), "DELETE", "/v1/stepsies/123", "", "", ""},
		"PublishStepsy": {func(ctx context.Context, c *client.Client) (any, error) { return c.PublishStepsy(ctx, 123) },
			respond(200, stepsyJSON), "POST", "/v1/stepsies/123/publish", "", "", stepsyJSON},
		"UnpublishStepsy": {func(ctx context.Context, c *client.Client) (any, error) { return c.UnpublishStepsy(ctx, 123) },
			respond(200, stepsyJSON), "POST", "/v1/stepsies/123/unpublish", "", "", stepsyJSON},
	}
}

func keyCalls() map[string]operationCase {
	until := time.Date(2027, 1, 31, 23, 59, 59, 0, time.UTC)
	made := strings.Replace(keyJSON, "{", `{"key":"`+newKey()+`",`, 1)
	shown := strings.Replace(keyJSON, "{", `{"key":"sk_[redacted]",`, 1)
	return map[string]operationCase{
		"ListAPIKeys": {func(ctx context.Context, c *client.Client) (any, error) {
			return c.ListAPIKeys(ctx, client.APIKeyQuery{Limit: 2, Cursor: "c", UserID: "sarahchen"})
		}, respond(200, `{"data":[`+keyJSON+`],`+metaJSON+`}`), "GET", "/v1/api-keys", "cursor=c&limit=2&user_id=sarahchen", "",
			`{"data":[` + keyJSON + `],` + metaJSON + `}`},
		"GetAPIKey": {func(ctx context.Context, c *client.Client) (any, error) { return c.GetAPIKey(ctx, 12) },
			respond(200, keyJSON), "GET", "/v1/api-keys/12", "", "", keyJSON},
		"CreateAPIKey": {func(ctx context.Context, c *client.Client) (any, error) {
			return c.CreateAPIKey(ctx, client.NewAPIKey{Name: "CI", Description: "d", Scopes: []client.Scope{client.ScopeRead, client.ScopeWrite}, ExpiresAt: until, UserID: "sarahchen"})
		}, respond(201, made), "POST", "/v1/api-keys", "",
			`{"name":"CI","description":"d","scopes":["read","write"],"expires_at":"2027-01-31T23:59:59Z","user_id":"sarahchen"}`, shown},
		"UpdateAPIKey": {func(ctx context.Context, c *client.Client) (any, error) {
			return c.UpdateAPIKey(ctx, 12, client.APIKeyChange{Name: client.Set("CD"), Scopes: client.Set([]client.Scope{client.ScopeAdmin}), ExpiresAt: client.Null[time.Time]()})
		}, respond(200, keyJSON), "PATCH", "/v1/api-keys/12", "", `{"name":"CD","scopes":["admin"],"expires_at":null}`, keyJSON},
		"RevokeAPIKey": {func(ctx context.Context, c *client.Client) (any, error) { return c.RevokeAPIKey(ctx, 12) },
			respond(200, keyJSON), "POST", "/v1/api-keys/12/revoke", "", "", keyJSON},
		"RotateAPIKey": {func(ctx context.Context, c *client.Client) (any, error) {
			return c.RotateAPIKey(ctx, 12, client.Rotation{GracePeriod: client.Set(90 * time.Second)})
		}, respond(201, made), "POST", "/v1/api-keys/12/rotate", "", `{"grace_period_seconds":90}`, shown},
		"ReportLeakedKeys": {func(ctx context.Context, c *client.Client) (any, error) {
			n, err := c.ReportLeakedKeys(ctx, []string{"not-a-key", "nor-this"}, "https://example.com/paste")
			return n, err
		}, respond(202, `{"received":2}`), "POST", "/v1/leaked-keys", "", `{"keys":["not-a-key","nor-this"],"source_url":"https://example.com/paste"}`, `2`},
	}
}

func userCalls() map[string]operationCase {
	n := int64(300)
	return map[string]operationCase{
		"Me": {func(ctx context.Context, c *client.Client) (any, error) { return c.Me(ctx) },
			respond(200, meJSON), "GET", "/v1/me", "", "", meJSON},
		"UpdateMe": {func(ctx context.Context, c *client.Client) (any, error) {
			return c.UpdateMe(ctx, client.ProfileChange{DisplayName: client.Null[string](), Bio: client.Set("")})
		}, respond(200, meJSON), "PATCH", "/v1/me", "", `{"display_name":null,"bio":""}`, meJSON},
		"ListUsers": {func(ctx context.Context, c *client.Client) (any, error) {
			return c.ListUsers(ctx, client.UserQuery{Limit: 7, Cursor: "c", Q: "sarah"})
		}, respond(200, `{"data":[`+userJSON+`],`+metaJSON+`}`), "GET", "/v1/users", "cursor=c&limit=7&q=sarah", "", `{"data":[` + userJSON + `],` + metaJSON + `}`},
		"GetUser": {func(ctx context.Context, c *client.Client) (any, error) { return c.GetUser(ctx, "a/b?c") },
			respond(200, userJSON), "GET", "/v1/users/a%2Fb%3Fc", "", "", userJSON},
		"CreateUser": {func(ctx context.Context, c *client.Client) (any, error) {
			return c.CreateUser(ctx, client.NewUser{Username: "sarahchen", Email: "sarah@example.com", DisplayName: "Sarah Chen", Bio: "b", Role: client.RoleAdmin,
				Plan: client.PlanEnterprise, Limits: &client.Limits{Minute: &n}, Suspended: true})
		}, respond(201, userJSON), "POST", "/v1/users", "",
			`{"username":"sarahchen","email":"sarah@example.com","display_name":"Sarah Chen","bio":"b","role":"admin","plan":"enterprise","limits":{"minute":300,"hour":null,"month":null},"suspended":true}`, userJSON},
		"UpdateUser": {func(ctx context.Context, c *client.Client) (any, error) {
			return c.UpdateUser(ctx, "sarahchen", client.UserChange{DisplayName: client.Set("S"), Bio: client.Set("b"), Email: client.Set("s@example.com"), Role: client.Set(client.RoleMember),
				Plan: client.Set(client.PlanTeam), Limits: client.Null[client.LimitsChange](), Suspended: client.Set(true)})
		}, respond(200, userJSON), "PATCH", "/v1/users/sarahchen", "",
			`{"display_name":"S","bio":"b","email":"s@example.com","role":"member","plan":"team","limits":null,"suspended":true}`, userJSON},
		"DeleteUser": {func(ctx context.Context, c *client.Client) (any, error) { return nil, c.DeleteUser(ctx, "sarahchen") },
			respond(204, ""), "DELETE", "/v1/users/sarahchen", "", "", ""},
	}
}

// TestEveryOperation calls each one and compares what was sent and returned, byte
// for byte. Every operation of the table must have a case, under its own name.
func TestEveryOperation(t *testing.T) {
	left := map[string]client.Operation{}
	for _, op := range client.Operations() {
		left[op.Name] = op
	}
	for _, cases := range []map[string]operationCase{stepsyCalls(), keyCalls(), userCalls()} {
		for name, test := range cases {
			op, ok := left[name]
			if !ok {
				t.Fatalf("%s is not in the table of operations", name)
			}
			delete(left, name)
			t.Run(name, func(t *testing.T) { test.run(t, op) })
		}
	}
	for name := range left {
		t.Errorf("%s has no case", name)
	}
}

func (test operationCase) run(t *testing.T, op client.Operation) {
	rec := record(test.answers)
	out, err := test.call(t.Context(), connect(t, rec))
	if err != nil {
		t.Fatal(err)
	}
	got := rec.requests()
	if len(got) != 1 {
		t.Fatalf("%d requests were sent", len(got))
	}
	if r := got[0]; r.Method != test.method || r.Path != test.path || r.Query != test.query || r.Body != test.body {
		t.Errorf("sent     %s %s?%s %s\nnot      %s %s?%s %s", r.Method, r.Path, r.Query, r.Body, test.method, test.path, test.query, test.body)
	}
	// The table's pattern, as net/http reads it, matches what was sent.
	mux := http.NewServeMux()
	mux.Handle(op.Method+" "+op.Path, http.NotFoundHandler())
	sent := &http.Request{Method: got[0].Method, URL: &url.URL{Path: mustUnescape(t, got[0].Path), RawPath: got[0].Path}}
	if _, pattern := mux.Handler(sent); pattern != op.Method+" "+op.Path {
		t.Errorf("%s %s is not an instance of %s %s", got[0].Method, got[0].Path, op.Method, op.Path)
	}
	if authorized := got[0].Header.Get("Authorization") != ""; authorized != (op.Name != "ReportLeakedKeys") {
		t.Errorf("the key was sent: %t", authorized)
	}
	if test.returns == "" {
		return
	}
	returned, err := json.Marshal(out)
	if err != nil || !sameJSON(string(returned), test.returns) {
		t.Errorf("returned %s, %v\nnot      %s", returned, err, test.returns)
	}
}

func mustUnescape(t *testing.T, path string) string {
	t.Helper()
	s, err := url.PathUnescape(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestEveryOperationHasAMethod finds table and methods to name the same things.
func TestEveryOperationHasAMethod(t *testing.T) {
	typ := reflect.TypeFor[*client.Client]()
	for _, op := range client.Operations() {
		if _, ok := typ.MethodByName(op.Name); !ok {
			t.Errorf("Client has no method %s", op.Name)
		}
	}
	client.Operations()[0].Name = "changed"
	if client.Operations()[0].Name == "changed" {
		t.Error("a caller can change the table")
	}
}

func TestUnknownFieldsOfANewerServerAreIgnored(t *testing.T) {
	newer := strings.Replace(strings.Replace(stepsyJSON, `"id":123`, `"team":{"id":4},"id":123`, 1), `"position":1`, `"position":1,"media":[1,2]`, 1)
	newer = strings.Replace(newer, `"status":"published"`, `"status":"scheduled"`, 1)
	c := connect(t, record(respond(200, newer)))
	s, err := c.GetStepsy(t.Context(), 123)
	if err != nil {
		t.Fatal(err)
	}
	if s.ID != 123 || s.Steps[0].Title != "Define Your Sequence Goal" || s.Status != "scheduled" {
		t.Errorf("read %+v", s)
	}
}

func TestUsernameMustNotTurnIntoAnotherPath(t *testing.T) {
	rec := record(respond(204, ""))
	c := connect(t, rec)
	for _, name := range []string{"", ".", ".."} {
		if err := c.DeleteUser(t.Context(), name); err == nil {
			t.Errorf("%q was accepted", name)
		}
	}
	if n := len(rec.requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestRotationWithoutGraceIsNotTheDefault(t *testing.T) {
	rec := record(respond(201, `{"id":13,"key":"`+newKey()+`"}`))
	c := connect(t, rec)
	for _, how := range []client.Rotation{{}, {GracePeriod: client.Set(time.Duration(0))}} {
		if _, err := c.RotateAPIKey(t.Context(), 12, how); err != nil {
			t.Fatal(err)
		}
	}
	if got := rec.requests(); got[0].Body != `{}` || got[1].Body != `{"grace_period_seconds":0}` {
		t.Errorf("sent %s and %s", got[0].Body, got[1].Body)
	}
}
