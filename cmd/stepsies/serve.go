package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/stepsies/stepsies/internal/mail"
	"github.com/stepsies/stepsies/internal/reqlog"
	"github.com/stepsies/stepsies/internal/server"
)

type serveCmd struct {
	Listen         string        `help:"Address to listen on. Default: 127.0.0.1:8080." default:"127.0.0.1:8080" placeholder:"HOST:PORT" env:"STEPSIES_LISTEN"`
	PublicURL      string        `help:"Address under which clients reach the server; links are built from it. Default: the address listened on." placeholder:"URL" env:"STEPSIES_PUBLIC_URL"`
	RateLimits     string        `help:"Limits of the plans: on or off." enum:"on,off" default:"on" env:"STEPSIES_RATE_LIMITS"`
	Signup         string        `help:"Who may sign up: open, invite or closed." enum:"open,invite,closed" default:"invite" env:"STEPSIES_SIGNUP"`
	Drain          time.Duration `help:"How long /readyz says no before the server stops accepting, at SIGTERM." default:"0s" env:"STEPSIES_DRAIN"`
	MetricsListen  string        `help:"An address of its own for /metrics, for an internal network. Without it, /metrics is on the public one and answers this machine alone." placeholder:"HOST:PORT" env:"STEPSIES_METRICS_LISTEN"`
	SMTP           string        `name:"smtp" help:"Mail server for forgotten passwords, confirmations and invitations: smtp://user:password@host:587 (STARTTLS), smtps://user:password@host:465, or smtp://localhost:25?tls=off for a relay on this machine that wants neither encryption nor a password. Without it no e-mail is sent. Better as a variable, since every user of a machine can read flags." placeholder:"URL" env:"STEPSIES_SMTP"`
	MailFrom       string        `help:"Address that e-mail is sent from: Stepsies <stepsies@example.com>." placeholder:"ADDRESS" env:"STEPSIES_MAIL_FROM"`
	AllowedOrigins []string      `help:"Origins from which browsers may call the API." placeholder:"ORIGIN" env:"STEPSIES_ALLOWED_ORIGINS"`
	LeakPartners   string        `help:"Public keys of GitHub's secret scanning, which may then report leaked keys at /leaked-keys/github: a file as from https://api.github.com/meta/public_keys/secret_scanning, or its text." placeholder:"FILE|JSON" env:"STEPSIES_LEAK_PARTNERS"`
	TrustedProxies []string      `help:"Networks of proxies whose X-Forwarded-For is believed." placeholder:"CIDR" env:"STEPSIES_TRUSTED_PROXIES"`
}

// maxPartnersFile bounds the file of the keys of partners, in bytes.
const maxPartnersFile = 64 << 10

// gcPercent lets the heap of a few megabytes grow to some twenty before it is
// collected. With Go's default of 100 a busy server collects many times a second.
const gcPercent = 400

