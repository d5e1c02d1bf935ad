package server

import (
	"bufio"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestWhatIsNoRequestIsRefusedInOurFormat sends what net/http answers by itself, and
// what a handler answers beside it.
func TestWhatIsNoRequestIsRefusedInOurFormat(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{MaxHeaderBytes: maxHeaderBytes, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, "400 Bad Request")
	})}
	go func() { _ = srv.Serve(refusals{l, slog.New(slog.DiscardHandler)}) }()
	t.Cleanup(func() { _ = srv.Close() })

	const rest = " HTTP/1.1\r\nHost: localhost\r\n"
	// As much as the server reads and no more: what it left unread would reset the
	// connection, and the answer with it.
	large := "GET /v1/me" + rest + "X: "
	large += strings.Repeat("a", maxHeaderBytes+4096-len(large))
	for name, c := range map[string]struct {
		request string
		status  int
		says    string // "": the handler answers
	}{
		"an escape that is none":     {"GET /v1/%zz" + rest + "\r\n", 400, "cannot be read"},
		"two hosts":                  {"GET /v1/me" + rest + "Host: other\r\n\r\n", 400, "cannot be read"},
		"no host":                    {"GET /v1/me HTTP/1.1\r\n\r\n", 400, "cannot be read"},
		"a length that is none":      {"POST /v1/me" + rest + "Content-Length: x\r\n\r\n", 400, "cannot be read"},
		"a version that is none":     {"GET /v1/me HTTP/9\r\n\r\n", 400, "cannot be read"},
		"no HTTP":                    {"hello\r\n\r\n", 400, "cannot be read"},
		"headers too large":          {large, 431, "larger than 64 KiB"},
		"another transfer encoding":  {"POST /v1/me" + rest + "Transfer-Encoding: gzip\r\n\r\n", 501, "transfer encoding"},
		"what a handler is asked":    {"GET /v1/me" + rest + "Connection: close\r\n\r\n", 400, ""},
		"what a handler is asked 10": {"GET /v1/me HTTP/1.0\r\n\r\n", 400, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
			if _, err := io.WriteString(conn, c.request); err != nil {
				t.Fatal(err)
			}
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			text, err := io.ReadAll(answer.Body)
			if err != nil || answer.StatusCode != c.status {
				t.Fatalf("%v, status %d, want %d: %s", err, answer.StatusCode, c.status, text)
			}
			if c.says == "" {
				if string(text) != "400 Bad Request" || answer.Header.Get("Date") == "" {
					t.Errorf("the handler's answer came as %v %q", answer.Header, text)
				}
				return
			}
			var body struct {
				Error struct{ Code, Message string }
			}
			if err := json.Unmarshal(text, &body); err != nil || body.Error.Code != "bad_request" || !strings.Contains(body.Error.Message, c.says) {
				t.Errorf("%v: %s, want %q", err, text, c.says)
			}
			if h := answer.Header; h.Get("Content-Type") != "application/json" || !strings.HasPrefix(h.Get("X-Request-Id"), "req_") || !answer.Close {
				t.Errorf("headers %v", h)
			}
		})
	}
}
