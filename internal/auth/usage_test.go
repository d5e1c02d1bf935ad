package auth

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/store"
)

var noon = time.Date(2026, time.March, 14, 12, 0, 0, 0, time.UTC)

// notebook takes what a usage writes, or fails.
type notebook struct {
	mu     sync.Mutex
	writes [][]store.KeyUse
	times  []time.Time
	fail   error
}

func (n *notebook) record(_ context.Context, uses []store.KeyUse) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fail != nil {
		return n.fail
	}
	uses = slices.Clone(uses)
	slices.SortFunc(uses, func(a, b store.KeyUse) int { return cmp.Or(cmp.Compare(a.KeyID, b.KeyID), cmp.Compare(a.Day, b.Day)) })
	n.writes = append(n.writes, uses)
	n.times = append(n.times, time.Now())
	return nil
}

func at(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }

func TestUsesAreGatheredByKeyAndDay(t *testing.T) {
	t.Parallel()
	book := &notebook{}
	u := newUsage(book.record)
	u.accepted(1, "192.0.2.1", at(1))
	u.accepted(1, "192.0.2.3", at(3))
	u.accepted(1, "192.0.2.2", at(2)) // came late: the last use stays
	u.refused(2, at(5))
	u.refused(2, at(4))
	u.accepted(1, "192.0.2.4", noon.Add(24*time.Hour))
	u.accepted(17, "", at(0)) // shares a shard with 1
	if err := u.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	today := store.Day(noon)
	want := []store.KeyUse{
		{KeyID: 1, Day: today, Requests: 3, LastUsed: at(3), LastUsedIP: "192.0.2.3"},
		{KeyID: 1, Day: today + 1, Requests: 1, LastUsed: noon.Add(24 * time.Hour), LastUsedIP: "192.0.2.4"},
		{KeyID: 2, Day: today, Refusals: 2, LastRefused: at(5)},
		{KeyID: 17, Day: today, Requests: 1, LastUsed: at(0)},
	}
	if len(book.writes) != 1 || !slices.Equal(book.writes[0], want) {
		t.Errorf("written: %+v, want %+v", book.writes, want)
	}
	if err := u.Flush(t.Context()); err != nil || len(book.writes) != 1 {
		t.Errorf("nothing was written again: %v, %d writes", err, len(book.writes))
	}
}

func TestUsesThatCannotBeWrittenAreKept(t *testing.T) {
	t.Parallel()
	book := &notebook{fail: errors.New("the disk is full")}
	u := newUsage(book.record)
	u.accepted(1, "192.0.2.9", at(9))
	u.refused(1, at(8))
	u.accepted(2, "192.0.2.1", noon.Add(-48*time.Hour))
	for range 3 {
		if err := u.Flush(t.Context()); !errors.Is(err, book.fail) {
			t.Fatal(err)
		}
		u.accepted(1, "192.0.2.5", at(5)) // from before the use that is kept
		u.refused(1, at(2))
	}
	book.fail = nil
	if err := u.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []store.KeyUse{
		{KeyID: 1, Day: store.Day(noon), Requests: 4, Refusals: 4, LastUsed: at(9), LastUsedIP: "192.0.2.9", LastRefused: at(8)},
		{KeyID: 2, Day: store.Day(noon) - 2, Requests: 1, LastUsed: noon.Add(-48 * time.Hour), LastUsedIP: "192.0.2.1"},
	}
	if len(book.writes) != 1 || !slices.Equal(book.writes[0], want) {
		t.Errorf("written: %+v, want %+v", book.writes, want)
	}
}

func TestRememberedUsesHaveABound(t *testing.T) {
	t.Parallel()
	book := &notebook{}
	u := newUsage(book.record)
	for i := range int64(maxUsage + 1000) {
		u.accepted(i, "", noon)
	}
	u.accepted(0, "", at(1)) // one that is known still counts
	if err := u.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(book.writes[0]); n != maxUsage || book.writes[0][0].Requests != 2 {
		t.Errorf("%d keys are remembered, want %d; the first was used %d times", n, maxUsage, book.writes[0][0].Requests)
	}
	u.accepted(maxUsage+5, "", noon)
	if err := u.Flush(t.Context()); err != nil || len(book.writes) != 2 {
		t.Errorf("after a write there is no room: %v", err)
	}
}

// TestNoUseIsLostBetweenWriters counts from many goroutines while writes fail and go
// through.
func TestNoUseIsLostBetweenWriters(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var total int64
	writes := 0
	u := newUsage(func(_ context.Context, uses []store.KeyUse) error {
		mu.Lock()
		defer mu.Unlock()
		if writes++; writes%3 == 0 {
			return errors.New("not now")
		}
		for _, use := range uses {
			total += use.Requests + use.Refusals
		}
		return nil
	})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 1000 {
				u.accepted(int64(i%50), "192.0.2.1", at(i))
				u.refused(int64(g), at(i))
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			for range 100 {
				_ = u.Flush(t.Context()) // fails on purpose now and then
			}
		})
	}
	wg.Wait()
	for range 3 {
		_ = u.Flush(t.Context())
	}
	if total != 16_000 {
		t.Errorf("%d uses were written, want 16,000", total)
	}
}
