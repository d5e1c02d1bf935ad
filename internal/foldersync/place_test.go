package foldersync_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stepsies/stepsies/client"
	"github.com/stepsies/stepsies/internal/foldersync"
)

// fenced is a folder beside others, all of which are looked at.
func fenced(t *testing.T) (f folder, outside string) {
	t.Helper()
	dir := t.TempDir()
	f, outside = folder(filepath.Join(dir, "guides")), filepath.Join(dir, "outside")
	for _, d := range []string{string(f), outside} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	folder(outside).write(t, "important.txt", "important")
	return f, outside
}

// beyond returns what there is beside the folder: paths, with the texts of files.
func beyond(t *testing.T, f folder) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(filepath.Dir(string(f)), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path == string(f) {
			return filepath.SkipDir
		}
		if found[path] = "folder"; !d.IsDir() {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			found[path] = string(text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// attempt pulls, which may fail, and checks that nothing beside the folder changed.
func (f folder) attempt(t *testing.T, in *installation, force bool, names ...string) error {
	t.Helper()
	before := beyond(t, f)
	paths := []string{string(f)}
	if len(names) > 0 {
		paths = nil
	}
	for _, n := range names {
		paths = append(paths, filepath.Join(string(f), n))
	}
	opened, err := foldersync.Open(paths)
	if err == nil {
		var plan *foldersync.Plan
		if plan, err = opened.PlanPull(t.Context(), in.Client, foldersync.Options{Force: force}); err == nil {
			err = plan.Pull(t.Context(), func(*foldersync.Item) {})
		}
	}
	if after := beyond(t, f); !maps.Equal(before, after) {
		t.Fatalf("beside the folder there was %q and is %q", before, after)
	}
	return err
}

// inside returns the names of everything in the folder but the state.
func (f folder) inside(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(string(f), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() == ".stepsies" {
			return filepath.SkipDir
		}
		if rel, _ := filepath.Rel(string(f), path); !d.IsDir() {
			names = append(names, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func (in *installation) newBread(t *testing.T) *client.Stepsy {
	t.Helper()
	s, err := in.CreateStepsy(t.Context(), client.NewStepsy{Title: "Bread", Slug: "bread", Steps: []client.StepInput{{Title: "Mix", Content: "<p>Flour</p>"}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNoSlugOfAServerLeadsOutOfTheFolder(t *testing.T) {
	in := open(t)
	in.newBread(t)
	for _, c := range []struct{ slug, file string }{
		{"../out", ""}, {"..", ""}, {".", ""}, {"/etc/out", ""}, {"sub/out", ""}, {`..\out`, ""}, {`C:\out`, ""}, {"C:out", ""},
		{"out\x00", ""}, {"out.md:stream", ""}, {".git/hooks/pre-commit", ""}, {"", ""}, {strings.Repeat("a", 5000), ""}, {"Out", ""}, {"out\n", ""},
		{"con", "con-1.md"}, {"lpt1", "lpt1-1.md"}, {"bread", "bread.md"},
	} {
		in.put(func(h http.Handler, w http.ResponseWriter, r *http.Request) {
			told := httptest.NewRecorder()
			h.ServeHTTP(told, r)
			hostile, _ := json.Marshal(c.slug)
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(bytes.ReplaceAll(told.Body.Bytes(), []byte(`"slug":"bread"`), append([]byte(`"slug":`), hostile...)))
		})
		f, _ := fenced(t)
		if err := f.attempt(t, in, true); err != nil {
			t.Errorf("%.40q: %v", c.slug, err)
		}
		var want []string
		if c.file != "" {
			want = []string{c.file}
		}
		if got := f.inside(t); !slices.Equal(got, want) {
			t.Errorf("%.40q writes %q, want %q", c.slug, got, want)
		}
	}
}

func TestNoNameInAStateLeadsOutOfTheFolder(t *testing.T) {
	in := open(t)
	in.newBread(t)
	for _, name := range []string{
		"../out.md", "../outside/out.md", "/out.md", "link/out.md", "sub/../../out.md", "sub/", ".git/hooks/post-checkout", ".git/out.md", "sub/.hidden.md",
		"sub/pre-commit", "sub/out.txt", "sub/nul.md", "sub/COM1.x.md", `sub\out.md`, "C:out.md", "sub/out.md:a.md", "sub/out\x00.md", "sub/out .md/ .md", "sub/" + strings.Repeat("a", 300) + ".md", "nowhere/out.md", "",
	} {
		f, outside := fenced(t)
		f.write(t, ".git/hooks/keep", "")
		f.write(t, "sub/keep", "")
		if err := os.Symlink(outside, filepath.Join(string(f), "link")); err != nil {
			t.Fatal(err)
		}
		expect(t, f.pull(t, in, false), "bread.md create")
		if err := os.Remove(filepath.Join(string(f), "bread.md")); err != nil {
			t.Fatal(err)
		}
		quoted, _ := json.Marshal(name)
		f.replace(t, ".stepsies/state.json", `"bread.md"`, string(quoted))
		if err := f.attempt(t, in, true); err != nil {
			t.Errorf("%.40q: %v", name, err)
		}
		if got, want := f.inside(t), []string{".git/hooks/keep", "bread.md", "link", "sub/keep"}; !slices.Equal(got, want) {
			t.Errorf("%.40q: the folder has %q, want %q", name, got, want)
		}
	}
	// A name that may be is where the file goes.
	f, _ := fenced(t)
	f.write(t, "sub/keep", "")
	expect(t, f.pull(t, in, false), "bread.md create")
	if err := os.Remove(filepath.Join(string(f), "bread.md")); err != nil {
		t.Fatal(err)
	}
	f.replace(t, ".stepsies/state.json", `"bread.md"`, `"sub/loaf.md"`)
	expect(t, f.pull(t, in, false), "loaf.md create")
}

func TestWhatIsNoStepsyFileIsNotWrittenOver(t *testing.T) {
	in := open(t)
	s := in.newBread(t)
	link := func(t *testing.T, f folder, to, name string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(string(f), name)); err != nil {
			t.Fatal(err)
		}
	}
	other := "bread-1.md"
	if s.ID != 1 {
		t.Fatalf("the first stepsy has the id %d", s.ID)
	}
	for name, c := range map[string]struct {
		make  func(t *testing.T, f folder, outside string)
		names []string
		makes bool // a file beside it
	}{
		"a link out": {func(t *testing.T, f folder, outside string) {
			link(t, f, filepath.Join(outside, "important.txt"), "bread.md")
		}, nil, true},
		"a link to nothing": {func(t *testing.T, f folder, outside string) { link(t, f, filepath.Join(outside, "new.md"), "bread.md") }, nil, true},
		"a link that is named": {func(t *testing.T, f folder, outside string) {
			link(t, f, filepath.Join(outside, "important.txt"), "bread.md")
		}, []string{"bread.md"}, false},
		"a named one to nothing": {func(t *testing.T, f folder, outside string) { link(t, f, filepath.Join(outside, "new.md"), "bread.md") }, []string{"bread.md"}, false},
		"a text":                 {func(t *testing.T, f folder, _ string) { f.write(t, "bread.md", "# Notes\n") }, nil, true},
		"a text that is named":   {func(t *testing.T, f folder, _ string) { f.write(t, "bread.md", "# Notes\n") }, []string{"bread.md"}, false},
		"a folder":               {func(t *testing.T, f folder, _ string) { f.write(t, "bread.md/keep", "") }, nil, true},
		"one of another case":    {func(t *testing.T, f folder, _ string) { f.write(t, "BREAD.md", text("Rolls", "rolls", "draft", "Mix")) }, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			f, outside := fenced(t)
			c.make(t, f, outside)
			before := f.inside(t)
			kept := map[string]string{}
			for _, n := range before {
				if info, err := os.Lstat(filepath.Join(string(f), n)); err == nil && info.Mode().IsRegular() {
					kept[n] = f.read(t, n)
				}
			}
			_ = f.attempt(t, in, true, c.names...) // refused, or done beside it
			want := slices.Clone(before)
			if c.makes {
				want = append(want, other)
				slices.Sort(want)
			}
			got := f.inside(t)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("the folder has %q, want %q", got, want)
			}
			for n, was := range kept {
				if now := f.read(t, n); now != was {
					t.Errorf("%s was %q and is %q", n, was, now)
				}
			}
		})
	}
}

func TestStateIsNotWrittenThroughALink(t *testing.T) {
	in := open(t)
	in.newBread(t)
	f, outside := fenced(t)
	if err := os.Symlink(outside, filepath.Join(string(f), ".stepsies")); err != nil {
		t.Fatal(err)
	}
	if err := f.attempt(t, in, false); err == nil {
		t.Error("a state that lies elsewhere is used")
	}
	g, outside := fenced(t)
	expect(t, g.pull(t, in, false), "bread.md create")
	state := filepath.Join(string(g), ".stepsies", "state.json")
	if err := os.Rename(state, filepath.Join(outside, "state.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(outside, "state.json"), state); err != nil {
		t.Fatal(err)
	}
	if err := g.attempt(t, in, false); err == nil {
		t.Error("a state behind a link is used")
	}
}
