package foldersync_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stepsies/stepsies/client"
)

// TestFreshCloneKnowsFromItsHistoryWhatItIsBasedOn: continuous integration pushes
// from clones that have no memory.
func TestFreshCloneKnowsFromItsHistoryWhatItIsBasedOn(t *testing.T) {
	in := open(t)
	author := folder(t.TempDir())
	author.git(t, "init", "-q", "-b", "main")
	author.write(t, "guides/a.md", text("A", "a", "draft", "One"))
	author.write(t, "guides/b.md", text("B", "b", "draft", "One"))
	author.commit(t)
	clone := func(args ...string) folder {
		t.Helper()
		dir := t.TempDir()
		author.git(t, append([]string{"clone", "-q", "file://" + string(author), dir}, args...)...)
		return folder(filepath.Join(dir, "guides"))
	}
	expect(t, clone().push(t, in, false), "a.md create", "b.md create")

	author.replace(t, "guides/a.md", "Do one", "Do one more")
	author.commit(t)
	author.replace(t, "guides/a.md", "Do one more", "Do two more")
	author.git(t, "mv", "guides/b.md", "guides/c.md")
	author.replace(t, "guides/c.md", "Do one", "Do it")
	author.commit(t)
	shallow := clone("--depth", "1")
	plan := shallow.planPush(t, in, false)
	for _, i := range plan.Items {
		if i.Action != "conflict" || !strings.Contains(i.Note, "fetch-depth: 0") {
			t.Errorf("a shallow clone: %s %s: %s", i.Path, i.Action, i.Note)
		}
	}
	latest := clone()
	expect(t, latest.pull(t, in, false), "a.md changed", "c.md changed")
	expect(t, latest.push(t, in, false), "a.md update", "c.md update")
	if out := latest.git(t, "status", "--porcelain"); out != "" {
		t.Errorf("the clone is not clean after a push: %s", out)
	}

	// An older state of the repository, as a job that is run again has it.
	old := clone()
	old.git(t, "checkout", "-q", "HEAD~1")
	expect(t, old.push(t, in, false, "a.md"), "a.md conflict")
	// A commit that goes back to it does.
	author.git(t, "revert", "--no-edit", "HEAD")
	expect(t, clone().push(t, in, false), "a.md update", "b.md update")

	// Somebody writes in the dashboard: the next push does not overwrite that.
	in.edit(t, "a", client.StepsyChange{Description: client.Set("From the dashboard")})
	author.replace(t, "guides/a.md", "Do one more", "Do three more")
	author.commit(t)
	expect(t, clone().push(t, in, false), "a.md conflict", "b.md unchanged")
	if d := in.all(t)[0].Description; d != "From the dashboard" {
		t.Errorf("the description is %q", d)
	}
	// Its text is taken into the repository, and all is well again.
	author.replace(t, "guides/a.md", "slug: a\n", "slug: a\ndescription: From the dashboard\n")
	author.replace(t, "guides/a.md", "Do three more", "Do one more")
	author.commit(t)
	author.replace(t, "guides/a.md", "Do one more", "Do three more")
	author.commit(t)
	expect(t, clone().push(t, in, false), "a.md update", "b.md unchanged")

	// A slug that changes in the repository moves its stepsy.
	author.replace(t, "guides/a.md", "slug: a\n", "slug: a-new\n")
	author.commit(t)
	expect(t, clone().push(t, in, false), "a.md update", "b.md unchanged")
	all := in.all(t)
	if len(all) != 2 || all[0].Slug != "a-new" {
		t.Errorf("%d stepsies, the first is %s", len(all), all[0].Slug)
	}
}

// TestStateStaysOutOfGit: a folder that was pulled into is as clean as before.
func TestStateStaysOutOfGit(t *testing.T) {
	in := open(t)
	dir := folder(t.TempDir())
	dir.git(t, "init", "-q")
	dir.write(t, "a.md", text("A", "a", "draft", "One"))
	dir.commit(t)
	dir.push(t, in, false)
	dir.pull(t, in, false)
	if _, err := os.Stat(filepath.Join(string(dir), ".stepsies", "state.json")); err != nil {
		t.Error(err)
	}
	if out := dir.git(t, "status", "--porcelain", "--untracked-files=all"); out != "" {
		t.Errorf("git sees %s", out)
	}
	// The state of another version of the program is not guessed at.
	dir.write(t, ".stepsies/state.json", `{"version":2}`)
	if _, err := openFolder(dir); err == nil || !strings.Contains(err.Error(), "state.json") {
		t.Error(err)
	}
}
