package auth

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
)

// asked is a look-up that has reached the database of a test.
type asked struct {
	hashes []stepsies.KeyHash
	answer chan error // nil: all of the hashes are found
}

// database answers look-ups one by one, as the test says.
type database struct {
	calls chan asked
}

func newDatabase() *database { return &database{calls: make(chan asked, 1000)} }

func (d *database) query(ctx context.Context, hashes []stepsies.KeyHash) ([]store.Bearer, error) {
	call := asked{slices.Clone(hashes), make(chan error, 1)}
	d.calls <- call
	select {
	case err := <-call.answer:
		return found(hashes), err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func found(hashes []stepsies.KeyHash) []store.Bearer {
	list := make([]store.Bearer, len(hashes))
	for i, h := range hashes {
		list[i] = store.Bearer{Hash: h, Key: stepsies.APIKey{ID: int64(binary.BigEndian.Uint64(h[:]))}}
	}
	return list
}

func hash(n int) (h stepsies.KeyHash) {
	binary.BigEndian.PutUint64(h[:], uint64(n))
	return h
}

// result is how one caller's look-up ended.
type result struct {
	id    int64
	found bool
	err   error
}

// ask starts a look-up and returns where its result will be.
func ask(ctx context.Context, l *lookups, n int) <-chan result {
	done := make(chan result, 1)
	go func() {
		b, ok, err := l.find(ctx, hash(n))
		done <- result{b.Key.ID, ok, err}
	}()
	return done
}

// occupy takes all places with look-ups that wait for their answer.
func occupy(t *testing.T, l *lookups, d *database) (running []asked, done []<-chan result) {
	t.Helper()
	for i := range maxRunning {
		done = append(done, ask(t.Context(), l, 1_000_000+i))
		running = append(running, <-d.calls)
	}
	return running, done
}

func TestLookUpStartsAfterAllOfItsCallersArrived(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		l := newLookups(d.query)
		running, done := occupy(t, l, d)
		var callers []<-chan result
		for i := range 20 {
			callers = append(callers, ask(t.Context(), l, i/2)) // each key twice
		}
		synctest.Wait()
		if n := len(d.calls); n != 0 {
			t.Fatalf("%d look-ups started beyond the bound", n)
		}
		running[1].answer <- nil
		shared := <-d.calls
		if len(shared.hashes) != 10 {
			t.Errorf("the callers share a look-up of %d keys, want 10", len(shared.hashes))
		}
		// It has started: who comes now must not get its answer, for the same key either.
		late := ask(t.Context(), l, 3)
		synctest.Wait()
		shared.answer <- nil
		next := <-d.calls
		if !slices.Equal(next.hashes, []stepsies.KeyHash{hash(3)}) {
			t.Errorf("who came late is looked up with %d keys", len(next.hashes))
		}
		for i, c := range callers {
			if r := <-c; r.err != nil || !r.found || r.id != int64(i/2) {
				t.Errorf("caller %d got %+v", i, r)
			}
		}
		select {
		case r := <-late:
			t.Errorf("who came late was answered by a look-up from before: %+v", r)
		default:
		}
		next.answer <- nil
		if r := <-late; r.err != nil || r.id != 3 {
			t.Errorf("who came late got %+v", r)
		}
		running[0].answer <- nil
		running[2].answer <- nil
		for _, c := range done {
			if r := <-c; r.err != nil || !r.found {
				t.Errorf("a first caller got %+v", r)
			}
		}
	})
}

func TestStalledLookUpStopsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		l := newLookups(d.query)
		stalled := ask(t.Context(), l, 1)
		<-d.calls // and never answered
		for i := range 100 {
			c := ask(t.Context(), l, 2)
			(<-d.calls).answer <- nil
			if r := <-c; r.err != nil || !r.found {
				t.Fatalf("look-up %d beside a stalled one: %+v", i, r)
			}
		}
		// It ends by its own deadline, as a failure and not as an answer.
		if r := <-stalled; !errors.Is(r.err, context.DeadlineExceeded) || r.found {
			t.Errorf("the stalled one ended with %+v", r)
		}
	})
}

func TestCallerWhoGoesFailsNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		l := newLookups(d.query)
		// One who runs a look-up himself, and two who wait for one.
		ctx, cancel := context.WithCancel(t.Context())
		first := ask(ctx, l, 1)
		own := <-d.calls
		running, _ := occupyRest(t, l, d)
		gone, stays := ask(ctx, l, 2), ask(t.Context(), l, 2)
		synctest.Wait()
		cancel()
		if r := <-gone; !errors.Is(r.err, context.Canceled) {
			t.Errorf("who went got %+v", r)
		}
		own.answer <- nil
		if r := <-first; r.err != nil || !r.found {
			t.Errorf("the look-up that his request began ended with %+v", r)
		}
		(<-d.calls).answer <- nil
		if r := <-stays; r.err != nil || !r.found {
			t.Errorf("who stayed got %+v", r)
		}
		for _, c := range running {
			c.answer <- nil
		}
	})
}

