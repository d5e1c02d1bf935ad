package client_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stepsies/stepsies/client"
)

// inBubble runs a test under a fake clock with a client of a server that gives
// the answers in turn.
func inBubble(t *testing.T, answers []http.HandlerFunc, opts []client.Option, test func(*testing.T, *client.Client, *recorder)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		rec := record(answers...)
		c, stop := connectInBubble(t, rec, opts...)
		defer stop()
		test(t, c, rec)
	})
}

func TestTransientFailuresAreRepeated(t *testing.T) {
	get := func(ctx context.Context, c *client.Client) error { _, err := c.GetStepsy(ctx, 1); return err }
	create := func(ctx context.Context, c *client.Client) error {
		_, err := c.CreateStepsy(ctx, client.NewStepsy{Title: "Tea"})
		return err
	}
	update := func(ctx context.Context, c *client.Client) error {
		_, err := c.UpdateStepsy(ctx, 1, client.StepsyChange{Title: client.Set("Tea")})
		return err
	}
	remove := func(ctx context.Context, c *client.Client) error { return c.DeleteStepsy(ctx, 1) }
	put := func(ctx context.Context, c *client.Client) error {
		return c.Do(ctx, http.MethodPut, "/operator/thing", 1, nil)
	}
	report := func(ctx context.Context, c *client.Client) error {
		_, err := c.ReportLeakedKeys(ctx, []string{"x"}, "")
		return err
	}
	half := func(w http.ResponseWriter, _ *http.Request) { // dies in the middle of the answer
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`{"id":`))
		panic(http.ErrAbortHandler)
	}
	for failure, answer := range map[string]http.HandlerFunc{
		"429": fail(429, client.ErrRateLimit), "502": respond(502, "<h1>Bad Gateway</h1>"), "503": fail(503, client.ErrUnavailable), "504": respond(504, ""),
		"no answer": hangUp, "half an answer": half,
	} {
		for method, call := range map[string]func(context.Context, *client.Client) error{
			"GET": get, "POST": create, "PATCH": update, "DELETE": remove, "PUT": put, "leak report": report,
		} {
			t.Run(failure+" "+method, func(t *testing.T) {
				inBubble(t, []http.HandlerFunc{answer, answer, respond(200, stepsyJSON)}, nil, func(t *testing.T, c *client.Client, rec *recorder) {
					if err := call(t.Context(), c); err != nil {
						t.Fatal(err)
					}
					got := rec.requests()
					if len(got) < 3 { // net/http itself may add one on a connection that was open
						t.Fatalf("%d requests were sent", len(got))
					}
					key := got[0].Header.Get("Idempotency-Key")
					if (key != "") != (method == "POST" || method == "PATCH") {
						t.Errorf("%s carries the idempotency key %q", method, key)
					}
					for _, r := range got[1:] {
						if r.Header.Get("Idempotency-Key") != key || r.Body != got[0].Body {
							t.Errorf("the repetition differs: %+v", r)
						}
					}
				})
			})
		}
	}
}

func TestOtherFailuresAreFinal(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 405, 408, 409, 410, 412, 413, 415, 422, 425, 500, 501} {
		inBubble(t, []http.HandlerFunc{fail(status, "some_code", "Retry-After", "1")}, nil, func(t *testing.T, c *client.Client, rec *recorder) {
			if _, err := c.CreateStepsy(t.Context(), client.NewStepsy{}); err == nil {
				t.Errorf("%d is no error", status)
			}
			if n := len(rec.requests()); n != 1 {
				t.Errorf("after a %d the request was sent %d times", status, n)
			}
		})
	}
}

func TestLocalFailuresAreFinal(t *testing.T) {
	_, missing := net.Dial("unix", filepath.Join(t.TempDir(), "socket"))
	for name, err := range map[string]error{
		"certificate":    &tls.CertificateVerificationError{Err: errors.New("expired")},
		"unknown host":   &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "stepsies.invalid", IsNotFound: true}},
		"missing socket": missing,
		"no TLS":         http.ErrSchemeMismatch,
	} {
		synctest.Test(t, func(t *testing.T) {
			tries := 0
			c := newClient(t, client.WithTransport(broken{err}), client.WithRetryNotice(func(client.Retry) { tries++ }))
			if _, got := c.Me(t.Context()); !errors.Is(got, err) || tries != 0 {
				t.Errorf("%s: %v after %d repetitions", name, got, tries)
			}
		})
	}
}

func TestRefusedConnectionIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
		var notices []client.Retry
		c := newClient(t, client.WithTransport(broken{refused}), client.WithRetryNotice(func(r client.Retry) { notices = append(notices, r) }))
		// Not even a POST that cannot be repeated has reached the server.
		err := c.Do(t.Context(), http.MethodPost, "/operator/backup?x=1", nil, nil)
		if !errors.Is(err, syscall.ECONNREFUSED) || !strings.HasSuffix(err.Error(), "connection refused (tried 4 times)") {
			t.Errorf("got %v", err)
		}
		if len(notices) != 3 || notices[2].Attempt != 3 || notices[0].Method != "POST" || notices[0].Path != "/operator/backup" || !errors.Is(notices[1].Err, refused) {
			t.Errorf("notices: %+v", notices)
		}
	})
}

func TestBackoffGrowsWithJitter(t *testing.T) {
	var waits [][]time.Duration
	for range 8 {
		var got []time.Duration
		notice := client.WithRetryNotice(func(r client.Retry) { got = append(got, r.Wait) })
		inBubble(t, []http.HandlerFunc{fail(503, client.ErrUnavailable)}, []client.Option{client.WithRetries(8), notice}, func(t *testing.T, c *client.Client, rec *recorder) {
			began := time.Now()
			if _, err := c.Me(t.Context()); !errors.Is(err, client.ErrUnavailable) {
				t.Errorf("got %v", err)
			}
			var sum time.Duration
			for _, d := range got {
				sum += d
			}
			if n := len(rec.requests()); n != 9 || len(got) != 8 || time.Since(began) != sum {
				t.Errorf("%d requests, %d waits, %s instead of %s", n, len(got), time.Since(began), sum)
			}
			waits = append(waits, got)
		})
	}
	differ := false
	for _, got := range waits {
		for i, d := range got {
			most := min(250*time.Millisecond<<i, 8*time.Second)
			if d < most/2 || d > most {
				t.Errorf("wait %d is %s, not from %s to %s", i, d, most/2, most)
			}
			differ = differ || d != waits[0][i]
		}
	}
	if !differ {
		t.Error("the waits have no jitter")
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"header": fail(429, client.ErrRateLimit, "Retry-After", "45"),
		"body":   respond(429, `{"error":{"code":"rate_limit_exceeded","message":"Slow down.","retry_after":45}}`),
		"date": func(w http.ResponseWriter, r *http.Request) {
			fail(503, client.ErrUnavailable, "Retry-After", time.Now().Add(45*time.Second).UTC().Format(http.TimeFormat))(w, r)
		},
		"proxy": respond(503, "busy", "Retry-After", "45", "Content-Type", "text/plain"),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, []http.HandlerFunc{answer, respond(200, meJSON)}, nil, func(t *testing.T, c *client.Client, _ *recorder) {
				began := time.Now()
				if _, err := c.Me(t.Context()); err != nil {
					t.Fatal(err)
				}
				if d := time.Since(began); d < 45*time.Second || d > 46*time.Second {
					t.Errorf("waited %s", d)
				}
			})
		})
	}
}

// TestWaitsAreBounded finds no sleep where the answer could not help any more.
func TestWaitsAreBounded(t *testing.T) {
	for name, test := range map[string]struct {
		opts     []client.Option
		deadline time.Duration
		answer   http.HandlerFunc
	}{
		"quota":                        {answer: fail(429, client.ErrQuota, "Retry-After", "86400")},
		"longer than the caller wants": {[]client.Option{client.WithMaxWait(10 * time.Second)}, 0, fail(429, client.ErrQuota, "Retry-After", "11")},
		"deadline before Retry-After":  {nil, 30 * time.Second, fail(429, client.ErrQuota, "Retry-After", "45")},
		"deadline before backoff":      {nil, 100 * time.Millisecond, fail(429, client.ErrQuota)},
		"no retries":                   {[]client.Option{client.WithRetries(0)}, 0, fail(429, client.ErrQuota)},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, []http.HandlerFunc{test.answer}, test.opts, func(t *testing.T, c *client.Client, rec *recorder) {
				ctx := t.Context()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				began := time.Now()
				_, err := c.Me(ctx)
				if !errors.Is(err, client.ErrQuota) || time.Since(began) != 0 || len(rec.requests()) != 1 {
					t.Errorf("%v after %s and %d requests", err, time.Since(began), len(rec.requests()))
				}
			})
		})
	}
}

