package web

import (
	"net/http"

	"github.com/stepsies/stepsies"
)

// publicStepsy is where everyone reads a stepsy that is published. A draft does
// not exist here but for its author and admins, and an address that a stepsy had
// before leads to the present one.
func (web *Web) publicStepsy(q *request) error {
	var access stepsies.Access
	if q.signedIn() {
		access = q.session.Access()
	}
	s, err := web.Store.StepsyBySlug(q.Context(), q.PathValue("author"), q.PathValue("slug"), access)
	if err != nil {
		return err
	}
	if path := publicPath(s); path != q.URL.EscapedPath() {
		http.Redirect(q.w, q.Request, path, http.StatusFound) // not for ever: another stepsy may take the address
		return nil
	}
	p := q.page(s.Title, "")
	p.Description, p.Canonical = s.Description, web.PublicURL+publicPath(s)
	p.Head = web.metadataOf(s)
	return q.renderPublic(publicStepsyPage(p, s, web.shareOf(s)))
}
