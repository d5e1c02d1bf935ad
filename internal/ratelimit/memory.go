package ratelimit

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/stepsies/stepsies"
)

// shardCount splits the accounts, so that two of them seldom meet at a lock. It is
// a power of two.
const shardCount = 256

// Memory limits the accounts of one node in its memory. Its decisions are exact
// under any parallelism. A restart forgets the minute and the hour; the month
// comes back from the database, but for what was admitted since the last Flush
// before a crash.
//
// It keeps about 300 bytes for each account that made a request in its current
// hour, or whose counts the database would not take yet; others are forgotten
// within flushesToForget calls of Flush.
type Memory struct {
	config Config
	shards [shardCount]shard

	saveMu sync.Mutex // one write at a time
	batch  []*account // used by save

	unloaded struct {
		mu       sync.Mutex
		accounts []*account
	}
	loadsFail atomic.Bool // the last load failed: new accounts do not wait for theirs

	saveFailures, loadFailures, droppedDays atomic.Uint64

	sweepMu sync.Mutex
	swept   int // the shard that is swept next
}

type shard struct {
	mu       sync.RWMutex
	accounts map[int64]*account

	dirtyMu sync.Mutex // taken under an account's lock, never the other way round
	dirty   []*account // accounts with unsaved counts

	outcomes outcomes
	_        [64]byte // keeps the shards off each other's cache lines
}

// outcomes counts decisions; one for each shard, so that the processors do not
// fight for one cache line.
type outcomes [4]atomic.Uint64

func (o *outcomes) count(d Decision) { o[d.Exceeded].Add(1) }

func (o *outcomes) addTo(sum *Outcomes) {
	sum.Allowed += o[None].Load()
	sum.RefusedMinute += o[Minute].Load()
	sum.RefusedHour += o[Hour].Load()
	sum.RefusedMonth += o[Month].Load()
}

// NewMemory returns a limiter, whose owner calls Flush every few seconds and Close in
// the end. It panics where the config has no LoadMonth or no SaveDays.
func NewMemory(config Config) *Memory {
	m := &Memory{config: config.withDefaults()}
	for i := range m.shards {
		m.shards[i].accounts = make(map[int64]*account)
	}
	return m
}

// Take counts one request of the account if its limits admit it. The first request
// in a month waits for the database, at most half a second; when that does not
// answer, the month begins at zero and what the database has is added once it
// answers again: availability before exactness.
func (m *Memory) Take(ctx context.Context, account int64, limits stepsies.Limits) Decision {
	return m.decide(ctx, account, limits, true, nil)
}

// Peek returns what Take would decide, and counts nothing.
func (m *Memory) Peek(ctx context.Context, account int64, limits stepsies.Limits) Decision {
	return m.decide(ctx, account, limits, false, nil)
}

// decide takes a decision. Where alone is set, the request is one that Redis should
// have decided: it is owed, and alone is told while the account is locked.
func (m *Memory) decide(ctx context.Context, id int64, l stepsies.Limits, take bool, alone func(*account)) Decision {
	a := m.lock(id)
	at := a.advance(m.now())
	for l.Month > 0 && !a.monthKnown && !a.monthFailed && ctx.Err() == nil {
		m.learnMonth(ctx, a)
		if a.gone {
			a.mu.Unlock()
			a = m.lock(id)
		}
		at = a.advance(m.now())
	}
	in := &a.counts
	if alone != nil {
		in = &a.owed
	}
	d := a.decide(l, at, take, in)
	if take && d.Allowed {
		m.admitted(a, at)
		if alone != nil {
			alone(a)
		}
	}
	a.mu.Unlock()
	if take {
		m.shard(id).outcomes.count(d)
	}
	return d
}

// admitted notes a request of a locked account for the database.
func (m *Memory) admitted(a *account, at moment) {
	a.unsaved = addDay(a.unsaved, at.day(), 1)
	if !a.dirty {
		a.dirty = true
		m.shard(a.id).markDirty(a)
	}
}

func (m *Memory) now() int64 { return m.config.Now().Unix() }

// shard spreads ids, which come in rows, by multiplying with the golden ratio.
func (m *Memory) shard(id int64) *shard {
	const golden = 0x9e3779b97f4a7c15
	return &m.shards[uint64(id)*golden>>56&(shardCount-1)]
}

// lock returns the account, new if it was not known, and locked.
func (m *Memory) lock(id int64) *account {
	sh := m.shard(id)
	for {
		sh.mu.RLock()
		a := sh.accounts[id]
		sh.mu.RUnlock()
		if a == nil {
			a = sh.add(id)
		}
		a.mu.Lock()
		if !a.gone {
			return a
		}
		a.mu.Unlock()
	}
}

func (s *shard) add(id int64) *account {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[id]
	if a == nil {
		a = &account{id: id}
		s.accounts[id] = a
	}
	return a
}

func (s *shard) markDirty(a *account) {
	s.dirtyMu.Lock()
	s.dirty = append(s.dirty, a)
	s.dirtyMu.Unlock()
}

// flushesToForget is within how many calls of Flush an idle account is forgotten: each
// looks at a part of all accounts.
const flushesToForget = 60

// Flush writes every count that the database has not got. It also loads the months that
// could not be loaded when they were needed, and forgets idle accounts. What cannot be
// written is kept for the next time; the error says so.
func (m *Memory) Flush(ctx context.Context) error {
	err := m.save(ctx)
	m.loadAgain(ctx)
	m.sweep((shardCount + flushesToForget - 1) / flushesToForget)
	return err
}

// sweep forgets the idle accounts of the next n shards.
func (m *Memory) sweep(n int) {
	m.sweepMu.Lock()
	defer m.sweepMu.Unlock()
	wall := m.now()
	for range n {
		sh := &m.shards[m.swept]
		m.swept = (m.swept + 1) % shardCount
		sh.mu.Lock()
		for id, a := range sh.accounts {
			if !a.mu.TryLock() {
				continue // in use, so not idle
			}
			if a.idle(wall) {
				a.gone = true
				delete(sh.accounts, id)
			}
			a.mu.Unlock()
		}
		sh.mu.Unlock()
	}
}

// Stats returns what the limiter has done so far.
func (m *Memory) Stats() Stats {
	s := Stats{SaveFailures: m.saveFailures.Load(), LoadFailures: m.loadFailures.Load(), DroppedDays: m.droppedDays.Load()}
	for i := range m.shards {
		sh := &m.shards[i]
		sh.outcomes.addTo(&s.Memory)
		sh.mu.RLock()
		s.Accounts += len(sh.accounts)
		sh.mu.RUnlock()
		sh.dirtyMu.Lock()
		s.Unsaved += len(sh.dirty)
		sh.dirtyMu.Unlock()
	}
	return s
}

// Degraded reports whether limits are kept less exactly than configured. They
// never are on one node.
func (m *Memory) Degraded() bool { return false }

// errUnsaved is returned by Close.
var errUnsaved = errors.New("the database did not take the counts of some accounts")

// Close writes what the database has not got. It returns an error where counts could
// not be written before the context was done. Requests are still decided afterwards,
// but no longer saved.
func (m *Memory) Close(ctx context.Context) error {
	if err := m.save(ctx); err != nil {
		return errors.Join(errUnsaved, err)
	}
	return nil
}
