package api_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/api"
)

// contract is the table of scopes that clients rely on, written a second time: a
// route that is not here, or is here otherwise, is a mistake.
var contract = map[string]stepsies.Scope{
	"GET /v1/stepsies":                 "read",
	"POST /v1/stepsies":                "write",
	"GET /v1/stepsies/{id}":            "read",
	"PATCH /v1/stepsies/{id}":          "write",
	"DELETE /v1/stepsies/{id}":         "write",
	"POST /v1/stepsies/{id}/publish":   "write",
	"POST /v1/stepsies/{id}/unpublish": "write",
	"GET /v1/me":                       "read",
	"PATCH /v1/me":                     "write",
	"GET /v1/api-keys":                 "admin",
	"POST /v1/api-keys":                "admin",
	"GET /v1/api-keys/{id}":            "admin",
	"PATCH /v1/api-keys/{id}":          "admin",
	"POST /v1/api-keys/{id}/revoke":    "admin",
	"POST /v1/api-keys/{id}/rotate":    "admin",
	"GET /v1/users":                    "admin",
	"POST /v1/users":                   "admin",
	"GET /v1/users/{username}":         "admin",
	"PATCH /v1/users/{username}":       "admin",
	"DELETE /v1/users/{username}":      "admin",
	"POST /v1/leaked-keys":             "",
}

// sampleBodies make a request work, by operation. One that takes no body, or none
// that it needs, is not here.
var sampleBodies = map[string]string{
	"create-stepsy":      `{"title":"x"}`,
	"update-stepsy":      `{"title":"x"}`,
	"update-me":          `{"bio":"x"}`,
	"create-api-key":     `{"name":"x","scopes":["read"]}`,
	"update-api-key":     `{"name":"x"}`,
	"create-user":        `{"username":"sample-{new}","email":"sample-{new}@example.com"}`,
	"update-user":        `{"bio":"x"}`,
	"report-leaked-keys": `{"keys":["x"]}`,
}

// sample is the path and the body of a request of a route that works for a key
// with the route's scope: on a draft of the author's, on the spare key, on other.
func (w *world) sample(r api.Route) (path, body string) {
	thing := "{draft}"
	if strings.HasPrefix(r.Path, "/v1/api-keys") {
		thing = "{spare}"
	}
	path = strings.NewReplacer("{id}", thing, "{username}", "{other}").Replace(r.Path)
	w.set("new", w.number)
	return w.fill(path), w.fill(sampleBodies[r.ID])
}

func TestRoutesAndScopesAreThoseOfTheContract(t *testing.T) {
	got := map[string]stepsies.Scope{}
	for _, r := range open(t, "").API().Routes() {
		got[r.Method+" "+r.Path] = r.Scope
	}
	if !maps.Equal(got, contract) {
		t.Errorf("routes and scopes\n%v\nwant\n%v", got, contract)
	}
}

// guarded are the routes that ask for a key.
func (in *installation) guarded() []api.Route {
	return slices.DeleteFunc(slices.Clone(in.API().Routes()), func(r api.Route) bool { return r.Path == "/v1/leaked-keys" })
}

// TestEachScopeOpensItsOwnOperationsAlone asks every operation with keys of each
// set of scopes, on both engines.
func TestEachScopeOpensItsOwnOperationsAlone(t *testing.T) {
	opens := map[string]map[stepsies.Scope]bool{
		"reader":      {"read": true},
		"writer":      {"write": true},
		"key":         {"read": true, "write": true},
		"admin":       {"read": true, "write": true, "admin": true},
		"boss_reader": {"read": true},
		"boss_writer": {"write": true},
	}
	onEachEngine(t, func(t *testing.T, in *installation) {
		for _, r := range in.guarded() {
			for as, scopes := range opens {
				w := in.world(t)
				path, body := w.sample(r)
				if strings.HasPrefix(as, "boss") {
					w.set("draft", w.create("boss", "Of boss", false, "One"))
					path = strings.Replace(r.Path, "{id}", w.get("draft"), 1)
				}
				name := fmt.Sprintf("%s %s with %s", r.Method, r.Path, as)
				a := in.ask(r.Method, path, body, w.bearer(as))
				if !scopes[r.Scope] {
					wantForbidden(t, name, r.Scope, a)
				} else if a.status >= 300 {
					t.Errorf("%s: %d %s", name, a.status, a.body)
				}
			}
		}
	})
}

func wantForbidden(t *testing.T, name string, scope stepsies.Scope, a answer) {
	t.Helper()
	const body = `{"error":{"code":"forbidden","message":"Insufficient scope for this action"}}`
	challenge := fmt.Sprintf(`Bearer realm="stepsies", error="insufficient_scope", scope="%s"`, scope)
	if a.status != 403 || a.body != body || !slices.Equal(a.header["Www-Authenticate"], []string{challenge}) {
		t.Errorf("%s: %d %q %s", name, a.status, a.header["Www-Authenticate"], a.body)
	}
}

