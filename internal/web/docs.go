package web

import (
	"net/http"
	"strings"

	"github.com/stepsies/stepsies/internal/web/docs"
)

// docsView is a page of the documentation with what stands around it.
type docsView struct {
	Book           *docs.Book
	Page           *docs.Page
	HTML           string
	Before, Behind *docs.Page // nil at the ends
}

// docsPage shows a page of the documentation, or its Markdown at the same address
// with .md behind it.
func (web *Web) docsPage(q *request) error {
	book, err := web.book()
	if err != nil {
		return err
	}
	if bare := strings.TrimRight(q.URL.Path, "/"); bare != q.URL.Path {
		http.Redirect(q.w, q.Request, bare, http.StatusMovedPermanently)
		return nil
	}
	path, markdown := strings.CutSuffix(q.URL.Path, ".md")
	shown := book.Page(path)
	switch {
	case shown == nil:
		return errNoPage
	case markdown:
		return q.text("text/markdown; charset=utf-8", shown.Markdown)
	}
	v := docsView{Book: book, Page: shown, HTML: shown.HTML(q.signedIn())}
	v.Before, v.Behind = book.Around(shown)
	return q.renderPublic(docsPage(q.page(shown.Title, ""), v))
}

// llms lists the documentation for programs that read it (llmstxt.org).
func (web *Web) llms(q *request) error {
	book, err := web.book()
	if err != nil {
		return err
	}
	return q.text("text/plain; charset=utf-8", book.LLMs())
}

// text answers with a text that is the same for everyone.
func (q *request) text(mediaType, text string) error {
	q.w.Header().Set("Cache-Control", "public, max-age=300")
	return q.answer(mediaType, []byte(text))
}

// docsGroup is a part of the contents.
type docsGroup struct {
	Name  string
	Pages []*docs.Page
}

// groups divides the contents into their parts.
func (v docsView) groups() []docsGroup {
	var list []docsGroup
	for _, p := range v.Book.Pages {
		if len(list) == 0 || list[len(list)-1].Name != p.Group {
			list = append(list, docsGroup{Name: p.Group})
		}
		last := &list[len(list)-1]
		last.Pages = append(last.Pages, p)
	}
	return list
}

// sections are those that the contents show below the present page: none where
// other pages stand there.
func (v docsView) sections() []docs.Section {
	if len(v.Page.Sections) < 2 || v.Behind != nil && within(v.Behind) && !within(v.Page) {
		return nil
	}
	return v.Page.Sections
}

// within reports whether a page stands below another in the contents.
func within(p *docs.Page) bool { return strings.Count(p.Path, "/") > 2 }
