package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestServerIsReadySoonAndSmallWhenIdle logs how long a few starts take,
// and how much memory an idle server holds.
func TestServerIsReadySoonAndSmallWhenIdle(t *testing.T) {
	in := sqliteInstallation(t)
	key := in.makeAdmin(t)
	var s *server
	for i := range 5 {
		before := time.Now()
		s = in.startServing(t, in.command(t.Context(), in.serveArgs()...))
		s.awaitReady(t)
		t.Logf("start %d: ready after %v, with its log polled every 10ms", i+1, time.Since(before).Round(time.Millisecond))
		if i < 4 {
			s.stop(t)
		}
	}
	c := s.as(t, key)
	for range 200 {
		if got := c.Status(t, "/v1/stepsies"); got != http.StatusOK {
			t.Fatalf("status %d", got)
		}
	}
	c.HTTP.CloseIdleConnections()
	rss := residentBytes(t, s.cmd.Process.Pid)
	t.Logf("resident when idle: %.1f MB", float64(rss)/1e6)
	if !withRace && rss > 64e6 {
		t.Errorf("an idle server holds %d bytes, more than 64 MB", rss)
	}
}

// residentBytes reads what a process holds in memory (proc(5), statm).
func residentBytes(t *testing.T, pid int) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(text), &size, &resident); err != nil {
		t.Fatal(err)
	}
	return resident * int64(os.Getpagesize())
}

// TestEmptyInstallationSaysHowToMakeTheFirstAdmin and the command that it prints
// works as it stands, in the server's folder.
func TestEmptyInstallationSaysHowToMakeTheFirstAdmin(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	s := in.serve(t)
	printed := lines(s.output(t))
	if len(printed) != 1 {
		t.Fatalf("serve printed %q, want one line", printed)
	}
	_, command, found := strings.Cut(printed[0], ": stepsies ")
	if !found {
		t.Fatalf("%q has no command in it", printed[0])
	}
	args := strings.Fields(strings.NewReplacer("NAME", "ada", "YOU@EXAMPLE.COM", "ada@example.com").Replace(command))
	if r := in.runWith(t, strings.NewReader(""), args...); r.code != 0 {
		t.Fatalf("%v: %s", args, r.stderr)
	}
	if got := listed[listedUser](t, in, "user", "list"); len(got) != 1 || got[0].Role != "admin" {
		t.Errorf("after it: %+v", got)
	}
	s.stop(t)
	s = in.serve(t)
	if printed := s.output(t); printed != "" {
		t.Errorf("with an admin, serve printed %q", printed)
	}
	s.stop(t)
}

// TestRequestsFinishWhenTheServerIsToldToEnd: the body of a request is half sent
// when SIGTERM comes; the rest of it is read and answered, the write is there, and
// so is the use of the key that came just before.
func TestRequestsFinishWhenTheServerIsToldToEnd(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			onEachEngine(t, func(t *testing.T, in *installation) { endsInOrder(t, in, signal) })
		})
	}
}

func endsInOrder(t *testing.T, in *installation, signal syscall.Signal) {
	key := in.makeAdmin(t)
	s := in.serve(t)
	idle := s.as(t, key) // keeps a connection open, which must not hold up the end
	if got := idle.Status(t, "/v1/me"); got != http.StatusOK {
		t.Fatalf("status %d", got)
	}
	body := `{"title":"Begun before the end","steps":[{"title":"One"}]}`
	conn := s.dial(t)
	rest := body[10:]
	sendHalf(t, conn, key, body[:10], len(body))
	if err := s.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	eventually(t, "nobody new is let in", func() bool {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err == nil {
			_ = c.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
	if _, err := io.WriteString(conn, rest); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("the request that ran got no answer: %v", err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Errorf("status %d", resp.StatusCode)
	}
	if code := s.await(t); code != 0 {
		t.Errorf("exit code %d: %s", code, s.log(t))
	}
	k := listed[listedKey](t, in, "key", "list")[0]
	if k.LastUsedAt == nil {
		t.Error("the last use of the key was forgotten")
	}
	s = in.serve(t)
	var list struct{ Data []struct{ Title string } }
	s.as(t, key).Must(t, http.StatusOK, "GET", "/v1/stepsies", nil, &list)
	if len(list.Data) != 1 || list.Data[0].Title != "Begun before the end" {
		t.Errorf("stored: %+v", list.Data)
	}
	s.stop(t)
}

func (s *server) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// sendHalf sends the head of a POST and the first part of its body, and waits
// until the server reads that: it asks to go on by "100 Continue".
func sendHalf(t *testing.T, conn net.Conn, key, half string, length int) {
	t.Helper()
	if _, err := fmt.Fprintf(conn, "POST /v1/stepsies HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", key, length); err != nil {
		t.Fatal(err)
	}
	goOn := make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))
	if _, err := io.ReadFull(conn, goOn); err != nil || !bytes.HasPrefix(goOn, []byte("HTTP/1.1 100 ")) {
		t.Fatalf("the server answered %q: %v", goOn, err)
	}
	if _, err := io.WriteString(conn, half); err != nil {
		t.Fatal(err)
	}
}

// TestRequestThatNeverFinishesCannotHoldUpTheEnd for longer than the time it has.
func TestRequestThatNeverFinishesCannotHoldUpTheEnd(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for ten seconds")
	}
	in := sqliteInstallation(t)
	key := in.makeAdmin(t)
	s := in.serve(t)
	sendHalf(t, s.dial(t), key, `{"title":`, 100)
	s.stop(t)
	if !bytes.Contains(s.log(t), []byte("did not finish in time")) {
		t.Errorf("the log does not tell of it: %s", s.log(t))
	}
}

// TestReadinessIsTakenBackWhileDraining: /readyz says no before anything else
// changes, and requests are still answered.
func TestReadinessIsTakenBackWhileDraining(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	key := in.makeAdmin(t)
	s := in.serve(t, "--drain", "2s")
	c := s.as(t, key)
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, "/readyz says no", func() bool {
		a, err := c.Send("GET", "/readyz", nil)
		if err != nil {
			t.Fatalf("draining, the server accepts nothing: %v", err)
		}
		return a.Status == http.StatusServiceUnavailable
	})
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/v1/me": http.StatusOK} {
		if got := c.Status(t, path); got != want {
			t.Errorf("%s while draining: status %d, want %d", path, got, want)
		}
	}
	if code := s.await(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestLaterSignalEndsAtOnce for whoever does not want to wait.
func TestLaterSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	s := in.serve(t, "--drain", "10m")
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the server drains", func() bool {
		resp, err := http.Get(s.url + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusServiceUnavailable
	})
	eventually(t, "one more signal ends the server", func() bool {
		// Those that come within a second of the first are taken for the same one.
		_ = s.cmd.Process.Signal(syscall.SIGINT) // fails where the process has ended
		return s.ended()
	})
	if state := s.cmd.ProcessState; state.ExitCode() == 0 {
		t.Errorf("ended with %v, as if all had been finished", state)
	}
}
