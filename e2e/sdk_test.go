package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/stepsies/stepsies/client"
)

// TestSDKGoesOnWhenTheServerIsKilled kills the server, by SIGKILL and in the middle
// of writes, and starts it again. The SDK notices nothing but that it waits, and
// every write is carried out once.
func TestSDKGoesOnWhenTheServerIsKilled(t *testing.T) {
	t.Parallel()
	const writers, each, kills = 4, 60, 3
	in := sqliteInstallation(t)
	in.makeUser(t, "sarahchen")
	key := in.makeKey(t, "sarahchen", "read", "write")

	// Servers come and go on ports of their own; the client's address stays.
	var address atomic.Value
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address.Load().(string))
	}}
	t.Cleanup(transport.CloseIdleConnections)
	serve := func() *server {
		s := in.serve(t)
		address.Store(strings.TrimPrefix(s.url, "http://"))
		return s
	}
	var retries atomic.Int64
	c, err := sdk.New(sdk.WithAPIKey(key), sdk.WithBaseURL("http://localhost"), sdk.WithTransport(transport),
		sdk.WithRetries(sdk.MaxRetries), sdk.WithMaxWait(2*time.Second), sdk.WithRetryNotice(func(sdk.Retry) { retries.Add(1) }))
	if err != nil {
		t.Fatal(err)
	}

	s := serve()
	var done atomic.Int64
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				title := fmt.Sprintf("Tea %d-%d", w, i)
				made, err := c.CreateStepsy(t.Context(), sdk.NewStepsy{Title: title, Steps: []sdk.StepInput{{Title: "Boil"}}})
				if err == nil {
					_, err = c.UpdateStepsy(t.Context(), made.ID, sdk.StepsyChange{Title: sdk.Set("Good " + title)}, sdk.IfMatch(made.ETag))
				}
				if err != nil {
					t.Errorf("%s: %v", title, err)
					return
				}
				done.Add(1)
			}
		})
	}
	for i := range int64(kills) {
		eventually(t, "a part of the writes is done", func() bool { return done.Load() >= (i+1)*writers*each/(kills+2) || t.Failed() })
		s.kill()
		s = serve()
	}
	wg.Wait()

	titles := map[string]int{}
	for made, err := range c.AllStepsies(t.Context(), sdk.StepsyQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		titles[made.Title]++
	}
	for w := range writers {
		for i := range each {
			if title := fmt.Sprintf("Good Tea %d-%d", w, i); titles[title] != 1 {
				t.Errorf("there are %d of %q", titles[title], title)
			}
		}
	}
	if len(titles) != writers*each || retries.Load() == 0 {
		t.Errorf("%d titles after %d retries", len(titles), retries.Load())
	}
	s.stop(t)
}
