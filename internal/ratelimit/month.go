package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// loadTimeout is how long a request waits for the month's count.
	loadTimeout = 500 * time.Millisecond
	// loadsAgain bounds how many failed loads are tried again in one go.
	loadsAgain = 200
)

// learnMonth makes the month's count of a locked account known, or marks it as
// failed. It lets go of the lock meanwhile. Requests that come while a load is
// under way wait for that one.
func (m *Memory) learnMonth(ctx context.Context, a *account) {
	switch {
	case a.loading != nil:
		m.awaitLoad(ctx, a)
	case m.loadsFail.Load():
		m.loadLater(a)
	default:
		_ = m.load(ctx, a) // noted in the account, counted and logged
	}
}

func (m *Memory) awaitLoad(ctx context.Context, a *account) {
	loading := a.loading
	a.mu.Unlock()
	select {
	case <-loading:
	case <-ctx.Done():
	}
	a.mu.Lock()
}

// load reads the month's count from the database into a locked account, which it
// unlocks meanwhile. It and a write of the same account exclude each other, so
// that each request is either in what the database answers or in what it has not
// got yet, and never in both.
func (m *Memory) load(ctx context.Context, a *account) error {
	// A client that hangs up must not fail the others that wait for this load.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTimeout)
	defer cancel()
	month, saved, loading := a.clock.monthStart, a.saved, make(chan struct{})
	a.loading = loading
	a.mu.Unlock()
	n, err := m.loadWhenSaved(ctx, a.id, month, saved)
	a.mu.Lock()
	a.loading = nil
	close(loading)
	if err != nil {
		m.loadFailures.Add(1)
		if !m.loadsFail.Swap(true) {
			m.config.Logger.Error("monthly counts cannot be read; quotas begin at zero until they can", "error", err)
		}
		m.loadLater(a)
		return err
	}
	m.loadsFail.Store(false)
	if a.clock.monthStart == month {
		a.learned(n + a.unsavedThisMonth())
	}
	return nil
}

func (m *Memory) loadWhenSaved(ctx context.Context, id, month int64, saved <-chan struct{}) (int64, error) {
	if saved != nil {
		select {
		case <-saved:
		case <-ctx.Done():
			return 0, errors.New("the counts before it are still being written")
		}
	}
	n, err := m.config.LoadMonth(ctx, id, time.Unix(month, 0).UTC())
	if err != nil {
		return 0, fmt.Errorf("load the month of account %d: %w", id, err)
	}
	return n, nil
}

// loadLater leaves a locked account's month to the next Flush.
func (m *Memory) loadLater(a *account) {
	a.monthFailed = !a.monthKnown
	if a.queued {
		return
	}
	a.queued = true
	m.unloaded.mu.Lock()
	m.unloaded.accounts = append(m.unloaded.accounts, a)
	m.unloaded.mu.Unlock()
}

// loadAgain loads the months that could not be loaded, until one fails again.
func (m *Memory) loadAgain(ctx context.Context) {
	for range loadsAgain {
		a := m.nextUnloaded()
		if a == nil {
			// Every failed load is made up for, or its account is gone.
			m.loadsFail.Store(false)
			return
		}
		a.mu.Lock()
		a.queued = false
		var err error
		if !a.gone && a.loading == nil {
			err = m.load(ctx, a)
		}
		a.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (m *Memory) nextUnloaded() *account {
	m.unloaded.mu.Lock()
	defer m.unloaded.mu.Unlock()
	if len(m.unloaded.accounts) == 0 {
		return nil
	}
	a := m.unloaded.accounts[0]
	m.unloaded.accounts[0] = nil
	m.unloaded.accounts = m.unloaded.accounts[1:]
	return a
}
