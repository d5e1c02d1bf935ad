package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"
)

// Bounds of the wait before a repetition where the server names none.
const (
	firstBackoff = 250 * time.Millisecond
	lastBackoff  = 8 * time.Second
)

// Retry tells of a failed attempt that will be repeated.
type Retry struct {
	Method, Path string
	Attempt      int           // the one that failed, counted from 1
	Wait         time.Duration // until the next one
	Err          error         // why it failed
}

// callError is a call without a whole answer. What stands beneath it may have
// been written by a transport that we know nothing of, hence the redaction.
type callError struct {
	operation string
	attempts  int
	err       error
}

func (e *callError) Error() string {
	s := e.operation + ": " + e.err.Error()
	if e.attempts > 1 {
		s += fmt.Sprintf(" (tried %d times)", e.attempts)
	}
	return redact(s)
}

func (e *callError) Unwrap() error { return e.err }

// GoString is Error: %#v would show what a transport said, as it said it.
func (e *callError) GoString() string { return e.Error() }

// send sends the request, again where a repetition is safe and may help.
func (c *Client) send(ctx context.Context, r *request) (*answer, error) {
	carriedOut := false // perhaps: an earlier attempt reached the server, its answer did not reach us
	for attempt := 1; ; attempt++ {
		a, err := c.attempt(ctx, r)
		if err == nil {
			return a, nil
		}
		if carriedOut && r.method == http.MethodDelete && errors.Is(err, ErrNotFound) {
			return &answer{status: http.StatusNoContent, header: http.Header{}}, nil
		}
		if failed, ok := errors.AsType[*callError](err); ok {
			failed.attempts = attempt
		}
		fate := fateOf(err)
		if carriedOut && r.repeatable && errors.Is(err, ErrConflict) {
			// The attempt whose answer was lost may still be running. What is taken
			// indeed is refused again, and the attempts are bounded.
			fate = perhapsDone
		}
		carriedOut = carriedOut || fate == perhapsDone
		if ctx.Err() != nil || attempt > c.retries || fate == final || fate == perhapsDone && !r.repeatable {
			return nil, err
		}
		wait, ok := c.waitAfter(ctx, err, attempt)
		if !ok {
			return nil, err
		}
		if c.onRetry != nil {
			path, _, _ := strings.Cut(r.path, "?")
			c.onRetry(Retry{Method: r.method, Path: path, Attempt: attempt, Wait: wait, Err: err})
		}
		if stopped := sleep(ctx, wait); stopped != nil {
			return nil, &callError{operation: r.name(), err: fmt.Errorf("%w while waiting to try again after: %w", stopped, err)}
		}
	}
}

// fate is what a failure means for a repetition.
type fate int

const (
	final       fate = iota // the next attempt would end the same way
	notDone                 // the request was surely not carried out
	perhapsDone             // it may have been
)

func fateOf(err error) fate {
	if refused, ok := errors.AsType[*Error](err); ok {
		switch refused.Status {
		case http.StatusTooManyRequests:
			return notDone
		case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return perhapsDone
		}
		return final
	}
	if _, ok := errors.AsType[*callError](err); !ok {
		return final // ErrNotModified
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return final
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return final
	}
	if errors.Is(err, errTooLong) || errors.Is(err, errInvalid) || errors.Is(err, fs.ErrNotExist) { // a socket that is not there
		return final
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return notDone
	}
	return perhapsDone
}

// waitAfter returns how long to wait after a failed attempt, and whether that is
// within the bounds of the client and the context.
func (c *Client) waitAfter(ctx context.Context, err error, attempt int) (time.Duration, bool) {
	var wait time.Duration
	if refused, ok := errors.AsType[*Error](err); ok && refused.RetryAfter > 0 {
		if refused.RetryAfter > c.maxWait {
			return 0, false
		}
		// A little later than asked for, so that not all who were refused come back
		// at the same instant.
		wait = refused.RetryAfter + upTo(min(refused.RetryAfter/10, time.Second))
	} else {
		backoff := min(firstBackoff<<min(attempt-1, 10), lastBackoff)
		wait = min(backoff/2+upTo(backoff/2), c.maxWait)
	}
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= wait {
		return 0, false
	}
	return wait, true
}

// upTo returns a random duration from 0 to d.
func upTo(d time.Duration) time.Duration { return rand.N(d + 1) }

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return becauseOf(ctx, nil)
	}
}
