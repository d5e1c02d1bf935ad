package ratelimit

import (
	"context"
	"fmt"
	"time"
)

const (
	// saveRows bounds the counts of one SaveDays.
	saveRows = 500
	// saveTimeout bounds one SaveDays.
	saveTimeout = 5 * time.Second
)

// save writes every count that the database has not got. After a failure it stops
// and keeps the rest for the next time.
func (m *Memory) save(ctx context.Context) error {
	m.saveMu.Lock()
	defer m.saveMu.Unlock()
	m.collectDirty()
	var err error
	for rest := m.batch; len(rest) > 0; {
		if err != nil {
			m.keepDirty(rest)
			break
		}
		var n int
		n, err = m.saveSome(ctx, rest)
		rest = rest[n:]
	}
	clear(m.batch)
	if err != nil {
		m.saveFailures.Add(1)
	}
	return err
}

func (m *Memory) collectDirty() {
	m.batch = m.batch[:0]
	for i := range m.shards {
		sh := &m.shards[i]
		sh.dirtyMu.Lock()
		m.batch = append(m.batch, sh.dirty...)
		clear(sh.dirty)
		sh.dirty = sh.dirty[:0]
		sh.dirtyMu.Unlock()
	}
}

func (m *Memory) keepDirty(accounts []*account) {
	for _, a := range accounts {
		m.shard(a.id).markDirty(a)
	}
}

// saveSome writes the counts of the first accounts, and returns how many accounts
// that were.
func (m *Memory) saveSome(ctx context.Context, accounts []*account) (int, error) {
	done := make(chan struct{})
	defer close(done)
	rows := make([]DayCount, 0, min(saveRows, 2*len(accounts)))
	n := 0
	for ; n < len(accounts) && len(rows)+maxUnsavedDays+1 <= saveRows; n++ {
		rows = m.begin(accounts[n], rows, done)
	}
	var err error
	if len(rows) > 0 {
		ctx, cancel := context.WithTimeout(ctx, saveTimeout)
		defer cancel()
		err = m.config.SaveDays(ctx, rows)
	}
	for _, a := range accounts[:n] {
		m.finish(a, done, err == nil)
	}
	if err != nil {
		return n, fmt.Errorf("save the counts of %d accounts: %w", n, err)
	}
	return n, nil
}

// begin moves an account's counts into the write that ends when done is closed. An
// account whose month is being loaded has to wait for the next one.
func (m *Memory) begin(a *account, rows []DayCount, done chan struct{}) []DayCount {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.loading != nil {
		m.shard(a.id).markDirty(a)
		return rows
	}
	a.dirty = false
	a.unsaved, a.saving = a.saving[:0], a.unsaved
	a.saved = done
	for _, d := range a.saving {
		rows = append(rows, DayCount{Account: a.id, Day: d.day, Count: d.count})
	}
	return rows
}

func (m *Memory) finish(a *account, done chan struct{}, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.saved != done {
		return
	}
	a.saved = nil
	if ok {
		a.saving = a.saving[:0]
		return
	}
	m.droppedDays.Add(uint64(a.giveBack()))
	if !a.dirty {
		a.dirty = true
		m.shard(a.id).markDirty(a)
	}
}
