package foldersync_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stepsies/stepsies/client"
	"github.com/stepsies/stepsies/internal/foldersync"
)

// TestNeitherSideOverwritesWhatItHasNotSeen takes a file through every combination
// of what can have happened to it and to its stepsy since both agreed.
func TestNeitherSideOverwritesWhatItHasNotSeen(t *testing.T) {
	in := open(t)
	const draft = "draft"
	for n, row := range []struct {
		file, server             bool // has changed
		remembered               bool // there is a state
		push, pull               string
		pushedForce, pulledForce string
	}{
		{false, false, true, "unchanged", "unchanged", "unchanged", "unchanged"},
		{true, false, true, "update", "changed", "update", "update"},
		{false, true, true, "newer", "update", "update", "update"},
		{true, true, true, "conflict", "conflict", "update", "update"},
		{false, false, false, "unchanged", "unchanged", "unchanged", "unchanged"},
		{true, false, false, "conflict", "conflict", "update", "update"},
		{false, true, false, "conflict", "conflict", "update", "update"},
	} {
		for _, force := range []bool{false, true} {
			for _, verb := range []string{"push", "pull"} {
				dir := folder(t.TempDir())
				slug := fmt.Sprintf("s-%d-%t-%s", n, force, verb)
				name := slug + ".md"
				dir.write(t, name, text("Tie", slug, draft, "One", "Two"))
				expect(t, dir.push(t, in, false), name+" create")
				if row.file {
					dir.replace(t, name, "Do two.", "Do two twice.")
				}
				if row.server {
					in.edit(t, slug, client.StepsyChange{Title: client.Set("Server's")})
				}
				if !row.remembered {
					if err := os.RemoveAll(filepath.Join(string(dir), ".stepsies")); err != nil {
						t.Fatal(err)
					}
				}
				before, want := dir.read(t, name), row.push
				switch {
				case verb == "push" && force:
					want = row.pushedForce
				case verb == "pull" && force:
					want = row.pulledForce
				case verb == "pull":
					want = row.pull
				}
				if verb == "push" {
					expect(t, dir.push(t, in, force, name), name+" "+want)
				} else {
					expect(t, dir.pull(t, in, force, name), name+" "+want)
				}
				after := dir.read(t, name)
				if wrote := after != before; wrote != (verb == "pull" && want == "update" && (row.file || row.server)) {
					t.Errorf("row %d, %s, force %t: the file was written: %t", n, verb, force, wrote)
				}
				if force {
					expect(t, dir.push(t, in, false, name), name+" unchanged")
					expect(t, dir.pull(t, in, false, name), name+" unchanged")
				}
			}
		}
	}
}

