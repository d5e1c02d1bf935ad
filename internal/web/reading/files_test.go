package reading

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

func fileStepsy(id, version int64, text string) stepsies.Stepsy {
	return stepsies.Stepsy{
		ID: id, Version: version, UpdatedAt: time.Unix(version, 0), Title: "Bake bread", Status: stepsies.StatusPublished,
		Steps: []stepsies.Step{{ID: 1, Title: "Mix", Content: stepsies.SanitisedContent("<p>" + text + "</p>")}},
	}
}

func TestFileIsThatOfThePresentVersion(t *testing.T) {
	t.Parallel()
	f := newFiles()
	for _, s := range []stepsies.Stepsy{fileStepsy(1, 1, "flour"), fileStepsy(1, 1, "flour"), fileStepsy(1, 2, "water"), fileStepsy(2, 2, "salt"), fileStepsy(1, 1, "flour")} {
		text, err := f.of(t.Context(), s)
		if want := s.Steps[0].Content.Text(); err != nil || !strings.Contains(string(text), strings.TrimSpace(want)) {
			t.Errorf("version %d of stepsy %d is %q (%v)", s.Version, s.ID, text, err)
		}
	}
	restored := fileStepsy(1, 1, "sugar")
	restored.UpdatedAt = time.Unix(99, 0)
	if text, err := f.of(t.Context(), restored); err != nil || !strings.Contains(string(text), "sugar") {
		t.Errorf("another database's version 1 is %q (%v)", text, err)
	}
}

func TestKeptFilesAreBounded(t *testing.T) {
	t.Parallel()
	f := newFiles()
	text := make([]byte, maxFilesKept/4)
	for id := range int64(40) {
		f.keep(fileStepsy(id, 1, ""), text)
		f.keep(fileStepsy(id, 2, ""), text[:len(text)-1])
		sum := 0
		for _, kept := range f.kept {
			sum += len(kept.text)
		}
		if sum != f.size || sum > maxFilesKept {
			t.Fatalf("after %d stepsies %d bytes are kept, and counted as %d", id+1, sum, f.size)
		}
		if _, ok := f.get(fileStepsy(id, 2, "")); !ok {
			t.Fatalf("the file of stepsy %d is not kept", id)
		}
	}
}

// TestWhoeverGoesWaitsForNoFile has all writers busy.
func TestWhoeverGoesWaitsForNoFile(t *testing.T) {
	t.Parallel()
	f := newFiles()
	for range maxFilesWritten {
		f.writing <- struct{}{}
	}
	ctx, gone := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	for id := range int64(20) {
		waiting.Go(func() {
			if _, err := f.of(ctx, fileStepsy(id, 1, "flour")); !errors.Is(err, context.Canceled) {
				t.Errorf("the error is %v", err)
			}
		})
	}
	gone()
	waiting.Wait()
}
