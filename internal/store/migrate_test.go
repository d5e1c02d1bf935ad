package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stepsies/stepsies/internal/testenv"
)

var migrating = []guarantee{
	{"MigratedDatabaseIsLeftAlone", testMigrateAgain},
	{"ProgramThatIsTooOldIsRefused", testNewerDatabase},
	{"ProgramOneVersionBehindMayGoOn", testNextVersion},
}

func testMigrateAgain(t *testing.T, f *fixture) {
	f.member(t, "sarah")
	if n, err := f.Migrate(t.Context()); err != nil || n != 0 {
		t.Errorf("a second migration took %d steps (%v)", n, err)
	}
	if err := f.CheckVersion(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := f.User(t.Context(), "sarah"); err != nil {
		t.Error(err)
	}
}

func testNewerDatabase(t *testing.T, f *fixture) {
	f.raw(t, `insert into goose_db_version (version_id, is_applied) values (40, `+f.pick("1", "true")+`)`)
	f.raw(t, `update program_compat set oldest_version = 39`)
	for what, ask := range map[string]func(context.Context) error{
		"CheckVersion": f.CheckVersion,
		"Migrate":      func(ctx context.Context) error { return second(f.Migrate(ctx)) },
	} {
		err := ask(t.Context())
		if err == nil || !strings.Contains(err.Error(), "version 40") || !strings.Contains(err.Error(), "version 39") || !strings.Contains(err.Error(), "upgrade stepsies") {
			t.Errorf("%s says %v", what, err)
		}
	}
}

// testNextVersion is a rolling upgrade: the database has a version that this program
// does not know and may use.
func testNextVersion(t *testing.T, f *fixture) {
	f.raw(t, `insert into goose_db_version (version_id, is_applied) values (40, `+f.pick("1", "true")+`)`)
	if err := f.CheckVersion(t.Context()); err != nil {
		t.Error(err)
	}
	if n, err := f.Migrate(t.Context()); err != nil || n != 0 {
		t.Errorf("the migration took %d steps (%v)", n, err)
	}
	f.member(t, "sarah")
}

func TestEmptyDatabaseIsNotUsedBeforeItIsMigrated(t *testing.T) {
	t.Parallel()
	for engine, config := range map[string]Config{
		"sqlite": {Path: filepath.Join(t.TempDir(), "stepsies.db")}, "postgres": {URL: testenv.Postgres(t)},
	} {
		s, err := Open(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.CheckVersion(t.Context()); !errors.Is(err, errNotMigrated) {
			t.Errorf("%s: %v, want %v", engine, err, errNotMigrated)
		}
		if n, err := s.Migrate(t.Context()); err != nil || n < 1 {
			t.Errorf("%s: the migration took %d steps (%v)", engine, n, err)
		}
		if s.Engine() != engine || s.Ping(t.Context()) != nil {
			t.Errorf("%s calls itself %s", engine, s.Engine())
		}
	}
}

// TestOneOfManyMigratesPostgreSQL starts eight programs at once on an empty database.
func TestOneOfManyMigratesPostgreSQL(t *testing.T) {
	t.Parallel()
	for _, pooled := range []bool{false, true} {
		t.Run(fmt.Sprint("pooled=", pooled), func(t *testing.T) {
			t.Parallel()
			address := testenv.Postgres(t)
			if pooled {
				address = testenv.PgBouncer(t, address)
			}
			var wg sync.WaitGroup
			steps, errs := make([]int, 8), make([]error, 8)
			for i := range steps {
				wg.Go(func() {
					s, err := Open(t.Context(), Config{URL: address, MaxConns: 3})
					if err != nil {
						errs[i] = err
						return
					}
					defer s.Close()
					steps[i], errs[i] = s.Migrate(t.Context())
					if errs[i] == nil {
						errs[i] = s.CheckVersion(t.Context())
					}
				})
			}
			wg.Wait()
			worked := 0
			for i := range steps {
				if errs[i] != nil {
					t.Errorf("program %d: %v", i, errs[i])
				}
				if steps[i] > 0 {
					worked++
				}
			}
			if worked != 1 {
				t.Errorf("%d programs migrated the database, want 1: %v", worked, steps)
			}
		})
	}
}

// TestBothMigrationsEndInTheSameTables compares what stands in the two databases.
func TestBothMigrationsEndInTheSameTables(t *testing.T) {
	t.Parallel()
	lite, post := sqliteFixture(t), postgresFixture(t)
	ours := func(f *fixture) []string {
		return slices.DeleteFunc(f.tables(t), func(name string) bool { return strings.HasPrefix(name, "goose_") })
	}
	names := ours(lite)
	if other := ours(post); !slices.Equal(names, other) {
		t.Fatalf("SQLite has the tables %q, PostgreSQL %q", names, other)
	}
	for _, name := range names {
		a, b := lite.columns(t, name), post.columns(t, name)
		if name == "stepsy_search" {
			// A virtual table has no types and its rowid goes without saying.
			a, b = []string{"words"}, slices.DeleteFunc(b, func(c string) bool { return strings.HasPrefix(c, "rowid ") })
			b[0] = strings.Fields(b[0])[0]
		}
		if !slices.Equal(a, b) {
			t.Errorf("%s: SQLite has %q, PostgreSQL %q", name, a, b)
		}
	}
	indexes := lite.indexes(t)
	if other := post.indexes(t); !maps.Equal(indexes, other) {
		t.Errorf("the indexes are %v, in PostgreSQL %v", indexes, other)
	}
	if len(indexes) < 15 {
		t.Errorf("only %d indexes were compared", len(indexes))
	}
}

// columns lists name, kind and whether NULL is allowed, in order.
func (f *fixture) columns(t *testing.T, table string) []string {
	t.Helper()
	kinds := map[string]string{
		"bigint": "number", "integer": "number", "INTEGER": "number", "text": "text", "TEXT": "text", "bytea": "bytes", "blob": "bytes", "BLOB": "bytes", "BIGINT": "number",
		"tsvector": "words", "double precision": "fraction",
	}
	var list []string
	err := f.read.each(t.Context(), f.pick(
		`select name, type, case when "notnull" = 1 or pk > 0 then 0 else 1 end from pragma_table_info($1) order by cid`,
		`select cast(column_name as text), cast(data_type as text), case when is_nullable = 'YES' then 1 else 0 end
			from information_schema.columns where table_schema = current_schema() and table_name = $1 order by ordinal_position`),
		[]any{table}, func(scan func(...any) error) error {
			var name, kind string
			var null int64
			err := scan(&name, &kind, &null)
			if kinds[kind] == "" && table != "stepsy_search" {
				t.Errorf("%s.%s has the type %q, which this test does not know", table, name, kind)
			}
			list = append(list, fmt.Sprint(name, " ", kinds[kind], " null=", null))
			return err
		})
	if err != nil || len(list) == 0 {
		t.Fatalf("the columns of %s are %q (%v)", table, list, err)
	}
	return list
}

// indexes lists the named indexes with their tables and whether they are unique.
func (f *fixture) indexes(t *testing.T) map[string]string {
	t.Helper()
	list := map[string]string{}
	err := f.read.each(t.Context(), f.pick(
		`select name, tbl_name, sql from sqlite_master where type = 'index' and sql is not null`,
		`select cast(indexname as text), cast(tablename as text), indexdef from pg_indexes where schemaname = current_schema()`), nil,
		func(scan func(...any) error) error {
			var name, table, text string
			err := scan(&name, &table, &text)
			if strings.HasPrefix(table, "goose_") || strings.HasSuffix(name, "_pkey") || name == "stepsy_search_words" {
				return err
			}
			list[name] = fmt.Sprint(table, " unique=", strings.Contains(strings.ToLower(text), "create unique index"),
				" partial=", strings.Contains(strings.ToLower(text), " where "))
			return err
		})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func sqliteFixture(tb testing.TB) *fixture {
	tb.Helper()
	return newFixture(tb, "sqlite", Config{Path: filepath.Join(tb.TempDir(), "stepsies.db")})
}

func postgresFixture(tb testing.TB) *fixture {
	tb.Helper()
	return newFixture(tb, "postgres", Config{URL: testenv.Postgres(tb), MaxConns: 20})
}

func newFixture(tb testing.TB, engine string, config Config) *fixture {
	tb.Helper()
	f := &fixture{engine: engine, config: config, clock: &clock{now: epoch}}
	f.Store = f.open(tb)
	if _, err := f.Migrate(context.Background()); err != nil {
		tb.Fatal(err)
	}
	return f
}
