package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stepsies/stepsies"
)

// TestNobodyRisesAboveTheirRole tries to get more rights than one has, by every
// door that hands out rights. Each attempt is refused and changes nothing.
func TestNobodyRisesAboveTheirRole(t *testing.T) {
	type attempt struct {
		name    string
		as      string
		given   func(w *world)
		request string
		body    string
		status  int
	}
	// fallen makes boss a member who holds a key with the scope admin, made while
	// they had the role.
	fallen := func(w *world) {
		w.get("boss_reader")
		w.get("admin")
		w.demote("boss")
	}
	attempts := []attempt{
		// By a key that does not have the scope.
		{"create an admin key with write", "key", nil, "POST /v1/api-keys", `{"name":"x","scopes":["admin"]}`, 403},
		{"create a read key with write", "key", nil, "POST /v1/api-keys", `{"name":"x","scopes":["read"]}`, 403},
		{"create an admin's key with write", "key", nil, "POST /v1/api-keys", `{"name":"x","scopes":["admin"],"user_id":"{boss}"}`, 403},
		{"widen one's own key", "key", nil, "PATCH /v1/api-keys/{key_id}", `{"scopes":["read","write","admin"]}`, 403},
		{"rotate an admin's key", "key", func(w *world) { w.get("admin") }, "POST /v1/api-keys/{admin_id}/rotate", ``, 403},
		{"rotate one's own key", "key", nil, "POST /v1/api-keys/{key_id}/rotate", ``, 403},
		{"revoke an admin's key", "key", func(w *world) { w.get("admin") }, "POST /v1/api-keys/{admin_id}/revoke", ``, 403},
		{"take the role", "key", nil, "PATCH /v1/users/{author}", `{"role":"admin"}`, 403},
		{"take the role by one's profile", "key", nil, "PATCH /v1/me", `{"role":"admin"}`, 422},
		{"take a plan by one's profile", "key", nil, "PATCH /v1/me", `{"plan":"enterprise","limits":{"minute":1000000}}`, 422},
		{"take scopes by one's profile", "key", nil, "PATCH /v1/me", `{"key":{"scopes":["admin"]}}`, 422},
		{"make an admin", "key", nil, "POST /v1/users", `{"username":"made-by-write","email":"made-by-write@example.com","role":"admin"}`, 403},
		{"write as another", "key", nil, "POST /v1/stepsies", `{"title":"x","user_id":"{other}"}`, 403},
		{"write as an admin", "key", nil, "POST /v1/stepsies", `{"title":"x","user_id":"{boss}"}`, 403},
		{"a method in a header", "reader", nil, "GET /v1/stepsies/{draft}?_method=DELETE", ``, 400},

		// By a key of an admin's that has less.
		{"widen an admin's own reading key", "boss_reader", nil, "PATCH /v1/api-keys/{boss_reader_id}", `{"scopes":["admin"]}`, 403},
		{"widen an admin's own writing key", "boss_writer", nil, "PATCH /v1/api-keys/{boss_writer_id}", `{"scopes":["admin"]}`, 403},
		{"create with an admin's writing key", "boss_writer", nil, "POST /v1/api-keys", `{"name":"x","scopes":["admin"]}`, 403},
		{"read another's draft with an admin's reading key", "boss_reader", nil, "GET /v1/stepsies/{theirs}", ``, 404},
		{"change another's with an admin's writing key", "boss_writer", nil, "PATCH /v1/stepsies/{theirs}", `{"title":"x"}`, 404},
		{"write as another with an admin's writing key", "boss_writer", nil, "POST /v1/stepsies", `{"title":"x","user_id":"{other}"}`, 403},

		// By a key whose user has lost the role.
		{"read keys after a demotion", "admin", fallen, "GET /v1/api-keys", ``, 403},
		{"create a key after a demotion", "admin", fallen, "POST /v1/api-keys", `{"name":"x","scopes":["admin"]}`, 403},
		{"rotate one's own key after a demotion", "admin", fallen, "POST /v1/api-keys/{admin_id}/rotate", ``, 403},
		{"edit one's own key after a demotion", "admin", fallen, "PATCH /v1/api-keys/{admin_id}", `{"scopes":["read","write","admin"]}`, 403},
		{"take the role back", "admin", fallen, "PATCH /v1/users/{boss}", `{"role":"admin"}`, 403},
		{"read users after a demotion", "admin", fallen, "GET /v1/users", ``, 403},
		{"read one's own after a demotion by a key that has nothing else", "admin", fallen, "GET /v1/stepsies", ``, 403},
		{"write one's own after a demotion by a key that has nothing else", "admin", fallen, "POST /v1/stepsies", `{"title":"x"}`, 403},

		// By an admin, for somebody who cannot hold the scope.
		{"an admin key for a member", "admin", nil, "POST /v1/api-keys", `{"name":"x","scopes":["read","admin"],"user_id":"{author}"}`, 422},
		{"the scope admin for a member's key", "admin", nil, "PATCH /v1/api-keys/{spare}", `{"scopes":["read","admin"]}`, 422},
		{"another owner for a key", "admin", nil, "PATCH /v1/api-keys/{spare}", `{"user_id":"{boss}","scopes":["admin"]}`, 422},
		{"rotate a member's key into more", "admin", nil, "POST /v1/api-keys/{spare}/rotate", `{"scopes":["admin"]}`, 422},
	}
	onEachEngine(t, func(t *testing.T, in *installation) {
		in.world(t).get("admin") // somebody has to stay
		for _, at := range attempts {
			t.Run(at.name, func(t *testing.T) {
				w := in.world(t)
				w.get(at.as)
				if at.given != nil {
					at.given(w)
				}
				method, path, _ := strings.Cut(w.fill(at.request), " ")
				body := w.fill(at.body)
				before := in.rights(w)
				a := in.ask(method, path, body, w.bearer(at.as))
				if a.status != at.status {
					t.Errorf("%d, want %d: %s", a.status, at.status, a.body)
				}
				checkForm(t, method, a)
				if after := in.rights(w); after != before {
					t.Errorf("rights before\n%s\nafter\n%s", before, after)
				}
			})
		}
	})
}

