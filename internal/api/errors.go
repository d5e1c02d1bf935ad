package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/reqlog"
)

// statuses is the one place where a code becomes a status.
var statuses = map[stepsies.Code]int{
	stepsies.CodeBadRequest:         http.StatusBadRequest,
	stepsies.CodeUnauthorized:       http.StatusUnauthorized,
	stepsies.CodeForbidden:          http.StatusForbidden,
	stepsies.CodeNotFound:           http.StatusNotFound,
	stepsies.CodeMethodNotAllowed:   http.StatusMethodNotAllowed,
	stepsies.CodeConflict:           http.StatusConflict,
	stepsies.CodePreconditionFailed: http.StatusPreconditionFailed,
	stepsies.CodePayloadTooLarge:    http.StatusRequestEntityTooLarge,
	stepsies.CodeUnsupportedMedia:   http.StatusUnsupportedMediaType,
	stepsies.CodeValidation:         http.StatusUnprocessableEntity,
	stepsies.CodeRateLimit:          http.StatusTooManyRequests,
	stepsies.CodeQuota:              http.StatusTooManyRequests,
	stepsies.CodeInternal:           http.StatusInternalServerError,
	stepsies.CodeUnavailable:        http.StatusServiceUnavailable,
}

// Failures that are always the same.
var (
	errTooLarge = &stepsies.Error{Code: stepsies.CodePayloadTooLarge, Message: "The body is larger than 2 MiB. Send less, for instance images by address."}
	errNotJSON  = &stepsies.Error{Code: stepsies.CodeUnsupportedMedia, Message: "The body must be JSON. Send it with Content-Type: application/json."}
	errInternal = &stepsies.Error{Code: stepsies.CodeInternal, Message: "Something went wrong on our side. It has been logged."}
)

// apiError is the body of every answer that is not a success.
type apiError struct {
	Detail errorDetail `json:"error"`
	header http.Header
}

type errorDetail struct {
	Code       stepsies.Code      `json:"code" enum:"bad_request,unauthorized,forbidden,not_found,method_not_allowed,conflict,precondition_failed,payload_too_large,unsupported_media_type,validation_failed,rate_limit_exceeded,quota_exceeded,internal_error,unavailable" doc:"What kind of failure this is. Codes never change."`
	Message    string             `json:"message" doc:"A sentence that says what to do."`
	Details    []stepsies.Problem `json:"details,omitempty" doc:"With validation_failed: every field that does not fit."`
	RetryAfter int64              `json:"retry_after,omitempty" doc:"With 429: seconds to wait, as in the header Retry-After."`
	RequestID  string             `json:"request_id,omitempty" doc:"With 5xx: name it when you ask for help."`
}

func (e *apiError) Error() string  { return string(e.Detail.Code) + ": " + e.Detail.Message }
func (e *apiError) GetStatus() int { return statuses[e.Detail.Code] }

// GetHeaders is for huma, which sets them on the answer.
func (e *apiError) GetHeaders() http.Header { return e.header }

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
	detail := errorDetail{Code: e.Code, Message: e.Message, Details: e.Problems, RetryAfter: e.RetryAfter}
	if statuses[e.Code] >= http.StatusInternalServerError {
		entry.Err = err
		detail.RequestID = entry.ID
	}
	out := &apiError{Detail: detail}
	switch e.Code {
	case stepsies.CodeForbidden:
		// Admission has let the request in, so it is everyone's things that it lacks.
		out.header = http.Header{"Www-Authenticate": {insufficient(stepsies.ScopeAdmin)}}
	case stepsies.CodeUnauthorized:
		// Admission has let the request in, and its user was deleted meanwhile.
		out.header = http.Header{"Www-Authenticate": {challenge}}
	}
	return out
}

// writeError answers a request that reached no operation.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	e := toAPIError(r.Context(), err).(*apiError)
	if e.Detail.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.FormatInt(e.Detail.RetryAfter, 10))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.GetStatus())
	if r.Method != http.MethodHead {
		_ = writeJSON(w, e) // the client has gone
	}
}

// newHumaError turns what huma finds wrong with a request into our format: a
// query or a header that does not fit is a bad request, an id that is no number
// leads nowhere, and everything about the body is told field by field.
func newHumaError(op *huma.Operation, status int, message string, errs ...error) huma.StatusError {
	var problems, unknown stepsies.Problems
	for _, err := range errs {
		d, ok := err.(huma.ErrorDetailer)
		if !ok {
			continue
		}
		detail := d.ErrorDetail()
		where, field, _ := strings.Cut(detail.Location, ".")
		switch {
		case where == "path":
			return &apiError{Detail: errorDetail{Code: stepsies.CodeNotFound, Message: stepsies.NotFound(thingOf(op)).Message}}
		case strings.HasPrefix(detail.Message, notANumber):
			return tooLargeANumber(detail.Message)
		case where == "query" || where == "header":
			return &apiError{Detail: errorDetail{Code: stepsies.CodeBadRequest, Message: fmt.Sprintf("The parameter %s is wrong: %s.", field, inWords(detail.Message))}}
		}
		p := stepsies.Problem{Field: field, Message: inWords(detail.Message)}
		switch name, missing := missingField(field, detail.Message); {
		case detail.Message == validation.MsgUnexpectedProperty:
			p.Message = whyUnknown(op, field)
			unknown = append(unknown, p)
			continue
		case missing:
			p = stepsies.Problem{Field: name, Message: "is required"}
		}
		if !slices.ContainsFunc(problems, func(q stepsies.Problem) bool { return says(q, p) }) {
			problems = append(problems, p)
		}
	}
	// They come in the order of a map, which is none.
	slices.SortFunc(unknown, func(a, b stepsies.Problem) int { return strings.Compare(a.Field, b.Field) })
	problems = append(problems, unknown...)
	code := stepsies.CodeValidation
	switch {
	case len(problems) > 0:
		message = "The request does not fit. See details."
	case status == http.StatusBadRequest:
		code, message = stepsies.CodeBadRequest, "The request needs a body. Send a JSON object."
	case status >= http.StatusInternalServerError:
		code, message = stepsies.CodeInternal, "Something went wrong on our side."
	}
	return &apiError{Detail: errorDetail{Code: code, Message: message, Details: problems}}
}

