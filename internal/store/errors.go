package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stepsies/stepsies"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// classify turns what a driver says into what the program acts on: a taken name
// into a conflict, a database that cannot answer into stepsies.CodeUnavailable.
// Everything else stays as it is and ends as an internal error.
func classify(err error) error {
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if _, ok := errors.AsType[*stepsies.Error](err); ok {
		return err
	}
	if name := violated(err); name != "" {
		if message, ok := takenMessages[name]; ok {
			return stepsies.Conflict("%s", message)
		}
		return err
	}
	if unavailable(err) {
		return stepsies.Unavailable(err)
	}
	return err
}

// takenMessages says what to do when a unique name is taken, by index.
var takenMessages = map[string]string{
	"users_username":  "This username is taken. Choose another one.",
	"users_email_key": "This e-mail address is taken. Use another one.",
	"stepsies_slug":   "This slug is taken by another of the author's stepsies. Choose another one.",
}

// sqliteColumns names the unique indexes by the columns that SQLite reports.
var sqliteColumns = map[string]string{
	"users.username":                  "users_username",
	"users.email_key":                 "users_email_key",
	"stepsies.user_id, stepsies.slug": "stepsies_slug",
}

// violated returns the unique index that err says is violated, "" for any other
// error.
func violated(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == "23505" { // unique_violation
		return e.ConstraintName
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE {
		_, columns, _ := strings.Cut(e.Error(), "UNIQUE constraint failed: ")
		columns, _, _ = strings.Cut(columns, " (")
		return sqliteColumns[columns]
	}
	return ""
}

// errSlugTakenMeanwhile marks the conflict of a slug that was free a moment ago, when
// this transaction looked for one.
var errSlugTakenMeanwhile = errors.New("a slug that was free was taken meanwhile")

// slugTakenMeanwhile marks err where it is the conflict of a slug that freeSlug found.
func (t *tx) slugTakenMeanwhile(err error, slug string) error {
	if e, ok := errors.AsType[*stepsies.Error](err); ok && e.Message == takenMessages["stepsies_slug"] && slug == t.foundSlug {
		return fmt.Errorf("%w: %w", errSlugTakenMeanwhile, err)
	}
	return err
}

// maySucceedAgain reports whether a transaction lost against another one and may
// go through when it is run again.
func maySucceedAgain(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "40P01" || e.Code == "40001" // deadlock_detected, serialization_failure
	}
	return errors.Is(err, errSlugTakenMeanwhile)
}

func unavailable(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, sql.ErrTxDone) { // ended by its deadline between two statements
		return true
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff { // the primary result code
		case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED,
			sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_INTERRUPT:
			return true
		}
		return false
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true // whatever the server says: a refused password or a standby too
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch e.Code[:2] { // the class, PostgreSQL manual, appendix A
		case "08", "25", "40", "53", "55", "57", "58":
			// connection, read-only transaction, rollback, resources, lock, operator, system
			return true
		}
		return false
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	for _, said := range []string{"conn closed", "is closed", "Rows are closed", "unexpected EOF"} {
		if strings.Contains(err.Error(), said) {
			return true
		}
	}
	return pgconn.SafeToRetry(err)
}
