package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	sources = "../../web/editor"
	assets  = "../../web/assets"
)

// copies returns a folder with the sources and one with what was made of them, to be
// changed at will, on a machine without npm.
func copies(t *testing.T) (src, dst string) {
	t.Helper()
	src, dst = t.TempDir(), t.TempDir()
	err := fs.WalkDir(os.DirFS(sources), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "node_modules":
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(src, path), 0o755)
		}
		return copyFile(filepath.Join(src, path), filepath.Join(sources, path))
	})
	for _, name := range append(scriptNames(), licences) {
		if err == nil {
			err = copyFile(filepath.Join(dst, name), filepath.Join(assets, name))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", "")
	return src, dst
}

func copyFile(to, from string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644)
}

func add(t *testing.T, path, text string) {
	t.Helper()
	old, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, append(old, text...), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestCommittedScriptsAreThoseOfTheSources(t *testing.T) {
	src, dst := copies(t)
	if err := run(t.Context(), src, dst); err != nil {
		t.Errorf("%v; run make generate", err)
	}
}

func TestChangedSourceWithoutNPMIsAnError(t *testing.T) {
	for _, file := range []string{"richtext/schema.js", "writing/main.js", "package.json", "package-lock.json", ".npmrc"} {
		src, dst := copies(t)
		add(t, filepath.Join(src, file), "\n")
		err := run(t.Context(), src, dst)
		if err == nil || !strings.Contains(err.Error(), "npm is not installed") || !strings.Contains(err.Error(), "made of other sources") {
			t.Errorf("after a change of %s: %v", file, err)
		}
	}
}

func TestScriptChangedByHandIsAnError(t *testing.T) {
	for _, file := range append(scriptNames(), licences) {
		src, dst := copies(t)
		add(t, filepath.Join(dst, file), "x")
		if err := run(t.Context(), src, dst); err == nil || !strings.Contains(err.Error(), file+" was changed by hand") {
			t.Errorf("after a change of %s: %v", file, err)
		}
	}
	src, dst := copies(t)
	if err := os.Remove(filepath.Join(dst, "editor.js")); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), src, dst); err == nil {
		t.Error("a missing script is let pass")
	}
}

func TestSameSourcesGiveTheSameScript(t *testing.T) {
	var made [2][]byte
	for i := range made {
		src, _ := copies(t) // two folders, whose names must not show
		text, packages, err := bundle(src, "writing")
		if err != nil {
			t.Fatal(err)
		}
		if len(packages) != 0 {
			t.Errorf("a script that needs no package has %v", packages)
		}
		made[i] = text
	}
	if !bytes.Equal(made[0], made[1]) {
		t.Error("the scripts differ")
	}
	committed, err := os.ReadFile(filepath.Join(assets, "writing.js"))
	if err != nil {
		t.Fatal(err)
	}
	if _, rest, _ := bytes.Cut(committed, []byte("\n")); !bytes.Equal(rest, made[0]) {
		t.Error("the committed script is another one; run make generate")
	}
}

func TestPackagesOfAScriptAreNamed(t *testing.T) {
	got, err := packagesIn(`{"outputs":{"out.js":{"inputs":{"writing/main.js":{"bytesInOutput":5},
		"node_modules/@tiptap/core/dist/index.js":{"bytesInOutput":9},"node_modules/orderedmap/index.js":{"bytesInOutput":1},
		"node_modules/unused/index.js":{"bytesInOutput":0}}}}}`)
	if err != nil || len(got) != 2 || !got["@tiptap/core"] || !got["orderedmap"] {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := packagesIn("no JSON"); err == nil {
		t.Error("what is no JSON is read")
	}
}
