// Package page is what all pages stand on: the request and who makes it, the layout and
// its parts, the words, the addresses and the assets. It knows none of the pages.
package page

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/reqlog"
	"github.com/stepsies/stepsies/internal/store"
)

// Site is what every page stands on.
type Site struct {
	Sessions  *auth.Sessions
	PublicURL string // without a slash at the end
	Now       func() time.Time
	SignUp    SignUp
	Log       *slog.Logger

	unencrypted sync.Once // has been warned of
}

// Access says who may open a page.
type Access int

// Who may open a page.
const (
	Public     Access = iota // anyone
	Entrance                 // anyone whose browser will keep the cookie that signs them in, see encrypted.go
	Impersonal               // anyone, by GET, and everyone gets the same: no cookie is looked at
	SignedIn                 // whoever is signed in
	AdminOnly                // users with the role admin
)

// Route is a page, or what a form does.
type Route struct {
	Pattern string
	Access  Access
	Handle  func(*Request) error
}

// SignUp says who may make themselves an account.
type SignUp string

// The ways to sign up.
const (
	SignUpOpen   SignUp = "open"   // anyone
	SignUpInvite SignUp = "invite" // who has an invitation
	SignUpClosed SignUp = "closed" // nobody; admins and the operator make users
)

// Serve finds out who is there, lets them in or not, and shows what went wrong.
func (s *Site) Serve(r Route) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		entry := reqlog.From(req.Context())
		entry.Route = r.Pattern[strings.IndexByte(r.Pattern, ' ')+1:]
		q := &Request{Request: req, W: w, site: s, access: r.Access, IP: entry.IP}
		defer q.recover()
		if r.Access == Impersonal {
			if err := r.Handle(q); err != nil {
				q.showError(err)
			}
			return
		}
		if r.Access == Entrance && q.unencrypted() {
			q.showEncrypted()
			return
		}
		if err := q.admit(r); err != nil {
			q.showError(err)
			return
		}
		if req.Method == http.MethodPost {
			q.readBody()
			if err := req.ParseForm(); err != nil {
				q.showError(stepsies.BadRequest("The form is too large or could not be read. Go back, shorten it and send it again."))
				return
			}
			// What let them in may have ended while the form was on its way, and a form that
			// is refused for what is in it never comes to the store, which judges writes.
			if err := q.admit(r); err != nil {
				q.showError(err)
				return
			}
		}
		if r.Access != Public && r.Access != Entrance && !q.SignedIn() {
			if err := q.askToSignIn(); err != nil {
				q.showError(err)
			}
			return
		}
		err := r.Handle(q)
		if errors.Is(err, store.ErrSignedOut) {
			err = q.askToSignIn()
		}
		if err != nil {
			q.showError(err)
		}
	}
}

// Protect sets the headers of every page and refuses forms that come from
// another site.
func (s *Site) Protect(next http.Handler) http.Handler {
	csrf := http.NewCrossOriginProtection()
	_ = csrf.AddTrustedOrigin(s.PublicURL) // an origin, or it would not have been accepted
	csrf.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := &Request{Request: r, W: w, site: s}
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
		if s.secure() {
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
