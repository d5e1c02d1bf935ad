package api

import (
	"net/http"
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
		case must && !matches(match, tag, false):
			return stepsies.PreconditionFailed()
		case mustNot && matches(noneMatch, tag, true):
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

// matches reports whether a list of entity tags names the given one. The weak
// comparison, for If-None-Match, ignores W/ (RFC 9110 §8.8.3.2).
func matches(tags []string, tag string, weak bool) bool {
	for _, t := range tags {
		t = strings.TrimSpace(t)
		if weak {
			t = strings.TrimPrefix(t, "W/")
		}
		if t == tag || t == "*" {
			return true
		}
	}
	return false
}

// notModified answers a conditional request whose thing has not changed. It has
// headers and no body (RFC 9110 §15.4.5).
type notModified struct{ etag string }

func (notModified) Error() string             { return "not modified" }
func (notModified) GetStatus() int            { return http.StatusNotModified }
func (n notModified) GetHeaders() http.Header { return http.Header{"Etag": {n.etag}} }
