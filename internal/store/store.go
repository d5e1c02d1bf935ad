// Package store keeps everything that Stepsies remembers, in SQLite or in
// PostgreSQL. Every SQL statement of the program stands here, once, and runs on
// both engines.
//
// A write is one transaction that also holds its row in the record of activity
// and, where the client asked for it, its idempotency record. Rules of the
// domain run inside that transaction.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Deadlines of the store's own, so that a database that does not answer is an
// error and never a hang.
const (
	readTimeout  = 4 * time.Second
	writeTimeout = 15 * time.Second // leaves room for the 10 s that an idempotent request may wait for another node's
)

// Config says where the data is.
type Config struct {
	// Path of the SQLite file, used where URL is empty.
	Path string
	// URL of a PostgreSQL 15 or newer, postgres://…
	URL string
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// MaxConns bounds the connections to PostgreSQL; 0 is 20. SQLite has one
	// writer and a few readers whatever is asked.
	MaxConns int
}

// Store is an open database. Its methods are safe for concurrent use.
type Store struct {
	engine engine
	read   *pool
	write  *pool
	now    func() time.Time

	turns   *turns
	bearers *bearers    // nil with PostgreSQL
	file    *sqliteFile // nil with PostgreSQL
}

// engine is what differs between SQLite and PostgreSQL beyond DDL.
type engine struct {
	name        string
	searchValue string // turns $n, words with spaces between, into what is indexed
	searchMatch string // matches $n, made by searchQuery
	searchQuery func(words []string) string
	searchTerms string           // lists at most $2 words of the index that begin with $1; "" where a beginning costs nothing more
	explain     string           // begins a statement that tells as JSON how another would run; "" where nothing hangs on it
	fresh       []any            // arguments with which a statement is planned for its values
	forUpdate   string           // locks the rows that a rule is about to judge
	judging     map[bool]judging // by whether the actor is about to be changed
	lockWait    string           // bounds the wait for another transaction's row to 10 s
	authored    bool             // words are indexed with their author
	prepare     bool             // statements are prepared and kept by us, not by the driver
}

// Open opens the database without migrating it. The caller closes the store.
func Open(ctx context.Context, c Config) (*Store, error) {
	s := &Store{now: c.Now, turns: newTurns()}
	if s.now == nil {
		s.now = time.Now
	}
	var err error
	if c.URL != "" {
		err = s.openPostgres(ctx, c)
	} else {
		err = s.openSQLite(ctx, c)
	}
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// Close closes all connections.
func (s *Store) Close() error {
	var errs []error
	for _, p := range []*pool{s.read, s.write} {
		if p != nil {
			errs = append(errs, p.close())
		}
	}
	return errors.Join(errs...)
}

// Engine is "sqlite" or "postgres".
func (s *Store) Engine() string { return s.engine.name }

// Pools returns the connections that read and those that write, for their
// statistics; with PostgreSQL they are the same ones.
func (s *Store) Pools() (read, write *sql.DB) { return s.read.db, s.write.db }

// Ping asks the database for an answer.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return s.read.one(ctx, `select 1`, nil, &one)
}

// clock is the store's time in whole milliseconds, as it is stored.
func (s *Store) clock() time.Time { return s.now().UTC().Truncate(time.Millisecond) }

func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
