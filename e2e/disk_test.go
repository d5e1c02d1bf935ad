package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stepsies/stepsies/internal/testenv"
)

// TestFullDiskStopsWritesAndNothingElse gives the server a disk of four megabytes
// and fills it. Writes are answered with 503 and leave nothing behind, reads and
// authentication go on, and once there is space again so do writes.
func TestFullDiskStopsWritesAndNothingElse(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	s, disk := in.serveOnSmallDisk(t, 4<<20)
	key := in.makeAdmin(t)
	c := s.as(t, key)
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}

	record := newWriteRecord(key)
	for _, w := range record.writers {
		for range 3 { // the disk is full more than once: nothing is left half done
			a, err := w.writeOn(s.as(t, key), func() {})
			if err != nil || a.Status != http.StatusServiceUnavailable || !strings.Contains(string(a.Body), `"code":"unavailable"`) || strings.Contains(string(a.Body), "disk") {
				t.Fatalf("a write on a full disk: status %d, %v: %.300s", a.Status, err, a.Body)
			}
		}
	}
	if record.answered() == 0 {
		t.Fatal("the disk was full from the start")
	}
	t.Logf("%d writes fitted on the disk", record.answered())
	reads := func() {
		t.Helper()
		for path, want := range map[string]int{
			"/v1/stepsies": http.StatusOK, "/v1/me": http.StatusOK, "/v1/api-keys": http.StatusOK, "/v1/users": http.StatusOK,
			"/v1/stepsies?q=many": http.StatusOK, "/v1/stepsies/999999": http.StatusNotFound, "/readyz": http.StatusOK,
		} {
			if got := c.Status(t, path); got != want {
				t.Errorf("with a full disk %s gets status %d, want %d", path, got, want)
			}
		}
		if got := s.as(t, "sk_"+strings.Repeat("0", 48)).Status(t, "/v1/me"); got != http.StatusUnauthorized {
			t.Errorf("with a full disk a key that is none gets status %d", got)
		}
	}
	reads()
	c.Must(t, http.StatusServiceUnavailable, "POST", "/v1/stepsies", contentFor("Still no space"))
	in.refusesSmallWrites(t, disk)
	reads()
	record.verify(t, s) // what was answered is there, and what was refused is not

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	c.Must(t, http.StatusCreated, "POST", "/v1/stepsies", contentFor("Space again"))
	c.Must(t, http.StatusOK, "POST", "/v1/api-keys/1/revoke", nil)
	if got := c.Status(t, "/v1/me"); got != http.StatusUnauthorized {
		t.Errorf("after a revocation: status %d", got)
	}
	s.stop(t)
}

// refusesSmallWrites fills what is left of the disk and lets the command line write
// beside the server until that is refused too: what an earlier write had taken and
// could not keep, later ones may use.
func (in *installation) refusesSmallWrites(t *testing.T, disk string) {
	t.Helper()
	rest, err := os.Create(filepath.Join(disk, "rest"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rest.Close() }()
	for err == nil {
		_, err = rest.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	for i := range 50 {
		name := fmt.Sprintf("user%d", i)
		if r := in.run(t, "user", "create", name, "--email", name+"@example.com"); r.code != 0 {
			r.failure(t, 1)
			return
		}
	}
	t.Error("50 users were made on a full disk")
}

// serveOnSmallDisk starts a server whose data folder is a file system in memory of
// this many bytes. It is mounted in a namespace of the server's own, so that it
// ends with the server whatever happens. The disk's folder is returned as this
// process reaches it, and the installation's commands reach it that way too.
func (in *installation) serveOnSmallDisk(t *testing.T, size int) (s *server, disk string) {
	t.Helper()
	sh := testenv.Need(t, "sh")
	testenv.Need(t, "mount")
	if err := os.Mkdir(in.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := in.command(t.Context(), in.serveArgs()...)
	script := `mount -t tmpfs -o mode=0700,size="$1" stepsies-e2e "$2" && shift 2 && exec "$@"`
	args := append([]string{"sh", "-c", script, "sh", fmt.Sprint(size), in.dir}, cmd.Args...)
	small := exec.CommandContext(t.Context(), sh)
	small.Args, small.Env, small.Dir, small.SysProcAttr = args, cmd.Env, cmd.Dir, cmd.SysProcAttr
	small.SysProcAttr.Unshareflags = syscall.CLONE_NEWNS // Go makes the mounts private with it
	if os.Geteuid() != 0 {
		small.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		small.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		small.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	s = in.startServing(t, small)
	s.awaitReady(t)
	in.dir = filepath.Join(fmt.Sprintf("/proc/%d/root", s.cmd.Process.Pid), in.dir)
	return s, in.dir
}
