// Package readers counts what readers do with stepsies, without knowing who they
// are: no cookie, and no address that outlives the request.
//
// A reader is a hash of network address and browser, keyed with a salt that all
// nodes share for one UTC day and that is thrown away after it. What a reader does
// is gathered in memory and written every few seconds; the store counts it once,
// whatever node it comes from and however often.
package readers

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/stepsies/stepsies/internal/store"
)

const (
	// maxGathered bounds what is remembered while the database cannot take it: 32
	// bytes each. Beyond it nothing more is counted until it can.
	maxGathered = 100_000
	// maxWritten bounds the readings of one transaction, which other writers wait for.
	maxWritten = 2_000
	// saltTimeout bounds the one time a day that a request waits for the salt.
	saltTimeout = 2 * time.Second
)

// Counter gathers what readers do. Its methods are safe for concurrent use.
type Counter struct {
	store *store.Store
	now   func() time.Time
	log   *slog.Logger

	mu       sync.Mutex
	gathered map[store.Reading]struct{}
	dropping bool // maxGathered is reached, and it has been said

	saltMu sync.Mutex
	day    int64 // of the salt
	salt   []byte
}

// New returns a counter that writes to the store when it is flushed.
func New(s *store.Store, now func() time.Time, log *slog.Logger) *Counter {
	return &Counter{store: s, now: now, log: log, gathered: map[store.Reading]struct{}{}}
}

// Note counts what a reader did with a stepsy: store.MarkView, store.MarkCompletion
// or the id of a step that was reached. who is all that is known of the reader, the
// same for every request of a day; it is hashed at once and not kept. Marks that
// cannot be counted are logged and left out: no page fails for them.
func (c *Counter) Note(ctx context.Context, stepsyID int64, who string, marks ...int64) {
	day := store.Day(c.now())
	salt, err := c.saltOf(ctx, day)
	if err != nil {
		c.log.Warn("what a reader did could not be counted", "error", err)
		return
	}
	r := store.Reading{StepsyID: stepsyID, Day: day, Reader: readerOf(salt, stepsyID, who)}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, mark := range marks {
		if len(c.gathered) >= maxGathered {
			if !c.dropping {
				c.dropping = true
				c.log.Error("the database does not take what readers do; nothing more is counted until it does", "gathered", len(c.gathered))
			}
			return
		}
		r.Mark = mark
		c.gathered[r] = struct{}{}
	}
}

// readerOf is the first 64 bits of an HMAC-SHA-256. The stepsy is in it so that not
// even on its day can be seen which stepsies one reader opened.
func readerOf(salt []byte, stepsyID int64, who string) store.Reader {
	h := hmac.New(sha256.New, salt)
	_ = binary.Write(h, binary.BigEndian, stepsyID) // a hash takes everything
	h.Write([]byte(who))
	return store.Reader(binary.BigEndian.Uint64(h.Sum(nil)))
}

// saltOf returns the salt of a day. Only the latest one is remembered.
func (c *Counter) saltOf(ctx context.Context, day int64) ([]byte, error) {
	c.saltMu.Lock()
	defer c.saltMu.Unlock()
	if c.salt != nil && c.day == day {
		return c.salt, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saltTimeout)
	defer cancel()
	salt, err := c.store.ReaderSalt(ctx, day)
	if err != nil {
		return nil, err
	}
	c.day, c.salt = day, salt
	return salt, nil
}

// forgetSalt throws away the salt of a day that is over.
func (c *Counter) forgetSalt() {
	c.saltMu.Lock()
	defer c.saltMu.Unlock()
	if c.day != store.Day(c.now()) {
		clear(c.salt)
		c.salt = nil
	}
}

// Flush writes what was gathered. What cannot be written is kept; it may have been
// written all the same, and does not count twice for it.
func (c *Counter) Flush(ctx context.Context) error {
	c.forgetSalt()
	c.mu.Lock()
	all := make([]store.Reading, 0, len(c.gathered))
	for r := range c.gathered {
		all = append(all, r)
	}
	clear(c.gathered)
	c.dropping = false
	c.mu.Unlock()
	for len(all) > 0 {
		n := min(len(all), maxWritten)
		if err := c.store.RecordReadings(ctx, all[:n:n]); err != nil {
			c.keep(all)
			return fmt.Errorf("write what readers did: %w", err)
		}
		all = all[n:]
	}
	return nil
}

func (c *Counter) keep(readings []store.Reading) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range readings {
		if len(c.gathered) < maxGathered {
			c.gathered[r] = struct{}{}
		}
	}
}