// occupyRest takes all places but one.
func occupyRest(t *testing.T, l *lookups, d *database) (running []asked, done []<-chan result) {
	t.Helper()
	for i := range maxRunning - 1 {
		done = append(done, ask(t.Context(), l, 2_000_000+i))
		running = append(running, <-d.calls)
	}
	return running, done
}

func TestLookUpsHaveABound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		l := newLookups(d.query)
		running, _ := occupy(t, l, d)
		var callers []<-chan result
		for i := range maxWaiting * store.MaxLookup {
			callers = append(callers, ask(t.Context(), l, i))
		}
		synctest.Wait()
		if r := <-ask(t.Context(), l, 5_000_000); !errors.Is(r.err, errLookupsFull) {
			t.Errorf("beyond the bound: %+v", r)
		}
		for _, c := range running {
			c.answer <- nil
		}
		open := 0
		for range maxWaiting {
			call := <-d.calls
			if len(call.hashes) != store.MaxLookup {
				t.Errorf("a look-up of %d keys", len(call.hashes))
			}
			synctest.Wait()
			if open = 1 + len(d.calls); open > maxRunning {
				t.Errorf("%d look-ups run at once", open)
			}
			call.answer <- nil
		}
		for i, c := range callers {
			if r := <-c; r.err != nil || r.id != int64(i) {
				t.Fatalf("caller %d got %+v", i, r)
			}
		}
		if r := ask(t.Context(), l, 7); true {
			(<-d.calls).answer <- nil
			if r := <-r; r.err != nil {
				t.Errorf("after the rush: %+v", r)
			}
		}
	})
}

func TestFailedOrPanickingLookUpIsAFailureForItsCallersAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		failure := errors.New("the disk is gone")
		panics := false
		l := newLookups(func(ctx context.Context, hashes []stepsies.KeyHash) ([]store.Bearer, error) {
			list, err := d.query(ctx, hashes)
			if panics && err != nil {
				panic("on purpose")
			}
			if err != nil {
				return nil, err
			}
			return list, nil
		})
		for _, panics = range []bool{false, true} {
			running, done := occupy(t, l, d)
			a, b := ask(t.Context(), l, 1), ask(t.Context(), l, 2)
			synctest.Wait()
			running[0].answer <- failure // of a look-up that a caller runs
			(<-d.calls).answer <- failure
			for i, c := range []<-chan result{done[0], a, b} {
				r := <-c
				if r.found || r.err == nil || panics && !strings.Contains(r.err.Error(), "on purpose") || !panics && !errors.Is(r.err, failure) {
					t.Errorf("panics %v, caller %d got %+v", panics, i, r)
				}
			}
			for i := 1; i < maxRunning; i++ {
				running[i].answer <- nil
				if r := <-done[i]; r.err != nil || !r.found {
					t.Errorf("panics %v: another look-up ended with %+v", panics, r)
				}
			}
			synctest.Wait()
			if l.running != 0 || len(l.waiting) != 0 {
				t.Fatalf("panics %v: %d places are still taken", panics, l.running)
			}
		}
	})
}

func TestUnknownKeyIsNotFoundAndNoFailure(t *testing.T) {
	t.Parallel()
	l := newLookups(func(context.Context, []stepsies.KeyHash) ([]store.Bearer, error) {
		return found([]stepsies.KeyHash{hash(8)}), nil
	})
	if _, ok, err := l.find(t.Context(), hash(7)); ok || err != nil {
		t.Errorf("an unknown key: %v, %v", ok, err)
	}
}

// TestAnswersAreNeverOlderThanTheirQuestion hammers the look-ups while the truth
// moves on: who asks after a change has returned must see it.
func TestAnswersAreNeverOlderThanTheirQuestion(t *testing.T) {
	t.Parallel()
	var truth, most, open atomic.Int64
	l := newLookups(func(_ context.Context, hashes []stepsies.KeyHash) ([]store.Bearer, error) {
		if n := open.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer open.Add(-1)
		now := truth.Load()
		list := found(hashes)
		for i := range list {
			list[i].Key.ID = now
		}
		return list, nil
	})
	l.observe = func(keys int, _ time.Duration, err error) {
		if keys < 1 || keys > store.MaxLookup || err != nil {
			t.Errorf("a look-up of %d keys (%v)", keys, err)
		}
	}
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			for n := range 2000 {
				if i == 0 {
					truth.Add(1)
					continue
				}
				before := truth.Load()
				b, ok, err := l.find(t.Context(), hash(n%5))
				if err != nil || !ok || b.Key.ID < before || b.Hash != hash(n%5) {
					t.Errorf("asked at %d, answered with %d (%v, %v)", before, b.Key.ID, ok, err)
					return
				}
			}
		})
	}
	wg.Wait()
	if most.Load() > maxRunning {
		t.Errorf("%d look-ups ran at once", most.Load())
	}
}
