package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrations embed.FS

// Migrate brings the database to the version that this program knows, and
// returns how many steps that took. On PostgreSQL many programs may call it at
// once: a row in a table of its own is the lock, since session locks do not
// survive a pooler in transaction mode.
func (s *Store) Migrate(ctx context.Context) (int, error) {
	provider, err := s.migrator()
	if err != nil {
		return 0, err
	}
	if err := s.CheckVersion(ctx); err != nil && !errors.Is(err, errNotMigrated) {
		return 0, err
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return 0, fmt.Errorf("migrate the database: %w", classify(err))
	}
	if err := s.indexAgain(ctx); err != nil {
		return 0, fmt.Errorf("migrate the database: %w", err)
	}
	return len(results), nil
}

// errNotMigrated says that the database is empty or behind this program.
var errNotMigrated = errors.New("the database has not been migrated to this version; run: stepsies migrate")

// CheckVersion returns an error that says what to do when this program cannot use
// the database: not migrated yet, or migrated by a program so new that this one
// would do harm.
func (s *Store) CheckVersion(ctx context.Context) error {
	provider, err := s.migrator()
	if err != nil {
		return err
	}
	known := int64(len(provider.ListSources()))
	found, err := s.version(ctx)
	if err != nil {
		return err
	}
	if found < known {
		return errNotMigrated
	}
	var oldest int64
	if err := s.read.one(ctx, `select oldest_version from program_compat`, nil, &oldest); err != nil {
		return fmt.Errorf("read which programs may use the database: %w", err)
	}
	if known < oldest {
		return fmt.Errorf("the database is at version %d and needs a program that knows version %d; this one knows %d: upgrade stepsies", found, oldest, known)
	}
	return nil
}

// version returns the version of the database, 0 before its first migration.
func (s *Store) version(ctx context.Context) (int64, error) {
	var tables, version int64
	q := `select count(*) from sqlite_master where name = 'goose_db_version'`
	if s.engine.name == postgresEngine.name {
		q = `select count(*) from information_schema.tables where table_name = 'goose_db_version' and table_schema = current_schema()`
	}
	if err := s.read.one(ctx, q, nil, &tables); err != nil || tables == 0 {
		return 0, err
	}
	err := s.read.one(ctx, `select coalesce(max(version_id), 0) from goose_db_version`, nil, &version)
	return version, err
}

// knownVersion is the version to which this program migrates.
func (s *Store) knownVersion() (int64, error) {
	provider, err := s.migrator()
	if err != nil {
		return 0, err
	}
	return int64(len(provider.ListSources())), nil
}

func (s *Store) migrator() (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations/"+s.engine.name)
	if err != nil {
		return nil, err
	}
	dialect, options := goose.DialectSQLite3, []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if s.engine.name == postgresEngine.name {
		dialect = goose.DialectPostgres
		locker, err := lock.NewPostgresTableLocker(lock.WithTableLockTimeout(250*time.Millisecond, 240))
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithLocker(locker))
	}
	return goose.NewProvider(dialect, s.write.db, files, options...)
}
