package store

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stepsies/stepsies"
)

// maxBackupLine bounds a row of a backup: a stepsy of 2 MiB, escaped.
const maxBackupLine = 32 << 20

// maxKeptBack bounds the rows that a restore returns. The record of activity has all
// of them.
const maxKeptBack = 1_000

// Restored says what a restore did.
type Restored struct {
	Made    time.Time // when the backup was made
	Rows    int64
	Revoked int64 // keys that came back revoked though the backup had them live

	// Known says that the present database was the one that the backup was made of, and
	// so could tell what ended since. Unnamed says that the backup is too old to tell
	// whose it is; it is then taken for the present one's, unless that was empty.
	Known, Unnamed bool

	KeptBack     []KeptBack // the first 1,000
	KeptBackMore int64      // how many there are beyond those

	// Admins are users who can administer the installation now. Where there is none,
	// Candidate is whom the backup has as an admin, or any user, nil where there is none.
	Admins    int64
	Candidate *Candidate
}

// KeptBack is a user, key or account that may do less than the backup has it.
type KeptBack struct {
	Kind   string   `json:"kind"` // user, api_key or account
	ID     int64    `json:"id"`
	User   string   `json:"user"` // whose it is
	Name   string   `json:"name"` // of a key
	Hint   string   `json:"hint"` // of a key
	Reason []string `json:"reasons"`
}

// Candidate is a user who could be made an admin.
type Candidate struct {
	Username           string
	Member, Suspended  bool
	administered, gone bool // in the backup; in the present database
}

// Restore puts a backup in the place of everything, or leaves everything as it is.
//
// No key, user or account may do more afterwards than it might just before, as far as
// the present database knows: what was revoked, shortened, narrowed, suspended, demoted
// or deleted since the backup comes back so, or suspended where it was deleted. What
// signs people in or makes them users ends. With revokeAll every key comes back revoked,
// for when the present database is lost.
//
// The error is a sentence for the operator; nothing was changed then.
func (s *Store) Restore(ctx context.Context, r io.Reader, revokeAll bool) (Restored, error) {
	var done Restored
	lines, header, err := openBackup(r)
	if err != nil {
		return done, err
	}
	known, err := s.backupVersion(ctx)
	if err != nil {
		return done, err
	}
	if header.Version > known {
		return done, fmt.Errorf("the backup is of version %d of the database; this program knows %d: upgrade stepsies", header.Version, known)
	}
	sqlTx, err := s.write.db.BeginTx(ctx, nil)
	if err != nil {
		return done, wrap(classify(err), "restore")
	}
	defer func() { _ = sqlTx.Rollback() }()
	t := &tx{Tx: sqlTx, pool: s.write, s: s, now: s.clock()}
	if err := t.lockEverything(ctx); err != nil {
		return done, err
	}
	was, err := t.present(ctx, header)
	if err != nil {
		return done, err
	}
	former, err := t.formerUsernames(ctx)
	if err != nil {
		return done, err
	}
	done = Restored{Made: header.Made, Known: was.known, Unnamed: header.Installation == ""}
	if err := t.empty(ctx); err != nil {
		return done, err
	}
	if err := t.fill(ctx, lines, header.Version, &done); err != nil {
		return done, err
	}
	if was.known {
		if err := t.keepUsernamesBack(ctx, former); err != nil {
			return done, err
		}
	}
	if err := t.rename(ctx, header); err != nil {
		return done, err
	}
	if err := t.continueNumbers(ctx, header.Numbers); err != nil {
		return done, err
	}
	if err := t.recordRestore(ctx, header); err != nil {
		return done, err
	}
	if err := t.keepBack(ctx, was, revokeAll, &done); err != nil {
		return done, err
	}
	if err := t.indexAll(ctx); err != nil {
		return done, err
	}
	return done, wrap(classify(t.commit()), "restore")
}

var errNotABackup = errors.New("this is not a whole backup of stepsies; nothing was changed")

// openBackup reads the header of a backup and returns what follows it.
func openBackup(r io.Reader) (*bufio.Scanner, backupHeader, error) {
	var header backupHeader
	zipped, err := gzip.NewReader(r)
	if err != nil {
		return nil, header, errNotABackup
	}
	lines := bufio.NewScanner(zipped)
	lines.Buffer(make([]byte, 64<<10), maxBackupLine)
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &header) != nil || header.Format != backupFormat ||
		header.Installation != "" && !installationName.MatchString(header.Installation) || len(header.Origin) > maxOrigin {
		return nil, header, errNotABackup
	}
	return lines, header, nil
}

// maxOrigin is the length of a public URL in bytes that a backup may bring.
const maxOrigin = 2_000

// installationName is what installations are called: 128 random bits, or 122 of them.
var installationName = regexp.MustCompile(`^[0-9a-f]{32}$`)