func TestMaxWaitBoundsTheBackoff(t *testing.T) {
	inBubble(t, []http.HandlerFunc{fail(503, client.ErrUnavailable)}, []client.Option{client.WithRetries(20), client.WithMaxWait(time.Millisecond)},
		func(t *testing.T, c *client.Client, rec *recorder) {
			began := time.Now()
			_, err := c.Me(t.Context())
			if !errors.Is(err, client.ErrUnavailable) || len(rec.requests()) != 21 || time.Since(began) != 20*time.Millisecond {
				t.Errorf("%v after %s and %d requests", err, time.Since(began), len(rec.requests()))
			}
		})
}

func TestCancellingEndsTheWait(t *testing.T) {
	inBubble(t, []http.HandlerFunc{fail(429, client.ErrRateLimit, "Retry-After", "45")}, nil, func(t *testing.T, c *client.Client, _ *recorder) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		began := time.Now()
		_, err := c.Me(ctx)
		if !errors.Is(err, context.Canceled) || !errors.Is(err, client.ErrRateLimit) || time.Since(began) != 3*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

func TestSlowAttemptIsGivenUpAndRepeated(t *testing.T) {
	slow := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	opts := []client.Option{client.WithTimeout(5 * time.Second), client.WithRetries(1)}
	inBubble(t, []http.HandlerFunc{slow, respond(200, meJSON)}, opts, func(t *testing.T, c *client.Client, rec *recorder) {
		if _, err := c.Me(t.Context()); err != nil || len(rec.requests()) != 2 {
			t.Errorf("%v after %d requests", err, len(rec.requests()))
		}
	})
	inBubble(t, []http.HandlerFunc{slow}, opts, func(t *testing.T, c *client.Client, rec *recorder) {
		_, err := c.Me(t.Context())
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no answer within 5s") || len(rec.requests()) != 2 {
			t.Errorf("%v after %d requests", err, len(rec.requests()))
		}
	})
	late := func(w http.ResponseWriter, r *http.Request) { time.Sleep(time.Hour); respond(200, meJSON)(w, r) }
	inBubble(t, []http.HandlerFunc{late}, []client.Option{client.WithTimeout(0)}, func(t *testing.T, c *client.Client, _ *recorder) {
		if _, err := c.Me(t.Context()); err != nil {
			t.Errorf("without a timeout: %v", err)
		}
	})
}

// TestDeletionWhoseAnswerWasLost: what is gone after a repetition was deleted by
// the first attempt; what was never there was not.
func TestDeletionWhoseAnswerWasLost(t *testing.T) {
	gone := fail(404, client.ErrNotFound)
	for name, test := range map[string]struct {
		answers []http.HandlerFunc
		done    bool
	}{
		"lost, then gone":                  {[]http.HandlerFunc{hangUp, gone}, true},
		"bad gateway, then gone":           {[]http.HandlerFunc{respond(502, ""), gone}, true},
		"lost, slow down, gone":            {[]http.HandlerFunc{hangUp, fail(429, client.ErrRateLimit), gone}, true},
		"never there":                      {[]http.HandlerFunc{gone}, false},
		"slow down, then not there":        {[]http.HandlerFunc{fail(429, client.ErrRateLimit), gone}, false},
		"lost, then a proxy knows nothing": {[]http.HandlerFunc{hangUp, respond(404, "<h1>no such site</h1>")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, test.answers, nil, func(t *testing.T, c *client.Client, rec *recorder) {
				if err := c.DeleteUser(t.Context(), "sarahchen"); (err == nil) != test.done {
					t.Errorf("got %v", err)
				}
				if n := len(rec.requests()); n != len(test.answers) {
					t.Errorf("%d requests were sent", n)
				}
			})
		})
	}
	inBubble(t, []http.HandlerFunc{hangUp, gone}, nil, func(t *testing.T, c *client.Client, _ *recorder) {
		if _, err := c.GetStepsy(t.Context(), 1); !errors.Is(err, client.ErrNotFound) {
			t.Errorf("a GET after a lost answer gave %v", err)
		}
	})
}

