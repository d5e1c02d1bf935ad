package api_test

import (
	"net/http"
	"strings"
)

// unchanged checks that a refused change left the draft as it was.
func unchanged(w *world, _ answer) {
	body := w.read("/v1/stepsies/{draft}")
	for _, text := range []string{`"title":"A draft"`, `"description":""`, `"category":"other"`, `"slug":"a-draft"`, `"steps_count":2`, `"updated_at":"2026-03-14T15:09:26Z"`} {
		if !strings.Contains(body, text) {
			w.tb.Errorf("a refused change changed the stepsy: no %s in %s", text, body)
		}
	}
	if etag := w.stepsy(w.id("draft"), "ETag"); etag != w.fill(`"{draft}.1"`) {
		w.tb.Errorf("a refused change made a new version: %s", etag)
	}
}

// patched sends a first patch of the draft.
func patched(body string) func(w *world) {
	return func(w *world) {
		if a := w.in.ask("PATCH", w.fill("/v1/stepsies/{draft}"), body, w.bearer("key")); a.status != http.StatusOK {
			w.tb.Fatalf("PATCH: %d %s", a.status, a.body)
		}
	}
}

// updateScenarios are about PATCH /v1/stepsies/{id}.
var updateScenarios = []scenario{
	{name: "change a title", as: "writer", given: later, request: "PATCH /v1/stepsies/{draft}", body: `{"title":" New "}`, status: 200,
		want: []string{`"title":"New"`, `"slug":"a-draft"`, `"steps_count":2`, `"created_at":"2026-03-14T15:09:26Z","updated_at":"2026-03-14T16:09:26Z"`}, headers: []string{`ETag: "{draft}.2"`, "Location:"},
		then: func(w *world, a answer) {
			if read := w.read("/v1/stepsies/{draft}"); read != a.body {
				w.tb.Errorf("what was answered is not what is read:\n%s\n%s", a.body, read)
			}
		}},
	{name: "an empty patch changes nothing", as: "writer", given: later, request: "PATCH /v1/stepsies/{draft}", body: `{}`, status: 200, headers: []string{`ETag: "{draft}.1"`}, then: unchanged, repeats: true},
	{name: "the same again changes nothing", as: "writer", given: later, request: "PATCH /v1/stepsies/{draft}", body: `{"title":"A draft","category":null,"description":null}`, status: 200, headers: []string{`ETag: "{draft}.1"`}, then: unchanged},
	{name: "null for a description", as: "writer", given: patched(`{"description":"Text"}`), request: "PATCH /v1/stepsies/{draft}", body: `{"description":null}`, status: 200, want: []string{`"description":""`}},
	{name: "null for a category", as: "writer", given: patched(`{"category":"health"}`), request: "PATCH /v1/stepsies/{draft}", body: `{"category":null}`, status: 200, want: []string{`"category":"other"`}},
	{name: "null for featured", as: "writer", given: patched(`{"featured":true}`), request: "PATCH /v1/stepsies/{draft}", body: `{"featured":null}`, status: 200, want: []string{`"featured":false,"featured_at":null`}},
	{name: "featured again keeps its time", as: "writer", given: func(w *world) { patched(`{"featured":true}`)(w); w.moveClock(1e12) }, request: "PATCH /v1/stepsies/{draft}", body: `{"featured":true}`, status: 200,
		want: []string{`"featured":true,"featured_at":"2026-03-14T15:09:26Z"`}, headers: []string{`ETag: "{draft}.2"`}},
	{name: "null for a slug", as: "writer", given: patched(`{"slug":"other"}`), request: "PATCH /v1/stepsies/{draft}", body: `{"slug":null}`, status: 200, want: []string{`"slug":"a-draft"`}},
	{name: "null for a slug that has become another's", as: "writer", given: func(w *world) { patched(`{"slug":"other"}`)(w); takeSlug("a-draft")(w) }, request: "PATCH /v1/stepsies/{draft}", body: `{"slug":null}`, status: 200, want: []string{`"slug":"a-draft-2"`}},
	{name: "null for a slug and a new title", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"slug":null,"title":"Brand new"}`, status: 200, want: []string{`"slug":"brand-new"`}},
	{name: "null for the title", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"title":null}`, status: 422, fields: []string{"title"}, then: unchanged},
	{name: "null for the steps", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"steps":null}`, status: 200, want: []string{`"steps":[]`, `"steps_count":0`}},
	{name: "no steps", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"steps":[]}`, status: 200, want: []string{`"steps":[]`}},
	{name: "no steps while published", as: "writer", request: "PATCH /v1/stepsies/{public}", body: `{"steps":[]}`, status: 422, fields: []string{"steps"}, want: []string{"unpublish"}},
	{name: "null for the steps while published", as: "writer", request: "PATCH /v1/stepsies/{public}", body: `{"steps":null}`, status: 422, fields: []string{"steps"}},

	{name: "steps in another order", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"steps":[{"id":2,"title":"Second"},{"id":1,"title":"First"}]}`, status: 200,
		want: []string{`"steps":[{"id":2,"position":1,"title":"Second","content":""},{"id":1,"position":2,"title":"First","content":""}]`}},
	{name: "a step between two", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"steps":[{"id":1,"title":"a"},{"title":"b","content":"<p>x</p>"},{"id":2,"title":"c"}]}`, status: 200,
		want: []string{`[{"id":1,"position":1,"title":"a","content":""},{"id":3,"position":2,"title":"b","content":"<p>x</p>"},{"id":2,"position":3,"title":"c","content":""}]`}},
	{name: "ids of steps are never used again", as: "writer", given: func(w *world) { patched(`{"steps":[{"title":"a"}]}`)(w); patched(`{"steps":[]}`)(w) }, request: "PATCH /v1/stepsies/{draft}", body: `{"steps":[{"title":"b"}]}`, status: 200, want: []string{`"steps":[{"id":4,`}},
	{name: "a step that is gone", as: "writer", given: patched(`{"steps":[{"id":1,"title":"a"}]}`), request: "PATCH /v1/stepsies/{draft}", body: `{"steps":[{"id":2,"title":"b"}]}`, status: 422, fields: []string{"steps[0].id"}},
	{name: "a step of another stepsy", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"steps":[{"id":77,"title":"b"}]}`, status: 422, fields: []string{"steps[0].id"}, then: unchanged},
	{name: "a step twice", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"steps":[{"id":1,"title":"a"},{"id":1,"title":"b"}]}`, status: 422, fields: []string{"steps[1].id"}, then: unchanged},
	{name: "null for the id of a step", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"steps":[{"id":null,"title":"a"}]}`, status: 200, want: []string{`"steps":[{"id":3,`}},
	{name: "an id of a step as a float", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"steps":[{"id":2.0,"title":"a"},{"id":1e0,"title":"b"}]}`, status: 200, want: []string{`"steps":[{"id":2,"position":1,"title":"a","content":""},{"id":1,`}},
	{name: "ids of steps that can be none", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"steps":[{"id":0,"title":"a"},{"id":-1,"title":"b"},{"id":1.5,"title":"c"},{"id":"1","title":"d"},{"id":9223372036854775808,"title":"e"},{"id":1e300,"title":"f"}]}`,
		status: 422, fields: []string{"steps[0].id", "steps[1].id", "steps[2].id", "steps[3].id", "steps[4].id", "steps[5].id"}, then: unchanged},
	{name: "200 steps in place of two", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"steps":` + steps(200) + `}`, status: 200, want: []string{`"steps_count":200`, `{"id":202,"position":200`}},
	{name: "201 steps in place of two", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"steps":` + steps(201) + `}`, status: 422, fields: []string{"steps"}, then: unchanged},
	{name: "a content to sanitise in a patch", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"steps":[{"id":1,"title":"a","content":"<img src=x onerror=alert(1)><p>ok</p>"}]}`, status: 200, want: []string{"<p>ok</p>"}, not: []string{"onerror"}},
	{name: "a content too long in a patch", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"steps":[{"id":1,"title":"a","content":"` + strings.Repeat("x", 100_001) + `"}]}`, status: 422, fields: []string{"steps[0].content"}, then: unchanged},

	{name: "a status in a patch", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"status":"published"}`, status: 422, fields: []string{"status"}, want: []string{"use publish"}, then: unchanged},
	{name: "null for a status in a patch", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"status":null}`, status: 422, fields: []string{"status"}},
	{name: "an author in a patch", as: "admin", request: "PATCH /v1/stepsies/{draft}", body: `{"user_id":"{boss}","user":{"username":"{boss}"}}`, status: 422, fields: []string{"user_id", "user"}, then: unchanged},
	{name: "the object itself as a patch", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"id":1,"slug":"a-draft","title":"A draft","views_count":0,"url":"https://example.com/","created_at":"2026-03-14T15:09:26Z"}`, status: 422,
		fields: []string{"id", "views_count", "url", "created_at"}, want: []string{"is read-only"}, not: []string{"publish"}},
	{name: "all problems of a patch at once", as: "writer", request: "PATCH /v1/stepsies/{draft}",
		body: `{"title":"","description":false,"category":"fun","slug":"-UP-","featured":1,"nonsense":{},"steps":[{"id":1,"title":""},{"id":1,"title":"twice"},{"content":"no title"}]}`, status: 422,
		fields: []string{"title", "description", "category", "slug", "featured", "nonsense", "steps[0].title", "steps[1].id", "steps[2].title"}, then: unchanged},
	{name: "a good field beside a bad one", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"title":"Good","category":"bad"}`, status: 422, fields: []string{"category"}, then: unchanged},
	{name: "a NUL in a patch", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"title":"\u0000","description":"\u0000"}`, status: 422, fields: []string{"title", "description"}, then: unchanged},
	{name: "a title of 201 characters in a patch", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"title":"` + strings.Repeat("x", 201) + `"}`, status: 422, fields: []string{"title"}, then: unchanged},
	{name: "a patch over 2 MiB", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: padded(`{"title":"x"}`, twoMiB+1), status: 413, code: "payload_too_large", then: unchanged},
	{name: "a patch in a form", as: "writer", request: "PATCH /v1/stepsies/{draft}", header: []string{"Content-Type: multipart/form-data; boundary=x"}, body: "--x--", status: 415, code: "unsupported_media_type"},

	{name: "a new slug", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"slug":"a-new-one"}`, status: 200, want: []string{`"slug":"a-new-one"`, `/@{author}/a-new-one"`}},
	{name: "an empty new slug", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"slug":""}`, status: 422, fields: []string{"slug"}, then: unchanged},
	{name: "a new slug that is taken", as: "writer", given: takeSlug("mine"), request: "PATCH /v1/stepsies/{draft}", body: `{"slug":"mine","title":"New"}`, status: 409, code: "conflict", then: unchanged},
	{name: "an old slug of another stepsy of one's own", as: "writer", given: func(w *world) {
		takeSlug("first")(w)
		if a := w.in.ask("PATCH", w.fill("/v1/stepsies/{taken}"), `{"slug":"second"}`, w.bearer("key")); a.status != http.StatusOK {
			w.tb.Fatalf("PATCH: %d %s", a.status, a.body)
		}
	}, request: "PATCH /v1/stepsies/{draft}", body: `{"slug":"first"}`, status: 200, want: []string{`"slug":"first"`}},

	{name: "change the version that was read", as: "writer", request: "PATCH /v1/stepsies/{draft}", header: []string{"If-Match: {draft.etag}"}, body: `{"title":"New"}`, status: 200, headers: []string{`ETag: "{draft}.2"`}},
	{name: "change an older version", as: "writer", given: patched(`{"title":"B"}`), request: "PATCH /v1/stepsies/{draft}", header: []string{`If-Match: "{draft}.1"`}, body: `{"title":"C"}`, status: 412, code: "precondition_failed",
		then: func(w *world, _ answer) {
			if got := at(w.tb, w.read("/v1/stepsies/{draft}"), "title"); got != "B" {
				w.tb.Errorf("title %s", got)
			}
		}},
	{name: "change whatever is there", as: "writer", request: "PATCH /v1/stepsies/{draft}", header: []string{"If-Match: *"}, body: `{"title":"New"}`, status: 200},
	{name: "change one of several versions", as: "writer", request: "PATCH /v1/stepsies/{draft}", header: []string{`If-Match: "0.0", {draft.etag}`}, body: `{"title":"New"}`, status: 200},
	{name: "change one of several versions in two lines", as: "writer", request: "PATCH /v1/stepsies/{draft}", header: []string{`If-Match: "0.0"`, `If-Match: {draft.etag}`}, body: `{"title":"New"}`, status: 200},
	{name: "a tag without quotes is no match", as: "writer", request: "PATCH /v1/stepsies/{draft}", header: []string{"If-Match: {draft}.1"}, body: `{"title":"New"}`, status: 412, then: unchanged},
	{name: "an empty If-Match is no match", as: "writer", request: "PATCH /v1/stepsies/{draft}", header: []string{"If-Match: "}, body: `{"title":"New"}`, status: 412, then: unchanged},
	{name: "an old version and a body that does not fit", as: "writer", request: "PATCH /v1/stepsies/{draft}", header: []string{`If-Match: "{draft}.0"`}, body: `{"title":""}`, status: 422, then: unchanged},
	{name: "a version of what another has", as: "key", request: "PATCH /v1/stepsies/{shown}", header: []string{"If-Match: *"}, body: `{"title":"Mine"}`, status: 404, code: "not_found"},
	{name: "counters leave the version as it is", as: "writer", given: func(w *world) { w.count("draft") }, request: "PATCH /v1/stepsies/{draft}", header: []string{`If-Match: "{draft}.1"`}, body: `{"title":"New"}`, status: 200,
		want: []string{`"views_count":150,"completions_count":42,"average_rating":4.5`}},

	{name: "change another's", as: "key", request: "PATCH /v1/stepsies/{theirs}", body: `{"title":"Mine"}`, status: 404, code: "not_found"},
	{name: "change what another published", as: "key", request: "PATCH /v1/stepsies/{shown}", body: `{"title":"Mine"}`, status: 404, code: "not_found",
		then: func(w *world, _ answer) {
			if got := at(w.tb, w.read("/v1/stepsies/{shown}"), "title"); got != "Shown to all" {
				w.tb.Errorf("title %s", got)
			}
		}},
	{name: "change another's as an admin", as: "admin", request: "PATCH /v1/stepsies/{theirs}", body: `{"title":"Better"}`, status: 200, want: []string{`"title":"Better"`, `"username":"{other}"`}},
	{name: "change another's by an admin's user with a key of scope write", as: "boss_writer", request: "PATCH /v1/stepsies/{theirs}", body: `{"title":"Mine"}`, status: 404, code: "not_found"},
	{name: "change with the scope read", as: "reader", request: "PATCH /v1/stepsies/{draft}", body: `{"title":"New"}`, status: 403, code: "forbidden", then: unchanged},
}

// conditionalScenarios are about If-Match and If-None-Match on every write of a
// stepsy (RFC 9110 §13.1).
func conditionalScenarios() []scenario {
	var all []scenario
	for _, write := range []struct{ request, body string }{
		{"PATCH /v1/stepsies/{draft}", `{"title":"New"}`},
		{"POST /v1/stepsies/{draft}/publish", ""},
		{"POST /v1/stepsies/{draft}/unpublish", ""},
		{"DELETE /v1/stepsies/{draft}", ""},
	} {
		status := http.StatusOK
		if strings.HasPrefix(write.request, "DELETE") {
			status = http.StatusNoContent
		}
		add := func(name string, status int, header ...string) {
			s := scenario{name: write.request + " " + name, as: "writer", request: write.request, body: write.body, header: header, status: status}
			if status == http.StatusPreconditionFailed {
				s.code, s.then = "precondition_failed", unchanged
			}
			all = append(all, s)
		}
		add("of the version that was read", status, "If-Match: {draft.etag}")
		add("of whatever is there", status, "If-Match: *")
		add("of one of several versions", status, `If-Match: "0.0", {draft.etag}`)
		add("of an older version", http.StatusPreconditionFailed, `If-Match: "{draft}.0"`)
		for _, seen := range []string{ // through proxies that compress
			`W/{draft.etag}`, `"{draft}.1-gzip"`, `W/"{draft}.1-br"`, `"{draft}.1-zstd"`, `"{draft}.1;gzip"`, `"{draft}.1--gzip"`, `"0.0-br", "{draft}.1-br"`,
		} {
			add("of the version that was read as "+seen, status, "If-Match: "+seen)
			add("unless it is the version that was read as "+seen, http.StatusPreconditionFailed, "If-None-Match: "+seen)
		}
		add("of an older version, compressed", http.StatusPreconditionFailed, `If-Match: W/"{draft}.0-gzip"`)
		add("of a longer version", http.StatusPreconditionFailed, `If-Match: "{draft}.10"`)
		add("of what no proxy writes", http.StatusPreconditionFailed, `If-Match: "{draft}.1-new"`)
		add("of what is no tag", http.StatusPreconditionFailed, "If-Match: {draft}.1")
		add("unless it is there", http.StatusPreconditionFailed, "If-None-Match: *")
		add("unless it is the version that was read", http.StatusPreconditionFailed, `If-None-Match: "0.0", W/{draft.etag}`)
		add("unless it is another version", status, `If-None-Match: "{draft}.0"`)
		add("of one version and not of it", http.StatusPreconditionFailed, "If-Match: {draft.etag}", "If-None-Match: {draft.etag}")
		all = append(all, scenario{name: write.request + " of any version of what another has", as: "key", status: http.StatusNotFound, code: "not_found",
			request: strings.Replace(write.request, "draft", "theirs", 1), body: write.body, header: []string{`If-Match: "{draft}.0"`}})
	}
	return all
}

// wrongTypes sends every field of a patch every type that it does not take.
func wrongTypes() []scenario {
	values := []struct{ kind, json string }{
		{"text", `"x"`}, {"number", `1`}, {"fraction", `1.5`}, {"boolean", `true`}, {"list", `[1]`}, {"object", `{"a":1}`},
	}
	fields := []struct{ name, takes string }{
		{"title", "text"}, {"description", "text"}, {"category", ""}, {"slug", "text"}, {"featured", "boolean"}, {"steps", ""},
	}
	var all []scenario
	for _, f := range fields {
		for _, v := range values {
			if v.kind == f.takes {
				continue
			}
			s := scenario{name: "a " + v.kind + " for the " + f.name, as: "writer", request: "PATCH /v1/stepsies/{draft}",
				body: `{"` + f.name + `":` + v.json + `}`, status: 422, fields: []string{f.name}, then: unchanged}
			if f.name == "steps" && v.kind == "list" {
				s.fields = []string{"steps[0]"}
			}
			all = append(all, s)
		}
	}
	return all
}