// TestPushDoesWhatFilesSay: new files, changed ones, and their status.
func TestPushDoesWhatFilesSay(t *testing.T) {
	in := open(t)
	dir := folder(t.TempDir())
	dir.write(t, "a.md", text("A", "a", "published", "One"))
	dir.write(t, "deep/er/b.md", text("B", "b", "draft", "One", "Two", "Three"))
	dir.write(t, "minimal.md", "---\ntitle: Only a Title\n---\n\n## One\n")
	dir.write(t, "README.md", "# No stepsy\n")
	dir.write(t, ".git/c.md", text("C", "c", "draft"))
	plan := dir.planPush(t, in, false)
	if len(plan.Skipped) != 1 || filepath.Base(plan.Skipped[0]) != "README.md" {
		t.Errorf("skipped %q", plan.Skipped)
	}
	if got := in.all(t); len(got) != 0 {
		t.Fatalf("a plan has made %d stepsies", len(got))
	}
	expect(t, dir.push(t, in, false), "a.md create", "b.md create", "minimal.md create")
	all := in.all(t)
	if len(all) != 3 || all[0].Status != "published" || all[1].Status != "draft" || all[2].Slug != "only-a-title" {
		t.Fatalf("%+v", all)
	}
	expect(t, dir.push(t, in, false), "a.md unchanged", "b.md unchanged", "minimal.md unchanged")

	dir.replace(t, "a.md", "status: published", "status: draft")
	dir.replace(t, "deep/er/b.md", "status: draft", "status: published")
	dir.replace(t, "deep/er/b.md", "Do two.", "Do it differently.")
	dir.replace(t, "minimal.md", "Only a Title", "Another Title")
	expect(t, dir.push(t, in, false), "a.md unpublish", "b.md update publish", "minimal.md update")
	now := in.all(t)
	if now[0].Status != "draft" || now[1].Status != "published" || now[2].Title != "Another Title" || now[2].Slug != "only-a-title" {
		t.Errorf("%+v", now)
	}
	for i, s := range now[1].Steps { // a changed step stays who it is
		if s.ID != all[1].Steps[i].ID {
			t.Errorf("step %d has another id", i)
		}
	}
	// Steps are moved, added and removed; the slug changes, and published goes with it.
	dir.write(t, "deep/er/b.md", text("B", "b-2", "draft", "Three", "New", "One"))
	expect(t, dir.push(t, in, false), "a.md unchanged", "b.md update unpublish", "minimal.md unchanged")
	last := in.all(t)[1]
	ids := []int64{last.Steps[0].ID, last.Steps[1].ID, last.Steps[2].ID}
	if was := all[1].Steps; last.Slug != "b-2" || ids[0] != was[2].ID || ids[2] != was[0].ID || ids[1] == was[1].ID {
		t.Errorf("slug %s, steps %v", last.Slug, ids)
	}
	expect(t, dir.pull(t, in, false), "a.md unchanged", "b.md unchanged", "minimal.md unchanged")
}

// TestFilesOfSeveralFoldersShareTheirState, wherever they are pushed from.
func TestFilesOfSeveralFoldersShareTheirState(t *testing.T) {
	in := open(t)
	dir := folder(t.TempDir())
	dir.write(t, "a/b/x.md", text("X", "x", "draft", "One"))
	dir.write(t, "c/y.md", text("Y", "y", "draft", "One"))
	expect(t, dir.push(t, in, false, "a/b/x.md", "c/y.md"), "x.md create", "y.md create")
	dir.read(t, ".stepsies/state.json")
	in.edit(t, "x", client.StepsyChange{
		Title: client.Set("X2"), Description: client.Set("D"), Category: client.Set("health"), Featured: client.Set(true),
	})
	inner := folder(filepath.Join(string(dir), "a"))
	expect(t, inner.pull(t, in, false), "x.md update")
	if got := inner.read(t, "b/x.md"); !strings.Contains(got, "description: D\ncategory: health\nstatus: draft\nfeatured: true\n") {
		t.Errorf("%s", got)
	}
	inner.replace(t, "b/x.md", "description: D\n", "")
	inner.replace(t, "b/x.md", "health", "other")
	inner.replace(t, "b/x.md", "featured: true", "featured: false")
	expect(t, inner.push(t, in, false, "b/x.md"), "x.md update")
	if s := in.all(t)[0]; s.Description != "" || s.Category != "other" || s.Featured || s.Title != "X2" {
		t.Errorf("%+v", s)
	}
	if err := os.Remove(filepath.Join(string(dir), "c", "y.md")); err != nil {
		t.Fatal(err)
	}
	expect(t, inner.pull(t, in, false), "x.md unchanged", "y.md create")
	dir.read(t, "c/y.md") // where it was
}