// thingOf is what the path of an operation names by a number.
func thingOf(op *huma.Operation) string {
	if op != nil && strings.HasPrefix(op.Path, "/api-keys/") {
		return "API key"
	}
	return "stepsy"
}

// notANumber begins what encoding/json says of a number that no variable holds.
const notANumber = "json: cannot unmarshal number "

// tooLargeANumber refuses a body for a number in it: 1e999 is JSON. What else is
// wrong with the body was not looked at.
func tooLargeANumber(message string) *apiError {
	number, _, _ := strings.Cut(strings.TrimPrefix(message, notANumber), " ")
	if len(number) > 40 {
		number = number[:40] + "…"
	}
	return &apiError{Detail: errorDetail{Code: stepsies.CodeValidation, Message: "The request does not fit. See details.",
		Details: stepsies.Problems{{Message: "must not hold the number " + number + ", which is too large"}}}}
}

// readOnly are fields that clients read and cannot write.
var readOnly = []string{
	"id", "position", "status", "published_at", "featured_at", "views_count", "completions_count", "average_rating", "url", "user", "steps_count",
	"created_at", "updated_at", "hint", "last_used_at", "last_used_ip", "revoked_at", "revoked_reason", "leak_source_url", "refused_count",
	"last_refused_at", "user_id", "username", "suspended_at",
}

// readOnlyOfMe are those of a profile, which an admin can write.
var readOnlyOfMe = []string{"email", "role", "plan", "limits", "key"}

// whyUnknown says why an operation does not take a field.
func whyUnknown(op *huma.Operation, field string) string {
	name := field[strings.LastIndexByte(field, '.')+1:]
	switch {
	case op != nil && op.OperationID == "update-stepsy" && field == "status":
		return "is read-only here; use publish or unpublish"
	case op != nil && op.OperationID == "update-api-key" && field == "key":
		return "is read-only: the secret of a key never changes, rotate the key instead"
	case op != nil && op.OperationID == "update-me" && slices.Contains(readOnlyOfMe, field):
		return "is read-only here"
	case slices.Contains(readOnly, name):
		return "is read-only"
	}
	return "is not a field of this request"
}

// missingField returns the field that a message misses.
func missingField(in, message string) (field string, missing bool) {
	field, missing = strings.CutPrefix(message, "expected required property ")
	field, _, _ = strings.Cut(field, " ")
	if in != "" {
		field = in + "." + field
	}
	return field, missing
}

// says reports whether an earlier problem says what another one would say: of the
// same field, of what it is part of, where that has the wrong type altogether, or of
// one of its items.
func says(earlier, p stepsies.Problem) bool {
	if rest, ok := strings.CutPrefix(p.Field, earlier.Field); ok && strings.HasPrefix(earlier.Message, "must be a") {
		return earlier.Field == "" || rest == "" || rest[0] == '.' || rest[0] == '['
	}
	return earlier.Field == p.Field || strings.HasPrefix(earlier.Field, p.Field+"[")
}

// words are huma's messages about values, as people would say them.
var words = []struct{ huma, words string }{
	{"expected value to be one of ", "must be one of "},
	{"expected array length >= ", "must have at least this many items: "},
	{"expected array length <= ", "must have at most this many items: "},
	{"expected length >= ", "must have at least this many characters: "},
	{"expected length <= ", "must have at most this many characters: "},
	{"expected number >= ", atLeast},
	{"expected number <= ", atMost},
	{"expected string to be RFC 3339 date-time", "must be a time such as 2030-01-31T12:00:00Z (RFC 3339)"},
	{"expected string to be ", "must be "},
	{"expected string", "must be a string"},
	{"expected boolean", "must be a boolean"},
	{"expected integer", "must be an integer"},
	{"expected array", "must be an array"},
	{"expected object", "must be an object"},
	{"invalid integer", "must be an integer"},
}

const (
	atLeast = "must be at least "
	atMost  = "must be at most "
)

func inWords(message string) string {
	if strings.HasPrefix(message, "expected string to be RFC 5322 email") {
		return "must be an e-mail address such as sarah@example.com"
	}
	for _, w := range words {
		if rest, ok := strings.CutPrefix(message, w.huma); ok {
			if n, err := strconv.ParseFloat(rest, 64); err == nil && (w.words == atLeast || w.words == atMost) {
				rest = strconv.FormatFloat(n, 'f', -1, 64) // not 2.592e+06
			}
			return w.words + strings.ReplaceAll(rest, `"`, "")
		}
	}
	return message
}

// problems hands what a rule of the domain finds to huma, so that it is told
// together with what the schema finds.
func problems(err error) []error {
	e, ok := errors.AsType[*stepsies.Error](err)
	if !ok {
		return nil
	}
	var errs []error
	for _, p := range e.Problems {
		errs = append(errs, &huma.ErrorDetail{Location: "body." + p.Field, Message: p.Message})
	}
	return errs
}
