package page

import (
	"bytes"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"

	"github.com/stepsies/stepsies/internal/reqlog"
)

// worthPacking is the size from which on an answer is compressed, in bytes: what fits one
// packet arrives no sooner when it is smaller.
const worthPacking = 1400

// packers are kept for the next answer, since a new one takes 800 KB. The fastest level
// makes a page a third of its size for a fraction of what making it takes.
var packers = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is a valid one
	return w
}}

// pack returns an answer as small as its client takes it, and says so in the header. Only
// what is the same for everyone is made smaller: the size of a secret beside something
// that others may choose would tell what it is (BREACH).
func (q *Request) pack(body []byte) []byte {
	h := q.W.Header()
	if len(body) < worthPacking || strings.HasPrefix(h.Get("Content-Type"), "image/") || !strings.HasPrefix(h.Get("Cache-Control"), "public") {
		return body
	}
	h.Add("Vary", "Accept-Encoding")
	if !reqlog.TakesGzip(q.Header) {
		return body
	}
	var b bytes.Buffer
	b.Grow(len(body) / 2)
	w := packers.Get().(*gzip.Writer)
	defer packers.Put(w)
	w.Reset(&b)
	_, _ = w.Write(body) // a buffer takes everything
	_ = w.Close()
	h.Set("Content-Encoding", "gzip")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	return b.Bytes()
}
