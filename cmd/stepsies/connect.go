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

// connect returns a client that acts as the operator: through the socket of the
// server that owns the data folder, or, where none runs and on PostgreSQL, on the
// same server brought up inside this process. The caller calls done.
func connect(ctx context.Context, t *terminal, in *Installation) (c *client.Client, done func(), err error) {
	deadline := time.Now().Add(ownerWait)
	for {
		if in.Database == "" {
			if conn, err := server.DialOperator(in.Data); err == nil {
				_ = conn.Close()
				c, err := operatorClient(socketTransport(in.Data))
				return c, func() {}, err
			}
		}
		s, err := openInstallation(ctx, in, server.Config{Log: slog.New(slog.DiscardHandler), PublicURL: "http://localhost"})
		if err == nil {
			c, err := operatorClient(handlerTransport{s.OperatorHandler()})
			return c, func() {
				if err := s.Close(); err != nil {
					t.log.Error("close the installation", "error", err)
				}
			}, err
		}
		if !errors.Is(err, server.ErrBusy) || time.Now().After(deadline) {
			return nil, nil, err
		}
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func openInstallation(ctx context.Context, in *Installation, c server.Config) (*server.Server, error) {
	c.DataDir, c.DatabaseURL = in.Data, in.Database
	return server.Open(ctx, c)
}

func operatorClient(transport http.RoundTripper) (*client.Client, error) {
	c, err := client.New(client.WithBaseURL("http://localhost"), client.WithoutAPIKey(), client.WithTransport(transport))
	if err != nil {
		return nil, fmt.Errorf("connect to the server: %w", err)
	}
	return c, nil
}

func socketTransport(dataDir string) http.RoundTripper {
	return &http.Transport{
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return server.DialOperator(dataDir) },
		DisableKeepAlives: true,
	}
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
