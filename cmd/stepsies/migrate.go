package main

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

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

type versionCmd struct{}

// version is set at build time: -ldflags "-X main.version=v1.2.3".
var version = "dev"

// Run prints the version.
func (cmd *versionCmd) Run(t *terminal) error {
	v := version
	if info, ok := debug.ReadBuildInfo(); ok && v == "dev" {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				v += " " + s.Value[:min(12, len(s.Value))]
			}
		}
	}
	_, err := fmt.Fprintln(t.out, "stepsies "+v)
	return err
}
