package foldersync_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stepsies/stepsies/client"
	"github.com/stepsies/stepsies/internal/foldersync"
	"github.com/stepsies/stepsies/internal/server"
	"github.com/stepsies/stepsies/internal/testenv"
)

// installation is the real server, in this process, with one author.
type installation struct {
	*client.Client                                                                        // with the author's key
	between        atomic.Pointer[func(http.Handler, http.ResponseWriter, *http.Request)] // nil: nothing
}

func open(t *testing.T) *installation {
	t.Helper()
	in := &installation{}
	s, err := server.Open(t.Context(), server.Config{
		DataDir: t.TempDir(), PublicURL: "https://stepsies.test", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	public := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := in.between.Load(); f != nil {
			(*f)(s.Handler(), w, r)
			return
		}
		s.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(public.Close)
	socket := httptest.NewServer(s.OperatorHandler())
	t.Cleanup(socket.Close)
	operator, err := client.New(client.WithBaseURL(socket.URL), client.WithoutAPIKey())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := operator.CreateUser(t.Context(), client.NewUser{Username: "ada", Email: "ada@example.com"}); err != nil {
		t.Fatal(err)
	}
	key, err := operator.CreateAPIKey(t.Context(), client.NewAPIKey{
		Name: "Test", UserID: "ada", Scopes: []client.Scope{client.ScopeRead, client.ScopeWrite},
	})
	if err != nil {
		t.Fatal(err)
	}
	in.Client, err = client.New(client.WithBaseURL(public.URL), client.WithAPIKey(key.Key.Reveal()), client.WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// put puts something between the client and the server; nil takes it away.
func (in *installation) put(f func(h http.Handler, w http.ResponseWriter, r *http.Request)) {
	if f == nil {
		in.between.Store(nil)
		return
	}
	in.between.Store(&f)
}

// losingAnswers carries out the writes of a method, of which nobody hears.
func losingAnswers(method string) func(http.Handler, http.ResponseWriter, *http.Request) {
	return func(h http.Handler, w http.ResponseWriter, r *http.Request) {
		if r.Method != method {
			h.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
}

// all returns the author's stepsies with their steps, oldest first.
func (in *installation) all(t *testing.T) []client.Stepsy {
	t.Helper()
	var list []client.Stepsy
	for s, err := range in.AllStepsies(t.Context(), client.StepsyQuery{IncludeSteps: true, Sort: client.SortOldest}) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	return list
}

// edit changes a stepsy as somebody does in the dashboard.
func (in *installation) edit(t *testing.T, slug string, c client.StepsyChange) {
	t.Helper()
	for _, s := range in.all(t) {
		if s.Slug == slug {
			if _, err := in.UpdateStepsy(t.Context(), s.ID, c); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("there is no stepsy %s", slug)
}

type folder string

func (f folder) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(string(f), filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (f folder) read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(string(f), filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// replace changes a file.
func (f folder) replace(t *testing.T, name, was, is string) {
	t.Helper()
	text := f.read(t, name)
	if !strings.Contains(text, was) {
		t.Fatalf("%s does not hold %q: %s", name, was, text)
	}
	f.write(t, name, strings.ReplaceAll(text, was, is))
}

// files returns the names and texts of all files but the state.
func (f folder) files(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	paths, err := filepath.Glob(filepath.Join(string(f), "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range paths {
		files[filepath.Base(p)] = f.read(t, filepath.Base(p))
	}
	return files
}

// git runs git in the folder.
func (f folder) git(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(testenv.Need(t, "git"), args...)
	cmd.Dir = string(f)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (f folder) commit(t *testing.T) {
	t.Helper()
	f.git(t, "add", "-A")
	f.git(t, "commit", "-q", "-m", "Edit")
}

// planPush plans a push of the folder, or of files in it.
func (f folder) planPush(t *testing.T, in *installation, force bool, names ...string) *foldersync.Plan {
	t.Helper()
	plan, err := f.open(t, names).PlanPush(t.Context(), in.Client, foldersync.Options{Force: force})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func (f folder) planPull(t *testing.T, in *installation, force bool, names ...string) *foldersync.Plan {
	t.Helper()
	plan, err := f.open(t, names).PlanPull(t.Context(), in.Client, foldersync.Options{Force: force})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func (f folder) open(t *testing.T, names []string) *foldersync.Folder {
	t.Helper()
	paths := []string{string(f)}
	if len(names) > 0 {
		paths = nil
	}
	for _, n := range names {
		paths = append(paths, filepath.Join(string(f), filepath.FromSlash(n)))
	}
	opened, err := foldersync.Open(paths)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

// push pushes and returns what became of each file: "a.md update".
func (f folder) push(t *testing.T, in *installation, force bool, names ...string) []string {
	t.Helper()
	plan := f.planPush(t, in, force, names...)
	if err := plan.Push(t.Context(), func(*foldersync.Item) {}); err != nil {
		t.Fatal(err)
	}
	return outcome(plan)
}

func (f folder) pull(t *testing.T, in *installation, force bool, names ...string) []string {
	t.Helper()
	plan := f.planPull(t, in, force, names...)
	if err := plan.Pull(t.Context(), func(*foldersync.Item) {}); err != nil {
		t.Fatal(err)
	}
	return outcome(plan)
}

func outcome(plan *foldersync.Plan) []string {
	var lines []string
	for _, i := range plan.Items {
		line := filepath.Base(i.Path) + " " + string(i.Action)
		if i.Then != "" {
			line += " " + string(i.Then)
		}
		if i.Changes() != i.Done {
			line += fmt.Sprintf(" (done: %t)", i.Done)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// text is a file of a stepsy.
func text(title, slug, status string, steps ...string) string {
	b := "---\ntitle: " + title + "\nslug: " + slug + "\ncategory: other\nstatus: " + status + "\nfeatured: false\n---\n"
	for _, s := range steps {
		b += "\n## " + s + "\n\nDo " + strings.ToLower(s) + ".\n"
	}
	return b
}
