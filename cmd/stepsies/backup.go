package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/stepsies/stepsies/internal/server"
)

type backupCmd struct {
	File  string `arg:"" help:"Where to write the backup." placeholder:"FILE"`
	Force bool   `help:"Replace a file that is there."`
}

// Run writes a backup, beside a running server or without one. The file appears
// whole or not at all, and only its owner may read it.
func (cmd *backupCmd) Run(ctx context.Context, t *terminal, in *Installation) error {
	if err := in.check(); err != nil {
		return err
	}
	if _, err := os.Stat(cmd.File); err == nil && !cmd.Force {
		return usagef("%s is there already; name another file, or say --force to replace it", cmd.File)
	}
	part, err := os.CreateTemp(filepath.Dir(cmd.File), ".stepsies-backup-")
	if err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	defer func() { _ = os.Remove(part.Name()) }()
	if err := backUp(ctx, in, part); err != nil {
		_ = part.Close()
		return fmt.Errorf("back up: %w", err)
	}
	if err := errors.Join(part.Sync(), part.Close()); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	if err := os.Rename(part.Name(), cmd.File); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	info, err := os.Stat(cmd.File)
	if err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	_, err = fmt.Fprintf(t.out, "Wrote %s, %d bytes.\n", cmd.File, info.Size())
	return err
}

// backUp takes the backup from the server that owns the data folder, or from the
// database itself.
func backUp(ctx context.Context, in *Installation, w io.Writer) error {
	o := &operator{in: in}
	if err := o.find(ctx); err != nil {
		return err
	}
	if o.own != nil {
		return errors.Join(o.own.Store().Backup(ctx, w), o.close())
	}
	return errors.Join(downloadBackup(ctx, o, w), o.close())
}

func downloadBackup(ctx context.Context, o *operator, w io.Writer) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/operator/backup", nil)
	if err != nil {
		return err
	}
	answer, err := o.RoundTrip(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answered %s; its log says why", answer.Status)
	}
	if _, err := io.Copy(w, answer.Body); err != nil {
		return err
	}
	if answer.Trailer.Get(server.BackupComplete) != "true" {
		return errors.New("the server broke off; its log says why")
	}
	return nil
}
