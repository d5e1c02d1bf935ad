package nodes

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// guide is docs/operating.md.
func guide(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestOperatingGuideShowsTheConfigurationsThatAreRun compares what the guide shows
// with the files that the tests start proxies with.
func TestOperatingGuideShowsTheConfigurationsThatAreRun(t *testing.T) {
	text := guide(t)
	for language, name := range map[string]string{"caddyfile": "Caddyfile", "nginx": "nginx.conf"} {
		file, err := os.ReadFile(filepath.Join("../../docs/proxies", name))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text, "```"+language+"\n"+string(file)+"```\n") {
			t.Errorf("docs/operating.md does not show docs/proxies/%s as it is", name)
		}
	}
	for _, name := range []string{"haproxy.cfg", "apache.conf"} {
		if !strings.Contains(text, "(proxies/"+name+")") {
			t.Errorf("docs/operating.md does not lead to docs/proxies/%s", name)
		}
	}
}

// TestOperatingGuideIsFinished: nothing in it stands for what is to be written.
func TestOperatingGuideIsFinished(t *testing.T) {
	if left := find(guide(t), `(?m)^[A-Z]{4,}$|: [A-Z]{4,}\.$`); len(left) > 0 {
		t.Errorf("docs/operating.md still holds %q", left)
	}
}

// TestOperatingGuideNamesWhatThereIs compares the guide with the program: flags,
// variables, commands and metrics, in both directions where it claims to be
// complete.
func TestOperatingGuideNamesWhatThereIs(t *testing.T) {
	text := guide(t)
	serve := help(t, "serve", "--help")
	flags := find(serve, `--[a-z-]+`)
	variables := find(serve, `STEPSIES_[A-Z_]+`)
	for _, f := range flags {
		if f != "--help" && !strings.Contains(text, "| `"+f+"` |") {
			t.Errorf("the table of settings lacks %s", f)
		}
	}
	for _, v := range variables {
		if !strings.Contains(text, "`"+v+"`") {
			t.Errorf("the table of settings lacks %s", v)
		}
	}
	for _, v := range find(text, `STEPSIES_[A-Z_]+[A-Z]`) {
		if !slices.Contains(variables, strings.TrimSuffix(v, "_FILE")) {
			t.Errorf("the guide names %s, which serve does not know", v)
		}
	}

	commands := regexp.MustCompile(`(?m)^\s*([a-z]+( [a-z]+)?)  +[A-Z]`).FindAllStringSubmatch(help(t, "--help"), -1)
	known := slices.Clone(flags)
	for _, command := range commands {
		known = append(known, find(help(t, append(strings.Fields(command[1]), "--help")...), `--[a-z-]+`)...)
		known = append(known, command[1])
	}
	for _, block := range regexp.MustCompile("(?s)```(?:sh|ini)\n(.*?)```").FindAllStringSubmatch(text, -1) {
		for _, called := range regexp.MustCompile(`(?m)(?:^|/)stepsies ([a-z]+)( [a-z]+)?`).FindAllStringSubmatch(block[1], -1) {
			if !slices.Contains(known, called[1]) && !slices.Contains(known, called[1]+called[2]) {
				t.Errorf("the guide runs stepsies %s%s, which there is not", called[1], called[2])
			}
		}
	}
	for _, f := range find(text, "`--[a-z-]+") {
		if f = f[1:]; !slices.Contains(known, f) {
			t.Errorf("the guide names %s, which no command has", f)
		}
	}
}

// TestOperatingGuideNamesEveryMetric compares the guide with a running node.
func TestOperatingGuideNamesEveryMetric(t *testing.T) {
	text := guide(t)
	c := newCluster(t, 1, "", "")
	c.root.Must(t, 200, "GET", "/v1/me", nil)
	var there []string
	for _, line := range scrape(t, c.nodes[0].as("")) {
		name := regexp.MustCompile(`^[a-z_0-9]+`).FindString(line)
		there = append(there, name, regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, ""))
		if name = there[len(there)-1]; strings.HasPrefix(name, "stepsies_") && !strings.Contains(text, "`"+name+"`") {
			t.Errorf("the guide lacks %s", name)
		}
	}
	for _, name := range find(text, "`(stepsies|go_sql|process|go)_[a-z_]+`") {
		if name = strings.Trim(name, "`"); !slices.Contains(there, name) {
			t.Errorf("the guide names %s, which there is not", name)
		}
	}
}

func help(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("stepsies %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// find returns what matches, once each.
func find(text, pattern string) []string {
	found := regexp.MustCompile(pattern).FindAllString(text, -1)
	slices.Sort(found)
	return slices.Compact(found)
}
