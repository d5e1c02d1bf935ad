package testenv

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	startWithin = 60 * time.Second // for a machine that runs other suites at the same time
	stopWithin  = 30 * time.Second
	pollEvery   = 10 * time.Millisecond
)

// service is one program that can be started and ended over and over, on one port
// and in one folder. Its methods may be called from several goroutines.
type service struct {
	name   string   // of the program, for messages
	args   []string // the program and its arguments
	folder string
	port   int
	user   *syscall.Credential // nil: the same user as the test

	stopSignal syscall.Signal // ends it in order
	ready      func() error   // nil once it answers

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{} // closed once the process has been waited for
}

// start runs the program and returns once it answers.
func (s *service) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running() {
		return fmt.Errorf("start %s: it is running", s.name)
	}
	sup, err := theSupervisor()
	if err != nil {
		return err
	}
	// A file and not a pipe: go test waits for pipes that a child holds.
	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(s.args[0], s.args[1:]...)
	cmd.Dir = s.folder
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.user, Setpgid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", s.name, err)
	}
	if err := sup.started(cmd.Process.Pid, s.stopSignal); err != nil {
		return errors.Join(err, cmd.Process.Kill(), cmd.Wait())
	}
	exited := make(chan struct{})
	s.cmd, s.exited = cmd, exited
	go func() {
		cmd.Wait() // how it ended is known by who ended it, or stands in its log
		sup.ended(cmd.Process.Pid)
		close(exited)
	}()
	return s.awaitReady()
}

// awaitReady polls until the service answers, has ended or takes too long.
func (s *service) awaitReady() error {
	deadline := time.Now().Add(startWithin)
	for {
		err := s.ready()
		if err == nil {
			return nil
		}
		select {
		case <-s.exited:
			return fmt.Errorf("%s ended while it was starting: %s", s.name, s.logTail())
		case <-time.After(pollEvery):
		}
		if time.Now().After(deadline) {
			s.end(syscall.SIGKILL)
			return fmt.Errorf("%s did not answer within %v: %w: %s", s.name, startWithin, err, s.logTail())
		}
	}
}

// stop ends the program in order. It does nothing where none runs.
func (s *service) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end(s.stopSignal)
}

// kill ends the program and its children by SIGKILL: nothing of it can write any
// more once kill has returned.
func (s *service) kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.running() {
		return nil
	}
	// Stopped first, it has no more children while they are listed.
	if err := s.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return fmt.Errorf("stop %s: %w", s.name, err)
	}
	children := childrenOf(s.cmd.Process.Pid)
	if err := s.end(syscall.SIGKILL); err != nil {
		return err
	}
	for _, pid := range children {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	deadline := time.Now().Add(stopWithin)
	for slices.ContainsFunc(children, alive) {
		if time.Now().After(deadline) {
			return fmt.Errorf("kill %s: its children %v are still there", s.name, children)
		}
		time.Sleep(pollEvery)
	}
	return nil
}

// signal sends a signal to the program and its children.
func (s *service) signal(signal syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.running() {
		return fmt.Errorf("signal %s: it is not running", s.name)
	}
	if err := s.cmd.Process.Signal(signal); err != nil {
		return fmt.Errorf("signal %s: %w", s.name, err)
	}
	for _, pid := range childrenOf(s.cmd.Process.Pid) {
		syscall.Kill(pid, signal) // one that has just ended needs no signal
	}
	return nil
}

// end sends a signal that ends the program and waits for it; the caller holds mu.
func (s *service) end(signal syscall.Signal) error {
	if !s.running() {
		return nil
	}
	if err := s.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end %s: %w", s.name, err)
	}
	s.cmd.Process.Signal(syscall.SIGCONT) // a paused process takes no other signal
	select {
	case <-s.exited:
		return nil
	case <-time.After(stopWithin):
	}
	s.cmd.Process.Kill()
	<-s.exited
	return fmt.Errorf("%s did not end within %v and was killed: %s", s.name, stopWithin, s.logTail())
}

// running reports whether the process is there; the caller holds mu.
func (s *service) running() bool {
	if s.cmd == nil {
		return false
	}
	select {
	case <-s.exited:
		return false
	default:
		return true
	}
}

// pid returns the process id, 0 where none runs.
func (s *service) pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.running() {
		return 0
	}
	return s.cmd.Process.Pid
}

// remove ends the program at once and removes its folder.
func (s *service) remove() error { return errors.Join(s.kill(), os.RemoveAll(s.folder)) }

func (s *service) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

func (s *service) logFile() string { return filepath.Join(s.folder, "log") }

// logTail returns the last 2,000 bytes of what the program wrote.
func (s *service) logTail() string {
	text, err := os.ReadFile(s.logFile())
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(text[max(0, len(text)-2000):]))
}

// freePort returns a loopback port that nothing listens on. It lies below the
// ports that the system gives to outgoing connections, one of which could take it
// while a service is down.
func freePort() (int, error) {
	for range 200 {
		port := 12000 + rand.IntN(20000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("no free port between 12000 and 32000")
}

// unprivileged returns the user that a service runs as which refuses to run as
// root: nil where the test itself is not root.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, &missingError{"postgres"}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// writeFor writes a file that only the user of a service may read.
func writeFor(owner *syscall.Credential, path, text string) error {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	if owner == nil {
		return nil
	}
	return os.Chown(path, int(owner.Uid), int(owner.Gid))
}

// childrenOf lists the children of a process. Without /proc it knows none.
func childrenOf(parent int) []int {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	var children []int
	for _, path := range stats {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			continue
		}
		if _, ppid, err := procStat(pid); err == nil && ppid == parent {
			children = append(children, pid)
		}
	}
	return children
}

// alive reports whether a process is there and is more than a zombie.
func alive(pid int) bool {
	state, _, err := procStat(pid)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat("/proc/self/stat"); err != nil {
			return syscall.Kill(pid, 0) == nil // a system without /proc
		}
		return false
	}
	return err == nil && state != "Z" && state != "X"
}

// procStat reads the state and the parent of a process, as proc(5) lists them.
func procStat(pid int) (state string, parent int, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0, err
	}
	// The second field is the program's name in parentheses and may hold anything.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 2 {
		return "", 0, fmt.Errorf("read the state of process %d: %d fields", pid, len(fields))
	}
	parent, err = strconv.Atoi(fields[1])
	return fields[0], parent, err
}
