package client_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stepsies/stepsies/client"
)

// newKey makes a key at run time: none stands in the source.
func newKey() string {
	var random [24]byte
	_, _ = rand.Read(random[:])
	return "sk_" + hex.EncodeToString(random[:])
}

// connect returns a client of a server with that handler, on a loopback port.
func connect(t testing.TB, h http.Handler, opts ...client.Option) *client.Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return newClient(t, append([]client.Option{client.WithBaseURL(srv.URL)}, opts...)...)
}

func newClient(t testing.TB, opts ...client.Option) *client.Client {
	t.Helper()
	c, err := client.New(append([]client.Option{client.WithAPIKey(newKey())}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// pipes is a listener without a network, so that a real server and a real
// transport run under the fake clock of testing/synctest.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	close sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.close.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-p.done:
		return nil, &net.OpError{Op: "dial", Net: "pipe", Err: net.ErrClosed}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// connectInBubble returns a client of a server with that handler, to be used in a
// synctest bubble, and what stops them.
func connectInBubble(t *testing.T, h http.Handler, opts ...client.Option) (*client.Client, func()) {
	t.Helper()
	p := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	srv := &http.Server{Handler: h}
	go func() { _ = srv.Serve(p) }()
	transport := &http.Transport{DialContext: p.dial}
	c := newClient(t, append([]client.Option{client.WithBaseURL("http://localhost"), client.WithTransport(transport)}, opts...)...)
	return c, func() {
		transport.CloseIdleConnections()
		_ = srv.Close()
	}
}

// received is a request as a server saw it.
type received struct {
	Method, Path, Query string
	Header              http.Header
	Body                string
}

// recorder answers with its answers in turn, the last one again and again, and
// keeps what was asked.
type recorder struct {
	mu      sync.Mutex
	got     []received
	answers []http.HandlerFunc
}

func record(answers ...http.HandlerFunc) *recorder { return &recorder{answers: answers} }

func (rec *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	rec.mu.Lock()
	rec.got = append(rec.got, received{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Clone(), string(body)})
	answer := rec.answers[min(len(rec.got), len(rec.answers))-1]
	rec.mu.Unlock()
	answer(w, r)
}

func (rec *recorder) requests() []received {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return append([]received(nil), rec.got...)
}

// respond answers with a status, a JSON body and headers in pairs.
func respond(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		if status != http.StatusNoContent && status != http.StatusNotModified {
			_, _ = io.WriteString(w, body)
		}
	}
}

// fail answers with an error of the API.
func fail(status int, code client.Code, headers ...string) http.HandlerFunc {
	body, _ := json.Marshal(map[string]any{"error": map[string]any{"code": code, "message": "It went wrong."}})
	return respond(status, string(body), headers...)
}

// hangUp ends the connection without an answer.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}
