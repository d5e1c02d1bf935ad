package server

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhatIsGatheredIsWrittenEveryFewSecondsAndOnceMoreAtTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var fail error
		var last context.Context
		writes := 0
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			gather(ctx, func(ctx context.Context) error { writes++; last = ctx; return fail }, slog.New(slog.NewTextHandler(&log, nil)))
			close(ended)
		}()
		time.Sleep(10*time.Second + gatherInterval/2)
		synctest.Wait()
		if writes != 5 || gatherInterval > 4*time.Second || log.Len() > 0 {
			t.Errorf("%d writes in 10 s; the log says %q", writes, log.String())
		}
		fail = errors.New("the disk is full")
		time.Sleep(gatherInterval)
		synctest.Wait()
		if said := log.String(); writes != 6 || !strings.Contains(said, "WARN") || !strings.Contains(said, "the disk is full") {
			t.Errorf("%d writes; the log says %q", writes, said)
		}
		fail = nil
		cancel()
		<-ended
		if _, bounded := last.Deadline(); writes != 7 || !bounded {
			t.Errorf("%d writes; the last one is bounded: %v", writes, bounded)
		}
	})
}
