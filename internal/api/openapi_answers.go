package api

import (
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/stepsies/stepsies"
)

const (
	headerRef = "#/components/headers/"
	schemaRef = "#/components/schemas/"
	errorRef  = schemaRef + "Error"
)

// limitHeaders are those of every answer to a working key, on an account with a
// limit per minute.
var limitHeaders = []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}

// answerHeaders are the headers that many answers share.
var answerHeaders = map[string]*huma.Header{
	"X-Request-Id":          {Description: "Names this request in the log. Yours, if you sent a sane one.", Schema: &huma.Schema{Type: huma.TypeString}, Example: "req_5f2b8c1d9e3a4706"},
	"X-RateLimit-Limit":     {Description: "Requests that the account may make in this minute. Absent where it has no limit.", Schema: &huma.Schema{Type: huma.TypeInteger}, Example: 300},
	"X-RateLimit-Remaining": {Description: "How many of them are left.", Schema: &huma.Schema{Type: huma.TypeInteger}, Example: 295},
	"X-RateLimit-Reset":     {Description: "When the minute ends, in Unix seconds.", Schema: &huma.Schema{Type: huma.TypeInteger}, Example: 1702500000},
	"Retry-After":           {Description: "Seconds to wait before the next request can succeed; absent where that is more than 3,600, over the month.", Schema: &huma.Schema{Type: huma.TypeInteger}, Example: 45},
	"WWW-Authenticate":      {Description: "What is missing (RFC 6750).", Schema: &huma.Schema{Type: huma.TypeString}, Example: challenge},
}

// errorNames names the answers that are not successes, by status.
var errorNames = map[int]string{
	http.StatusBadRequest: "BadRequest", http.StatusUnauthorized: "Unauthorized", http.StatusForbidden: "Forbidden", http.StatusNotFound: "NotFound",
	http.StatusConflict: "Conflict", http.StatusPreconditionFailed: "PreconditionFailed", http.StatusRequestEntityTooLarge: "PayloadTooLarge",
	http.StatusUnsupportedMediaType: "UnsupportedMediaType", http.StatusUnprocessableEntity: "ValidationFailed",
	http.StatusTooManyRequests: "TooManyRequests", http.StatusInternalServerError: "InternalError", http.StatusServiceUnavailable: "Unavailable",
}

// errorResponses describes every failure once, for all operations.
func errorResponses() map[string]*huma.Response {
	const requestID = "req_5f2b8c1d9e3a4706"
	failures := []struct {
		description string
		detail      errorDetail
		headers     []string
	}{
		{"The body is not JSON or not UTF-8, or a parameter is unknown, empty, given twice, cannot be read or is out of its range.",
			errorDetail{Code: stepsies.CodeBadRequest, Message: "The parameter limit is wrong: must be at most 100."}, nil},
		{"There is no API key, or it does not work: malformed, unknown, revoked, expired, or its user is suspended or gone. The answer is the same for all of them.",
			errorDetail{Code: stepsies.CodeUnauthorized, Message: stepsies.Unauthorized().Message}, []string{"WWW-Authenticate"}},
		{"The key lacks the scope. `WWW-Authenticate` names it.",
			errorDetail{Code: stepsies.CodeForbidden, Message: stepsies.Forbidden().Message}, []string{"WWW-Authenticate"}},
		{"It does not exist, or is not yours to see or, when writing, to change.",
			errorDetail{Code: stepsies.CodeNotFound, Message: stepsies.NotFound("stepsy").Message}, nil},
		{"It does not fit what is there: a slug, username or e-mail address is taken, a key is revoked, an admin is the last one, or the first request with this Idempotency-Key still runs after 10 seconds.",
			errorDetail{Code: stepsies.CodeConflict, Message: "This slug is taken by another of the author's stepsies. Choose another one."}, nil},
		{"`If-Match` names an older version.",
			errorDetail{Code: stepsies.CodePreconditionFailed, Message: stepsies.PreconditionFailed().Message}, nil},
		{"The body has more than 2 MiB.",
			errorDetail{Code: stepsies.CodePayloadTooLarge, Message: errTooLarge.Message}, nil},
		{"The body is not JSON by its Content-Type, or is compressed.",
			errorDetail{Code: stepsies.CodeUnsupportedMedia, Message: errNotJSON.Message}, nil},
		{"Well-formed JSON that does not fit: a wrong type, a missing, unknown or read-only field, a value out of its range. `details` lists all problems at once.",
			errorDetail{Code: stepsies.CodeValidation, Message: "The request does not fit. See details.",
				Details: []errorProblem{{Field: "title", Message: "must not be empty"}, {Field: "steps[2].title", Message: "is required"}}}, nil},
		{"Over the limit of the minute or the hour (`rate_limit_exceeded`) or of the month (`quota_exceeded`). The request was not counted.",
			errorDetail{Code: stepsies.CodeRateLimit, Message: stepsies.TooManyRequests(45).Message, RetryAfter: 45}, []string{"Retry-After"}},
		{"Something went wrong on our side.",
			errorDetail{Code: stepsies.CodeInternal, Message: errInternal.Message, RequestID: requestID}, nil},
		{"Something that we stand on does not answer. Try again in a moment.",
			errorDetail{Code: stepsies.CodeUnavailable, Message: stepsies.Unavailable(nil).Message, RequestID: requestID}, nil},
	}
	responses := map[string]*huma.Response{}
	for _, f := range failures {
		headers := map[string]*huma.Header{"X-Request-Id": {Ref: headerRef + "X-Request-Id"}}
		names := f.headers
		if f.detail.Code != stepsies.CodeUnauthorized { // which counts for nobody
			names = slices.Concat(names, limitHeaders)
		}
		for _, name := range names {
			headers[name] = &huma.Header{Ref: headerRef + name}
		}
		responses[errorNames[f.detail.Code.Status()]] = &huma.Response{
			Description: f.description, Headers: headers,
			Content: map[string]*huma.MediaType{"application/json": {
				Schema:  &huma.Schema{Ref: errorRef},
				Example: Error{Detail: f.detail},
			}},
		}
	}
	return responses
}