// TestFilesThatCannotBePushedSayWhy and do not keep others back.
func TestFilesThatCannotBePushedSayWhy(t *testing.T) {
	in := open(t)
	dir := folder(t.TempDir())
	dir.write(t, "good.md", text("Good", "good", "draft"))
	wrong := map[string]struct{ text, says string }{
		"broken.md":   {"---\ntitle: a\ntags: b\n---\n", "line 3"},
		"category.md": {"---\ntitle: a\ncategory: gardening\n---\n", "category must be one of business"},
		"empty.md":    {text("Empty", "empty", "published"), "at least one step"},
		"long.md":     {text(strings.Repeat("x", 201), "long", "draft"), "title"},
		"twin.md":     {text("Twin", "twin", "draft"), "twin2.md has the slug twin too"},
		"twin2.md":    {text("Twin", "twin", "draft"), "twin.md has the slug twin too"},
		"picture.md":  {"---\ntitle: a\n---\n\n## One\n\n![Knot](./knot.png)\n", "./knot.png"},
	}
	for name, c := range wrong {
		dir.write(t, name, c.text)
	}
	for _, i := range dir.planPush(t, in, true).Items {
		if c, ok := wrong[filepath.Base(i.Path)]; ok && (i.Action != foldersync.Invalid || !strings.Contains(i.Note, c.says)) {
			t.Errorf("%s: %s: %s", i.Path, i.Action, i.Note)
		}
	}
	expect(t, dir.push(t, in, false), "broken.md invalid", "category.md invalid", "empty.md invalid", "good.md create", "long.md invalid",
		"picture.md invalid", "twin.md invalid", "twin2.md invalid")
	if _, err := foldersync.Open([]string{string(dir), string(dir)}); err == nil {
		t.Error("two folders were taken")
	}
	for _, wrong := range []string{"missing", "good.txt"} {
		if _, err := foldersync.Open([]string{filepath.Join(string(dir), wrong)}); err == nil {
			t.Errorf("%s was taken", wrong)
		}
	}
	if _, err := dir.open(t, []string{"missing.md"}).PlanPush(t.Context(), in.Client, foldersync.Options{}); err == nil || !strings.Contains(err.Error(), "missing.md") {
		t.Error(err)
	}
	if _, err := dir.open(t, []string{"missing.md"}).PlanPull(t.Context(), in.Client, foldersync.Options{}); err == nil || !strings.Contains(err.Error(), "missing.md") {
		t.Error(err)
	}
}

// TestCopyOfAFileDoesNotTakeItsStepsy: the file that was pushed stands for it,
// whatever the copy is called and whether it was edited.
func TestCopyOfAFileDoesNotTakeItsStepsy(t *testing.T) {
	in := open(t)
	dir := folder(t.TempDir())
	dir.write(t, "m.md", text("M", "m", "draft", "One"))
	expect(t, dir.push(t, in, false), "m.md create")
	for _, copied := range []string{"a.md", "z.md"} {
		for _, change := range []string{"Do one.", "Do one twice."} {
			dir.write(t, copied, strings.Replace(dir.read(t, "m.md"), "Do one.", change, 1))
			for _, force := range []bool{false, true} {
				plan := dir.planPush(t, in, force)
				for _, i := range plan.Items {
					if filepath.Base(i.Path) == copied && (i.Action != foldersync.Invalid || !strings.Contains(i.Note, "m.md has the slug m too")) {
						t.Errorf("%s: %s: %s", i.Path, i.Action, i.Note)
					}
				}
				for _, got := range dir.push(t, in, force) {
					if got != "m.md unchanged" && got != copied+" invalid" {
						t.Error(got)
					}
				}
			}
		}
		if err := os.Remove(filepath.Join(string(dir), copied)); err != nil {
			t.Fatal(err)
		}
	}
	dir.replace(t, "m.md", "Do one.", "Do one more.")
	expect(t, dir.push(t, in, false), "m.md update")
}

