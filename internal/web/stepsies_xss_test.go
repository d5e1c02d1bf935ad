package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/stepsies/stepsies"
)

// contents would run, or break out of where they stand, if any page showed a step's
// content without sanitising it.
var contents = []string{
	`<img src=x onerror=alert(1)>`, `<svg><script>alert(1)</script></svg>`, `<a href="javascript:alert(1)">x</a>`, `<iframe src="https://evil.example"></iframe>`,
	`</textarea><script>alert(1)</script>`, `<p style="background:url(//evil.example)">x</p>`, `<math><mtext></p><style><img src=x onerror=alert(1)></style>`,
	`<form action="/sign-out"><button>x</button></form>`, `<input name="do" value="publish">`, `<a href="//evil.example">x</a>`, `--><script>alert(1)</script>`,
}

func TestStepsyTextNeverBecomesMarkup(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah, boss := h.signIn(t, h.sarah), h.signIn(t, h.admin)
	for _, payload := range append(payloads, contents...) {
		s := h.newStepsy(t, h.sarah, "before", "Mix", "<p>x</p>")
		typed := func(f url.Values) {
			f.Set("title", payload)
			f.Set("description", payload)
			f["step_title"][0], f["step_content"][0] = payload, payload
		}
		bad := sarah.edit(t, s, "save", func(f url.Values) { typed(f); f.Set("slug", payload); f.Set("category", payload) })
		pages := []shown{
			bad, sarah.edit(t, s, "preview", typed), sarah.edit(t, s, "compare", typed), sarah.edit(t, s, "up-0", typed),
			sarah.submit(t, stepsiesAt+"/new", stepsiesAt, url.Values{"title": {payload}, "description": {payload}, "category": {payload}}),
			sarah.get(t, stepsiesAt+"?q="+url.QueryEscape(payload)), sarah.get(t, stepsiesAt+"?user="+url.QueryEscape(payload)),
		}
		got := sarah.edit(t, s, "save", typed)
		wantStatus(t, got, http.StatusSeeOther)
		pages = append(pages, sarah.get(t, got.location), sarah.get(t, stepsiesAt), boss.get(t, stepsiesAt+"?user=sarah"),
			sarah.get(t, stepsyAt(s, "preview")), boss.get(t, stepsyAt(s, "")), sarah.get(t, stepsyAt(s, "delete")))
		pages = append(pages, sarah.get(t, sarah.submit(t, stepsyAt(s, ""), stepsyAt(s, "duplicate"), nil).location))
		wantStatus(t, sarah.post(t, stepsyAt(s, "publish"), nil), http.StatusSeeOther)
		pages = append(pages, sarah.get(t, stepsyAt(s, "preview")), sarah.get(t, stepsyAt(s, "delete")))
		sarah.post(t, stepsyAt(s, "delete"), nil)
		pages = append(pages, sarah.get(t, stepsiesAt), sarah.get(t, "/dashboard/trash"), boss.get(t, "/dashboard/trash?user=sarah"))
		for _, page := range pages {
			wantOwnMarkup(t, page, payload)
		}
	}
}

// wantOwnMarkup fails where a page holds more markup than our own.
func wantOwnMarkup(t *testing.T, page shown, payload string) {
	t.Helper()
	if page.status >= 500 {
		t.Errorf("%q: the page answers %d", payload, page.status)
	}
	root, err := html.Parse(strings.NewReader(page.body))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if found := foreignMarkup(n); found != "" {
			t.Errorf("%q: the page has %s", payload, found)
		}
	}
	if csp := page.header.Get("Content-Security-Policy"); page.status == http.StatusOK && !strings.Contains(csp, "script-src 'self'") {
		t.Errorf("the policy is %q", csp)
	}
}

// foreignMarkup names what runs, loads or leads somewhere in an element as a browser
// reads it, unless our pages have that themselves.
func foreignMarkup(n *html.Node) string {
	switch n.Data {
	case "iframe", "object", "embed", "base", "style", "math":
		return n.Data
	case "script":
		if !strings.HasPrefix(attr(n, "src"), "/assets/") || n.FirstChild != nil {
			return "a script of its own"
		}
	case "form":
		if action := attr(n, "action"); action != "/sign-out" && !strings.HasPrefix(action, "/dashboard/") {
			return "a form for " + action
		}
	}
	if n.Type == html.CommentNode {
		return "a comment"
	}
	for _, a := range n.Attr {
		inside := strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "//") || strings.HasPrefix(a.Val, "#") || strings.HasPrefix(a.Val, "?")
		switch {
		case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "srcdoc", a.Key == "formaction",
			a.Key == "href" && !inside, a.Key == "src" && !strings.HasPrefix(a.Val, "/assets/"):
			return a.Key + "=" + a.Val
		}
	}
	return ""
}

// TestCheckOfMarkupFindsWhatItLooksFor guards the tests around it.
func TestCheckOfMarkupFindsWhatItLooksFor(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`<script>alert(1)</script>`, `<p onclick="x">`, `<iframe></iframe>`, `<a href="javascript:x">`, `<a href="//evil.example">`, `<img src="x">`,
		`<p style="x">`, `<form action="https://evil.example">`, `<!-- x -->`, `<style></style>`, `<svg onload=x>`,
	} {
		root, err := html.Parse(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		found := ""
		for n := range root.Descendants() {
			found += foreignMarkup(n)
		}
		if found == "" {
			t.Errorf("%s is let through", text)
		}
	}
}

func TestAuthorNamesNeverBecomeMarkup(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>x</p>")
	for _, payload := range payloads {
		if _, err := h.Store().UpdateUser(t.Context(), operator, "sarah", stepsies.UserChange{DisplayName: &payload}); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{stepsyAt(s, "preview"), stepsyAt(s, ""), stepsiesAt} {
			wantOwnMarkup(t, sarah.get(t, path), payload)
		}
	}
}
