package web

import (
	"net/http"

	"github.com/stepsies/stepsies"
)

// embedPolicy is that of the one page which any site may show in a frame. It has no
// script and no form, so that there is nothing in it that another site could have
// somebody click on.
const embedPolicy = "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' https: data:; " +
	"form-action 'none'; base-uri 'none'; frame-ancestors *"

// embedPage shows a published stepsy within a page of another site, one step at a
// time. It looks at no cookie and sets none.
func (web *Web) embedPage(q *request) error {
	h := q.w.Header()
	h.Set("Content-Security-Policy", embedPolicy)
	h.Del("X-Frame-Options")
	s, present, err := q.publishedOfPath("/embed")
	if stepsies.CodeOf(err) == stepsies.CodeNotFound {
		return q.render(http.StatusNotFound, embedGone(web.PublicURL+"/"))
	}
	if err != nil || !present {
		return err
	}
	h.Set("X-Robots-Tag", "noindex") // the page itself is to be found
	b, err := q.whole(embedded(s, web.PublicURL+publicPath(s)))
	if err != nil {
		return err
	}
	return q.answer("text/html; charset=utf-8", b)
}
