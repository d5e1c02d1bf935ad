// Package web is what people see: the dashboard and the pages around signing in.
// Pages are complete HTML that works without JavaScript; scripts only add to it.
package web

import (
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/ratelimit"
	"github.com/stepsies/stepsies/internal/readers"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/docs"
)

// Config is what the pages stand on.
type Config struct {
	Store     *store.Store
	Sessions  *auth.Sessions
	PublicURL string // without a slash at the end
	Limiter   Limiter
	Shared    *ratelimit.Redis // shares the limits of sign-ins between nodes; nil: each has its own
	Readers   *readers.Counter // counts what readers do
	Mail      Mailer           // nil: no e-mail is sent
	SignUp    SignUp
	OpenAPI   []byte // the document of the API, in JSON; the reference is made of it
	Now       func() time.Time
	Log       *slog.Logger
	// StepsyJSON writes a stepsy that was read with its steps as the API does.
	StepsyJSON func(stepsies.Stepsy) ([]byte, error)
}

// Web is the handler of all pages.
type Web struct {
	Config
	attempts attempts
	reading  *ratelimit.AddressLimiter // of what pages tell about reading
	ratings  *ratelimit.AddressLimiter
	searches *ratelimit.AddressLimiter
	// verifications bounds how often a user has the same e-mail sent again.
	verifications *ratelimit.AddressLimiter
	sending       chan struct{} // bounds the e-mails on their way
	files         *files
	book          func() (*docs.Book, error)
	mux           *http.ServeMux
	authors       *http.ServeMux // the routes that begin with an "@", see serveAuthors
	handler       http.Handler
	parts         sitemapParts
}

// New returns the pages.
func New(c Config) *Web {
	web := &Web{Config: c, attempts: newAttempts(c.Shared, c.Now), sending: make(chan struct{}, maxSending), files: newFiles(), mux: http.NewServeMux(), authors: http.NewServeMux()}
	web.book = sync.OnceValues(func() (*docs.Book, error) { return docs.New(c.PublicURL, c.OpenAPI) })
	web.reading, web.ratings = newReadingLimits(c.Shared, c.Now)
	web.searches = newSearchLimit(c.Now)
	web.verifications = ratelimit.NewAddressLimiter(ratelimit.AddressConfig{Name: "verification", Limit: verificationsPerUser, Window: verificationWindow, Shared: c.Shared, Now: c.Now})
	for _, r := range web.routes() {
		web.handle(r)
	}
	web.mux.HandleFunc("GET /assets/", serveAsset)
	web.mux.HandleFunc("/", web.serveAuthors)
	web.handler = web.protect(web.mux)
	return web
}

