package e2e

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stepsies/stepsies/internal/testenv"
)

// completions are what each shell offers for a line that is typed up to its end.
var completions = []struct {
	line string
	want []string
}{
	{"stepsies pu", []string{"publish", "pull", "push"}},
	{"stepsies key ", []string{"create", "list", "revoke", "rotate"}},
	{"stepsies --log-level debug key re", []string{"revoke"}},
	{"stepsies list --st", []string{"--status"}},
	{"stepsies list --status ", []string{"draft", "published"}},
	{"stepsies list --sort o", []string{"oldest"}},
	{"stepsies serve --redis x --rate", []string{"--rate-limits"}},
	{"stepsies list --data", nil}, // a command that knows no data folder
	{"stepsies completion ", []string{"bash", "fish", "zsh"}},
	{"stepsies push gu", []string{"guides/"}},
	{"stepsies push guides/gu", []string{"guides/guide-0.md", "guides/guide-1.md"}},
	{"stepsies whoami --data x ", nil},
}

// shell runs a script in a shell at a desk where stepsies is on the PATH.
func (d *desk) shell(t *testing.T, name, script string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, testenv.Need(t, name), args...)
	cmd.Dir, cmd.Env = d.work, append(d.environ(), "PATH="+filepath.Dir(program)+":/usr/local/bin:/usr/bin:/bin", "TERM=dumb")
	cmd.Stdin = strings.NewReader(script)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Errorf("%s: %v: %s", name, err, stderr.Bytes())
	}
	return stdout.String()
}

// TestBashCompletes asks bash as its completion of a typed line does.
func TestBashCompletes(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.writeGuides(t, "guides", 2)
	for _, c := range append(slices.Clone(completions), struct {
		line string
		want []string
	}{"stepsies list --status=dr", []string{"draft"}}) {
		// COMP_WORDS as readline splits it, at blanks and at equals signs; -o default is
		// readline's, and stands here for compgen -f.
		words := strings.Fields(strings.ReplaceAll(c.line, "=", " = "))
		if strings.HasSuffix(c.line, " ") {
			words = append(words, "")
		}
		out := d.shell(t, "bash", `source <(stepsies completion bash)
compopt() { COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")); }
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
$(complete -p stepsies | sed 's/.*-F \([^ ]*\).*/\1/')
printf '%s\n' "${COMPREPLY[@]}"
`, append([]string{"-s", "--"}, words...)...)
		got := lines(out)
		slices.Sort(got)
		want := slices.Clone(c.want)
		for i := range want {
			want[i] = strings.TrimSuffix(want[i], "/") // which readline adds
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: bash offers %q, want %q", c.line, got, want)
		}
	}
}

// TestFishCompletes asks fish itself.
func TestFishCompletes(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.writeGuides(t, "guides", 2)
	for _, c := range append(slices.Clone(completions), struct {
		line string
		want []string
	}{"stepsies list --status=dr", []string{"--status=draft"}}) {
		var got []string
		for _, line := range lines(d.shell(t, "fish", "stepsies completion fish | source\ncomplete --do-complete '"+c.line+"'\n")) {
			value, _, _ := strings.Cut(line, "\t")
			got = append(got, value)
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: fish offers %q, want %q", c.line, got, c.want)
		}
	}
}

// TestZshCompletes types into an interactive zsh, on a terminal, and completes with
// the Tab key.
func TestZshCompletes(t *testing.T) {
	t.Parallel()
	zsh := testenv.Need(t, "zsh")
	d := newDesk(t)
	d.writeGuides(t, "guides", 2)
	d.write(t, "../.zshrc", "bindkey -e\nautoload -Uz compinit && compinit -u\nsource <(stepsies completion zsh)\n")
	cmd := exec.CommandContext(t.Context(), zsh, "-i", "+o", "globalrcs")
	cmd.Dir, cmd.Env = d.work, append(d.environ(), "ZDOTDIR="+d.home, "PATH="+filepath.Dir(program)+":/usr/local/bin:/usr/bin:/bin")
	s := startOnTerminal(t, cmd)
	for typed, want := range map[string]string{
		"stepsies unp":                 "stepsies unpublish",
		"stepsies list --status=dr":    "stepsies list --status=draft",
		"stepsies list --sort pu":      "stepsies list --sort published",
		"stepsies push guides/guide-1": "stepsies push guides/guide-1.md",
		"stepsies key rot":             "stepsies key rotate",
	} {
		s.seen = ""
		// Tab completes; then the line is made one that prints itself.
		s.typed(t, typed+"\t\x01print -r -- got:\n")
		s.waitFor(t, "\ngot:"+want)
	}
	s.typed(t, "exit\n")
	if code, text := s.end(t); code != 0 {
		t.Errorf("exit code %d: %q", code, text)
	}
}
