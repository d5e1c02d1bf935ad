package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
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

// MaxForm bounds the body of a form, which may hold a whole stepsy.
const MaxForm = 4 << 20

// Request is a request for a page, with who makes it.
type Request struct {
	*http.Request
	W       http.ResponseWriter
	site    *Site
	access  Access
	Session auth.Session // zero where nobody is signed in
	IP      string
}

// SignedIn reports whether someone is.
func (q *Request) SignedIn() bool { return q.Session.ID != 0 }

// Write is the actor of a change.
func (q *Request) Write() store.Write {
	role := stepsies.Role("")
	if q.access == AdminOnly {
		role = stepsies.RoleAdmin
	}
	return q.Session.Write(q.IP, role)
}

// Render answers with a page. It is built whole before a byte is sent, so that a
// page is never half one.
func (q *Request) Render(status int, c templ.Component) error {
	h := q.W.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	templ.Handler(c, templ.WithStatus(status), templ.WithErrorHandler(func(_ *http.Request, err error) http.Handler {
		reqlog.From(q.Context()).Err = err
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "This page could not be shown. It has been logged.", http.StatusInternalServerError)
		})
	})).ServeHTTP(q.W, q.Request)
	return nil
}

// RenderPublic answers with a page that browsers and proxies may keep, as long as
// they ask each time whether it still holds: what its author takes back is gone at
// once. Whoever is signed in gets a page of their own.
func (q *Request) RenderPublic(c templ.Component) error {
	b, err := q.Whole(c)
	if err != nil {
		return err
	}
	h := q.W.Header()
	h.Add("Vary", "Cookie")
	if q.SignedIn() || len(h["Set-Cookie"]) > 0 {
		h.Set("Cache-Control", "private, no-cache")
	}
	return q.Answer("text/html; charset=utf-8", b)
}

// Whole is a page before it is sent.
func (q *Request) Whole(c templ.Component) ([]byte, error) {
	var b bytes.Buffer
	if err := c.Render(q.Context(), &b); err != nil {
		return nil, fmt.Errorf("make a public page: %w", err)
	}
	return b.Bytes(), nil
}

// Answer sends what is public, or that it has not changed since it was last asked
// for (RFC 9110 §13). Unless told otherwise, caches ask each time.
func (q *Request) Answer(mediaType string, body []byte) error {
	h := q.W.Header()
	h.Set("Content-Type", mediaType)
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "public, no-cache")
	}
	body = q.pack(body)
	sum := sha256.Sum256(body) // of the bytes that are sent, so that each encoding has a name of its own
	h.Set("ETag", `"`+hex.EncodeToString(sum[:12])+`"`)
	http.ServeContent(q.W, q.Request, "", time.Time{}, bytes.NewReader(body))
	return nil
}

// Redirect answers a form: the browser gets the next page (RFC 9110 §15.4.4).
func (q *Request) Redirect(path string) error {
	http.Redirect(q.W, q.Request, path, http.StatusSeeOther)
	return nil
}

// Page is what the layout needs of every page.
func (q *Request) Page(title, tab string) Page {
	return Page{Title: title, Tab: tab, User: q.Session.User, Now: q.site.Now().In(locationOf(q.Session.User)), Notice: q.takeNotice()}
}

// ID is the id in the address, which is no page without one.
func (q *Request) ID() (int64, error) {
	id, err := strconv.ParseInt(q.PathValue("id"), 10, 64)
	if err != nil {
		return 0, ErrNoPage
	}
	return id, nil
}

// Whose is the user whose things are meant: whoever is signed in where no name is given.
// Another's do not exist but for admins.
func (q *Request) Whose(users *store.Store, name string) (stepsies.User, error) {
	self := q.Session.User
	if name == "" || strings.EqualFold(name, self.Username) {
		return self, nil
	}
	if !q.Session.Access().Everyone {
		return stepsies.User{}, ErrNoPage
	}
	return users.User(q.Context(), name)
}

// ErrNoPage is for addresses where there is nothing.
var ErrNoPage = stepsies.NotFound("page")

