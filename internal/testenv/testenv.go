// Package testenv starts the real services that tests run against: PostgreSQL,
// Redis, PgBouncer and Chromium, on free loopback ports and in temporary folders.
// Its Caller is what tests of the whole program call an API with. Only _test.go files
// import it.
//
// Nothing that it starts outlives the test process, however that ends: see
// supervisor. A system-wide cluster of the machine is never touched.
package testenv

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// packages names the Debian packages that provide what tests need, by the name
// that Need takes. What is not listed here is a package of its own name.
var packages = map[string]string{
	"postgres": "postgresql",
	"node":     "nodejs",
	"gcc":      "gcc libc6-dev",
	"apache2":  "apache2-bin",
	"xmllint":  "libxml2-utils",
}

// missingError says that a program that tests need is not installed.
type missingError struct{ program string }

func (e *missingError) Error() string {
	name, ok := packages[e.program]
	if !ok {
		name = e.program
	}
	return fmt.Sprintf("%s is not installed; get it by: apt-get install -y %s", e.program, name)
}

// Need returns the path of a program that a test runs, such as "ruby", "node" or
// "strace". "python3-requests" stands for a Python interpreter that can import
// the module requests. Where the program is missing the test fails with the
// command that installs it, or is skipped under -short.
func Need(tb testing.TB, program string) string {
	tb.Helper()
	path, err := find(program)
	check(tb, err)
	return path
}

// Chromium returns the path of a Chromium or Chrome browser, with the same rules
// as Need.
func Chromium(tb testing.TB) string {
	tb.Helper()
	path, err := find("chromium")
	check(tb, err)
	return path
}

// check ends the test on an error: under -short a missing program skips it,
// anything else is a failure.
func check(tb testing.TB, err error) {
	tb.Helper()
	if err == nil {
		return
	}
	var missing *missingError
	if errors.As(err, &missing) && testing.Short() {
		tb.Skipf("%v (left out, since -short is set)", err)
	}
	tb.Fatalf("testenv: %v", err)
}

// find returns the path of a program by the name that Need takes.
func find(program string) (string, error) {
	switch program {
	case "chromium":
		return firstOf(program, "chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome-headless-shell")
	case "postgres":
		dir, err := postgresPrograms()
		return filepath.Join(dir, "postgres"), err
	case "pgbouncer", "redis-server", "nginx", "haproxy", "apache2":
		// Debian keeps daemons where a plain user's PATH does not look.
		return firstOf(program, program, "/usr/sbin/"+program)
	case "python3-requests":
		for _, python := range []string{"python3", "/usr/bin/python3"} {
			if exec.Command(python, "-c", "import requests").Run() == nil {
				return exec.LookPath(python)
			}
		}
		return "", &missingError{program}
	}
	return firstOf(program, program)
}

// firstOf returns the path of the first of several spellings that is installed.
func firstOf(program string, spellings ...string) (string, error) {
	for _, s := range spellings {
		if path, err := exec.LookPath(s); err == nil {
			return path, nil
		}
	}
	return "", &missingError{program}
}

// postgresPrograms returns the folder that holds initdb and postgres: that of the
// highest version Debian has installed, or else the one on the PATH.
func postgresPrograms() (string, error) {
	best, bestVersion := "", -1
	matches, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", err
	}
	for _, path := range matches {
		var version int
		if _, err := fmt.Sscanf(path, "/usr/lib/postgresql/%d/bin/postgres", &version); err == nil && version > bestVersion {
			best, bestVersion = filepath.Dir(path), version
		}
	}
	if best != "" {
		return best, nil
	}
	path, err := exec.LookPath("postgres")
	if err != nil {
		return "", &missingError{"postgres"}
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", err
	}
	dir := filepath.Dir(path)
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return "", &missingError{"postgres"}
	}
	return dir, nil
}
