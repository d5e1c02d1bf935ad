package reading

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/ratelimit"
	"github.com/stepsies/stepsies/internal/readers"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// stepsyView is a published stepsy as its readers see it.
type stepsyView struct {
	stepsies.Stepsy
	Own    bool // the reader is its author
	Rating ratingForm
	Share  templ.Component
}

// path is an address below the stepsy's: "" for its own, "follow", "rating".
func (v stepsyView) path(part string) string {
	return strings.TrimSuffix(page.PublicPath(v.Stepsy)+"/"+part, "/")
}

// readStepsy returns the stepsy that the address names, if its reader may see it.
// A draft does not exist here but for its author and admins. An address that a
// stepsy had before leads to the present one; then ok is false and all is said.
func (p *Pages) readStepsy(q *page.Request, rest string) (s stepsies.Stepsy, ok bool, err error) {
	var access stepsies.Access
	if q.SignedIn() {
		access = q.Session.Access()
	}
	s, err = p.Store.StepsyBySlug(q.Context(), q.PathValue("author"), q.PathValue("slug"), access)
	if err != nil {
		return s, false, err
	}
	if path := page.PublicPath(s) + rest; path != q.URL.EscapedPath() && q.Method != http.MethodPost {
		http.Redirect(q.W, q.Request, path, http.StatusFound) // not for ever: another stepsy may take the address
		return s, false, nil
	}
	return s, true, nil
}

// Stepsy is where everyone reads a stepsy that is published.
func (p *Pages) Stepsy(q *page.Request) error { return p.showStepsy(q, "", "", stepsyPage) }

// Follow shows one step at a time.
func (p *Pages) Follow(q *page.Request) error {
	return p.showStepsy(q, "/follow", ", step by step", followPage)
}

func (p *Pages) showStepsy(q *page.Request, rest, titleTail string, pageOf func(page.Page, stepsyView) templ.Component) error {
	s, ok, err := p.readStepsy(q, rest)
	if err != nil || !ok {
		return err
	}
	v, err := p.viewOf(q, s)
	if err != nil {
		return err
	}
	p.countView(q, s)
	about := p.pageOf(q, s, s.Title+titleTail)
	if about.Notice == page.RatedNotice && !v.Own {
		v.Rating.Notice, about.Notice = about.Notice, ""
	}
	return q.RenderPublic(pageOf(about, v))
}

func (p *Pages) pageOf(q *page.Request, s stepsies.Stepsy, title string) page.Page {
	about := q.Page(title, "")
	about.Description, about.Canonical = s.Description, p.PublicURL+page.PublicPath(s)
	about.Head = p.metadataOf(s)
	return about
}

func (p *Pages) viewOf(q *page.Request, s stepsies.Stepsy) (stepsyView, error) {
	v := stepsyView{Stepsy: s, Own: isAuthor(q, s), Share: p.shareOf(s)}
	reader, known := p.ratingReader(q)
	if !known {
		return v, nil
	}
	q.W.Header().Set("Cache-Control", "private, no-cache") // it shows what this reader said
	r, err := p.Store.RatingOf(q.Context(), s.ID, reader)
	if stepsies.CodeOf(err) == stepsies.CodeNotFound {
		return v, nil
	}
	v.Rating = ratingForm{Given: true, Stars: r.Stars, Comment: r.Comment}
	return v, err
}

func isAuthor(q *page.Request, s stepsies.Stepsy) bool {
	return q.SignedIn() && q.Session.User.ID == s.UserID
}

// countView counts that a reader opened a stepsy. HEAD opens nothing, and what its
// author or a program reads says nothing about readers.
func (p *Pages) countView(q *page.Request, s stepsies.Stepsy) {
	if q.Method == http.MethodGet {
		p.countReading(q, s, store.MarkView)
	}
}

func (p *Pages) countReading(q *page.Request, s stepsies.Stepsy, marks ...int64) {
	if s.Status != stepsies.StatusPublished || isAuthor(q, s) || readers.Bot(q.Request) {
		return
	}
	who := ratelimit.Network(q.IP) + "\n" + q.UserAgent()
	p.Readers.Note(q.Context(), s.ID, who, marks...)
}

// Reached is told by the script of the page how far a reader has come: "step" is
// the id of a step that was reached, "done" says that it was the last one.
func (p *Pages) Reached(q *page.Request) error {
	s, ok, err := p.readStepsy(q, "/reached")
	if err != nil || !ok {
		return err
	}
	if v := p.reached.Take(q.Context(), q.IP); !v.Allowed {
		return stepsies.TooManyRequests(v.RetryAfter)
	}
	var marks []int64
	if text := q.PostFormValue("step"); text != "" {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil || !hasStep(s, id) {
			return stepsies.Invalid("step", "must be the id of a step of this stepsy")
		}
		marks = append(marks, id)
	}
	if q.PostFormValue("done") != "" {
		marks = append(marks, store.MarkCompletion)
	}
	p.countReading(q, s, marks...)
	q.W.WriteHeader(http.StatusNoContent)
	return nil
}

func hasStep(s stepsies.Stepsy, id int64) bool {
	for _, step := range s.Steps {
		if step.ID == id {
			return true
		}
	}
	return false
}

// Finish is the button at the end of the last step, for browsers without a
// script.
func (p *Pages) Finish(q *page.Request) error {
	s, ok, err := p.readStepsy(q, "/finish")
	if err != nil || !ok {
		return err
	}
	if v := p.reached.Take(q.Context(), q.IP); !v.Allowed {
		return stepsies.TooManyRequests(v.RetryAfter)
	}
	p.countReading(q, s, store.MarkCompletion)
	return q.Redirect(page.PublicPath(s) + "/follow#done")
}
