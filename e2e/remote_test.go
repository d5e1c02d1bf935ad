package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPushOnATerminalAsksAndShowsHowFarItIs, in colours unless told otherwise.
func TestPushOnATerminalAsksAndShowsHowFarItIs(t *testing.T) {
	t.Parallel()
	d, _, _, _ := author(t)
	d.writeGuides(t, "guides", 3)
	d.do(t, "push", "guides", "--json").failure(t, 2, "--yes", "--dry-run")

	stopped := d.onTerminal(t, "push", "guides")
	stopped.waitFor(t, "[y/N] ")
	stopped.typed(t, "\x03")
	if code, text := stopped.end(t); code != 1 || !strings.HasSuffix(text, "stepsies: interrupted\r\n") {
		t.Errorf("Ctrl-C: exit code %d: %q", code, text)
	}
	no := d.onTerminal(t, "push", "guides")
	no.waitFor(t, "[y/N] ")
	no.typed(t, "n\n")
	if code, text := no.end(t); code != 1 || !strings.Contains(text, "nothing was done") || len(d.stepsies(t)) != 0 {
		t.Errorf("no: exit code %d: %q", code, text)
	}
	yes := d.onTerminal(t, "push", "guides")
	yes.waitFor(t, "Push 3 changes to ")
	yes.waitFor(t, "[y/N] ")
	yes.typed(t, "y\n")
	code, text := yes.end(t)
	for _, part := range []string{"\x1b[32mcreate   \x1b[0m", "█", " 3/3 ", "Done: 3 created."} {
		if code != 0 || !strings.Contains(text, part) {
			t.Errorf("exit code %d, no %q: %q", code, part, text)
		}
	}
	if strings.Contains(text, "created guides/guide-0.md") {
		t.Errorf("a terminal with a bar needs no lines: %q", text)
	}
	if code, text := d.onTerminal(t, "list").end(t); code != 0 || !strings.Contains(text, "\x1b[1mID") || !strings.Contains(text, "\x1b[33mdraft") {
		t.Errorf("list: exit code %d: %q", code, text)
	}
	d.env = append(d.env, "NO_COLOR=1")
	if code, text := d.onTerminal(t, "list").end(t); code != 0 || strings.Contains(text, "\x1b") || !strings.Contains(text, "TITLE") {
		t.Errorf("list with NO_COLOR: exit code %d: %q", code, text)
	}
	if out := d.done(t, "list"); strings.Contains(out, "\x1b") || strings.Contains(out, "TITLE") || !strings.Contains(out, "\tguide-0\tdraft\tother\t2\t0\t") {
		t.Errorf("list elsewhere: %q", out)
	}
}

