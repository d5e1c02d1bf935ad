package e2e

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// desk is where somebody works with the command line as a client: a home folder
// and an environment of their own, and no installation.
type desk struct {
	*installation
	home string
}

// newDesk returns a desk whose environment holds these variables as well.
func newDesk(t *testing.T, env ...string) *desk {
	t.Helper()
	home := t.TempDir()
	work := filepath.Join(home, "work")
	if err := os.Mkdir(work, 0o755); err != nil {
		t.Fatal(err)
	}
	env = append([]string{"HOME=" + home, "XDG_CONFIG_HOME=" + filepath.Join(home, "config"), "NO_COLOR="}, env...)
	return &desk{&installation{work: work, env: env}, home}
}

// keyed is a desk whose environment names a server and a key.
func keyed(t *testing.T, address, key string) *desk {
	t.Helper()
	return newDesk(t, "STEPSIES_URL="+address, "STEPSIES_API_KEY="+key)
}

// do runs a command to its end. Nothing it prints may hold a key.
func (d *desk) do(t *testing.T, args ...string) result {
	t.Helper()
	return d.doWith(t, "", args...)
}

func (d *desk) doWith(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	r := d.runWith(t, strings.NewReader(stdin), args...)
	d.holdsNoSecret(t, []byte(r.stdout))
	return r
}

// done runs a command that has to succeed and returns what it prints.
func (d *desk) done(t *testing.T, args ...string) string {
	t.Helper()
	r := d.do(t, args...)
	if r.code != 0 {
		t.Fatalf("stepsies %s: exit code %d: %s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

func (d *desk) path(name string) string { return filepath.Join(d.work, filepath.FromSlash(name)) }

func (d *desk) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(d.path(name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.path(name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (d *desk) read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(d.path(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// screen is a command on a terminal.
type screen struct {
	pty  *os.File
	cmd  *exec.Cmd
	text chan []byte // what the command has written, part by part; closed at its end
	seen string
}

// onTerminal starts a command on a terminal of its own.
func (d *desk) onTerminal(t *testing.T, args ...string) *screen {
	t.Helper()
	cmd := d.command(t.Context(), args...)
	return startOnTerminal(t, cmd)
}

func startOnTerminal(t *testing.T, cmd *exec.Cmd) *screen {
	t.Helper()
	pty, tty := openTerminal(t)
	if err := unix.IoctlSetWinsize(int(pty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 100}); err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(cmd.Env, "TERM=xterm-256color")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = tty.Close() // so that reading ends when the command does
	s := &screen{pty: pty, cmd: cmd, text: make(chan []byte, 64)}
	go func() {
		defer close(s.text)
		for {
			part := make([]byte, 4096)
			n, err := pty.Read(part) // fails with EIO once nobody has the terminal open
			if n > 0 {
				s.text <- part[:n]
			}
			if err != nil {
				return
			}
		}
	}()
	return s
}

// waitFor reads until the words stand on the screen.
func (s *screen) waitFor(t *testing.T, words string) {
	t.Helper()
	limit := time.After(commandTimeout)
	for !strings.Contains(s.seen, words) {
		select {
		case part, open := <-s.text:
			if !open {
				t.Fatalf("the screen does not say %q: %q", words, s.seen)
			}
			s.seen += string(part)
		case <-limit:
			t.Fatalf("the screen does not say %q within a minute: %q", words, s.seen)
		}
	}
}

// waitHidden waits until the terminal no longer shows what is typed.
func (s *screen) waitHidden(t *testing.T) {
	t.Helper()
	eventually(t, "the terminal hides what is typed", func() bool {
		mode, err := unix.IoctlGetTermios(int(s.pty.Fd()), unix.TCGETS)
		return err == nil && mode.Lflag&unix.ECHO == 0
	})
}

// typed types on the terminal.
func (s *screen) typed(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(s.pty, text); err != nil {
		t.Fatal(err)
	}
}

// end waits for the command to end and returns its exit code and all that stood on
// the screen.
func (s *screen) end(t *testing.T) (code int, text string) {
	t.Helper()
	limit := time.After(commandTimeout)
	for {
		select {
		case part, open := <-s.text:
			if open {
				s.seen += string(part)
				continue
			}
			_ = s.cmd.Wait() // how it ended stands in ProcessState
			if keyPattern.MatchString(s.seen) {
				t.Error("an API key stands on the screen")
			}
			return s.cmd.ProcessState.ExitCode(), s.seen
		case <-limit:
			_ = s.cmd.Process.Kill()
			t.Fatalf("the command did not end within a minute: %q", s.seen)
		}
	}
}