// deadKeys returns Authorization headers none of which lets anybody in, by cause.
func deadKeys(t *testing.T, in *installation) map[string][]string {
	w := in.world(t)
	alive := w.get("admin")
	_, revoked := w.newKey("boss", stepsies.KeyChange{Name: new("Revoked")}, "admin")
	a := in.ask("POST", fmt.Sprintf("/v1/api-keys/%v/revoke", at(t, w.read("/v1/api-keys?limit=1"), "data.0.id")), "", w.bearer("admin"))
	if a.status != 200 {
		t.Fatalf("revoke: %d %s", a.status, a.body)
	}
	soon := in.clock.now().Add(time.Minute)
	_, expired := w.newKey("boss", stepsies.KeyChange{Name: new("Expired"), ExpiresAt: &soon}, "admin")
	rotatedID, rotated := w.newKey("boss", stepsies.KeyChange{Name: new("Rotated")}, "admin")
	a = in.ask("POST", fmt.Sprintf("/v1/api-keys/%d/rotate", rotatedID), `{"grace_period_seconds":0}`, w.bearer("admin"))
	if a.status != 201 {
		t.Fatalf("rotate: %d %s", a.status, a.body)
	}
	in.clock.advance(time.Hour)

	gone, suspended := in.world(t), in.world(t)
	for _, other := range []*world{gone, suspended} {
		other.get("admin")
	}
	if err := in.Store().DeleteUser(context.Background(), operator, gone.get("boss")); err != nil {
		t.Fatal(err)
	}
	suspended.suspend("boss")

	upper := "sk_" + strings.ToUpper(alive[3:])
	if upper == alive {
		upper = "sk_" + strings.Repeat("A", 48)
	}
	bearer := func(key string) []string { return []string{"Authorization: Bearer " + key} }
	return map[string][]string{
		"no header":                     nil,
		"an empty header":               {"Authorization: "},
		"the scheme alone":              {"Authorization: Bearer"},
		"the scheme and a space":        {"Authorization: Bearer "},
		"a key without a scheme":        {"Authorization: " + alive},
		"another scheme":                {"Authorization: Basic " + alive},
		"a tab for a space":             {"Authorization: Bearer\t" + alive},
		"two headers":                   {"Authorization: Bearer " + alive, "Authorization: Bearer " + alive},
		"two keys":                      bearer(alive + ", " + alive),
		"a key in quotes":               bearer(`"` + alive + `"`),
		"a key in capitals":             bearer(upper),
		"a prefix in capitals":          bearer("SK_" + alive[3:]),
		"a key that is too short":       bearer(alive[:50]),
		"a key that is too long":        bearer(alive + "0"),
		"a key with a letter behind f":  bearer(alive[:50] + "g"),
		"a key with what is not ASCII":  bearer(alive[:49] + "é"),
		"a very long key":               bearer(strings.Repeat(alive, 100)),
		"a key in another header":       {"X-Api-Key: " + alive},
		"a key that was never made":     bearer(stepsies.NewSecret().Reveal()),
		"a revoked key":                 bearer(revoked),
		"an expired key":                bearer(expired),
		"a key rotated without a grace": bearer(rotated),
		"a key of a suspended user":     bearer(suspended.get("admin")),
		"a key of a deleted user":       bearer(gone.get("admin")),
	}
}

// TestEveryUnauthorizedAnswerIsTheSame asks every route with every key that does
// not work: nobody can tell from an answer what is wrong with theirs.
func TestEveryUnauthorizedAnswerIsTheSame(t *testing.T) {
	onEachEngine(t, func(t *testing.T, in *installation) {
		dead := deadKeys(t, in)
		want := http.Header{"Content-Type": {"application/json"}, "Www-Authenticate": {`Bearer realm="stepsies"`},
			"Cache-Control": {"private, no-cache"}, "Vary": {"Authorization"}}
		w := in.world(t)
		for _, r := range in.guarded() {
			path, body := w.sample(r)
			for _, target := range []string{path, "/api" + path} {
				for cause, headers := range dead {
					a := in.ask(r.Method, target, body, headers...)
					if a.header.Get("X-Request-Id") == "" {
						t.Errorf("%s %s with %s: no X-Request-Id", r.Method, r.Path, cause)
					}
					a.header.Del("X-Request-Id")
					a.header.Del("Date")
					if a.status != 401 || a.body != `{"error":{"code":"unauthorized","message":"Missing or invalid API key"}}` || !maps.EqualFunc(a.header, want, slices.Equal) {
						t.Errorf("%s %s with %s: %d %v %s", r.Method, r.Path, cause, a.status, a.header, a.body)
					}
				}
			}
		}
		// Nothing of what those requests asked for has happened.
		for _, path := range []string{"/v1/stepsies/{draft}", "/v1/api-keys/{spare}", "/v1/users/{other}"} {
			w.read(path)
		}
	})
}

