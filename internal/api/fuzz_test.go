package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/richtext"
)

// FuzzMergePatch changes a stepsy by any body at all. Nothing but a good change is
// made, and what is stored is always a valid stepsy.
func FuzzMergePatch(f *testing.F) {
	for _, seed := range []string{
		`{}`, `null`, `[]`, `""`, `{"title":"New"}`, `{"title":null}`, `{"title":"  x  ","description":"a\nb"}`,
		`{"title":"\u0000"}`, `{"title":"\ud800"}`, "{\"title\":\"\xff\"}", `{"title":1e999}`, `{"title":"a","title":"b"}`, `{"Title":"x"}`,
		`{"steps":[]}`, `{"steps":null}`, `{"steps":[{"id":2,"title":"b"},{"id":1,"title":"a"}]}`, `{"steps":[{"id":1,"title":"a"},{"id":1,"title":"a"}]}`,
		`{"steps":[{"id":1.0,"title":"a"},{"id":2e0,"title":"b"},{"id":null,"title":"c"}]}`, `{"steps":[{"id":9223372036854775808,"title":"a"}]}`,
		`{"steps":[{"title":"x","content":"<p>a<script>b</script><a href=\"javascript:c\">d</a>"}]}`,
		`{"steps":[{"title":"x","content":"<table><tr><td><ul><li><b><i>"}]}`, `{"steps":[{"title":"x","content":"&#0;&lt;p&gt;\u0001"}]}`,
		`{"steps":[[[[]]]]}`, `{"steps":{"0":{}}}`, `{"slug":"a-slug","category":"health","featured":true}`, `{"slug":"","category":"Health","featured":"yes"}`,
		`{"slug":null,"title":"é"}`, `{"status":"published","id":1,"user":{"username":"x"}}`, `{"limits":{"minute":1}}`,
		`{"description":"` + strings.Repeat("x", 2001) + `"}`, `{"title":"` + strings.Repeat(`e\u0301`, 200) + `"}`,
		strings.Repeat(`{"a":`, 64) + `1` + strings.Repeat(`}`, 64),
	} {
		f.Add(seed)
	}
	in := open(f, "")
	w := in.world(f)
	w.get("key")
	w.get("admin")
	made := 0
	f.Fuzz(func(t *testing.T, body string) {
		w.tb = t
		made++
		slug := fmt.Sprintf("fuzzed-%d", made)
		content := []stepsies.StepChange{{Title: "First", Content: stepsies.SanitisedContent("<p>One</p>")}, {Title: "Second"}}
		out, err := in.Store().CreateStepsy(context.Background(), operator, w.get("author"),
			stepsies.StepsyChange{Title: new("Before"), Slug: &slug, Publish: made%2 == 0, Steps: &content})
		if err != nil {
			t.Fatal(err)
		}
		path := fmt.Sprintf("/v1/stepsies/%d", out.Value.ID)
		before := in.ask("GET", path, "", w.bearer("key"))
		a := in.ask("PATCH", path, body, w.bearer("key"), "Content-Type: application/json")
		checkForm(t, "PATCH", a)
		after := in.ask("GET", path, "", w.bearer("key"))
		switch a.status {
		case http.StatusOK:
			if after.body != a.body || after.header.Get("ETag") != a.header.Get("ETag") {
				t.Errorf("answered\n%s\nread\n%s", a.body, after.body)
			}
			if after.body != before.body && after.header.Get("ETag") == before.header.Get("ETag") {
				t.Errorf("%s changed what is read and not its ETag", body)
			}
			validStepsy(t, after.body)
		case http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
			if after.body != before.body || after.header.Get("ETag") != before.header.Get("ETag") {
				t.Errorf("refused with %d, and yet changed\n%s\n%s", a.status, before.body, after.body)
			}
		default:
			t.Errorf("%d %s", a.status, a.body)
		}
		if err := in.Store().DeleteStepsy(context.Background(), operator, out.Value.ID); err != nil {
			t.Fatal(err)
		}
	})
}

