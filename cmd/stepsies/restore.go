package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stepsies/stepsies/internal/server"
	"github.com/stepsies/stepsies/internal/store"
)

type restoreCmd struct {
	File          string `arg:"" help:"The backup." placeholder:"FILE"`
	RevokeAllKeys bool   `help:"Revoke every key, for when the present database is lost and with it what was revoked since."`
	Yes           bool   `help:"Do not ask."`
	JSON          bool   `help:"Print JSON."`
}

// Help says what does not come back.
func (cmd *restoreCmd) Help() string {
	return "What ended since the backup does not come back with it, as far as the present data knows: keys that were revoked, shortened or narrowed, " +
		"users who were suspended, demoted or deleted, old passwords and addresses. Each is printed. Sessions, invitations and links end."
}

// Run puts a backup in the place of everything. No server may run on the data.
func (cmd *restoreCmd) Run(ctx context.Context, t *terminal, in *Installation) error {
	if err := in.check(); err != nil {
		return err
	}
	f, err := os.Open(cmd.File)
	if err != nil {
		return fmt.Errorf("open the backup: %w", err)
	}
	defer func() { _ = f.Close() }()
	if err := confirm(ctx, t, cmd.Yes, "Replace everything in this installation by the backup?"); err != nil {
		return err
	}
	s, err := openOwned(ctx, in, server.Config{Log: slog.New(slog.DiscardHandler), Migrate: true})
	if errors.Is(err, server.ErrBusy) {
		return errors.New("a server runs on this data; stop it first")
	}
	if err != nil {
		return err
	}
	done, err := s.Store().Restore(ctx, f, cmd.RevokeAllKeys)
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	cmd.warn(t, in, done)
	if cmd.JSON {
		return printJSON(t.out, restoredJSON(done))
	}
	return printRestored(t.out, in, done)
}

// warn tells what the operator may have to do now.
func (cmd *restoreCmd) warn(t *terminal, in *Installation, done store.Restored) {
	switch {
	case done.Known && done.Unnamed:
		t.notice("the backup does not say which installation it is of, as older versions' do not, and was taken for one of this: what is not here any more came back revoked or suspended. " +
			"To have all of it, restore it into an empty data folder or database")
	case !done.Known && !cmd.RevokeAllKeys:
		t.notice("there was no data here of the installation in the backup, so nothing could tell what was revoked since. " +
			"Revoke what should not work any more, or every key: restore again with --revoke-all-keys")
	}
	if command := adminCommand(done, in); command != "" {
		t.notice("nobody can administer the installation now; run: %s", command)
	}
}

// adminCommand makes somebody an admin where there is none, "" where there is one.
func adminCommand(done store.Restored, in *Installation) string {
	if done.Admins > 0 {
		return ""
	}
	c := done.Candidate
	if c == nil {
		return "stepsies user create NAME --email YOU@EXAMPLE.COM --admin" + in.flags()
	}
	command := "stepsies user set " + c.Username
	if c.Member {
		command += " --role admin"
	}
	if c.Suspended {
		command += " --unsuspend"
	}
	return command + in.flags()
}

// maxPrintedKeptBack bounds the lines that a restore prints for people.
const maxPrintedKeptBack = 200

func printRestored(out io.Writer, in *Installation, done store.Restored) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "Restored %d rows of the backup made at %s.\n", done.Rows, done.Made.Format(time.RFC3339))
	shown := done.KeptBack[:min(len(done.KeptBack), maxPrintedKeptBack)]
	if len(shown) > 0 {
		_, _ = fmt.Fprintln(w, "These have less than in the backup, since it ended meanwhile:")
	}
	for _, k := range shown {
		what, name := k.Kind, ""
		if k.Kind == "api_key" {
			what, name = "key "+strconv.FormatInt(k.ID, 10), k.Hint+" "+printable(k.Name)
		}
		_, _ = fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", what, k.User, name, strings.Join(k.Reason, "; "))
	}
	if more := int64(len(done.KeptBack)-len(shown)) + done.KeptBackMore; more > 0 {
		_, _ = fmt.Fprintf(w, "and %d more, which the record of activity has: stepsies activity%s\n", more, in.flags())
	}
	_, _ = fmt.Fprintln(w, "Everyone must sign in again. Invitations, preview links and links in e-mails have ended.")
	return w.Flush()
}

// restoredObject is what a restore did, for programs.
type restoredObject struct {
	Made         string           `json:"made"`
	Rows         int64            `json:"rows"`
	Known        bool             `json:"known"` // by the data that was here
	Revoked      int64            `json:"revoked"`
	Admins       int64            `json:"admins"`
	KeptBack     []store.KeptBack `json:"kept_back"`
	KeptBackMore int64            `json:"kept_back_more"`
}

func restoredJSON(done store.Restored) restoredObject {
	if done.KeptBack == nil {
		done.KeptBack = []store.KeptBack{}
	}
	return restoredObject{
		Made: done.Made.Format(time.RFC3339), Rows: done.Rows, Known: done.Known, Revoked: done.Revoked, Admins: done.Admins,
		KeptBack: done.KeptBack, KeptBackMore: done.KeptBackMore,
	}
}
