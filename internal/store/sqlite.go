package store

import (
	"context"
	"database/sql"
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
	if err := makeFile(c.Path); err != nil {
		return err
	}
	var err error
	if s.write, err = openSQLitePool(c.Path, append(pragmas, "query_only(OFF)"), "immediate", 1); err != nil {
		return err
	}
	if err := s.write.db.PingContext(ctx); err != nil {
		return fmt.Errorf("open %s: %w", c.Path, err)
	}
	s.read, err = openSQLitePool(c.Path, append(pragmas, "query_only(ON)"), "deferred", sqliteReaders)
	return err
}

// makeFile makes the database's file where it is missing, for its owner alone,
// whatever the folder lets others do: it holds the hashes of passwords. SQLite
// gives the files beside it the same mode.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err // it names the file
	}
	return f.Close()
}

func openSQLitePool(path string, pragmas []string, lock string, conns int) (*pool, error) {
	q := url.Values{"_pragma": pragmas, "_txlock": {lock}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(10 * time.Minute)
	return newPool(db, sqliteEngine.prepare), nil
}
