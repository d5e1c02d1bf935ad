package nodes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/testenv"
)

// patience is how long anything may take that has to come about. It is far beyond
// what is needed, on a machine that does much else.
const patience = 60 * time.Second

// cluster is any number of nodes on the same data.
type cluster struct {
	database string // URL of PostgreSQL; "" is SQLite in dir, for one node
	redis    string // URL; "" counts in memory
	dir      string
	args     []string // further arguments of serve
	nodes    []*node
	root     *testenv.Caller // with scope admin, through the first node
	outages  bool            // errors in the log are to be expected
}

// node is one stepsies serve, which can be ended and started over and over on one
// port. It is not safe for concurrent use.
type node struct {
	cluster *cluster
	addr    string
	log     string // path; all runs append to it
	cmd     *exec.Cmd
	exited  chan struct{} // closed when cmd has been waited for
}

// newCluster starts n nodes at once on a database, empty as a rule, and makes an
// admin.
func newCluster(t *testing.T, n int, database, redis string, args ...string) *cluster {
	t.Helper()
	c := &cluster{database: database, redis: redis, dir: t.TempDir(), args: args}
	for i := range n {
		c.nodes = append(c.nodes, &node{cluster: c, addr: freeAddress(t), log: filepath.Join(c.dir, fmt.Sprintf("node%d.log", i))})
	}
	t.Cleanup(func() {
		for _, n := range c.nodes {
			n.kill()
			c.judgeLog(t, n.log)
		}
	})
	if err := each(c.nodes, (*node).start); err != nil {
		t.Fatal(err)
	}
	c.run(t, "user", "create", "root", "--admin", "--email", "root@example.com", "--plan", "enterprise")
	key := strings.TrimSpace(c.run(t, "key", "create", "--user", "root", "--name", "root", "--scope", "admin"))
	c.root = c.nodes[0].as(key)
	return c
}

// each does something with all nodes at once.
func each(nodes []*node, do func(*node) error) error {
	errs := make([]error, len(nodes))
	var wait sync.WaitGroup
	for i, n := range nodes {
		wait.Go(func() { errs[i] = do(n) })
	}
	wait.Wait()
	return errors.Join(errs...)
}

// freeAddress returns a loopback address that nothing listens on, below the ports
// that outgoing connections get.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 200 {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(12000+rand.IntN(20000)))
		l, err := net.Listen("tcp", addr)
		if err == nil {
			_ = l.Close()
			return addr
		}
	}
	t.Fatal("there is no free port")
	return ""
}

// command prepares the program on the cluster's data. It dies with the test
// process.
func (c *cluster) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = c.dir
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, "STEPSIES_") && !strings.HasPrefix(name, "PG") {
			cmd.Env = append(cmd.Env, pair)
		}
	}
	// Not as flags: every user of a machine can read those.
	if c.database != "" {
		cmd.Env = append(cmd.Env, "STEPSIES_DATABASE="+c.database)
	}
	if c.redis != "" {
		cmd.Env = append(cmd.Env, "STEPSIES_REDIS="+c.redis)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd
}

// run runs a command that has to succeed and returns its standard output.
func (c *cluster) run(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := c.command(ctx, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("stepsies %s: %v: %s", strings.Join(args[:2], " "), err, stderr.String())
	}
	return stdout.String()
}

func (n *node) url() string { return "http://" + n.addr }

// start starts the node and returns once it is ready.
func (n *node) start() error {
	if err := n.launch(); err != nil {
		return err
	}
	return n.awaitReady()
}

// launch starts the node and does not wait for it.
func (n *node) launch() error {
	log, err := os.OpenFile(n.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := n.cluster.command(context.Background(), append([]string{"serve", "--listen", n.addr, "--log-format", "json"}, n.cluster.args...)...)
	cmd.Stdout, cmd.Stderr = nil, log
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended stands in ProcessState
		close(exited)
	}()
	n.cmd, n.exited = cmd, exited
	return nil
}

func (n *node) awaitReady() error {
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		select {
		case <-n.exited:
			return fmt.Errorf("the node ended while it was starting: %s", n.logTail())
		default:
		}
		if status, _ := n.ready(); status == http.StatusOK {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the node is not ready after %v: %s", patience, n.logTail())
		}
	}
}

// ready asks /readyz; the status is 0 where nobody answers.
func (n *node) ready() (status int, text string) {
	a, err := (&testenv.Caller{URL: n.url(), HTTP: brief}).Send("GET", "/readyz", nil)
	if err != nil {
		return 0, ""
	}
	return a.Status, strings.TrimSpace(string(a.Body))
}

// brief is for single questions over connections of their own.
var brief = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}

// kill is kill -9. It does nothing where nothing runs.
func (n *node) kill() {
	if n.cmd == nil {
		return
	}
	_ = n.cmd.Process.Kill() // fails where it has ended
	<-n.exited
}

// stop ends the node as a service manager does, and expects exit code 0.
func (n *node) stop() error {
	if err := n.signalEnd(); err != nil {
		return err
	}
	return n.awaitEnd()
}

func (n *node) signalEnd() error { return n.cmd.Process.Signal(syscall.SIGTERM) }

func (n *node) awaitEnd() error {
	select {
	case <-n.exited:
	case <-time.After(patience):
		return fmt.Errorf("the node did not end within %v of SIGTERM: %s", patience, n.logTail())
	}
	if code := n.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("exit code %d after SIGTERM: %s", code, n.logTail())
	}
	return nil
}

func (n *node) pause() error  { return n.cmd.Process.Signal(syscall.SIGSTOP) }
func (n *node) resume() error { return n.cmd.Process.Signal(syscall.SIGCONT) }

func (n *node) logTail() string {
	text, err := os.ReadFile(n.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}

var keyPattern = regexp.MustCompile(`sk_[0-9a-f]{48}`)

// judgeLog fails the test where a log holds a panic, a race, a secret or, without
// an outage to explain it, an error. That a node which ends is not ready is none.
func (c *cluster) judgeLog(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
		return
	}
	if keyPattern.Match(text) {
		t.Error("a log holds an API key")
	}
	if u, err := url.Parse(c.database); err == nil && u.User != nil {
		if password, _ := u.User.Password(); password != "" && bytes.Contains(text, []byte(password)) {
			t.Error("a log holds the password of the database")
		}
	}
	for line := range bytes.Lines(text) {
		if bytes.Contains(line, []byte("panic")) || bytes.Contains(line, []byte("DATA RACE")) ||
			!c.outages && bytes.Contains(line, []byte(`"level":"ERROR"`)) && !bytes.Contains(line, []byte(`"/readyz"`)) {
			t.Errorf("in the log of a node: %.3000s", line)
			return
		}
	}
}

// eventually polls until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("this did not come about within %v: %s", patience, what)
		}
	}
}
