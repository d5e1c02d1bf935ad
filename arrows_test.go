package stepsies_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// arrows says for each room which others it may import; "." is the domain. Rooms
// that are not listed here (e2e, bench, tools) are judged by single rules.
var arrows = map[string][]string{
	".":                   {},
	"client":              {},
	"examples":            {},
	"internal/store":      {"."},
	"internal/richtext":   {"."},
	"internal/reqlog":     {"."},
	"internal/mail":       {"."},
	"internal/auth":       {".", "internal/store"},
	"internal/ratelimit":  {".", "internal/store"},
	"internal/readers":    {".", "internal/store"},
	"internal/stepsyfile": {".", "internal/richtext"},
	"internal/mcp":        {"client", "internal/richtext"},
	"internal/foldersync": {".", "client", "internal/richtext", "internal/stepsyfile"},
	"internal/testenv":    {},
	"internal/api":        {".", "internal/auth", "internal/ratelimit", "internal/reqlog", "internal/richtext", "internal/store"},
	"internal/web": {".", "internal/auth", "internal/mail", "internal/ratelimit", "internal/readers", "internal/store",
		"internal/web/docs", "internal/web/keys", "internal/web/overview", "internal/web/page", "internal/web/reading", "internal/web/users", "internal/web/writing"},
	"internal/web/page":     {".", "internal/auth", "internal/ratelimit", "internal/reqlog", "internal/store"},
	"internal/web/reading":  {".", "internal/ratelimit", "internal/readers", "internal/stepsyfile", "internal/store", "internal/web/page"},
	"internal/web/writing":  {".", "internal/auth", "internal/reqlog", "internal/richtext", "internal/store", "internal/web/page", "internal/web/reading"},
	"internal/web/keys":     {".", "internal/store", "internal/web/page"},
	"internal/web/users":    {".", "internal/auth", "internal/mail", "internal/ratelimit", "internal/store", "internal/web/page"},
	"internal/web/overview": {".", "internal/store", "internal/web/keys", "internal/web/page"},
	"internal/web/docs":     {".", "internal/web/page"},
	"internal/server": {".", "internal/api", "internal/auth", "internal/mail", "internal/mcp", "internal/ratelimit", "internal/readers", "internal/reqlog", "internal/richtext",
		"internal/store", "internal/web"},
	"cmd": {".", "client", "examples", "internal/auth", "internal/foldersync", "internal/mail", "internal/mcp", "internal/reqlog", "internal/richtext",
		"internal/server", "internal/stepsyfile", "internal/store"},
}

// TestArrowsAreEnforced plants every import that one room could make of another
// into a module of empty packages, and compares what the linter refuses with arrows.
func TestArrowsAreEnforced(t *testing.T) {
	const module = "github.com/stepsies/stepsies"
	dir := t.TempDir()
	write := func(path, text string) {
		t.Helper()
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	config, err := os.ReadFile(".depguard.yml")
	if err != nil {
		t.Fatal(err)
	}
	write(".depguard.yml", string(config))
	write("go.mod", "module "+module+"\n\ngo 1.26\n\n"+
		"require (\n\texample.org/other v0.0.0\n\tgithub.com/mozillazg/go-unidecode v0.0.0\n\tgolang.org/x/text v0.0.0\n)\n\n"+
		"replace (\n\texample.org/other => ./replaced/other\n\tgithub.com/mozillazg/go-unidecode => ./replaced/letters\n\tgolang.org/x/text => ./replaced/text\n)\n")
	write("replaced/other/go.mod", "module example.org/other\n\ngo 1.26\n")
	write("replaced/other/other.go", "package other\n")
	write("replaced/letters/go.mod", "module github.com/mozillazg/go-unidecode\n\ngo 1.26\n")
	write("replaced/letters/letters.go", "package unidecode\n")
	write("replaced/text/go.mod", "module golang.org/x/text\n\ngo 1.26\n")
	write("replaced/text/cases/cases.go", "package cases\n")

	rooms := slices.Sorted(maps.Keys(arrows))
	refused := map[string]bool{}
	plants := 0
	plant := func(room, file, target string, allowed bool) {
		folder := filepath.Join(room, "plant") // the rooms themselves import nothing: no cycles
		if room == "." {
			folder = room
		}
		path := filepath.Join(folder, file)
		write(path, fmt.Sprintf("package plant\n\nimport _ %q\n", target))
		if !allowed {
			refused[path] = true
		}
		plants++
	}
	importPath := func(room string) string { return strings.TrimSuffix(module+"/"+room, "/.") }
	fileFor := func(room, suffix string) string {
		return "to_" + strings.NewReplacer("/", "_", ".", "domain").Replace(room) + suffix
	}
	for _, room := range rooms {
		if room != "." {
			write(filepath.Join(room, "room.go"), "package room\n")
		}
		for _, target := range rooms {
			if target == room {
				continue
			}
			plant(room, fileFor(target, ".go"), importPath(target), slices.Contains(arrows[room], target))
			if room != "." { // a test of the domain would be in a cycle with its targets' tests
				plant(room, fileFor(target, "_test.go"), importPath(target), true)
			}
		}
		stdOnly := room == "." || room == "client" || room == "examples"
		plant(room, "to_std.go", "net/http", true)
		plant(room, "to_text.go", "golang.org/x/text/cases", room == "." || !stdOnly)
		plant(room, "to_letters.go", "github.com/mozillazg/go-unidecode", room == "." || !stdOnly)
		plant(room, "to_other.go", "example.org/other", !stdOnly)
	}
	// Rooms judged by single rules, and one that nobody has drawn arrows for.
	plant("e2e", "to_server.go", module+"/internal/server", true)
	plant("e2e", "to_testenv.go", module+"/internal/testenv", false)
	plant("bench", "to_client.go", module+"/client", true)
	plant("bench", "to_server.go", module+"/internal/server", false)
	plant("internal/tools", "to_testenv.go", module+"/internal/testenv", false)
	plant("internal/tools", "to_server.go", module+"/internal/server", false)
	plant("internal/newroom", "to_store.go", module+"/internal/store", false)

	program, err := exec.Command("go", "tool", "-n", "depguard").Output()
	if err != nil {
		t.Fatalf("build the linter: %v", err)
	}
	cmd := exec.Command(strings.TrimSpace(string(program)), "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PWD="+dir, "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatal("the linter refuses nothing")
	}

	got := map[string]bool{}
	line := regexp.MustCompile(`(?m)^(\S+\.go):\d+:\d+: import '.*' is not allowed from list`)
	for _, m := range line.FindAllStringSubmatch(string(out), -1) {
		path, err := filepath.Rel(dir, m[1])
		if err != nil {
			t.Fatal(err)
		}
		got[path] = true
	}
	for _, path := range slices.Sorted(maps.Keys(refused)) {
		if !got[path] {
			t.Errorf("%s: the linter lets a forbidden import pass", path)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(got)) {
		if !refused[path] {
			t.Errorf("%s: the linter refuses an import that is allowed", path)
		}
	}
	if t.Failed() {
		t.Logf("%d imports planted, the linter said: %.2000s", plants, out)
	}
}
