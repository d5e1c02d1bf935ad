package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stepsies/stepsies/internal/testenv"
	"github.com/stepsies/stepsies/internal/web/docs"
)

// example is a block of code of the documentation.
type example struct {
	page, language, code string
	shows                string // what it has to print
	scope                string // of the key that it is run with; "none": without one
	plan                 string // of the user who runs it
	quiet                bool   // it prints nothing, and says by its exit code that it worked
	twice                bool   // it is run again, and prints the same
	stepsies             int    // that there are besides, newer than the one that is looked for
	saves                string // the file that a script is for
	post                 string // the operation that a body is for
	reason               string // why it is not run
}

var (
	examplePattern   = regexp.MustCompile("(?ms)^```([a-z]+)([^\n]*)\n(.*?)^```$")
	attributePattern = regexp.MustCompile(`([a-z]+)(?:=("(?:[^"\\]|\\.)*"|\S+))?`)
	pagePattern      = regexp.MustCompile(`\]\((http[^)]+/docs[a-z/-]*\.md)\)`)
)

// examplesOf are the blocks of a page.
func examplesOf(t *testing.T, page, markdown string) []example {
	t.Helper()
	var all []example
	for _, m := range examplePattern.FindAllStringSubmatch(markdown, -1) {
		e := example{page: page, language: m[1], code: m[3], scope: "read write", plan: "enterprise"}
		for _, a := range attributePattern.FindAllStringSubmatch(m[2], -1) {
			value := a[2]
			if strings.HasPrefix(value, `"`) {
				value = strings.ReplaceAll(value[1:len(value)-1], `\"`, `"`)
			}
			switch a[1] {
			case "shows":
				e.shows = value
			case "scope":
				e.scope = value
			case "plan":
				e.plan = value
			case "stepsies":
				e.stepsies, _ = strconv.Atoi(value)
			case "quiet":
				e.quiet = true
			case "twice":
				e.twice = true
			case "saves":
				e.saves = value
			case "post":
				e.post = value
			case "norun":
				e.reason = value
			default:
				t.Errorf("%s: what is %s?", page, a[0])
			}
		}
		all = append(all, e)
	}
	return all
}

// maxNotRun bounds how many examples may give a reason not to be run.
const maxNotRun = 4

// TestDocumentationRunsAsWritten runs every example of every page of the running
// program's documentation against that program. Nothing is changed but the names of
// things: the sample stepsy 123, the key 7 and the users of the examples are others
// each time.
func TestDocumentationRunsAsWritten(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	// Without --public-url the documentation names the address that is listened on.
	s := in.startServing(t, in.command(t.Context(), append([]string{"serve", "--listen", "127.0.0.1:0", "--log-format", "json"}, in.flags()...)...))
	s.awaitReady(t)
	r := &exampleRunner{in: in, server: s, admin: s.as(t, in.makeAdmin(t)), program: map[string][]string{
		"bash":   {testenv.Need(t, "bash"), "-e", "-"},
		"js":     {testenv.Need(t, "node"), "--input-type=module", "-"},
		"ruby":   {testenv.Need(t, "ruby"), "-"},
		"python": {testenv.Need(t, "python3-requests"), "-"},
	}}
	testenv.Need(t, "curl")
	testenv.Need(t, "jq")
	nobody := s.as(t, "")
	list, err := nobody.Send(http.MethodGet, "/llms.txt", nil)
	if err != nil || list.Status != http.StatusOK {
		t.Fatalf("llms.txt: %v, %d", err, list.Status)
	}
	description, err := nobody.Send(http.MethodGet, "/openapi.json", nil)
	if err != nil || description.Status != http.StatusOK {
		t.Fatalf("openapi.json: %v, %d", err, description.Status)
	}
	// What is served has no marks that say what an example prints; its source has.
	book, err := docs.New(s.url, description.Body)
	if err != nil {
		t.Fatal(err)
	}
	run, notRun, pages := map[string]int{}, 0, 0
	for _, m := range pagePattern.FindAllStringSubmatch(string(list.Body), -1) {
		path, ours := strings.CutPrefix(m[1], s.url)
		if !ours {
			t.Fatalf("%s is not an address of this server", m[1])
		}
		pages++
		a, err := nobody.Send(http.MethodGet, path, nil)
		if err != nil || a.Status != http.StatusOK {
			t.Fatalf("%s: %v, %d", path, err, a.Status)
		}
		page := book.Page(strings.TrimSuffix(path, ".md"))
		if page == nil || page.Markdown != string(a.Body) {
			t.Fatalf("%s is not served as it is written", path)
		}
		examples := examplesOf(t, path, page.Source)
		for _, e := range examples {
			if e.reason != "" {
				notRun++
			} else {
				run[e.language]++
			}
		}
		t.Run(strings.Trim(path, "/"), func(t *testing.T) {
			t.Parallel()
			work := t.TempDir()
			for i, e := range examples {
				t.Run(fmt.Sprintf("%d-%s", i+1, e.language), func(t *testing.T) { r.try(t, e, work) })
			}
		})
	}
	if pages < 12 {
		t.Errorf("there are only %d pages", pages)
	}
	if notRun > maxNotRun {
		t.Errorf("%d examples are not run, more than %d", notRun, maxNotRun)
	}
	for _, language := range []string{"bash", "js", "ruby", "python", "go"} {
		if run[language] < 6 {
			t.Errorf("only %d examples are in %s", run[language], language)
		}
	}
}

