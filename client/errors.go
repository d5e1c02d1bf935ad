package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Code names a kind of failure. It is an error itself, so that a failure can be
// told by errors.Is(err, client.ErrNotFound) or by comparing Error.Code.
type Code string

// Error returns the code as the API spells it.
func (c Code) Error() string { return string(c) }

// The codes of the API. A newer server may send others.
const (
	ErrBadRequest           Code = "bad_request"            // 400: the request cannot be read, or a parameter is wrong
	ErrUnauthorized         Code = "unauthorized"           // 401: no key, or one that is unknown, revoked or expired
	ErrForbidden            Code = "forbidden"              // 403: the key lacks the scope
	ErrNotFound             Code = "not_found"              // 404: it does not exist, or not for this caller
	ErrMethodNotAllowed     Code = "method_not_allowed"     // 405
	ErrConflict             Code = "conflict"               // 409: taken, or not possible in the present state
	ErrPreconditionFailed   Code = "precondition_failed"    // 412: IfMatch names an older version
	ErrPayloadTooLarge      Code = "payload_too_large"      // 413: over 2 MiB
	ErrUnsupportedMediaType Code = "unsupported_media_type" // 415
	ErrValidation           Code = "validation_failed"      // 422: see Error.Details
	ErrRateLimit            Code = "rate_limit_exceeded"    // 429: the minute or the hour is used up
	ErrQuota                Code = "quota_exceeded"         // 429: the month is used up
	ErrInternal             Code = "internal_error"         // 500
	ErrUnavailable          Code = "unavailable"            // 503
)

// ErrUnexpectedAnswer is the code of an answer that is not one of the API's: a
// proxy's error page, a redirect, HTML where JSON was due. Error.Status has its
// status.
const ErrUnexpectedAnswer Code = "unexpected_answer"

// ErrNotModified is the result of a read with IfNoneMatch when the version that
// the caller has is still the present one.
var ErrNotModified = errors.New("not modified")

// Error is a failure that the server answered with.
type Error struct {
	Status     int           // HTTP status
	Code       Code          // kind of failure, stable
	Message    string        // a sentence for people
	Details    []Detail      // every field that does not fit, for ErrValidation
	RequestID  string        // names the request in the server's log; "" where unknown
	RetryAfter time.Duration // when a repetition makes sense; 0 where the server did not say
	Scope      Scope         // the scope that the key lacks, for ErrForbidden; "" where the server did not say

	operation string
}

// Detail says what is wrong with one field of the request: "steps[2].title",
// "must not be empty".
type Detail struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Advice returns a sentence that says what to do about the failure where the
// message cannot: every bad key gets the same answer, and the message of a missing
// scope does not name it. It is "" for all other failures.
func (e *Error) Advice() string {
	switch {
	case e.Code == ErrUnauthorized:
		return "The key may be mistyped, revoked or expired: create a new one in the dashboard's Developer tab and put it in the place of this one."
	case e.Code == ErrForbidden && e.Scope != "":
		return fmt.Sprintf("It needs a key with the scope %s: add the scope to this key in the dashboard's Developer tab, or use another key.", e.Scope)
	case (e.Code == ErrRateLimit || e.Code == ErrQuota) && e.RetryAfter > 0:
		return fmt.Sprintf("Try again in %s.", e.RetryAfter)
	}
	return ""
}

// Error returns one line with the operation, the message, all details, the
// advice, the status, the code and the request's id. It never holds an API key.
func (e *Error) Error() string {
	said := e.Message
	for i, d := range e.Details {
		sep := "; "
		if i == 0 {
			sep = " "
		}
		said += sep + strings.TrimSpace(d.Field+" "+d.Message)
	}
	if advice := e.Advice(); advice != "" {
		said = strings.TrimRight(said, ".") + ". " + advice
	}
	if e.operation != "" {
		said = e.operation + ": " + said
	}
	said += fmt.Sprintf(" (%d %s", e.Status, e.Code)
	if e.RequestID != "" {
		said += ", request " + e.RequestID
	}
	return said + ")"
}

