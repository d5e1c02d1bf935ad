package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/api"
)

// TestWhoSendsTooMuchSeesTheAnswer sends bodies that fit into no buffer on the way, and
// reads nothing before the last byte of them is sent, as simple clients do.
func TestWhoSendsTooMuchSeesTheAnswer(t *testing.T) {
	in := open(t, "")
	network := in.listen(t)
	w := in.world(t)
	const size = 14 << 20
	for _, c := range []struct {
		as, length string
		status     int
	}{
		{"key", fmt.Sprintf("Content-Length: %d", size), http.StatusRequestEntityTooLarge},
		{"key", "Transfer-Encoding: chunked", http.StatusRequestEntityTooLarge},
		{"", fmt.Sprintf("Content-Length: %d", size), http.StatusUnauthorized},
		{"reader", fmt.Sprintf("Content-Length: %d", size), http.StatusForbidden},
	} {
		conn := dial(t, network.Listener.Addr(), head(w, c.as, c.length))
		if strings.HasPrefix(c.length, "Transfer") {
			_, _ = fmt.Fprintf(conn, "%x\r\n", size)
		}
		if n, err := conn.Write(make([]byte, size)); err != nil {
			t.Errorf("%s, %s: the connection was closed after %d bytes: %v", c.as, c.length, n, err)
			continue
		}
		if strings.HasPrefix(c.length, "Transfer") {
			_, _ = io.WriteString(conn, "\r\n0\r\n\r\n")
		}
		r, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || r.StatusCode != c.status {
			t.Errorf("%s, %s: %+v (%v), want %d", c.as, c.length, r, err, c.status)
		}
	}
}

// TestWhoAsksBeforeSendingIsToldAtOnce sends no body: a client that expects leave to
// send it gets the refusal in its place.
func TestWhoAsksBeforeSendingIsToldAtOnce(t *testing.T) {
	in := open(t, "")
	network := in.listen(t)
	w := in.world(t)
	for as, want := range map[string]string{"key": "413", "": "401", "reader": "403"} {
		conn := dial(t, network.Listener.Addr(), head(w, as, fmt.Sprintf("Content-Length: %d\r\nExpect: 100-continue", api.MaxBody+1)))
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "HTTP/1.1 "+want) {
			t.Errorf("%q: %q (%v), want %s", as, line, err, want)
		}
	}
}

func head(w *world, as, more string) string {
	key := "nothing"
	if as != "" {
		key = w.get(as)
	}
	return "POST /v1/stepsies HTTP/1.1\r\nHost: example.com\r\nContent-Type: application/json\r\nAuthorization: Bearer " + key + "\r\n" + more + "\r\n\r\n"
}

// dial connects, sends the head of a request and bounds what follows.
func dial(t *testing.T, addr net.Addr, head string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, head); err != nil {
		t.Fatal(err)
	}
	return conn
}
