package mcp

import (
	"context"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/stepsies/stepsies/client"
)

// callTimeout bounds a call of a tool to the API.
const callTimeout = 30 * time.Second

// NewHandler answers messages of many assistants, each a POST that stands for itself
// (Streamable HTTP without sessions). Whoever serves it has admitted the request: the
// handler looks at no key and no origin. It calls the API through inside, with the context
// of the request; the client of the Config is not used.
func NewHandler(inside http.RoundTripper, c Config) http.Handler {
	var err error
	// The address stands for nothing, and what failed inside fails again.
	c.Client, err = client.New(client.WithBaseURL("http://localhost"), client.WithoutAPIKey(), client.WithTransport(inside),
		client.WithRetries(0), client.WithTimeout(callTimeout))
	if err != nil {
		panic("mcp: " + err.Error()) // of options in this package
	}
	s := New(c)
	// There is Markdown that takes seconds to read: it holds up texts of other assistants
	// at most, and not the server.
	s.reading = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))
	s.sdk.AddReceivingMiddleware(s.surviving, untilGone, withoutStreams)
	h := sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return s.sdk }, &sdk.StreamableHTTPOptions{
		Stateless: true, JSONResponse: true, MaxRequestBodyBytes: maxFrame, PropagateRequestCancellation: true,
		// It refuses what a proxy on this machine passes on under the public name. A page
		// that has its name point here has no key to call with.
		DisableLocalhostProtection: true,
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		h.ServeHTTP(w, r.WithContext(context.WithValue(ctx, requestKey{}, ctx)))
	})
}

type requestKey struct{}

// untilGone gives up what an assistant asked for when its request ends. The SDK does
// that for the latest revision of the protocol alone.
func untilGone(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
		request, ok := ctx.Value(requestKey{}).(context.Context)
		if !ok {
			return next(ctx, method, req)
		}
		return until(request)(next)(ctx, method, req)
	}
}

// surviving turns a panic into an answer. The SDK calls tools in goroutines of its own,
// where it would be the end of the whole server.
func (s *Server) surviving(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, req sdk.Request) (res sdk.Result, err error) {
		defer func() {
			if v := recover(); v != nil {
				s.log.Error("a tool panicked", "method", method, "panic", v, "stack", string(debug.Stack()))
				res, err = nil, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "Something went wrong on our side. It has been logged."}
			}
		}()
		return next(ctx, method, req)
	}
}

// withoutStreams refuses to keep a connection open for news of the lists of tools and
// resources, of which there are none.
func withoutStreams(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
		if method == "subscriptions/listen" {
			return nil, &jsonrpc.Error{Code: jsonrpc.CodeMethodNotFound, Message: "This server has nothing to subscribe to."}
		}
		return next(ctx, method, req)
	}
}
