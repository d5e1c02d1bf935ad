package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/stepsies/stepsies/internal/server"
)

type migrateCmd struct{}

// Run brings the database to this program's version, as serve does at its start.
func (cmd *migrateCmd) Run(ctx context.Context, t *terminal, in *Installation) error {
	if err := in.check(); err != nil {
		return err
	}
	s, err := openOwned(ctx, in, server.Config{Log: slog.New(slog.DiscardHandler), Migrate: true})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	_, err = fmt.Fprintln(t.out, "The database is at this program's version.")
	return err
}