// rights lists who may do what, as the operator sees it: every user's role and
// plan, every key's scopes and end.
func (in *installation) rights(w *world) string {
	w.tb.Helper()
	var b strings.Builder
	for _, name := range []string{"author", "other", "boss"} {
		for _, path := range []string{"/v1/users/{%s}", "/v1/api-keys?limit=100&user_id={%s}", "/v1/stepsies?limit=100&user_id={%s}"} {
			a := in.asOperator("GET", w.fill(fmt.Sprintf(path, name)))
			if a.status != http.StatusOK {
				w.tb.Fatalf("%s: %d %s", path, a.status, a.body)
			}
			b.WriteString(a.body + "\n")
		}
	}
	return b.String()
}

// asOperator asks through the operator's socket, as the command line does.
func (in *installation) asOperator(method, path string) answer {
	public := in.handle
	defer func() { in.handle = public }()
	in.handle = in.OperatorHandler()
	return in.ask(method, path, "")
}

// TestAScopeIsWorthWhatItsUserMayDoNow follows one key through the life of its user.
func TestAScopeIsWorthWhatItsUserMayDoNow(t *testing.T) {
	onEachEngine(t, func(t *testing.T, in *installation) {
		in.world(t).get("admin")
		w := in.world(t)
		_, secret := w.newKey("boss", stepsies.KeyChange{Name: new("Both")}, "read", "admin")
		bearer := "Authorization: Bearer " + secret
		see := func(when string, users, own int) {
			t.Helper()
			if a := in.ask("GET", "/v1/users", "", bearer); a.status != users {
				t.Errorf("%s: GET /v1/users is %d, want %d", when, a.status, users)
			}
			if a := in.ask("GET", "/v1/stepsies", "", bearer); a.status != own {
				t.Errorf("%s: GET /v1/stepsies is %d, want %d", when, a.status, own)
			}
		}
		see("as an admin", 200, 200)
		if a := in.ask("POST", "/v1/stepsies", `{"title":"x"}`, bearer); a.status != 201 {
			t.Errorf("admin includes write: %d", a.status)
		}
		w.demote("boss")
		see("as a member", 403, 200)
		if a := in.ask("POST", "/v1/stepsies", `{"title":"x"}`, bearer); a.status != 403 {
			t.Errorf("write came with admin and goes with it: %d", a.status)
		}
		if got := at(t, in.ask("GET", "/v1/me", "", bearer).body, "role"); got != "member" {
			t.Errorf("role %s", got)
		}
		role := "admin"
		w.change("boss", stepsies.UserChange{Role: &role})
		see("as an admin again", 200, 200)
		w.suspend("boss")
		see("while suspended", 401, 401)
	})
}

// TestTheLastAdminStays tries to end the only admin, by every door.
func TestTheLastAdminStays(t *testing.T) {
	onEachEngine(t, func(t *testing.T, in *installation) {
		w := in.world(t)
		w.get("admin")
		w.get("author")
		for _, c := range []struct{ method, body string }{
			{"PATCH", `{"role":"member"}`}, {"PATCH", `{"role":null}`}, {"PATCH", `{"suspended":true}`}, {"DELETE", ""},
		} {
			a := in.ask(c.method, "/v1/users/"+w.get("boss"), c.body, w.bearer("admin"))
			if a.status != 409 || at(t, a.body, "error.code") != "conflict" {
				t.Errorf("%s %s: %d %s", c.method, c.body, a.status, a.body)
			}
			checkForm(t, c.method, a)
		}
		role := "admin"
		w.change("author", stepsies.UserChange{Role: &role})
		w.suspend("author")
		if a := in.ask("DELETE", "/v1/users/"+w.get("boss"), "", w.bearer("admin")); a.status != 409 {
			t.Errorf("an admin who is suspended counts for one: %d", a.status)
		}
		no := false
		w.change("author", stepsies.UserChange{Suspended: &no})
		if a := in.ask("PATCH", "/v1/users/"+w.get("boss"), `{"role":"member"}`, w.bearer("admin")); a.status != 200 {
			t.Errorf("with another admin: %d %s", a.status, a.body)
		}
		if a := in.ask("GET", "/v1/users", "", w.bearer("admin")); a.status != 403 {
			t.Errorf("after giving the role up: %d", a.status)
		}
	})
}
