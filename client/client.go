package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const sdkUserAgent = "stepsies-go/1"

// Client calls the API of one installation with one key. Make it with New, keep
// it, and use it from as many goroutines as you like.
type Client struct {
	base      *url.URL // without a slash at its end
	key       Secret   // zero: none is sent
	insecure  bool     // keys may travel over plain http
	http      *http.Client
	userAgent string
	retries   int
	maxWait   time.Duration
	timeout   time.Duration
	onRetry   func(Retry)
	rate      atomic.Pointer[Window]
}

// BaseURL returns the address of the installation, without /v1 and without a
// slash at its end.
func (c *Client) BaseURL() string { return c.base.String() }

// String says which installation the client calls, and nothing about its key.
func (c *Client) String() string { return "client of " + c.BaseURL() }

// GoString is String: the insides are nobody's business.
func (c *Client) GoString() string { return c.String() }

// Window is a rate limit's fixed window: a UTC minute, hour or month.
type Window struct {
	Limit     int64 `json:"limit"`     // requests that the window admits
	Remaining int64 `json:"remaining"` // requests that it still admits
	Reset     int64 `json:"reset"`     // its end, in Unix seconds
}

// ResetTime returns the end of the window in UTC.
func (w Window) ResetTime() time.Time { return time.Unix(w.Reset, 0).UTC() }

// RateLimit returns the minute's window as the last answer that told it showed
// it, and whether one did: accounts without limits are told nothing. Me gives the
// hour and the month.
func (c *Client) RateLimit() (Window, bool) {
	if w := c.rate.Load(); w != nil {
		return *w, true
	}
	return Window{}, false
}

func (c *Client) noteRate(h http.Header) {
	var w Window
	for name, to := range map[string]*int64{
		"X-RateLimit-Limit": &w.Limit, "X-RateLimit-Remaining": &w.Remaining, "X-RateLimit-Reset": &w.Reset,
	} {
		n, err := strconv.ParseInt(h.Get(name), 10, 64)
		if err != nil || n < 0 {
			return
		}
		*to = n
	}
	c.rate.Store(&w)
}

// CallOption sets something about a single call.
type CallOption func(*request)

// IfMatch has a write of a stepsy, its deletion or publication too, fail with
// ErrPreconditionFailed unless the ETag, as read before, is still that of the
// present version.
func IfMatch(etag string) CallOption { return conditional("If-Match", etag) }

// IfNoneMatch has a read fail with ErrNotModified while the ETag is that of the
// present version.
func IfNoneMatch(etag string) CallOption { return conditional("If-None-Match", etag) }

func conditional(header, etag string) CallOption {
	return func(r *request) {
		if etag == "" {
			// Sent without the header, the write would be unconditional.
			r.refuse(errors.New(header + " needs an ETag, as GetStepsy gives it"))
			return
		}
		r.header.Set(header, etag)
	}
}

// IdempotencyKey gives a write the name under which the server carries it out
// once in 24 hours: 1 to 255 printable ASCII characters. Without it each call
// gets a random one. It is for programs that repeat a write after a restart.
func IdempotencyKey(key string) CallOption {
	return func(r *request) {
		if key == "" || len(key) > 255 || strings.ContainsFunc(key, notPrintable) {
			r.refuse(errors.New("an idempotency key has 1 to 255 printable ASCII characters"))
			return
		}
		r.header.Set("Idempotency-Key", key)
	}
}

// Do calls what has no method of its own. The path begins at the base address, so
// that operations of the API begin with /v1/; it is sent as it is and may have a
// query. in is sent as JSON unless nil; a successful answer is decoded into out
// unless nil.
//
// POST and PATCH outside of /v1/ are repeated only where the request cannot have
// been carried out, or where IdempotencyKey says that repeating is safe.
func (c *Client) Do(ctx context.Context, method, path string, in, out any, opts ...CallOption) error {
	if !strings.HasPrefix(path, "/") {
		return errors.New("the path of a call begins with a slash")
	}
	_, err := c.call(ctx, newRequest(method, path), in, out, opts)
	return err
}

// request is one call, however often it is sent.
type request struct {
	method, path string // the path escaped, from the base address on
	query        url.Values
	header       http.Header
	body         []byte // nil: none
	anonymous    bool   // sent without the key
	repeatable   bool   // carried out twice it does no more than once
	err          error  // what is wrong with it
}

func newRequest(method, path string) *request {
	return &request{method: method, path: path, header: http.Header{}}
}

