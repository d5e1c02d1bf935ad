package store

import (
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// backupFormat names the form of a backup: gzip of JSON lines, a header, then for
// each table a line that names its columns and a line for each row. It is the same
// whatever engine wrote it, so that an installation can move from SQLite to
// PostgreSQL.
const backupFormat = "stepsies backup 1"

type backupHeader struct {
	Format       string           `json:"format"`
	Version      int64            `json:"version"` // of the database
	Made         time.Time        `json:"made"`
	Installation string           `json:"installation,omitempty"` // "" before version 6
	Origin       string           `json:"origin,omitempty"`       // see Store.Origin
	Numbers      map[string]int64 `json:"numbers,omitempty"`      // the last one given, by table
}

type backupTable struct {
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
}

// bytesValue is a value that is not text, in JSON.
type bytesValue struct {
	Base64 string `json:"base64"`
}

// Backup writes everything worth keeping to w, as it was at one moment, while
// others read and write. Keys are in it as hashes, like in the database.
func (s *Store) Backup(ctx context.Context, w io.Writer) error {
	options := &sql.TxOptions{}
	if s.engine.name == postgresEngine.name {
		options = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	version, err := s.backupVersion(ctx)
	if err != nil {
		return err
	}
	sqlTx, err := s.read.db.BeginTx(ctx, options)
	if err != nil {
		return wrap(classify(err), "back up")
	}
	defer func() { _ = sqlTx.Rollback() }()
	t := &tx{Tx: sqlTx, pool: s.read, s: s, now: s.clock()}
	header := backupHeader{Format: backupFormat, Version: version, Made: t.now}
	if header.Installation, header.Origin, err = t.installation(ctx); err != nil {
		return err
	}
	if header.Numbers, err = t.numbers(ctx); err != nil {
		return err
	}
	zipped := gzip.NewWriter(w)
	out := json.NewEncoder(zipped)
	out.SetEscapeHTML(false)
	if err := out.Encode(header); err != nil {
		return wrap(err, "back up")
	}
	for _, table := range backedUp {
		if err := backUpTable(ctx, sqlTx, out, table); err != nil {
			return wrap(err, "back up %s", table)
		}
	}
	return wrap(zipped.Close(), "back up")
}

// backupVersion is the version of the database. A program that is older than that does
// not know what there is to back up, or to replace.
func (s *Store) backupVersion(ctx context.Context) (int64, error) {
	version, err := s.version(ctx)
	if err != nil {
		return 0, wrap(err, "back up")
	}
	known, err := s.knownVersion()
	if err == nil && version > known {
		err = fmt.Errorf("the database is at version %d and this program knows %d; use the program that migrated it", version, known)
	}
	return version, err
}

func backUpTable(ctx context.Context, t *sql.Tx, out *json.Encoder, table string) error {
	// The names are ours, and a backup is the one place that takes all columns.
	rows, err := t.QueryContext(ctx, `select * from `+table)
	if err != nil {
		return classify(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	if err := out.Encode(backupTable{Table: table, Columns: columns}); err != nil {
		return err
	}
	values := make([]any, len(columns))
	dest := make([]any, len(columns))
	for i := range values {
		dest[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return classify(err)
		}
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				values[i] = bytesValue{base64.StdEncoding.EncodeToString(b)}
			}
		}
		if err := out.Encode(values); err != nil {
			return err
		}
	}
	return classify(rows.Err())
}
