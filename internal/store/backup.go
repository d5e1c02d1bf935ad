package store

import (
	"bufio"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
)

// backupFormat names the form of a backup: gzip of JSON lines, a header, then for
// each table a line that names its columns and a line for each row. It is the same
// whatever engine wrote it, so that an installation can move from SQLite to
// PostgreSQL.
const backupFormat = "stepsies backup 1"

// backedUp are the tables of a backup, each after those that it refers to.
var backedUp = []string{
	"accounts", "users", "api_keys", "key_usage", "key_usage_days", "account_usage_days",
	"stepsies", "stepsy_counts", "stepsy_days", "step_reaches", "ratings", "slug_history", "activity",
}

// since names the tables that backups of older databases lack, by the version that
// brought them.
var since = map[string]int64{"stepsy_days": 5, "step_reaches": 5, "ratings": 5}

// notBackedUp are the tables that a backup leaves out: what lives for a day, what
// signs people in or shows them a draft, and what is made anew from the rest.
var notBackedUp = []string{"sessions", "one_time_links", "preview_links", "idempotency_records", "reader_salts", "reader_marks", "stepsy_search", "program_compat"}

type backupHeader struct {
	Format  string    `json:"format"`
	Version int64     `json:"version"` // of the database
	Made    time.Time `json:"made"`
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
	version, err := s.version(ctx)
	if err != nil {
		return wrap(err, "back up")
	}
	sqlTx, err := s.read.db.BeginTx(ctx, options)
	if err != nil {
		return wrap(classify(err), "back up")
	}
	defer func() { _ = sqlTx.Rollback() }()
	zipped := gzip.NewWriter(w)
	out := json.NewEncoder(zipped)
	out.SetEscapeHTML(false)
	if err := out.Encode(backupHeader{Format: backupFormat, Version: version, Made: s.clock()}); err != nil {
		return wrap(err, "back up")
	}
	for _, table := range backedUp {
		if err := backUpTable(ctx, sqlTx, out, table); err != nil {
			return wrap(err, "back up %s", table)
		}
	}
	return wrap(zipped.Close(), "back up")
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

// maxBackupLine bounds a row of a backup: a stepsy of 2 MiB, escaped.
const maxBackupLine = 32 << 20

// Restored says what a restore did.
type Restored struct {
	Made    time.Time // when the backup was made
	Rows    int64
	Revoked int64 // keys that came back revoked though the backup had them live
}

// Restore puts a backup in the place of everything, or leaves everything as it is.
// A key that the present database has revoked, or no longer has, comes back
// revoked; with revokeAll every key does, for when the present database is lost.
func (s *Store) Restore(ctx context.Context, r io.Reader, revokeAll bool) (Restored, error) {
	var done Restored
	sqlTx, err := s.write.db.BeginTx(ctx, nil)
	if err != nil {
		return done, wrap(classify(err), "restore")
	}
	defer func() { _ = sqlTx.Rollback() }()
	t := &tx{Tx: sqlTx, pool: s.write, s: s, now: s.clock()}
	live, err := t.liveKeys(ctx)
	if err != nil {
		return done, err
	}
	if err := t.replaceAll(ctx, r, &done); err != nil {
		return done, err
	}
	if done.Revoked, err = t.revokeRestored(ctx, live, revokeAll); err != nil {
		return done, err
	}
	if err := t.indexAll(ctx); err != nil {
		return done, err
	}
	if err := t.continueNumbers(ctx); err != nil {
		return done, err
	}
	w := Write{Actor: stepsies.Actor{Kind: stepsies.ActorOperator}}
	if err := t.record(ctx, w, stepsies.Activity{Action: "backup.restore", Target: "installation", Detail: "made " + done.Made.Format(time.RFC3339)}); err != nil {
		return done, err
	}
	return done, wrap(classify(t.commit()), "restore")
}

// liveKeys returns the hashes of the keys that work, nil where there is no key at
// all and so nothing to carry over.
func (t *tx) liveKeys(ctx context.Context) (map[string]bool, error) {
	live, keys := map[string]bool{}, 0
	err := t.each(ctx, `select hash, revoked_at from api_keys`, nil, func(scan func(...any) error) error {
		var hash []byte
		var revoked time.Time
		if err := scan(&hash, stampTo{&revoked}); err != nil {
			return err
		}
		keys++
		if revoked.IsZero() {
			live[string(hash)] = true
		}
		return nil
	})
	if keys == 0 {
		return nil, wrap(err, "read the present keys")
	}
	return live, wrap(err, "read the present keys")
}

var errNotABackup = errors.New("this is not a whole backup of stepsies; nothing was changed")

// replaceAll empties every table and fills it from the backup.
func (t *tx) replaceAll(ctx context.Context, r io.Reader, done *Restored) error {
	zipped, err := gzip.NewReader(r)
	if err != nil {
		return errNotABackup
	}
	lines := bufio.NewScanner(zipped)
	lines.Buffer(make([]byte, 64<<10), maxBackupLine)
	var header backupHeader
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &header) != nil || header.Format != backupFormat {
		return errNotABackup
	}
	known, err := t.s.knownVersion()
	if err != nil {
		return err
	}
	if header.Version > known {
		return fmt.Errorf("the backup is of version %d of the database; this program knows %d: upgrade stepsies", header.Version, known)
	}
	done.Made = header.Made
	for _, table := range notBackedUp {
		if table == "program_compat" {
			continue
		}
		if _, err := t.exec(ctx, `delete from `+table); err != nil {
			return wrap(err, "empty %s", table)
		}
	}
	for i := len(backedUp) - 1; i >= 0; i-- {
		if _, err := t.exec(ctx, `delete from `+backedUp[i]); err != nil {
			return wrap(err, "empty %s", backedUp[i])
		}
	}
	return t.fill(ctx, lines, header.Version, done)
}

