package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/richtext"
)

const stepsiesAt = "/dashboard/stepsies"

// stepsyAt is an address of a stepsy in the dashboard.
func stepsyAt(s stepsies.Stepsy, act string) string {
	return strings.TrimSuffix(fmt.Sprintf("%s/%d/%s", stepsiesAt, s.ID, act), "/")
}

// newStepsy makes a stepsy beside the pages; steps are titles with content behind them.
func (h *keyHouse) newStepsy(t *testing.T, author stepsies.User, title string, steps ...string) stepsies.Stepsy {
	t.Helper()
	var list []stepsies.StepChange
	for i := 0; i < len(steps); i += 2 {
		list = append(list, stepsies.StepChange{Title: steps[i], Content: richtext.Sanitise(steps[i+1])})
	}
	out, err := h.Store().CreateStepsy(t.Context(), operator, author.Username, stepsies.StepsyChange{Title: &title, Steps: &list})
	if err != nil {
		t.Fatal(err)
	}
	return out.Value
}

// stored reads a stepsy beside the pages.
func (h *keyHouse) stored(t *testing.T, s stepsies.Stepsy) stepsies.Stepsy {
	t.Helper()
	found, err := h.Store().Stepsy(context.WithoutCancel(t.Context()), s.ID, stepsies.Access{Everyone: true})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// change changes a stepsy beside the pages, as a program would.
func (h *keyHouse) change(t *testing.T, s stepsies.Stepsy, want stepsies.StepsyChange) stepsies.Stepsy {
	t.Helper()
	out, err := h.Store().UpdateStepsy(t.Context(), operator, s.ID, want)
	if err != nil {
		t.Fatal(err)
	}
	return out.Value
}

// outline is a stepsy in a line: its steps' ids and titles.
func outline(s stepsies.Stepsy) string {
	var parts []string
	for _, step := range s.Steps {
		parts = append(parts, fmt.Sprintf("%d %s", step.ID, step.Title))
	}
	return strings.Join(parts, ", ")
}

// formOn reads the form with that action from a page, as a browser without scripts
// would send it: every control in its order, but for buttons.
func formOn(t *testing.T, page shown, action string) url.Values {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page.body))
	if err != nil {
		t.Fatal(err)
	}
	form := findNode(root, func(n *html.Node) bool { return n.DataAtom == atom.Form && attr(n, "action") == action })
	if form == nil {
		t.Fatalf("there is no form for %s on the page:\n%s", action, page.text())
	}
	values := url.Values{}
	for n := range form.Descendants() {
		name := attr(n, "name")
		switch {
		case name == "" || n.DataAtom == atom.Button:
		case n.DataAtom == atom.Textarea:
			values.Add(name, strings.ReplaceAll(textOf(n), "\n", "\r\n"))
		case n.DataAtom == atom.Select:
			if chosen := findNode(n, func(o *html.Node) bool { return o.DataAtom == atom.Option && hasAttr(o, "selected") }); chosen != nil {
				values.Add(name, attr(chosen, "value"))
			} else {
				values.Add(name, attr(findNode(n, func(o *html.Node) bool { return o.DataAtom == atom.Option }), "value"))
			}
		case attr(n, "type") == "checkbox" && !hasAttr(n, "checked"):
		default:
			values.Add(name, attr(n, "value"))
		}
	}
	return values
}

func findNode(n *html.Node, is func(*html.Node) bool) *html.Node {
	for d := range n.Descendants() {
		if is(d) {
			return d
		}
	}
	return nil
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func hasAttr(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

// postMultipart sends a form as multipart/form-data, pressing a button.
func (p *person) postMultipart(t *testing.T, path string, form url.Values, button string) shown {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, values := range form {
		for _, value := range values {
			if err := w.WriteField(name, value); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.WriteField("do", button); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return p.sendBody(t, path, w.FormDataContentType(), body.String())
}

// edit opens the editor of a stepsy, changes its form and presses a button.
func (p *person) edit(t *testing.T, s stepsies.Stepsy, button string, change func(url.Values)) shown {
	t.Helper()
	page := p.get(t, stepsyAt(s, ""))
	wantStatus(t, page, http.StatusOK)
	form := formOn(t, page, stepsyAt(s, ""))
	if change != nil {
		change(form)
	}
	return p.postMultipart(t, stepsyAt(s, ""), form, button)
}

// save sends what the editor's script would.
func (p *person) save(t *testing.T, s stepsies.Stepsy, body any) (int, saved) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	got := p.sendBody(t, stepsyAt(s, "save"), "application/json", string(text))
	var answer saved
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil {
		t.Fatalf("%d %s: %v", got.status, got.body, err)
	}
	return got.status, answer
}

// saved is what the editor's script is told.
type saved struct {
	Version  int64
	Slug     string
	Steps    []int64
	Error    string
	Problems map[string]string
}

// typedStep and typedStepsy are what the editor's script sends.
type typedStep struct {
	ID      int64  `json:"id"`
	Title   string `json:"title"`
	Content string `json:"content"`
}

type typedStepsy struct {
	Version  int64       `json:"version"`
	Title    string      `json:"title"`
	Category string      `json:"category"`
	Slug     string      `json:"slug"`
	Steps    []typedStep `json:"steps"`
	Quiet    bool        `json:"quiet"`
}

func typedOf(s stepsies.Stepsy) typedStepsy {
	typed := typedStepsy{Version: s.Version, Title: s.Title, Category: s.Category, Slug: s.Slug, Steps: []typedStep{}}
	for _, step := range s.Steps {
		typed.Steps = append(typed.Steps, typedStep{step.ID, step.Title, step.Content.HTML()})
	}
	return typed
}

func (p *person) sendBody(t *testing.T, path, contentType, body string) shown {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://stepsies.test"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if p.cookie != nil {
		r.AddCookie(p.cookie)
	}
	w := httptest.NewRecorder()
	p.h.Handler().ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.Name == "stepsies_notice" && c.MaxAge >= 0 {
			p.notice = c
		}
	}
	return shown{w.Code, w.Header(), w.Header().Get("Location"), w.Body.String()}
}
