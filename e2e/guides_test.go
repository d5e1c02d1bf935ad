package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// guide is the text of a stepsy file.
func guide(n int) string {
	return fmt.Sprintf("---\ntitle: Guide %[1]d\nslug: guide-%[1]d\ncategory: other\nstatus: draft\nfeatured: false\n---\n\n## First\n\nDo **this** %[1]d times.\n\n## Second\n\n- and\n- that\n", n)
}

func (d *desk) writeGuides(t *testing.T, folder string, count int) {
	t.Helper()
	for n := range count {
		d.write(t, fmt.Sprintf("%s/guide-%d.md", folder, n), guide(n))
	}
}

type listedStepsy struct {
	ID                            int64
	Slug, Title, Status, Category string
	URL                           string `json:"url"`
	Description                   string
	StepsCount                    int `json:"steps_count"`
}

// stepsies lists all that the desk's user has.
func (d *desk) stepsies(t *testing.T, args ...string) []listedStepsy {
	t.Helper()
	var list []listedStepsy
	if err := json.Unmarshal([]byte(d.done(t, append([]string{"list", "--json"}, args...)...)), &list); err != nil || list == nil {
		t.Fatalf("stepsies list %v --json: %v", args, err)
	}
	return list
}

type syncReport struct {
	DryRun bool `json:"dry_run"`
	Items  []struct {
		Path, Slug, Action, Then, Note string
		Done                           bool
	}
	Elsewhere int
}

func reportOf(t *testing.T, r result) syncReport {
	t.Helper()
	var rep syncReport
	if err := json.Unmarshal([]byte(r.stdout), &rep); err != nil {
		t.Fatalf("%v: %+v", err, r)
	}
	return rep
}

// author is a desk with the key of a new user, at a server with something in
// between.
func author(t *testing.T) (*desk, *installation, *server, *middleman) {
	t.Helper()
	in := sqliteInstallation(t)
	s := in.serve(t)
	in.makeUser(t, "ada")
	m := between(t, s.url)
	return keyed(t, m.url, in.makeKey(t, "ada", "read", "write")), in, s, m
}

// TestThousandGuidesGoThereAndBack: pages of lists, and files that stay the same to
// the byte.
func TestThousandGuidesGoThereAndBack(t *testing.T) {
	t.Parallel()
	d, _, _, _ := author(t)
	const count = 1000
	d.writeGuides(t, "guides", count)
	printed := lines(d.done(t, "push", "guides", "--yes"))
	if last := printed[len(printed)-1]; last != "Done: 1000 created." || len(printed) != 2*count+1 {
		t.Errorf("%d lines, the last is %q", len(printed), last)
	}
	if n := len(d.stepsies(t, "--all")); n != count {
		t.Errorf("list --all: %d", n)
	}
	if n := len(d.stepsies(t, "--limit", "250", "--sort", "oldest")); n != 250 {
		t.Errorf("list --limit 250: %d", n)
	}
	d.done(t, "pull", "other")
	for n := range count {
		if got := d.read(t, fmt.Sprintf("other/guide-%d.md", n)); got != guide(n) {
			t.Fatalf("guide %d came back as %q", n, got)
		}
	}
	for _, folder := range []string{"guides", "other"} {
		for _, verb := range []string{"push", "pull"} {
			if out := d.done(t, verb, folder); !strings.HasPrefix(out, "1000 files are unchanged.\nThere is nothing to "+verb) {
				t.Errorf("%s %s: %q", verb, folder, out)
			}
		}
	}
}

// TestServerThatAsksForPatienceIsWaitedFor, within reason.
func TestServerThatAsksForPatienceIsWaitedFor(t *testing.T) {
	t.Parallel()
	d, in, s, m := author(t)
	d.writeGuides(t, "guides", 3)
	refusals := 0
	m.do(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPost && refusals < 2 {
			refusals++
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, `{"error":{"code":"rate_limit_exceeded","message":"Too many requests. Please slow down.","retry_after":1}}`)
			return
		}
		next.ServeHTTP(w, r)
	})
	r := d.do(t, "push", "guides", "--yes")
	if r.code != 0 || strings.Count(r.stderr, "trying again in 1s: Too many requests") != 2 || len(d.stepsies(t)) != 3 {
		t.Errorf("%+v", r)
	}

	// The server's own quota, which nobody waits for.
	admin := s.as(t, in.makeAdmin(t))
	admin.Must(t, http.StatusOK, "PATCH", "/v1/users/ada", map[string]any{"plan": "enterprise", "limits": map[string]any{"month": 1}})
	d.do(t, "list").failure(t, 1, "quota", "Try again in")
}

