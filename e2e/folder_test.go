package e2e

import (
	"context"
	"crypto/rand"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// TestDataFolderBelongsToItsOwnerAlone: whoever can open the socket is the
// operator, and whoever can read the database has everyone's data.
func TestDataFolderBelongsToItsOwnerAlone(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	s := in.serve(t)
	in.makeUser(t, "ada")
	for name, want := range map[string]os.FileMode{".": 0o700, "socket": 0o600, "lock": 0o600} {
		info, err := os.Stat(filepath.Join(in.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", name, info.Mode().Perm(), want)
		}
	}
	// A service manager makes the folder before, open to read.
	open := sqliteInstallation(t)
	if err := os.Mkdir(open.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	open.serve(t)
	open.makeUser(t, "ada")
	for _, name := range []string{"stepsies.db", "stepsies.db-wal", "stepsies.db-shm", "lock", "socket"} {
		info, err := os.Stat(filepath.Join(open.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("in a folder that others may read, %s has mode %o, want 600", name, info.Mode().Perm())
		}
	}
	s.stop(t)
	if _, err := os.Stat(filepath.Join(in.dir, "socket")); !os.IsNotExist(err) {
		t.Errorf("the socket is left after the end: %v", err)
	}
}

// TestFolderWithoutPermissionIsToldOf runs as a user who may not write there.
func TestFolderWithoutPermissionIsToldOf(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	in.makeUser(t, "ada") // the folder and its files belong to the tests' user
	makeReachable(t, in.work)
	if os.Geteuid() == 0 {
		in.user = &syscall.Credential{Uid: 65534, Gid: 65534}
	} else if err := os.Chmod(in.dir, 0o500); err != nil {
		t.Fatal(err)
	} else {
		for _, file := range []string{"lock", "stepsies.db"} {
			if err := os.Chmod(filepath.Join(in.dir, file), 0o400); err != nil {
				t.Fatal(err)
			}
		}
		t.Cleanup(func() { _ = os.Chmod(in.dir, 0o700) })
	}
	for _, args := range []string{"serve --listen 127.0.0.1:0", "user list", "migrate"} {
		in.run(t, strings.Fields(args)...).failure(t, 1, "permission denied", "--data")
	}
	below := *in
	below.dir = filepath.Join(in.dir, "below")
	below.run(t, "user", "list").failure(t, 1, "permission denied", "--data")
}

// makeReachable lets any user of the machine pass through the folders above.
func makeReachable(t *testing.T, dir string) {
	t.Helper()
	for ; strings.HasPrefix(dir, os.TempDir()) && dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o711); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFolderOfAnotherProcessIsLeftAlone: a command waits for its owner, five
// seconds, and then says so.
func TestFolderOfAnotherProcessIsLeftAlone(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for two times five seconds")
	}
	in := sqliteInstallation(t)
	in.makeUser(t, "ada")
	lock, err := os.OpenFile(filepath.Join(in.dir, "lock"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Close() }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	for _, args := range []string{"serve --listen 127.0.0.1:0", "user list"} {
		both.Go(func() { in.run(t, strings.Fields(args)...).failure(t, 1, "owned by another process", "--data") })
	}
	both.Wait()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	if users := listed[listedUser](t, in, "user", "list"); len(users) != 1 {
		t.Errorf("%d users are left", len(users))
	}
}

// TestSecondServerOnTheSameFolderGivesUp and leaves the first one alone.
func TestSecondServerOnTheSameFolderGivesUp(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for five seconds")
	}
	in := sqliteInstallation(t)
	s := in.serve(t)
	in.run(t, "serve", "--listen", "127.0.0.1:0").failure(t, 1, "owned by another process")
	in.makeUser(t, "ada")
	s.stop(t)
}

// TestSocketSurvivesKillAndLongPaths: a socket that nobody listens on any more
// stops no command and no server, and a path that the kernel would not take is
// replaced by a private folder.
func TestSocketSurvivesKillAndLongPaths(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, folder string }{
		{"short path", "data"},
		{"path over 100 bytes", strings.Repeat("long/", 30) + "data"},
	} {
		t.Run(row.name, func(t *testing.T) {
			in := sqliteInstallation(t)
			in.dir = filepath.Join(in.work, row.folder)
			tmp := filepath.Join("/tmp", "e2e-"+rand.Text()[:8]) // short itself, or nothing would be gained
			if err := os.Mkdir(tmp, 0o700); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(tmp) })
			in.env = []string{"TMPDIR=" + tmp}
			s := in.serve(t)
			key := in.makeAdmin(t)
			checkPrivateFolders(t, tmp, len(in.dir) > 93)

			s.kill()
			if users := listed[listedUser](t, in, "user", "list"); len(users) != 1 {
				t.Errorf("alone after kill -9: %d users", len(users))
			}
			s = in.serve(t)
			in.must(t, "key", "revoke", "1") // through the socket, since it is dead at once:
			if got := s.as(t, key).Status(t, "/v1/me"); got != http.StatusUnauthorized {
				t.Errorf("status %d after a revocation beside the server", got)
			}
			checkPrivateFolders(t, tmp, len(in.dir) > 93)
			s.stop(t)
			checkPrivateFolders(t, tmp, false)
		})
	}
}

