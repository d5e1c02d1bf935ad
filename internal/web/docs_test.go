package web_test

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// openAPI is the document of the API, as it is kept beside it.
func openAPI(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../api/testdata/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// docsLooks are all pages of the documentation.
func docsLooks() []look {
	looks := []look{{name: "docs", route: "GET /docs", path: "/docs", as: []viewer{nobody, member}}}
	for _, page := range []string{
		"authentication", "rate-limits", "reference", "reference/stepsies", "reference/profile", "reference/api-keys", "reference/users",
		"errors", "pagination", "idempotency", "content", "versions", "recipes", "go", "command-line", "share-and-embed", "assistants", "self-hosting",
	} {
		looks = append(looks, look{name: "docs-" + strings.ReplaceAll(page, "/", "-"), route: "GET /docs/{page...}", path: "/docs/" + page, as: []viewer{nobody}})
	}
	looks[1].as = []viewer{nobody, member}
	return looks
}

func TestEveryPageOfTheDocumentationIsLookedAt(t *testing.T) {
	t.Parallel()
	var looked []string
	for _, l := range docsLooks() {
		looked = append(looked, l.path)
	}
	if pages := docsPaths(t, openHouse(t, nil).browser()); !slices.Equal(pages, looked) {
		t.Errorf("the pages are %q, those looked at %q", pages, looked)
	}
}

var listedPage = regexp.MustCompile(`\]\(http://stepsies\.test(/docs[a-z/-]*)\.md\)`)

// docsPaths are the pages that llms.txt lists.
func docsPaths(t *testing.T, b *browser) []string {
	t.Helper()
	list := b.get(t, "/llms.txt")
	if list.status != http.StatusOK || list.header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Fatalf("llms.txt answers %d as %s", list.status, list.header.Get("Content-Type"))
	}
	var paths []string
	for _, m := range listedPage.FindAllStringSubmatch(list.body, -1) {
		paths = append(paths, m[1])
	}
	if len(paths) < 12 {
		t.Fatalf("only these pages are listed: %q", paths)
	}
	return paths
}

// maxDocsPage is how large a page of the documentation may be, in bytes.
const maxDocsPage = 150_000

func TestDocumentationIsReadAsPageAndAsMarkdown(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	b := h.browser()
	for _, path := range docsPaths(t, b) {
		page, text := b.get(t, path), b.get(t, path+".md")
		if page.status != http.StatusOK || len(page.body) > maxDocsPage {
			t.Errorf("%s answers %d with %d bytes", path, page.status, len(page.body))
		}
		title, _, _ := strings.Cut(strings.TrimPrefix(text.body, "# "), "\n")
		if !strings.Contains(page.body, "<h1>"+title+"</h1>") || !strings.Contains(page.body, `href="`+path+`.md"`) {
			t.Errorf("%s and its Markdown say different things, or it does not lead there", path)
		}
		if text.status != http.StatusOK || text.header.Get("Content-Type") != "text/markdown; charset=utf-8" || !strings.HasPrefix(text.body, "# ") {
			t.Errorf("%s.md answers %d as %s", path, text.status, text.header.Get("Content-Type"))
		}
		if strings.Count(page.body, `aria-current="page"`) != 2 { // in the contents, and in those of a phone
			t.Errorf("%s is not marked in the contents", path)
		}
		if found := dangers(t, page.body); len(found) > 0 {
			t.Errorf("%s holds %q", path, found)
		}
	}
	for _, path := range []string{"/docs/nothing", "/docs/nothing.md", "/docs/authentication.html", "/docs/pages/index.md"} {
		if got := b.get(t, path); got.status != http.StatusNotFound {
			t.Errorf("%s answers %d", path, got.status)
		}
	}
	if got := b.get(t, "/docs/errors/"); got.status != http.StatusMovedPermanently || got.location != "/docs/errors" {
		t.Errorf("a slash too many is answered by %d to %q", got.status, got.location)
	}
}

func TestDocumentationShowsTheInstallationsAddress(t *testing.T) {
	t.Parallel()
	b := openHouse(t, nil).browser()
	for _, path := range []string{"/docs/authentication", "/docs/authentication.md", "/docs/reference/stepsies", "/docs/go.md"} {
		if page := b.get(t, path); !strings.Contains(page.body, "http://stepsies.test") || strings.Contains(page.body, "api.stepsies.com") {
			t.Errorf("%s shows another address", path)
		}
	}
}

// TestPagesTurnInOrder walks from the first page to the last and back.
func TestPagesTurnInOrder(t *testing.T) {
	t.Parallel()
	b := openHouse(t, nil).browser()
	paths := docsPaths(t, b)
	turn := func(rel, path string) string {
		m := regexp.MustCompile(`<a rel="` + rel + `" href="([^"]+)"`).FindStringSubmatch(b.get(t, path).body)
		if m == nil {
			return ""
		}
		return m[1]
	}
	for i, path := range paths {
		before, behind := "", ""
		if i > 0 {
			before = paths[i-1]
		}
		if i+1 < len(paths) {
			behind = paths[i+1]
		}
		if got := turn("prev", path); got != before {
			t.Errorf("before %s comes %q, want %q", path, got, before)
		}
		if got := turn("next", path); got != behind {
			t.Errorf("behind %s comes %q, want %q", path, got, behind)
		}
	}
}

func TestDocumentationKnowsWhoIsSignedIn(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "sarah", "member")
	const direct, by = `<a href="/dashboard/developer/new">Create an API Key</a>`, `<a href="/sign-in?next=%2Fdashboard%2Fdeveloper%2Fnew">Sign in to create an API key</a>`
	if page := h.browser().get(t, "/docs/authentication"); strings.Contains(page.body, direct) || !strings.Contains(page.body, by) {
		t.Error("who is signed out is not asked to sign in")
	}
	if page := h.signedIn(t, "sarah").get(t, "/docs/authentication"); !strings.Contains(page.body, direct) || strings.Contains(page.body, by) {
		t.Error("who is signed in is not led to making a key")
	}
}

// TestEveryPageLeadsToTheDocumentation looks at the header.
func TestEveryPageLeadsToTheDocumentation(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "sarah", "member")
	for path, b := range map[string]*browser{"/sign-in": h.browser(), "/dashboard/developer": h.signedIn(t, "sarah"), "/docs/errors": h.browser()} {
		if !strings.Contains(b.get(t, path).body, `<a href="/docs">Docs</a>`) {
			t.Errorf("%s does not lead to the documentation", path)
		}
	}
}
