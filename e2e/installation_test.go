package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/testenv"
)

// commandTimeout ends a command that hangs. It is far beyond what any of them
// needs, on a machine that does much else.
const commandTimeout = 60 * time.Second

// installation is one set of data, in SQLite or in PostgreSQL, and the way to run
// the program on it.
type installation struct {
	dir         string // the data folder
	databaseURL string // "" is SQLite in dir
	work        string // current folder of every process
	env         []string
	user        *syscall.Credential // nil: the tests' own
	secrets     []string            // that nothing may print
}

func sqliteInstallation(t *testing.T) *installation {
	t.Helper()
	work := t.TempDir()
	return &installation{dir: filepath.Join(work, "data"), work: work}
}

func postgresInstallation(t *testing.T, address string) *installation {
	t.Helper()
	in := sqliteInstallation(t)
	in.databaseURL = address
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	in.secrets = append(in.secrets, password)
	return in
}

// onEachEngine runs a test on SQLite and on PostgreSQL.
func onEachEngine(t *testing.T, test func(t *testing.T, in *installation)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, sqliteInstallation(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, postgresInstallation(t, testenv.Postgres(t))) })
}

// environ is the environment of a process: what the system needs and what the
// installation sets, nothing of the tester's own settings.
func (in *installation) environ() []string {
	var env []string
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, "STEPSIES_") && !strings.HasPrefix(name, "PG") {
			env = append(env, pair)
		}
	}
	if in.databaseURL != "" {
		// Not as a flag: every user of a machine can read those.
		env = append(env, "STEPSIES_DATABASE="+in.databaseURL)
	}
	return append(env, in.env...)
}

// flags name the installation's data on a command line.
func (in *installation) flags() []string {
	if in.databaseURL != "" {
		return nil
	}
	return []string{"--data", in.dir}
}

// command prepares the program with exactly these arguments. It dies with the
// test process.
func (in *installation) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = in.work, in.environ()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: in.user, Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd
}

// result is how a command ended.
type result struct {
	code           int
	stdout, stderr string
}

// run runs a command on the installation's data to its end, with nothing on
// standard input.
func (in *installation) run(t *testing.T, args ...string) result {
	t.Helper()
	return in.runWith(t, strings.NewReader(""), append(args, in.flags()...)...)
}

// runWith runs the program with exactly these arguments.
func (in *installation) runWith(t *testing.T, stdin io.Reader, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
	defer cancel()
	cmd := in.command(ctx, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok || ctx.Err() != nil {
		t.Errorf("stepsies %s: %v", strings.Join(args, " "), errors.Join(err, ctx.Err()))
	}
	in.holdsNoSecret(t, stderr.Bytes())
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// must runs a command that has to succeed and returns its standard output.
func (in *installation) must(t *testing.T, args ...string) string {
	t.Helper()
	r := in.run(t, args...)
	if r.code != 0 {
		t.Fatalf("stepsies %s: exit code %d: %s", strings.Join(args, " "), r.code, r.stderr)
	}
	return r.stdout
}

// keyPattern is what an API key looks like.
var keyPattern = regexp.MustCompile(`sk_[0-9a-f]{48}`)

// holdsNoSecret fails the test where a text that people or log collectors read
// holds an API key, a password or a report of the race detector.
func (in *installation) holdsNoSecret(t *testing.T, text []byte) {
	t.Helper()
	if at := keyPattern.FindIndex(text); at != nil {
		line := text[bytes.LastIndexByte(text[:at[0]], '\n')+1 : at[0]]
		t.Errorf("an API key was printed after: %s", line)
	}
	for _, secret := range in.secrets {
		if secret != "" && bytes.Contains(text, []byte(secret)) {
			t.Error("a password, or another thing that is nobody's business, was printed")
		}
	}
	if at := bytes.Index(text, []byte("WARNING: DATA RACE")); at >= 0 {
		t.Errorf("%.4000s", text[at:])
	}
}

// failure checks that a command failed with this exit code and one sentence on
// standard error that holds every one of these words.
func (r result) failure(t *testing.T, code int, words ...string) {
	t.Helper()
	text, oneLine := strings.CutSuffix(r.stderr, "\n")
	if r.code != code || r.stdout != "" || !oneLine || strings.Contains(text, "\n") || !strings.HasPrefix(text, "stepsies: ") {
		t.Errorf("exit code %d, standard output %q, standard error %q; want code %d and one sentence on standard error", r.code, r.stdout, r.stderr, code)
	}
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%q does not say %q", text, w)
		}
	}
}

// user makes a user of the plan without limits.
func (in *installation) makeUser(t *testing.T, name string, more ...string) {
	t.Helper()
	in.must(t, append([]string{"user", "create", name, "--email", name + "@example.com", "--plan", "enterprise"}, more...)...)
}

// makeKey makes a key and returns it.
func (in *installation) makeKey(t *testing.T, user string, scopes ...string) string {
	t.Helper()
	args := []string{"key", "create", "--user", user, "--name", "for tests " + rand.Text()}
	for _, s := range scopes {
		args = append(args, "--scope", s)
	}
	key := strings.TrimSuffix(in.must(t, args...), "\n")
	if keyPattern.FindString(key) != key {
		t.Fatalf("key create printed %d characters that are not a key", len(key))
	}
	return key
}

// makeAdmin makes a user with the role admin and a key of theirs with scope admin.
func (in *installation) makeAdmin(t *testing.T) string {
	t.Helper()
	if in.databaseURL != "" {
		in.must(t, "migrate")
	}
	in.makeUser(t, "root", "--admin")
	return in.makeKey(t, "root", "admin")
}

// lines splits what a command printed.
func lines(text string) []string {
	return slices.DeleteFunc(strings.Split(text, "\n"), func(l string) bool { return l == "" })
}

// eventually polls until a condition holds. It fails the test after a minute.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(commandTimeout); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("this did not come about within a minute: %s", what)
		}
	}
}
