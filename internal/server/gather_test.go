package server

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhatIsGatheredIsWrittenEveryFewSecondsAndOnceMoreAtTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex // the fake clock orders what is done, but not for the race detector
		var log bytes.Buffer
		var fail error
		var last context.Context
		writes := 0
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			gather(ctx, func(ctx context.Context) error {
				mu.Lock()
				defer mu.Unlock()
				writes++
				last = ctx
				return fail
			}, slog.New(slog.NewTextHandler(lockedWriter{&mu, &log}, nil)))
			close(ended)
		}()
		time.Sleep(10*time.Second + gatherInterval/2)
		synctest.Wait()
		mu.Lock()
		if writes != 10 || gatherInterval > time.Second || log.Len() > 0 {
			t.Errorf("%d writes in 10 s; the log says %q", writes, log.String())
		}
		fail = errors.New("the disk is full")
		mu.Unlock()
		time.Sleep(gatherInterval)
		synctest.Wait()
		mu.Lock()
		if said := log.String(); writes != 11 || !strings.Contains(said, "WARN") || !strings.Contains(said, "the disk is full") {
			t.Errorf("%d writes; the log says %q", writes, said)
		}
		fail = nil
		mu.Unlock()
		cancel()
		<-ended
		if _, bounded := last.Deadline(); writes != 12 || !bounded {
			t.Errorf("%d writes; the last one is bounded: %v", writes, bounded)
		}
	})
}

// lockedWriter writes under a lock.
type lockedWriter struct {
	mu *sync.Mutex
	w  *bytes.Buffer
}

func (l lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}
