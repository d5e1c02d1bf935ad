package docs

import (
	"net/http"
	"strings"
	"sync"

	"github.com/stepsies/stepsies/internal/web/page"
)

// Pages are those of the documentation.
type Pages struct {
	*page.Site
	book func() (*Book, error) // made by the first who asks for it
}

// NewPages returns the pages of a book about the installation. The document of the API
// is in JSON; the reference is made of it.
func NewPages(site *page.Site, openAPI []byte) *Pages {
	return &Pages{Site: site, book: sync.OnceValues(func() (*Book, error) { return New(site.PublicURL, openAPI) })}
}

// view is a page of the documentation with what stands around it.
type view struct {
	Book           *Book
	Page           *Page
	HTML           string
	Before, Behind *Page // nil at the ends
}

// Page shows a page of the documentation, or its Markdown at the same address
// with .md behind it.
func (p *Pages) Page(q *page.Request) error {
	book, err := p.book()
	if err != nil {
		return err
	}
	if bare := strings.TrimRight(q.URL.Path, "/"); bare != q.URL.Path {
		http.Redirect(q.W, q.Request, bare, http.StatusMovedPermanently)
		return nil
	}
	path, markdown := strings.CutSuffix(q.URL.Path, ".md")
	shown := book.Page(path)
	switch {
	case shown == nil:
		return page.ErrNoPage
	case markdown:
		return answerText(q, "text/markdown; charset=utf-8", shown.Markdown)
	}
	v := view{Book: book, Page: shown, HTML: shown.HTML(q.SignedIn())}
	v.Before, v.Behind = book.Around(shown)
	return q.RenderPublic(bookPage(q.Page(shown.Title, ""), v))
}

// LLMs lists the documentation for programs that read it (llmstxt.org).
func (p *Pages) LLMs(q *page.Request) error {
	book, err := p.book()
	if err != nil {
		return err
	}
	return answerText(q, "text/plain; charset=utf-8", book.LLMs())
}

// answerText answers with a text that is the same for everyone.
func answerText(q *page.Request, mediaType, text string) error {
	q.W.Header().Set("Cache-Control", "public, max-age=300")
	return q.Answer(mediaType, []byte(text))
}

// group is a part of the contents.
type group struct {
	Name  string
	Pages []*Page
}

// groups divides the contents into their parts.
func (v view) groups() []group {
	var list []group
	for _, p := range v.Book.Pages {
		if len(list) == 0 || list[len(list)-1].Name != p.Group {
			list = append(list, group{Name: p.Group})
		}
		last := &list[len(list)-1]
		last.Pages = append(last.Pages, p)
	}
	return list
}

// sections are those that the contents show below the present page: none where
// other pages stand there.
func (v view) sections() []Section {
	if len(v.Page.Sections) < 2 || v.Behind != nil && within(v.Behind) && !within(v.Page) {
		return nil
	}
	return v.Page.Sections
}

// within reports whether a page stands below another in the contents.
func within(p *Page) bool { return strings.Count(p.Path, "/") > 2 }
