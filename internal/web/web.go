// Package web is what people see: the dashboard and the pages around signing in.
// Pages are complete HTML that works without JavaScript; scripts only add to it.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/mail"
	"github.com/stepsies/stepsies/internal/ratelimit"
	"github.com/stepsies/stepsies/internal/readers"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/docs"
	"github.com/stepsies/stepsies/internal/web/keys"
	"github.com/stepsies/stepsies/internal/web/overview"
	"github.com/stepsies/stepsies/internal/web/page"
	"github.com/stepsies/stepsies/internal/web/reading"
	"github.com/stepsies/stepsies/internal/web/users"
	"github.com/stepsies/stepsies/internal/web/writing"
)

// What the rooms declare and who makes a Web has to name.
type (
	// Limiter tells how an account stands.
	Limiter = page.Limiter
	// SignUp says who may make themselves an account.
	SignUp = page.SignUp
)

// The ways to sign up.
const (
	SignUpOpen   = page.SignUpOpen
	SignUpInvite = page.SignUpInvite
	SignUpClosed = page.SignUpClosed
)

// Config is what the pages stand on.
type Config struct {
	Store     *store.Store
	Sessions  *auth.Sessions
	PublicURL string // without a slash at the end
	Limiter   Limiter
	Shared    *ratelimit.Redis // shares the limits of sign-ins between nodes; nil: each has its own
	Readers   *readers.Counter // counts what readers do
	Mail      *mail.Mailer     // nil: no e-mail is sent
	SignUp    SignUp
	OpenAPI   []byte // the document of the API, in JSON; the reference is made of it
	Now       func() time.Time
	Log       *slog.Logger
	// StepsyJSON writes a stepsy that was read with its steps as the API does.
	StepsyJSON func(stepsies.Stepsy) ([]byte, error)
}

// Web is the handler of all pages.
type Web struct {
	*page.Site
	reading  *reading.Pages
	writing  *writing.Pages
	keys     *keys.Pages
	users    *users.Pages
	overview *overview.Pages
	docs     *docs.Pages

	mux     *http.ServeMux
	authors *http.ServeMux // the routes that begin with an "@", see serveAuthors
	handler http.Handler
}

// New returns the pages.
func New(c Config) *Web {
	site := &page.Site{Sessions: c.Sessions, PublicURL: c.PublicURL, Now: c.Now, SignUp: c.SignUp, Log: c.Log}
	web := &Web{
		Site:    site,
		reading: reading.New(site, c.Store, c.Shared, c.Readers, c.StepsyJSON),
		writing: &writing.Pages{Site: site, Store: c.Store},
		keys:    &keys.Pages{Site: site, Store: c.Store, Limiter: c.Limiter},
		users:   users.New(site, c.Store, c.Shared, c.Mail, c.Log),
		docs:    docs.NewPages(site, c.OpenAPI),
		mux:     http.NewServeMux(), authors: http.NewServeMux(),
	}
	web.overview = &overview.Pages{Site: site, Store: c.Store, Keys: web.keys}
	for _, r := range web.routes() {
		web.handle(r)
	}
	web.mux.HandleFunc("GET /assets/", page.ServeAsset)
	web.mux.HandleFunc("/", web.serveAuthors)
	web.handler = web.Protect(web.mux)
	return web
}

// route is a row of the table of routes.
type route page.Route

