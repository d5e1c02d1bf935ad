package api

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/stepsies/stepsies"
)

// sayings are what huma finds wrong with a value, by kind, in the words of people: huma
// takes them for its own. What no schema of a request can meet is not here.
var sayings = []struct {
	huma  *string
	words string
}{
	{&validation.MsgUnexpectedProperty, "is not a field of this request"},
	{&validation.MsgExpectedRequiredProperty, "is required: %s"},
	{&validation.MsgExpectedString, mustBeString},
	{&validation.MsgExpectedBoolean, mustBeBoolean},
	{&validation.MsgExpectedInteger, mustBeInteger},
	{&validation.MsgExpectedArray, mustBeArray},
	{&validation.MsgExpectedObject, mustBeObject},
	{&validation.MsgExpectedOneOf, "must be one of %s"},
	{&validation.MsgExpectedMinimumNumber, "must be at least %v"},
	{&validation.MsgExpectedMaximumNumber, "must be at most %v"},
	{&validation.MsgExpectedMaxLength, "must have at most this many characters: %d"},
	{&validation.MsgExpectedMinItems, "must have at least this many items: %d"},
	{&validation.MsgExpectedMaxItems, "must have at most this many items: %d"},
	{&validation.MsgExpectedBePattern, "must be %s"},
	{&validation.MsgExpectedRFC5322Email, "must be an e-mail address such as sarah@example.com"},
}

// What is said of a value of another type.
const (
	mustBeString  = "must be a string"
	mustBeBoolean = "must be a boolean"
	mustBeInteger = "must be an integer"
	mustBeArray   = "must be an array"
	mustBeObject  = "must be an object"
)

var typeSayings = []string{mustBeString, mustBeBoolean, mustBeInteger, mustBeArray, mustBeObject}

// notInteger is what huma says of a parameter, in words that cannot be replaced.
const notInteger = "invalid integer"

// formatFinding fills a saying in.
func formatFinding(format string, args ...any) string {
	if !strings.Contains(format, "%") {
		return format // and leaves out what a parser had to say
	}
	for i, arg := range args {
		if n, ok := arg.(float64); ok {
			args[i] = strconv.FormatFloat(n, 'f', -1, 64) // not 2.592e+06
		}
	}
	return fmt.Sprintf(format, args...)
}

// finding is a problem of a field on its way through huma: what a rule of the domain
// finds is told together with what the schema finds.
type finding struct {
	stepsies.Problem
	wrongType bool // so that nothing else needs to be said of what is in it
}

func (f finding) Error() string { return f.Field + " " + f.Message }

// problems hands what a rule of the domain finds to huma.
func problems(err error) []error {
	e, ok := errors.AsType[*stepsies.Error](err)
	if !ok {
		return nil
	}
	var errs []error
	for _, p := range e.Problems {
		errs = append(errs, finding{Problem: p})
	}
	return errs
}

// newHumaError turns what is wrong with a request into our format: a query or a
// header that does not fit is a bad request, an id that is no number leads nowhere,
// and everything about the body is told field by field.
func newHumaError(ctx huma.Context, status int, _ string, errs ...error) huma.StatusError {
	op := operationOf(ctx.Operation())
	var found, unknown []finding
	for _, err := range errs {
		f, ok := err.(finding)
		if d, isHuma := err.(*huma.ErrorDetail); isHuma {
			where, field, _ := strings.Cut(d.Location, ".")
			switch where {
			case "path":
				return errorOf(stepsies.NotFound(op.thing))
			case "query", "header":
				return errorOf(stepsies.BadRequest("The parameter %s is wrong: %s.", field, ofParameter(d.Message)))
			}
			if number, ok := tooLargeNumber(callOf(ctx.Context()).body); ok {
				// What else is wrong with the body was not looked at.
				return errorOf(&stepsies.Error{Code: stepsies.CodeValidation, Message: doesNotFit,
					Problems: stepsies.Problems{{Message: "must not hold the number " + number + ", which is too large"}}})
			}
			if d.Message == validation.MsgUnexpectedProperty {
				unknown = append(unknown, finding{Problem: stepsies.Problem{Field: field, Message: op.whyUnknown(field)}})
				continue
			}
			f, ok = op.ofBody(field, d.Message), true
		}
		if ok && !slices.ContainsFunc(found, func(earlier finding) bool { return earlier.says(f) }) {
			found = append(found, f)
		}
	}
	// They come in the order of a map, which is none.
	slices.SortFunc(unknown, func(a, b finding) int { return strings.Compare(a.Field, b.Field) })
	found = append(found, unknown...)
	switch {
	case len(found) > 0:
		fit := &stepsies.Error{Code: stepsies.CodeValidation, Message: doesNotFit}
		for _, f := range found {
			fit.Problems = append(fit.Problems, f.Problem)
		}
		return errorOf(fit)
	case status == http.StatusBadRequest:
		return errorOf(stepsies.BadRequest("The request needs a body. Send a JSON object."))
	}
	return toAPIError(ctx.Context(), errors.Join(errs...)).(*Error)
}