// plainName is all that a column of ours is called.
var plainName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// fill inserts the rows of a backup. Tables must come in our order, all that a
// database of its version has.
func (t *tx) fill(ctx context.Context, lines *bufio.Scanner, version int64, done *Restored) error {
	table, insert := -1, ""
	for lines.Scan() {
		line := lines.Bytes()
		if len(line) > 0 && line[0] == '{' {
			var head backupTable
			for table++; table < len(backedUp) && since[backedUp[table]] > version; table++ {
			}
			if json.Unmarshal(line, &head) != nil || table >= len(backedUp) || head.Table != backedUp[table] || len(head.Columns) == 0 {
				return errNotABackup
			}
			for _, c := range head.Columns {
				if !plainName.MatchString(c) {
					return errNotABackup
				}
			}
			holes := make([]string, len(head.Columns))
			for i := range holes {
				holes[i] = fmt.Sprintf("$%d", i+1)
			}
			insert = `insert into ` + head.Table + ` (` + strings.Join(head.Columns, ", ") + `) values (` + strings.Join(holes, ", ") + `)`
			continue
		}
		values, err := rowOf(line)
		if err != nil || table < 0 {
			return errNotABackup
		}
		if _, err := t.exec(ctx, insert, values...); err != nil {
			return wrap(err, "restore %s", backedUp[table])
		}
		done.Rows++
	}
	if lines.Err() != nil || table != len(backedUp)-1 {
		return errNotABackup
	}
	return nil
}

func rowOf(line []byte) ([]any, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal(line, &raw); err != nil {
		return nil, err
	}
	values := make([]any, len(raw))
	for i, v := range raw {
		var err error
		switch {
		case string(v) == "null":
		case v[0] == '"':
			var s string
			err = json.Unmarshal(v, &s)
			values[i] = s
		case v[0] == '{':
			var b bytesValue
			if err = json.Unmarshal(v, &b); err == nil {
				values[i], err = base64.StdEncoding.DecodeString(b.Base64)
			}
		default:
			var n int64
			if err = json.Unmarshal(v, &n); err == nil {
				values[i] = n
				break
			}
			var f float64
			err = json.Unmarshal(v, &f)
			values[i] = f
		}
		if err != nil {
			return nil, err
		}
	}
	return values, nil
}

// revokeRestored ends the keys that were dead, or gone, before the restore.
func (t *tx) revokeRestored(ctx context.Context, live map[string]bool, all bool) (int64, error) {
	if live == nil && !all {
		return 0, nil
	}
	var dead []int64
	if err := t.each(ctx, `select id, hash from api_keys where revoked_at is null`, nil, func(scan func(...any) error) error {
		var id int64
		var hash []byte
		if err := scan(&id, &hash); err != nil {
			return err
		}
		if all || !live[string(hash)] {
			dead = append(dead, id)
		}
		return nil
	}); err != nil {
		return 0, wrap(err, "read the restored keys")
	}
	for _, id := range dead {
		if _, err := t.exec(ctx, `update api_keys set revoked_at = $2, revoked_reason = 'revoked' where id = $1`, id, stamp(t.now)); err != nil {
			return 0, wrap(err, "revoke key %d", id)
		}
	}
	return int64(len(dead)), nil
}

// continueNumbers has new rows numbered after every restored one, and after every
// one that was there before: ids are never used twice.
func (t *tx) continueNumbers(ctx context.Context) error {
	for _, table := range []string{"accounts", "users", "api_keys", "stepsies", "activity"} {
		if t.s.engine.name == sqliteEngine.name {
			continue // its sequences only ever grow, by inserted ids too
		}
		if _, err := t.exec(ctx, `select setval(pg_get_serial_sequence('`+table+`', 'id'), greatest(
			(select coalesce(max(id), 0) + 1 from `+table+`), nextval(pg_get_serial_sequence('`+table+`', 'id'))), false)`); err != nil {
			return wrap(err, "continue the numbers of %s", table)
		}
	}
	return nil
}
