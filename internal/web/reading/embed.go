package reading

import (
	"net/http"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/web/page"
)

// embedPolicy is that of the one page which any site may show in a frame. It has no
// script and no form, so that there is nothing in it that another site could have
// somebody click on.
const embedPolicy = "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' https: data:; " +
	"form-action 'none'; base-uri 'none'; frame-ancestors *"

// Embed shows a published stepsy within a page of another site, one step at a
// time. It looks at no cookie and sets none.
func (p *Pages) Embed(q *page.Request) error {
	h := q.W.Header()
	h.Set("Content-Security-Policy", embedPolicy)
	h.Del("X-Frame-Options")
	s, present, err := p.publishedOfPath(q, "/embed")
	if stepsies.CodeOf(err) == stepsies.CodeNotFound {
		return q.Render(http.StatusNotFound, embedGone(p.PublicURL+"/"))
	}
	if err != nil || !present {
		return err
	}
	h.Set("X-Robots-Tag", "noindex") // the page itself is to be found
	b, err := q.Whole(embedded(s, p.PublicURL+page.PublicPath(s)))
	if err != nil {
		return err
	}
	return q.Answer("text/html; charset=utf-8", b)
}
