package store

import (
	"sync"
	"time"

	"github.com/stepsies/stepsies"
)

// maxBearers bounds the keys that are remembered, about 500 bytes each.
const maxBearers = 10_000

// bearers remembers what keys stand for, exactly: with SQLite every write of the
// database passes through this process, and each one that could touch a key, a
// user or a plan forgets everything before it returns. So a request that starts
// after a revocation returned never meets what was remembered before. With
// PostgreSQL other nodes write too, and nothing is remembered.
//
// Keys that do not work are looked up each time, as those that never existed are:
// how long a refusal takes tells nobody which of the two a key is.
type bearers struct {
	mu         sync.RWMutex
	generation uint64
	byHash     map[stepsies.KeyHash]Bearer
}

// take adds what is remembered of the hashes to found, and returns the other
// hashes with the generation in which they are looked up.
func (b *bearers) take(hashes []stepsies.KeyHash, found []Bearer, now time.Time) (known []Bearer, missing []stepsies.KeyHash, generation uint64) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, h := range hashes {
		if bearer, ok := b.byHash[h]; ok && bearer.Works(now) {
			found = append(found, bearer)
		} else {
			missing = append(missing, h)
		}
	}
	return found, missing, b.generation
}

// keep remembers what was looked up in a generation, unless a write has begun
// another one since: what was read may be from before that write.
func (b *bearers) keep(found []Bearer, now time.Time, generation uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if generation != b.generation {
		return
	}
	if len(b.byHash)+len(found) > maxBearers {
		clear(b.byHash)
	}
	for _, f := range found {
		if f.Works(now) {
			b.byHash[f.Hash] = f
		}
	}
}

// forget begins a new generation with nothing in it.
func (b *bearers) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.generation++
	clear(b.byHash)
}