// doesNotFit is the sentence above a list of problems.
const doesNotFit = "The request does not fit. See details."

func ofParameter(message string) string {
	if message == notInteger {
		return mustBeInteger
	}
	return message
}

// ofBody is what huma finds wrong with a field of the body.
func (o *operation) ofBody(field, message string) finding {
	name, ok := o.missing[message]
	if !ok {
		return finding{stepsies.Problem{Field: field, Message: message}, slices.Contains(typeSayings, message)}
	}
	if field != "" {
		name = field + "." + name
	}
	return finding{Problem: stepsies.Problem{Field: name, Message: "is required"}}
}

// missingFields are the fields that a schema requires, by what huma says where one
// is missing.
func missingFields(r huma.Registry, s *huma.Schema) map[string]string {
	missing := map[string]string{}
	var walk func(*huma.Schema)
	walk = func(s *huma.Schema) {
		if s == nil {
			return
		}
		if s.Ref != "" {
			s = r.SchemaFromRef(s.Ref)
		}
		for _, name := range s.Required {
			missing[formatFinding(validation.MsgExpectedRequiredProperty, name)] = name
		}
		walk(s.Items)
		for _, p := range s.Properties {
			walk(p)
		}
	}
	walk(s)
	return missing
}

// says reports whether a finding says what another one would say: of the same field,
// of what it is part of, where that has the wrong type altogether, or of one of its
// items.
func (f finding) says(p finding) bool {
	if rest, ok := strings.CutPrefix(p.Field, f.Field); ok && f.wrongType {
		return f.Field == "" || rest == "" || rest[0] == '.' || rest[0] == '['
	}
	return f.Field == p.Field || strings.HasPrefix(f.Field, p.Field+"[")
}

// tooLargeNumber finds a number in a body that no variable holds: 1e999 is JSON.
func tooLargeNumber(body []byte) (number string, ok bool) {
	inString := false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inString:
			if c == '\\' {
				i++
			}
			inString = c != '"'
		case c == '"':
			inString = true
		case c == '-' || '0' <= c && c <= '9':
			end := i
			for end < len(body) && strings.IndexByte("0123456789+-.eE", body[end]) >= 0 {
				end++
			}
			number = string(body[i:end])
			if _, err := strconv.ParseFloat(number, 64); err != nil {
				if len(number) > 40 {
					number = number[:40] + "…"
				}
				return number, true
			}
			i = end - 1
		}
	}
	return "", false
}

// readOnly are fields that clients read and cannot write.
var readOnly = []string{
	"id", "position", "status", "published_at", "featured_at", "views_count", "completions_count", "average_rating", "url", "user", "steps_count",
	"created_at", "updated_at", "hint", "last_used_at", "last_used_ip", "revoked_at", "revoked_reason", "leak_source_url", "refused_count",
	"last_refused_at", "user_id", "username", "suspended_at",
}

// whyUnknown says why an operation does not take a field.
func (o *operation) whyUnknown(field string) string {
	if why, ok := o.refuses[field]; ok {
		return why
	}
	if slices.Contains(readOnly, field[strings.LastIndexByte(field, '.')+1:]) {
		return "is read-only"
	}
	return "is not a field of this request"
}
