package api_test

import (
	"context"
	"encoding/base64"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
)

// shelf gives the author five stepsies, each made an hour after the one before:
// "Apfelstrudel" and "Éclair", published, the second featured; "banana bread",
// a draft about health; "Zebra cake", published last; "cake", a draft.
func shelf(w *world) {
	w.get("author")
	make := func(name, title, category string, published, featured bool, steps ...string) {
		want := stepsies.StepsyChange{Title: &title, Category: &category, Publish: published, Featured: &featured, Steps: &[]stepsies.StepChange{}}
		for _, text := range steps {
			*want.Steps = append(*want.Steps, stepsies.StepChange{Title: text, Content: stepsies.SanitisedContent("<p>Crème fraîche</p>")})
		}
		out, err := w.in.Store().CreateStepsy(context.Background(), operator, w.get("author"), want)
		w.must(err)
		w.set(name, out.Value.ID)
		w.moveClock(time.Hour)
	}
	make("apple", "Apfelstrudel", "other", true, false, "Peel")
	make("eclair", "Éclair", "other", true, true, "Bake")
	make("banana", "banana bread", "health", false, false)
	make("zebra", "Zebra cake", "health", true, false, "Mix", "Bake")
	make("cake", "cake", "other", false, false, "Slice")
	if a := w.in.ask("PATCH", w.fill("/v1/stepsies/{apple}"), `{"description":"With apples"}`, w.bearer("key")); a.status != 200 {
		w.tb.Fatalf("PATCH: %d", a.status)
	}
}

// shows checks which stepsies a list has, in order, by their names in the world.
func shows(names ...string) func(w *world, a answer) {
	return func(w *world, a answer) {
		var got []string
		for _, item := range at(w.tb, a.body, "data").([]any) {
			id := item.(map[string]any)["id"]
			for name, value := range w.values {
				if value == id.(interface{ String() string }).String() && !strings.Contains(name, "_") {
					got = append(got, name)
				}
			}
		}
		if strings.Join(got, " ") != strings.Join(names, " ") {
			w.tb.Errorf("shows %s, want %s", got, names)
		}
	}
}

const emptyPage = `{"data":[],"meta":{"limit":20,"has_more":false,"next_cursor":null}}`

func cursorText(json string) string { return base64.RawURLEncoding.EncodeToString([]byte(json)) }

