package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/stepsies/stepsies"
)

// basePath is where the operations are served. The leak report stands outside it,
// since it asks for no key.
const basePath = "/v1"

const noScope stepsies.Scope = ""

// setUpHuma replaces what huma keeps in package variables. It runs once, whatever
// the number of servers in a process.
var setUpHuma = sync.OnceFunc(func() {
	huma.ValidateStrictCasing = true // "Title" is an unknown field, not title
	huma.DefaultArrayNullable = false
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return newHumaError(nil, status, message, errs...)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		return newHumaError(ctx.Operation(), status, message, errs...)
	}
})

func newHuma(a *API) huma.API {
	setUpHuma()
	api := humago.New(basePathMux{a.mux}, huma.Config{
		OpenAPI:                      openAPI(),
		Formats:                      map[string]huma.Format{"application/json": jsonFormat},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	})
	api.UseMiddleware(a.admit)
	return api
}

// basePathMux serves operations below the base path.
type basePathMux struct{ *http.ServeMux }

func (m basePathMux) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	method, path, _ := strings.Cut(pattern, " ")
	m.ServeMux.HandleFunc(method+" "+servedPath(path), handler)
}

func servedPath(path string) string {
	if path == "/leaked-keys" {
		return path
	}
	return basePath + path
}

// add registers an operation. Its scope stands in its security requirement, where
// the documentation and the check both find it.
func add[I, O any](a *API, id, pattern string, scope stepsies.Scope, handler func(context.Context, *I) (*O, error), summary, tag string) {
	method, path, _ := strings.Cut(pattern, " ")
	op := huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{tag},
		Description:  descriptions[id],
		MaxBodyBytes: -1, // read and bounded by readBody, which answers in our own format
		// Likewise: a deadline for reading, set once the body has been read, would
		// later hit net/http's watch over the connection and cancel every further
		// request on it. The server's own bounds the reading.
		BodyReadTimeout: -1,
		Errors:          errorStatuses(method, path, scope),
	}
	if scope != noScope {
		op.Security = []map[string][]string{{bearerAuth: {string(scope)}}}
	}
	switch {
	case method == http.MethodDelete:
		op.DefaultStatus = http.StatusNoContent
	case id == "report-leaked-keys":
		op.DefaultStatus = http.StatusAccepted
	case method == http.MethodPost && (!strings.Contains(path, "{") || strings.HasSuffix(path, "/rotate")):
		op.DefaultStatus = http.StatusCreated
	}
	a.routes = append(a.routes, Route{ID: id, Method: method, Path: servedPath(path), Scope: scope})
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil {
			return nil, toAPIError(ctx, err)
		}
		return out, nil
	})
}

// scopeOf returns the scope that an operation declares. One that declares none is
// closed to every key but for the leak report; see admit.
func scopeOf(op *huma.Operation) stepsies.Scope {
	for _, requirement := range op.Security {
		for _, scope := range requirement[bearerAuth] {
			return stepsies.Scope(scope)
		}
	}
	return noScope
}

var jsonFormat = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		if _, ok := v.(notModified); ok {
			return nil
		}
		return writeJSON(w, v)
	},
	Unmarshal: json.Unmarshal,
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxPooled keeps one large answer from holding its memory for ever.
const maxPooled = 1 << 20

// writeJSON is the one way in which JSON is written: compact, without escaping
// what is harmless outside HTML, without a line break at the end.
func writeJSON(w io.Writer, v any) error {
	buf := buffers.Get().(*bytes.Buffer)
	buf.Reset()
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	if err == nil {
		_, err = w.Write(bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
	}
	if buf.Cap() <= maxPooled {
		buffers.Put(buf)
	}
	if errors.Is(err, http.ErrHandlerTimeout) || errors.Is(err, http.ErrBodyNotAllowed) {
		return nil // HEAD
	}
	return err
}