// TestWritesWhoseAnswerIsLostAreRecognised: nothing is made twice, whatever the
// author does in between.
func TestWritesWhoseAnswerIsLostAreRecognised(t *testing.T) {
	in := open(t)
	for _, edited := range []bool{false, true} {
		dir := folder(t.TempDir())
		slug := fmt.Sprintf("lost-%t", edited)
		dir.write(t, "a.md", text("A", slug, "draft", "One"))
		for _, method := range []string{http.MethodPost, http.MethodPatch} {
			in.put(losingAnswers(method))
			plan := dir.planPush(t, in, false)
			if err := plan.Push(t.Context(), func(*foldersync.Item) {}); err == nil || !strings.Contains(err.Error(), "a.md") {
				t.Fatalf("the answer was lost, and nobody cared: %v", err)
			}
			in.put(nil)
			if edited {
				dir.replace(t, "a.md", "Do one", "Do "+method)
				dir.replace(t, "a.md", "## One\n\nDo", "## One\n\nDo do")
				expect(t, dir.pull(t, in, false, "a.md"), "a.md changed")
				expect(t, dir.push(t, in, false), "a.md update")
				dir.write(t, "a.md", text("A", slug, "draft", "One", method))
			} else {
				expect(t, dir.push(t, in, false), "a.md unchanged")
				dir.replace(t, "a.md", "Do one", "Do one or two")
			}
		}
	}
	if n := len(in.all(t)); n != 2 {
		t.Errorf("%d stepsies, want 2", n)
	}
}

// TestPushThatIsCutOffBetweenTwoCallsGoesOn: text and status are two of them.
func TestPushThatIsCutOffBetweenTwoCallsGoesOn(t *testing.T) {
	in := open(t)
	dir := folder(t.TempDir())
	dir.write(t, "a.md", text("A", "a", "draft", "One"))
	dir.push(t, in, false)
	for _, row := range []struct{ status, failing, then, rest string }{
		{"published", http.MethodPost, "a.md update publish", "a.md publish"},
		{"draft", http.MethodPatch, "a.md update unpublish", "a.md update"},
	} {
		dir.write(t, "a.md", text("A", "a", row.status, "Before it is "+row.status))
		in.put(func(h http.Handler, w http.ResponseWriter, r *http.Request) {
			if r.Method == row.failing {
				panic(http.ErrAbortHandler)
			}
			h.ServeHTTP(w, r)
		})
		plan := dir.planPush(t, in, false)
		if err := plan.Push(t.Context(), func(*foldersync.Item) {}); err == nil {
			t.Fatal("nobody noticed")
		}
		expect(t, outcome(plan), row.then+" (done: false)")
		in.put(nil)
		expect(t, dir.pull(t, in, false), "a.md changed")
		expect(t, dir.push(t, in, false), row.rest)
		if s := in.all(t)[0]; string(s.Status) != row.status || s.Steps[0].Title != "Before it is "+row.status {
			t.Errorf("%+v", s)
		}
	}
}

// TestWritesOfOthersAfterThePlanAreNotOverwritten, wherever in the push they come.
func TestWritesOfOthersAfterThePlanAreNotOverwritten(t *testing.T) {
	in := open(t)
	theirs := client.StepsyChange{Description: client.Set("Theirs")}
	for n, method := range []string{http.MethodGet, http.MethodPatch, http.MethodPost} {
		dir := folder(t.TempDir())
		slug := fmt.Sprintf("race-%d", n)
		dir.write(t, "a.md", text("A", slug, "published", "One"))
		dir.push(t, in, false)
		dir.write(t, "a.md", text("A", slug, "draft", "Two"))
		plan := dir.planPush(t, in, false)
		raced := false
		in.put(func(h http.Handler, w http.ResponseWriter, r *http.Request) {
			if r.Method == method && !raced {
				raced = true
				in.put(nil)
				in.edit(t, slug, theirs)
			}
			h.ServeHTTP(w, r)
		})
		if err := plan.Push(t.Context(), func(*foldersync.Item) {}); err != nil {
			t.Fatal(err)
		}
		if !raced {
			t.Errorf("%s: nothing came in between", method)
		}
		expect(t, outcome(plan), "a.md conflict")
		all := in.all(t)
		if last := all[len(all)-1]; last.Description != "Theirs" || last.Steps[0].Title != "One" {
			t.Errorf("%s: the server has %+v", method, last)
		}
		expect(t, dir.push(t, in, false), "a.md conflict")
	}
	// A create whose slug is taken meanwhile.
	dir := folder(t.TempDir())
	dir.write(t, "a.md", text("A", "mine", "draft", "One"))
	plan := dir.planPush(t, in, false)
	if _, err := in.CreateStepsy(t.Context(), client.NewStepsy{Title: "Theirs", Slug: "mine"}); err != nil {
		t.Fatal(err)
	}
	if err := plan.Push(t.Context(), func(*foldersync.Item) {}); err != nil {
		t.Fatal(err)
	}
	expect(t, outcome(plan), "a.md conflict")
}