// routes lists every page and every form, in reading order.
func (web *Web) routes() []route {
	return []route{
		{"GET /{$}", page.Public, web.reading.Front},
		{"GET /newest", page.Public, web.reading.Newest},
		{"GET /best-rated", page.Public, web.reading.BestRated},
		{"GET /completed-lately", page.Public, web.reading.Lately},
		{"GET /categories/{category}", page.Public, web.reading.Category},
		{"GET /search", page.Public, web.reading.Search},
		{"GET /@{author}", page.Public, web.reading.Author},
		{"GET /@{author}/feed.atom", page.Impersonal, web.reading.AuthorFeed},
		{"GET /feed.atom", page.Impersonal, web.reading.Feed},
		{"GET /sitemap.xml", page.Impersonal, web.reading.Sitemap},
		{"GET /sitemaps/{part}", page.Impersonal, web.reading.SitemapPart},
		{"GET /robots.txt", page.Impersonal, web.reading.Robots},
		{"GET /favicon.ico", page.Impersonal, web.Icon},
		{"GET /@{author}/{slug}", page.Public, web.reading.Stepsy},
		{"GET /@{author}/{slug}/follow", page.Public, web.reading.Follow},
		{"POST /@{author}/{slug}/reached", page.Public, web.reading.Reached},
		{"POST /@{author}/{slug}/finish", page.Public, web.reading.Finish},
		{"POST /@{author}/{slug}/rating", page.Public, web.reading.Rate},
		{"GET /@{author}/{slug}.md", page.Impersonal, web.reading.Markdown},
		{"GET /@{author}/{slug}.json", page.Impersonal, web.reading.JSON},
		{"GET /@{author}/{slug}/embed", page.Impersonal, web.reading.Embed},
		{"GET /oembed", page.Impersonal, web.reading.OEmbed},
		{"GET /preview/{token}", page.Public, web.writing.SharedDraft},

		{"GET /docs", page.Public, web.docs.Page},
		{"GET /docs.md", page.Public, web.docs.Page},
		{"GET /docs/{page...}", page.Public, web.docs.Page},
		{"GET /llms.txt", page.Public, web.docs.LLMs},
		{"GET /sign-in", page.Entrance, web.users.SignInForm},
		{"POST /sign-in", page.Entrance, web.users.SignIn},
		{"POST /sign-out", page.SignedIn, web.users.SignOut},

		{"GET /welcome/{token}", page.Entrance, web.users.WelcomeForm},
		{"POST /welcome/{token}", page.Entrance, web.users.Welcome},
		{"GET /sign-up", page.Entrance, web.users.OpenSignUpForm},
		{"POST /sign-up", page.Entrance, web.users.OpenSignUp},
		{"GET /sign-up/{token}", page.Entrance, web.users.SignUpLinkForm},
		{"POST /sign-up/{token}", page.Entrance, web.users.SignUpByLink},
		{"GET /invitation/{token}", page.Entrance, web.users.InvitationForm},
		{"POST /invitation/{token}", page.Entrance, web.users.Invitation},
		{"GET /verify-email/{token}", page.Public, web.users.Profile.VerifyEmailForm},
		{"POST /verify-email/{token}", page.Public, web.users.Profile.VerifyEmail},
		{"GET /forgot-password", page.Public, web.users.ForgotPasswordForm},
		{"POST /forgot-password", page.Public, web.users.ForgotPassword},
		{"GET /reset-password/{token}", page.Entrance, web.users.ResetPasswordForm},
		{"POST /reset-password/{token}", page.Entrance, web.users.ResetPassword},

		{"GET /dashboard", page.SignedIn, web.overview.Overview},

		{"GET /dashboard/developer", page.SignedIn, web.keys.List},
		{"POST /dashboard/developer", page.SignedIn, web.keys.Create},
		{"GET /dashboard/developer/new", page.SignedIn, web.keys.New},
		{"GET /dashboard/developer/keys/{id}", page.SignedIn, web.keys.Key},
		{"GET /dashboard/developer/keys/{id}/edit", page.SignedIn, web.keys.EditForm},
		{"POST /dashboard/developer/keys/{id}/edit", page.SignedIn, web.keys.Edit},
		{"GET /dashboard/developer/keys/{id}/rotate", page.SignedIn, web.keys.RotateForm},
		{"POST /dashboard/developer/keys/{id}/rotate", page.SignedIn, web.keys.Rotate},
		{"GET /dashboard/developer/keys/{id}/revoke", page.SignedIn, web.keys.RevokeForm},
		{"POST /dashboard/developer/keys/{id}/revoke", page.SignedIn, web.keys.Revoke},

		{"GET /dashboard/stepsies", page.SignedIn, web.writing.List},
		{"POST /dashboard/stepsies", page.SignedIn, web.writing.Create},
		{"GET /dashboard/stepsies/new", page.SignedIn, web.writing.New},
		{"GET /dashboard/stepsies/{id}", page.SignedIn, web.writing.Editor},
		{"POST /dashboard/stepsies/{id}", page.SignedIn, web.writing.Edit},
		{"POST /dashboard/stepsies/{id}/save", page.SignedIn, web.writing.Save},
		{"GET /dashboard/stepsies/{id}/preview", page.SignedIn, web.writing.Preview},
		{"POST /dashboard/stepsies/{id}/preview-link", page.SignedIn, web.writing.MakePreviewLink},
		{"POST /dashboard/stepsies/{id}/preview-link/end", page.SignedIn, web.writing.EndPreviewLink},
		{"GET /dashboard/stepsies/{id}/readers", page.SignedIn, web.writing.Readers},
		{"POST /dashboard/stepsies/{id}/publish", page.SignedIn, web.writing.Publish},
		{"POST /dashboard/stepsies/{id}/unpublish", page.SignedIn, web.writing.Unpublish},
		{"POST /dashboard/stepsies/{id}/duplicate", page.SignedIn, web.writing.Duplicate},
		{"GET /dashboard/stepsies/{id}/delete", page.SignedIn, web.writing.DeleteForm},
		{"POST /dashboard/stepsies/{id}/delete", page.SignedIn, web.writing.Delete},
		{"POST /dashboard/stepsies/{id}/restore", page.SignedIn, web.writing.Restore},
		{"GET /dashboard/trash", page.SignedIn, web.writing.Trash},

		{"GET /dashboard/activity", page.SignedIn, web.overview.Activity},

		{"GET /dashboard/profile", page.SignedIn, web.users.Profile.Show},
		{"POST /dashboard/profile", page.SignedIn, web.users.Profile.Edit},
		{"POST /dashboard/profile/email", page.SignedIn, web.users.Profile.ChangeEmail},
		{"POST /dashboard/profile/email/end", page.SignedIn, web.users.Profile.EndEmailChange},
		{"POST /dashboard/profile/verify-email", page.SignedIn, web.users.Profile.VerifyAgain},
		{"POST /dashboard/profile/password", page.SignedIn, web.users.Profile.ChangePassword},
		{"POST /dashboard/profile/sessions/{id}/end", page.SignedIn, web.users.Profile.EndSession},
		{"POST /dashboard/profile/sessions/end-all", page.SignedIn, web.users.Profile.EndSessions},

		{"GET /dashboard/users", page.AdminOnly, web.users.Admin.List},
		{"POST /dashboard/users", page.AdminOnly, web.users.Admin.Create},
		{"GET /dashboard/users/new", page.AdminOnly, web.users.Admin.New},
		{"GET /dashboard/users/invite", page.AdminOnly, web.users.Admin.InviteForm},
		{"POST /dashboard/users/invite", page.AdminOnly, web.users.Admin.Invite},
		{"POST /dashboard/users/invitations/{id}/end", page.AdminOnly, web.users.Admin.EndInvitation},
		{"GET /dashboard/users/{user}", page.AdminOnly, web.users.Admin.User},
		{"POST /dashboard/users/{user}", page.AdminOnly, web.users.Admin.Edit},
		{"POST /dashboard/users/{user}/password-link", page.AdminOnly, web.users.Admin.MakePasswordLink},
		{"GET /dashboard/users/{user}/suspend", page.AdminOnly, web.users.Admin.SuspendForm},
		{"POST /dashboard/users/{user}/suspend", page.AdminOnly, web.users.Admin.Suspend},
		{"POST /dashboard/users/{user}/unsuspend", page.AdminOnly, web.users.Admin.Unsuspend},
		{"GET /dashboard/users/{user}/delete", page.AdminOnly, web.users.Admin.DeleteForm},
		{"POST /dashboard/users/{user}/delete", page.AdminOnly, web.users.Admin.Delete},
	}
}

// ServeHTTP answers a request.
func (web *Web) ServeHTTP(w http.ResponseWriter, r *http.Request) { web.handler.ServeHTTP(w, r) }

// FirstAdminLink makes the link by which the operator becomes the first admin.
// It takes the place of the one before, and is "" once there is a user.
func (web *Web) FirstAdminLink(ctx context.Context) (string, error) {
	return web.users.FirstAdminLink(ctx)
}

// Finish lets the e-mails go out that are on their way, until ctx ends. None is sent
// afterwards.
func (web *Web) Finish(ctx context.Context) { web.users.Finish(ctx) }
