package web

import (
	"net/http"
	"strings"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/reqlog"
)

// elsewhere answers what no route of the table does: the pages of authors, whose
// addresses begin with "@" in the middle of a segment, which the mux cannot match.
func (web *Web) elsewhere(q *request) error {
	author, slug, ok := strings.Cut(strings.TrimPrefix(q.URL.Path, "/@"), "/")
	if !strings.HasPrefix(q.URL.Path, "/@") || !ok || q.Method != http.MethodGet && q.Method != http.MethodHead {
		return errNoPage
	}
	reqlog.From(q.Context()).Route = "/@{username}/{slug}"
	return web.publicStepsy(q, author, slug)
}

// publicStepsy is where everyone reads a stepsy that is published. A draft does
// not exist here but for its author and admins, and an address that a stepsy had
// before leads to the present one.
func (web *Web) publicStepsy(q *request, author, slug string) error {
	var access stepsies.Access
	if q.signedIn() {
		access = q.session.Access()
	}
	s, err := web.Store.StepsyBySlug(q.Context(), author, slug, access)
	if err != nil {
		return err
	}
	if path := publicPath(s); path != q.URL.EscapedPath() {
		http.Redirect(q.w, q.Request, path, http.StatusFound) // not for ever: another stepsy may take the address
		return nil
	}
	return q.render(http.StatusOK, publicStepsyPage(q.page(s.Title, ""), s))
}