// TestWhatIsDeletedOnTheServerIsTold, and neither the file is removed nor the
// stepsy made again by itself.
func TestWhatIsDeletedOnTheServerIsTold(t *testing.T) {
	in := open(t)
	dir := folder(t.TempDir())
	dir.write(t, "a.md", text("A", "a", "draft", "One"))
	dir.push(t, in, false)
	if err := in.DeleteStepsy(t.Context(), in.all(t)[0].ID); err != nil {
		t.Fatal(err)
	}
	expect(t, dir.pull(t, in, true), "a.md gone")
	expect(t, dir.push(t, in, false), "a.md gone")
	if n := len(in.all(t)); n != 0 {
		t.Fatalf("%d stepsies", n)
	}
	expect(t, dir.push(t, in, true), "a.md create")
	expect(t, dir.push(t, in, false), "a.md unchanged")
}

// TestPullWritesWhatIsMissing: where it was, or where nothing else is.
func TestPullWritesWhatIsMissing(t *testing.T) {
	in := open(t)
	dir := folder(t.TempDir())
	dir.write(t, "sub/a.md", text("A", "a", "draft", "One"))
	dir.push(t, in, false)
	for _, slug := range []string{"readme", "b"} {
		if _, err := in.CreateStepsy(t.Context(), client.NewStepsy{Title: slug, Slug: slug}); err != nil {
			t.Fatal(err)
		}
	}
	dir.write(t, "readme.md", "# Not a stepsy\n")
	if err := os.Remove(filepath.Join(string(dir), "sub", "a.md")); err != nil {
		t.Fatal(err)
	}
	expect(t, dir.pull(t, in, false), "a.md create", "b.md create", "readme-2.md create")
	dir.read(t, "sub/a.md")
	if got := dir.read(t, "readme.md"); got != "# Not a stepsy\n" {
		t.Errorf("readme.md was overwritten: %q", got)
	}
	one := folder(t.TempDir())
	expect(t, one.pull(t, in, false, "b.md"), "b.md create")
	if got := slicesOfKeys(one.files(t)); len(got) != 1 {
		t.Errorf("files %q", got)
	}
	// A file that is renamed keeps its memory.
	if err := os.Rename(filepath.Join(string(dir), "b.md"), filepath.Join(string(dir), "c.md")); err != nil {
		t.Fatal(err)
	}
	dir.replace(t, "c.md", "title: b", "title: B")
	expect(t, dir.push(t, in, false), "a.md unchanged", "c.md update", "readme-2.md unchanged")
}

func slicesOfKeys(m map[string]string) []string {
	var keys []string
	for k := range maps.Keys(m) {
		keys = append(keys, k)
	}
	return keys
}

