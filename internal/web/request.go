package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/reqlog"
	"github.com/stepsies/stepsies/internal/store"
)

// maxForm bounds the body of a form, which may hold a whole stepsy.
const maxForm = 4 << 20

// request is a request for a page, with who makes it.
type request struct {
	*http.Request
	w       http.ResponseWriter
	web     *Web
	access  access
	session auth.Session // zero where nobody is signed in
	ip      string
}

// signedIn reports whether someone is.
func (q *request) signedIn() bool { return q.session.ID != 0 }

// write is the actor of a change.
func (q *request) write() store.Write {
	role := stepsies.Role("")
	if q.access == adminOnly {
		role = stepsies.RoleAdmin
	}
	return q.session.Write(q.ip, role)
}

// render answers with a page. It is built whole before a byte is sent, so that a
// page is never half one.
func (q *request) render(status int, c templ.Component) error {
	h := q.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	templ.Handler(c, templ.WithStatus(status), templ.WithErrorHandler(func(_ *http.Request, err error) http.Handler {
		reqlog.From(q.Context()).Err = err
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "This page could not be shown. It has been logged.", http.StatusInternalServerError)
		})
	})).ServeHTTP(q.w, q.Request)
	return nil
}

// renderPublic answers with a page that browsers and proxies may keep, as long as
// they ask each time whether it still holds: what its author takes back is gone at
// once. Whoever is signed in gets a page of their own.
func (q *request) renderPublic(c templ.Component) error {
	b, err := q.whole(c)
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Add("Vary", "Cookie")
	if q.signedIn() || len(h["Set-Cookie"]) > 0 {
		h.Set("Cache-Control", "private, no-cache")
	}
	return q.answer("text/html; charset=utf-8", b)
}

// whole is a page before it is sent.
func (q *request) whole(c templ.Component) ([]byte, error) {
	var b bytes.Buffer
	if err := c.Render(q.Context(), &b); err != nil {
		return nil, fmt.Errorf("make a public page: %w", err)
	}
	return b.Bytes(), nil
}

// answer sends what is public, or that it has not changed since it was last asked
// for (RFC 9110 §13). Unless told otherwise, caches ask each time.
func (q *request) answer(mediaType string, body []byte) error {
	h := q.w.Header()
	h.Set("Content-Type", mediaType)
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "public, no-cache")
	}
	body = q.pack(body)
	sum := sha256.Sum256(body) // of the bytes that are sent, so that each encoding has a name of its own
	h.Set("ETag", `"`+hex.EncodeToString(sum[:12])+`"`)
	http.ServeContent(q.w, q.Request, "", time.Time{}, bytes.NewReader(body))
	return nil
}

// redirect answers a form: the browser gets the next page (RFC 9110 §15.4.4).
func (q *request) redirect(path string) error {
	http.Redirect(q.w, q.Request, path, http.StatusSeeOther)
	return nil
}

// page is what the layout needs of every page.
func (q *request) page(title, tab string) page {
	return page{Title: title, Tab: tab, User: q.session.User, Now: q.web.Now().In(locationOf(q.session.User)), Notice: q.takeNotice()}
}

// id is the id in the address, which is no page without one.
func (q *request) id() (int64, error) {
	id, err := strconv.ParseInt(q.PathValue("id"), 10, 64)
	if err != nil {
		return 0, errNoPage
	}
	return id, nil
}

// whose is the user whose things are meant: whoever is signed in where no name is given.
// Another's do not exist but for admins.
func (q *request) whose(users *store.Store, name string) (stepsies.User, error) {
	self := q.session.User
	if name == "" || strings.EqualFold(name, self.Username) {
		return self, nil
	}
	if !q.session.Access().Everyone {
		return stepsies.User{}, errNoPage
	}
	return users.User(q.Context(), name)
}

// errNoPage is for addresses where there is nothing.
var errNoPage = stepsies.NotFound("page")

// errDeadLink is for links that have been used, or whose time is over.
var errDeadLink = stepsies.Conflict("This link has been used already, or its time is over. Ask for a new one.")

