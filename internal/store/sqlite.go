package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
)

// sqliteReaders is how many connections read at the same time. Each holds a cache
// of its own, and two cores gain nothing from more.
const sqliteReaders = 4

var sqliteEngine = engine{
	name:        "sqlite",
	searchValue: "$%d",
	searchMatch: "stepsy_search match $%d",
	searchQuery: func(words []string) string {
		terms := make([]string, len(words))
		for i, w := range words {
			terms[i] = `"` + w + `" *` // words hold letters, digits and marks only
		}
		return strings.Join(terms, " AND ")
	},
	authored:    true,
	searchTerms: sqliteTerms,
	prepare:     true,
}

// sqliteTerms leaps from word to word; those of an index are letters, digits and
// marks, all of them between "!" and the last character there is.
const sqliteTerms = `with recursive found (term, n) as (
		select (select term from stepsy_search_terms where term >= $1 order by term limit 1), 1
		union all
		select (select t.term from stepsy_search_terms t where t.term >= found.term || '!' order by t.term limit 1), n + 1
		from found where found.term < $1 || char(1114111) and n < $2)
	select term from found where term < $1 || char(1114111)`

// openSQLite opens one connection that writes and a few that read. With WAL the
// readers never wait for the writer, and see each commit as soon as it is made.
func (s *Store) openSQLite(ctx context.Context, c Config) error {
	s.engine = sqliteEngine
	s.bearers = &bearers{byHash: map[stepsies.KeyHash]Bearer{}}
	pragmas := []string{
		"busy_timeout(5000)",           // the CLI's restore or an operator's shell may hold the file for a moment
		"journal_mode(WAL)",            // readers beside the writer
		"synchronous(FULL)",            // a commit is on disk before it is answered
		"foreign_keys(ON)",             // off by default in SQLite, per connection
		"cache_size(-2000)",            // 2 MB a connection
		"temp_store(MEMORY)",           // no temporary files outside the data folder
		"trusted_schema(OFF)",          // functions in a tampered schema stay harmless
		"journal_size_limit(67108864)", // the log shrinks again after a large write
	}
	var err error
	if s.file, err = makeFile(c.Path); err != nil {
		return err
	}
	if s.write, err = openSQLitePool(s.file, append(pragmas, "query_only(OFF)"), "immediate", 1); err != nil {
		return err
	}
	if err := s.write.db.PingContext(ctx); err != nil {
		return fmt.Errorf("open %s: %w", c.Path, err)
	}
	s.read, err = openSQLitePool(s.file, append(pragmas, "query_only(ON)"), "deferred", sqliteReaders)
	return err
}

// makeFile makes the database's file where it is missing, for its owner alone,
// whatever the folder lets others do: it holds the hashes of passwords. SQLite
// gives the files beside it the same mode.
func makeFile(path string) (*sqliteFile, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err // it names the file
	}
	info, err := f.Stat()
	return &sqliteFile{path, info}, errors.Join(err, f.Close())
}

// sqliteFile is the database's file as it was found when the store was opened.
type sqliteFile struct {
	path string
	info os.FileInfo
}

// check reports whether the file is still at its path. SQLite opens connections by
// the path, whenever there are too few, and writes to a file that was removed without
// a word: so one process would read one database and write another, or lose what it
// said was written.
func (f *sqliteFile) check() error {
	info, err := os.Stat(f.path)
	if err == nil && os.SameFile(info, f.info) {
		return nil
	}
	return stepsies.Unavailable(fmt.Errorf("%w: %s", ErrMoved, f.path))
}

// ErrMoved says that the file of a SQLite database is not where it was.
var ErrMoved = errors.New("the database was moved, removed or replaced while it was in use, so nothing is read from it or written to it any more; put it back, or start again on the one that is to be used")

// CheckFile returns an ErrMoved where the database is a SQLite file that is not at its
// path any more.
func (s *Store) CheckFile() error {
	if s.file == nil {
		return nil
	}
	return s.file.check()
}

// sqliteConnector makes connections to the file that was there at first, and to no
// other.
type sqliteConnector struct {
	sqlite driver.Driver
	name   string
	file   *sqliteFile
}

// Connect opens a connection. The path may lead elsewhere before or after.
func (c sqliteConnector) Connect(context.Context) (driver.Conn, error) {
	if err := c.file.check(); err != nil {
		return nil, err
	}
	conn, err := c.sqlite.Open(c.name)
	if err != nil {
		return nil, err
	}
	if err := c.file.check(); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// Driver returns that of SQLite.
func (c sqliteConnector) Driver() driver.Driver { return c.sqlite }

func openSQLitePool(file *sqliteFile, pragmas []string, lock string, conns int) (*pool, error) {
	q := url.Values{"_pragma": pragmas, "_txlock": {lock}}
	name := "file:" + (&url.URL{Path: file.path}).EscapedPath() + "?" + q.Encode()
	known, err := sql.Open("sqlite", name) // opens nothing yet
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", file.path, err)
	}
	db := sql.OpenDB(sqliteConnector{known.Driver(), name, file})
	_ = known.Close()
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(10 * time.Minute)
	return newPool(db, sqliteEngine.prepare), nil
}
