package reqlog

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
)

// TakesGzip reports whether the client with this header takes answers in gzip (RFC 9110
// §12.5.3). One that says nothing of it gets none.
func TakesGzip(h http.Header) bool {
	for _, line := range h.Values("Accept-Encoding") {
		for coding := range strings.SplitSeq(line, ",") {
			name, weight, _ := strings.Cut(coding, ";")
			if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
				continue
			}
			_, value, given := strings.Cut(weight, "=")
			q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return !given || err == nil && q > 0
		}
	}
	return false
}

// Gzipped is a text as small as gzip makes it. That takes its time: it is for what is
// kept, not for an answer that is made anew each time.
func Gzipped(text []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is a valid one
	_, _ = w.Write(text)                                  // a buffer takes everything
	_ = w.Close()
	return b.Bytes()
}