// Is reports whether target is the error's code.
func (e *Error) Is(target error) bool {
	code, ok := target.(Code)
	return ok && code == e.Code
}

// errorOf turns an answer that is no success into an Error.
func errorOf(operation string, a *answer) *Error {
	e := &Error{
		Status:     a.status,
		RequestID:  oneLine(a.header.Get("X-Request-Id"), 128),
		RetryAfter: retryAfter(a.header.Get("Retry-After"), time.Now()),
		operation:  operation,
	}
	var wire struct {
		Error struct {
			Code       Code     `json:"code"`
			Message    string   `json:"message"`
			Details    []Detail `json:"details"`
			RequestID  string   `json:"request_id"`
			RetryAfter int64    `json:"retry_after"`
		} `json:"error"`
	}
	err := json.Unmarshal(a.body, &wire)
	if err != nil || wire.Error.Code == "" || a.status < 400 {
		e.Code, e.Message = ErrUnexpectedAnswer, describe(a)
		return e
	}
	e.Code, e.Message = Code(redact(string(wire.Error.Code))), redact(wire.Error.Message)
	if e.Code == ErrForbidden {
		e.Scope = neededScope(a.header.Get("WWW-Authenticate"))
	}
	for _, d := range wire.Error.Details {
		e.Details = append(e.Details, Detail{redact(d.Field), redact(d.Message)})
	}
	if e.RequestID == "" {
		e.RequestID = oneLine(wire.Error.RequestID, 128)
	}
	if e.RetryAfter == 0 {
		e.RetryAfter = seconds(wire.Error.RetryAfter)
	}
	return e
}

var scopeParameter = regexp.MustCompile(`[ ,]scope="([a-z]{1,32})"`)

// neededScope reads the scope from a challenge (RFC 6750 §3): "" where it names
// none, or several.
func neededScope(challenge string) Scope {
	if m := scopeParameter.FindStringSubmatch(challenge); m != nil {
		return Scope(m[1])
	}
	return ""
}

// describe says in a sentence what came in place of an answer of the API.
func describe(a *answer) string {
	status := strconv.Itoa(a.status)
	if text := http.StatusText(a.status); text != "" {
		status += " " + text
	}
	if to := a.header.Get("Location"); to != "" && a.status >= 300 && a.status < 400 {
		where := "elsewhere"
		if u, err := url.Parse(to); err == nil && u.Host != "" {
			where = "to " + u.Scheme + "://" + u.Host
		}
		return redact(fmt.Sprintf("the server answered %s and sends us %s; redirects are not followed, so that no key travels with them: give the right base address", status, oneLine(where, 200)))
	}
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	if kind == "" {
		kind = "no content type"
	}
	s := fmt.Sprintf("the answer is not one of the Stepsies API (%s, %s)", status, oneLine(kind, 80))
	if text := oneLine(withoutTags(string(a.body)), 200); text != "" {
		s += ": " + text
	}
	return s
}

// withoutTags leaves of an HTML page what a person would read, roughly.
func withoutTags(page string) string {
	var b strings.Builder
	inTag := false
	for _, r := range page[:min(len(page), 8<<10)] {
		switch {
		case r == '<':
			inTag = true
			b.WriteByte(' ')
		case r == '>' && inTag:
			inTag = false
		case !inTag:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// oneLine returns the text without keys, control characters and runs of space,
// cut to limit characters.
func oneLine(text string, limit int) string {
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(redact(text), ""), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return text
}

// retryAfter reads a Retry-After header (RFC 9110 §10.2.3): seconds or a date. It
// is 0 for one that is absent, past or cannot be read.
func retryAfter(header string, now time.Time) time.Duration {
	if n, err := strconv.ParseInt(header, 10, 64); err == nil {
		return seconds(n)
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// seconds returns n seconds as a duration from 0 to a year.
func seconds(n int64) time.Duration {
	const year = 365 * 24 * 60 * 60
	return time.Duration(min(max(n, 0), year)) * time.Second
}
