package api

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/stepsies/stepsies"
)

// MatchParams documents the header that makes a write of a stepsy conditional;
// match reads it.
type MatchParams struct {
	IfMatch string `header:"If-Match" example:"\"123.4\"" doc:"The ETag that you have seen: the answer is 412, and nothing is done, if someone else wrote meanwhile."`
}

// match returns what the conditional headers of a request ask of a stepsy before it
// is written, nil where there are none (RFC 9110 §13.2.2).
func (c *call) match() func(stepsies.Stepsy) error {
	match, must := c.tags("If-Match")
	noneMatch, mustNot := c.tags("If-None-Match")
	if !must && !mustNot {
		return nil
	}
	return func(s stepsies.Stepsy) error {
		switch tag := etag(s); {
		case must && !matches(match, tag):
			return stepsies.PreconditionFailed()
		case mustNot && matches(noneMatch, tag):
			return &stepsies.Error{Code: stepsies.CodePreconditionFailed,
				Message: "If-None-Match names what is there, so nothing was done. To change only what you have seen, send its ETag in If-Match."}
		}
		return nil
	}
}

// tags returns the entity tags of a conditional header, from all of its lines, and
// whether there is one (RFC 9110 §13.1).
func (c *call) tags(header string) (tags []string, given bool) {
	lines, given := c.request.Header[header]
	return strings.Split(strings.Join(lines, ","), ","), given
}

// matches reports whether a list of entity tags names the given one. Ours name versions
// of a stepsy, whatever its coding, so If-Match and If-None-Match alike pass over what a
// proxy that compresses answers does to a tag: were the comparison strong (RFC 9110
// §8.8.3.2), nobody could write conditionally from behind one.
func matches(tags []string, tag string) bool {
	for _, t := range tags {
		t = strings.TrimSpace(t)
		if t == tag || t == "*" || identityTag(t) == tag {
			return true
		}
	}
	return false
}

// codingOf recognises what proxies put before the closing quote of the tag of an answer
// that they compress: "1.2-gzip" of Apache, "1.2-zstd" of Caddy, "1.2--gzip" of Jetty,
// "1.2;br" and the like.
var codingOf = regexp.MustCompile(`[-;:_.+]{1,2}(?:x-)?(?:gzip|br|zstd|deflate|compress|identity)"$`)

// identityTag is the tag of the same version of an answer that nobody compressed.
func identityTag(tag string) string {
	tag = strings.TrimPrefix(tag, "W/")
	if at := codingOf.FindStringIndex(tag); at != nil {
		return tag[:at[0]] + `"`
	}
	return tag
}

// notModified answers a conditional request whose thing has not changed. It has
// headers and no body (RFC 9110 §15.4.5).
type notModified struct{ etag string }

func (notModified) Error() string             { return "not modified" }
func (notModified) GetStatus() int            { return http.StatusNotModified }
func (n notModified) GetHeaders() http.Header { return http.Header{"Etag": {n.etag}} }