// TestWriteThatStillRunsIsAwaited: the answer to the first attempt is lost, and the
// server says of the repetition that the first one still runs.
func TestWriteThatStillRunsIsAwaited(t *testing.T) {
	busy := fail(409, client.ErrConflict)
	for name, test := range map[string]struct {
		answers  []http.HandlerFunc
		requests int
		done     bool
	}{
		"still running, then done": {[]http.HandlerFunc{hangUp, busy, respond(201, stepsyJSON)}, 3, true},
		"taken":                    {[]http.HandlerFunc{busy}, 1, false},
		"lost, then taken":         {[]http.HandlerFunc{hangUp, busy}, 1 + client.DefaultRetries, false},
		"slow down, then taken":    {[]http.HandlerFunc{fail(429, client.ErrRateLimit), busy}, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, test.answers, nil, func(t *testing.T, c *client.Client, rec *recorder) {
				_, err := c.CreateStepsy(t.Context(), client.NewStepsy{Title: "Tea"})
				if (err == nil) != test.done || err != nil && !errors.Is(err, client.ErrConflict) {
					t.Errorf("got %v", err)
				}
				if n := len(rec.requests()); n != test.requests {
					t.Errorf("%d requests were sent, not %d", n, test.requests)
				}
			})
		})
	}
}

func TestUnknownWritesAreNotRepeated(t *testing.T) {
	send := func(ctx context.Context, c *client.Client, opts ...client.CallOption) error {
		return c.Do(ctx, http.MethodPost, "/operator/backup", struct{}{}, nil, opts...)
	}
	for name, test := range map[string]struct {
		first http.HandlerFunc
		opts  []client.CallOption
		want  int
	}{
		"no answer":         {hangUp, nil, 1},
		"unavailable":       {fail(503, client.ErrUnavailable), nil, 1},
		"refused by limit":  {fail(429, client.ErrRateLimit), nil, 2},
		"said to be safe":   {fail(503, client.ErrUnavailable), []client.CallOption{client.IdempotencyKey("a")}, 2},
		"said to be safe 2": {hangUp, []client.CallOption{client.IdempotencyKey("a")}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, []http.HandlerFunc{test.first, respond(200, `{}`)}, nil, func(t *testing.T, c *client.Client, rec *recorder) {
				if err := send(t.Context(), c, test.opts...); (err == nil) != (test.want == 2) {
					t.Errorf("got %v", err)
				}
				if n := len(rec.requests()); n != test.want {
					t.Errorf("%d requests were sent, not %d", n, test.want)
				}
			})
		})
	}
}

// TestLostSecretIsAnError: the first answer, with the secret, is lost; the server
// answers the repetition from its record, which holds no secret.
func TestLostSecretIsAnError(t *testing.T) {
	replay := respond(201, keyJSON, "Idempotency-Replayed", "true")
	inBubble(t, []http.HandlerFunc{hangUp, replay}, nil, func(t *testing.T, c *client.Client, _ *recorder) {
		created, err := c.CreateAPIKey(t.Context(), client.NewAPIKey{Name: "CI", Scopes: []client.Scope{client.ScopeRead}})
		if !errors.Is(err, client.ErrSecretLost) || !strings.Contains(fmt.Sprint(err), "revoke key 12") {
			t.Errorf("got %v", err)
		}
		if created == nil || created.ID != 12 || !created.Key.IsZero() {
			t.Errorf("got %+v", created)
		}
	})
	inBubble(t, []http.HandlerFunc{fail(409, client.ErrConflict)}, nil, func(t *testing.T, c *client.Client, _ *recorder) {
		if created, err := c.RotateAPIKey(t.Context(), 12, client.Rotation{}); !errors.Is(err, client.ErrConflict) || created != nil {
			t.Errorf("got %+v, %v", created, err)
		}
	})
}

// TestManyGoroutinesShareAClient over a real network, with failures between.
func TestManyGoroutinesShareAClient(t *testing.T) {
	var n atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := n.Add(1)
		if i%5 == 0 {
			fail(503, client.ErrUnavailable)(w, r)
			return
		}
		respond(200, meJSON, "X-RateLimit-Limit", "300", "X-RateLimit-Remaining", fmt.Sprint(i), "X-RateLimit-Reset", "1702500000")(w, r)
	}))
	defer srv.Close()
	c := newClient(t, client.WithBaseURL(srv.URL), client.WithMaxWait(time.Millisecond), client.WithRetries(20))
	failed := make(chan error, 16)
	for range cap(failed) {
		go func() {
			for range 20 {
				if _, err := c.Me(t.Context()); err != nil {
					failed <- err
					return
				}
				if w, ok := c.RateLimit(); !ok || w.Limit != 300 || w.Reset != 1702500000 {
					failed <- fmt.Errorf("rate limit %+v", w)
					return
				}
			}
			failed <- nil
		}()
	}
	for range cap(failed) {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
}
