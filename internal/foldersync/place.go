package foldersync

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/stepsyfile"
)

// What is written where follows from what a server and a state file say, and either
// may come from somebody else. So only stepsy files are written, through an [os.Root]
// that leads nowhere outside of the folder, and only over stepsy files.

// reservedNames are devices on Windows, whatever follows after a dot.
var reservedNames = []string{
	"con", "prn", "aux", "nul", "conin$", "conout$",
	"com0", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "com¹", "com²", "com³",
	"lpt0", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9", "lpt¹", "lpt²", "lpt³",
}

// maxName is how many bytes a name may have from the root on, as Windows has it for
// a whole path.
const maxName = 250

// mayBeOurs reports whether a name, from the root and with slashes, can be that of a
// stepsy file, on every system that the folder may be copied to.
func mayBeOurs(name string) bool {
	strange := func(r rune) bool { return unicode.IsControl(r) || strings.ContainsRune(`\:*?"<>|`, r) }
	if len(name) > maxName || !fs.ValidPath(name) || !filepath.IsLocal(filepath.FromSlash(name)) || path.Ext(name) != ".md" || strings.ContainsFunc(name, strange) {
		return false
	}
	for part := range strings.SplitSeq(name, "/") {
		first, _, _ := strings.Cut(part, ".")
		hidden := strings.HasPrefix(part, ".")
		if hidden || strings.HasSuffix(part, " ") || strings.HasSuffix(part, ".") || slices.Contains(reservedNames, strings.ToLower(strings.TrimRight(first, " "))) {
			return false
		}
	}
	return true
}

// newFile returns name and path for a stepsy that has no file yet, and keeps them for it.
func (f *Folder) newFile(slug string, id int64) (name, path string, err error) {
	if _, err := stepsies.ParseSlug(slug); err != nil {
		return "", "", fmt.Errorf("its slug %q cannot be the name of a file", slug)
	}
	for _, base := range []string{slug, fmt.Sprintf("%s-%d", slug, id)} {
		path = filepath.Join(f.shown, base+".md")
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if name, err = f.nameOf(path); err != nil {
			return "", "", err
		}
		if mayBeOurs(base+".md") && f.reserve(name) {
			return name, path, nil
		}
	}
	return "", "", fmt.Errorf("the file %s is there already and is no stepsy of this server; move it away", path)
}

// reserve takes a name that differs from all others in more than its case: many systems
// would have two such files be one.
func (f *Folder) reserve(name string) bool {
	if f.taken == nil {
		f.taken = map[string]bool{}
		for seen := range f.seen {
			f.taken[strings.ToLower(seen)] = true
		}
	}
	lower := strings.ToLower(name)
	if f.taken[lower] {
		return false
	}
	f.taken[lower] = true
	return true
}

// errNotOurs means that there is something else in the place of a stepsy file.
var errNotOurs = errors.New("what is there is a link or no file at all; move it away, or name the file that it leads to")

// readPresent reads what has a name now. There may be nothing (fs.ErrNotExist).
func readPresent(root *os.Root, name string) ([]byte, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotOurs
	}
	in, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	return io.ReadAll(io.LimitReader(in, stepsyfile.MaxSize+1))
}

// writeWhole writes a file that appears whole or not at all. A present one keeps
// its mode.
func writeWhole(root *os.Root, name string, data []byte) error {
	mode := fs.FileMode(0o644)
	if info, err := root.Lstat(name); err == nil && info.Mode().IsRegular() {
		mode = info.Mode().Perm()
	}
	part := path.Join(path.Dir(name), ".stepsies-"+rand.Text())
	out, err := root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = root.Remove(part) }()
	_, err = out.Write(data)
	if err = errors.Join(err, out.Chmod(mode), out.Close()); err != nil {
		return err
	}
	return root.Rename(part, name)
}
