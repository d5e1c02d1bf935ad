// Bundle makes scripts, such as those of the editor, out of their sources and of the
// npm packages that a lock file names. `make generate` runs it; the result is committed, so that
// nobody needs Node or npm to build or run the program.
//
// Each script begins with a line that holds the hash of everything that it was made of
// and the hash of itself. Where npm is not installed, or cannot fetch, those hashes are
// checked instead of making the scripts again.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"
)

// fetchTimeout bounds npm.
const fetchTimeout = 5 * time.Minute

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: bundle SOURCES ASSETS NAME=FOLDER…")
		os.Exit(2)
	}
	scripts, err := parseScripts(os.Args[3:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "bundle:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := (bundle{os.Args[1], os.Args[2], scripts}).run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bundle:", err)
		stop()
		os.Exit(1)
	}
}

// run makes the scripts, or sees that they are as they would be made.
func (b bundle) run(ctx context.Context) error {
	inputs, err := b.hashInputs()
	if err != nil {
		return err
	}
	if err := fetch(ctx, b.sources); err != nil {
		if stale := b.upToDate(inputs); stale != nil {
			return fmt.Errorf("%w, and the scripts have to be made again, since %w", err, stale)
		}
		fmt.Fprintf(os.Stderr, "bundle: %v; the scripts are up to date and stay as they are\n", err)
		return nil
	}
	return b.build(inputs)
}

// fetch brings node_modules to what the lock file says.
func fetch(ctx context.Context, sources string) error {
	lock, err := os.ReadFile(filepath.Join(sources, "package-lock.json"))
	if err != nil {
		return err
	}
	mark := filepath.Join(sources, "node_modules", ".lock-sum")
	sum := []byte(sumOf(lock) + "\n")
	if have, err := os.ReadFile(mark); err == nil && bytes.Equal(have, sum) {
		return nil
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return errors.New("npm is not installed (Debian: apt-get install npm)")
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, npm, "ci", "--no-progress")
	cmd.Dir = sources
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci failed (%w): %s", err, lastLine(out))
	}
	return os.WriteFile(mark, sum, 0o644)
}

// lastLine is the end of what a program said.
func lastLine(out []byte) []byte {
	out = bytes.TrimSpace(out)
	return out[bytes.LastIndexByte(out, '\n')+1:]
}
