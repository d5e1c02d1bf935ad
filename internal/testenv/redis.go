package testenv

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// RedisServer is a Redis server of its own, which keeps nothing on disk. It has 16
// databases and no password. Its methods may be called from any goroutine.
type RedisServer struct{ service }

// Redis starts an empty Redis server for one test and returns its address as
// host:port. It ends with the test.
func Redis(tb testing.TB) string {
	tb.Helper()
	return StartRedis(tb).Addr()
}

// StartRedis starts an empty Redis server for one test that stops, kills or pauses
// it. Further arguments are those of redis-server, such as "--cluster-enabled",
// "yes". It ends with the test.
func StartRedis(tb testing.TB, args ...string) *RedisServer {
	tb.Helper()
	s, err := newRedis(args...)
	check(tb, err)
	tb.Cleanup(func() {
		if err := s.remove(); err != nil {
			tb.Errorf("testenv: %v", err)
		}
	})
	return s
}

func newRedis(args ...string) (*RedisServer, error) {
	program, err := find("redis-server")
	if err != nil {
		return nil, err
	}
	sup, err := theSupervisor()
	if err != nil {
		return nil, err
	}
	folder, err := sup.makeFolder("redis", nil)
	if err != nil {
		return nil, err
	}
	s := &RedisServer{}
	s.service = service{name: "redis-server", folder: folder, stopSignal: syscall.SIGTERM, ready: s.answers}
	for range 3 {
		if s.port, err = freePort(); err != nil {
			break
		}
		s.args = append([]string{program, "--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--dir", folder,
			"--save", "", "--appendonly", "no", "--daemonize", "no"}, args...)
		if err = s.start(); err == nil {
			return s, nil
		}
	}
	return nil, errors.Join(err, os.RemoveAll(folder))
}

// Start starts the server after Stop or Kill, empty, and returns once it answers.
func (s *RedisServer) Start() error { return s.start() }

// Stop ends the server in order.
func (s *RedisServer) Stop() error { return s.stop() }

// Kill ends the server by SIGKILL.
func (s *RedisServer) Kill() error { return s.kill() }

// Restart is Stop and Start, on the same port. What it held is gone.
func (s *RedisServer) Restart() error { return errors.Join(s.Stop(), s.Start()) }

// Pause stops the process without ending it: connections stay open and nobody
// answers, until Resume.
func (s *RedisServer) Pause() error { return s.signal(syscall.SIGSTOP) }

// Resume ends a Pause.
func (s *RedisServer) Resume() error { return s.signal(syscall.SIGCONT) }

// Addr returns host:port, which is the same after a restart.
func (s *RedisServer) Addr() string { return s.addr() }

// URL returns the address as redis://host:port/0.
func (s *RedisServer) URL() string { return "redis://" + s.addr() + "/0" }

// PID returns the process id, 0 while the server is stopped.
func (s *RedisServer) PID() int { return s.pid() }

// answers reports whether this very process serves the port: without a password
// another server that took the port first would answer too.
func (s *RedisServer) answers() error {
	conn, err := net.DialTimeout("tcp", s.addr(), time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "INFO server\r\n"); err != nil {
		return err
	}
	r := bufio.NewReader(io.LimitReader(conn, 64<<10))
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return fmt.Errorf("ask Redis for its process id: %w", err)
		}
		if pid, ok := strings.CutPrefix(strings.TrimSpace(line), "process_id:"); ok {
			if pid != strconv.Itoa(s.cmd.Process.Pid) {
				return fmt.Errorf("port %d belongs to process %s", s.port, pid)
			}
			return nil
		}
	}
}