// TestWhatMarkdownHasNoWordsForStaysHTML in the file, and loses nothing on the way.
func TestWhatMarkdownHasNoWordsForStaysHTML(t *testing.T) {
	in := open(t)
	content := `<p>H<sub>2</sub>O is <u>wet</u></p><h2>Big</h2><img src="https://h/i.png" alt="i" width="9">` +
		`<table><tbody><tr><td colspan="2">joined</td></tr></tbody></table><pre><code class="language-go">x</code></pre>`
	made, err := in.CreateStepsy(t.Context(), client.NewStepsy{
		Title: "Rich", Slug: "rich", Steps: []client.StepInput{{Title: "One", Content: content}},
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := folder(t.TempDir())
	expect(t, dir.pull(t, in, false), "rich.md create")
	got := dir.read(t, "rich.md")
	for _, part := range []string{"H<sub>2</sub>O is <u>wet</u>", "<h2>Big</h2>", `width="9"`, `<td colspan="2">joined</td>`, "```go\nx\n```"} {
		if !strings.Contains(got, part) {
			t.Errorf("the file does not hold %q:\n%s", part, got)
		}
	}
	dir.replace(t, "rich.md", "title: Rich", "title: Richer")
	expect(t, dir.push(t, in, false), "rich.md update")
	now, err := in.GetStepsy(t.Context(), made.ID)
	if err != nil || now.Title != "Richer" || now.Steps[0] != made.Steps[0] {
		t.Errorf("%v: %+v", err, now)
	}
}

// TestWhatAFileCannotHoldStaysOnTheServer and is told, and keeps nothing else back.
func TestWhatAFileCannotHoldStaysOnTheServer(t *testing.T) {
	in := open(t)
	for _, slug := range []string{"a", "b"} {
		if _, err := in.CreateStepsy(t.Context(), client.NewStepsy{Title: slug, Slug: slug}); err != nil {
			t.Fatal(err)
		}
	}
	// A newer server may know a status that files do not.
	in.put(func(h http.Handler, w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		maps.Copy(w.Header(), rec.Header())
		w.Header().Del("Content-Length")
		w.WriteHeader(rec.Code)
		body := rec.Body.String()
		if first, rest, ok := strings.Cut(body, `"slug":"a"`); ok {
			body = first + `"slug":"a"` + strings.Replace(rest, `"status":"draft"`, `"status":"archived"`, 1)
		}
		_, _ = io.WriteString(w, body)
	})
	dir := folder(t.TempDir())
	plan := dir.planPull(t, in, false)
	if err := plan.Pull(t.Context(), func(*foldersync.Item) {}); err != nil {
		t.Fatal(err)
	}
	expect(t, outcome(plan), "a.md invalid", "b.md create")
	if note := plan.Items[0].Note; !strings.Contains(note, "stays on the server") || !strings.Contains(note, "draft or published") {
		t.Errorf("%q", note)
	}
	if files := dir.files(t); len(files) != 1 || files["b.md"] == "" {
		t.Errorf("files %q", files)
	}
}

// TestFilesEditedAfterThePlanAreNotOverwritten by a pull.
func TestFilesEditedAfterThePlanAreNotOverwritten(t *testing.T) {
	in := open(t)
	dir := folder(t.TempDir())
	dir.write(t, "a.md", text("A", "a", "draft", "One"))
	dir.push(t, in, false)
	in.edit(t, "a", client.StepsyChange{Title: client.Set("Theirs")})
	if _, err := in.CreateStepsy(t.Context(), client.NewStepsy{Title: "B", Slug: "b"}); err != nil {
		t.Fatal(err)
	}
	plan := dir.planPull(t, in, true)
	dir.write(t, "a.md", "mine")
	dir.write(t, "b.md", "mine too")
	if err := plan.Pull(t.Context(), func(*foldersync.Item) {}); err != nil {
		t.Fatal(err)
	}
	expect(t, outcome(plan), "a.md conflict", "b.md conflict")
	if dir.read(t, "a.md") != "mine" || dir.read(t, "b.md") != "mine too" {
		t.Error("a file was overwritten")
	}
}

// TestPushStopsWhenItIsToldTo and goes on from there.
func TestPushStopsWhenItIsToldTo(t *testing.T) {
	in := open(t)
	dir := folder(t.TempDir())
	for n := range 5 {
		dir.write(t, fmt.Sprintf("%d.md", n), text(fmt.Sprint(n), fmt.Sprintf("s-%d", n), "draft", "One"))
	}
	ctx, cancel := context.WithCancel(t.Context())
	plan := dir.planPush(t, in, false)
	done := 0
	err := plan.Push(ctx, func(*foldersync.Item) {
		if done++; done == 2 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || done != 2 || len(in.all(t)) != 2 {
		t.Fatalf("%v, %d done, %d stepsies", err, done, len(in.all(t)))
	}
	expect(t, dir.push(t, in, false), "0.md unchanged", "1.md unchanged", "2.md create", "3.md create", "4.md create")
}
