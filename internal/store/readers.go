package store

import (
	"context"
	"crypto/rand"
	"time"
)

// saltSize is that of the key of an HMAC-SHA-256.
const saltSize = 32

// ReaderSalt returns the salt with which readers of a day are hashed. The first
// node that asks makes it, and all get the same.
func (s *Store) ReaderSalt(ctx context.Context, day int64) ([]byte, error) {
	const find = `select salt from reader_salts where day = $1`
	var salt []byte
	err := s.read.one(ctx, find, []any{day}, &salt)
	if err != errNoRow {
		return salt, wrap(err, "read the salt of day %d", day)
	}
	salt = make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails
	err = s.transactUnjudged(ctx, func(t *tx) error {
		t.keysUntouched = true
		if _, err := t.exec(ctx, `insert into reader_salts (day, salt) values ($1, $2) on conflict (day) do nothing`, day, salt); err != nil {
			return err
		}
		return t.one(ctx, find, []any{day}, &salt)
	})
	return salt, wrap(err, "make the salt of day %d", day)
}

// readersGrace is for what nodes still hold when a day ends.
const readersGrace = 10 * time.Minute

// purgeReaders forgets who read on days that are over: first by what they could be
// known again, the salt, then the marks.
func purgeReaders(ctx context.Context, t *tx) (int64, error) {
	today := Day(t.now.Add(-readersGrace))
	salts, err := t.exec(ctx, `delete from reader_salts where day < $1`, today)
	if err != nil {
		return 0, wrap(err, "purge the salts of readers")
	}
	marks, err := t.exec(ctx, `delete from reader_marks where (day, stepsy_id, reader, mark) in (
			select day, stepsy_id, reader, mark from reader_marks where day < $1 order by day, stepsy_id, reader, mark limit $2)`,
		today, purgeOthers)
	return salts + marks, wrap(err, "purge the marks of readers")
}
