package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

// onceCase is a write that a client may repeat.
type onceCase struct {
	name, as, method, path, body, other string
}

var onceCases = []onceCase{
	{name: "create-stepsy", as: "key", method: "POST", path: "/v1/stepsies", body: `{"title":"Once","steps":[{"title":"s","content":"<p>é</p>"}]}`, other: `{"title":"Twice"}`},
	{name: "update-stepsy", as: "key", method: "PATCH", path: "/v1/stepsies/{draft}", body: `{"title":"Once","steps":[{"title":"new"}]}`, other: `{"title":"Twice"}`},
	{name: "publish-stepsy", as: "key", method: "POST", path: "/v1/stepsies/{draft}/publish", other: `{}`},
	{name: "unpublish-stepsy", as: "key", method: "POST", path: "/v1/stepsies/{public}/unpublish", other: `{}`},
	{name: "update-me", as: "key", method: "PATCH", path: "/v1/me", body: `{"bio":"Once"}`, other: `{"bio":"Twice"}`},
	{name: "create-api-key", as: "admin", method: "POST", path: "/v1/api-keys", body: `{"name":"Once","scopes":["read"]}`, other: `{"name":"Twice","scopes":["read"]}`},
	{name: "update-api-key", as: "admin", method: "PATCH", path: "/v1/api-keys/{spare}", body: `{"name":"Once"}`, other: `{"name":"Twice"}`},
	{name: "revoke-api-key", as: "admin", method: "POST", path: "/v1/api-keys/{spare}/revoke", other: `{}`},
	{name: "rotate-api-key", as: "admin", method: "POST", path: "/v1/api-keys/{spare}/rotate", body: `{"grace_period_seconds":60}`, other: `{"grace_period_seconds":61}`},
	{name: "create-user", as: "admin", method: "POST", path: "/v1/users", body: `{"username":"once-{new}","email":"once-{new}@example.com"}`, other: `{"username":"twice-{new}","email":"twice-{new}@example.com"}`},
	{name: "update-user", as: "admin", method: "PATCH", path: "/v1/users/{other}", body: `{"bio":"Once"}`, other: `{"bio":"Twice"}`},
}

// TestAWriteWithAnIdempotencyKeyHappensOnce repeats every write.
func TestAWriteWithAnIdempotencyKeyHappensOnce(t *testing.T) {
	covered := map[string]bool{"report-leaked-keys": true} // it asks for no key, so it has nobody whose record it could be
	for _, c := range onceCases {
		covered[c.name] = true
	}
	onEachEngine(t, func(t *testing.T, in *installation) {
		for _, r := range in.API().Routes() {
			if (r.Method == "POST" || r.Method == "PATCH") && !covered[r.ID] {
				t.Errorf("nothing tries %s twice", r.ID)
			}
		}
		for _, c := range onceCases {
			t.Run(c.name, func(t *testing.T) { c.run(t, in) })
		}
	})
}

func (c onceCase) run(t *testing.T, in *installation) {
	w := in.world(t)
	w.set("new", w.number)
	path, body := w.fill(c.path), w.fill(c.body)
	ask := func(path, body string, headers ...string) answer {
		return in.ask(c.method, path, body, append(headers, w.bearer(c.as))...)
	}
	const once = "Idempotency-Key: once upon a time ~!"
	first := ask(path, body, once)
	if first.status >= 300 || first.header.Get("Idempotency-Replayed") != "" {
		t.Fatalf("the first: %d %v %s", first.status, first.header, first.body)
	}
	want := withoutKey(first.body)
	if ends := c.name == "create-api-key" || c.name == "rotate-api-key"; ends != (want != first.body) {
		t.Errorf("the first answer: a key is there: %v", want != first.body)
	}

	// Much later, though within a day, and by way of the other base path.
	w.moveClock(24*time.Hour - time.Second)
	for _, target := range []string{path, "/api" + path} {
		again := ask(target, body, once)
		if again.status != first.status || again.header.Get("Idempotency-Replayed") != "true" || sameAnswer(again.body, want) != "" {
			t.Errorf("again: %d %v %s\nwant %s", again.status, again.header, again.body, want)
		}
		for _, name := range []string{"Location", "Etag", "Cache-Control"} {
			if again.header.Get(name) != first.header.Get(name) {
				t.Errorf("again: %s %q, first %q", name, again.header.Get(name), first.header.Get(name))
			}
		}
		checkForm(t, c.method, again)
	}
	if a := ask(path, w.fill(c.other), once); a.status != 422 || at(t, a.body, "error.code") != "validation_failed" {
		t.Errorf("another body: %d %s", a.status, a.body)
	} else {
		wantFields(t, a, []string{"Idempotency-Key"})
	}
	if a := ask(path, w.fill(c.other), once+"?"); a.status >= 300 || a.header.Get("Idempotency-Replayed") != "" {
		t.Errorf("another body with another key: %d %s", a.status, a.body)
	}

	// A day is over: the key is free, and what it did first is no longer told.
	w.moveClock(time.Second)
	if a := ask(path, body, once); a.header.Get("Idempotency-Replayed") != "" {
		t.Errorf("after a day: %d %v", a.status, a.header)
	}
}

