package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// bundles are those of the program and of its tests, as go:generate lines name them.
func bundles(t *testing.T) map[string]bundle {
	t.Helper()
	found := map[string]bundle{}
	lines := regexp.MustCompile(`//go:generate go run (?:\.\./)+tools/bundle (\S+) (\S+) (.+)`)
	for _, file := range []string{"../../web/writing/editor.go", "../../web/axe_test.go", "../../web/htmlvalidate_test.go", "../../web/sharing_test.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range lines.FindAllStringSubmatch(string(text), -1) {
			scripts, err := parseScripts(strings.Fields(m[3]))
			if err != nil {
				t.Fatal(err)
			}
			found[m[1]] = bundle{filepath.Join(filepath.Dir(file), m[1]), filepath.Join(filepath.Dir(file), m[2]), scripts}
		}
	}
	if len(found) < 3 {
		t.Fatalf("only %v are found", found)
	}
	return found
}

// copies returns a folder with the sources and one with what was made of them, to be
// changed at will, on a machine without npm.
func copies(t *testing.T, of bundle) bundle {
	t.Helper()
	// The licences are named for the folder.
	src, dst := filepath.Join(t.TempDir(), filepath.Base(of.sources)), t.TempDir()
	err := fs.WalkDir(os.DirFS(of.sources), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "node_modules":
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(src, path), 0o755)
		}
		return copyFile(filepath.Join(src, path), filepath.Join(of.sources, path))
	})
	for _, name := range of.names() {
		if err == nil {
			err = copyFile(filepath.Join(dst, name), filepath.Join(of.assets, name))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", "")
	return bundle{src, dst, of.scripts}
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
	for _, b := range bundles(t) {
		if err := copies(t, b).run(t.Context()); err != nil {
			t.Errorf("%v; run make generate", err)
		}
	}
}

func TestChangedSourceWithoutNPMIsAnError(t *testing.T) {
	for _, file := range []string{"richtext/schema.js", "writing/main.js", "package.json", "package-lock.json", ".npmrc"} {
		b := copies(t, bundles(t)["editor"])
		add(t, filepath.Join(b.sources, file), "\n")
		err := b.run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "npm is not installed") || !strings.Contains(err.Error(), "made of other sources") {
			t.Errorf("after a change of %s: %v", file, err)
		}
	}
}

func TestScriptChangedByHandIsAnError(t *testing.T) {
	editor := bundles(t)["editor"]
	for _, file := range editor.names() {
		b := copies(t, editor)
		add(t, filepath.Join(b.assets, file), "x")
		if err := b.run(t.Context()); err == nil || !strings.Contains(err.Error(), file+" was changed by hand") {
			t.Errorf("after a change of %s: %v", file, err)
		}
	}
	b := copies(t, editor)
	if err := os.Remove(filepath.Join(b.assets, "editor.js")); err != nil {
		t.Fatal(err)
	}
	if err := b.run(t.Context()); err == nil {
		t.Error("a missing script is let pass")
	}
}

func TestSameSourcesGiveTheSameScript(t *testing.T) {
	var made [2][]byte
	for i := range made {
		b := copies(t, bundles(t)["editor"]) // two folders, whose names must not show
		text, packages, err := b.script("writing")
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
	committed, err := os.ReadFile(filepath.Join(bundles(t)["editor"].assets, "writing.js"))
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

func TestScriptsAreNamedWithTheirFolders(t *testing.T) {
	for _, bad := range []string{"editor.js", "=richtext", "editor.js=", ""} {
		if _, err := parseScripts([]string{bad}); err == nil {
			t.Errorf("%q is taken for a script", bad)
		}
	}
}
