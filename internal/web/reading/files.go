package reading

import (
	"context"
	"sync"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/stepsyfile"
)

// Bounds of what writing files may take: a long stepsy costs a second of a processor,
// since a file is read back before it is given out.
const (
	maxFilesWritten = 2       // at the same time
	maxFilesKept    = 8 << 20 // bytes of those that were written
)

// files are the stepsies that were asked for as files, each as its author's present
// version is written.
type files struct {
	writing chan struct{}

	mu   sync.Mutex
	kept map[int64]file // by the id of the stepsy
	size int            // of all that are kept
}

type file struct {
	version int64
	at      time.Time // when that version was made: a restored database counts anew
	text    []byte
}

func newFiles() *files {
	return &files{writing: make(chan struct{}, maxFilesWritten), kept: map[int64]file{}}
}

// of is the file of a stepsy that was read with its steps. Whoever asks waits until it
// is written, or goes.
func (f *files) of(ctx context.Context, s stepsies.Stepsy) ([]byte, error) {
	if text, ok := f.get(s); ok {
		return text, nil
	}
	select {
	case f.writing <- struct{}{}:
		defer func() { <-f.writing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if text, ok := f.get(s); ok { // somebody else wrote it meanwhile
		return text, nil
	}
	text, err := stepsyfile.Format(stepsyfile.FileOf(s))
	if err == nil {
		f.keep(s, text)
	}
	return text, err
}

func (f *files) get(s stepsies.Stepsy) ([]byte, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	kept, ok := f.kept[s.ID]
	return kept.text, ok && kept.version == s.Version && kept.at.Equal(s.UpdatedAt)
}

// keep makes room for a file by forgetting others, whichever come first.
func (f *files) keep(s stepsies.Stepsy, text []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.size += len(text) - len(f.kept[s.ID].text)
	f.kept[s.ID] = file{s.Version, s.UpdatedAt, text}
	for id, other := range f.kept {
		if f.size <= maxFilesKept {
			return
		}
		if id != s.ID {
			f.size -= len(other.text)
			delete(f.kept, id)
		}
	}
}
