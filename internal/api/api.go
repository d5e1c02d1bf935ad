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
}

// Limiter counts the requests of accounts, in this node's memory or in Redis.
type Limiter interface {
	Take(ctx context.Context, account int64, limits stepsies.Limits) ratelimit.Decision
}

// API is the handler of everything under /v1, /api/v1, of /leaked-keys and of the
// OpenAPI document.
type API struct {
	Config
	mux    *http.ServeMux
	huma   huma.API
	routes []Route
	json   []byte // the OpenAPI document
	yaml   []byte
}

// Route is one operation of the API, as tests and documentation want to know it.
type Route struct {
	ID     string
	Method string
	Path   string         // as served: /v1/stepsies/{id}
	Scope  stepsies.Scope // "" for the leak report, which asks for no key
}

// New returns the API.
func New(c Config) (*API, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	a := &API{Config: c, mux: http.NewServeMux()}
	a.huma = newHuma(a)
	a.register()
	a.mux.HandleFunc("/", a.noRoute)
	return a, a.describe()
}

// register lists every operation, in reading order, with the scope that it needs.
func (a *API) register() {
	const read, write, admin = stepsies.ScopeRead, stepsies.ScopeWrite, stepsies.ScopeAdmin

	add(a, "list-stepsies", "GET /stepsies", read, a.listStepsies, "List stepsies", tagStepsies)
	add(a, "create-stepsy", "POST /stepsies", write, a.createStepsy, "Create a stepsy", tagStepsies)
	add(a, "get-stepsy", "GET /stepsies/{id}", read, a.getStepsy, "Get a stepsy", tagStepsies)
	add(a, "update-stepsy", "PATCH /stepsies/{id}", write, a.updateStepsy, "Update a stepsy", tagStepsies)
	add(a, "delete-stepsy", "DELETE /stepsies/{id}", write, a.deleteStepsy, "Delete a stepsy", tagStepsies)
	add(a, "publish-stepsy", "POST /stepsies/{id}/publish", write, a.publishStepsy, "Publish a stepsy", tagStepsies)
	add(a, "unpublish-stepsy", "POST /stepsies/{id}/unpublish", write, a.unpublishStepsy, "Unpublish a stepsy", tagStepsies)

	add(a, "get-me", "GET /me", read, a.getMe, "Get your profile", tagProfile)
	add(a, "update-me", "PATCH /me", write, a.updateMe, "Update your profile", tagProfile)

	add(a, "list-api-keys", "GET /api-keys", admin, a.listKeys, "List API keys", tagKeys)
	add(a, "create-api-key", "POST /api-keys", admin, a.createKey, "Create an API key", tagKeys)
	add(a, "get-api-key", "GET /api-keys/{id}", admin, a.getKey, "Get an API key", tagKeys)
	add(a, "update-api-key", "PATCH /api-keys/{id}", admin, a.updateKey, "Update an API key", tagKeys)
	add(a, "revoke-api-key", "POST /api-keys/{id}/revoke", admin, a.revokeKey, "Revoke an API key", tagKeys)
	add(a, "rotate-api-key", "POST /api-keys/{id}/rotate", admin, a.rotateKey, "Rotate an API key", tagKeys)

	add(a, "list-users", "GET /users", admin, a.listUsers, "List users", tagUsers)
	add(a, "create-user", "POST /users", admin, a.createUser, "Create a user", tagUsers)
	add(a, "get-user", "GET /users/{username}", admin, a.getUser, "Get a user", tagUsers)
	add(a, "update-user", "PATCH /users/{username}", admin, a.updateUser, "Update a user", tagUsers)
	add(a, "delete-user", "DELETE /users/{username}", admin, a.deleteUser, "Delete a user", tagUsers)

	add(a, "report-leaked-keys", "POST /leaked-keys", noScope, a.reportLeakedKeys, "Report leaked keys", tagKeys)

	a.mux.HandleFunc("GET /openapi.json", a.serveDocument("application/json", &a.json))
	a.mux.HandleFunc("GET /openapi.yaml", a.serveDocument("application/yaml", &a.yaml))
}

// Routes lists the operations.
func (a *API) Routes() []Route { return a.routes }