// TestEveryRouteSaysNotFound asks every route that names a thing for things that
// cannot be.
func TestEveryRouteSaysNotFound(t *testing.T) {
	names := map[string][]string{
		"{id}": {"999999999", "0", "-1", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "99999999999999999999999",
			"abc", "1.0", "1e0", "0x1", "1_000", "%201", "%00", "%FF", "%F0%9F%A6%8A", "1%2F2", "null"},
		"{username}": {"nobody-at-all", "ab", "-", "%00", "%FF", "%F0%9F%A6%8A", "a%2Fb", "..%2F..%2Fetc", "%27%20or%201%3D1", "%25", "author_", strings.Repeat("a", 2000)},
	}
	onEachEngine(t, func(t *testing.T, in *installation) {
		w := in.world(t)
		for _, r := range in.guarded() {
			_, body := w.sample(r)
			for hole, values := range names {
				if !strings.Contains(r.Path, hole) {
					continue
				}
				for _, value := range values {
					a := in.ask(r.Method, strings.Replace(r.Path, hole, value, 1), body, w.bearer("admin"))
					if a.status != 404 || at(t, a.body, "error.code") != "not_found" {
						t.Errorf("%s %s for %q: %d %s", r.Method, r.Path, value, a.status, a.body)
						continue
					}
					checkForm(t, r.Method, a)
				}
			}
		}
	})
}

// TestEveryPathNamesItsMethods asks every path by every method that it does not
// take, without a key: which routes there are is no secret.
func TestEveryPathNamesItsMethods(t *testing.T) {
	in := open(t, "")
	order := []string{"GET", "HEAD", "POST", "PATCH", "DELETE"}
	methods := map[string][]string{"/openapi.json": {"GET", "HEAD"}, "/openapi.yaml": {"GET", "HEAD"}}
	for _, r := range in.API().Routes() {
		methods[r.Path] = append(methods[r.Path], r.Method)
		if r.Method == "GET" {
			methods[r.Path] = append(methods[r.Path], "HEAD")
		}
	}
	for path, taken := range methods {
		slices.SortFunc(taken, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
		target := strings.NewReplacer("{id}", "1", "{username}", "someone").Replace(path)
		for _, method := range append(order, "PUT", "OPTIONS", "TRACE", "CONNECT", "QUERY", "get", "BREW") {
			if slices.Contains(taken, method) {
				continue
			}
			a := in.ask(method, target, `{"title":"x"}`)
			if a.status != 405 || a.header.Get("Allow") != strings.Join(taken, ", ") {
				t.Errorf("%s %s: %d, Allow %q, want %s", method, path, a.status, a.header.Get("Allow"), taken)
			}
			if method != "HEAD" && at(t, a.body, "error.code") != "method_not_allowed" {
				t.Errorf("%s %s: %s", method, path, a.body)
			}
			checkForm(t, method, a)
		}
	}
}

// TestPanicsAndOutagesAnswerInOurFormat makes every operation panic, then takes
// the database away from it.
func TestPanicsAndOutagesAnswerInOurFormat(t *testing.T) {
	onEachEngine(t, func(t *testing.T, in *installation) {
		w := in.world(t)
		for _, as := range []string{"admin", "key"} {
			w.get(as)
		}
		ask := func(status int, code string) {
			t.Helper()
			for _, r := range in.guarded() {
				path, body := w.sample(r)
				a := in.ask(r.Method, path, body, w.bearer("admin"), "X-Request-Id: trace-1")
				if a.status != status || at(t, a.body, "error.code") != code || at(t, a.body, "error.request_id") != "trace-1" || a.header.Get("X-Request-Id") != "trace-1" {
					t.Errorf("%s %s: %d %s, want %d", r.Method, r.Path, a.status, a.body, status)
				}
				checkForm(t, r.Method, a)
			}
		}
		for _, r := range in.guarded() {
			w.sample(r) // while there is a database
		}
		in.clock.broken.Store(true)
		ask(500, "internal_error")
		in.clock.broken.Store(false)
		if log := in.logs.String(); !strings.Contains(log, "the clock of") || strings.Count(log, "status=500") != len(in.guarded()) {
			t.Error("the log does not say what went wrong")
		}
		if a := in.ask("GET", "/v1/me", "", w.bearer("admin")); a.status != 200 {
			t.Errorf("after the panics: %d %s", a.status, a.body)
		}

		in.dead = true
		read, write := in.Store().Pools()
		_, _ = read.Close(), write.Close()
		ask(503, "unavailable")
		if a := in.ask("GET", "/v1/me", "", "Authorization: Bearer nothing"); a.status != 401 {
			t.Errorf("a malformed key while there is no database: %d", a.status)
		}
	})
}
