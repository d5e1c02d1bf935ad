package testenv

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"
	_ "modernc.org/sqlite"             // driver "sqlite"
)

// Rows returns every row of a database, as "table: values" in order, but for the tables
// that are named. The driver is "sqlite", with a path, or "pgx", with an address.
func Rows(tb testing.TB, driver, source string, without ...string) []string {
	tb.Helper()
	tables := `select tablename from pg_tables where schemaname = current_schema()`
	if driver == "sqlite" {
		tables, source = `select name from sqlite_master where type = 'table' and sql not like 'create virtual%'`, "file:"+source+"?mode=ro"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var all []string
	for _, name := range query(tb, db, tables) {
		table := name[0].(string)
		if slices.Contains(without, table) {
			continue
		}
		for _, row := range query(tb, db, `select * from "`+table+`"`) {
			all = append(all, fmt.Sprintf("%s: %q", table, fmt.Sprint(row...)))
		}
	}
	slices.Sort(all)
	return all
}

func query(tb testing.TB, db *sql.DB, statement string) (all [][]any) {
	tb.Helper()
	rows, err := db.QueryContext(tb.Context(), statement)
	if err != nil {
		tb.Fatalf("%s: %v", statement, err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		tb.Fatal(err)
	}
	for rows.Next() {
		row, to := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			to[i] = &row[i]
		}
		if err := rows.Scan(to...); err != nil {
			tb.Fatal(err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	return all
}