// exampleRunner runs examples, each as a user of its own.
type exampleRunner struct {
	in      *installation
	server  *server
	admin   *testenv.Caller
	program map[string][]string
}

// try checks one example.
func (r *exampleRunner) try(t *testing.T, e example, work string) {
	switch e.language {
	case "json":
		var v any
		if err := json.Unmarshal([]byte(e.code), &v); err != nil {
			t.Errorf("%v:\n%s", err, e.code)
		}
		if e.post != "" {
			key, _ := r.scene(t, e)
			r.server.as(t, key).Must(t, http.StatusCreated, "POST", e.post, e.code)
		}
		return
	case "yaml":
		r.runWorkflow(t, e, work)
		return
	case "markdown":
		r.pushFile(t, e)
		return
	case "html":
		if !strings.Contains(e.code, r.server.url+"/") {
			t.Errorf("it does not lead to this server:\n%s", e.code)
		}
		return
	case "http", "text", "operation":
		return // nothing that could be run
	}
	if e.reason != "" {
		t.Logf("not run, since it %s", e.reason)
		return
	}
	if e.shows == "" && !e.quiet && !strings.HasPrefix(e.page, "/docs/reference/") {
		t.Errorf("nobody knows what this shows:\n%s", e.code)
	}
	key, named := r.scene(t, e)
	code := named.Replace(e.code)
	first := r.run(t, e, key, code, work)
	if e.twice {
		if second := r.run(t, e, key, code, work); second != first {
			t.Errorf("it prints\n%s\nand then\n%s", first, second)
		}
	}
}

// scene prepares what an example is about: who runs it with which key, and what the
// things are called that it names.
func (r *exampleRunner) scene(t *testing.T, e example) (key string, named *strings.Replacer) {
	t.Helper()
	caller, other, third := r.newUser(t, e, "member"), "", randomName()
	scopes := strings.Fields(e.scope)
	if e.scope == "admin" {
		caller = r.newUser(t, e, "admin")
	}
	if e.scope != "none" {
		key, _ = r.newKey(t, caller, scopes...)
	}
	var stepsy struct{ ID int64 }
	r.admin.Must(t, http.StatusCreated, "POST", "/v1/stepsies", map[string]any{
		"title": "Email Welcome Sequence Blueprint", "user_id": caller, "status": "published",
		"steps": []map[string]any{{"title": "Define Your Sequence Goal", "content": "<p>Before writing a single email...</p>"}},
	}, &stepsy)
	for range e.stepsies {
		r.admin.Must(t, http.StatusCreated, "POST", "/v1/stepsies", map[string]any{"title": "One of many", "user_id": caller})
	}
	other = r.newUser(t, e, "member")
	_, otherKey := r.newKey(t, other, "read")
	return key, strings.NewReplacer(
		"/stepsies/123", fmt.Sprint("/stepsies/", stepsy.ID), "(ctx, 123)", fmt.Sprintf("(ctx, %d)", stepsy.ID),
		"/api-keys/7", fmt.Sprint("/api-keys/", otherKey), "/users/sarahchen", "/users/"+other, "omar", third,
	)
}

func (r *exampleRunner) newUser(t *testing.T, e example, role string) string {
	t.Helper()
	name := randomName()
	r.admin.Must(t, http.StatusCreated, "POST", "/v1/users", map[string]any{"username": name, "email": name + "@example.com", "plan": e.plan, "role": role})
	return name
}

