package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/server"
	"github.com/stepsies/stepsies/internal/store"
)

type demoCmd struct {
	Listen string `help:"Address to listen on; where it is in use, a free port is taken. Default: 127.0.0.1:8080." default:"127.0.0.1:8080" placeholder:"HOST:PORT" env:"STEPSIES_LISTEN"`
}

// Run serves sample stepsies from a temporary folder until it is told to end.
func (cmd *demoCmd) Run(ctx context.Context, t *terminal) error {
	if err := checkListen(cmd.Listen, "--listen"); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "stepsies-demo-")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	l, err := listenOrFree(cmd.Listen)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	address := "http://" + localAddress(l.Addr())

	var clock demoClock
	log := slog.New(slog.NewTextHandler(t.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s, err := server.Open(ctx, server.Config{
		DataDir: filepath.Join(folder, "data"), PublicURL: address, Log: log, Now: clock.now, RateLimits: true, Version: version,
	})
	if err != nil {
		return err
	}
	login, err := seed(ctx, s.Store(), &clock)
	if err != nil {
		_ = s.Close()
		return fmt.Errorf("make the samples: %w", err)
	}
	_, _ = fmt.Fprintf(t.out, `Stepsies is running at %[1]s with sample stepsies in a temporary folder.

  Sign in   %[1]s/sign-in as %[2]s with the password %[3]s
  API key   %[4]s (read, write)
  Docs      %[1]s/docs

Try the API:

curl %[1]s/v1/stepsies -H "Authorization: Bearer %[4]s"

Press Ctrl-C to end it; everything is removed then.
`, address, login.username, login.password, login.key.Reveal())
	runErr := s.Run(ctx, l)
	return errors.Join(runErr, s.Close())
}

// listenOrFree listens on the address, or on a free port of its host where that
// is taken.
func listenOrFree(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		host, _, splitErr := net.SplitHostPort(address)
		if splitErr != nil {
			return nil, splitErr
		}
		return listen(net.JoinHostPort(host, "0"), "--listen")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w; choose another address with --listen", address, err)
	}
	return l, nil
}

// demoClock is the time, or, while samples are made, a moment in the past.
type demoClock struct{ behind atomic.Int64 }

func (c *demoClock) now() time.Time { return time.Now().Add(-time.Duration(c.behind.Load())) }

func (c *demoClock) daysAgo(days int) { c.behind.Store(int64(days) * int64(24*time.Hour)) }

// login is how a visitor of the demo gets in.
type login struct {
	username, password string
	key                stepsies.Secret
}

// operatorWrite is how samples are written.
var operatorWrite = store.Write{Actor: auth.Operator().Actor}

// seed makes the sample users, their stepsies with what readers did, and a key.
func seed(ctx context.Context, s *store.Store, clock *demoClock) (login, error) {
	samples, err := readSamples()
	if err != nil {
		return login{}, err
	}
	clock.daysAgo(500)
	for i, a := range samples {
		if err := seedAuthor(ctx, s, a, i == 0); err != nil {
			return login{}, fmt.Errorf("user %s: %w", a.Username, err)
		}
	}
	readers := newReaderSeeds(clock)
	for i, a := range samples {
		for _, sample := range a.Files {
			clock.daysAgo(sample.DaysOld)
			made, err := s.CreateStepsy(ctx, operatorWrite, a.Username, sample.change)
			if err != nil {
				return login{}, fmt.Errorf("stepsy %s: %w", sample.File, err)
			}
			readers.add(made.Value, sample)
			if i > 0 {
				readers.sum(made.Value, sample)
			} else if err := readers.rate(ctx, s, made.Value, sample); err != nil { // who signs in
				return login{}, fmt.Errorf("ratings of %s: %w", sample.File, err)
			}
		}
	}
	clock.daysAgo(0)
	if err := readers.write(ctx, s); err != nil {
		return login{}, fmt.Errorf("readers: %w", err)
	}
	if err := seedKeys(ctx, s, clock, samples[0].Username); err != nil {
		return login{}, fmt.Errorf("keys: %w", err)
	}
	return seedLogin(ctx, s, samples[0].Username)
}

func seedAuthor(ctx context.Context, s *store.Store, a sampleAuthor, admin bool) error {
	plan, role := string(stepsies.PlanFree), string(stepsies.RoleMember)
	if admin {
		plan, role = string(stepsies.PlanPro), string(stepsies.RoleAdmin)
	}
	_, err := s.CreateUser(ctx, operatorWrite, stepsies.UserChange{
		Username: &a.Username, Email: &a.Email, DisplayName: &a.DisplayName, Bio: &a.Bio, Role: &role,
	}, stepsies.AccountChange{Plan: &plan})
	return err
}

func seedLogin(ctx context.Context, s *store.Store, username string) (login, error) {
	l := login{username: username, password: "demo-" + stepsies.NewSecret().Reveal()[3:15], key: stepsies.NewSecret()}
	hash, err := auth.HashPassword(ctx, l.password)
	if err != nil {
		return l, err
	}
	if err := s.SetPassword(ctx, operatorWrite, username, hash, 0); err != nil {
		return l, err
	}
	name, description := "Demo key", "Printed when the demo started"
	_, err = s.CreateAPIKey(ctx, operatorWrite, username, stepsies.KeyChange{
		Name: &name, Description: &description, Scopes: &[]string{"read", "write"},
	}, l.key)
	return l, err
}
