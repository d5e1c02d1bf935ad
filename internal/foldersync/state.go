package foldersync

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// Where a folder's state is kept. The folder hides itself from git, so that files
// stay clean and clones begin without one.
const (
	stateFolder = ".stepsies"
	stateFile   = "state.json"
)

// maxState bounds the state file, in bytes. An entry has some two hundred.
const maxState = 64 << 20

// state says for each file what it and the server agreed on last. It is a memory
// and not a truth: without it nothing is lost, but more has to be decided by
// people.
type state struct {
	Version int                          `json:"version"`
	Servers map[string]map[string]*entry `json:"servers"` // by address and user, by name of the file

	root string
}

// entry is what is remembered of a file on one server.
type entry struct {
	ID     int64  `json:"id"`
	Local  string `json:"local,omitzero"`  // sum of the file's text when both agreed
	Server string `json:"server,omitzero"` // sum of the server's, the same unless it understands more or less
	// Pushing has the sums of texts that are on their way. Whoever finds one on the
	// server after a push that was cut off knows that nobody else wrote it.
	Pushing []string `json:"pushing,omitzero"`
}

const stateVersion = 1

func loadState(root string) (*state, error) {
	s := &state{Version: stateVersion, Servers: map[string]map[string]*entry{}, root: root}
	shown := filepath.Join(root, stateFolder, stateFile)
	f, err := os.OpenInRoot(root, path.Join(stateFolder, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the state: %w", err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxState))
	if err != nil {
		return nil, fmt.Errorf("read the state: %w", err)
	}
	if err := json.Unmarshal(text, s); err != nil || s.Version != stateVersion || s.Servers == nil {
		return nil, fmt.Errorf("%s cannot be read by this program; remove it to go on without (then whatever differs is a conflict), or use the version of stepsies that wrote it", shown)
	}
	return s, nil
}

// of returns what is remembered of one user's stepsies on one server.
func (s *state) of(server *server) map[string]*entry {
	place := server.BaseURL() + " " + server.username
	if s.Servers[place] == nil {
		s.Servers[place] = map[string]*entry{}
	}
	return s.Servers[place]
}

// saw reports whether the text of that sum is one that this folder knows to be on
// the server.
func (e *entry) saw(sum string) bool { return sum == e.Server || slices.Contains(e.Pushing, sum) }

// base returns what is remembered of a file that stands for the stepsy of that id,
// under this name or one that it had before; an empty entry where nothing is.
func base(known map[string]*entry, name string, id int64) *entry {
	if e := known[name]; e != nil && (e.ID == id || e.ID == 0) {
		return e
	}
	for _, e := range known {
		if e.ID == id {
			return e
		}
	}
	return &entry{}
}

// remember puts an entry in the place of all that is remembered of its stepsy.
func remember(known map[string]*entry, name string, e *entry) {
	for other, was := range known {
		if was.ID == e.ID && e.ID != 0 {
			delete(known, other)
		}
	}
	known[name] = e
}

// save writes the state. It appears whole or not at all.
func (s *state) save() error {
	root, err := os.OpenRoot(s.root)
	if err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	defer func() { _ = root.Close() }()
	if err := root.MkdirAll(stateFolder, 0o755); errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("the folder %s must be writable: what it and the server agreed on is kept there, in %s: %w", s.root, stateFolder, err)
	} else if err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	ignore := path.Join(stateFolder, ".gitignore")
	if _, err := root.Lstat(ignore); errors.Is(err, fs.ErrNotExist) {
		if err := writeWhole(root, ignore, []byte("# What this clone and the server agreed on last. It belongs to this clone alone.\n*\n")); err != nil {
			return fmt.Errorf("write the state: %w", err)
		}
	}
	text, err := json.MarshalIndent(s, "", " ")
	if err == nil {
		err = writeWhole(root, path.Join(stateFolder, stateFile), append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	return nil
}
