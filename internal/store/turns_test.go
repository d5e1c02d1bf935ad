package store

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stepsies/stepsies"
)

// TestIdempotentRequestWaitsTenSecondsForTheOneBeforeIt runs on a clock of its own.
func TestIdempotentRequestWaitsTenSecondsForTheOneBeforeIt(t *testing.T) {
	o := Once{UserID: 1, Key: "k", Route: "POST /v1/stepsies"}
	synctest.Test(t, func(t *testing.T) {
		all := newTurns()
		end, err := all.take(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range []Once{{2, o.Key, o.Route, o.Body}, {o.UserID, "K", o.Route, o.Body}, {o.UserID, o.Key, "POST /v1/users", o.Body}} {
			end, err := all.take(t.Context(), other)
			if err != nil {
				t.Fatalf("%+v waits for %+v: %v", other, o, err)
			}
			end()
		}
		start := time.Now()
		if _, err := all.take(t.Context(), o); stepsies.CodeOf(err) != stepsies.CodeConflict || time.Since(start) != 10*time.Second {
			t.Errorf("after %s: %v, want a conflict after 10 s", time.Since(start), err)
		}
		gone, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := all.take(gone, o); stepsies.CodeOf(err) != stepsies.CodeUnavailable || time.Since(start) != 11*time.Second {
			t.Errorf("whose client has gone waited until %s: %v", time.Since(start), err)
		}
		// The one behind the next one has waited for both of them.
		go func() {
			time.Sleep(7 * time.Second)
			end()
		}()
		second, err := all.take(t.Context(), o)
		if err != nil || time.Since(start) != 18*time.Second {
			t.Fatalf("after %s: %v", time.Since(start), err)
		}
		second()
		if len(all.held) != 0 {
			t.Errorf("%d turns are left over", len(all.held))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		all := newTurns()
		const requests = 50
		took := make(chan time.Duration, requests)
		start := time.Now()
		for range requests {
			go func() {
				end, err := all.take(t.Context(), o)
				if err == nil {
					time.Sleep(time.Second)
					end()
				}
				took <- time.Since(start)
				if err != nil && !errors.Is(err, errOnceBusy) {
					t.Error(err)
				}
			}()
		}
		for range requests {
			if d := <-took; d > 11*time.Second {
				t.Errorf("a request took %s", d)
			}
		}
	})
}
