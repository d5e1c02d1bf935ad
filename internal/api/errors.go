package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/reqlog"
	"github.com/stepsies/stepsies/internal/store"
)

// Failures that are always the same.
var (
	errTooLarge = &stepsies.Error{Code: stepsies.CodePayloadTooLarge, Message: "The body is larger than 2 MiB. Send less, for instance images by address."}
	errNotJSON  = &stepsies.Error{Code: stepsies.CodeUnsupportedMedia, Message: "The body must be JSON. Send it with Content-Type: application/json."}
	errInternal = &stepsies.Error{Code: stepsies.CodeInternal, Message: "Something went wrong on our side. It has been logged."}
)

// Error is the body of every answer that is not a success.
type Error struct {
	Detail errorDetail `json:"error"`
	header http.Header
}

func (Error) about() string { return "Every answer that is not a success." }

type errorDetail struct {
	Code       stepsies.Code  `json:"code" enum:"bad_request,unauthorized,forbidden,not_found,method_not_allowed,conflict,precondition_failed,payload_too_large,unsupported_media_type,validation_failed,rate_limit_exceeded,quota_exceeded,internal_error,unavailable" doc:"What kind of failure this is. Codes never change."`
	Message    string         `json:"message" doc:"A sentence that says what to do."`
	Details    []errorProblem `json:"details,omitempty" doc:"With validation_failed: every field that does not fit."`
	RetryAfter int64          `json:"retry_after,omitempty" doc:"With 429: seconds to wait. Up to 3,600 the header Retry-After says the same."`
	RequestID  string         `json:"request_id,omitempty" doc:"With 5xx: name it when you ask for help."`
}

// errorProblem is a stepsies.Problem, as it is written.
type errorProblem stepsies.Problem

func (errorProblem) about() string {
	return "What is wrong with one field, named as you wrote it: `steps[2].title`."
}

func (e *Error) Error() string  { return string(e.Detail.Code) + ": " + e.Detail.Message }
func (e *Error) GetStatus() int { return e.Detail.Code.Status() }

// GetHeaders is for huma, which sets them on the answer.
func (e *Error) GetHeaders() http.Header { return e.header }

// errorOf shows a failure as it is.
func errorOf(e *stepsies.Error) *Error {
	shown := errorDetail{Code: e.Code, Message: e.Message, RetryAfter: e.RetryAfter}
	for _, p := range e.Problems {
		shown.Details = append(shown.Details, errorProblem(p))
	}
	return &Error{Detail: shown}
}

// toAPIError turns any failure into what is shown of it, and leaves the whole of
// it to the log where it is ours.
func toAPIError(ctx context.Context, err error) error {
	if _, ok := err.(notModified); ok {
		return err
	}
	entry := reqlog.From(ctx)
	e, ok := errors.AsType[*stepsies.Error](err)
	if !ok {
		e = errInternal
	}
	out := errorOf(e)
	if e.Code.Status() >= http.StatusInternalServerError {
		entry.Err = err
		out.Detail.RequestID = entry.ID
	}
	switch e.Code {
	case stepsies.CodeForbidden:
		// Admission has let the request in, so it is everyone's things that it lacks, if
		// it has not lost the scope of the operation meanwhile.
		scope := stepsies.ScopeAdmin
		if c, ok := ctx.Value(callKey{}).(*call); ok && e == store.ErrScopeGone {
			scope = c.scope
		}
		out.header = http.Header{"Www-Authenticate": {insufficient(scope)}}
	case stepsies.CodeUnauthorized:
		// Admission has let the request in, and its key ended meanwhile. How its account
		// stands is not for who has no key.
		out.header = http.Header{"Www-Authenticate": {challenge}}
		if c, ok := ctx.Value(callKey{}).(*call); ok {
			for _, name := range limitHeaders {
				c.header.Del(name)
			}
		}
	}
	return out
}

// maxRetryAfter is the longest wait, in seconds, that the header Retry-After asks for.
// Many clients obey it however long it is, in silence, and timers of JavaScript overflow
// past 24.8 days: that a month is used up stands in the body alone, so that they fail at
// once and are seen.
const maxRetryAfter = 3600

// WriteError answers a request that reached no operation.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	e := toAPIError(r.Context(), err).(*Error)
	if e.Detail.RetryAfter > 0 && e.Detail.RetryAfter <= maxRetryAfter {
		w.Header().Set("Retry-After", strconv.FormatInt(e.Detail.RetryAfter, 10))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.GetStatus())
	if r.Method != http.MethodHead {
		_ = writeJSON(w, e) // the client has gone
	}
}
