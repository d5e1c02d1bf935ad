// Package docs is the documentation of an installation: Markdown pages with the
// installation's address filled in, and the reference that is made of its OpenAPI
// document. Markdown is the one form everything is written in; HTML is made of it.
package docs

import (
	"embed"
	"fmt"
	"regexp"
	"strings"
)

//go:embed pages/*.md
var files embed.FS

// Root is where the documentation begins.
const Root = "/docs"

// contents lists the pages in reading order. The reference stands where its file
// does, with a page behind it for each group of operations.
var contents = []struct {
	group string
	name  string // of the file, and of the page in its address; "" is the first page
}{
	{"Start", ""},
	{"Start", "authentication"},
	{"Start", "rate-limits"},
	{"The API", "reference"},
	{"The API", "errors"},
	{"The API", "pagination"},
	{"The API", "idempotency"},
	{"The API", "content"},
	{"The API", "versions"},
	{"In practice", "recipes"},
	{"In practice", "go"},
	{"In practice", "command-line"},
	{"In practice", "share-and-embed"},
	{"In practice", "assistants"},
	{"In practice", "self-hosting"},
}

// Page is a page of the documentation.
type Page struct {
	Path     string // its address, /docs/errors; with .md behind it the Markdown
	Group    string // of the contents
	Title    string
	Summary  string // a sentence, in Markdown without links
	Markdown string // as it is served
	Source   string // Markdown with what its HTML and its tests need to know beside it
	Sections []Section
	html     [2]string // for readers who are signed out, and in
}

// Section is a second-level heading of a page.
type Section struct{ ID, Title string }

// HTML is the body of the page, from its first heading on. Whoever is signed in is
// led to making a key directly.
func (p *Page) HTML(signedIn bool) string {
	if signedIn {
		return p.html[1]
	}
	return p.html[0]
}

// Book is the documentation of one installation.
type Book struct {
	Pages  []*Page
	base   string
	byPath map[string]*Page
}

// New writes the documentation of the installation at the public URL, which has no
// slash at its end. The reference says what the OpenAPI document says.
func New(publicURL string, openAPI []byte) (*Book, error) {
	api, err := parseDocument(openAPI)
	if err != nil {
		return nil, err
	}
	b := &Book{base: publicURL, byPath: map[string]*Page{}}
	f := filler{base: publicURL, api: api}
	for _, c := range contents {
		text, err := f.page(c.name)
		if err != nil {
			return nil, err
		}
		if err := b.add(c.group, c.name, text); err != nil {
			return nil, err
		}
		if c.name != "reference" {
			continue
		}
		for _, t := range api.Tags {
			if err := b.add(c.group, "reference/"+slug(t.Name), api.tagPage(t)); err != nil {
				return nil, err
			}
		}
	}
	return b, nil
}

func (b *Book) add(group, name, text string) error {
	p := &Page{Path: strings.TrimSuffix(Root+"/"+name, "/"), Group: group, Source: text, Markdown: plain(text)}
	if err := p.render(); err != nil {
		return fmt.Errorf("page %s of the documentation: %w", p.Path, err)
	}
	b.Pages = append(b.Pages, p)
	b.byPath[p.Path] = p
	return nil
}

// Marks of the source of a page: what a test is told behind the language of code, names
// of headings, and where an operation answers.
var (
	codeMark      = regexp.MustCompile("(?m)^(```[a-z]+) .*$")
	headingMark   = regexp.MustCompile(`(?m)^(#+ .*) \{#[a-z0-9_-]+\}$`)
	operationMark = regexp.MustCompile("(?m)^```operation\n(.*)\n(?:scope: (.*)\n)?```$")
)

// plain is the source of a page without its marks, as people and programs read it.
func plain(source string) string {
	text := codeMark.ReplaceAllString(source, "$1")
	text = headingMark.ReplaceAllString(text, "$1")
	return operationMark.ReplaceAllStringFunc(text, func(block string) string {
		m := operationMark.FindStringSubmatch(block)
		if m[2] == "" {
			return "`" + m[1] + "`, without a key"
		}
		return "`" + m[1] + "`, with the scope `" + m[2] + "`"
	})
}

// Page returns the page at an address, nil where there is none.
func (b *Book) Page(path string) *Page { return b.byPath[path] }

// Around returns the pages before and behind one, nil at the ends.
func (b *Book) Around(p *Page) (before, behind *Page) {
	for i, other := range b.Pages {
		if other != p {
			continue
		}
		if i > 0 {
			before = b.Pages[i-1]
		}
		if i+1 < len(b.Pages) {
			behind = b.Pages[i+1]
		}
	}
	return before, behind
}

// LLMs is the list of all pages in the form of llms.txt (llmstxt.org), for programs
// that read documentation.
func (b *Book) LLMs() string {
	var t strings.Builder
	first := b.Pages[0]
	fmt.Fprintf(&t, "# Stepsies\n\n> %s\n\n", first.Summary)
	fmt.Fprintf(&t, "The API answers under %s/v1. Every request carries an API key: `Authorization: Bearer sk_…`. The OpenAPI document is at %[1]s/openapi.json.\n", b.base)
	group := ""
	for _, p := range b.Pages {
		if p.Group != group {
			group = p.Group
			fmt.Fprintf(&t, "\n## %s\n\n", group)
		}
		fmt.Fprintf(&t, "- [%s](%s%s.md): %s\n", p.Title, b.base, p.Path, p.Summary)
	}
	return t.String()
}
