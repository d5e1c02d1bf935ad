package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"github.com/stepsies/stepsies"
)

// querier runs statements, outside or inside a transaction.
type querier interface {
	// one scans the single row of a query; stepsies.NotFound is for the caller to
	// say where errNoRow comes back.
	one(ctx context.Context, query string, args []any, dest ...any) error
	// each calls row for every row of a query.
	each(ctx context.Context, query string, args []any, row func(scan func(...any) error) error) error
	// few is each for a query that finds a few rows by an index.
	few(ctx context.Context, query string, args []any, row func(scan func(...any) error) error) error
}

var errNoRow = sql.ErrNoRows

// orNotFound turns a missing row into an answer for the caller.
func orNotFound(err error, thing string) error {
	if errors.Is(err, errNoRow) {
		return stepsies.NotFound(thing)
	}
	return err
}

// maxStatements bounds the prepared statements that are kept. Lists with their
// filters have many texts, so the bound is not only a theory.
const maxStatements = 256

// pool is a set of connections, with the statements prepared on them where the
// driver does not keep them itself: parsing costs SQLite more than a look-up.
type pool struct {
	db      *sql.DB
	prepare bool

	mu         sync.RWMutex
	statements map[string]*sql.Stmt
}

func newPool(db *sql.DB, prepare bool) *pool {
	return &pool{db: db, prepare: prepare, statements: map[string]*sql.Stmt{}}
}

func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, st := range p.statements {
		_ = st.Close()
	}
	clear(p.statements)
	return p.db.Close()
}

// statement returns the prepared statement of a query, nil where it is to be run
// as it is.
func (p *pool) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	if !p.prepare {
		return nil, nil
	}
	p.mu.RLock()
	st, full := p.statements[query], len(p.statements) >= maxStatements
	p.mu.RUnlock()
	if st != nil || full {
		return st, nil
	}
	st, err := p.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if other := p.statements[query]; other != nil {
		_ = st.Close()
		return other, nil
	}
	p.statements[query] = st
	return st, nil
}

// bound gives a query its deadline. A query that finds a few rows by an index has
// none with SQLite: nothing would interrupt it, and a context that can end costs
// two goroutines a query, a third of the query itself. It never waits long for a
// connection either, since every other query has its deadline.
func (p *pool) bound(ctx context.Context, few bool) (context.Context, context.CancelFunc) {
	if few && p.prepare {
		return context.WithoutCancel(ctx), func() {}
	}
	return context.WithTimeout(ctx, readTimeout)
}

func (p *pool) one(ctx context.Context, query string, args []any, dest ...any) error {
	ctx, cancel := p.bound(ctx, true)
	defer cancel()
	st, err := p.statement(ctx, query)
	if err != nil {
		return classify(err)
	}
	if st != nil {
		return classify(st.QueryRowContext(ctx, args...).Scan(dest...))
	}
	return classify(p.db.QueryRowContext(ctx, query, args...).Scan(dest...))
}

func (p *pool) each(ctx context.Context, query string, args []any, row func(scan func(...any) error) error) error {
	ctx, cancel := p.bound(ctx, false)
	defer cancel()
	return p.rows(ctx, query, args, row)
}

func (p *pool) few(ctx context.Context, query string, args []any, row func(scan func(...any) error) error) error {
	ctx, cancel := p.bound(ctx, true)
	defer cancel()
	return p.rows(ctx, query, args, row)
}

func (p *pool) rows(ctx context.Context, query string, args []any, row func(scan func(...any) error) error) error {
	st, err := p.statement(ctx, query)
	if err != nil {
		return classify(err)
	}
	var rows *sql.Rows
	if st != nil {
		rows, err = st.QueryContext(ctx, args...)
	} else {
		rows, err = p.db.QueryContext(ctx, query, args...)
	}
	return eachRow(rows, err, row)
}

func eachRow(rows *sql.Rows, err error, row func(scan func(...any) error) error) error {
	if err != nil {
		return classify(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return classify(err)
		}
	}
	return classify(rows.Err())
}

