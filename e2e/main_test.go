package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// testVersion is built into the program.
const testVersion = "v0.0.0-e2e"

// program is the path of the built program. Any user of the machine may run it.
var program string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "stepsies-e2e-")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		err = os.Chmod(dir, 0o711)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "make a folder for the program:", err)
		return 1
	}
	program = filepath.Join(dir, "stepsies")
	args := []string{"build", "-ldflags", "-X main.version=" + testVersion, "-o", program}
	if withRace {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "../cmd/stepsies")...)
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the program:", err)
		return 1
	}
	return m.Run()
}