// errHalfForm is for forms that lack what every one of theirs has.
var errHalfForm = stepsies.BadRequest("The form came incomplete. Go back and send it again.")

// admit finds the session. A page that is another's to see does not exist.
func (q *request) admit(r route) error {
	session, err := q.web.Sessions.Current(q.Context(), q.Request)
	if stepsies.CodeOf(err) == stepsies.CodeNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	q.session = session
	reqlog.From(q.Context()).UserID = session.User.ID
	if r.access == adminOnly && session.User.Role != stepsies.RoleAdmin {
		return errNoPage
	}
	return q.web.Sessions.Touch(q.Context(), session, q.ip)
}

// returnPath is where to go after signing in: the page that was asked for, or the
// one with the form.
func (q *request) returnPath() string {
	if q.Method == http.MethodGet {
		return q.URL.RequestURI()
	}
	return dashboardPath
}

func (q *request) recover() {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler || reqlog.Started(q.w) {
		panic(http.ErrAbortHandler)
	}
	q.showError(errors.New("panic while a page was made"))
}

// showError shows a failure as a page, and leaves the whole of it to the log
// where it is ours.
func (q *request) showError(err error) {
	code, title, sentence := stepsies.CodeOf(err), "Something went wrong", "Something went wrong on our side. It has been logged."
	if e, ok := errors.AsType[*stepsies.Error](err); ok {
		sentence = e.Message
		switch code {
		case stepsies.CodeNotFound:
			title, sentence = "There is nothing here", "The address may be mistyped, or what was here is gone or not yours to see."
		case stepsies.CodeConflict, stepsies.CodePreconditionFailed:
			title = "That cannot be done"
		case stepsies.CodeBadRequest, stepsies.CodeValidation:
			title = "That does not fit"
		case stepsies.CodeForbidden:
			title = "That is not allowed"
		case stepsies.CodeRateLimit:
			title = "Too many tries"
			q.retryAfter(e.RetryAfter)
		case stepsies.CodeUnavailable:
			title = "One moment, please"
		}
	}
	status := code.Status()
	if errors.Is(err, errDeadLink) {
		title = "This link does not work any more"
	}
	if status >= http.StatusInternalServerError {
		reqlog.From(q.Context()).Err = err
	}
	_ = q.render(status, errorPage(q.page(title, ""), title, sentence, reqlog.From(q.Context()).ID, status >= http.StatusInternalServerError))
}

// retryAfter says in how many seconds it is worth asking again (RFC 9110 §10.2.3).
func (q *request) retryAfter(seconds int64) {
	q.w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
}

// shownOf is what may be shown of an error: its sentence, without what it is wrapped in
// and without its cause.
func shownOf(err error) string {
	if e, ok := errors.AsType[*stepsies.Error](err); ok {
		return e.Message
	}
	return "Something went wrong on our side. It has been logged."
}

// fieldErrors returns what is wrong with each field of a form, nil where err is
// of another kind.
func fieldErrors(err error) map[string]string {
	e, ok := errors.AsType[*stepsies.Error](err)
	if !ok || e.Code != stepsies.CodeValidation {
		return nil
	}
	fields := map[string]string{}
	for _, p := range e.Problems {
		if fields[p.Field] == "" {
			fields[p.Field] = sentenceOf(p.Message)
		}
	}
	return fields
}

// ofThisList says in words for people what is wrong with a cursor.
func ofThisList(err error) error {
	if stepsies.CodeOf(err) == stepsies.CodeBadRequest {
		return stepsies.BadRequest("This is not a part of this list: its address is mistyped or cut off. Open the list from its beginning.")
	}
	return err
}

// sentenceOf makes a sentence of a problem that begins with its verb.
func sentenceOf(problem string) string {
	problem = strings.Replace(problem, " characters, has ", " characters; it has ", 1)
	for _, verb := range []string{"must ", "is ", "can ", "include "} {
		if strings.HasPrefix(problem, verb) {
			return "This " + problem + "."
		}
	}
	return problem
}
