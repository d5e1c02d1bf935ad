package e2e

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/stepsies/stepsies/internal/testenv"
)

// job is as much of a workflow of GitHub Actions as the documentation shows.
type job struct {
	Jobs map[string]struct {
		Steps []struct {
			Uses, Run string
			Env       map[string]string
		}
	}
}

// expression is a value that GitHub fills in.
var expression = regexp.MustCompile(`\$\{\{ *([a-zA-Z_.]+) *\}\}`)

// runWorkflow runs the steps of a workflow in a clone with one guide, but for those
// that bring the clone and the programs. Done again, they find nothing to do.
func (r *exampleRunner) runWorkflow(t *testing.T, e example, work string) {
	t.Helper()
	var w job
	if err := yaml.Unmarshal([]byte(e.code), &w); err != nil || len(w.Jobs) != 1 {
		t.Fatalf("%v: %d jobs", err, len(w.Jobs))
	}
	clone := filepath.Join(work, "clone")
	guide := "---\ntitle: Brew a cup of tea\nslug: brew-a-cup-of-tea\nstatus: published\n---\n\n## Boil the water\n\nFresh water, to 95 °C.\n"
	if err := os.MkdirAll(filepath.Join(clone, "guides"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(clone, "guides", "brew-a-cup-of-tea.md"), []byte(guide), 0o600); err != nil {
		t.Fatal(err)
	}
	key, _ := r.scene(t, e)
	values := map[string]string{"secrets.STEPSIES_API_KEY": key, "vars.STEPSIES_URL": r.server.url}
	for _, shows := range []string{"Done: 1 created.", "There is nothing to push."} {
		printed := ""
		for _, j := range w.Jobs {
			for _, step := range j.Steps {
				if path, installs := strings.CutPrefix(step.Run, "go install github.com/stepsies/stepsies/"); installs {
					if _, err := os.Stat(filepath.Join("..", strings.TrimSuffix(path, "@latest"), "main.go")); err != nil {
						t.Errorf("%s installs nothing: %v", step.Run, err)
					}
					continue
				}
				if step.Run == "" {
					continue
				}
				env := r.environ(t, "", work, true)
				for name, value := range step.Env {
					env = append(env, name+"="+expression.ReplaceAllStringFunc(value, func(m string) string {
						filled, known := values[expression.FindStringSubmatch(m)[1]]
						if !known {
							t.Errorf("nobody gives the workflow %s", m)
						}
						return filled
					}))
				}
				ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
				defer cancel()
				cmd := exec.CommandContext(ctx, testenv.Need(t, "bash"), "-e", "-c", step.Run)
				cmd.Dir, cmd.Env = clone, env
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("%s: %v: %s", step.Run, err, out)
				}
				printed += string(out)
			}
		}
		if !strings.Contains(printed, shows) {
			t.Errorf("it does not print %q but %s", shows, printed)
		}
	}
	var list struct{ Data []struct{ Title string } }
	r.server.as(t, key).Must(t, http.StatusOK, "GET", "/v1/stepsies?q=tea&status=published", nil, &list)
	if len(list.Data) != 1 || list.Data[0].Title != "Brew a cup of tea" {
		t.Errorf("the server has %+v", list.Data)
	}
}

// pushFile pushes a Markdown file as the documentation shows it, and finds it on the
// server as it is printed again.
func (r *exampleRunner) pushFile(t *testing.T, e example) {
	t.Helper()
	key, _ := r.scene(t, e)
	work := t.TempDir()
	if err := os.WriteFile(filepath.Join(work, "guide.md"), []byte(e.code), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"push", "guide.md", "--yes"}, {"get", "brew-a-cup-of-tea"}} {
		ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
		defer cancel()
		cmd := exec.CommandContext(ctx, program, args...)
		cmd.Dir, cmd.Env = work, append(r.environ(t, key, work, true), "STEPSIES_URL="+r.server.url)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("stepsies %s: %v: %s", strings.Join(args, " "), err, out)
		}
		if args[0] == "get" && string(out) != e.code {
			t.Errorf("it comes back as\n%s", out)
		}
	}
}

// commandLine is a command of ours in the text of a page.
var commandLine = regexp.MustCompile("`stepsies ([a-z]+)")

// TestDocumentationNamesEveryCommand compares the page about the command line with
// what the program says about itself.
func TestDocumentationNamesEveryCommand(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	help := in.runWith(t, strings.NewReader(""), "--help")
	commands, _, _ := strings.Cut(help.stdout, "\nFlags:")
	known := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z]+)\b`).FindAllStringSubmatch(commands, -1) {
		known[m[1]] = true
	}
	if len(known) < 20 {
		t.Fatalf("the program tells of these commands only: %v", known)
	}
	text, err := os.ReadFile("../internal/web/docs/pages/command-line.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, m := range commandLine.FindAllStringSubmatch(string(text), -1) {
		named[m[1]] = true
		if !known[m[1]] {
			t.Errorf("the page tells of stepsies %s, which there is not", m[1])
		}
	}
	for command := range known {
		if !named[command] {
			t.Errorf("the page does not tell of stepsies %s", command)
		}
	}
}
