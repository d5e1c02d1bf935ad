package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/testenv"
)

// server is a running stepsies serve.
type server struct {
	*process
	in  *installation
	url string
}

// process is a program that goes on until it is ended. What it writes goes to
// files, which are searched for secrets when the test ends.
type process struct {
	cmd    *exec.Cmd
	stdout string // path of a file
	stderr string
	exited chan struct{} // closed when cmd has been waited for
}

// start starts a prepared command that the test's end kills, if nobody has.
func (in *installation) start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	dir := t.TempDir()
	p := &process{cmd: cmd, stdout: filepath.Join(dir, "stdout"), stderr: filepath.Join(dir, "stderr"), exited: make(chan struct{})}
	stdout, err := os.Create(p.stdout)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stdout.Close() }()
	stderr, err := os.Create(p.stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stderr.Close() }()
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait() // how it ended stands in ProcessState
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.kill()
		in.holdsNoSecret(t, p.log(t))
	})
	return p
}

// log is what the process has written to standard error by now.
func (p *process) log(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile(p.stderr)
	if err != nil {
		t.Error(err)
	}
	return text
}

// output is what it has written to standard output.
func (p *process) output(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(p.stdout)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // fails where it has ended
	<-p.exited
}

func (p *process) ended() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// await waits for the process to end by itself and returns its exit code.
func (p *process) await(t *testing.T) int {
	t.Helper()
	select {
	case <-p.exited:
	case <-time.After(commandTimeout):
		t.Fatalf("the process did not end within a minute: %s", p.log(t))
	}
	return p.cmd.ProcessState.ExitCode()
}

// stop ends the process as a service manager does, and expects exit code 0.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.await(t); code != 0 {
		t.Errorf("after SIGTERM: exit code %d: %s", code, p.log(t))
	}
}

// serve starts a server on a free port of this machine.
func (in *installation) serve(t *testing.T, args ...string) *server {
	t.Helper()
	s := in.startServing(t, in.command(t.Context(), in.serveArgs(args...)...))
	s.awaitReady(t)
	return s
}

// publicURL stays the same over all lives of a server, whose port does not.
const publicURL = "https://stepsies.test"

func (in *installation) serveArgs(args ...string) []string {
	return append(append([]string{"serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--public-url", publicURL}, args...), in.flags()...)
}

func (in *installation) startServing(t *testing.T, cmd *exec.Cmd) *server {
	t.Helper()
	return &server{process: in.start(t, cmd), in: in}
}

// awaitReady waits until the server says that it is ready.
func (s *server) awaitReady(t *testing.T) {
	t.Helper()
	eventually(t, "the server is ready", func() bool {
		if s.ended() {
			t.Fatalf("the server ended: %s", s.log(t))
		}
		if s.url == "" && !s.findAddress(t) {
			return false
		}
		resp, err := http.Get(s.url + "/readyz")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// findAddress reads from the log which port the system chose.
func (s *server) findAddress(t *testing.T) bool {
	t.Helper()
	for line := range bytes.Lines(s.log(t)) {
		var entry struct{ Msg, Listen string }
		if json.Unmarshal(line, &entry) == nil && entry.Msg == "serving" {
			s.url = "http://" + entry.Listen
			return true
		}
	}
	return false
}

// as returns a client with connections of its own.
func (s *server) as(t *testing.T, key string) *testenv.Caller {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	t.Cleanup(transport.CloseIdleConnections)
	return &testenv.Caller{URL: s.url, Key: key, HTTP: &http.Client{Transport: transport, Timeout: commandTimeout}}
}
