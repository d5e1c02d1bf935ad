package api

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/ratelimit"
	"github.com/stepsies/stepsies/internal/reqlog"
	"github.com/stepsies/stepsies/internal/store"
)

// call is what is known of a request once it has been admitted.
type call struct {
	header    http.Header // of the answer
	principal auth.Principal
	decision  *ratelimit.Decision // nil where nothing is limited
	scope     stepsies.Scope      // that the operation needs
	request   *http.Request
	body      []byte
}

type callKey struct{}

func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

type operatorKey struct{}

// AsOperator marks the context of connections that came through the operator's
// socket, or from inside the process.
func AsOperator(ctx context.Context) context.Context {
	return context.WithValue(ctx, operatorKey{}, true)
}

func isOperator(ctx context.Context) bool { return ctx.Value(operatorKey{}) != nil }

// ServeHTTP answers a request. /api/v1 is another name of /v1.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer a.recover(w, r)
	if under(r.URL.Path, "/api"+basePath) {
		r = withoutPrefix(r, "/api")
	}
	if path.Clean(r.URL.Path) != r.URL.Path {
		// The mux would redirect; a client of an API is better told.
		a.notFound(w, r)
		return
	}
	if a.crossOrigin(w, r) {
		return
	}
	if under(r.URL.Path, basePath) || r.URL.Path == assistantsPath {
		// What says nothing, caches of clients keep for minutes and give to other keys too.
		w.Header().Set("Cache-Control", "private, no-cache")
		w.Header().Add("Vary", "Authorization")
	}
	a.mux.ServeHTTP(w, r)
}

func under(path, prefix string) bool {
	rest, ok := strings.CutPrefix(path, prefix)
	return ok && (rest == "" || rest[0] == '/')
}

// withoutPrefix keeps what is percent-encoded as it is: an encoded slash parts
// nothing.
func withoutPrefix(r *http.Request, prefix string) *http.Request {
	u := *r.URL
	u.Path, u.RawPath = strings.TrimPrefix(u.Path, prefix), strings.TrimPrefix(u.RawPath, prefix)
	copied := r.WithContext(r.Context())
	copied.URL = &u
	return copied
}

// allowedHeaders are those that pages of other origins may send.
func allowedHeaders(path string) string {
	if path == assistantsPath {
		return "Authorization, Content-Type, Last-Event-Id, Mcp-Method, Mcp-Name, Mcp-Protocol-Version, Mcp-Session-Id, X-Request-Id"
	}
	return "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-Id"
}

func (a *API) recover(w http.ResponseWriter, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler || reqlog.Started(w) {
		panic(http.ErrAbortHandler) // too late for an answer: the client sees the connection close
	}
	WriteError(w, r, fmt.Errorf("panic: %v", v))
}

// noRoute answers for paths that no operation has, and for methods that a path
// does not take.
func (a *API) noRoute(w http.ResponseWriter, r *http.Request) {
	allowed := strings.Join(a.allowed(r), ", ")
	if allowed == "" {
		a.notFound(w, r)
		return
	}
	reqlog.From(r.Context()).Route = "none"
	w.Header().Set("Allow", allowed)
	WriteError(w, r, &stepsies.Error{Code: stepsies.CodeMethodNotAllowed, Message: "This path takes " + allowed + "."})
}

func (a *API) notFound(w http.ResponseWriter, r *http.Request) {
	reqlog.From(r.Context()).Route = "none"
	WriteError(w, r, &stepsies.Error{Code: stepsies.CodeNotFound, Message: "There is nothing at this address. See " + a.PublicURL + "/openapi.json for what there is."})
}

// allowed asks the mux which methods the path of a request takes.
func (a *API) allowed(r *http.Request) []string {
	var methods []string
	for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPatch, http.MethodDelete} {
		probe := &http.Request{Method: m, URL: r.URL, Host: r.Host}
		if _, pattern := a.mux.Handler(probe); pattern != "/" && pattern != "" {
			methods = append(methods, m)
		}
	}
	return methods
}

// crossOrigin answers preflights and marks answers for origins on the list. With
// no list, which is the default, it does nothing.
func (a *API) crossOrigin(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if len(a.Origins) == 0 || !strings.HasPrefix(r.URL.Path, basePath+"/") && r.URL.Path != assistantsPath {
		return false
	}
	w.Header().Add("Vary", "Origin")
	if !slices.Contains(a.Origins, origin) {
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "ETag, Idempotency-Replayed, Link, Location, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id")
	methods := a.allowed(r)
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" || len(methods) == 0 {
		return false
	}
	h.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
	h.Set("Access-Control-Allow-Headers", allowedHeaders(r.URL.Path))
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// admit lets a request to its operation: with a working key, within its account's
// limits, with the scope that the operation declares, and with a body that is
// JSON.
func (a *API) admit(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	op := operationOf(ctx.Operation())
	entry := reqlog.From(r.Context())
	entry.Route = op.served()
	c := &call{request: r, header: w.Header(), scope: op.scope}
	err := a.identify(c, w, op)
	if admittedIn(r.Context()) == nil {
		a.observe(err)
	}
	if err == nil {
		err = checkQuery(r.URL)
	}
	if err == nil {
		c.body, err = readBody(r)
	}
	if err == nil && ctx.Operation().RequestBody == nil {
		err = wantNoFields(c.body)
	}
	if err != nil {
		drain(r)
		writeRefusal(w, r, op.scope, err)
		return
	}
	next(huma.WithValue(ctx, callKey{}, c))
}

