// Package api serves the REST API under /v1: JSON in and out, one error format,
// every operation behind a scope.
//
// A request walks one way: the route is found, the key turned into a principal,
// the request counted, the declared scope checked, the body read and validated;
// then the operation calls the store once and its result is encoded.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/ratelimit"
	"github.com/stepsies/stepsies/internal/store"
)

// Config is what the API stands on.
type Config struct {
	Store     *store.Store
	Keys      *auth.Keys
	PublicURL string           // without a slash at the end; links are built from it
	Origins   []string         // that browsers may call from; none by default
	Now       func() time.Time // nil is time.Now
	Log       *slog.Logger

	Limiter Limiter                   // nil: limits are off
	Leaks   *ratelimit.AddressLimiter // of leak reports; nil: no limit
	// Observe, if set, is told how each request was admitted: "ok", "unauthorized",
	// "forbidden", "rate_limit_exceeded", "quota_exceeded" or "unavailable".
	Observe func(outcome string)

	// Assistants, if set, makes what answers messages of the Model Context Protocol at
	// /mcp, each of which is admitted first. It asks for operations through inside, with
	// requests whose context is that of the message.
	Assistants func(inside http.RoundTripper) http.Handler

	// Partners may report leaked keys by signed messages; nil: nobody may.
	Partners PartnerKeys
	// ObserveLeaks, if set, is told of each leak report who made it ("anyone" or
	// "github"), "taken" or the code of its refusal, and how many keys it ended.
	ObserveLeaks func(from, outcome string, revoked int)
}

// Limiter counts the requests of accounts, in this node's memory or in Redis.
type Limiter interface {
	Take(ctx context.Context, account int64, limits stepsies.Limits) ratelimit.Decision
}

// API is the handler of everything under /v1, /api/v1, of /leaked-keys, of /mcp and of
// the OpenAPI document.
type API struct {
	Config
	mux      *http.ServeMux
	huma     huma.API
	routes   []Route
	document map[string]*document // the OpenAPI document, by its path

	ownOrigin  string // of the installation's pages
	assistants http.Handler
	assisted   chan struct{} // a place for each message that is being answered
}

// Route is one operation of the API, as tests and documentation want to know it.
type Route struct {
	ID     string
	Method string
	Path   string         // as served: /v1/stepsies/{id}
	Scope  stepsies.Scope // "" where it asks for no key
}

// New returns the API.
func New(c Config) (*API, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	a := &API{Config: c, mux: http.NewServeMux(), document: map[string]*document{}}
	a.huma = newHuma(a)
	for _, o := range operations {
		a.add(o)
	}
	for path, mediaType := range documents {
		a.mux.HandleFunc("GET "+path, a.serveDocument(path, mediaType))
	}
	if len(c.Partners) > 0 {
		a.mux.HandleFunc("POST "+partnerPath, a.takePartnerReport)
	}
	if c.Assistants != nil {
		a.assistants, a.assisted = c.Assistants(inside{a}), make(chan struct{}, maxAssisted)
		a.mux.HandleFunc("POST "+assistantsPath, a.assist)
	}
	if u, err := url.Parse(c.PublicURL); err == nil {
		a.ownOrigin = u.Scheme + "://" + u.Host
	}
	a.mux.HandleFunc("/", a.noRoute)
	return a, a.describe()
}

// operations are all of them, in reading order.
var operations = []operation{
	listStepsies,
	createStepsy,
	getStepsy,
	updateStepsy,
	deleteStepsy,
	publishStepsy,
	unpublishStepsy,

	getMe,
	updateMe,

	listAPIKeys,
	createAPIKey,
	getAPIKey,
	updateAPIKey,
	revokeAPIKey,
	rotateAPIKey,

	listUsers,
	createUser,
	getUser,
	updateUser,
	deleteUser,

	reportLeakedKeys,
}

// Routes lists the operations.
func (a *API) Routes() []Route { return a.routes }