// tx is a write transaction.
type tx struct {
	*sql.Tx
	pool *pool
	s    *Store
	now  time.Time

	actor  stepsies.User   // who acts, as judge read them; zero for the operator and the anonymous
	access stepsies.Access // how far they reach now, whatever was so when they were admitted
	byKey  bool            // they act by a key

	locked int64 // the user whom lockUserRow locked last

	foundSlug string // by freeSlug

	// keysUntouched says that no key, user or account is written. A write that is
	// frequent says so; one that forgets to is only slower.
	keysUntouched bool
}

// maxTries bounds how often a transaction is run that loses against others.
const maxTries = 4

// transact runs fn in a write transaction in the name of an actor and commits it, or
// leaves nothing of it. What the actor may do is judged first, inside it: fn knows them
// by t.actor and t.access, and by nothing that was read before. fn may run several
// times, since a transaction that loses against another one is tried again.
func (s *Store) transact(ctx context.Context, w Write, fn func(t *tx) error) error {
	return s.transactUnjudged(ctx, func(t *tx) error {
		if err := t.judge(ctx, w); err != nil {
			return err
		}
		return fn(t)
	})
}

// transactUnjudged is transact for what nobody's right stands behind: what readers
// leave, who signs in or holds a link that works once, and the program's own upkeep.
func (s *Store) transactUnjudged(ctx context.Context, fn func(t *tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	for try := 1; ; try++ {
		err := s.transactOnce(ctx, fn)
		if err == nil || try == maxTries || !maySucceedAgain(err) {
			return err
		}
	}
}

func (s *Store) transactOnce(ctx context.Context, fn func(t *tx) error) error {
	sqlTx, err := s.write.db.BeginTx(ctx, nil)
	if err != nil {
		return classify(err)
	}
	defer func() { _ = sqlTx.Rollback() }() // after a commit this does nothing
	t := &tx{Tx: sqlTx, pool: s.write, s: s, now: s.clock()}
	if err := fn(t); err != nil {
		return err
	}
	return classify(t.commit())
}

// commit makes the transaction's changes everyone's. What is remembered of keys is
// forgotten before it returns, even where the outcome is not known, unless the
// transaction has said that it touches none of it.
func (t *tx) commit() error {
	if t.s.bearers != nil && !t.keysUntouched {
		defer t.s.bearers.forget()
	}
	if err := t.s.CheckFile(); err != nil {
		return err
	}
	return t.Commit()
}

// lock is the clause that locks the rows that a query takes from the table with
// that alias, "" where the engine has one writer anyway.
func (t *tx) lock(alias string) string {
	if t.s.engine.forUpdate == "" {
		return ""
	}
	return t.s.engine.forUpdate + " of " + alias
}

func (t *tx) one(ctx context.Context, query string, args []any, dest ...any) error {
	return classify(t.QueryRowContext(ctx, query, args...).Scan(dest...))
}

func (t *tx) each(ctx context.Context, query string, args []any, row func(scan func(...any) error) error) error {
	rows, err := t.QueryContext(ctx, query, args...)
	return eachRow(rows, err, row)
}

func (t *tx) few(ctx context.Context, query string, args []any, row func(scan func(...any) error) error) error {
	return t.each(ctx, query, args, row)
}

// exec runs a statement and returns how many rows it touched.
func (t *tx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := t.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, classify(err)
	}
	return res.RowsAffected()
}

// run executes statements that share their arguments, in order.
func (t *tx) run(ctx context.Context, args []any, statements ...string) error {
	for _, q := range statements {
		if _, err := t.exec(ctx, q, args...); err != nil {
			return err
		}
	}
	return nil
}

// stamp is a time as it is stored: Unix milliseconds, NULL for none.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// stampTo scans what stamp wrote.
type stampTo struct{ *time.Time }

func (s stampTo) Scan(v any) error {
	ms, ok := v.(int64)
	if !ok {
		*s.Time = time.Time{} // NULL; the columns hold nothing else
		return nil
	}
	*s.Time = time.UnixMilli(ms).UTC()
	return nil
}
