package server

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// ErrBusy says that another process owns the data folder.
var ErrBusy = errors.New("the data folder is owned by another process; stop it, or name another folder with --data")

// maxSocketPath is how long the path of a unix socket may safely be: the kernel
// takes 107 bytes (unix(7)).
const maxSocketPath = 100

// acceptGrace is how long a socket that is no longer to be found goes on to accept.
const acceptGrace = 20 * time.Millisecond

// dataDir is a data folder that this process owns: SQLite's file, the lock and
// the operator's socket.
type dataDir struct {
	path   string
	folder *os.File // holds the lock
	lock   *os.File // holds that of older programs, and names a socket that is elsewhere
	socket string   // "" until it is listened on
}

// ownDataDir takes the lock of a data folder, which it makes when missing. The
// lock is the kernel's, so that it ends with the process whatever happens. It is on
// the folder itself: a file in it could be removed and made anew, and two processes
// would each hold one. A file in it is locked as well, since that is all that programs
// of before know.
func ownDataDir(path string) (*dataDir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w; choose a folder that you may write to with --data", err)
	}
	d := &dataDir{path: path}
	if d.folder, err = os.Open(path); err == nil {
		err = d.take(d.folder)
	}
	if err == nil {
		d.lock, err = os.OpenFile(filepath.Join(path, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	}
	if err == nil {
		err = d.take(d.lock)
	}
	if err == nil {
		err = d.checkDatabase()
	}
	if err != nil {
		_ = d.release()
		if _, ok := errors.AsType[*os.PathError](err); ok {
			err = fmt.Errorf("open the data folder: %w; choose a folder that you may write to with --data", err)
		}
		return nil, err
	}
	return d, nil
}

// take locks a file or folder for this process alone.
func (d *dataDir) take(f *os.File) error {
	err := flock(f, syscall.LOCK_EX)
	if err == nil || errors.Is(err, ErrBusy) {
		return err
	}
	// A network file system that has no locks, or none of folders: NFS says EBADF or ENOLCK.
	return fmt.Errorf("the file system of %s cannot lock it (%w): keep the data folder on a local disk, or the data in PostgreSQL with --database", f.Name(), err)
}

// flock takes a lock or returns ErrBusy.
func flock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return ErrBusy
		default:
			return err
		}
	}
}

// checkDatabase refuses a database that is in the folder under one of several names:
// through another one, in another folder, a second process could own it too.
func (d *dataDir) checkDatabase() error {
	info, err := os.Lstat(d.database())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no plain file; keep the database itself in the data folder", d.database())
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Nlink > 1 {
		return fmt.Errorf("%s has another name as well (a hard link), through which a second server could write to it; remove that one, or make it a copy", d.database())
	}
	return nil
}

func (d *dataDir) database() string { return filepath.Join(d.path, "stepsies.db") }

// listen opens the operator's socket. Whoever can open it is the operator, so it
// is made with mode 0600 from the start. A stale one is removed: the lock says
// that nobody listens on it.
func (d *dataDir) listen() (net.Listener, error) {
	socket := filepath.Join(d.path, "socket")
	if len(socket) > maxSocketPath {
		d.removePrivate(namedSocket(d.path))
		private, err := os.MkdirTemp("", privatePrefix) // mode 0700
		if err != nil {
			return nil, fmt.Errorf("make a folder for the operator's socket: %w", err)
		}
		socket = filepath.Join(private, "socket")
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove a stale socket: %w", err)
	}
	mask := syscall.Umask(0o177)
	l, err := net.Listen("unix", socket)
	syscall.Umask(mask)
	if err != nil {
		return nil, fmt.Errorf("open the operator's socket: %w", err)
	}
	d.socket = socket
	named := ""
	if filepath.Dir(socket) != d.path {
		named = socket + "\n"
	}
	if err = d.lock.Truncate(0); err == nil {
		_, err = d.lock.WriteAt([]byte(named), 0)
	}
	if err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("write the lock file: %w", err)
	}
	return l, nil
}

// hideSocket removes the socket's file, so that no command finds it any more, and
// leaves those that have just connected the time to be accepted. What is still in
// the queue of a listener when it is closed gets no answer.
func (d *dataDir) hideSocket() {
	_ = os.Remove(d.socket)
	time.Sleep(acceptGrace)
}

// privatePrefix begins the names of private folders.
const privatePrefix = "stepsies-"

// removePrivate removes a socket with the private folder that was made for it, by
// this process or by one that was killed. It removes nothing else, whatever the
// lock file names.
func (d *dataDir) removePrivate(socket string) {
	private := filepath.Dir(socket)
	if filepath.Base(socket) != "socket" || private == d.path || !strings.HasPrefix(filepath.Base(private), privatePrefix) {
		return
	}
	_ = os.Remove(socket)
	_ = os.Remove(private) // fails where anything else is in it
}

// release gives the folder back. The socket is gone before the lock is.
func (d *dataDir) release() error {
	if d.socket != "" {
		_ = os.Remove(d.socket)
		d.removePrivate(d.socket)
	}
	var errs []error
	for _, f := range []*os.File{d.lock, d.folder} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// DialOperator connects to the server that owns the data folder. It looks at the
// lock first: in a copy of a folder nobody holds it, whatever socket the copied
// lock file names.
func DialOperator(path string) (net.Conn, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	owned := false
	for _, name := range []string{path, filepath.Join(path, "lock")} { // the latter by a program of before
		held, err := isLocked(name)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		owned = owned || held
	}
	if !owned {
		return nil, errNoOwner // whoever wants it tries again
	}
	socket := namedSocket(path)
	if socket == "" {
		socket = filepath.Join(path, "socket")
	}
	return net.Dial("unix", socket)
}

// isLocked reports whether a process holds the lock of a file or folder.
func isLocked(name string) (bool, error) {
	f, err := os.Open(name)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // the lock that it took goes with it
	err = flock(f, syscall.LOCK_SH)
	if errors.Is(err, ErrBusy) {
		return true, nil
	}
	return false, err
}

var errNoOwner = errors.New("no server runs on the data folder")

// namedSocket returns the socket that the lock file of a data folder names, "" for
// none: it is in the folder then.
func namedSocket(path string) string {
	f, err := os.Open(filepath.Join(path, "lock"))
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	text, _ := io.ReadAll(io.LimitReader(f, 4096))
	return strings.TrimSpace(string(text))
}
