package web

import (
	"fmt"
	"net/http"

	"github.com/stepsies/stepsies"
)

// publishedOfPath is the stepsy that the address of one of its other forms names, as
// a stranger sees it. Where that is not the form's present address, it redirects there
// and reports false.
func (q *request) publishedOfPath(form string) (stepsies.Stepsy, bool, error) {
	s, err := q.web.Store.StepsyBySlug(q.Context(), q.PathValue("author"), q.PathValue("slug"), stepsies.Access{})
	if err != nil {
		return s, false, err
	}
	if path := publicPath(s) + form; path != q.URL.EscapedPath() {
		http.Redirect(q.w, q.Request, path, http.StatusFound) // not for ever: another stepsy may take the address
		return s, false, nil
	}
	return s, true, nil
}

// forEveryOrigin lets scripts of other sites read an answer. Nobody's session has any
// part in it, so that they learn nothing that they could not fetch themselves.
func (q *request) forEveryOrigin() { q.w.Header().Set("Access-Control-Allow-Origin", "*") }

// stepsyMarkdown is a published stepsy as the file that `stepsies pull` writes.
func (web *Web) stepsyMarkdown(q *request) error {
	s, present, err := q.publishedOfPath(".md")
	if err != nil || !present {
		return err
	}
	text, err := web.files.of(q.Context(), s)
	if err != nil {
		return fmt.Errorf("write stepsy %d as Markdown: %w", s.ID, err)
	}
	q.forEveryOrigin()
	return q.answer("text/markdown; charset=utf-8", text)
}

// stepsyJSON is a published stepsy as the API shows it.
func (web *Web) stepsyJSON(q *request) error {
	s, present, err := q.publishedOfPath(".json")
	if err != nil || !present {
		return err
	}
	text, err := web.StepsyJSON(s)
	if err != nil {
		return fmt.Errorf("write stepsy %d as JSON: %w", s.ID, err)
	}
	q.forEveryOrigin()
	return q.answer("application/json", text)
}
