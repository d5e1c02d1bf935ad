package store

import (
	"context"
	"sync"
	"time"

	"github.com/stepsies/stepsies"
)

// onceWait is how long an idempotent request waits for the one before it.
const onceWait = 10 * time.Second

// errOnceBusy is the answer when the first request of an idempotency key runs for
// longer than the second can wait.
var errOnceBusy = stepsies.Conflict("The first request with this Idempotency-Key is still running. Ask again in a moment with the same key.")

// turns has the idempotent requests of this process that share a key take turns
// before they ask for a connection. SQLite has one that writes: without this a
// second request would stand in its queue behind the first one, and be told that
// the database does not answer. With PostgreSQL, where the record of the other
// nodes' requests is a lock in the database, it spares a connection for each that
// waits.
type turns struct {
	wait time.Duration

	mu   sync.Mutex
	held map[turn]chan struct{} // closed when the turn is over; as many as there are requests
}

func newTurns() *turns { return &turns{wait: onceWait, held: map[turn]chan struct{}{}} }

// turn is what two requests must share to be one.
type turn struct {
	user       int64
	key, route string
}

// take waits for the turn of a request and returns what ends it. It fails with
// errOnceBusy after the wait.
func (t *turns) take(ctx context.Context, o Once) (end func(), err error) {
	mine := turn{o.UserID, o.Key, o.Route}
	var enough <-chan time.Time // one for all who come before, set by the first
	for {
		before, end := t.tryTake(mine)
		if before == nil {
			return end, nil
		}
		if enough == nil {
			timer := time.NewTimer(t.wait)
			defer timer.Stop()
			enough = timer.C
		}
		select {
		case <-before:
		case <-enough:
			return nil, errOnceBusy
		case <-ctx.Done():
			return nil, classify(ctx.Err())
		}
	}
}

// tryTake takes the turn, or returns what is closed when the one who has it is
// done.
func (t *turns) tryTake(mine turn) (before <-chan struct{}, end func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if before := t.held[mine]; before != nil {
		return before, nil
	}
	done := make(chan struct{})
	t.held[mine] = done
	return nil, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.held, mine)
		close(done)
	}
}
