package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/stepsies/stepsies/client"
)

type loginCmd struct {
	URL string `name:"url" help:"Address of the server, without /v1. Default: the saved one, or ${hosted}." placeholder:"URL" env:"STEPSIES_URL"`
}

// Help says where the key comes from.
func (cmd *loginCmd) Help() string {
	return `The key is asked for on a terminal, and read from standard input elsewhere: stepsies login < key.txt. It is never an argument, since those stand in the shell's history and every user of the machine can read them.

You make a key in the dashboard, under Developer. login checks it and keeps it in your configuration folder, in a file that only you can read. The variables STEPSIES_API_KEY and STEPSIES_URL go before what is saved.`
}

// Run checks a key and keeps it.
func (cmd *loginCmd) Run(ctx context.Context, t *terminal) error {
	in := bufio.NewReader(io.LimitReader(t.in, maxLoginFile))
	address, err := cmd.address(ctx, t, in)
	if err != nil {
		return err
	}
	// Before the key is asked for: a wrong address needs none.
	if _, err := client.New(client.WithoutAPIKey(), client.WithBaseURL(address)); err != nil {
		return usageError{err}
	}
	key, err := readKey(ctx, t, in)
	if err != nil {
		return err
	}
	l := savedLogin{URL: address, Key: client.NewSecret(key)}
	c, err := l.client(t)
	if err != nil {
		return err
	}
	l.URL = c.BaseURL()
	me, err := c.Me(ctx)
	readable := !errors.Is(err, client.ErrForbidden)
	if err != nil && readable {
		return err
	}
	path, err := l.save()
	if err != nil {
		return err
	}
	if !readable {
		_, err = fmt.Fprintf(t.out, "Logged in to %s with a key that cannot read, so that only publish, unpublish and delete by id work. Saved in %s.\n", l.URL, path)
		return err
	}
	with := ""
	if k := me.Key; k != nil {
		with = fmt.Sprintf(" with the key %q (%s)", printable(k.Name), joinScopes(k.Scopes))
	}
	_, err = fmt.Fprintf(t.out, "Logged in to %s as %s%s. Saved in %s.\n", l.URL, printable(me.Username), with, path)
	if os.Getenv(client.EnvAPIKey) != "" {
		t.notice("warning: %s is set and goes before the saved key", client.EnvAPIKey)
	}
	return err
}

// address is the one given, or on a terminal the one answered with, or what was
// saved, or the hosted Stepsies.
func (cmd *loginCmd) address(ctx context.Context, t *terminal, in *bufio.Reader) (string, error) {
	if cmd.URL != "" {
		return cmd.URL, nil
	}
	usual := client.DefaultBaseURL
	if saved, ok, err := loadLogin(); err == nil && ok {
		usual = saved.URL
	}
	if !isTerminal(t.in) {
		return usual, nil
	}
	_, _ = fmt.Fprintf(t.err, "Address of the server [%s]: ", usual)
	text, err := answer(ctx, t, in)
	if err != nil {
		return "", fmt.Errorf("read the address: %w", err)
	}
	if text == "" {
		return usual, nil
	}
	return text, nil
}

// readKey reads the key: hidden on a terminal, elsewhere a line of standard input.
func readKey(ctx context.Context, t *terminal, in *bufio.Reader) (string, error) {
	if !isTerminal(t.in) {
		line, err := in.ReadString('\n')
		if err != nil && err != io.EOF {
			return "", fmt.Errorf("read the key: %w", err)
		}
		if line = strings.TrimSpace(line); line == "" {
			return "", usagef("no key on standard input; give it there: stepsies login < key.txt")
		}
		return line, nil
	}
	_, _ = fmt.Fprint(t.err, "API key (not shown): ")
	fd := int(t.in.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("read the key: %w", err)
	}
	read := make(chan error, 1)
	var key []byte
	go func() {
		var err error
		key, err = term.ReadPassword(fd)
		read <- err
	}()
	// Ctrl-C must not leave a terminal that shows nothing of what is typed.
	select {
	case err = <-read:
	case <-ctx.Done():
		err = errors.Join(errInterrupted, term.Restore(fd, before))
	}
	_, _ = fmt.Fprintln(t.err)
	if err == io.EOF {
		return "", usagef("no key was given")
	}
	if err != nil {
		return "", fmt.Errorf("read the key: %w", err)
	}
	return strings.TrimSpace(string(key)), nil
}

type logoutCmd struct{}

// Run forgets the saved key. The key itself stays alive.
func (cmd *logoutCmd) Run(t *terminal) error {
	was, err := removeLogin()
	if err != nil {
		return err
	}
	text := "No login was saved.\n"
	if was {
		text = "Logged out. The key itself still works; revoke it in the dashboard, under Developer, if nothing else uses it.\n"
	}
	_, err = fmt.Fprint(t.out, text)
	return err
}

func joinScopes(scopes []client.Scope) string {
	names := make([]string, len(scopes))
	for i, s := range scopes {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}
