package e2e

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFolderHasOneOwnerWhateverIsRemovedFromIt: the lock is on the folder, so a file in
// it that is gone lets no second server in, by no name of the folder.
func TestFolderHasOneOwnerWhateverIsRemovedFromIt(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for two times five seconds")
	}
	in := sqliteInstallation(t)
	s := in.serve(t)
	key := in.makeAdmin(t)
	if err := os.Remove(filepath.Join(in.dir, "lock")); err != nil {
		t.Fatal(err)
	}
	in.run(t, "serve", "--listen", "127.0.0.1:0").failure(t, 1, "owned by another process")
	linked := *in
	linked.dir = filepath.Join(in.work, "linked")
	if err := os.Symlink(in.dir, linked.dir); err != nil {
		t.Fatal(err)
	}
	linked.run(t, "serve", "--listen", "127.0.0.1:0").failure(t, 1, "owned by another process")
	linked.must(t, "key", "revoke", "1") // reaches the server, since it is dead at once:
	if got := s.as(t, key).Status(t, "/v1/me"); got != http.StatusUnauthorized {
		t.Errorf("status %d after a revocation beside the server", got)
	}
	s.stop(t)
	in.serve(t).stop(t)
}

// TestProgramsOfBeforeAreKeptOut: they lock a file in the folder and know of no other
// lock, so a server holds both.
func TestProgramsOfBeforeAreKeptOut(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	s := in.serve(t)
	for _, name := range []string{".", "lock"} {
		f, err := os.Open(filepath.Join(in.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != syscall.EWOULDBLOCK {
			t.Errorf("%s can be locked beside a server: %v", name, err)
		}
		_ = f.Close()
	}
	s.stop(t)
}

// TestServerEndsWhenItsFolderIsMoved: what is at its path then is not what it serves.
func TestServerEndsWhenItsFolderIsMoved(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	s := in.serve(t)
	key := in.makeAdmin(t)
	away := filepath.Join(in.work, "elsewhere")
	if err := os.Rename(in.dir, away); err != nil {
		t.Fatal(err)
	}
	second := in.serve(t) // a new installation, in a new folder
	other := in.makeAdmin(t)
	if code := s.await(t); code != 1 {
		t.Errorf("the first server ended with exit code %d", code)
	}
	if log := string(s.log(t)); !strings.Contains(log, "was moved, removed or replaced") {
		t.Errorf("the log does not say why: %s", log)
	}
	if got := second.as(t, key).Status(t, "/v1/me"); got != http.StatusUnauthorized {
		t.Errorf("a key of the moved folder is answered %d by the new one", got)
	}
	second.stop(t)
	again := in.serve(t)
	if got := again.as(t, other).Status(t, "/v1/me"); got != http.StatusOK {
		t.Errorf("the end of the first server harmed the second: status %d", got)
	}
	again.stop(t)
	in.dir = away
	back := in.serve(t)
	if got := back.as(t, key).Status(t, "/v1/me"); got != http.StatusOK {
		t.Errorf("what was written before the move is lost: status %d", got)
	}
	back.stop(t)
}

// TestServerEndsWhenItsDatabaseIsReplaced, or removed, and says no write is done that
// went to a file nobody finds any more.
func TestServerEndsWhenItsDatabaseIsReplaced(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(path string) error{
		"removed": os.Remove,
		"replaced": func(path string) error {
			err := copyFile(path, path+".copy")
			if err != nil {
				return err
			}
			return os.Rename(path+".copy", path)
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := sqliteInstallation(t)
			s := in.serve(t)
			admin := s.as(t, in.makeAdmin(t))
			if err := harm(filepath.Join(in.dir, "stepsies.db")); err != nil {
				t.Fatal(err)
			}
			for !s.ended() {
				a, err := admin.Send(http.MethodPost, "/v1/stepsies", map[string]any{"title": "Lost"})
				if err == nil && a.Status < 500 {
					t.Errorf("a write is answered with %d", a.Status)
					break
				}
			}
			if code := s.await(t); code != 1 {
				t.Errorf("exit code %d", code)
			}
			if log := string(s.log(t)); !strings.Contains(log, "was moved, removed or replaced") {
				t.Errorf("the log does not say why: %s", log)
			}
		})
	}
}

// TestDatabaseUnderTwoNamesIsRefused: through the other one a second process could
// own it.
func TestDatabaseUnderTwoNamesIsRefused(t *testing.T) {
	t.Parallel()
	for words, link := range map[string]func(old, new string) error{"hard link": os.Link, "no plain file": os.Symlink} {
		in := sqliteInstallation(t)
		in.makeUser(t, "ada")
		other := sqliteInstallation(t)
		if err := os.Mkdir(other.dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := link(filepath.Join(in.dir, "stepsies.db"), filepath.Join(other.dir, "stepsies.db")); err != nil {
			t.Fatal(err)
		}
		other.run(t, "serve", "--listen", "127.0.0.1:0").failure(t, 1, words)
	}
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}
