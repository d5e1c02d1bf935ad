package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/stepsies/stepsies"
)

// MaxBody is the number of bytes that a request's body may have.
const MaxBody = 2 << 20

// maxDrained is how much of the body of a refused request is read and thrown away.
const maxDrained = 16 << 20

// readBody reads the body of a request that may have one and puts it back for the
// decoder. Its type, size, encoding and syntax are judged here, whatever the
// decoder would say.
func readBody(r *http.Request) ([]byte, error) {
	if r.Method != http.MethodPost && r.Method != http.MethodPatch {
		return nil, nil
	}
	return readJSON(r, MaxBody, errTooLarge)
}

// readJSON reads a body of at most limit bytes and puts it back; tooLarge is what a
// larger one is told.
func readJSON(r *http.Request, limit int64, tooLarge error) ([]byte, error) {
	body, err := readBytes(r, limit, tooLarge)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if len(body) == 0 {
		return nil, nil
	}
	if err := checkMediaType(r); err != nil {
		return nil, err
	}
	if !utf8.Valid(body) {
		return nil, stepsies.BadRequest("The body is not UTF-8. Send JSON in UTF-8.")
	}
	if bytes.HasPrefix(body, []byte("\ufeff")) {
		return nil, stepsies.BadRequest("The body begins with a byte order mark. Send the JSON without it.")
	}
	var syntax *json.SyntaxError
	var any json.RawMessage
	if err := json.Unmarshal(body, &any); errors.As(err, &syntax) {
		return nil, stepsies.BadRequest("The body is not JSON: %s at byte %d.", syntax.Error(), syntax.Offset)
	} else if err != nil {
		return nil, stepsies.BadRequest("The body is not JSON.")
	}
	r.Header.Set("Content-Type", "application/json") // what it was read as, for the decoder
	return body, nil
}

// readBytes reads a body of at most limit bytes, whatever it is.
func readBytes(r *http.Request, limit int64, tooLarge error) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if int64(len(body)) > limit {
		return nil, tooLarge
	}
	if err != nil {
		return nil, stepsies.BadRequest("The body could not be read to its end. Send it again.")
	}
	return body, nil
}

func checkMediaType(r *http.Request) error {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return &stepsies.Error{Code: stepsies.CodeUnsupportedMedia, Message: "The body must not be compressed. Send it without Content-Encoding."}
	}
	given := r.Header.Get("Content-Type")
	mediaType, _, err := mime.ParseMediaType(given)
	if given == "" || err == nil && (mediaType == "application/json" ||
		mediaType == "application/merge-patch+json" && r.Method == http.MethodPatch) {
		return nil
	}
	return errNotJSON
}

// drain reads what a refused request still sends. Without it net/http closes the
// connection under a client that has not finished, and many see a broken pipe
// instead of the answer. Who waits for leave to send (RFC 9110 §10.1.1) has sent
// nothing.
func drain(r *http.Request) {
	if r.Body != nil && r.Header.Get("Expect") == "" {
		_, _ = io.CopyN(io.Discard, r.Body, maxDrained) // its end, or the client has gone
	}
}

// wantNoFields refuses fields where an operation takes none, as every other
// operation refuses those that it does not know.
func wantNoFields(body []byte) error {
	if len(body) == 0 {
		return nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return stepsies.Invalid("", "must be an object without fields, or no body at all")
	}
	var bad stepsies.Problems
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		bad.Add(name, "is not a field of this request")
	}
	return bad.Err()
}
