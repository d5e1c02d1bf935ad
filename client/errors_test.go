package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies/client"
)

func TestErrorsAreToldByTheirCode(t *testing.T) {
	codes := map[client.Code]int{
		client.ErrBadRequest: 400, client.ErrUnauthorized: 401, client.ErrForbidden: 403, client.ErrNotFound: 404,
		client.ErrMethodNotAllowed: 405, client.ErrConflict: 409, client.ErrPreconditionFailed: 412, client.ErrPayloadTooLarge: 413,
		client.ErrUnsupportedMediaType: 415, client.ErrValidation: 422, client.ErrRateLimit: 429, client.ErrQuota: 429,
		client.ErrInternal: 500, client.ErrUnavailable: 503, "of_the_future": 418,
	}
	for code, status := range codes {
		c := connect(t, record(fail(status, code)), client.WithRetries(0))
		_, err := c.Me(t.Context())
		err = fmt.Errorf("wrapped: %w", err)
		for other := range codes {
			if errors.Is(err, other) != (other == code) {
				t.Errorf("a %s is a %s: %t", code, other, other != code)
			}
		}
		e, ok := errors.AsType[*client.Error](err)
		if !ok || e.Status != status || e.Code != code || e.Message != "It went wrong." {
			t.Errorf("%s: got %#v", code, e)
		}
	}
}

func TestErrorFields(t *testing.T) {
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   client.Error
		says   string
	}{
		"validation": {
			respond(422, `{"error":{"code":"validation_failed","message":"The request does not fit. See details.","details":[{"field":"steps[2].title","message":"must not be empty"},{"field":"slug","message":"is taken"}],"new":1}}`, "X-Request-Id", "r-1"),
			client.Error{Status: 422, Code: client.ErrValidation, Message: "The request does not fit. See details.", RequestID: "r-1",
				Details: []client.Detail{{Field: "steps[2].title", Message: "must not be empty"}, {Field: "slug", Message: "is taken"}}},
			"GET /v1/me: The request does not fit. See details. steps[2].title must not be empty; slug is taken (422 validation_failed, request r-1)",
		},
		"rate limit by header": {
			respond(429, `{"error":{"code":"rate_limit_exceeded","message":"Too many requests. Please slow down.","retry_after":45}}`, "Retry-After", "46"),
			client.Error{Status: 429, Code: client.ErrRateLimit, Message: "Too many requests. Please slow down.", RetryAfter: 46 * time.Second},
			"GET /v1/me: Too many requests. Please slow down. Try again in 46s. (429 rate_limit_exceeded)",
		},
		"quota by body": {
			respond(429, `{"error":{"code":"quota_exceeded","message":"Used up.","retry_after":86400}}`),
			client.Error{Status: 429, Code: client.ErrQuota, Message: "Used up.", RetryAfter: 24 * time.Hour},
			"GET /v1/me: Used up. Try again in 24h0m0s. (429 quota_exceeded)",
		},
		"key that has ended": {
			respond(401, `{"error":{"code":"unauthorized","message":"Missing or invalid API key"}}`, "WWW-Authenticate", `Bearer realm="stepsies"`),
			client.Error{Status: 401, Code: client.ErrUnauthorized, Message: "Missing or invalid API key"},
			"GET /v1/me: Missing or invalid API key. The key may be mistyped, revoked or expired: create a new one in the dashboard's Developer tab and put it in the place of this one. (401 unauthorized)",
		},
		"missing scope": {
			respond(403, `{"error":{"code":"forbidden","message":"Insufficient scope for this action"}}`, "WWW-Authenticate", `Bearer realm="stepsies", error="insufficient_scope", scope="read"`),
			client.Error{Status: 403, Code: client.ErrForbidden, Message: "Insufficient scope for this action", Scope: client.ScopeRead},
			"GET /v1/me: Insufficient scope for this action. It needs a key with the scope read: add the scope to this key in the dashboard's Developer tab, or use another key. (403 forbidden)",
		},
		"missing scope that nobody named": {
			respond(403, `{"error":{"code":"forbidden","message":"Insufficient scope for this action"}}`, "WWW-Authenticate", `Bearer realm="stepsies scope="`),
			client.Error{Status: 403, Code: client.ErrForbidden, Message: "Insufficient scope for this action"},
			"GET /v1/me: Insufficient scope for this action (403 forbidden)",
		},
		"internal": {
			respond(500, `{"error":{"code":"internal_error","message":"Something broke.","request_id":"r-2"}}`),
			client.Error{Status: 500, Code: client.ErrInternal, Message: "Something broke.", RequestID: "r-2"},
			"GET /v1/me: Something broke. (500 internal_error, request r-2)",
		},
		"absurd wait": {
			respond(503, `{"error":{"code":"unavailable","message":"Gone.","retry_after":9223372036854775807}}`, "Retry-After", "-5"),
			client.Error{Status: 503, Code: client.ErrUnavailable, Message: "Gone.", RetryAfter: 365 * 24 * time.Hour},
			"GET /v1/me: Gone. (503 unavailable)",
		},
		"proxy page": {
			respond(502, "<html><head><title>502 Bad Gateway</title></head>\r\n<body><h1>Bad\tGateway</h1>\x00\x1b[31m</body></html>", "Content-Type", "text/html; charset=utf-8"),
			client.Error{Status: 502, Code: client.ErrUnexpectedAnswer, Message: "the answer is not one of the Stepsies API (502 Bad Gateway, text/html): 502 Bad Gateway Bad Gateway [31m"},
			"GET /v1/me: the answer is not one of the Stepsies API (502 Bad Gateway, text/html): 502 Bad Gateway Bad Gateway [31m (502 unexpected_answer)",
		},
		"someone else's 404": {
			respond(404, `{"message":"no such host here"}`),
			client.Error{Status: 404, Code: client.ErrUnexpectedAnswer, Message: `the answer is not one of the Stepsies API (404 Not Found, application/json): {"message":"no such host here"}`},
			`GET /v1/me: the answer is not one of the Stepsies API (404 Not Found, application/json): {"message":"no such host here"} (404 unexpected_answer)`,
		},
		"nothing at all": {
			respond(500, "", "Content-Type", ""),
			client.Error{Status: 500, Code: client.ErrUnexpectedAnswer, Message: "the answer is not one of the Stepsies API (500 Internal Server Error, no content type)"},
			"GET /v1/me: the answer is not one of the Stepsies API (500 Internal Server Error, no content type) (500 unexpected_answer)",
		},
		"sign-in page of a network": {
			respond(200, "<html>Welcome to the hotel</html>", "Content-Type", "text/html"),
			client.Error{Status: 200, Code: client.ErrUnexpectedAnswer, Message: "the answer is not one of the Stepsies API (200 OK, text/html): Welcome to the hotel"},
			"GET /v1/me: the answer is not one of the Stepsies API (200 OK, text/html): Welcome to the hotel (200 unexpected_answer)",
		},
		"cut short": {
			respond(200, meJSON[:100]),
			client.Error{Status: 200, Code: client.ErrUnexpectedAnswer, Message: "the answer is not one of the Stepsies API (200 OK, application/json): " + meJSON[:100]},
			"GET /v1/me: the answer is not one of the Stepsies API (200 OK, application/json): " + meJSON[:100] + " (200 unexpected_answer)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := connect(t, record(test.answer), client.WithRetries(0))
			_, err := c.Me(t.Context())
			e, ok := errors.AsType[*client.Error](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			if e.Status != test.want.Status || e.Code != test.want.Code || e.Message != test.want.Message || e.RequestID != test.want.RequestID ||
				e.RetryAfter != test.want.RetryAfter || e.Scope != test.want.Scope || fmt.Sprint(e.Details) != fmt.Sprint(test.want.Details) {
				t.Errorf("got  %+v\nwant %+v", *e, test.want)
			}
			if err.Error() != test.says {
				t.Errorf("says %q\nnot  %q", err, test.says)
			}
		})
	}
}

