package api_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stepsies/stepsies/internal/api"
)

// TestEverySentenceAboutARequestIsOurs provokes each sentence of the library that reads
// requests, and holds how it reaches a client.
func TestEverySentenceAboutARequestIsOurs(t *testing.T) {
	in := open(t, "")
	w := in.world(t)
	const parameter = "The parameter "
	var all []string
	for _, c := range []struct{ request, body, says string }{
		{"GET /v1/stepsies?nonsense=1", "", parameter + "nonsense is wrong: unknown query parameter."},
		{"GET /v1/stepsies?limit=x", "", parameter + "limit is wrong: must be an integer."},
		{"GET /v1/stepsies?limit=0", "", parameter + "limit is wrong: must be at least 1."},
		{"GET /v1/stepsies?limit=101", "", parameter + "limit is wrong: must be at most 100."},
		{"GET /v1/stepsies?status=new", "", parameter + "status is wrong: must be one of draft, published."},
		{"GET /v1/stepsies?q=" + strings.Repeat("x", 501), "", parameter + "q is wrong: must have at most this many characters: 500."},
		{"GET /v1/stepsies/x", "", "There is no such stepsy, or it is not yours."},
		{"GET /v1/api-keys/x", "", "There is no such API key, or it is not yours."},

		{"POST /v1/stepsies", ``, "The request needs a body. Send a JSON object."},
		{"POST /v1/stepsies", `[]`, ": must be an object"},
		{"POST /v1/stepsies", `{"title":"x","n":-1e999,"s":"\"9e999"}`, ": must not hold the number -1e999, which is too large"},
		{"POST /v1/stepsies", `{"n":` + strings.Repeat("9", 400) + `}`, ": must not hold the number " + strings.Repeat("9", 40) + "…, which is too large"},
		{"POST /v1/stepsies", `{}`, "title: is required"},
		{"POST /v1/stepsies", `{"title":"x","steps":[{"title":"x"},{}]}`, "steps[1].title: is required"},
		{"POST /v1/stepsies", `{"title":1}`, "title: must be a string"},
		{"POST /v1/stepsies", `{"title":"x","featured":1}`, "featured: must be a boolean"},
		{"POST /v1/stepsies", `{"title":"x","steps":{}}`, "steps: must be an array"},
		{"POST /v1/stepsies", `{"title":"x","steps":[1]}`, "steps[0]: must be an object"},
		{"POST /v1/stepsies", `{"title":"x","steps":` + steps(201) + `}`, "steps: must have at most this many items: 200"},
		{"POST /v1/stepsies", `{"title":"x","slug":"A B"}`, "slug: must be 1 to 100 characters of a-z, 0-9 and hyphen"},
		{"POST /v1/stepsies", `{"title":"x","views_count":1}`, "views_count: is read-only"},
		{"POST /v1/stepsies", `{"title":"x","zeal":1,"ardour":1}`, "ardour: is not a field of this request; zeal: is not a field of this request"},
		{"PATCH /v1/stepsies/{draft}", `{"status":"draft"}`, "status: is read-only here; use publish or unpublish"},
		{"PATCH /v1/me", `{"email":"x"}`, "email: is read-only here"},
		{"PATCH /v1/api-keys/{spare}", `{"key":"x"}`, "key: is read-only: the secret of a key never changes, rotate the key instead"},
		{"PATCH /v1/api-keys/{spare}", `{"scopes":[]}`, "scopes: must have at least this many items: 1"},
		{"PATCH /v1/api-keys/{spare}", `{"scopes":["all"]}`, "scopes[0]: must be one of read, write, admin"},
		{"PATCH /v1/api-keys/{spare}", `{"expires_at":"soon"}`, "expires_at: must be a time such as 2030-01-31T12:00:00Z (RFC 3339), or null for never"},
		{"POST /v1/api-keys/{spare}/rotate", `{"grace_period_seconds":1.5}`, "grace_period_seconds: must be an integer"},
		{"POST /v1/api-keys/{spare}/rotate", `{"grace_period_seconds":-1}`, "grace_period_seconds: must be at least 0"},
		{"POST /v1/api-keys/{spare}/rotate", `{"grace_period_seconds":2592001}`, "grace_period_seconds: must be at most 2592000"},
		{"POST /v1/users", `{"username":"sarah","email":"nobody"}`, "email: must be an e-mail address such as sarah@example.com"},
	} {
		method, target, _ := strings.Cut(w.fill(c.request), " ")
		a := in.ask(method, target, c.body, w.bearer("admin"))
		got := at(t, a.body, "error.message").(string)
		if a.status == 422 {
			var problems []string
			for _, d := range at(t, a.body, "error.details").([]any) {
				d := d.(map[string]any)
				problems = append(problems, d["field"].(string)+": "+d["message"].(string))
			}
			got = strings.Join(problems, "; ")
		}
		if got != c.says {
			t.Errorf("%s %.80s: %d %s\nwant %s", c.request, c.body, a.status, got, c.says)
		}
		all = append(all, got)
	}
	for _, words := range api.Sayings() {
		if !slices.ContainsFunc(all, func(got string) bool { return strings.Contains(got, strings.TrimSuffix(words, ": ")) }) {
			t.Errorf("nothing here makes the library say %q", words)
		}
	}
}
