package stepsies

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Code names a kind of failure. Codes are part of the API and never change.
type Code string

// The codes, as clients see them.
const (
	CodeBadRequest         Code = "bad_request"
	CodeUnauthorized       Code = "unauthorized"
	CodeForbidden          Code = "forbidden"
	CodeNotFound           Code = "not_found"
	CodeMethodNotAllowed   Code = "method_not_allowed"
	CodeConflict           Code = "conflict"
	CodePreconditionFailed Code = "precondition_failed"
	CodePayloadTooLarge    Code = "payload_too_large"
	CodeUnsupportedMedia   Code = "unsupported_media_type"
	CodeValidation         Code = "validation_failed"
	CodeRateLimit          Code = "rate_limit_exceeded"
	CodeQuota              Code = "quota_exceeded"
	CodeInternal           Code = "internal_error"
	CodeUnavailable        Code = "unavailable"
)

// statuses is the one table from codes to statuses, for the API and for pages.
var statuses = map[Code]int{
	CodeBadRequest:         http.StatusBadRequest,
	CodeUnauthorized:       http.StatusUnauthorized,
	CodeForbidden:          http.StatusForbidden,
	CodeNotFound:           http.StatusNotFound,
	CodeMethodNotAllowed:   http.StatusMethodNotAllowed,
	CodeConflict:           http.StatusConflict,
	CodePreconditionFailed: http.StatusPreconditionFailed,
	CodePayloadTooLarge:    http.StatusRequestEntityTooLarge,
	CodeUnsupportedMedia:   http.StatusUnsupportedMediaType,
	CodeValidation:         http.StatusUnprocessableEntity,
	CodeRateLimit:          http.StatusTooManyRequests,
	CodeQuota:              http.StatusTooManyRequests,
	CodeInternal:           http.StatusInternalServerError,
	CodeUnavailable:        http.StatusServiceUnavailable,
}

// Status returns the HTTP status that says what the code says, 500 for a code that
// there is not.
func (c Code) Status() int {
	if status, ok := statuses[c]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// Error is a failure that may be shown to whoever caused it: a stable code and a
// sentence that says what to do. The cause is for the log alone.
type Error struct {
	Code     Code
	Message  string
	Problems []Problem // every field that does not fit, for CodeValidation

	RetryAfter int64 // seconds to wait, for CodeRateLimit and CodeQuota

	cause error
}

// Problem says what is wrong with one field of the input, named as the client
// wrote it: "steps[2].title".
type Problem struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

func (e *Error) Error() string {
	s := e.Message
	for i, p := range e.Problems {
		sep := "; "
		if i == 0 {
			sep = " "
		}
		s += sep + strings.TrimSpace(p.Field+" "+p.Message)
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap returns the private cause, nil where there is none.
func (e *Error) Unwrap() error { return e.cause }

// CodeOf returns the code of the first Error in err's chain, CodeInternal for any
// other failure, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}

// BadRequest is a request that cannot be understood.
func BadRequest(format string, args ...any) *Error {
	return &Error{Code: CodeBadRequest, Message: fmt.Sprintf(format, args...)}
}

// Unauthorized is the one answer to every request without a working key.
func Unauthorized() *Error {
	return &Error{Code: CodeUnauthorized, Message: "Missing or invalid API key"}
}

// Forbidden is the one answer to a key whose scopes do not reach.
func Forbidden() *Error {
	return &Error{Code: CodeForbidden, Message: "Insufficient scope for this action"}
}

// NotFound is a thing that does not exist, or not for this caller. Thing is a
// noun: "stepsy", "API key". A user is nobody's.
func NotFound(thing string) *Error {
	if thing == "user" {
		return &Error{Code: CodeNotFound, Message: "There is no such user."}
	}
	return &Error{Code: CodeNotFound, Message: "There is no such " + thing + ", or it is not yours."}
}

// Conflict is a request that does not fit the present state.
func Conflict(format string, args ...any) *Error {
	return &Error{Code: CodeConflict, Message: fmt.Sprintf(format, args...)}
}

// PreconditionFailed is a write that names an older version than the stored one.
func PreconditionFailed() *Error {
	return &Error{Code: CodePreconditionFailed, Message: "Someone else changed this meanwhile. Fetch it again, apply your change and send the new ETag in If-Match."}
}

// TooManyRequests refuses a request over the limit of a minute or an hour, or of
// leak reports; retryAfter is in seconds.
func TooManyRequests(retryAfter int64) *Error {
	return &Error{Code: CodeRateLimit, Message: "Too many requests. Please slow down.", RetryAfter: retryAfter}
}

// QuotaExceeded refuses a request over the limit of the calendar month, which
// ends after retryAfter seconds.
func QuotaExceeded(retryAfter int64, next time.Time) *Error {
	return &Error{Code: CodeQuota, RetryAfter: retryAfter,
		Message: "The quota of this month is used up. The next one begins on " + next.UTC().Format("2 January 2006") + " (UTC); a larger plan lifts it at once."}
}

// Unavailable is a failure of something we stand on that may pass by itself.
func Unavailable(cause error) *Error {
	return &Error{Code: CodeUnavailable, Message: "The service cannot answer right now. Try again in a moment.", cause: cause}
}

// Problems gathers everything that is wrong with an input, so that it can be
// said at once.
type Problems []Problem

// Add notes a problem of a field.
func (p *Problems) Add(field, format string, args ...any) {
	*p = append(*p, Problem{Field: field, Message: fmt.Sprintf(format, args...)})
}

// AddErr notes err as a problem of the field, unless it is nil.
func (p *Problems) AddErr(field string, err error) {
	if err != nil {
		p.Add(field, "%s", err.Error())
	}
}

// Err returns the problems as one error, nil when there are none.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return &Error{Code: CodeValidation, Message: "The request does not fit. See details.", Problems: p}
}

// Invalid is an error about a single field.
func Invalid(field, format string, args ...any) error {
	var p Problems
	p.Add(field, format, args...)
	return p.Err()
}