// TestPushGoesOnAfterTheServerDied in the middle of it.
func TestPushGoesOnAfterTheServerDied(t *testing.T) {
	t.Parallel()
	d, in, s, m := author(t)
	d.writeGuides(t, "guides", 8)
	var posts atomic.Int64
	m.do(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPost && posts.Add(1) == 5 {
			next.ServeHTTP(httptest.NewRecorder(), r) // it is carried out, and nobody hears of it
			s.kill()
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
	})
	r := d.do(t, "push", "guides", "--yes")
	if r.code != 1 || !strings.Contains(r.stderr, "4 of 8 done; push again to go on from there") || len(lines(r.stderr)) > 4 {
		t.Fatalf("%+v", r)
	}
	s = in.serve(t)
	m.lead(t, s.url)
	rep := reportOf(t, d.do(t, "push", "guides", "--dry-run", "--json"))
	actions := map[string]int{}
	for _, i := range rep.Items {
		actions[i.Action]++
	}
	if !rep.DryRun || actions["unchanged"] != 5 || actions["create"] != 3 {
		t.Errorf("after the crash the plan is %v", actions)
	}
	if out := d.done(t, "push", "guides", "--yes"); !strings.HasSuffix(out, "Done: 3 created.\n") {
		t.Errorf("%q", out)
	}
	if n := len(d.stepsies(t)); n != 8 {
		t.Errorf("%d stepsies, want 8", n)
	}
}

// TestPushThatIsInterruptedCanBeRepeated: Ctrl-C in the middle of a write.
func TestPushThatIsInterruptedCanBeRepeated(t *testing.T) {
	t.Parallel()
	d, in, _, m := author(t)
	d.writeGuides(t, "guides", 8)
	stuck := make(chan struct{})
	var posts atomic.Int64
	m.do(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPost && posts.Add(1) == 4 {
			_, _ = io.Copy(io.Discard, r.Body) // until then nobody notices that the client goes
			close(stuck)
			<-r.Context().Done()
			return
		}
		next.ServeHTTP(w, r)
	})
	p := in.start(t, d.command(t.Context(), "push", "guides", "--yes"))
	<-stuck
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := p.await(t); code != 1 {
		t.Errorf("exit code %d", code)
	}
	if text := string(p.log(t)); text != "stepsies: interrupted (3 of 8 done; push again to go on from there)\n" {
		t.Errorf("%q", text)
	}
	d.done(t, "push", "guides", "--yes")
	if n := len(d.stepsies(t)); n != 8 {
		t.Errorf("%d stepsies, want 8", n)
	}
}

// TestNewerVersionsAreNotOverwritten without --force: exit code 1 and a sentence
// that says what to do.
func TestNewerVersionsAreNotOverwritten(t *testing.T) {
	t.Parallel()
	d, in, s, _ := author(t)
	d.writeGuides(t, "guides", 2)
	d.done(t, "push", "guides", "--yes")
	other := keyed(t, s.url, in.makeKey(t, "ada", "read", "write"))
	other.done(t, "pull", ".")
	other.write(t, "guide-0.md", strings.ReplaceAll(guide(0), "Do **this**", "Do that"))
	other.done(t, "push", ".", "--yes")

	d.write(t, "guides/guide-0.md", strings.ReplaceAll(guide(0), "Do **this**", "Do nothing"))
	d.write(t, "guides/guide-1.md", strings.ReplaceAll(guide(1), "Guide 1", "Guide One"))
	r := d.do(t, "push", "guides", "--yes")
	if r.code != 1 || !strings.Contains(r.stdout, "conflict   guides/guide-0.md  both the file and the server's version have changed") ||
		!strings.HasSuffix(r.stdout, "updated guides/guide-1.md\nDone: 1 updated.\n") || r.stderr != "stepsies: 1 file was not pushed; the plan says why\n" {
		t.Errorf("%+v", r)
	}
	// The other desk has an older version of one file, and nothing to push.
	if out := other.done(t, "push", "."); !strings.Contains(out, "newer      guide-1.md  the server has a newer version; get it with stepsies pull") {
		t.Errorf("%q", out)
	}
	if out := other.done(t, "pull", "."); !strings.Contains(out, "Done: 1 replaced.") || !strings.Contains(other.read(t, "guide-1.md"), "Guide One") {
		t.Errorf("%q", out)
	}
	r = d.do(t, "pull", "guides")
	if r.code != 1 || !strings.Contains(r.stdout, "conflict   guides/guide-0.md") || !strings.Contains(d.read(t, "guides/guide-0.md"), "Do nothing") {
		t.Errorf("%+v", r)
	}
	d.do(t, "pull", "guides", "--force", "--json").failure(t, 2, "--yes")
	if out := d.done(t, "push", "guides", "--force", "--yes"); !strings.HasSuffix(out, "Done: 1 updated.\n") {
		t.Errorf("%q", out)
	}
	other.write(t, "guide-0.md", strings.ReplaceAll(guide(0), "Do **this**", "Do something else"))
	if out := other.done(t, "pull", ".", "--force", "--yes"); !strings.Contains(out, "(by --force)") || !strings.Contains(other.read(t, "guide-0.md"), "Do nothing") {
		t.Errorf("%q", out)
	}
}