// identify says who calls the operation, counts the request for their account and
// checks the scope, in this order.
func (a *API) identify(c *call, w http.ResponseWriter, op *operation) error {
	ctx := c.request.Context()
	if op.open != nil && !isOperator(ctx) {
		c.principal.Actor = stepsies.Actor{Kind: stepsies.ActorAnonymous, IP: reqlog.From(ctx).IP}
		return op.open(a, ctx, c)
	}
	if err := a.recognise(c, w); err != nil {
		return err
	}
	if !c.principal.IsOperator() && !c.principal.Scopes.Allow(op.scope) {
		return stepsies.Forbidden()
	}
	return nil
}

// recognise says whose key a request carries, and counts it. A call inside the process
// is counted with the request that it is made for, whose key is judged anew.
func (a *API) recognise(c *call, w http.ResponseWriter) (err error) {
	ctx := c.request.Context()
	entry := reqlog.From(ctx)
	by := admittedIn(ctx)
	switch {
	case isOperator(ctx):
		c.principal = auth.Operator()
		return nil
	case by != nil:
		c.decision = by.decision
		c.principal, err = a.Keys.Judge(ctx, by.request.Header["Authorization"], entry.IP)
		return err
	}
	if c.principal, err = a.Keys.Authenticate(ctx, c.request.Header["Authorization"], entry.IP); err != nil {
		return err
	}
	entry.UserID, entry.KeyID = c.principal.User.ID, c.principal.Key.ID
	return a.count(c, w)
}

func (a *API) observe(err error) {
	if a.Observe == nil {
		return
	}
	outcome := "ok"
	if err != nil {
		outcome = string(stepsies.CodeOf(err))
	}
	a.Observe(outcome)
}

const challenge = `Bearer realm="stepsies"`

func insufficient(scope stepsies.Scope) string {
	return challenge + `, error="insufficient_scope", scope="` + string(scope) + `"`
}

// writeRefusal answers a request that is not admitted (RFC 6750 §3). Where it is no scope
// that is missing, scope is "".
func writeRefusal(w http.ResponseWriter, r *http.Request, scope stepsies.Scope, err error) {
	switch code := stepsies.CodeOf(err); {
	case code == stepsies.CodeUnauthorized:
		w.Header().Set("WWW-Authenticate", challenge)
	case code == stepsies.CodeForbidden && scope != "":
		w.Header().Set("WWW-Authenticate", insufficient(scope))
	}
	WriteError(w, r, err)
}

// checkQuery refuses what the decoder would pass over in silence: a query that is
// broken, a parameter that is given twice, and one that is given and empty, behind
// which stands a variable that its writer thinks is set. An empty search alone
// means something: everything.
func checkQuery(u *url.URL) error {
	if u.RawQuery == "" {
		return nil
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return stepsies.BadRequest("The query cannot be read. Percent-encode what is in its parameters, and part them by &.")
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		switch values := query[name]; {
		case len(values) > 1:
			return stepsies.BadRequest("The parameter %s is given %d times. Give it once.", name, len(values))
		case !utf8.ValidString(values[0]):
			return stepsies.BadRequest("The parameter %s is not UTF-8.", name)
		case values[0] == "" && name != "q":
			return stepsies.BadRequest("The parameter %s is empty. Give it a value or leave it out.", name)
		}
	}
	return nil
}

// plainWrite is a change by whoever calls, with what its conditional headers ask.
func (c *call) plainWrite() store.Write {
	w := c.principal.Write(c.scope)
	w.Match = c.match()
	return w
}

// write is the actor of a change, and the promise to make it once where the
// client sent an Idempotency-Key.
func (c *call) write() (store.Write, error) {
	w := c.plainWrite()
	keys := c.request.Header["Idempotency-Key"]
	if len(keys) == 0 {
		return w, nil
	}
	notPrintable := func(r rune) bool { return r < ' ' || r > '~' }
	if len(keys) > 1 || keys[0] == "" || len(keys[0]) > 255 || strings.ContainsFunc(keys[0], notPrintable) {
		return w, stepsies.BadRequest("The Idempotency-Key must be one header of 1 to 255 printable ASCII characters.")
	}
	w.Once = &store.Once{
		UserID: c.principal.User.ID, Key: keys[0],
		Route: c.request.Method + " " + c.request.URL.Path, Body: sha256.Sum256(c.body),
	}
	return w, nil
}
