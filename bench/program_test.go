package bench

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/testenv"
)

// BenchmarkStart starts the built program over and over on a database that has
// been migrated, until /readyz says so. MB-resident is what it holds a second
// later, with nobody calling.
func BenchmarkStart(b *testing.B) {
	program := filepath.Join(b.TempDir(), "stepsies")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "../cmd/stepsies")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build the program: %v: %s", err, out)
	}
	info, err := os.Stat(program)
	if err != nil {
		b.Fatal(err)
	}
	for _, kind := range []struct {
		name string
		env  func(b *testing.B) []string
	}{
		{"sqlite", func(b *testing.B) []string { return []string{"STEPSIES_DATA=" + b.TempDir()} }},
		{"postgres+redis", func(b *testing.B) []string {
			return []string{"STEPSIES_DATABASE=" + testenv.Postgres(b), "STEPSIES_REDIS=" + testenv.StartRedis(b).URL()}
		}},
	} {
		b.Run(kind.name, func(b *testing.B) {
			env := append(os.Environ(), kind.env(b)...)
			start(b, program, env).stop(b) // migrates
			var resident float64
			var took time.Duration
			for b.Loop() {
				p := start(b, program, env)
				took += p.took
				b.StopTimer()
				if resident == 0 { // once is enough
					time.Sleep(time.Second)
					resident = p.resident(b)
				}
				p.stop(b)
				b.StartTimer()
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(took.Seconds()*1000/float64(b.N), "ms-to-ready")
			b.ReportMetric(resident, "MB-resident")
			b.ReportMetric(float64(info.Size())/1e6, "MB-program")
		})
	}
}

type process struct {
	cmd  *exec.Cmd
	took time.Duration // from exec to the first answer of /readyz that says 200
}

func start(b *testing.B, program string, env []string) *process {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	cmd := exec.Command(program, "serve", "--listen", addr, "--log-level", "error")
	cmd.Env, cmd.Stderr = env, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	p := &process{cmd: cmd}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
	for deadline := began.Add(time.Minute); ; time.Sleep(time.Millisecond) {
		resp, err := client.Get("http://" + addr + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				p.took = time.Since(began)
				return p
			}
		}
		if time.Now().After(deadline) {
			p.stop(b)
			b.Fatal("the program is not ready after a minute")
		}
	}
}

func (p *process) stop(b *testing.B) {
	b.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		b.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		b.Fatal(err)
	}
}

// resident reads how much memory the process holds, in MB, as proc(5) tells.
func (p *process) resident(b *testing.B) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		if fields := bytes.Fields(line); len(fields) == 3 && string(fields[0]) == "VmRSS:" {
			kb, err := strconv.ParseFloat(string(fields[1]), 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb * 1024 / 1e6
		}
	}
	b.Fatal("there is no VmRSS")
	return 0
}