// ErrDeadLink is for links that have been used, or whose time is over.
var ErrDeadLink = stepsies.Conflict("This link has been used already, or its time is over. Ask for a new one.")

// ErrHalfForm is for forms that lack what every one of theirs has.
var ErrHalfForm = stepsies.BadRequest("The form came incomplete. Go back and send it again.")

// readBody has the whole body arrive before anything is decided, however it is encoded.
// One that is too large or breaks off fails where it is read again.
func (q *Request) readBody() {
	b, err := io.ReadAll(http.MaxBytesReader(q.W, q.Body, MaxForm))
	rest := io.Reader(http.NoBody)
	if err != nil {
		rest = failing{err}
	}
	q.Body = io.NopCloser(io.MultiReader(bytes.NewReader(b), rest))
}

// failing is what is read of a body behind what arrived of it.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// admit finds the session, as it is now. A page that is another's to see does not exist.
func (q *Request) admit(r Route) error {
	q.Session = auth.Session{}
	session, err := q.site.Sessions.Current(q.Context(), q.Request)
	if stepsies.CodeOf(err) == stepsies.CodeNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	q.Session = session
	reqlog.From(q.Context()).UserID = session.User.ID
	if r.Access == AdminOnly && session.User.Role != stepsies.RoleAdmin {
		return ErrNoPage
	}
	return q.site.Sessions.Touch(q.Context(), session, q.IP)
}

// returnPath is where to go after signing in: the page that was asked for, or the
// one with the form.
func (q *Request) returnPath() string {
	if q.Method == http.MethodGet {
		return q.URL.RequestURI()
	}
	return DashboardPath
}

func (q *Request) recover() {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler || reqlog.Started(q.W) {
		panic(http.ErrAbortHandler)
	}
	q.showError(errors.New("panic while a page was made"))
}

// showError shows a failure as a page, and leaves the whole of it to the log
// where it is ours.
func (q *Request) showError(err error) {
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
			q.RetryAfter(e.RetryAfter)
		case stepsies.CodeUnavailable:
			title = "One moment, please"
		}
	}
	status := code.Status()
	if errors.Is(err, ErrDeadLink) {
		title = "This link does not work any more"
	}
	if status >= http.StatusInternalServerError {
		reqlog.From(q.Context()).Err = err
	}
	_ = q.Render(status, ErrorPage(q.Page(title, ""), title, sentence, reqlog.From(q.Context()).ID, status >= http.StatusInternalServerError))
}

// RetryAfter says in how many seconds it is worth asking again (RFC 9110 §10.2.3).
func (q *Request) RetryAfter(seconds int64) {
	q.W.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
}

// Shown is what may be shown of an error: its sentence, without what it is wrapped in
// and without its cause.
func Shown(err error) string {
	if e, ok := errors.AsType[*stepsies.Error](err); ok {
		return e.Message
	}
	return "Something went wrong on our side. It has been logged."
}

// FieldErrors returns what is wrong with each field of a form, nil where err is
// of another kind.
func FieldErrors(err error) map[string]string {
	e, ok := errors.AsType[*stepsies.Error](err)
	if !ok || e.Code != stepsies.CodeValidation {
		return nil
	}
	fields := map[string]string{}
	for _, p := range e.Problems {
		if fields[p.Field] == "" {
			fields[p.Field] = Sentence(p.Message)
		}
	}
	return fields
}

// OfThisList says in words for people what is wrong with a cursor.
func OfThisList(err error) error {
	if stepsies.CodeOf(err) == stepsies.CodeBadRequest {
		return stepsies.BadRequest("This is not a part of this list: its address is mistyped or cut off. Open the list from its beginning.")
	}
	return err
}

// Sentence makes a sentence of a problem that begins with its verb.
func Sentence(problem string) string {
	problem = strings.Replace(problem, " characters, has ", " characters; it has ", 1)
	for _, verb := range []string{"must ", "is ", "can ", "include "} {
		if strings.HasPrefix(problem, verb) {
			return "This " + problem + "."
		}
	}
	return problem
}