// Run serves until it is told to end.
func (cmd *serveCmd) Run(ctx context.Context, t *terminal, in *Installation) error {
	proxies, err := reqlog.ParseProxies(cmd.TrustedProxies)
	if err != nil {
		return usagef("--trusted-proxies: %w", err)
	}
	if err := in.check(); err != nil {
		return err
	}
	if err := checkListen(cmd.Listen, "--listen"); err != nil {
		return err
	}
	if cmd.MetricsListen != "" {
		if err := checkListen(cmd.MetricsListen, "--metrics-listen"); err != nil {
			return err
		}
	}
	if err := checkOrigins(cmd.AllowedOrigins); err != nil {
		return err
	}
	if cmd.Drain < 0 || cmd.Drain > 10*time.Minute {
		return usagef("--drain must be from 0s to 10m")
	}
	partners, err := cmd.leakPartners()
	if err != nil {
		return err
	}
	publicURL, err := cmd.publicURL()
	if err != nil {
		return err
	}
	mail, err := cmd.mailer()
	if err != nil {
		return err
	}
	// All that was given makes sense; what follows may still fail.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	l, err := listen(cmd.Listen, "--listen")
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	if publicURL == "" {
		publicURL = "http://" + localAddress(l.Addr())
	}
	var metrics net.Listener
	if cmd.MetricsListen != "" {
		if metrics, err = listen(cmd.MetricsListen, "--metrics-listen"); err != nil {
			return err
		}
		defer func() { _ = metrics.Close() }()
	}
	config := server.Config{
		PublicURL: publicURL, Origins: cmd.AllowedOrigins, Proxies: proxies, Log: t.log, Migrate: true, Mail: mail,
		SignUp: cmd.Signup, RateLimits: cmd.RateLimits == "on", RedisURL: in.Redis, Drain: cmd.Drain, MetricsListener: metrics,
		LeakPartners: partners, Version: version,
	}
	s, err := openOwned(ctx, in, config)
	if err != nil {
		return err
	}
	if link, err := s.FirstAdminLink(ctx); err == nil && link != "" {
		_, _ = fmt.Fprintf(t.out, "There is no admin yet. Become the first one at %s or run: stepsies user create NAME --email YOU@EXAMPLE.COM --admin%s\n", link, in.flags())
	}
	t.log.Info("serving", "listen", l.Addr().String(), "public_url", publicURL, "database", s.Store().Engine())
	go debug.FreeOSMemory() // what starting took is not needed again
	runErr := s.Run(ctx, l)
	if err := s.Close(); err != nil && runErr == nil {
		runErr = fmt.Errorf("close the installation: %w", err)
	}
	if runErr == nil {
		t.log.Info("stopped")
	}
	return runErr
}

// leakPartners reads the keys of who may report leaked keys by signed messages.
func (cmd *serveCmd) leakPartners() (string, error) {
	text := strings.TrimSpace(cmd.LeakPartners)
	if text != "" && !strings.HasPrefix(text, "{") {
		f, err := os.Open(text)
		if err != nil {
			return "", fmt.Errorf("--leak-partners: %w", err)
		}
		data, err := io.ReadAll(io.LimitReader(f, maxPartnersFile))
		_ = f.Close()
		if err != nil {
			return "", fmt.Errorf("--leak-partners: %w", err)
		}
		if text = strings.TrimSpace(string(data)); text == "" {
			return "", usagef("--leak-partners: the file %s is empty", cmd.LeakPartners)
		}
	}
	if err := server.CheckLeakPartners(text); err != nil {
		return "", usagef("--leak-partners: %w", err)
	}
	return text, nil
}

// mailer is the way to send e-mail, nil where there is none.
func (cmd *serveCmd) mailer() (*mail.Mailer, error) {
	if cmd.SMTP == "" {
		if cmd.MailFrom != "" {
			return nil, usagef("--mail-from is of no use without --smtp")
		}
		return nil, nil
	}
	m, err := mail.New(cmd.SMTP, cmd.MailFrom)
	if err != nil {
		return nil, usageError{err}
	}
	return m, nil
}

// openOwned opens an installation, waiting for an owner of the data folder who is
// just ending.
func openOwned(ctx context.Context, in *Installation, c server.Config) (*server.Server, error) {
	deadline := time.Now().Add(ownerWait)
	for {
		s, err := openInstallation(ctx, in, c)
		if !errors.Is(err, server.ErrBusy) || time.Now().After(deadline) {
			return s, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(ownerPoll):
		}
	}
}

// flags are what a command beside this one must be given to find the same data.
// A database address can hold a password and is not repeated.
func (in *Installation) flags() string {
	if in.Database != "" {
		return " --database …"
	}
	return " --data " + in.Data
}

// listen listens on an address that the flag gave.
func listen(address, flag string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("the address %s is in use by another program; choose another one with %s", address, flag)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %s: %w; choose another address with %s", address, err, flag)
	}
	return l, nil
}
