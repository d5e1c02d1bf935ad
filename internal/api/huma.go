package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// basePath is where the operations are served that ask for a key.
const basePath = "/v1"

// setUpHuma replaces what huma keeps in package variables. It runs once, whatever
// the number of servers in a process.
var setUpHuma = sync.OnceFunc(func() {
	huma.ValidateStrictCasing = true // "Title" is an unknown field, not title
	huma.DefaultArrayNullable = false
	huma.NewErrorWithContext = newHumaError
	// This one gives huma the type of all failures; it makes no answers.
	huma.NewError = func(int, string, ...error) huma.StatusError { return errorOf(errInternal) }
	huma.ErrorFormatter = formatFinding
	for _, s := range sayings {
		*s.huma = s.words
	}
})

func newHuma(a *API) huma.API {
	setUpHuma()
	api := huma.NewAPI(huma.Config{
		OpenAPI:                      openAPI(),
		Formats:                      map[string]huma.Format{"application/json": jsonFormat},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	}, adapter{a.mux})
	api.UseMiddleware(a.admit)
	return api
}

// adapter serves each operation where it says.
type adapter struct{ *http.ServeMux }

func (m adapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	o := operationOf(op)
	serve := func(w http.ResponseWriter, r *http.Request) { handler(humago.NewContext(op, r, w)) }
	m.HandleFunc(o.method()+" "+o.served(), serve)
	if o.atRoot {
		m.HandleFunc(o.route, serve)
	}
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
