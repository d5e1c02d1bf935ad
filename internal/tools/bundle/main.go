// Bundle makes the scripts of the editor out of their sources and of the npm packages
// that the lock file names. `make generate` runs it; the result is committed, so that
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
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: bundle SOURCES ASSETS")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "bundle:", err)
		stop()
		os.Exit(1)
	}
}

// run makes the scripts of a folder of sources in a folder of assets.
func run(ctx context.Context, sources, assets string) error {
	inputs, err := hashInputs(sources)
	if err != nil {
		return err
	}
	if err := fetch(ctx, sources); err != nil {
		if stale := upToDate(assets, inputs); stale != nil {
			return fmt.Errorf("%w, and the editor has to be made again, since %w", err, stale)
		}
		fmt.Fprintf(os.Stderr, "bundle: %v; the editor is up to date and stays as it is\n", err)
		return nil
	}
	return build(sources, assets, inputs)
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