// newKey makes a key, and returns its id too.
func (r *exampleRunner) newKey(t *testing.T, user string, scopes ...string) (string, int64) {
	t.Helper()
	var made struct {
		ID  int64
		Key string
	}
	r.admin.Must(t, http.StatusCreated, "POST", "/v1/api-keys", map[string]any{"name": "for the documentation", "user_id": user, "scopes": scopes}, &made)
	return made.Key, made.ID
}

// run runs code and returns what it printed.
func (r *exampleRunner) run(t *testing.T, e example, key, code, work string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
	defer cancel()
	if e.language == "crontab" {
		return r.runCron(t, e, key, code, work)
	}
	var cmd *exec.Cmd
	switch {
	case e.language == "go":
		cmd = exec.CommandContext(ctx, buildExample(t, code))
	case e.saves != "":
		file := filepath.Join(work, e.saves)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(code), 0o700)); err != nil {
			t.Fatal(err)
		}
		cmd = exec.CommandContext(ctx, file)
	default:
		program := r.program[e.language]
		if program == nil {
			t.Fatalf("nobody knows how to run %s", e.language)
		}
		cmd = exec.CommandContext(ctx, program[0], program[1:]...)
		cmd.Stdin = strings.NewReader(code)
	}
	cmd.Dir, cmd.Env = work, r.environ(t, key, work, !strings.Contains(code, "curl -f"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	printed, err := cmd.Output()
	if err != nil && !isFailure(e.shows) {
		t.Fatalf("%v:\n%s\nprints %s%s", err, code, printed, stderr.Bytes())
	}
	if !strings.Contains(string(printed), e.shows) {
		t.Errorf("%s\ndoes not print %q but %s%s", code, e.shows, printed, stderr.Bytes())
	}
	return string(printed)
}

// environ is the environment of an example: the key, the program on the path, and a
// curl that fails where the server refuses, if the example has none itself.
func (r *exampleRunner) environ(t *testing.T, key, work string, fails bool) []string {
	t.Helper()
	curl := t.TempDir()
	settings := "silent\nshow-error\n"
	if fails {
		settings += "fail-with-body\n"
	}
	if err := os.WriteFile(filepath.Join(curl, ".curlrc"), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	env := append(r.in.environ(), "HOME="+work, "XDG_CONFIG_HOME="+work, "CURL_HOME="+curl, "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1",
		"PATH="+filepath.Dir(program)+string(os.PathListSeparator)+os.Getenv("PATH"))
	if key != "" {
		env = append(env, "STEPSIES_API_KEY="+key)
	}
	return env
}

// isFailure reports whether an example is about a refusal.
func isFailure(shows string) bool { return shows == "not_found" }

// buildExample builds a program that uses the SDK as any other module would.
func buildExample(t *testing.T, code string) string {
	t.Helper()
	dir := t.TempDir()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"main.go": code, "go.sum": string(sums),
		"go.mod": "module example.org/sample\n\ngo 1.26\n\nrequire github.com/stepsies/stepsies v0.0.0\n\nreplace github.com/stepsies/stepsies => " + root + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*commandTimeout)
	defer cancel()
	build := exec.CommandContext(ctx, "go", "build", "-o", "sample", ".")
	build.Dir, build.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off", "PWD="+dir)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build:\n%s\n%v: %s", code, err, out)
	}
	return filepath.Join(dir, "sample")
}

// cronLine is a line of a crontab: five fields for the time, and a command.
var cronLine = regexp.MustCompile(`^((?:[0-9*/,-]+ ){5})(.+)\n$`)

// runCron runs the command of a line as cron does: in the home folder, by sh, with
// the key in a file.
func (r *exampleRunner) runCron(t *testing.T, e example, key, line, work string) string {
	t.Helper()
	m := cronLine.FindStringSubmatch(line)
	if m == nil || strings.Contains(line, "%") {
		t.Fatalf("cron would not take %q", line)
	}
	if err := os.WriteFile(filepath.Join(work, ".stepsies.env"), []byte("export STEPSIES_API_KEY="+key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, testenv.Need(t, "sh"), "-c", m[2])
	cmd.Dir, cmd.Env = work, []string{"HOME=" + work, "SHELL=/bin/sh", "PATH=/usr/bin:/bin"}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), e.shows) {
		t.Errorf("%s: %v, does not print %q but %s", line, err, e.shows, out)
	}
	return string(out)
}

// randomName is a username that nobody has.
func randomName() string { return "u" + strings.ToLower(rand.Text()[:12]) }
