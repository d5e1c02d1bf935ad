package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/ratelimit"
	"github.com/stepsies/stepsies/internal/readers"
	"github.com/stepsies/stepsies/internal/store"
)

// publicStepsyView is a published stepsy as its readers see it.
type publicStepsyView struct {
	stepsies.Stepsy
	Own    bool // the reader is its author
	Rating ratingForm
	Share  templ.Component
}

// path is an address below the stepsy's: "" for its own, "follow", "rating".
func (v publicStepsyView) path(part string) string {
	return strings.TrimSuffix(publicPath(v.Stepsy)+"/"+part, "/")
}

// readStepsy returns the stepsy that the address names, if its reader may see it.
// A draft does not exist here but for its author and admins. An address that a
// stepsy had before leads to the present one; then ok is false and all is said.
func (q *request) readStepsy(rest string) (s stepsies.Stepsy, ok bool, err error) {
	var access stepsies.Access
	if q.signedIn() {
		access = q.session.Access()
	}
	s, err = q.web.Store.StepsyBySlug(q.Context(), q.PathValue("author"), q.PathValue("slug"), access)
	if err != nil {
		return s, false, err
	}
	if path := publicPath(s) + rest; path != q.URL.EscapedPath() && q.Method != http.MethodPost {
		http.Redirect(q.w, q.Request, path, http.StatusFound) // not for ever: another stepsy may take the address
		return s, false, nil
	}
	return s, true, nil
}

// publicStepsy is where everyone reads a stepsy that is published.
func (web *Web) publicStepsy(q *request) error { return q.showStepsy("", "", publicStepsyPage) }

// followStepsy shows one step at a time.
func (web *Web) followStepsy(q *request) error {
	return q.showStepsy("/follow", ", step by step", followPage)
}

func (q *request) showStepsy(rest, titleTail string, pageOf func(page, publicStepsyView) templ.Component) error {
	s, ok, err := q.readStepsy(rest)
	if err != nil || !ok {
		return err
	}
	v, err := q.publicView(s)
	if err != nil {
		return err
	}
	q.countView(s)
	about := q.publicPage(s, s.Title+titleTail)
	if about.Notice == ratedNotice && !v.Own {
		v.Rating.Notice, about.Notice = about.Notice, ""
	}
	return q.renderPublic(pageOf(about, v))
}

func (q *request) publicPage(s stepsies.Stepsy, title string) page {
	about := q.page(title, "")
	about.Description, about.Canonical = s.Description, q.web.PublicURL+publicPath(s)
	about.Head = q.web.metadataOf(s)
	return about
}

func (q *request) publicView(s stepsies.Stepsy) (publicStepsyView, error) {
	v := publicStepsyView{Stepsy: s, Own: q.isAuthor(s), Share: q.web.shareOf(s)}
	reader, known := q.ratingReader()
	if !known {
		return v, nil
	}
	q.w.Header().Set("Cache-Control", "private, no-cache") // it shows what this reader said
	r, err := q.web.Store.RatingOf(q.Context(), s.ID, reader)
	if stepsies.CodeOf(err) == stepsies.CodeNotFound {
		return v, nil
	}
	v.Rating = ratingForm{Given: true, Stars: r.Stars, Comment: r.Comment}
	return v, err
}

func (q *request) isAuthor(s stepsies.Stepsy) bool {
	return q.signedIn() && q.session.User.ID == s.UserID
}

// countView counts that a reader opened a stepsy. HEAD opens nothing, and what its
// author or a program reads says nothing about readers.
func (q *request) countView(s stepsies.Stepsy) {
	if q.Method == http.MethodGet {
		q.countReading(s, store.MarkView)
	}
}

func (q *request) countReading(s stepsies.Stepsy, marks ...int64) {
	if s.Status != stepsies.StatusPublished || q.isAuthor(s) || readers.Bot(q.Request) {
		return
	}
	who := ratelimit.Network(q.ip) + "\n" + q.UserAgent()
	q.web.Readers.Note(q.Context(), s.ID, who, marks...)
}

// reached is told by the script of the page how far a reader has come: "step" is
// the id of a step that was reached, "done" says that it was the last one.
func (web *Web) reached(q *request) error {
	s, ok, err := q.readStepsy("/reached")
	if err != nil || !ok {
		return err
	}
	if v := web.reading.Take(q.Context(), q.ip); !v.Allowed {
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
	q.countReading(s, marks...)
	q.w.WriteHeader(http.StatusNoContent)
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

// finishStepsy is the button at the end of the last step, for browsers without a
// script.
func (web *Web) finishStepsy(q *request) error {
	s, ok, err := q.readStepsy("/finish")
	if err != nil || !ok {
		return err
	}
	if v := web.reading.Take(q.Context(), q.ip); !v.Allowed {
		return stepsies.TooManyRequests(v.RetryAfter)
	}
	q.countReading(s, store.MarkCompletion)
	return q.redirect(publicPath(s) + "/follow#done")
}
