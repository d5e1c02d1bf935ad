package auth

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/stepsies/stepsies/internal/store"
)

// FlushInterval is how often the uses of keys are written. With the time that a
// write takes, "last used" is right to well within 10 s.
const FlushInterval = 2 * time.Second

const (
	usageShards = 16
	// maxUsage bounds the keys whose uses are remembered while the database cannot
	// take them. Beyond it new keys are not counted until it can.
	maxUsage = 100_000
)

// Usage gathers in memory when keys were used and writes it every few seconds in
// one statement: a write for each request would make all requests wait in line.
type Usage struct {
	record func(context.Context, []store.KeyUse) error
	log    *slog.Logger
	shards [usageShards]usageShard
}

type usageShard struct {
	mu   sync.Mutex
	uses map[usageOf]*store.KeyUse
}

type usageOf struct{ keyID, day int64 }

// NewUsage returns a gatherer that writes to the store.
func NewUsage(s *store.Store, log *slog.Logger) *Usage {
	return newUsage(s.RecordKeyUse, log)
}

func newUsage(record func(context.Context, []store.KeyUse) error, log *slog.Logger) *Usage {
	u := &Usage{record: record, log: log}
	for i := range u.shards {
		u.shards[i].uses = map[usageOf]*store.KeyUse{}
	}
	return u
}

func (u *Usage) accepted(keyID int64, ip string, at time.Time) {
	u.note(keyID, at, func(use *store.KeyUse) {
		use.Requests++
		if at.After(use.LastUsed) {
			use.LastUsed, use.LastUsedIP = at, ip
		}
	})
}

func (u *Usage) refused(keyID int64, at time.Time) {
	u.note(keyID, at, func(use *store.KeyUse) {
		use.Refusals++
		if at.After(use.LastRefused) {
			use.LastRefused = at
		}
	})
}

func (u *Usage) note(keyID int64, at time.Time, change func(*store.KeyUse)) {
	of := usageOf{keyID, store.Day(at)}
	s := &u.shards[uint64(keyID)%usageShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	use := s.uses[of]
	if use == nil {
		if len(s.uses) >= maxUsage/usageShards {
			return
		}
		use = &store.KeyUse{KeyID: keyID, Day: of.day}
		s.uses[of] = use
	}
	change(use)
}

// Run writes what was gathered every FlushInterval until ctx ends, and once more
// then.
func (u *Usage) Run(ctx context.Context) {
	tick := time.NewTicker(FlushInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := u.Flush(ctx); err != nil {
				u.log.Warn("the use of keys could not be written; it is kept and tried again", "error", err)
			}
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if err := u.Flush(last); err != nil {
				u.log.Error("the last use of keys could not be written", "error", err)
			}
			return
		}
	}
}

// Flush writes what was gathered. What cannot be written is kept.
func (u *Usage) Flush(ctx context.Context) error {
	var uses []store.KeyUse
	for i := range u.shards {
		s := &u.shards[i]
		s.mu.Lock()
		for _, use := range s.uses {
			uses = append(uses, *use)
		}
		clear(s.uses)
		s.mu.Unlock()
	}
	if len(uses) == 0 {
		return nil
	}
	err := u.record(ctx, uses)
	if err != nil {
		u.putBack(uses)
	}
	return err
}

func (u *Usage) putBack(uses []store.KeyUse) {
	for _, old := range uses {
		day := time.Unix(old.Day*86400, 0)
		u.note(old.KeyID, day, func(use *store.KeyUse) {
			use.Requests += old.Requests
			use.Refusals += old.Refusals
			if old.LastUsed.After(use.LastUsed) {
				use.LastUsed, use.LastUsedIP = old.LastUsed, old.LastUsedIP
			}
			if old.LastRefused.After(use.LastRefused) {
				use.LastRefused = old.LastRefused
			}
		})
	}
}
