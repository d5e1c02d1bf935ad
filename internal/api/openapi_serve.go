package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stepsies/stepsies/internal/reqlog"
)

// documents are the media types of the OpenAPI document, by its path.
var documents = map[string]string{"/openapi.json": "application/json", "/openapi.yaml": "application/yaml"}

// document is the OpenAPI document in one of its forms.
type document struct {
	text []byte
	// gzipped is made by the first request for it, so that no command waits for it at
	// its start.
	gzipped func() []byte
	tag     string // without its quotes; the same on every node of this version
}

func newDocument(text []byte) *document {
	sum := sha256.Sum256(text)
	return &document{text, sync.OnceValue(func() []byte { return reqlog.Gzipped(text) }), hex.EncodeToString(sum[:12])}
}

// Document is the OpenAPI document in JSON, which the pages of the documentation
// are made of. It is not to be changed.
func (a *API) Document() []byte { return a.document["/openapi.json"].text }

// serveDocument sends the document, or that it has not changed since it was last asked
// for. Caches ask each time: a generator that runs after an update must see it.
func (a *API) serveDocument(path, mediaType string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		d := a.document[path]
		text, tag := d.text, `"`+d.tag+`"`
		h := w.Header()
		h.Set("Content-Type", mediaType)
		h.Set("Access-Control-Allow-Origin", "*") // public, and read by tools in browsers
		h.Set("Cache-Control", "public, no-cache")
		h.Add("Vary", "Accept-Encoding")
		if reqlog.TakesGzip(r.Header) {
			text, tag = d.gzipped(), `"`+d.tag+`-gzip"`
			h.Set("Content-Encoding", "gzip")
			h.Set("Content-Length", strconv.Itoa(len(text)))
		}
		h.Set("ETag", tag)
		if seen, given := r.Header["If-None-Match"]; given && matches(strings.Split(strings.Join(seen, ","), ","), `"`+d.tag+`"`) {
			r = r.Clone(r.Context())
			r.Header.Set("If-None-Match", tag) // whatever a proxy on the way made of it
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
	}
}
