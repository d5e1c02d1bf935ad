package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/stepsies/stepsies/client"
	"github.com/stepsies/stepsies/internal/server"
)

// ownerWait is how long a command waits for a data folder whose owner is just
// starting or ending.
const ownerWait = 5 * time.Second

// ownerPoll is how often it tries meanwhile: more often than a new command takes
// to start, so that whoever waits is not overtaken again and again.
const ownerPoll = 10 * time.Millisecond

// connect returns a client that acts as the operator. The caller calls done.
func connect(ctx context.Context, t *terminal, in *Installation) (c *client.Client, done func(), err error) {
	if err := in.check(); err != nil {
		return nil, nil, err
	}
	o := &operator{in: in}
	if err := o.find(ctx); err != nil {
		return nil, nil, err
	}
	c, err = client.New(client.WithBaseURL("http://localhost"), client.WithoutAPIKey(), client.WithTransport(o))
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("connect to the server: %w", err), o.close())
	}
	return c, func() {
		if err := o.close(); err != nil {
			t.log.Error("close the installation", "error", err)
		}
	}, nil
}

// operator carries a command's requests, one after the other, to whoever owns the
// installation at that moment: through the socket to the server that owns the data
// folder, or, where none runs and on PostgreSQL, to the same server brought up
// inside this process. Servers may come and go between two requests.
type operator struct {
	in   *Installation
	conn net.Conn       // to the socket, for the next request
	own  *server.Server // of this process; once it is there it stays until close
}

// find makes sure that there is somebody to take the next request.
func (o *operator) find(ctx context.Context) error {
	deadline := time.Now().Add(ownerWait)
	for o.conn == nil && o.own == nil {
		if o.in.Database == "" {
			if conn, err := server.DialOperator(o.in.Data); err == nil {
				o.conn = conn
				break
			}
		}
		s, err := openInstallation(ctx, o.in, server.Config{Log: slog.New(slog.DiscardHandler)})
		if err == nil {
			o.own = s
			break
		}
		if !errors.Is(err, server.ErrBusy) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(ownerPoll):
		}
	}
	return nil
}

// RoundTrip carries one request. A connection serves no second one: the server
// may end between the two.
func (o *operator) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := o.find(r.Context()); err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	if o.own != nil {
		return handlerTransport{o.own.OperatorHandler()}.RoundTrip(r)
	}
	conn := o.conn
	o.conn = nil
	socket := &http.Transport{
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return conn, nil },
		DisableKeepAlives: true,
	}
	return socket.RoundTrip(r)
}

func (o *operator) close() error {
	if o.conn != nil {
		_ = o.conn.Close()
	}
	if o.own != nil {
		return o.own.Close()
	}
	return nil
}

func openInstallation(ctx context.Context, in *Installation, c server.Config) (*server.Server, error) {
	c.DataDir, c.DatabaseURL = in.Data, in.Database
	return server.Open(ctx, c)
}

// handlerTransport carries requests to a handler in this process.
type handlerTransport struct{ http.Handler }

// RoundTrip calls the handler and returns what it wrote.
func (t handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	r = r.Clone(r.Context())
	r.RequestURI = r.URL.RequestURI()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	t.ServeHTTP(rec, r)
	return rec.Result(), nil
}
