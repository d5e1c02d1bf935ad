package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/stepsies/stepsies/examples"
	"github.com/stepsies/stepsies/internal/testenv"
)

// workflow is as much of a GitHub Actions workflow as the example uses.
type workflow struct {
	On          map[string]any
	Permissions map[string]string
	Jobs        map[string]struct {
		RunsOn string `yaml:"runs-on"`
		Steps  []workflowStep
	}
}

type workflowStep struct {
	Name, Uses, Run string
	With            map[string]string
	Env             map[string]string
}

func readWorkflow(t *testing.T) []workflowStep {
	t.Helper()
	text, err := os.ReadFile("../examples/github-actions/push-guides.yml")
	if err != nil {
		t.Fatal(err)
	}
	var w workflow
	if err := yaml.Unmarshal(text, &w); err != nil {
		t.Fatal(err)
	}
	steps := w.Jobs["push"].Steps
	if len(w.Jobs) != 1 || len(steps) == 0 || w.On["push"] == nil || w.Permissions["contents"] != "read" || w.Jobs["push"].RunsOn == "" {
		t.Fatalf("the workflow is not the one that this test knows: %+v", w)
	}
	return steps
}

// runner runs the steps of the workflow in a fresh clone each time, with the built
// program in the place of the one that go install would download.
type runner struct {
	*desk
	steps      []workflowStep
	repository string
	values     map[string]string // of expressions: "secrets.STEPSIES_API_KEY"
}

func (r *runner) git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command(testenv.Need(t, "git"), args...)
	cmd.Dir = dir
	cmd.Env = append(r.environ(), "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

func (r *runner) commit(t *testing.T) {
	t.Helper()
	r.git(t, r.repository, "add", "-A")
	r.git(t, r.repository, "commit", "-q", "-m", "Edit")
}

// run runs the job and returns whether it succeeded, and its log.
func (r *runner) run(t *testing.T) (bool, string) {
	t.Helper()
	clone := t.TempDir()
	var log bytes.Buffer
	for _, step := range r.steps {
		switch action, _, _ := strings.Cut(step.Uses, "@"); action {
		case "actions/checkout":
			depth := "--no-single-branch"
			if step.With["fetch-depth"] != "0" {
				depth = "--depth=1"
			}
			r.git(t, clone, "clone", "-q", depth, "file://"+r.repository, ".")
			continue
		case "actions/setup-go", "":
		default:
			t.Fatalf("the test does not know the action %s", step.Uses)
		}
		if step.Run == "" {
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
		defer cancel()
		cmd := exec.CommandContext(ctx, testenv.Need(t, "bash"), "--noprofile", "--norc", "-eo", "pipefail", "-c", step.Run)
		cmd.Dir, cmd.Env = clone, append(r.environ(), "CI=true", "PATH="+filepath.Join(r.home, "bin")+":/usr/bin:/bin")
		for name, value := range step.Env {
			expression := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(value, "${{"), "}}"))
			if r.values[expression] == "" {
				t.Fatalf("the test knows no value of %s", value)
			}
			cmd.Env = append(cmd.Env, name+"="+r.values[expression])
		}
		cmd.Stdout, cmd.Stderr = &log, &log
		if err := cmd.Run(); err != nil {
			return false, log.String()
		}
	}
	r.holdsNoSecret(t, log.Bytes())
	return true, log.String()
}

// TestWorkflowPushesTheSamplesOfARepository runs the GitHub Actions example over
// three commits and an edit in the dashboard, with the sample stepsies as guides.
func TestWorkflowPushesTheSamplesOfARepository(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	s := in.serve(t)
	in.makeUser(t, "ada")
	key := in.makeKey(t, "ada", "read", "write")
	d := newDesk(t)
	r := &runner{desk: d, steps: readWorkflow(t), repository: d.path("repository"), values: map[string]string{
		"secrets.STEPSIES_API_KEY": key, "vars.STEPSIES_URL": s.url,
	}}

	// go install of the package that this repository builds.
	list := exec.Command("go", "list", "-f", "{{.ImportPath}}@latest {{.Name}}", "../cmd/stepsies")
	pkg, err := list.Output()
	if err != nil || !strings.HasSuffix(string(pkg), " main\n") {
		t.Fatalf("go list: %q, %v", pkg, err)
	}
	d.write(t, "../bin/go", "#!/bin/sh\n[ \"$1 $2 main\" = \"install "+strings.TrimSpace(string(pkg))+"\" ] && ln -sf "+program+" "+filepath.Join(d.home, "bin", "stepsies")+"\n")
	if err := os.Chmod(filepath.Join(d.home, "bin", "go"), 0o755); err != nil {
		t.Fatal(err)
	}

	samples, err := examples.Stepsies.ReadDir("stepsies")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, f := range samples {
		if filepath.Ext(f.Name()) == ".md" {
			text, err := examples.Stepsies.ReadFile("stepsies/" + f.Name())
			if err != nil {
				t.Fatal(err)
			}
			want[f.Name()] = string(text)
			d.write(t, "repository/guides/"+f.Name(), string(text))
		}
	}
	r.git(t, r.repository, "init", "-q", "-b", "main")
	r.commit(t)
	if ok, log := r.run(t); !ok || !strings.Contains(log, "Done: "+strconv.Itoa(len(want))+" created.") {
		t.Fatalf("first run: %s", log)
	}
	if ok, log := r.run(t); !ok || !strings.Contains(log, "There is nothing to push.") {
		t.Errorf("the same again: %s", log)
	}
	d.env = append(d.env, "STEPSIES_URL="+s.url, "STEPSIES_API_KEY="+key)
	d.done(t, "pull", "pulled")
	for name, text := range want {
		if got := d.read(t, "pulled/"+name); got != text {
			t.Errorf("%s came back as %q", name, got)
		}
	}

	const name = "set-up-ssh-keys.md"
	edited := strings.Replace(want[name], "Set Up SSH Keys", "Set Up Your SSH Keys", 1)
	d.write(t, "repository/guides/"+name, edited)
	r.commit(t)
	if ok, log := r.run(t); !ok || !strings.Contains(log, "Done: 1 updated.") {
		t.Errorf("after an edit in the repository: %s", log)
	}

	// Somebody edits it in the dashboard, and somebody else in the repository.
	api := s.as(t, key)
	for _, one := range d.stepsies(t, "--all") {
		if one.Slug+".md" == name {
			api.Must(t, 200, "PATCH", "/v1/stepsies/"+strconv.FormatInt(one.ID, 10), map[string]any{"description": "From the dashboard."})
		}
	}
	d.write(t, "repository/guides/"+name, strings.Replace(edited, "Open a terminal", "Open the terminal", 1))
	r.commit(t)
	if ok, log := r.run(t); ok || !strings.Contains(log, "conflict   guides/"+name) || !strings.Contains(log, "1 file was not pushed") {
		t.Errorf("after an edit in the dashboard: %s", log)
	}
}
