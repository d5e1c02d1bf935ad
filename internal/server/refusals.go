package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/reqlog"
)

// refusals is a listener whose connections answer in our own format what net/http
// refuses before there is a request for a handler: an address that cannot be read,
// headers that are too large. It has no other way to say what such an answer is.
type refusals struct {
	net.Listener
	log *slog.Logger
}

func (l refusals) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return refusingConn{c, l.log}, nil
}

type refusingConn struct {
	net.Conn
	log *slog.Logger
}

// refusalHeaders are all that net/http writes with a refusal of its own; an answer
// of a handler has a date at least.
const refusalHeaders = "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"

// maxRefusal is longer than any refusal, so that what is longer need not be searched.
const maxRefusal = 512

// Write passes on what is written but for a refusal, which comes in one piece.
func (c refusingConn) Write(b []byte) (int, error) {
	if len(b) > maxRefusal {
		return c.Conn.Write(b)
	}
	status, _, found := bytes.Cut(b, []byte(refusalHeaders))
	if !found || !bytes.HasPrefix(status, []byte("HTTP/1.1 ")) || bytes.Contains(status, []byte("\r\n")) {
		return c.Conn.Write(b)
	}
	id := reqlog.NewID()
	c.log.Debug("a request could not be read", "answer", string(status), "request_id", id)
	if _, err := c.Conn.Write(refusal(string(status), id)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// refusal is the answer with that status line, without the reasons that net/http
// puts into it.
func refusal(status, id string) []byte {
	message := "The request cannot be read. Look at its address, its headers and its length."
	switch code := status[len("HTTP/1.1 "):][:3]; code {
	case "431":
		message = fmt.Sprintf("The headers are larger than %d KiB. Send less.", maxHeaderBytes>>10)
	case "501":
		message = "The body comes in a transfer encoding other than chunked. Send it chunked or with its length."
	default:
		status = "HTTP/1.1 400 Bad Request"
	}
	var body struct {
		Error struct {
			Code    stepsies.Code `json:"code"`
			Message string        `json:"message"`
		} `json:"error"`
	}
	body.Error.Code, body.Error.Message = stepsies.CodeBadRequest, message
	text, _ := json.Marshal(body) // two strings never fail
	return fmt.Appendf(nil, "%s\r\nContent-Type: application/json\r\nX-Request-Id: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", status, id, len(text), text)
}
