package docs_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// TestEveryLinkLeadsSomewhere follows each link of each page, to the anchor.
func TestEveryLinkLeadsSomewhere(t *testing.T) {
	t.Parallel()
	book := newBook(t)
	ids := map[string][]string{}
	for _, p := range book.Pages {
		for n := range parsed(t, p.HTML(false)).Descendants() {
			if id := attribute(n, "id"); id != "" {
				if slices.Contains(ids[p.Path], id) {
					t.Errorf("%s has two elements %q", p.Path, id)
				}
				ids[p.Path] = append(ids[p.Path], id)
			}
		}
	}
	elsewhere := []string{"/dashboard", "/dashboard/developer/new", "/sign-in?next=%2Fdashboard%2Fdeveloper%2Fnew", "/openapi.json", "/openapi.yaml", "/llms.txt"}
	links := 0
	for _, p := range book.Pages {
		for n := range parsed(t, p.HTML(false)).Descendants() {
			if n.Type != html.ElementNode || n.Data != "a" {
				continue
			}
			links++
			target, anchor, _ := strings.Cut(attribute(n, "href"), "#")
			if target == "" {
				target = p.Path
			}
			if slices.Contains(elsewhere, target) && anchor == "" {
				continue
			}
			if book.Page(target) == nil || anchor != "" && !slices.Contains(ids[target], anchor) {
				t.Errorf("%s leads to %s, which is nowhere", p.Path, attribute(n, "href"))
			}
		}
		for _, s := range p.Sections {
			if !slices.Contains(ids[p.Path], s.ID) || s.Title == "" {
				t.Errorf("%s lists a section %q that it does not have", p.Path, s.ID)
			}
		}
	}
	if links < 100 {
		t.Errorf("there are only %d links", links)
	}
}

// TestPagesAreWellFormed parses every page strictly: what is opened is closed, in
// order, headings leave out no level, code and tables can be reached by keyboard.
func TestPagesAreWellFormed(t *testing.T) {
	t.Parallel()
	void := []string{"input", "br", "hr", "img"}
	for _, p := range newBook(t).Pages {
		var open []string
		level := 0
		z := html.NewTokenizer(strings.NewReader(p.HTML(true)))
		for z.Next() != html.ErrorToken {
			token := z.Token()
			switch token.Type {
			case html.StartTagToken:
				if slices.Contains(void, token.Data) {
					continue
				}
				open = append(open, token.Data)
				if len(token.Data) == 2 && token.Data[0] == 'h' && token.Data[1] >= '1' && token.Data[1] <= '6' {
					next := int(token.Data[1] - '0')
					if next > level+1 {
						t.Errorf("%s: a heading of level %d follows one of %d", p.Path, next, level)
					}
					level = next
				}
				if (token.Data == "pre" || token.Data == "div" && hasClass(token, "scroll")) && !has(token, "tabindex", "0") {
					t.Errorf("%s: a %s scrolls and cannot be reached by keyboard", p.Path, token.Data)
				}
				for _, a := range token.Attr {
					if a.Key == "style" || a.Key == "align" || strings.HasPrefix(a.Key, "on") {
						t.Errorf("%s: %s has %s", p.Path, token.Data, a.Key)
					}
				}
			case html.EndTagToken:
				if len(open) == 0 || open[len(open)-1] != token.Data {
					t.Fatalf("%s: </%s> where %q is open", p.Path, token.Data, open)
				}
				open = open[:len(open)-1]
			}
		}
		if len(open) > 0 {
			t.Errorf("%s leaves %q open", p.Path, open)
		}
		for n := range parsed(t, p.HTML(true)).Descendants() {
			if n.Type == html.ElementNode && n.Data == "th" && n.FirstChild == nil {
				t.Errorf("%s: a column has no name", p.Path)
			}
			if n.Type == html.ElementNode && n.Data == "label" && !strings.Contains(p.HTML(true), `id="`+attribute(n, "for")+`"`) {
				t.Errorf("%s: a label is for nothing", p.Path)
			}
		}
	}
}

func parsed(t *testing.T, text string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(token html.Token, name, value string) bool {
	return slices.ContainsFunc(token.Attr, func(a html.Attribute) bool { return a.Key == name && a.Val == value })
}

func hasClass(token html.Token, class string) bool {
	return slices.ContainsFunc(token.Attr, func(a html.Attribute) bool {
		return a.Key == "class" && slices.Contains(strings.Fields(a.Val), class)
	})
}

// TestTablesTakeTheRoomThatTheyNeed on a phone, where what has no room scrolls.
func TestTablesTakeTheRoomThatTheyNeed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ path, name, class string }{
		{"/docs/rate-limits", "Plans", "scroll short"},
		{"/docs/idempotency", "How it works", "scroll"},
		{"/docs/errors", "All codes", "scroll wide"},
	} {
		if want := `<div class="` + c.class + `" tabindex="0" role="group" aria-label="Table: ` + c.name + `">`; !strings.Contains(page(t, c.path).HTML(false), want) {
			t.Errorf("%s has no %s", c.path, want)
		}
	}
}
