package foldersync

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/stepsies/stepsies/internal/stepsyfile"
)

// Bounds of a folder.
const (
	maxFiles = 20_000
	maxDepth = 32 // folders within each other, and folders above in which the state is looked for
)

// Folder is a folder of stepsy files, or some files of one.
type Folder struct {
	root    string // where the state is kept; names are relative to it
	shown   string // what people call the root
	state   *state
	files   []*file
	missing []string // names of files that were asked for and are not there
	seen    map[string]bool
	taken   map[string]bool // names in lower case that are in use or will be
	skipped []string        // paths of files without front matter
	whole   bool            // a folder was asked for, and not single files
}

// file is a stepsy file as it was found.
type file struct {
	name string // from the root, with slashes
	path string // as people call it
	data []byte
	File stepsyfile.File
	err  error // why it cannot be read
}

// Open finds the stepsy files that paths name: one folder, which is searched with
// the folders in it but for hidden ones, or single files. Files that are not there
// are for Pull to write.
func Open(paths []string) (*Folder, error) {
	if len(paths) == 0 {
		return nil, errors.New("no folder or file is named")
	}
	f := &Folder{seen: map[string]bool{}}
	var single []string
	for _, p := range paths {
		info, err := os.Stat(p)
		switch {
		case errors.Is(err, fs.ErrNotExist) && filepath.Ext(p) != ".md":
			return nil, fmt.Errorf("there is no folder %s; make it first", p)
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return nil, err
		case err == nil && info.IsDir() && len(paths) > 1:
			return nil, fmt.Errorf("%s is a folder; name one folder alone, or files", p)
		case err == nil && info.IsDir():
			f.whole = true
		case filepath.Ext(p) != ".md":
			return nil, fmt.Errorf("%s does not end in .md; stepsies are kept in Markdown files", p)
		default:
			single = append(single, p)
		}
	}
	var err error
	if f.whole {
		f.shown = paths[0]
		f.root, err = findRoot(paths[0])
	} else {
		f.shown = commonFolder(single)
		f.root, err = findRoot(f.shown)
	}
	if err != nil {
		return nil, err
	}
	if f.whole {
		err = f.walk(paths[0])
	} else {
		for _, p := range single {
			if err = f.add(p, true); err != nil {
				break
			}
		}
	}
	if err != nil {
		return nil, err
	}
	f.state, err = loadState(f.root)
	return f, err
}

// findRoot returns the folder, or the one above it whose state it belongs to.
func findRoot(folder string) (string, error) {
	dir, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", err
	}
	for at, n := dir, 0; n < maxDepth; n++ {
		if info, err := os.Stat(at); err != nil || at != dir && info.Mode().Perm()&0o002 != 0 {
			break // in a folder such as /tmp anybody may have put a state
		}
		if _, err := os.Stat(filepath.Join(at, stateFolder, stateFile)); err == nil {
			return at, nil
		}
		above := filepath.Dir(at)
		if above == at {
			break
		}
		at = above
	}
	return dir, nil
}

// commonFolder returns the innermost folder that holds all of the files.
func commonFolder(paths []string) string {
	common := filepath.Dir(paths[0])
	for _, p := range paths[1:] {
		for n := 0; n < 4*maxDepth; n++ {
			if rel, err := filepath.Rel(common, p); err == nil && filepath.IsLocal(rel) {
				break
			}
			common = filepath.Join(common, "..")
		}
	}
	return common
}

// walk adds the Markdown files of a folder.
func (f *Folder) walk(folder string) error {
	return filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			hidden := path != folder && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules")
			rel, err := filepath.Rel(folder, path)
			if hidden || err != nil || strings.Count(rel, string(filepath.Separator)) >= maxDepth {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".md" || strings.HasPrefix(d.Name(), ".") || !d.Type().IsRegular() {
			return nil
		}
		return f.add(path, false)
	})
}

// add reads a file. One that was asked for by its name must be a stepsy.
func (f *Folder) add(path string, named bool) error {
	name, err := f.nameOf(path)
	if err != nil {
		return err
	}
	if f.seen[name] {
		return nil
	}
	f.seen[name] = true
	if len(f.files) >= maxFiles {
		return fmt.Errorf("there are more than %d Markdown files; name a folder with fewer", maxFiles)
	}
	data, err := readBounded(path)
	if errors.Is(err, fs.ErrNotExist) && named {
		f.missing = append(f.missing, name)
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	one := &file{name: name, path: path, data: data}
	if !named && !one.begun() {
		f.skipped = append(f.skipped, path)
		return nil
	}
	one.File, one.err = stepsyfile.Parse(data)
	f.files = append(f.files, one)
	return nil
}

// begun reports whether a file begins as a stepsy file does, whatever follows.
func (f *file) begun() bool {
	return bytes.HasPrefix(bytes.TrimPrefix(f.data, []byte("\uFEFF")), []byte("---"))
}

// nameOf returns the name of a file that may not be there yet.
func (f *Folder) nameOf(path string) (string, error) {
	folder, err := filepath.Abs(filepath.Dir(path))
	if err == nil {
		folder, err = filepath.EvalSymlinks(folder)
	}
	if err != nil {
		return "", fmt.Errorf("find %s: %w", path, err)
	}
	name, err := filepath.Rel(f.root, filepath.Join(folder, filepath.Base(path)))
	if err != nil || !filepath.IsLocal(name) {
		return "", fmt.Errorf("%s lies outside of %s, whose state is kept there; push and pull one folder at a time", path, f.root)
	}
	return filepath.ToSlash(name), nil
}

// readBounded reads a file of at most a little more than a stepsy file may have.
func readBounded(path string) ([]byte, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	return io.ReadAll(io.LimitReader(in, stepsyfile.MaxSize+1))
}
