package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stepsies/stepsies"
)

func TestEverySQLiteConnectionHasItsSettings(t *testing.T) {
	t.Parallel()
	f := sqliteFixture(t)
	for name, p := range map[string]*pool{"writer": f.write, "reader": f.read} {
		want := map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000", "trusted_schema": "0", "query_only": "0"}
		if name == "reader" {
			want["query_only"] = "1"
		}
		conns := p.db.Stats().MaxOpenConnections
		if name == "writer" && conns != 1 {
			t.Errorf("there are %d writers", conns)
		}
		for range conns { // all at once, so that each one is another
			conn, err := p.db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			for pragma, value := range want {
				var got string
				if err := conn.QueryRowContext(t.Context(), `pragma `+pragma).Scan(&got); err != nil || got != value {
					t.Errorf("%s of a %s is %q (%v), want %q", pragma, name, got, err, value)
				}
			}
		}
	}
	if s := f.read.db.Stats(); s.OpenConnections != sqliteReaders {
		t.Errorf("%d readers were looked at, want %d", s.OpenConnections, sqliteReaders)
	}
}

func TestReadersCannotWrite(t *testing.T) {
	t.Parallel()
	f := sqliteFixture(t)
	if _, err := f.read.db.ExecContext(t.Context(), `delete from users`); err == nil {
		t.Error("a reader wrote")
	}
}

func TestReadersDoNotWaitForTheWriter(t *testing.T) {
	t.Parallel()
	f := sqliteFixture(t)
	u := f.member(t, "sarah")
	err := f.transactUnjudged(t.Context(), func(t2 *tx) error {
		if _, err := t2.exec(t.Context(), `update users set bio = 'not yet' where id = $1`, u.ID); err != nil {
			return err
		}
		read, err := f.User(t.Context(), "sarah")
		if err != nil || read.Bio != "" {
			t.Errorf("beside an open write a reader sees %q (%v)", read.Bio, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read, err := f.User(t.Context(), "sarah"); err != nil || read.Bio != "not yet" {
		t.Errorf("after the commit a reader sees %q (%v)", read.Bio, err)
	}
}

func TestDatabaseMayLieAtAnyPath(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"plain.db", "a b.db", "what?.db", "50%.db", "a#b.db", "日本.db", "a&_pragma=query_only(ON).db", ":memory:", "file:x.db"} {
		path := filepath.Join(dir, name)
		f := newFixture(t, "sqlite", Config{Path: path})
		f.member(t, "sarah")
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := f.open(t).User(t.Context(), "sarah"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnusableSQLiteFileIsAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("this is no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"no folder": filepath.Join(dir, "none", "x.db"), "a folder": dir, "no database": garbage} {
		s, err := Open(t.Context(), Config{Path: path})
		if err == nil {
			_, err = s.Migrate(t.Context())
			s.Close()
		}
		if err == nil || errors.Is(err, fs.ErrExist) {
			t.Errorf("%s was opened: %v", name, err)
		}
	}
}

// TestFullDiskIsUnavailableAndReadingGoesOn bounds the file instead of the disk:
// SQLite answers both in the same way.
func TestFullDiskIsUnavailableAndReadingGoesOn(t *testing.T) {
	t.Parallel()
	f := sqliteFixture(t)
	u := f.member(t, "sarah")
	made := f.stepsy(t, u, "Title")
	pages := f.count(t, `pragma page_count`)
	f.count(t, `pragma max_page_count = `+strconv.FormatInt(pages, 10))
	big := strings.Repeat("a", stepsies.MaxContent)
	var err error
	for range 50 {
		if _, err = f.CreateStepsy(t.Context(), by(u), "sarah", stepsies.StepsyChange{Title: ptr("Big"),
			Steps: &[]stepsies.StepChange{{Title: "s", Content: stepsies.SanitisedContent(big)}}}); err != nil {
			break
		}
	}
	wantCode(t, err, stepsies.CodeUnavailable)
	if read, err := f.Stepsy(t.Context(), made.ID, of(u)); err != nil || read.Title != "Title" {
		t.Errorf("on a full disk reading fails: %v", err)
	}
	f.count(t, `pragma max_page_count = 1000000`)
	if _, err := f.UpdateStepsy(t.Context(), by(u), made.ID, stepsies.StepsyChange{Title: ptr("Room again")}); err != nil {
		t.Errorf("with room again writing fails: %v", err)
	}
}
