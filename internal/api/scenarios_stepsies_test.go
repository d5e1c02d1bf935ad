package api_test

import (
	"fmt"
	"strings"
)

// steps is the JSON of n steps.
func steps(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(`{"title":"Step %d"}`, i+1)
	}
	return "[" + strings.Join(all, ",") + "]"
}

// withStep is the body of a new stepsy that has one step of the content.
func withStep(content string) string {
	return `{"title":"x","steps":[{"title":"s","content":"` + content + `"}]}`
}

// takeSlug gives the author a stepsy with that slug.
func takeSlug(slug string) func(w *world) {
	return func(w *world) {
		a := w.in.ask("POST", "/v1/stepsies", `{"title":"Taken","slug":"`+slug+`"}`, w.bearer("key"))
		if a.status != 201 {
			w.tb.Fatalf("take slug %s: %d %s", slug, a.status, a.body)
		}
		w.set("taken", at(w.tb, a.body, "id"))
	}
}

// createScenarios are about POST /v1/stepsies.
var createScenarios = []scenario{
	{name: "create a stepsy", as: "writer", request: "POST /v1/stepsies",
		body: `{"title":"  Café au lait  ","description":"One\ntwo\tthree","category":"health","featured":true,
			"steps":[{"title":" Boil ","content":"<p>Water &amp; <b>heat</b></p>"},{"title":"Drink"}]}`,
		status: 201, want: []string{`"slug":"cafe-au-lait"`, `"title":"Café au lait"`, `"description":"One\ntwo\tthree"`, `"category":"health"`, `"status":"draft"`,
			`"published_at":null`, `"featured":true`, `"featured_at":"2026-03-14T15:09:26Z"`, `"views_count":0`, `"completions_count":0`, `"average_rating":null`,
			`"url":"` + publicURL + `/@{author}/cafe-au-lait"`, `"user":{"username":"{author}","display_name":"Name of {author}"}`,
			`"steps":[{"id":1,"position":1,"title":"Boil","content":"<p>Water &amp; <b>heat</b></p>"},{"id":2,"position":2,"title":"Drink","content":""}]`, `"steps_count":2`},
		headers: []string{"ETag: *", "Location: *", "Idempotency-Replayed:", "Cache-Control: private, no-cache", "Vary: Authorization"},
		then: func(w *world, a answer) {
			id := fmt.Sprint(at(w.tb, a.body, "id"))
			if got := a.header.Get("Location"); got != publicURL+"/v1/stepsies/"+id {
				w.tb.Errorf("Location %s", got)
			}
			if read := w.read("/v1/stepsies/" + id); read != a.body {
				w.tb.Errorf("what was answered is not what is read:\n%s\n%s", a.body, read)
			}
			if etag := w.stepsy(w.numberIn(a.body), "ETag"); etag != a.header.Get("ETag") {
				w.tb.Errorf("ETag %s, read: %s", a.header.Get("ETag"), etag)
			}
		}},
	{name: "create with a title alone", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x"}`, status: 201,
		want: []string{`"slug":"x"`, `"description":""`, `"category":"other"`, `"status":"draft"`, `"featured":false`, `"featured_at":null`, `"steps":[]`, `"steps_count":0`}},
	{name: "create with nulls for defaults", as: "writer", request: "POST /v1/stepsies",
		body:   `{"title":"x","description":null,"category":null,"slug":null,"featured":null,"status":null,"steps":null,"user_id":null}`,
		status: 201, want: []string{`"slug":"x"`, `"description":""`, `"category":"other"`, `"status":"draft"`, `"featured":false`, `"steps":[]`}},
	{name: "create and publish at once", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","status":"published","steps":[{"title":"s"}]}`, status: 201,
		want: []string{`"status":"published","published_at":"2026-03-14T15:09:26Z"`}},
	{name: "create a draft that says so", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","status":"draft"}`, status: 201, want: []string{`"status":"draft"`}},
	{name: "publish at once without a step", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","status":"published"}`, status: 422, fields: []string{"steps"}},

	{name: "no title", as: "writer", request: "POST /v1/stepsies", body: `{}`, status: 422, fields: []string{"title"}, want: []string{"is required"}},
	{name: "null for a title", as: "writer", request: "POST /v1/stepsies", body: `{"title":null}`, status: 422, fields: []string{"title"}},
	{name: "an empty title", as: "writer", request: "POST /v1/stepsies", body: `{"title":""}`, status: 422, fields: []string{"title"}, want: []string{"must not be empty"}},
	{name: "a title of spaces", as: "writer", request: "POST /v1/stepsies", body: `{"title":" \u00a0\u3000 "}`, status: 422, fields: []string{"title"}},
	{name: "a title of 200 characters", as: "writer", request: "POST /v1/stepsies", body: `{"title":"  ` + strings.Repeat("é", 200) + `  "}`, status: 201, want: []string{`"title":"` + strings.Repeat("é", 200) + `"`}},
	{name: "a title of 201 characters", as: "writer", request: "POST /v1/stepsies", body: `{"title":"` + strings.Repeat("é", 201) + `"}`, status: 422, fields: []string{"title"}, want: []string{"200", "201"}},
	{name: "a title that composing makes short enough", as: "writer", request: "POST /v1/stepsies", body: `{"title":"` + strings.Repeat(`e\u0301`, 200) + `"}`, status: 201, want: []string{`"title":"` + strings.Repeat("é", 200) + `"`}},
	{name: "a title of emoji", as: "writer", request: "POST /v1/stepsies", body: `{"title":"` + strings.Repeat("🦊", 200) + `"}`, status: 201, want: []string{`"slug":"stepsy"`}},
	{name: "a description of 2,000 characters", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","description":"` + strings.Repeat("ß", 2000) + `"}`, status: 201},
	{name: "a description of 2,001 characters", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","description":"` + strings.Repeat("ß", 2001) + `"}`, status: 422, fields: []string{"description"}},
	{name: "a description keeps its spaces", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","description":" a\r\n "}`, status: 201, want: []string{`"description":" a\r\n "`}},
	{name: "200 steps", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","steps":` + steps(200) + `}`, status: 201, want: []string{`"steps_count":200`, `{"id":200,"position":200,`}},
	{name: "201 steps", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","steps":` + steps(201) + `}`, status: 422, fields: []string{"steps"}},
	{name: "a step title of 200 characters", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","steps":[{"title":" ` + strings.Repeat("y", 200) + ` "}]}`, status: 201},
	{name: "a step title of 201 characters", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","steps":[{"title":"` + strings.Repeat("y", 201) + `"}]}`, status: 422, fields: []string{"steps[0].title"}},
	{name: "a content of 100,000 characters", as: "writer", request: "POST /v1/stepsies", body: withStep("<p>" + strings.Repeat("ü", 100_000-7) + "</p>"), status: 201},
	{name: "a content of 100,001 characters", as: "writer", request: "POST /v1/stepsies", body: withStep("<p>" + strings.Repeat("ü", 100_001-7) + "</p>"), status: 422, fields: []string{"steps[0].content"}},
	{name: "null for a content", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","steps":[{"title":"s","content":null}]}`, status: 201, want: []string{`"content":""`}},
	{name: "an empty content", as: "writer", request: "POST /v1/stepsies", body: withStep(""), status: 201, want: []string{`"content":""`}},
	{name: "a step without a title", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","steps":[{"title":"a"},{"content":"b"}]}`, status: 422, fields: []string{"steps[1].title"}},
	{name: "an id for a new step", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","steps":[{"id":1,"title":"a"}]}`, status: 422, fields: []string{"steps[0].id"}},
	{name: "a position for a step", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","steps":[{"position":1,"title":"a"}]}`, status: 422, fields: []string{"steps[0].position"}},
	{name: "a category that is none", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","category":"Marketing"}`, status: 422, fields: []string{"category"}, want: []string{"lifestyle"}},
	{name: "a status that is none", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","status":"public"}`, status: 422, fields: []string{"status"}, want: []string{"one of draft, published"}},
	{name: "all problems at once", as: "writer", request: "POST /v1/stepsies",
		body: `{"title":" ","description":7,"category":"fun","slug":"Not a slug","featured":"yes","status":"gone","id":5,"views_count":1000,"colour":"red",
			"steps":[{"title":"","content":1},{"title":"ok","extra":1},"three"]}`,
		status: 422, fields: []string{"title", "description", "category", "slug", "featured", "status", "id", "views_count", "colour",
			"steps[0].title", "steps[0].content", "steps[1].extra", "steps[2]"}},
	{name: "what clients only read", as: "writer", request: "POST /v1/stepsies",
		body: `{"title":"x","id":1,"published_at":"2024-12-04T10:30:00Z","featured_at":null,"views_count":1,"completions_count":1,"average_rating":5,"url":"https://example.com/",
			"user":{"username":"root"},"steps_count":1,"created_at":"2024-12-04T10:30:00Z","updated_at":"2024-12-04T10:30:00Z"}`,
		status: 422, fields: []string{"id", "published_at", "featured_at", "views_count", "completions_count", "average_rating", "url", "user", "steps_count", "created_at", "updated_at"}, want: []string{"is read-only"}},
	{name: "a field in capitals", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","Description":"y"}`, status: 422, fields: []string{"Description"}},
	{name: "a list where a text is wanted", as: "writer", request: "POST /v1/stepsies", body: `{"title":["x"]}`, status: 422, fields: []string{"title"}},
	{name: "an object where a list is wanted", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","steps":{"title":"a"}}`, status: 422, fields: []string{"steps"}},

	{name: "a slug of one's own", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","slug":"my-own-1"}`, status: 201, want: []string{`"slug":"my-own-1"`}},
	{name: "a slug of 100 characters", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","slug":"` + strings.Repeat("a", 100) + `"}`, status: 201},
	{name: "a slug of 101 characters", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","slug":"` + strings.Repeat("a", 101) + `"}`, status: 422, fields: []string{"slug"}},
	{name: "an empty slug", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","slug":""}`, status: 422, fields: []string{"slug"}},
	{name: "a slug with capitals", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","slug":"Abc"}`, status: 422, fields: []string{"slug"}},
	{name: "a slug with an accent", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","slug":"café"}`, status: 422, fields: []string{"slug"}},
	{name: "a slug with a slash", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","slug":"a/b"}`, status: 422, fields: []string{"slug"}},
	{name: "a slug that is taken", as: "writer", given: takeSlug("taken"), request: "POST /v1/stepsies", body: `{"title":"x","slug":"taken"}`, status: 409, code: "conflict"},
	{name: "a slug that another author has", as: "other_key", given: takeSlug("taken"), request: "POST /v1/stepsies", body: `{"title":"x","slug":"taken"}`, status: 201, want: []string{`"slug":"taken"`}},
	{name: "a title whose slug is taken", as: "writer", given: takeSlug("twice"), request: "POST /v1/stepsies", body: `{"title":"Twice"}`, status: 201, want: []string{`"slug":"twice-2"`}},
	{name: "a title whose slug is taken twice", as: "writer", given: func(w *world) { takeSlug("twice")(w); takeSlug("twice-2")(w) }, request: "POST /v1/stepsies", body: `{"title":"Twice!"}`, status: 201, want: []string{`"slug":"twice-3"`}},
	{name: "a slug that a deleted stepsy had", as: "key", given: func(w *world) {
		takeSlug("freed")(w)
		if a := w.in.ask("DELETE", w.fill("/v1/stepsies/{taken}"), "", w.bearer("key")); a.status != 204 {
			w.tb.Fatalf("delete: %d", a.status)
		}
	}, request: "POST /v1/stepsies", body: `{"title":"Freed"}`, status: 201, want: []string{`"slug":"freed"`}},

	{name: "text is composed", as: "writer", request: "POST /v1/stepsies", body: `{"title":"Cafe\u0301","description":"A\u030a","steps":[{"title":"u\u0308","content":"<p>o\u0302</p>"}]}`, status: 201,
		want: []string{`"title":"Café"`, `"description":"Å"`, `"title":"ü"`, `"content":"<p>ô</p>"`}},
	{name: "a NUL in a title", as: "writer", request: "POST /v1/stepsies", body: `{"title":"a\u0000b"}`, status: 422, fields: []string{"title"}, want: []string{"U+0000"}},
	{name: "control characters everywhere", as: "writer", request: "POST /v1/stepsies", body: `{"title":"a\u0007b","description":"a\u0000b","slug":"a\u0000","steps":[{"title":"a\u001bb","content":"<p>a\u0000b</p>"},{"title":"x","content":"\u0008"}]}`,
		status: 422, fields: []string{"title", "description", "slug", "steps[0].title", "steps[0].content", "steps[1].content"}},
	{name: "a control character beyond ASCII", as: "writer", request: "POST /v1/stepsies", body: `{"title":"a\u0085b"}`, status: 422, fields: []string{"title"}},
	{name: "a delete character", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","description":"a\u007fb"}`, status: 422, fields: []string{"description"}},
	{name: "a line break in a title", as: "writer", request: "POST /v1/stepsies", body: `{"title":"a\nb"}`, status: 422, fields: []string{"title"}, want: []string{"U+000A"}},
	{name: "a tab in a step title", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","steps":[{"title":"a\tb"}]}`, status: 422, fields: []string{"steps[0].title"}},
	{name: "line breaks in a content", as: "writer", request: "POST /v1/stepsies", body: withStep(`<pre>a\tb\nc</pre>`), status: 201, want: []string{`<pre>a\tb\nc</pre>`}},
	{name: "markup in texts stays text", as: "writer", request: "POST /v1/stepsies", body: `{"title":"<b>&amp;</b> \"quoted\"","description":"<script>alert(1)</script>"}`, status: 201,
		want: []string{`"title":"<b>&amp;</b> \"quoted\""`, `"description":"<script>alert(1)</script>"`}},
	{name: "half of a surrogate pair", as: "writer", request: "POST /v1/stepsies", body: `{"title":"a\ud83db"}`, status: 201, want: []string{`"title":"a` + "\ufffd" + `b"`}},

	{name: "a script is taken out", as: "writer", request: "POST /v1/stepsies", body: withStep(`<p>ok</p><script>alert(1)</script><style>p{}</style><iframe src='https://example.com'></iframe>`), status: 201, want: []string{`"content":"<p>ok</p>"`}},
	{name: "an event handler is taken out", as: "writer", request: "POST /v1/stepsies", body: withStep(`<p onclick='x()' style='color:red' class='a'>ok</p>`), status: 201, want: []string{`"content":"<p>ok</p>"`}},
	{name: "a script as an address is taken out", as: "writer", request: "POST /v1/stepsies", body: withStep(`<p><a href='javascript:alert(1)'>x</a><a href=' JaVaScRiPt&#58;alert(1)'>y</a></p>`), status: 201, not: []string{"javascript", "JaVaScRiPt"}},
	{name: "what is allowed stays", as: "writer", request: "POST /v1/stepsies", body: withStep(`<h2>H</h2><p><strong>b</strong> <em>i</em> <code>c</code></p><ul><li>l</li></ul><blockquote><p>q</p></blockquote>`), status: 201,
		want: []string{`<h2>H</h2><p><strong>b</strong> <em>i</em> <code>c</code></p><ul><li>l</li></ul><blockquote><p>q</p></blockquote>`}},
	{name: "an address of mail stays", as: "writer", request: "POST /v1/stepsies", body: withStep(`<p><a href='mailto:a@example.com'>m</a></p>`), status: 201, want: []string{`href=\"mailto:a@example.com\"`}},
	{name: "nothing but a script", as: "writer", request: "POST /v1/stepsies", body: withStep(`<script>alert(1)</script>`), status: 201, want: []string{`"content":""`}},

	{name: "create for oneself by name", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","user_id":"{author}"}`, status: 201, want: []string{`"username":"{author}"`}},
	{name: "create for oneself in capitals", as: "writer", given: func(w *world) { w.set("capitals", strings.ToUpper(w.get("author"))) }, request: "POST /v1/stepsies", body: `{"title":"x","user_id":"{capitals}"}`, status: 201, want: []string{`"username":"{author}"`}},
	{name: "create for an empty name", as: "admin", request: "POST /v1/stepsies", body: `{"title":"x","user_id":""}`, status: 422, fields: []string{"user_id"}},
	{name: "create for null", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x","user_id":null}`, status: 201, want: []string{`"username":"{author}"`}},
	{name: "create for another without admin", as: "key", request: "POST /v1/stepsies", body: `{"title":"x","user_id":"{other}"}`, status: 403,
		exact: `{"error":{"code":"forbidden","message":"Insufficient scope for this action"}}`, headers: []string{`WWW-Authenticate: Bearer realm="stepsies", error="insufficient_scope", scope="admin"`}},
	{name: "create for nobody without admin", as: "key", request: "POST /v1/stepsies", body: `{"title":"x","user_id":"nobody-at-all"}`, status: 403, code: "forbidden"},
	{name: "create for another with admin", as: "admin", request: "POST /v1/stepsies", body: `{"title":"x","user_id":"{other}"}`, status: 201, want: []string{`"user":{"username":"{other}"`}},
	{name: "create for nobody with admin", as: "admin", request: "POST /v1/stepsies", body: `{"title":"x","user_id":"nobody-at-all"}`, status: 404, code: "not_found"},
	{name: "create for a name that can be none", as: "admin", request: "POST /v1/stepsies", body: `{"title":"x","user_id":"a\u0000b"}`, status: 404, code: "not_found"},
	{name: "create for oneself with admin", as: "admin", request: "POST /v1/stepsies", body: `{"title":"x"}`, status: 201, want: []string{`"username":"{boss}"`}},
	{name: "create with the scope read", as: "reader", request: "POST /v1/stepsies", body: `{"title":"x"}`, status: 403, code: "forbidden"},
}

// readScenarios are about GET and DELETE /v1/stepsies/{id}.
var readScenarios = []scenario{
	{name: "read one's draft", as: "reader", request: "GET /v1/stepsies/{draft}", status: 200, repeats: true,
		want:    []string{`"id":{draft},`, `"status":"draft"`, `"content":"<p>First</p>"`},
		headers: []string{"ETag: {draft.etag}", "Location:", "Cache-Control: private, no-cache", "Vary: Authorization", "Idempotency-Replayed:"}},
	{name: "read with an unknown parameter", as: "reader", request: "GET /v1/stepsies/{draft}?include=steps", status: 400, code: "bad_request"},
	{name: "read what another published", as: "reader", request: "GET /v1/stepsies/{shown}", status: 200, want: []string{`"username":"{other}"`}},
	{name: "an id that is no number", as: "reader", request: "GET /v1/stepsies/first", status: 404, exact: `{"error":{"code":"not_found","message":"There is no such stepsy, or it is not yours."}}`},
	{name: "another's draft does not exist", as: "reader", request: "GET /v1/stepsies/{theirs}", status: 404, code: "not_found", not: []string{"draft"}},
	{name: "an admin reads another's draft", as: "admin", request: "GET /v1/stepsies/{theirs}", status: 200},
	{name: "an admin's user with a key of scope read does not", as: "boss_reader", request: "GET /v1/stepsies/{theirs}", status: 404, code: "not_found"},
	{name: "what a suspended author published", as: "reader", given: func(w *world) { w.get("shown"); w.suspend("other") }, request: "GET /v1/stepsies/{shown}", status: 404, code: "not_found"},
	{name: "what a suspended author published, for an admin", as: "admin", given: func(w *world) { w.get("shown"); w.suspend("other") }, request: "GET /v1/stepsies/{shown}", status: 200},
	{name: "a write key does not read", as: "writer", request: "GET /v1/stepsies/{draft}", status: 403, code: "forbidden", headers: []string{`WWW-Authenticate: Bearer realm="stepsies", error="insufficient_scope", scope="read"`}},

	{name: "read what has not changed", as: "reader", request: "GET /v1/stepsies/{draft}", header: []string{"If-None-Match: {draft.etag}"}, status: 304, headers: []string{"ETag: {draft.etag}"}, repeats: true},
	{name: "read what has not changed, weakly", as: "reader", request: "GET /v1/stepsies/{draft}", header: []string{"If-None-Match: W/{draft.etag}"}, status: 304},
	{name: "read what is in a list of tags", as: "reader", request: "GET /v1/stepsies/{draft}", header: []string{`If-None-Match: "1.1",W/"x", {draft.etag} ,"y"`}, status: 304},
	{name: "read what is in a second line of tags", as: "reader", request: "GET /v1/stepsies/{draft}", header: []string{`If-None-Match: "x"`, `If-None-Match: {draft.etag}`}, status: 304},
	{name: "read whatever is there", as: "reader", request: "GET /v1/stepsies/{draft}", header: []string{"If-None-Match: *"}, status: 304},
	{name: "read with an old tag", as: "reader", request: "GET /v1/stepsies/{draft}", header: []string{`If-None-Match: "{draft}.0"`}, status: 200},
	{name: "read with a tag without quotes", as: "reader", request: "GET /v1/stepsies/{draft}", header: []string{"If-None-Match: {draft}.1"}, status: 200},
	{name: "read with an empty tag", as: "reader", request: "GET /v1/stepsies/{draft}", header: []string{"If-None-Match: "}, status: 200},
	{name: "what is hidden does not tell its tag", as: "reader", request: "GET /v1/stepsies/{theirs}", header: []string{"If-None-Match: *"}, status: 404, headers: []string{"ETag:"}},

	{name: "delete a draft", as: "writer", request: "DELETE /v1/stepsies/{draft}", status: 204, headers: []string{"Content-Type:"}, then: func(w *world, _ answer) {
		for _, path := range []string{"/v1/stepsies/{draft}", "/v1/stepsies?user_id={author}&q=draft"} {
			if a := w.in.ask("GET", w.fill(path), "", w.bearer("admin")); strings.Contains(a.body, "A draft") {
				w.tb.Errorf("GET %s shows what is deleted: %s", path, a.body)
			}
		}
		if a := w.in.ask("DELETE", w.fill("/v1/stepsies/{draft}"), "", w.bearer("key")); a.status != 404 {
			w.tb.Errorf("deleted twice: %d", a.status)
		}
	}},
	{name: "delete what is published", as: "writer", request: "DELETE /v1/stepsies/{public}", status: 204},
	{name: "delete another's", as: "key", request: "DELETE /v1/stepsies/{shown}", status: 404, code: "not_found", then: func(w *world, _ answer) { w.read("/v1/stepsies/{shown}") }},
	{name: "delete another's as an admin", as: "admin", request: "DELETE /v1/stepsies/{theirs}", status: 204},
	{name: "delete another's by an admin's user with a key of scope write", as: "boss_writer", request: "DELETE /v1/stepsies/{theirs}", status: 404, code: "not_found"},
	{name: "delete with the scope read", as: "reader", request: "DELETE /v1/stepsies/{draft}", status: 403, code: "forbidden"},
	{name: "a key for once does nothing for a deletion", as: "writer", request: "DELETE /v1/stepsies/{draft}", header: []string{"Idempotency-Key: once"}, status: 204, headers: []string{"Idempotency-Replayed:"},
		then: func(w *world, _ answer) {
			if a := w.in.ask("DELETE", w.fill("/v1/stepsies/{draft}"), "", w.bearer("writer"), "Idempotency-Key: once"); a.status != 404 {
				w.tb.Errorf("the second deletion: %d", a.status)
			}
		}},
}

// publishScenarios are about publish and unpublish.
var publishScenarios = []scenario{
	{name: "publish a draft", as: "writer", given: later, request: "POST /v1/stepsies/{draft}/publish", status: 200,
		want: []string{`"status":"published","published_at":"2026-03-14T16:09:26Z"`, `"updated_at":"2026-03-14T16:09:26Z"`}, headers: []string{`ETag: "{draft}.2"`, "Location:"}},
	{name: "publish twice", as: "writer", given: func(w *world) { w.get("public"); later(w) }, request: "POST /v1/stepsies/{public}/publish", status: 200, repeats: true,
		want: []string{`"published_at":"2026-03-14T15:09:26Z"`, `"updated_at":"2026-03-14T15:09:26Z"`}, headers: []string{`ETag: "{public}.1"`}},
	{name: "publish without a step", as: "writer", given: func(w *world) { w.set("bare", w.create("author", "Bare", false)) }, request: "POST /v1/stepsies/{bare}/publish", status: 422, fields: []string{"steps"},
		then: func(w *world, _ answer) {
			if got := at(w.tb, w.read("/v1/stepsies/{bare}"), "status"); got != "draft" {
				w.tb.Errorf("status %s", got)
			}
		}},
	{name: "publish another's", as: "key", request: "POST /v1/stepsies/{theirs}/publish", status: 404, code: "not_found"},
	{name: "publish what another has published", as: "key", request: "POST /v1/stepsies/{shown}/publish", status: 404, code: "not_found"},
	{name: "publish another's as an admin", as: "admin", request: "POST /v1/stepsies/{theirs}/publish", status: 200, want: []string{`"username":"{other}"`, `"status":"published"`}},
	{name: "publish with the scope read", as: "reader", request: "POST /v1/stepsies/{draft}/publish", status: 403, code: "forbidden"},
	{name: "unpublish", as: "writer", given: later, request: "POST /v1/stepsies/{public}/unpublish", status: 200, want: []string{`"status":"draft","published_at":null`}, headers: []string{`ETag: "{public}.2"`},
		then: func(w *world, _ answer) {
			if a := w.in.ask("GET", w.fill("/v1/stepsies/{public}"), "", w.bearer("other_key")); a.status != 404 {
				w.tb.Errorf("another still reads it: %d", a.status)
			}
		}},
	{name: "unpublish a draft", as: "writer", request: "POST /v1/stepsies/{draft}/unpublish", status: 200, want: []string{`"status":"draft"`}, headers: []string{`ETag: "{draft}.1"`}, repeats: true},
	{name: "unpublish another's", as: "key", request: "POST /v1/stepsies/{shown}/unpublish", status: 404, code: "not_found"},
	{name: "unpublish another's as an admin", as: "admin", request: "POST /v1/stepsies/{shown}/unpublish", status: 200},
	{name: "unpublish with the scope read", as: "reader", request: "POST /v1/stepsies/{public}/unpublish", status: 403, code: "forbidden"},
	{name: "unpublish with a body too large", as: "key", request: "POST /v1/stepsies/{public}/unpublish", body: padded(`{}`, twoMiB+1), status: 413, code: "payload_too_large"},
	{name: "unpublish with a form", as: "key", request: "POST /v1/stepsies/{public}/unpublish", header: []string{"Content-Type: text/plain"}, body: "now", status: 415, code: "unsupported_media_type"},
	{name: "unpublish with a field", as: "key", request: "POST /v1/stepsies/{public}/unpublish", body: `{"why":1}`, status: 422, fields: []string{"why"}},
	{name: "unpublish with broken JSON", as: "key", request: "POST /v1/stepsies/{public}/unpublish", body: `{`, status: 400, code: "bad_request"},
	{name: "publish with a form", as: "key", request: "POST /v1/stepsies/{draft}/publish", header: []string{"Content-Type: text/plain"}, body: "now", status: 415, code: "unsupported_media_type"},
}