// endless answers with a status and bytes that never stop until the client has
// had enough.
func endless(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		chunk := strings.Repeat(" ", 1<<20)
		for range 1 << 10 {
			if _, err := io.WriteString(w, chunk); err != nil {
				return
			}
		}
		panic(http.ErrAbortHandler) // a gigabyte was read
	}
}

func TestAnswersAreBounded(t *testing.T) {
	good := record(endless(200))
	if _, err := connect(t, good).Me(t.Context()); err == nil || !strings.Contains(err.Error(), "too long (over 64 MiB)") {
		t.Errorf("an endless answer gave %v", err)
	}
	if n := len(good.requests()); n != 1 {
		t.Errorf("an answer that is too long was asked for %d times", n)
	}
	_, err := connect(t, record(endless(500))).Me(t.Context())
	if !errors.Is(err, client.ErrUnexpectedAnswer) {
		t.Errorf("an endless error gave %v", err)
	}
}

func TestLongErrorPageIsCut(t *testing.T) {
	c := connect(t, record(respond(400, strings.Repeat("é", 5000), "Content-Type", "text/plain")))
	_, err := c.Me(t.Context())
	if err == nil || len([]rune(err.Error())) > 400 || !strings.Contains(err.Error(), "é…") {
		t.Errorf("got %v", err)
	}
}

func TestConnectionFailureNamesAddressAndCause(t *testing.T) {
	c := newClient(t, client.WithBaseURL("https://stepsies.invalid"), client.WithRetries(0), client.WithTransport(broken{io.ErrUnexpectedEOF}))
	_, err := c.ListUsers(t.Context(), client.UserQuery{Q: "someone@example.com"})
	if !errors.Is(err, io.ErrUnexpectedEOF) || err.Error() != "GET https://stepsies.invalid/v1/users: unexpected EOF" {
		t.Errorf("got %v", err)
	}
}

func TestCancelledContext(t *testing.T) {
	rec := record(respond(200, meJSON))
	c := connect(t, rec)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Me(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	reason := errors.New("the user pressed Ctrl-C")
	caused, stop := context.WithCancelCause(t.Context())
	stop(reason)
	if _, err := c.Me(caused); !errors.Is(err, context.Canceled) || !errors.Is(err, reason) {
		t.Errorf("got %v", err)
	}
	if n := len(rec.requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// broken is a transport that fails.
type broken struct{ err error }

func (b broken) RoundTrip(*http.Request) (*http.Response, error) { return nil, b.err }
