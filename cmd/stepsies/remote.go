package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/alecthomas/kong"

	"github.com/stepsies/stepsies/client"
)

// errInterrupted is what Ctrl-C and SIGTERM make of a command.
var errInterrupted = errors.New("interrupted")

// remote returns a client of the server that the user is logged in to.
func remote(t *terminal, opts ...client.Option) (*client.Client, error) {
	l, err := findLogin()
	if err != nil {
		return nil, err
	}
	return l.client(t, opts...)
}

// client returns a client with the login's key. Whoever waits for a server is told
// why.
func (l savedLogin) client(t *terminal, opts ...client.Option) (*client.Client, error) {
	c, err := client.New(append([]client.Option{
		client.WithBaseURL(l.URL), client.WithAPIKey(l.Key.Reveal()), client.WithUserAgent("stepsies/" + version),
		client.WithRetryNotice(func(r client.Retry) {
			if r.Wait < time.Second {
				return
			}
			t.notice("trying again in %s: %s", r.Wait.Round(time.Second), sentence(r.Err))
		}),
	}, opts...)...)
	if errors.Is(err, client.ErrUnencrypted) {
		return nil, explained{"the API key would travel unencrypted to " + printable(l.URL) + ", and everyone on the way could read it: use https://", err}
	}
	return c, err
}

// explain says what to do about a failure that a server answered with.
func explain(ctx context.Context, parsed *kong.Context, err error) error {
	if s, ok := errors.AsType[stopped](err); ok {
		return explained{s.of(explain(ctx, parsed, s.err)), err}
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return errInterrupted
	}
	const isItRight = "is its address right (stepsies login, or " + client.EnvBaseURL + ")?"
	if _, ok := errors.AsType[*net.OpError](err); ok && isRemote(parsed.Selected()) {
		return explained{"the server cannot be reached: " + err.Error() + "; " + isItRight, err}
	}
	if errors.Is(err, http.ErrSchemeMismatch) {
		return explained{"the server speaks plain http and no TLS at this address; " + isItRight, err}
	}
	failed, ok := errors.AsType[*client.Error](err)
	if !ok {
		return err
	}
	say := func(format string, args ...any) error {
		return explained{fmt.Sprintf(format, args...), err}
	}
	switch failed.Code {
	case client.ErrUnexpectedAnswer:
		return say("%s; %s", failed.Message, isItRight)
	case client.ErrUnauthorized:
		then := "and run stepsies login"
		if os.Getenv(client.EnvAPIKey) != "" {
			then = "and put it into " + client.EnvAPIKey
		}
		return say("the server does not accept the API key: it was revoked, has expired or is mistyped; make a new one in the dashboard, under Developer, %s", then)
	case client.ErrForbidden:
		lacks := "scope for this: reading takes read, changing takes write"
		if failed.Scope != "" {
			lacks = "scope " + printable(string(failed.Scope))
		}
		return say("the API key lacks the %s; add it to the key in the dashboard, under Developer, or use another key", lacks)
	case client.ErrRateLimit, client.ErrQuota:
		if failed.RetryAfter > 0 {
			return say("%s Try again in %s.", failed.Message, failed.RetryAfter.Round(time.Second))
		}
	}
	return err
}

// explained is an error with words of our own.
type explained struct {
	text string
	err  error
}

func (e explained) Error() string { return e.text }

func (e explained) Unwrap() error { return e.err }
