// Package users is about people: signing in and up, one's own profile, and for admins
// everyone's.
package users

import (
	"log/slog"

	"github.com/stepsies/stepsies/internal/mail"
	"github.com/stepsies/stepsies/internal/ratelimit"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// Pages are those by which one becomes a user and signs in, and what leads to the others.
type Pages struct {
	*core
	Profile *Profile
	Admin   *Admin
}

// Profile are the pages of one's own account.
type Profile struct{ *core }

// Admin are the pages about users that admins have.
type Admin struct{ *core }

// core is what all of them stand on.
type core struct {
	*page.Site
	Store *store.Store
	Mail  *mail.Mailer // nil: no e-mail is sent
	Log   *slog.Logger

	wrong           wrongTries                // passwords
	forms           *ratelimit.AddressLimiter // that make an account, or set a password by a link
	resets, signUps requestLimits
	// verifications bounds how often a user has the same e-mail sent again.
	verifications *ratelimit.AddressLimiter
	sending       chan struct{} // bounds the e-mails on their way
}

// New returns the pages. The limits of sign-ins are shared by all nodes where there is
// Redis; shared may be nil. Without a mailer no e-mail is sent.
func New(site *page.Site, st *store.Store, shared *ratelimit.Redis, mailer *mail.Mailer, log *slog.Logger) *Pages {
	c := &core{
		Site: site, Store: st, Mail: mailer, Log: log, sending: make(chan struct{}, maxSending), wrong: newWrongTries(shared, site.Now),
		forms: limiter("form", requestsPerNetwork, shared, site.Now), resets: newRequests("reset", shared, site.Now), signUps: newRequests("sign-up", shared, site.Now),
		verifications: ratelimit.NewAddressLimiter(ratelimit.AddressConfig{Name: "verification", Limit: verificationsPerUser, Window: verificationWindow, Shared: shared, Now: site.Now}),
	}
	return &Pages{core: c, Profile: &Profile{c}, Admin: &Admin{c}}
}
