package testenv

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

func TestRedisEndsAndComesBackEmpty(t *testing.T) {
	needAll(t, "redis-server")
	a, b := StartRedis(t), StartRedis(t)
	if a.Addr() == b.Addr() {
		t.Fatal("two servers share an address")
	}
	for _, s := range []*RedisServer{a, b} {
		if got := tell(t, s.Addr(), "SET k v"); got != "+OK" {
			t.Fatalf("SET: %s", got)
		}
	}
	for _, end := range []func() error{a.Kill, a.Stop} {
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if conn, err := net.Dial("tcp", a.Addr()); err == nil {
			conn.Close()
			t.Error("an ended server takes connections")
		}
		if err := a.Start(); err != nil {
			t.Fatal(err)
		}
		if got := tell(t, a.Addr(), "EXISTS k"); got != ":0" {
			t.Errorf("EXISTS after a restart: %s", got)
		}
	}
	if err := a.Restart(); err != nil {
		t.Error(err)
	}
	if got := tell(t, b.Addr(), "EXISTS k"); got != ":1" {
		t.Errorf("EXISTS in the other server: %s", got)
	}
	if want := "redis://" + a.Addr() + "/0"; a.URL() != want {
		t.Errorf("URL is %s, want %s", a.URL(), want)
	}
}

func TestPausedRedisIsSilentUntilResumed(t *testing.T) {
	needAll(t, "redis-server")
	s := StartRedis(t)
	if err := s.Pause(); err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "PING\r\n"); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a paused server answered: %v", err)
	}
	if err := s.Resume(); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(startWithin))
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Errorf("after it was resumed: %v", err)
	}
}

func tell(t *testing.T, addr, command string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(startWithin))
	if _, err := io.WriteString(conn, command+"\r\n"); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}
