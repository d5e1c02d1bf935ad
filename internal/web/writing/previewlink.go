package writing

import (
	"net/http"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/web/page"
)

// previewLink is the address at which a draft is shown to whoever has it.
type previewLink struct {
	MadeAt  time.Time // zero: there is none
	Address string    // only in the answer to making it: its hash alone is stored
}

// MakePreviewLink answers with the link, the only time that anybody sees it.
func (p *Pages) MakePreviewLink(q *page.Request) error {
	s, err := p.stepsyOfPath(q)
	if err != nil {
		return err
	}
	token, hash := auth.NewToken()
	if err := p.Store.MakePreviewLink(q.Context(), q.Write(), s.ID, hash); err != nil {
		return err
	}
	return showPreview(q, s, previewLink{MadeAt: p.Now(), Address: p.PublicURL + page.PreviewPath + token})
}

// EndPreviewLink takes a draft back from whoever has its link.
func (p *Pages) EndPreviewLink(q *page.Request) error {
	s, err := p.stepsyOfPath(q)
	if err != nil {
		return err
	}
	if err := p.Store.EndPreviewLink(q.Context(), q.Write(), s.ID); err != nil {
		return err
	}
	q.Notice("The preview link has ended. Whoever opens it finds nothing.")
	return q.Redirect(page.StepsyPath(s, "preview"))
}

// showPreview shows a stepsy to its author as its readers will see it.
func showPreview(q *page.Request, s stepsies.Stepsy, link previewLink) error {
	v := actionOn(q, s)
	v.Link = link
	return q.Render(http.StatusOK, stepsyPreview(q.Page("Preview of "+s.Title, "Stepsies"), v))
}

// SharedDraft shows a draft to whoever has its preview link. The address is a secret:
// it is told to no other site, kept by no cache and no search engine. Reading a draft
// counts for nothing.
func (p *Pages) SharedDraft(q *page.Request) error {
	h := q.W.Header()
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex, nofollow, noarchive")
	h.Set("Cache-Control", "no-store")
	hash, ok := auth.ParseToken(q.PathValue("token"))
	if !ok {
		return page.ErrNoPage
	}
	s, err := p.Store.StepsyByPreviewLink(q.Context(), hash)
	if err != nil {
		return err
	}
	if s.Status == stepsies.StatusPublished {
		return q.Redirect(page.PublicPath(s))
	}
	about := q.Page(s.Title, "")
	about.Head = hiddenFromSearch()
	return q.Render(http.StatusOK, sharedDraftPage(about, s))
}
