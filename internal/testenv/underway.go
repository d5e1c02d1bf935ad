package testenv

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// underwayTimeout bounds the wait for a server's answer.
const underwayTimeout = time.Minute

// Underway is an HTTP request that is half sent.
type Underway struct {
	request *http.Request
	conn    net.Conn
	answer  *bufio.Reader
	rest    []byte
}

// Begin sends the first half of a request to a server: of its body, where it has one. It
// returns when the server has let the request in and waits for the rest, which it says
// itself with "100 Continue" (RFC 9110 §10.1.1): a Go server does so where its handler
// begins to read the body. Of a request without a body all is sent but the end of its
// header.
func Begin(tb testing.TB, r *http.Request) *Underway {
	tb.Helper()
	if r.ContentLength > 0 {
		r.Header.Set("Expect", "100-continue")
	}
	var all bytes.Buffer
	if err := r.Write(&all); err != nil {
		tb.Fatal(err)
	}
	conn, err := (&net.Dialer{}).DialContext(tb.Context(), "tcp", r.URL.Host)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	u := &Underway{request: r, conn: conn, answer: bufio.NewReader(conn)}
	half := all.Len() - int(r.ContentLength+1)/2
	if r.ContentLength == 0 {
		half = all.Len() - 2 // of the empty line
	}
	u.rest = all.Bytes()[half:]
	if err := conn.SetDeadline(time.Now().Add(underwayTimeout)); err != nil {
		tb.Fatal(err)
	}
	if _, err := conn.Write(all.Bytes()[:half]); err != nil {
		tb.Fatal(err)
	}
	if r.ContentLength == 0 {
		return u
	}
	first, err := http.ReadResponse(u.answer, r)
	if err != nil {
		tb.Fatal(err)
	}
	if first.StatusCode != http.StatusContinue {
		body, _ := io.ReadAll(first.Body)
		tb.Fatalf("%s %s is answered before its body: %s %s", r.Method, r.URL.Path, first.Status, body)
	}
	return u
}

// Finish sends the rest and returns the answer with its body.
func (u *Underway) Finish() (*http.Response, string, error) {
	if _, err := u.conn.Write(u.rest); err != nil {
		return nil, "", err
	}
	answer, err := http.ReadResponse(u.answer, u.request)
	if err != nil {
		return nil, "", err
	}
	body, err := io.ReadAll(answer.Body)
	return answer, string(body), err
}
