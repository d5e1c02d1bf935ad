package e2e

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stepsies/stepsies/internal/testenv"
)

// curlLine is the line that a reader copies into a shell: nothing stands after it.
var curlLine = regexp.MustCompile(`(?m)^curl http://([^ /]+)/v1/stepsies -H "Authorization: Bearer sk_[0-9a-f]{48}"$`)

// TestDemoShowsACallThatWorks runs the demo while its usual port is busy, pastes
// what it prints into a shell, and ends it.
func TestDemoShowsACallThatWorks(t *testing.T) {
	testenv.Need(t, "curl")
	busy, err := net.Listen("tcp", "127.0.0.1:8080")
	if err == nil { // else somebody else keeps it busy
		defer func() { _ = busy.Close() }()
	}
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			in := sqliteInstallation(t)
			tmp := filepath.Join(in.work, "tmp")
			if err := os.Mkdir(tmp, 0o700); err != nil {
				t.Fatal(err)
			}
			in.env = []string{"TMPDIR=" + tmp}
			demo := in.start(t, in.command(t.Context(), "demo"))
			var found []string
			eventually(t, "the demo prints a line to paste", func() bool {
				if demo.ended() {
					t.Fatalf("the demo ended: %s", demo.log(t))
				}
				found = curlLine.FindStringSubmatch(demo.output(t))
				return found != nil
			})
			if strings.HasSuffix(found[1], ":8080") {
				t.Errorf("the demo says that it listens on %s, which is not its own", found[1])
			}
			out, err := bash(t, found[0])
			if err != nil || !strings.HasPrefix(out, `{"data":[{`) {
				t.Errorf("the line prints %.100s: %v", out, err)
			}
			if err := demo.cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if code := demo.await(t); code != 0 {
				t.Errorf("exit code %d: %s", code, demo.log(t))
			}
			if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
			if left, err := os.ReadDir(in.work); err != nil || len(left) != 1 {
				t.Errorf("left in the current folder: %v, %v", left, err)
			}
		})
	}
}

// bash runs one line of a shell.
func bash(t *testing.T, line string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "bash", "-c", line).Output()
	return string(out), err
}
