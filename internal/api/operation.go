package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/stepsies/stepsies"
)

// An operation is all there is to know about one operation of the API. Each is a
// value that stands beside its handler, made by serve, and has a line in operations.
type operation struct {
	id    string // a name that clients are generated with: "create-api-key"
	route string // method and path below the base path: "POST /api-keys"
	tag   string // the group in the documentation

	// scope is what a key needs. Without one an operation is closed to every key, but
	// where open says instead who is let in, and how often, without a key.
	scope stepsies.Scope
	open  func(*API, context.Context, *call) error

	summary, description string

	status   int    // of a success
	answer   string // what a success says
	request  any    // an example of the body, where there is one
	response any    // an example of the answer's, nil where it has none

	// fails are the failures of its own: those that every operation, every body and
	// every write can meet are known by themselves; see failures.
	fails []stepsies.Code
	// notModified: a conditional request may be answered by 304.
	notModified bool

	thing   string            // what a number in the path names: "stepsy"
	refuses map[string]string // why it does not take a field that others take
	atRoot  bool              // served outside of the base path as well

	register func(*API, huma.Operation)
	missing  map[string]string // the field by what huma says where it is missing; filled by describe
}

// What successes say.
const (
	answersMade = "It is made. `Location` says where it is."
	answersNow  = "The thing as it is now."
	answersPage = "A page of the list. Follow `Link`, or give `next_cursor` as `cursor`, to get the next one."
	answersGone = "It is gone."
)

// serve makes an operation of its handler and what is said of it.
func serve[I, O any](handler func(*API, context.Context, *I) (*O, error), op operation) operation {
	op.register = func(a *API, described huma.Operation) {
		huma.Register(a.huma, described, func(ctx context.Context, in *I) (*O, error) {
			out, err := handler(a, ctx, in)
			if err != nil {
				return nil, toAPIError(ctx, err)
			}
			return out, nil
		})
	}
	return op
}

func (o *operation) method() string { method, _, _ := strings.Cut(o.route, " "); return method }
func (o *operation) path() string   { _, path, _ := strings.Cut(o.route, " "); return path }

// served is the path under which the operation is found.
func (o *operation) served() string { return basePath + o.path() }

// writes reports whether the operation reads a body.
func (o *operation) writes() bool {
	return o.method() == http.MethodPost || o.method() == http.MethodPatch
}

// failures are the statuses that the operation may answer with instead of a success.
func (o *operation) failures() []int {
	codes := slices.Concat(o.fails, []stepsies.Code{stepsies.CodeBadRequest, stepsies.CodeRateLimit, stepsies.CodeInternal, stepsies.CodeUnavailable})
	if o.open == nil {
		codes = append(codes, stepsies.CodeUnauthorized, stepsies.CodeForbidden)
	}
	if o.writes() {
		codes = append(codes, stepsies.CodePayloadTooLarge, stepsies.CodeUnsupportedMedia, stepsies.CodeValidation)
	}
	if o.writes() && o.open == nil { // the first request with this Idempotency-Key still runs
		codes = append(codes, stepsies.CodeConflict)
	}
	var failures []int
	for _, c := range codes {
		failures = append(failures, c.Status())
	}
	slices.Sort(failures)
	return slices.Compact(failures)
}

// add registers an operation.
func (a *API) add(o operation) {
	described := huma.Operation{
		OperationID: o.id, Method: o.method(), Path: o.path(), Summary: o.summary, Description: o.description, Tags: []string{o.tag},
		DefaultStatus: o.status, Errors: o.failures(), Metadata: map[string]any{metadata: &o},
		MaxBodyBytes: -1, // read and bounded by readBody, which answers in our own format
		// Likewise: a deadline for reading, set once the body has been read, would
		// later hit net/http's watch over the connection and cancel every further
		// request on it. The server's own bounds the reading.
		BodyReadTimeout: -1,
	}
	described.Security = []map[string][]string{} // none is needed, which is not the same as nothing said
	if o.scope != "" {
		described.Security = []map[string][]string{{bearerAuth: {string(o.scope)}}}
	}
	a.routes = append(a.routes, Route{ID: o.id, Method: o.method(), Path: o.served(), Scope: o.scope})
	o.register(a, described)
}

// metadata is where huma keeps an operation of ours with its own.
const metadata = "operation"

func operationOf(op *huma.Operation) *operation { return op.Metadata[metadata].(*operation) }

// Serves reports whether everything at the path is the API's to answer, in its own
// error format: what it serves, and whatever else is asked of it under /v1.
func Serves(path string) bool {
	if under(path, basePath) || under(path, "/api"+basePath) || documents[path] != "" || path == partnerPath || under(path, assistantsPath) {
		return true
	}
	return slices.ContainsFunc(operations, func(o operation) bool { return o.atRoot && o.path() == path })
}