// TestRevokedKeyIsToldWithWhatToDo, in the middle of a push too.
func TestRevokedKeyIsToldWithWhatToDo(t *testing.T) {
	t.Parallel()
	d, in, _, m := author(t)
	d.writeGuides(t, "guides", 3)
	id := fmt.Sprint(listed[listedKey](t, in, "key", "list")[0].ID)
	var posts atomic.Int64
	m.do(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPost && posts.Add(1) == 2 {
			in.must(t, "key", "revoke", id)
		}
		next.ServeHTTP(w, r)
	})
	r := d.do(t, "push", "guides", "--yes")
	for _, words := range []string{"does not accept the API key", "revoked", "dashboard", "STEPSIES_API_KEY", "1 of 3 done"} {
		if r.code != 1 || !strings.Contains(r.stderr, words) || len(lines(r.stderr)) != 1 {
			t.Errorf("%+v does not say %q", r, words)
		}
	}
	for _, args := range []string{"list", "get 1", "publish 1", "unpublish 1", "delete 1 --yes", "open 1", "whoami", "pull .", "push guides"} {
		d.do(t, strings.Fields(args)...).failure(t, 1, "does not accept the API key")
	}
}

// TestNewerServersAndSlowNetworksAreNoTrouble: unknown fields in every object, and
// answers that come in drops.
func TestNewerServersAndSlowNetworksAreNoTrouble(t *testing.T) {
	t.Parallel()
	d, _, _, m := author(t)
	d.writeGuides(t, "guides", 12)
	alter := func(r *http.Response) error {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		body = bytes.ReplaceAll(body, []byte(`{"`), []byte(`{"future":{"deep":[1,null]},"`))
		r.Body = slowly{bytes.NewReader(body)}
		r.ContentLength = int64(len(body))
		r.Header.Set("Content-Length", fmt.Sprint(len(body)))
		return nil
	}
	m.alter.Store(&alter)
	d.done(t, "push", "guides", "--yes")
	d.done(t, "pull", "copy")
	for n := range 12 {
		if got := d.read(t, fmt.Sprintf("copy/guide-%d.md", n)); got != guide(n) {
			t.Errorf("guide %d came back as %q", n, got)
		}
	}
	if got := d.done(t, "get", "guide-3"); got != guide(3) {
		t.Errorf("get: %q", got)
	}
	d.done(t, "whoami")
	if n := len(d.stepsies(t)); n != 12 {
		t.Errorf("%d stepsies", n)
	}
}

// TestWhatAServerSaysDoesNothingToATerminalOrToOtherFiles: titles with control
// characters, and slugs that are paths.
func TestWhatAServerSaysDoesNothingToATerminalOrToOtherFiles(t *testing.T) {
	t.Parallel()
	d, _, _, m := author(t)
	d.writeGuides(t, "guides", 1)
	d.done(t, "push", "guides", "--yes")
	alter := func(r *http.Response) error {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		body = bytes.ReplaceAll(body, []byte("Guide 0"), []byte(`Guide \u001b]0;owned\u0007\u009b31m\n0`))
		body = bytes.ReplaceAll(body, []byte(`"guide-0"`), []byte(`"../../evil"`))
		body = bytes.ReplaceAll(body, []byte("@ada"), []byte(`\u001b[31m@ada`))
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.ContentLength = int64(len(body))
		r.Header.Set("Content-Length", fmt.Sprint(len(body)))
		return nil
	}
	m.alter.Store(&alter)
	d.env = append(d.env, "NO_COLOR=1")
	for _, args := range []string{"list", "push guides --dry-run", "pull other", "publish 1", "unpublish 1", "get 1", "open 1", "whoami"} {
		_, text := d.onTerminal(t, strings.Fields(args)...).end(t)
		if strings.ContainsAny(text, "\x1b\x07\u009b") {
			t.Errorf("%s wrote control characters: %q", args, text)
		}
	}
	r := d.do(t, "pull", "other")
	if r.code != 1 || !strings.Contains(r.stdout, "cannot be the name of a file") {
		t.Errorf("%+v", r)
	}
	if found, _ := filepath.Glob(filepath.Join(d.home, "*evil*")); len(found) > 0 {
		t.Errorf("a file outside of the folder was written: %v", found)
	}
}