var errInUse = errors.New("other programs write to this database; stop every server on it and restore again; nothing was changed")

// lockEverything keeps other nodes from writing until the restore is over: what one
// of them revoked between our look at the present and our commit would come back.
func (t *tx) lockEverything(ctx context.Context) error {
	if t.s.engine.name == sqliteEngine.name {
		return nil // it has one writer, and that is us
	}
	if _, err := t.exec(ctx, t.s.engine.lockWait); err != nil {
		return wrap(err, "restore")
	}
	var tables []string
	for _, table := range append(append(tables, backedUp...), notBackedUp...) {
		if table != "stepsy_search" { // it is written with its stepsies alone
			tables = append(tables, table)
		}
	}
	_, err := t.exec(ctx, `lock table `+strings.Join(tables, ", ")+` in exclusive mode`)
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && (e.Code == "55P03" || e.Code == "40P01") { // lock_not_available, deadlock_detected
		return errInUse
	}
	return wrap(err, "lock the tables")
}

// empty removes every row that a restore replaces or ends.
func (t *tx) empty(ctx context.Context) error {
	for _, table := range notBackedUp {
		if _, err := t.exec(ctx, `delete from `+table); err != nil {
			return wrap(err, "empty %s", table)
		}
	}
	for i := len(backedUp) - 1; i >= 0; i-- {
		if _, err := t.exec(ctx, `delete from `+backedUp[i]); err != nil {
			return wrap(err, "empty %s", backedUp[i])
		}
	}
	return nil
}

// rename makes the installation the one that the backup is of, so that it knows what
// it revokes from now on when a later backup of the same one is restored, and so that
// feeds go on calling by the same names what came back.
func (t *tx) rename(ctx context.Context, header backupHeader) error {
	if header.Installation == "" {
		return nil
	}
	_, err := t.exec(ctx, `update installation set id = $1, origin = case when $2 = '' then origin else $2 end`, header.Installation, header.Origin)
	return wrap(err, "take over the name of the installation")
}

func (t *tx) recordRestore(ctx context.Context, header backupHeader) error {
	return t.record(ctx, byRestore, stepsies.Activity{Action: stepsies.ActionRestoreBackup, Detail: "made " + header.Made.Format(time.RFC3339)})
}

// byRestore is what a restore does: the operator's alone.
var byRestore = Write{Actor: stepsies.Actor{Kind: stepsies.ActorOperator}}

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

// numbers returns the last number that was given to a row of each table, also where
// that row is gone by now.
func (t *tx) numbers(ctx context.Context) (map[string]int64, error) {
	last := map[string]int64{}
	for _, table := range numbered {
		n, err := t.lastNumber(ctx, table)
		if err != nil {
			return nil, wrap(err, "read the last number of %s", table)
		}
		last[table] = n
	}
	return last, nil
}

func (t *tx) lastNumber(ctx context.Context, table string) (n int64, err error) {
	if t.s.engine.name == sqliteEngine.name {
		err = t.one(ctx, `select coalesce(max(seq), 0) from sqlite_sequence where name = $1`, []any{table}, &n)
		return n, err
	}
	var sequence string
	if err := t.one(ctx, `select pg_get_serial_sequence($1, 'id')`, []any{table}, &sequence); err != nil {
		return 0, err
	}
	err = t.one(ctx, `select last_value - case when is_called then 0 else 1 end from `+sequence, nil, &n)
	return n, err
}

// continueNumbers has new rows numbered after every restored one, after every one that
// was there before, and after every one that the backup knows to have been: numbers are
// never used twice.
func (t *tx) continueNumbers(ctx context.Context, backedUp map[string]int64) error {
	for _, table := range numbered {
		last, err := t.lastNumber(ctx, table)
		if err != nil {
			return wrap(err, "read the last number of %s", table)
		}
		var highest int64
		if err := t.one(ctx, `select coalesce(max(id), 0) from `+table, nil, &highest); err != nil {
			return wrap(err, "read the highest number of %s", table)
		}
		if last = max(last, highest, backedUp[table]); last < 1 {
			continue
		}
		if err := t.setLastNumber(ctx, table, last); err != nil {
			return wrap(err, "continue the numbers of %s", table)
		}
	}
	return nil
}

func (t *tx) setLastNumber(ctx context.Context, table string, last int64) error {
	if t.s.engine.name != sqliteEngine.name {
		_, err := t.exec(ctx, `select setval(pg_get_serial_sequence($1, 'id'), $2, true)`, table, last)
		return err
	}
	n, err := t.exec(ctx, `update sqlite_sequence set seq = $2 where name = $1`, table, last)
	if err == nil && n == 0 {
		_, err = t.exec(ctx, `insert into sqlite_sequence (name, seq) values ($1, $2)`, table, last)
	}
	return err
}