// withoutKey is the body of an answer without the secret in it.
func withoutKey(body string) string {
	head, _, _ := strings.Cut(body, `,"key":"sk_`)
	if head != body {
		head += "}"
	}
	return head
}

// sameAnswer compares but for the status of a key, which time moves on.
func sameAnswer(got, want string) string {
	if got == want || strings.Replace(got, `"status":"expired"`, `"status":"expiring"`, 1) == want {
		return ""
	}
	return got
}

// onceScenarios are about what an Idempotency-Key does not do, and which are none.
var onceScenarios = []scenario{
	{name: "an empty key for once", as: "key", request: "POST /v1/stepsies", header: []string{"Idempotency-Key: "}, body: `{"title":"x"}`, status: 400, code: "bad_request"},
	{name: "a key for once of 255 characters", as: "key", request: "POST /v1/stepsies", header: []string{"Idempotency-Key: " + strings.Repeat("~", 255)}, body: `{"title":"x"}`, status: 201},
	{name: "a key for once of 256 characters", as: "key", request: "POST /v1/stepsies", header: []string{"Idempotency-Key: " + strings.Repeat("~", 256)}, body: `{"title":"x"}`, status: 400, code: "bad_request"},
	{name: "a key for once that is not ASCII", as: "key", request: "POST /v1/stepsies", header: []string{"Idempotency-Key: é"}, body: `{"title":"x"}`, status: 400, code: "bad_request"},
	{name: "a key for once with a tab", as: "key", request: "POST /v1/stepsies", header: []string{"Idempotency-Key: a\tb"}, body: `{"title":"x"}`, status: 400, code: "bad_request"},
	{name: "two keys for once", as: "key", request: "POST /v1/stepsies", header: []string{"Idempotency-Key: a", "Idempotency-Key: b"}, body: `{"title":"x"}`, status: 400, code: "bad_request"},
	{name: "a bad key for once where it does nothing", as: "key", request: "GET /v1/stepsies", header: []string{"Idempotency-Key: "}, status: 200},
}

// TestOnlySuccessIsRemembered lets a write fail first and succeed later, with the
// same key.
func TestOnlySuccessIsRemembered(t *testing.T) {
	onEachEngine(t, func(t *testing.T, in *installation) {
		w := in.world(t)
		bare := w.create("author", "Bare", false)
		publish := func(status int, replayed string) {
			t.Helper()
			a := in.ask("POST", fmt.Sprintf("/v1/stepsies/%d/publish", bare), "", w.bearer("key"), "Idempotency-Key: publish")
			if a.status != status || a.header.Get("Idempotency-Replayed") != replayed {
				t.Errorf("%d %v %s, want %d", a.status, a.header, a.body, status)
			}
		}
		publish(http.StatusUnprocessableEntity, "")
		publish(http.StatusUnprocessableEntity, "")
		if a := in.ask("PATCH", fmt.Sprintf("/v1/stepsies/%d", bare), `{"steps":[{"title":"s"}]}`, w.bearer("key")); a.status != 200 {
			t.Fatal(a.status, a.body)
		}
		publish(http.StatusOK, "")
		publish(http.StatusOK, "true")

		takeSlug("mine")(w)
		create := func(status int) {
			t.Helper()
			a := in.ask("POST", "/v1/stepsies", `{"title":"x","slug":"mine"}`, w.bearer("key"), "Idempotency-Key: create")
			if a.status != status {
				t.Errorf("%d %s, want %d", a.status, a.body, status)
			}
		}
		create(http.StatusConflict)
		in.ask("DELETE", w.fill("/v1/stepsies/{taken}"), "", w.bearer("key"))
		create(http.StatusCreated)
	})
}