// checkPrivateFolders looks for the folder that a server makes when its data
// folder's path is too long.
func checkPrivateFolders(t *testing.T, tmp string, wanted bool) {
	t.Helper()
	sockets, err := filepath.Glob(filepath.Join(tmp, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	folders, err := os.ReadDir(tmp)
	if err != nil {
		t.Fatal(err)
	}
	if !wanted {
		if len(folders) != 0 {
			t.Errorf("left behind: %v", folders)
		}
		return
	}
	if len(folders) != 1 || len(sockets) != 1 {
		t.Fatalf("folders %v with %v, want one with one socket", folders, sockets)
	}
	folder, err := os.Stat(filepath.Dir(sockets[0]))
	if err != nil {
		t.Fatal(err)
	}
	socket, err := os.Stat(sockets[0])
	if err != nil {
		t.Fatal(err)
	}
	if folder.Mode().Perm() != 0o700 || socket.Mode() != os.ModeSocket|0o600 {
		t.Errorf("modes %v and %v, want a folder with 0700 and a socket with 0600", folder.Mode(), socket.Mode())
	}
}

// TestCopyOfAFolderIsAnInstallationOfItsOwn: a command on the copy never reaches
// the server that runs on the original.
func TestCopyOfAFolderIsAnInstallationOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"data", strings.Repeat("long/", 30) + "data"} {
		in := sqliteInstallation(t)
		in.dir = filepath.Join(in.work, folder)
		in.makeUser(t, "ada")
		s := in.serve(t)
		copied := sqliteInstallation(t)
		if err := os.Mkdir(copied.dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"lock", "stepsies.db", "stepsies.db-wal"} {
			text, err := os.ReadFile(filepath.Join(in.dir, name))
			if err == nil {
				err = os.WriteFile(filepath.Join(copied.dir, name), text, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		copied.makeUser(t, "bob")
		if got := listed[listedUser](t, in, "user", "list"); len(got) != 1 {
			t.Errorf("%s: a user made in the copy is in the original", folder)
		}
		if got := listed[listedUser](t, copied, "user", "list"); len(got) != 2 {
			t.Errorf("%s: the copy has %d users, want 2", folder, len(got))
		}
		s.stop(t)
	}
}

// TestCommandsWorkWhileServersComeAndGo runs commands without a pause while a
// server starts and ends over and over: each one finds the server, or does its
// work alone, or waits.
func TestCommandsWorkWhileServersComeAndGo(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	in.makeUser(t, "ada")
	rounds := 4
	if testing.Short() {
		rounds = 2
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var made, read atomic.Int64
	var commands sync.WaitGroup
	commands.Go(func() {
		for ctx.Err() == nil {
			if r := in.run(t, "user", "list"); r.code != 0 {
				t.Errorf("user list: %s", r.stderr)
			}
			read.Add(1)
		}
	})
	for range 2 {
		commands.Go(func() {
			for ctx.Err() == nil {
				if r := in.run(t, "key", "create", "--user", "ada", "--name", "one of many", "--scope", "read"); r.code != 0 {
					t.Errorf("key create: %s", r.stderr)
					continue
				}
				made.Add(1)
			}
		})
	}
	for range rounds {
		s := in.serve(t)
		before := made.Load()
		eventually(t, "commands were carried out beside the server", func() bool { return made.Load() > before+4 })
		s.stop(t)
		before = made.Load()
		eventually(t, "commands were carried out without a server", func() bool { return made.Load() > before+4 })
	}
	cancel()
	commands.Wait()
	t.Logf("%d keys made and %d lists read over %d lives of a server", made.Load(), read.Load(), rounds)
	if keys := listed[listedKey](t, in, "key", "list"); int64(len(keys)) != made.Load() {
		t.Errorf("%d keys are there, %d were made", len(keys), made.Load())
	}
}
