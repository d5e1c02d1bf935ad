package e2e

import (
	"database/sql"
	"path/filepath"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"
	_ "modernc.org/sqlite"             // driver "sqlite"
)

// open opens the installation's database behind the program's back.
func (in *installation) open(t *testing.T) *sql.DB {
	t.Helper()
	driver, source := "pgx", in.databaseURL
	if source == "" {
		driver, source = "sqlite", "file:"+filepath.Join(in.dir, "stepsies.db")+"?_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}
