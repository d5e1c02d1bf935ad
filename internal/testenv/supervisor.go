package testenv

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
)

// supervisorScript is told on its standard input which processes run ("start
// SIGNAL PID", "end PID"). The end of that input is the end of the test process,
// be it a return, a panic or SIGKILL, since the kernel closes the pipe in every
// case. It then ends what still runs, by pid, and removes the folder. It has a
// session of its own, so that Ctrl-C in a terminal does not reach it.
const supervisorScript = `
trap '' HUP INT TERM
running=
while read -r verb one two; do
	case $verb in
	start) running="$running $one:$two" ;;
	end)
		left=
		for entry in $running; do
			[ "${entry#*:}" = "$one" ] || left="$left $entry"
		done
		running=$left
		;;
	esac
done
for entry in $running; do
	kill "-${entry%:*}" "${entry#*:}" 2>/dev/null
	kill -CONT "${entry#*:}" 2>/dev/null
done
tries=0
for entry in $running; do
	while kill -0 "${entry#*:}" 2>/dev/null && [ $tries -lt 40 ]; do
		sleep 0.05
		tries=$((tries + 1))
	done
	kill -KILL "${entry#*:}" 2>/dev/null
done
tries=0
until rm -rf -- "$1" 2>/dev/null || [ $tries -ge 20 ]; do
	sleep 0.1
	tries=$((tries + 1))
done
`

// supervisor is the process beside the test process that cleans up after it.
type supervisor struct {
	folder string // holds everything that is started
	mu     sync.Mutex
	orders io.Writer
}

// theSupervisor starts the supervisor of this test process when it is first needed.
var theSupervisor = sync.OnceValues(newSupervisor)

func newSupervisor() (*supervisor, error) {
	folder, err := os.MkdirTemp("", "stepsies-test-")
	if err != nil {
		return nil, err
	}
	// Services may run as another user: they pass through this folder, but cannot list it.
	if err := os.Chmod(folder, 0o711); err != nil {
		return nil, err
	}
	cmd := exec.Command("/bin/sh", "-c", supervisorScript, "testenv-supervisor", folder)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	orders, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		os.RemoveAll(folder)
		return nil, fmt.Errorf("start the supervisor: %w", err)
	}
	return &supervisor{folder: folder, orders: orders}, nil
}

// started hands a process over to the supervisor, with the signal that ends it.
func (s *supervisor) started(pid int, signal syscall.Signal) error {
	return s.tell("start " + strconv.Itoa(int(signal)) + " " + strconv.Itoa(pid))
}

// ended tells the supervisor that a process has been waited for: its pid may be
// somebody else's from now on.
func (s *supervisor) ended(pid int) error { return s.tell("end " + strconv.Itoa(pid)) }

func (s *supervisor) tell(order string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.WriteString(s.orders, order+"\n"); err != nil {
		return fmt.Errorf("tell the supervisor: %w", err)
	}
	return nil
}

// makeFolder makes a new folder for one service, owned by the user it runs as.
func (s *supervisor) makeFolder(kind string, owner *syscall.Credential) (string, error) {
	folder, err := os.MkdirTemp(s.folder, kind+"-")
	if err != nil {
		return "", err
	}
	if owner != nil {
		if err := os.Chown(folder, int(owner.Uid), int(owner.Gid)); err != nil {
			return "", err
		}
	}
	return folder, nil
}