// validStepsy checks what is promised of every stepsy, however it came about.
func validStepsy(t *testing.T, body string) {
	t.Helper()
	var s struct {
		Slug, Title, Description, Category, Status string
		StepsCount                                 int `json:"steps_count"`
		Steps                                      []struct {
			ID             int64
			Position       int
			Title, Content string
		}
	}
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		t.Fatal(err)
	}
	line := func(what, text string, most int) {
		if n := utf8.RuneCountInString(text); n < 1 || n > most || strings.TrimSpace(text) != text || !norm.NFC.IsNormalString(text) || stepsies.CheckText(text, false) != nil {
			t.Errorf("%s is %q", what, text)
		}
	}
	line("title", s.Title, 200)
	if utf8.RuneCountInString(s.Description) > 2000 || !norm.NFC.IsNormalString(s.Description) || stepsies.CheckText(s.Description, true) != nil {
		t.Errorf("description is %q", s.Description)
	}
	if _, err := stepsies.ParseSlug(s.Slug); err != nil {
		t.Errorf("slug is %q", s.Slug)
	}
	if !slices.Contains(stepsies.Categories, s.Category) || s.StepsCount != len(s.Steps) || len(s.Steps) > 200 || s.Status == "published" && len(s.Steps) == 0 {
		t.Errorf("category %q, status %s, %d steps, counted %d", s.Category, s.Status, len(s.Steps), s.StepsCount)
	}
	seen := map[int64]bool{}
	for i, step := range s.Steps {
		line("title of a step", step.Title, 200)
		if step.ID < 1 || seen[step.ID] || step.Position != i+1 {
			t.Errorf("step %d has id %d and position %d", i, step.ID, step.Position)
		}
		seen[step.ID] = true
		content := stepsies.SanitisedContent(step.Content)
		if content.Length() > 100_000 || richtext.Sanitise(step.Content) != content {
			t.Errorf("content is %q", step.Content)
		}
	}
}

// FuzzQuery lists by any query at all. It is answered or refused, never by a
// failure of ours, and shows nobody what is not theirs to see.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"", "limit=1", "limit=100", "limit=101", "limit=0", "limit=-1", "limit=1e2", "limit=%31", "limit=1&limit=2", "limit=", "limit", "&&&", "=", "%zz", "a=b;c=d",
		"cursor=", "cursor=AAAA", "cursor=" + cursorText(`{"s":"-created_at","i":1,"n":1}`), "cursor=" + cursorText(`{"s":"-created_at","i":-9223372036854775808,"n":9223372036854775807}`),
		"sort=title&cursor=" + cursorText(`{"s":"title","i":1,"t":"a\u0000b"}`), "sort=title&cursor=" + cursorText(`{"s":"title","i":99999999999,"t":"`+strings.Repeat("x", 2000)+`"}`),
		"cursor=" + cursorText(`{"s":"-id","i":5}`), "cursor=" + cursorText(`[]`), "cursor=" + cursorText(`{"s":"-created_at","i":1e30}`),
		"status=draft&user_id={other}", "status=published&category=other&featured=false&include=steps", "user_id=%00", "user_id=%FF", "user_id={other}&q=draft", "user_id=..%2F",
		"q=", "q=%00", "q=%FF", "q=a%22b%27c", "q=%2A", "q=a*+OR+b", "q=NEAR(a,b)", "q=a:b|c%26d!e", "q=<->", "q=%F0%9F%A6%8A", "q=" + strings.Repeat("a+", 250),
		"sort=-published_at&limit=3", "sort=views", "include=steps&include=steps", "api_key=x",
	} {
		f.Add(seed)
	}
	in := open(f, "")
	w := in.world(f)
	for _, name := range []string{"draft", "public", "theirs", "shown", "reader", "admin"} {
		w.get(name)
	}
	f.Fuzz(func(t *testing.T, query string) {
		w.tb = t
		query = strings.ReplaceAll(query, "{other}", w.get("other"))
		for _, c := range []struct{ path, as string }{{"/v1/stepsies", "reader"}, {"/v1/api-keys", "admin"}, {"/v1/users", "admin"}} {
			a := in.ask("GET", c.path+"?"+query, "", w.bearer(c.as))
			checkForm(t, "GET", a)
			switch a.status {
			case http.StatusBadRequest, http.StatusNotFound:
			case http.StatusOK:
				limit, _ := at(t, a.body, "meta.limit").(json.Number).Int64()
				if n := int64(len(at(t, a.body, "data").([]any))); n > limit || limit < 1 || limit > 100 {
					t.Errorf("%d items, limit %d", n, limit)
				}
				if c.as == "reader" && strings.Contains(a.body, "Their draft") {
					t.Errorf("shows another's draft: %s", a.body)
				}
			default:
				t.Errorf("GET %s?%s: %d %s", c.path, query, a.status, a.body)
			}
		}
	})
}
