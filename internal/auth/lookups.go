package auth

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
)

const (
	// maxRunning is how many look-ups may be on their way to the database at once:
	// more than one, so that a connection that stalls stops nobody.
	maxRunning = 3
	// maxWaiting bounds the batches behind them, of store.MaxLookup keys each.
	maxWaiting = 64
	// lookupTimeout ends a look-up that gets no answer. It is the batch's own, since
	// the caller who happens to come first must not decide for the others.
	lookupTimeout = 2 * time.Second
	// waitTimeout bounds waiting and look-up together: with more keys than a batch
	// holds, several batches may stand before one's own.
	waitTimeout = 4 * time.Second
)

var (
	errLookupsFull = errors.New("too many requests wait for their keys to be looked up")
	errLookupsSlow = errors.New("the look-ups before this one take too long")
)

// lookups finds keys in the database without keeping any: whoever arrives while
// all places are taken shares the next look-up, which starts after all of its
// callers arrived. So every answer is as fresh as a query of one's own, and the
// database sees a bounded number of queries whatever the load.
type lookups struct {
	query   func(context.Context, []stepsies.KeyHash) ([]store.Bearer, error)
	observe func(keys int, took time.Duration, err error)

	mu      sync.Mutex
	running int
	waiting []*batch // only the last one may have room
}

type batch struct {
	hashes []stepsies.KeyHash
	done   chan struct{} // closed when found and err are set
	found  []store.Bearer
	err    error
}

func newLookups(query func(context.Context, []stepsies.KeyHash) ([]store.Bearer, error)) *lookups {
	return &lookups{query: query, observe: func(int, time.Duration, error) {}}
}

func (l *lookups) find(ctx context.Context, hash stepsies.KeyHash) (store.Bearer, bool, error) {
	b, mine, err := l.join(hash)
	if err != nil {
		return store.Bearer{}, false, err
	}
	if mine {
		l.run(b) // bounded by lookupTimeout, and nobody else is there to do it
	} else {
		patience := time.NewTimer(waitTimeout)
		defer patience.Stop()
		select {
		case <-b.done:
		case <-patience.C:
			return store.Bearer{}, false, errLookupsSlow
		case <-ctx.Done():
			return store.Bearer{}, false, ctx.Err()
		}
	}
	for _, f := range b.found {
		if f.Hash == hash {
			return f, true, nil
		}
	}
	return store.Bearer{}, false, b.err
}

// join adds the hash to a batch that has not started. It reports whether the
// caller is to run the batch, at once.
func (l *lookups) join(hash stepsies.KeyHash) (b *batch, mine bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running < maxRunning {
		l.running++
		return &batch{hashes: []stepsies.KeyHash{hash}, done: make(chan struct{})}, true, nil
	}
	if n := len(l.waiting); n > 0 {
		b = l.waiting[n-1]
		for _, h := range b.hashes {
			if h == hash {
				return b, false, nil
			}
		}
		if len(b.hashes) < store.MaxLookup {
			b.hashes = append(b.hashes, hash)
			return b, false, nil
		}
		if n >= maxWaiting {
			return nil, false, errLookupsFull
		}
	}
	b = &batch{hashes: []stepsies.KeyHash{hash}, done: make(chan struct{})}
	l.waiting = append(l.waiting, b)
	return b, false, nil
}

// run carries out a batch, then gives its place to the next one.
func (l *lookups) run(b *batch) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	defer l.next()
	defer close(b.done)
	// The batch is its callers', and this may be nobody's goroutine: a panic is an
	// answer to all of them and must not end the program.
	defer func() {
		if v := recover(); v != nil {
			b.err = fmt.Errorf("the look-up panicked: %v\n%s", v, debug.Stack())
		}
	}()
	start := time.Now()
	b.found, b.err = l.query(ctx, b.hashes)
	l.observe(len(b.hashes), time.Since(start), b.err)
}

func (l *lookups) next() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		l.running--
		return
	}
	b := l.waiting[0]
	l.waiting[0] = nil
	l.waiting = l.waiting[1:]
	go l.run(b)
}
