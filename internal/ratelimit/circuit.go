package ratelimit

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/rueidis"
)

const (
	// Redis is looked for after 100 ms, 200 ms … and then every 2 s.
	firstProbe = 100 * time.Millisecond
	lastProbe  = 2 * time.Second
	// checkEvery is how often Redis is asked whether it is there, so that a node with
	// nothing to decide knows it too. While it does not answer it is asked again at
	// every settling.
	checkEvery = 2 * time.Second
	// settleEvery is how often Redis is told what single failures left out.
	settleEvery = 100 * time.Millisecond
	// settleFor bounds how long Redis is told of, in one go.
	settleFor = 2 * time.Second
)

// failed counts a command that did not work, and leaves Redis alone after too many.
func (r *Redis) failed(err error) {
	r.errors.Add(1)
	if r.failures.Add(1) < failuresToOpen || r.degraded.Swap(true) {
		return
	}
	r.outages.Add(1)
	r.config.Logger.Warn("Redis cannot be used; each node limits on its own memory until it can", "error", err)
	select {
	case r.tripped <- struct{}{}:
	default:
	}
}

// succeeded ends a row of failures. It writes only where there is one, since all
// requests pass here.
func (r *Redis) succeeded() {
	if r.failures.Load() != 0 {
		r.failures.Store(0)
	}
}

// run looks for Redis while it is away. Requests never probe, so none pays for it.
func (r *Redis) run(ctx context.Context, first chan struct{}) {
	defer close(r.stopped)
	if err := r.restore(ctx); err != nil {
		r.outages.Add(1)
		r.config.Logger.Warn("Redis is not there yet; each node limits on its own memory until it is", "error", err)
	}
	close(first)
	checked := time.Now()
	for wait := firstProbe; ; {
		pause := settleEvery
		if r.degraded.Load() {
			pause = wait
		}
		select {
		case <-ctx.Done():
			return
		case <-r.tripped:
			wait = firstProbe
			continue
		case <-time.After(pause):
		}
		if !r.degraded.Load() {
			r.settle(ctx)
			if time.Since(checked) >= checkEvery && r.check(ctx) {
				checked = time.Now()
			}
			continue
		}
		if r.restore(ctx) == nil {
			r.config.Logger.Info("Redis is back; limits are shared by all nodes again")
			wait = firstProbe
			continue
		}
		wait = min(2*wait, lastProbe)
	}
}

// check asks whether Redis is there and reports whether it is. What it finds counts
// like a decision's command.
func (r *Redis) check(ctx context.Context) bool {
	err := r.probe(ctx, r.config.Timeout)
	switch {
	case err == nil:
		r.succeeded()
	case ctx.Err() == nil:
		r.failed(err)
	}
	return err == nil
}

// restore closes the circuit if Redis works again and has been told what it
// missed.
func (r *Redis) restore(ctx context.Context) error {
	if err := r.connect(); err != nil {
		return err
	}
	// The first command may have to connect; the second has to be fast.
	for _, timeout := range []time.Duration{dialTimeout, r.config.Timeout} {
		if err := r.probe(ctx, timeout); err != nil {
			return err
		}
	}
	// Saved first, so that whichever node settles last finds every node's requests
	// in the database.
	r.saveWithin(ctx, settleFor)
	r.settle(ctx)
	if err := r.probe(ctx, r.config.Timeout); err != nil {
		return err
	}
	r.failures.Store(0)
	r.degraded.Store(false)
	r.settle(ctx) // what was admitted here in between
	return nil
}

// connect makes the client, which has to find Redis to learn whether it is a
// cluster. Once made, it connects again by itself.
func (r *Redis) connect() error {
	if r.client.Load() != nil {
		return nil
	}
	client, err := rueidis.NewClient(r.options)
	if err != nil {
		return fmt.Errorf("connect to Redis: %w", err)
	}
	r.client.Store(&client)
	return nil
}

// probe writes a key: a Redis that is loading, full, or a replica answers to a
// ping, but is of no use.
func (r *Redis) probe(ctx context.Context, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	client := *r.client.Load()
	if err := client.Do(ctx, client.B().Set().Key(r.config.Prefix+"probe").Value("1").ExSeconds(60).Build()).Error(); err != nil {
		return fmt.Errorf("probe Redis: %w", err)
	}
	return nil
}

// owe lists a locked account as one of which Redis lacks something.
func (r *Redis) owe(a *account) {
	if a.debtor {
		return
	}
	a.debtor = true
	r.debtors.mu.Lock()
	r.debtors.accounts = append(r.debtors.accounts, a)
	r.debtors.mu.Unlock()
}

// settle tells Redis what was admitted without it, account by account, until that
// has taken long enough or fails.
func (r *Redis) settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, settleFor)
	defer cancel()
	for n := r.debtorCount(); n > 0 && ctx.Err() == nil; n-- {
		if !r.settleNext(ctx) {
			return
		}
	}
}

// saveWithin writes to the database what it has not got. What cannot be written is
// kept, and noted by the memory.
func (r *Redis) saveWithin(ctx context.Context, timeout time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_ = r.memory.save(ctx)
}

func (r *Redis) debtorCount() int {
	r.debtors.mu.Lock()
	defer r.debtors.mu.Unlock()
	return len(r.debtors.accounts)
}

// settleNext settles one account and reports whether to go on.
func (r *Redis) settleNext(ctx context.Context) bool {
	r.debtors.mu.Lock()
	if len(r.debtors.accounts) == 0 {
		r.debtors.mu.Unlock()
		return false
	}
	a := r.debtors.accounts[0]
	r.debtors.accounts[0] = nil
	r.debtors.accounts = r.debtors.accounts[1:]
	r.debtors.mu.Unlock()

	a.mu.Lock()
	defer a.mu.Unlock()
	a.debtor = false
	q := question{account: a.id}
	q.month, q.held = r.recallLocked(ctx, a)
	// While it is under way it is in doubt, so that nobody sends it again.
	sent, of := a.owed.plus(a.doubt, -1), a.clock
	sent.month = 0 // the database has it
	q.held.owed = sent
	a.doubt = a.doubt.plus(sent, 1)
	a.mu.Unlock()
	got, late, err := r.ask(q)
	a.mu.Lock()
	switch {
	case late != nil:
		go r.awaitLate(a, sent, of, late)
	default:
		a.resolve(sent, of, err == nil)
		if err == nil && a.clock.minute == got.minuteStart() {
			a.heard(got.counts)
		}
	}
	if err != nil {
		r.errors.Add(1)
	}
	if a.owed != (counts{}) || err != nil {
		r.owe(a) // what is in doubt may come to be owed
	}
	return err == nil
}
