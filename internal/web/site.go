package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/reqlog"
	"github.com/stepsies/stepsies/internal/store"
)

// access says who may open a page.
type access int

const (
	public     access = iota // anyone
	impersonal               // anyone, by GET, and everyone gets the same: no cookie is looked at
	signedIn                 // whoever is signed in
	adminOnly                // users with the role admin
)

// route is a page, or what a form does.
type route struct {
	pattern string
	access  access
	handle  func(*request) error
}

// SignUp says who may make themselves an account.
type SignUp string

// The ways to sign up.
const (
	SignUpOpen   SignUp = "open"   // anyone
	SignUpInvite SignUp = "invite" // who has an invitation
	SignUpClosed SignUp = "closed" // nobody; admins and the operator make users
)

// serve finds out who is there, lets them in or not, and shows what went wrong.
func (web *Web) serve(r route) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		entry := reqlog.From(req.Context())
		entry.Route = r.pattern[strings.IndexByte(r.pattern, ' ')+1:]
		q := &request{Request: req, w: w, web: web, access: r.access, ip: entry.IP}
		defer q.recover()
		if r.access == impersonal {
			if err := r.handle(q); err != nil {
				q.showError(err)
			}
			return
		}
		if err := q.admit(r); err != nil {
			q.showError(err)
			return
		}
		if req.Method == http.MethodPost {
			req.Body = http.MaxBytesReader(w, req.Body, maxForm)
			if err := req.ParseForm(); err != nil {
				q.showError(stepsies.BadRequest("The form is too large or could not be read. Go back, shorten it and send it again."))
				return
			}
		}
		if r.access != public && !q.signedIn() {
			if err := q.askToSignIn(); err != nil {
				q.showError(err)
			}
			return
		}
		err := r.handle(q)
		if errors.Is(err, store.ErrSignedOut) {
			err = q.askToSignIn()
		}
		if err != nil {
			q.showError(err)
		}
	}
}

// protect sets the headers of every page and refuses forms that come from
// another site.
func (web *Web) protect(next http.Handler) http.Handler {
	csrf := http.NewCrossOriginProtection()
	_ = csrf.AddTrustedOrigin(web.PublicURL) // an origin, or it would not have been accepted
	csrf.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := &request{Request: r, w: w, web: web}
		q.showError(errForeignForm)
	}))
	guarded := csrf.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentSecurityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		if web.secure() {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		guarded.ServeHTTP(w, r)
	})
}

// contentSecurityPolicy lets a page load its own files and authors' images, and
// nothing else (CSP Level 3). There is no inline script or style anywhere.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; " +
	"img-src 'self' https: data:; connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// errForeignForm refuses what a page of another site sends in someone's name.
var errForeignForm = &stepsies.Error{Code: stepsies.CodeForbidden, Message: "This form was sent from another site, so nothing was done. Open the page here and send it again."}