// TestOneStepsyAtATime: get, new, publish, unpublish, delete and open.
func TestOneStepsyAtATime(t *testing.T) {
	t.Parallel()
	d, in, s, _ := author(t)
	if out := d.done(t, "new", "Tie a Bowline", "--category", "education"); !strings.Contains(out, "stepsies push tie-a-bowline.md") {
		t.Errorf("new: %q", out)
	}
	begun := d.read(t, "tie-a-bowline.md")
	d.do(t, "new", "Tie a Bowline").failure(t, 1, "tie-a-bowline.md", "--file")
	d.do(t, "new", "X", "--category", "gardening").failure(t, 2, "business")
	d.do(t, "new", " ").failure(t, 2, "needs a title")
	d.do(t, "new", "X", "--file", "x.txt").failure(t, 2, "x.txt", ".md")
	d.done(t, "new", "X", "--file", "new/folder/x.md")
	d.read(t, "new/folder/x.md")
	if out := d.done(t, "new", "Tie a Bowline", "--file", "b.md", "--json"); !strings.Contains(out, `"file": "b.md"`) {
		t.Errorf("new --json: %q", out)
	}
	d.done(t, "push", "tie-a-bowline.md", "--yes")
	if got := d.done(t, "get", "tie-a-bowline"); got != begun {
		t.Errorf("get: %q, want %q", got, begun)
	}
	one := d.stepsies(t, "--status", "draft", "--category", "education", "-q", "bowline")
	if len(one) != 1 || one[0].StepsCount != 2 || len(d.stepsies(t, "--status", "published")) != 0 || len(d.stepsies(t, "--category", "other")) != 0 {
		t.Fatalf("list: %+v", one)
	}
	id := fmt.Sprint(one[0].ID)
	var whole struct{ Steps []struct{ Title string } }
	if err := json.Unmarshal([]byte(d.done(t, "get", id, "--json")), &whole); err != nil || len(whole.Steps) != 2 {
		t.Errorf("get --json: %+v, %v", whole, err)
	}
	if out := d.done(t, "publish", "tie-a-bowline"); !strings.Contains(out, publicURL+"/@ada/tie-a-bowline") {
		t.Errorf("publish: %q", out)
	}
	if out := d.done(t, "publish", id, "--json"); !strings.Contains(out, `"status": "published"`) {
		t.Errorf("publish --json: %q", out)
	}

	// open: a browser where there is a screen, the address elsewhere.
	bin := filepath.Join(d.home, "bin")
	d.write(t, "../bin/xdg-open", "#!/bin/sh\necho \"$1\" > "+filepath.Join(d.home, "opened")+"\n")
	if err := os.Chmod(filepath.Join(bin, "xdg-open"), 0o755); err != nil {
		t.Fatal(err)
	}
	d.env = append(d.env, "PATH="+bin+":"+os.Getenv("PATH"), "DISPLAY=")
	page, editor := publicURL+"/@ada/tie-a-bowline", publicURL+"/dashboard/stepsies/"+id
	if out := d.done(t, "open", "tie-a-bowline"); out != page+"\n" {
		t.Errorf("open: %q", out)
	}
	d.env = append(d.env, "DISPLAY=:0")
	if out := d.done(t, "open", "tie-a-bowline"); out != "Opened "+page+"\n" || d.read(t, "../opened") != page+"\n" {
		t.Errorf("open: %q", out)
	}
	if out := d.done(t, "open", id, "--edit", "--print"); out != editor+"\n" {
		t.Errorf("open --edit: %q", out)
	}
	if out := d.done(t, "open", id, "--json"); out != "{\n  \"url\": \""+page+"\"\n}\n" {
		t.Errorf("open --json: %q", out)
	}
	d.done(t, "unpublish", "tie-a-bowline")
	if out := d.done(t, "open", id, "--print"); out != editor+"\n" {
		t.Errorf("open a draft: %q", out)
	}
	if out := d.done(t, "open", "--print"); out != strings.TrimPrefix(d.env[3], "STEPSIES_URL=")+"/dashboard\n" {
		t.Errorf("open: %q", out)
	}

	d.do(t, "delete", "tie-a-bowline").failure(t, 2, "--yes")
	no := d.onTerminal(t, "delete", "tie-a-bowline")
	no.waitFor(t, `Delete "Tie a Bowline"`)
	no.typed(t, "\n")
	if code, _ := no.end(t); code != 1 || len(d.stepsies(t)) != 1 {
		t.Errorf("a delete that was not wanted: exit code %d", code)
	}
	d.done(t, "delete", "tie-a-bowline", "--yes")
	for _, args := range []string{"get", "publish", "unpublish", "delete --yes", "open"} {
		d.do(t, append(strings.Fields(args), "tie-a-bowline")...).failure(t, 1, "you have no stepsy tie-a-bowline")
		d.do(t, append(strings.Fields(args), "No Such")...).failure(t, 2, "neither an id nor a slug")
	}
	// A key that can only write does what needs no reading.
	writer := newDesk(t)
	writer.work = d.work
	writer.env = append(writer.env, "STEPSIES_URL="+s.url, "STEPSIES_API_KEY="+in.makeKey(t, "ada", "write"))
	writer.do(t, "list").failure(t, 1, "lacks the scope read")
	writer.do(t, "push", "b.md", "--yes").failure(t, 1, "lacks the scope read")
	reader := newDesk(t, "STEPSIES_URL="+s.url, "STEPSIES_API_KEY="+in.makeKey(t, "ada", "read"))
	reader.write(t, "b.md", d.read(t, "b.md"))
	if r := reader.do(t, "push", "b.md", "--yes"); r.code != 1 || !strings.Contains(r.stderr, "lacks the scope write;") || !strings.Contains(r.stderr, "0 of 1 done") {
		t.Errorf("push with a key that can only read: %+v", r)
	}
	if r := reader.do(t, "list", "-q", "nowhere"); r.code != 0 || r.stdout != "" || r.stderr != "None of your stepsies fits.\n" {
		t.Errorf("list of nothing: %+v", r)
	}
	reader.do(t, "pull", "folder", "--dry-run").failure(t, 1, "no folder folder yet", "without --dry-run")
	d.done(t, "push", "b.md", "--yes")
	id = fmt.Sprint(d.stepsies(t)[0].ID)
	writer.done(t, "publish", id)
	writer.done(t, "unpublish", id)
	writer.done(t, "delete", id, "--yes")
}

// TestWrongUsageOfTheClientIsExitCode2 and says what is right.
func TestWrongUsageOfTheClientIsExitCode2(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for args, words := range map[string]string{
		"list --limit 0":              "--limit",
		"list --limit 5 --all":        "--all",
		"list --sort views":           "newest",
		"list --status live":          "draft",
		"push":                        "path",
		"get":                         "stepsy",
		"list --database postgres://": "installation",
		"pusch":                       "push",
	} {
		d.do(t, strings.Fields(args)...).failure(t, 2, words)
	}
	d.do(t, "push", "nowhere").failure(t, 1, "nowhere")
	d.do(t, "push", "nowhere.md").failure(t, 1, "stepsies login")
}
