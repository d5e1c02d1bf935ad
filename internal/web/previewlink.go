package web

import (
	"net/http"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
)

// previewLink is the address at which a draft is shown to whoever has it.
type previewLink struct {
	MadeAt  time.Time // zero: there is none
	Address string    // only in the answer to making it: its hash alone is stored
}

// makePreviewLink answers with the link, the only time that anybody sees it.
func (web *Web) makePreviewLink(q *request) error {
	s, err := q.stepsyOfPath()
	if err != nil {
		return err
	}
	token, hash := auth.NewToken()
	if err := web.Store.MakePreviewLink(q.Context(), q.write(), s.ID, hash); err != nil {
		return err
	}
	return q.showPreview(s, previewLink{MadeAt: web.Now(), Address: web.PublicURL + previewPath + token})
}

// endPreviewLink takes a draft back from whoever has its link.
func (web *Web) endPreviewLink(q *request) error {
	s, err := q.stepsyOfPath()
	if err != nil {
		return err
	}
	if err := web.Store.EndPreviewLink(q.Context(), q.write(), s.ID); err != nil {
		return err
	}
	q.notice("The preview link has ended. Whoever opens it finds nothing.")
	return q.redirect(stepsyPath(s, "preview"))
}

// showPreview shows a stepsy to its author as its readers will see it.
func (q *request) showPreview(s stepsies.Stepsy, link previewLink) error {
	v := q.actionOn(s)
	v.Link = link
	return q.render(http.StatusOK, stepsyPreview(q.page("Preview of "+s.Title, "Stepsies"), v))
}

// sharedDraft shows a draft to whoever has its preview link. The address is a secret:
// it is told to no other site, kept by no cache and no search engine. Reading a draft
// counts for nothing.
func (web *Web) sharedDraft(q *request) error {
	h := q.w.Header()
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex, nofollow, noarchive")
	h.Set("Cache-Control", "no-store")
	hash, ok := auth.ParseToken(q.PathValue("token"))
	if !ok {
		return errNoPage
	}
	s, err := web.Store.StepsyByPreviewLink(q.Context(), hash)
	if err != nil {
		return err
	}
	if s.Status == stepsies.StatusPublished {
		return q.redirect(publicPath(s))
	}
	about := q.page(s.Title, "")
	about.Head = hiddenFromSearch()
	return q.render(http.StatusOK, sharedDraftPage(about, s))
}
