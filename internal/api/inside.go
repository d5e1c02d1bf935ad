package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/stepsies/stepsies/internal/reqlog"
)

// admitted is a request that was let in and asks for operations inside this process.
type admitted struct {
	*call
	ctx context.Context // ends with the request

	mu    sync.Mutex
	ended bool  // an operation was asked for when the key worked no more
	err   error // a failure of ours, for the log
}

type admittedKey struct{}

// admittedIn returns the request on whose behalf a call is made inside this process, nil
// for calls from outside.
func admittedIn(ctx context.Context) *admitted {
	by, _ := ctx.Value(admittedKey{}).(*admitted)
	return by
}

func (by *admitted) hasEnded() bool {
	by.mu.Lock()
	defer by.mu.Unlock()
	return by.ended
}

func (by *admitted) failure() error {
	by.mu.Lock()
	defer by.mu.Unlock()
	return by.err
}

// inside carries requests to the operations without a network, on behalf of an admitted
// request in their context. They were counted with that one. All else is judged as ever:
// whether the key works at this moment, its scope, and every write in its transaction.
type inside struct{ *API }

// RoundTrip asks for an operation.
func (in inside) RoundTrip(r *http.Request) (*http.Response, error) {
	by := admittedIn(r.Context())
	if by == nil {
		return nil, errors.New("a call inside the process belongs to no request")
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(by.ctx, cancel)()
	ctx, entry := reqlog.Inside(ctx)
	r = r.Clone(ctx)
	r.RequestURI = r.URL.RequestURI()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	var answer heldAnswer
	in.ServeHTTP(&answer, r)
	by.mu.Lock()
	by.ended = by.ended || answer.code() == http.StatusUnauthorized
	if by.err == nil {
		by.err = entry.Err
	}
	by.mu.Unlock()
	return answer.response(r), nil
}

// heldAnswer keeps an answer until it is whole.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header is for handlers to fill.
func (h *heldAnswer) Header() http.Header {
	if h.header == nil {
		h.header = http.Header{}
	}
	return h.header
}

// WriteHeader keeps the first status; 1xx are not the answer yet.
func (h *heldAnswer) WriteHeader(status int) {
	if h.status == 0 && status >= 200 {
		h.status = status
	}
}

// Write never fails.
func (h *heldAnswer) Write(b []byte) (int, error) { return h.body.Write(b) }

func (h *heldAnswer) code() int {
	if h.status == 0 {
		return http.StatusOK
	}
	return h.status
}

func (h *heldAnswer) response(r *http.Request) *http.Response {
	return &http.Response{
		StatusCode: h.code(), Status: http.StatusText(h.code()), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h.Header(), Body: io.NopCloser(&h.body), ContentLength: int64(h.body.Len()), Request: r,
	}
}