// routes lists every page and every form, in reading order.
func (web *Web) routes() []route {
	return []route{
		{"GET /{$}", public, web.front},
		{"GET /newest", public, web.newestPage},
		{"GET /best-rated", public, web.bestRatedPage},
		{"GET /completed-lately", public, web.latelyPage},
		{"GET /categories/{category}", public, web.categoryPage},
		{"GET /search", public, web.searchPage},
		{"GET /@{author}", public, web.authorPage},
		{"GET /@{author}/feed.atom", impersonal, web.authorFeed},
		{"GET /feed.atom", impersonal, web.siteFeed},
		{"GET /sitemap.xml", impersonal, web.sitemapIndex},
		{"GET /sitemaps/{part}", impersonal, web.sitemapPart},
		{"GET /robots.txt", impersonal, web.robots},
		{"GET /favicon.ico", impersonal, web.icon},
		{"GET /@{author}/{slug}", public, web.publicStepsy},
		{"GET /@{author}/{slug}/follow", public, web.followStepsy},
		{"POST /@{author}/{slug}/reached", public, web.reached},
		{"POST /@{author}/{slug}/finish", public, web.finishStepsy},
		{"POST /@{author}/{slug}/rating", public, web.rateStepsy},
		{"GET /@{author}/{slug}.md", impersonal, web.stepsyMarkdown},
		{"GET /@{author}/{slug}.json", impersonal, web.stepsyJSON},
		{"GET /@{author}/{slug}/embed", impersonal, web.embedPage},
		{"GET /oembed", impersonal, web.oEmbedAnswer},
		{"GET /preview/{token}", public, web.sharedDraft},

		{"GET /docs", public, web.docsPage},
		{"GET /docs.md", public, web.docsPage},
		{"GET /docs/{page...}", public, web.docsPage},
		{"GET /llms.txt", public, web.llms},
		{"GET /sign-in", public, web.signInPage},
		{"POST /sign-in", public, web.signIn},
		{"POST /sign-out", signedIn, web.signOut},

		{"GET /welcome/{token}", public, web.welcomePage},
		{"POST /welcome/{token}", public, web.welcome},
		{"GET /sign-up", public, web.signUpPage},
		{"POST /sign-up", public, web.signUp},
		{"GET /sign-up/{token}", public, web.signUpLinkPage},
		{"POST /sign-up/{token}", public, web.signUpByAddress},
		{"GET /invitation/{token}", public, web.invitationPage},
		{"POST /invitation/{token}", public, web.invitation},
		{"GET /verify-email/{token}", public, web.verifyEmailPage},
		{"POST /verify-email/{token}", public, web.verifyEmail},
		{"GET /forgot-password", public, web.forgotPasswordPage},
		{"POST /forgot-password", public, web.forgotPassword},
		{"GET /reset-password/{token}", public, web.resetPasswordPage},
		{"POST /reset-password/{token}", public, web.resetPassword},

		{"GET /dashboard", signedIn, web.overviewPage},

		{"GET /dashboard/developer", signedIn, web.developerPage},
		{"POST /dashboard/developer", signedIn, web.createKey},
		{"GET /dashboard/developer/new", signedIn, web.newKeyPage},
		{"GET /dashboard/developer/keys/{id}", signedIn, web.keyPage},
		{"GET /dashboard/developer/keys/{id}/edit", signedIn, web.editKeyPage},
		{"POST /dashboard/developer/keys/{id}/edit", signedIn, web.editKey},
		{"GET /dashboard/developer/keys/{id}/rotate", signedIn, web.rotateKeyPage},
		{"POST /dashboard/developer/keys/{id}/rotate", signedIn, web.rotateKey},
		{"GET /dashboard/developer/keys/{id}/revoke", signedIn, web.revokeKeyPage},
		{"POST /dashboard/developer/keys/{id}/revoke", signedIn, web.revokeKey},

		{"GET /dashboard/stepsies", signedIn, web.stepsiesPage},
		{"POST /dashboard/stepsies", signedIn, web.createStepsy},
		{"GET /dashboard/stepsies/new", signedIn, web.newStepsyPage},
		{"GET /dashboard/stepsies/{id}", signedIn, web.editorPage},
		{"POST /dashboard/stepsies/{id}", signedIn, web.editStepsy},
		{"POST /dashboard/stepsies/{id}/save", signedIn, web.saveStepsy},
		{"GET /dashboard/stepsies/{id}/preview", signedIn, web.previewPage},
		{"POST /dashboard/stepsies/{id}/preview-link", signedIn, web.makePreviewLink},
		{"POST /dashboard/stepsies/{id}/preview-link/end", signedIn, web.endPreviewLink},
		{"GET /dashboard/stepsies/{id}/readers", signedIn, web.readersPage},
		{"POST /dashboard/stepsies/{id}/publish", signedIn, web.publishStepsy},
		{"POST /dashboard/stepsies/{id}/unpublish", signedIn, web.unpublishStepsy},
		{"POST /dashboard/stepsies/{id}/duplicate", signedIn, web.duplicateStepsy},
		{"GET /dashboard/stepsies/{id}/delete", signedIn, web.deleteStepsyPage},
		{"POST /dashboard/stepsies/{id}/delete", signedIn, web.deleteStepsy},
		{"POST /dashboard/stepsies/{id}/restore", signedIn, web.restoreStepsy},
		{"GET /dashboard/trash", signedIn, web.trashPage},

		{"GET /dashboard/activity", signedIn, web.activityPage},

		{"GET /dashboard/profile", signedIn, web.profilePage},
		{"POST /dashboard/profile", signedIn, web.editProfile},
		{"POST /dashboard/profile/email", signedIn, web.changeEmail},
		{"POST /dashboard/profile/email/end", signedIn, web.endEmailChange},
		{"POST /dashboard/profile/verify-email", signedIn, web.verifyAgain},
		{"POST /dashboard/profile/password", signedIn, web.changePassword},
		{"POST /dashboard/profile/sessions/{id}/end", signedIn, web.endSession},
		{"POST /dashboard/profile/sessions/end-all", signedIn, web.endSessions},

		{"GET /dashboard/users", adminOnly, web.usersPage},
		{"POST /dashboard/users", adminOnly, web.createUser},
		{"GET /dashboard/users/new", adminOnly, web.newUserPage},
		{"GET /dashboard/users/invite", adminOnly, web.invitePage},
		{"POST /dashboard/users/invite", adminOnly, web.invite},
		{"POST /dashboard/users/invitations/{id}/end", adminOnly, web.endInvitation},
		{"GET /dashboard/users/{user}", adminOnly, web.userPage},
		{"POST /dashboard/users/{user}", adminOnly, web.editUser},
		{"POST /dashboard/users/{user}/password-link", adminOnly, web.makePasswordLink},
		{"GET /dashboard/users/{user}/suspend", adminOnly, web.suspendUserPage},
		{"POST /dashboard/users/{user}/suspend", adminOnly, web.suspendUser},
		{"POST /dashboard/users/{user}/unsuspend", adminOnly, web.unsuspendUser},
		{"GET /dashboard/users/{user}/delete", adminOnly, web.deleteUserPage},
		{"POST /dashboard/users/{user}/delete", adminOnly, web.deleteUser},
	}
}

// ServeHTTP answers a request.
func (web *Web) ServeHTTP(w http.ResponseWriter, r *http.Request) { web.handler.ServeHTTP(w, r) }
