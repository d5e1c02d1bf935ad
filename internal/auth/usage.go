package auth

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/stepsies/stepsies/internal/store"
)

const (
	usageShards = 16
	// maxUsage bounds the keys whose uses are remembered while the database cannot
	// take them. Beyond it new keys are not counted until it can.
	maxUsage = 100_000
)

// Usage gathers in memory when keys were used, for one statement every few seconds: a write for each request would make all requests wait in line.
type Usage struct {
	record func(context.Context, []store.KeyUse) error
	shards [usageShards]usageShard
}

type usageShard struct {
	mu   sync.Mutex
	uses map[usageOf]*store.KeyUse
}

type usageOf struct{ keyID, day int64 }

// NewUsage returns a gatherer that writes to the store.
func NewUsage(s *store.Store) *Usage { return newUsage(s.RecordKeyUse) }

func newUsage(record func(context.Context, []store.KeyUse) error) *Usage {
	u := &Usage{record: record}
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
	if err := u.record(ctx, uses); err != nil {
		u.putBack(uses)
		return fmt.Errorf("write the use of keys: %w", err)
	}
	return nil
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