// TestARepeatedPatchIsAnsweredBeforeItsPrecondition repeats a change whose own
// first success made its If-Match old.
func TestARepeatedPatchIsAnsweredBeforeItsPrecondition(t *testing.T) {
	onEachEngine(t, func(t *testing.T, in *installation) {
		w := in.world(t)
		path, match := w.fill("/v1/stepsies/{draft}"), "If-Match: "+w.get("draft.etag")
		ask := func(key string) answer {
			return in.ask("PATCH", path, `{"title":"New"}`, w.bearer("key"), match, "Idempotency-Key: "+key)
		}
		first := ask("a")
		if a := in.ask("PATCH", path, `{"title":"Newer"}`, w.bearer("key")); a.status != 200 {
			t.Fatal(a.status, a.body)
		}
		again := ask("a")
		if again.status != 200 || again.body != first.body || again.header.Get("Idempotency-Replayed") != "true" || again.header.Get("ETag") != first.header.Get("ETag") {
			t.Errorf("again: %d %v %s", again.status, again.header, again.body)
		}
		if a := ask("b"); a.status != 412 {
			t.Errorf("with another key: %d %s", a.status, a.body)
		}
		if got := at(t, w.read(path), "title"); got != "Newer" {
			t.Errorf("title %s", got)
		}
	})
}

// TestIdempotencyKeysBelongToTheirUserAndRoute uses one key for what has nothing
// to do with each other.
func TestIdempotencyKeysBelongToTheirUserAndRoute(t *testing.T) {
	onEachEngine(t, func(t *testing.T, in *installation) {
		w := in.world(t)
		const once = "Idempotency-Key: shared"
		_, second := w.newKey("author", stepsies.KeyChange{Name: new("Second")}, "write")
		for i, c := range []struct{ as, method, path, body, replayed string }{
			{"key", "POST", "/v1/stepsies", `{"title":"x"}`, ""},
			{"other_key", "POST", "/v1/stepsies", `{"title":"x"}`, ""},
			{"key", "PATCH", "/v1/stepsies/{draft}", `{"title":"x"}`, ""},
			{"key", "PATCH", "/v1/stepsies/{public}", `{"title":"x"}`, ""},
			{"key", "POST", "/v1/stepsies/{draft}/publish", "", ""},
			{"writer", "POST", "/v1/stepsies", `{"title":"x"}`, "true"}, // the same user by another key
		} {
			a := in.ask(c.method, w.fill(c.path), c.body, w.bearer(c.as), once)
			if a.status >= 300 || a.header.Get("Idempotency-Replayed") != c.replayed {
				t.Errorf("request %d: %d %v %s", i+1, a.status, a.header, a.body)
			}
		}
		// What another key of the same user may not do, it is not told either.
		if a := in.ask("POST", "/v1/stepsies", `{"title":"x"}`, w.bearer("reader"), once); a.status != 403 {
			t.Errorf("a key with less scope: %d %s", a.status, a.body)
		}
		if a := in.ask("POST", "/v1/stepsies", `{"title":"x"}`, "Authorization: Bearer "+second, once); a.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("a third key: %d %s", a.status, a.body)
		}
		if n := len(at(t, w.read("/v1/stepsies?user_id={author}&limit=100"), "data").([]any)); n != 3 {
			t.Errorf("the author has %d stepsies, want 3", n)
		}
	})
}