func (r *request) refuse(err error) {
	if r.err == nil {
		r.err = err
	}
}

// name returns what error messages call the request.
func (r *request) name() string {
	path, _, _ := strings.Cut(r.path, "?")
	return r.method + " " + path
}

// answer is a response, read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// decode decodes the answer into out unless nil, and reports whether it is one
// that the API could have given.
func (a *answer) decode(out any) bool {
	switch {
	case a.status == http.StatusNoContent:
		return true
	case out == nil: // what signs people in to a network says 200 to everything
		return !strings.HasPrefix(a.header.Get("Content-Type"), "text/html")
	}
	return json.Unmarshal(a.body, out) == nil
}

// call sends the request with in as its body and decodes the answer into out.
func (c *Client) call(ctx context.Context, r *request, in, out any, opts []CallOption) (*answer, error) {
	for _, opt := range opts {
		opt(r)
	}
	if in != nil {
		body, err := encodeJSON(in)
		if err != nil {
			r.refuse(fmt.Errorf("encode the request: %w", err))
		}
		r.body = body
		r.header.Set("Content-Type", "application/json")
	}
	if r.err != nil {
		return nil, &callError{operation: r.name(), err: r.err}
	}
	switch r.method {
	case http.MethodPost, http.MethodPatch:
		if strings.HasPrefix(r.path, "/v1/") && !r.repeatable && r.header.Get("Idempotency-Key") == "" {
			r.header.Set("Idempotency-Key", rand.Text())
		}
		r.repeatable = r.repeatable || r.header.Get("Idempotency-Key") != ""
	default: // idempotent by definition (RFC 9110 §9.2.2)
		r.repeatable = true
	}
	a, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	if !a.decode(out) {
		return nil, errorOf(r.name(), a)
	}
	return a, nil
}

// Bounds of an answer in bytes. The largest page, a hundred stepsies with their
// steps, is far below the first in practice.
const (
	maxAnswer = 64 << 20
	maxError  = 1 << 20
)

var (
	errTooLong = errors.New("the answer is too long")
	errInvalid = errors.New("the request cannot be sent")
)

// attempt sends the request once. A failure is an *Error when the server answered
// with one, and a *callError when no whole answer came.
func (c *Client) attempt(ctx context.Context, r *request) (*answer, error) {
	fail := func(err error) (*answer, error) {
		return nil, &callError{operation: r.method + " " + c.BaseURL() + strings.TrimPrefix(r.name(), r.method+" "), err: err}
	}
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("no answer within %s: %w", c.timeout, context.DeadlineExceeded))
		defer cancel()
	}
	req, err := c.build(ctx, r)
	if err != nil {
		return fail(fmt.Errorf("%w: %w", errInvalid, err))
	}
	res, err := c.http.Do(req)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // we name method and address ourselves, without the query
		}
		return fail(becauseOf(ctx, err))
	}
	defer func() { _ = res.Body.Close() }()
	c.noteRate(res.Header)
	success := res.StatusCode >= 200 && res.StatusCode < 300
	limit := int64(maxError)
	if success {
		limit = maxAnswer
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	switch {
	case err != nil:
		return fail(becauseOf(ctx, fmt.Errorf("read the answer: %w", err)))
	case success && int64(len(body)) > limit:
		return fail(fmt.Errorf("%w (over %d MiB); ask for smaller pages", errTooLong, limit>>20))
	}
	a := &answer{res.StatusCode, res.Header, body}
	switch {
	case success:
		return a, nil
	case res.StatusCode == http.StatusNotModified && r.header.Get("If-None-Match") != "":
		return nil, ErrNotModified
	}
	return nil, errorOf(r.name(), a)
}

// becauseOf returns why ctx ended if it did, and otherwise err.
func becauseOf(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	if cause := context.Cause(ctx); !errors.Is(cause, ctx.Err()) {
		return fmt.Errorf("%w: %w", ctx.Err(), cause)
	}
	return context.Cause(ctx)
}

func (c *Client) build(ctx context.Context, r *request) (*http.Request, error) {
	address := c.BaseURL() + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	var body io.Reader = http.NoBody
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, body)
	if err != nil {
		return nil, errors.New("the path or method of the call is not valid")
	}
	req.Header = r.header.Clone()
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.userAgent)
	if !r.anonymous && !c.key.IsZero() {
		req.Header.Set("Authorization", "Bearer "+c.key.Reveal())
	}
	return req, nil
}
