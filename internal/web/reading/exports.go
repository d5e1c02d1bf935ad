package reading

import (
	"fmt"
	"net/http"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/web/page"
)

// publishedOfPath is the stepsy that the address of one of its other forms names, as
// a stranger sees it. Where that is not the form's present address, it redirects there
// and reports false.
func (p *Pages) publishedOfPath(q *page.Request, form string) (stepsies.Stepsy, bool, error) {
	s, err := p.Store.StepsyBySlug(q.Context(), q.PathValue("author"), q.PathValue("slug"), stepsies.Access{})
	if err != nil {
		return s, false, err
	}
	if path := page.PublicPath(s) + form; path != q.URL.EscapedPath() {
		http.Redirect(q.W, q.Request, path, http.StatusFound) // not for ever: another stepsy may take the address
		return s, false, nil
	}
	return s, true, nil
}

// forEveryOrigin lets scripts of other sites read an answer. Nobody's session has any
// part in it, so that they learn nothing that they could not fetch themselves.
func forEveryOrigin(q *page.Request) { q.W.Header().Set("Access-Control-Allow-Origin", "*") }

// Markdown is a published stepsy as the file that `stepsies pull` writes.
func (p *Pages) Markdown(q *page.Request) error {
	s, present, err := p.publishedOfPath(q, ".md")
	if err != nil || !present {
		return err
	}
	text, err := p.files.of(q.Context(), s)
	if err != nil {
		return fmt.Errorf("write stepsy %d as Markdown: %w", s.ID, err)
	}
	forEveryOrigin(q)
	return q.Answer("text/markdown; charset=utf-8", text)
}

// JSON is a published stepsy as the API shows it.
func (p *Pages) JSON(q *page.Request) error {
	s, present, err := p.publishedOfPath(q, ".json")
	if err != nil || !present {
		return err
	}
	text, err := p.StepsyJSON(s)
	if err != nil {
		return fmt.Errorf("write stepsy %d as JSON: %w", s.ID, err)
	}
	forEveryOrigin(q)
	return q.Answer("application/json", text)
}
