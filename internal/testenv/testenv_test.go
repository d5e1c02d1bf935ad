package testenv

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// childVariable makes this test binary play a test process that ends badly.
const childVariable = "TESTENV_CHILD"

func TestMain(m *testing.M) {
	switch how := os.Getenv(childVariable); how {
	case "":
		os.Exit(m.Run())
	default:
		playChild(how)
	}
}

// playChild starts one of each service, says which processes it has and ends as asked.
func playChild(how string) {
	pg, err := newPostgres("fsync=off")
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	rd, err := newRedis()
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	target, err := url.Parse(pg.URL("postgres"))
	if err != nil {
		panic(err)
	}
	pb, err := newPgBouncer(target)
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	if how == "killed" {
		// A paused service must not survive either.
		if err := rd.Pause(); err != nil {
			panic(err)
		}
	}
	fmt.Println(pg.PID(), rd.PID(), pb.pid(), filepath.Dir(pg.folder))
	if how == "panics" {
		panic("on purpose")
	}
	io.Copy(io.Discard, os.Stdin) // until killed
}

// needAll makes this package's tests follow the rule for missing services.
func needAll(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		Need(t, p)
	}
}

func TestNothingOutlivesATestProcess(t *testing.T) {
	needAll(t, "postgres", "redis-server", "pgbouncer")
	for _, how := range []string{"panics", "killed"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childVariable+"="+how)
			stdin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			defer stdin.Close()
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(stdout).ReadString('\n')
			if how == "killed" {
				if err := cmd.Process.Kill(); err != nil {
					t.Error(err)
				}
			}
			if cmd.Wait() == nil {
				t.Error("the process ended well")
			}
			if err != nil {
				t.Fatalf("read %q: %v", line, err)
			}
			fields := strings.Fields(line)
			if len(fields) != 4 {
				t.Fatalf("the process said %q", line)
			}
			for _, f := range fields[:3] {
				pid, err := strconv.Atoi(f)
				if err != nil || pid <= 1 {
					t.Fatalf("the process said %q", line)
				}
				eventually(t, "process "+f+" ends", func() bool { return !alive(pid) })
			}
			eventually(t, "the folder is removed", func() bool { return !exists(fields[3]) })
		})
	}
}

func TestNeedSaysWhatToInstall(t *testing.T) {
	for program, want := range map[string]string{
		"ruby":             "ruby is not installed; get it by: apt-get install -y ruby",
		"node":             "node is not installed; get it by: apt-get install -y nodejs",
		"postgres":         "postgres is not installed; get it by: apt-get install -y postgresql",
		"python3-requests": "python3-requests is not installed; get it by: apt-get install -y python3-requests",
	} {
		if got := (&missingError{program}).Error(); got != want {
			t.Errorf("%s: %q, want %q", program, got, want)
		}
	}
	if _, err := find("no-such-program"); err == nil {
		t.Error("a program that does not exist was found")
	}
	if path := Need(t, "sh"); !filepath.IsAbs(path) {
		t.Errorf("sh is at %q", path)
	}
	if path := Chromium(t); !filepath.IsAbs(path) {
		t.Errorf("Chromium is at %q", path)
	}
}

// eventually polls until something has become true.
func eventually(t *testing.T, what string, true func() bool) {
	t.Helper()
	for deadline := time.Now().Add(stopWithin); !true(); time.Sleep(pollEvery) {
		if time.Now().After(deadline) {
			t.Fatalf("it did not happen within %v that %s", stopWithin, what)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// ask returns the one text that a query answers.
// tell sends one inline command to Redis and returns the first line of its answer.
