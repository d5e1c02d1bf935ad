package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stepsies/stepsies"
)

// IdempotencyLifetime is how long the answer to an idempotent request is
// remembered.
const IdempotencyLifetime = 24 * time.Hour

// Write is what every change carries: who makes it and by what right, and the promise
// to make it only once where the client asked for that.
type Write struct {
	Actor stepsies.Actor
	Right Right
	Once  *Once
	// Match, if set, is asked of the stored stepsy before it is judged or changed, in
	// the transaction: the write is made only where it returns nil, and its error is
	// that of the write. An idempotent request that is replayed does not ask it.
	Match func(stepsies.Stepsy) error
	// Quiet is for what is saved while someone types: the change leaves no row in the
	// record of activity where the last one there says the same, since quietFor.
	Quiet bool

	target target
}

// quietFor is how long one row speaks for the changes that follow it.
const quietFor = 10 * time.Minute

// Once identifies a request that must not be carried out twice.
type Once struct {
	UserID int64  // whose key space it is, 0 for the operator
	Key    string // as the client chose it
	Route  string // method and path
	Body   [sha256.Size]byte
}

// Outcome is what a write gave, and whether it was given before: the write had
// been made already by the same idempotent request.
type Outcome[T any] struct {
	Value    T
	Replayed bool
}

// write runs fn in one transaction with the idempotency record of the request.
// The record holds the result, which never includes a secret. Who may not make the
// write any more is told so before the record is looked at, and after the wait for a
// request of the same key: nothing is held while it waits its turn.
func write[T any](ctx context.Context, s *Store, w Write, fn func(t *tx) (T, error)) (Outcome[T], error) {
	var out Outcome[T]
	if w.Once != nil {
		end, err := s.turns.take(ctx, *w.Once)
		if err != nil {
			return out, err
		}
		defer end()
	}
	err := s.transact(ctx, w, func(t *tx) error {
		var err error
		if w.Once == nil {
			out.Value, err = fn(t)
			return err
		}
		earlier, found, err := t.beginOnce(ctx, *w.Once)
		if err != nil {
			return err
		}
		if found {
			out.Replayed = true
			return json.Unmarshal(earlier, &out.Value)
		}
		if out.Value, err = fn(t); err != nil {
			return err
		}
		return t.endOnce(ctx, *w.Once, out.Value)
	})
	return out, err
}

// beginOnce claims the idempotency key, or returns the result of the request that
// has it. Another node's transaction that holds the claim is waited for: its unique
// row blocks ours until it commits or rolls back.
func (t *tx) beginOnce(ctx context.Context, o Once) (result []byte, found bool, err error) {
	if wait := t.s.engine.lockWait; wait != "" {
		if _, err := t.exec(ctx, wait); err != nil {
			return nil, false, err
		}
	}
	o.Route = strconv.QuoteToASCII(o.Route) // a path may hold what PostgreSQL takes for no text
	if _, err := t.exec(ctx, `delete from idempotency_records
		where user_id = $1 and client_key = $2 and route = $3 and created_at <= $4`,
		o.UserID, o.Key, o.Route, stamp(t.now.Add(-IdempotencyLifetime))); err != nil {
		return nil, false, onceBusy(err)
	}
	n, err := t.exec(ctx, `insert into idempotency_records (user_id, client_key, route, body_hash, result, created_at)
		values ($1, $2, $3, $4, '', $5) on conflict (user_id, client_key, route) do nothing`,
		o.UserID, o.Key, o.Route, o.Body[:], stamp(t.now))
	if err != nil {
		return nil, false, onceBusy(err)
	}
	if n == 1 {
		return nil, false, nil
	}
	var body []byte
	var text string
	if err := t.one(ctx, `select body_hash, result from idempotency_records
		where user_id = $1 and client_key = $2 and route = $3`,
		[]any{o.UserID, o.Key, o.Route}, &body, &text); err != nil {
		return nil, false, wrap(err, "read the idempotency record")
	}
	if string(body) != string(o.Body[:]) {
		return nil, false, stepsies.Invalid("Idempotency-Key", "was used with another body before; choose a new key for a new request")
	}
	return []byte(text), true, nil
}

func (t *tx) endOnce(ctx context.Context, o Once, result any) error {
	o.Route = strconv.QuoteToASCII(o.Route)
	text, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("keep the result of an idempotent request: %w", err)
	}
	_, err = t.exec(ctx, `update idempotency_records set result = $4
		where user_id = $1 and client_key = $2 and route = $3`, o.UserID, o.Key, o.Route, string(text))
	return err
}

// onceBusy recognises PostgreSQL's lock_not_available.
func onceBusy(err error) error {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == "55P03" {
		return errOnceBusy
	}
	return err
}