// listScenarios are about GET /v1/stepsies.
var listScenarios = []scenario{
	{name: "no stepsies", as: "reader", request: "GET /v1/stepsies", status: 200, exact: emptyPage, headers: []string{"Link:", "ETag:"}, repeats: true},
	{name: "list one's own, newest first", as: "reader", given: shelf, request: "GET /v1/stepsies", status: 200, not: []string{`"steps":`}, want: []string{`"steps_count":2`, `"limit":20,"has_more":false,"next_cursor":null`},
		headers: []string{"Link:"}, then: shows("cake", "zebra", "banana", "eclair", "apple"), repeats: true},
	{name: "oldest first", as: "reader", given: shelf, request: "GET /v1/stepsies?sort=created_at", status: 200, then: shows("apple", "eclair", "banana", "zebra", "cake")},
	{name: "newest first, by name", as: "reader", given: shelf, request: "GET /v1/stepsies?sort=-created_at", status: 200, then: shows("cake", "zebra", "banana", "eclair", "apple")},
	{name: "last changed first", as: "reader", given: shelf, request: "GET /v1/stepsies?sort=-updated_at", status: 200, then: shows("apple", "cake", "zebra", "banana", "eclair")},
	{name: "last published first", as: "reader", given: shelf, request: "GET /v1/stepsies?sort=-published_at&status=published", status: 200, then: shows("zebra", "eclair", "apple")},
	{name: "by title whatever its case and accents", as: "reader", given: shelf, request: "GET /v1/stepsies?sort=title", status: 200, then: shows("apple", "banana", "cake", "eclair", "zebra")},
	{name: "drafts alone", as: "reader", given: shelf, request: "GET /v1/stepsies?status=draft", status: 200, then: shows("cake", "banana")},
	{name: "published alone", as: "reader", given: shelf, request: "GET /v1/stepsies?status=published", status: 200, then: shows("zebra", "eclair", "apple")},
	{name: "a category", as: "reader", given: shelf, request: "GET /v1/stepsies?category=health", status: 200, then: shows("zebra", "banana")},
	{name: "featured alone", as: "reader", given: shelf, request: "GET /v1/stepsies?featured=true", status: 200, then: shows("eclair")},
	{name: "not featured", as: "reader", given: shelf, request: "GET /v1/stepsies?featured=false", status: 200, then: shows("cake", "zebra", "banana", "apple")},
	{name: "filters together", as: "reader", given: shelf, request: "GET /v1/stepsies?status=published&category=other&featured=false&q=apf", status: 200, then: shows("apple")},
	{name: "with steps", as: "reader", given: shelf, request: "GET /v1/stepsies?include=steps&category=health", status: 200,
		want: []string{`"steps":[{"id":1,"position":1,"title":"Mix","content":"<p>Crème fraîche</p>"},{"id":2,`, `"steps":[],"steps_count":0`}, then: shows("zebra", "banana")},

	{name: "search in titles", as: "reader", given: shelf, request: "GET /v1/stepsies?q=cake", status: 200, then: shows("cake", "zebra")},
	{name: "search by the beginning of a word", as: "reader", given: shelf, request: "GET /v1/stepsies?q=ZEB", status: 200, then: shows("zebra")},
	{name: "search not by the end of a word", as: "reader", given: shelf, request: "GET /v1/stepsies?q=ebra", status: 200, exact: emptyPage},
	{name: "search without accents", as: "reader", given: shelf, request: "GET /v1/stepsies?q=eclair", status: 200, then: shows("eclair")},
	{name: "search in descriptions", as: "reader", given: shelf, request: "GET /v1/stepsies?q=apples", status: 200, then: shows("apple")},
	{name: "search in titles of steps", as: "reader", given: shelf, request: "GET /v1/stepsies?q=bake", status: 200, then: shows("zebra", "eclair")},
	{name: "search in contents of steps", as: "reader", given: shelf, request: "GET /v1/stepsies?q=cr%C3%A8me%20FRA&sort=title", status: 200, then: shows("apple", "cake", "eclair", "zebra")},
	{name: "search not in markup", as: "reader", given: shelf, request: "GET /v1/stepsies?q=p", status: 200, then: shows("apple")},
	{name: "search for all of the words", as: "reader", given: shelf, request: "GET /v1/stepsies?q=cake+bake", status: 200, then: shows("zebra")},
	{name: "search with signs of query languages", as: "reader", given: shelf, request: "GET /v1/stepsies?q=%22cake%22+-+*+%26+%7C+%21%28%29%3A", status: 200, then: shows("cake", "zebra")},
	{name: "search for words that languages reserve", as: "reader", given: shelf, request: "GET /v1/stepsies?q=cake+OR+apple", status: 200, exact: emptyPage},
	{name: "search for signs alone", as: "reader", given: shelf, request: "GET /v1/stepsies?q=%2A%22", status: 200, exact: emptyPage},
	{name: "search for spaces", as: "reader", given: shelf, request: "GET /v1/stepsies?q=+", status: 200, exact: emptyPage},
	{name: "search for nothing finds all", as: "reader", given: shelf, request: "GET /v1/stepsies?q=&limit=1", status: 200, then: shows("cake")},
	{name: "search for a NUL", as: "reader", given: shelf, request: "GET /v1/stepsies?q=ca%00ke", status: 200, exact: emptyPage},
	{name: "search for what is not UTF-8", as: "reader", given: shelf, request: "GET /v1/stepsies?q=%ff", status: 400, code: "bad_request"},
	{name: "a search of 500 characters", as: "reader", request: "GET /v1/stepsies?q=" + strings.Repeat("%C3%A9", 500), status: 200, exact: emptyPage},
	{name: "a search of 501 characters", as: "reader", request: "GET /v1/stepsies?q=" + strings.Repeat("%C3%A9", 501), status: 400, code: "bad_request"},

	{name: "another's published ones", as: "reader", given: func(w *world) { w.get("theirs"); w.get("shown") }, request: "GET /v1/stepsies?user_id={other}", status: 200, then: shows("shown")},
	{name: "another's, named in capitals", as: "reader", given: func(w *world) { w.get("shown"); w.set("loud", strings.ToUpper(w.get("other"))) }, request: "GET /v1/stepsies?user_id={loud}", status: 200, then: shows("shown")},
	{name: "another's drafts", as: "reader", given: func(w *world) { w.get("theirs"); w.get("shown") }, request: "GET /v1/stepsies?user_id={other}&status=draft", status: 200, exact: emptyPage},
	{name: "another's by words of a draft", as: "reader", given: func(w *world) { w.get("theirs") }, request: "GET /v1/stepsies?user_id={other}&q=their", status: 200, exact: emptyPage},
	{name: "everything of another for an admin", as: "admin", given: func(w *world) { w.get("theirs"); w.get("shown") }, request: "GET /v1/stepsies?user_id={other}", status: 200, then: shows("shown", "theirs")},
	{name: "another's for an admin's user with a key of scope read", as: "boss_reader", given: func(w *world) { w.get("theirs"); w.get("shown") }, request: "GET /v1/stepsies?user_id={other}", status: 200, then: shows("shown")},
	{name: "an admin's own", as: "admin", given: func(w *world) { w.get("theirs"); w.get("shown") }, request: "GET /v1/stepsies", status: 200, exact: emptyPage},
	{name: "one's own by name", as: "reader", given: shelf, request: "GET /v1/stepsies?user_id={author}&status=draft", status: 200, then: shows("cake", "banana")},
	{name: "a suspended author's", as: "reader", given: func(w *world) { w.get("shown"); w.suspend("other") }, request: "GET /v1/stepsies?user_id={other}", status: 200, exact: emptyPage},
	{name: "nobody's", as: "reader", request: "GET /v1/stepsies?user_id=nobody-at-all", status: 404, code: "not_found"},
	{name: "nobody's, by a name that can be none", as: "reader", request: "GET /v1/stepsies?user_id=%00", status: 404, code: "not_found"},
	{name: "list with the scope write", as: "writer", request: "GET /v1/stepsies", status: 403, code: "forbidden"},

	{name: "a limit of 1", as: "reader", given: shelf, request: "GET /v1/stepsies?limit=1", status: 200, want: []string{`"meta":{"limit":1,"has_more":true,"next_cursor":"`}, headers: []string{"Link: *"}, then: shows("cake")},
	{name: "a limit that is just met", as: "reader", given: shelf, request: "GET /v1/stepsies?limit=5", status: 200, want: []string{`"meta":{"limit":5,"has_more":false,"next_cursor":null}`}, headers: []string{"Link:"}},
	{name: "a limit of 100", as: "reader", request: "GET /v1/stepsies?limit=100", status: 200, want: []string{`"limit":100`}},
	{name: "a limit of 101", as: "reader", request: "GET /v1/stepsies?limit=101", status: 400, code: "bad_request", want: []string{"limit"}},
	{name: "a limit of 0", as: "reader", request: "GET /v1/stepsies?limit=0", status: 400, code: "bad_request"},
	{name: "a negative limit", as: "reader", request: "GET /v1/stepsies?limit=-1", status: 400, code: "bad_request"},
	{name: "a limit that is no number", as: "reader", request: "GET /v1/stepsies?limit=ten", status: 400, code: "bad_request"},
	{name: "a limit with a fraction", as: "reader", request: "GET /v1/stepsies?limit=1.5", status: 400, code: "bad_request"},
	{name: "a limit beyond all numbers", as: "reader", request: "GET /v1/stepsies?limit=99999999999999999999", status: 400, code: "bad_request"},
	{name: "an empty limit", as: "reader", request: "GET /v1/stepsies?limit=", status: 400, code: "bad_request"},
	{name: "two limits", as: "reader", request: "GET /v1/stepsies?limit=1&limit=2", status: 400, code: "bad_request"},
	{name: "the same limit twice", as: "reader", request: "GET /v1/stepsies?limit=1&limit=1", status: 400, code: "bad_request"},
	{name: "an unknown status", as: "reader", request: "GET /v1/stepsies?status=gone", status: 400, code: "bad_request"},
	{name: "an empty status", as: "reader", request: "GET /v1/stepsies?status=", status: 400, code: "bad_request"},
	{name: "an unknown category", as: "reader", request: "GET /v1/stepsies?category=fun", status: 400, code: "bad_request"},
	{name: "featured neither true nor false", as: "reader", request: "GET /v1/stepsies?featured=1", status: 400, code: "bad_request"},
	{name: "an unknown order", as: "reader", request: "GET /v1/stepsies?sort=views", status: 400, code: "bad_request"},
	{name: "an empty author", as: "reader", request: "GET /v1/stepsies?user_id=", status: 400, code: "bad_request"},
	{name: "an unknown thing to include", as: "reader", request: "GET /v1/stepsies?include=comments", status: 400, code: "bad_request"},
	{name: "an unknown parameter", as: "reader", request: "GET /v1/stepsies?page=2", status: 400, code: "bad_request", want: []string{"page"}},
	{name: "a parameter in capitals", as: "reader", request: "GET /v1/stepsies?Limit=2", status: 400, code: "bad_request"},

	{name: "a cursor that is none", as: "reader", request: "GET /v1/stepsies?cursor=nonsense", status: 400, code: "bad_request", want: []string{"cursor"}},
	{name: "an empty cursor", as: "reader", request: "GET /v1/stepsies?cursor=", status: 400, code: "bad_request"},
	{name: "a cursor of no JSON", as: "reader", request: "GET /v1/stepsies?cursor=" + cursorText("{"), status: 400, code: "bad_request"},
	{name: "a cursor of another order", as: "reader", given: func(w *world) { shelf(w); w.set("cursor", w.cursor("/v1/stepsies?limit=1&sort=title")) }, request: "GET /v1/stepsies?cursor={cursor}", status: 400, code: "bad_request", want: []string{"same sort"}},
	{name: "a cursor of another list", as: "reader", given: func(w *world) { w.get("reader"); w.get("key"); w.set("cursor", w.cursor("/v1/api-keys?limit=1")) }, request: "GET /v1/stepsies?cursor={cursor}", status: 400, code: "bad_request"},
	{name: "a cursor that is huge", as: "reader", request: "GET /v1/stepsies?cursor=" + strings.Repeat("A", 8192), status: 400, code: "bad_request"},
	{name: "a cursor with a NUL", as: "reader", request: "GET /v1/stepsies?sort=title&cursor=" + cursorText(`{"s":"title","i":1,"t":"\u0000"}`), status: 400, code: "bad_request"},
	{name: "a made-up cursor shows nobody else's", as: "reader", given: func(w *world) { w.get("theirs") }, request: "GET /v1/stepsies?cursor=" + cursorText(`{"s":"-created_at","i":999999999,"n":99999999999999}`), status: 200, exact: emptyPage},
	{name: "a cursor and the rest of the list", as: "reader", given: func(w *world) { shelf(w); w.set("cursor", w.cursor("/v1/stepsies?limit=3&user_id={author}")) }, request: "GET /v1/stepsies?cursor={cursor}", status: 200, then: shows("eclair", "apple")},
}

// cursor returns the next_cursor of a list, as an admin sees it.
func (w *world) cursor(path string) string {
	w.tb.Helper()
	if !strings.Contains(path, "api-keys") && !strings.Contains(path, "user_id") {
		path += "&user_id={author}"
	}
	return at(w.tb, w.read(path), "meta.next_cursor").(string)
}
