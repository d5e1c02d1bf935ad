package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/testenv"
)

// traced is a call of fsync or fdatasync as strace -y -ttt writes it, with the
// file it was made on, or the rest of one that another thread had interrupted.
var (
	traced  = regexp.MustCompile(`(?m)^(\d+) +(\d+\.\d+) (?:fsync|fdatasync)\(\d+<([^>]*)>(?:\) += (\d+)| <unfinished)`)
	resumed = regexp.MustCompile(`(?m)^(\d+) +(\d+\.\d+) <\.\.\. (?:fsync|fdatasync) resumed>\) += (\d+)`)
)

// TestEveryAnsweredWriteWasSyncedFirst watches the server's system calls: between
// the start of each write and its answer, the log of the database was synced to
// the disk. A kill cannot show this, since what a process has written to a file
// survives it in the system's memory.
func TestEveryAnsweredWriteWasSyncedFirst(t *testing.T) {
	strace := testenv.Need(t, "strace")
	in := sqliteInstallation(t)
	key := in.makeAdmin(t)
	trace := filepath.Join(in.work, "trace")
	args := append([]string{"-D", "-f", "-y", "-ttt", "-e", "trace=fsync,fdatasync", "-o", trace, program}, in.serveArgs()...)
	cmd := in.command(context.Background(), args...)
	cmd.Path = strace
	cmd.Args[0] = strace
	s := in.startServing(t, cmd)
	s.awaitReady(t)
	c := s.as(t, key)
	type span struct {
		what       string
		start, end time.Time
	}
	var writes []span
	do := func(status int, method, path string, body any, into ...any) {
		t.Helper()
		w := span{what: method + " " + path, start: time.Now()}
		c.Must(t, status, method, path, body, into...)
		w.end = time.Now()
		writes = append(writes, w)
	}
	for i := range 5 {
		var made object
		do(http.StatusCreated, "POST", "/v1/stepsies", contentFor(fmt.Sprintf("Synced %d", i)), &made)
		path := fmt.Sprintf("/v1/stepsies/%d", made.id())
		do(http.StatusOK, "PATCH", path, map[string]any{"title": "Changed"})
		do(http.StatusOK, "POST", path+"/publish", nil)
		do(http.StatusNoContent, "DELETE", path, nil)
		var key struct{ ID int64 }
		do(http.StatusCreated, "POST", "/v1/api-keys", map[string]any{"name": "synced", "scopes": []string{"read"}}, &key)
		do(http.StatusOK, "POST", fmt.Sprintf("/v1/api-keys/%d/revoke", key.ID), nil)
	}
	s.stop(t)
	eventually(t, "strace has written its last line", func() bool {
		text, err := os.ReadFile(trace)
		return err == nil && bytes.Contains(text, fmt.Appendf(nil, "%d", s.cmd.Process.Pid)) && bytes.HasSuffix(bytes.TrimSpace(text), []byte("+++"))
	})
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	syncs := syncsOf(string(text), filepath.Join(in.dir, "stepsies.db-wal"))
	t.Logf("%d writes, %d syncs of the log", len(writes), len(syncs))
	for _, w := range writes {
		synced := false
		for _, at := range syncs {
			synced = synced || at.After(w.start) && at.Before(w.end)
		}
		if !synced {
			t.Errorf("%s was answered without a sync", w.what)
		}
	}
}

// syncsOf returns when the syncs of a file were seen: at their start, or at their
// end where strace tells of that in a line of its own.
func syncsOf(trace, file string) []time.Time {
	var syncs []time.Time
	pending := map[string]bool{} // by thread: it syncs the file
	note := func(seconds string) {
		f, err := strconv.ParseFloat(seconds, 64)
		if err == nil {
			syncs = append(syncs, time.UnixMicro(int64(f*1e6)))
		}
	}
	for line := range bytes.Lines([]byte(trace)) {
		if m := traced.FindSubmatch(line); m != nil {
			mine := string(m[3]) == file
			pending[string(m[1])] = mine && len(m[4]) == 0
			if mine && string(m[4]) == "0" {
				note(string(m[2]))
			}
		} else if m := resumed.FindSubmatch(line); m != nil && pending[string(m[1])] && string(m[3]) == "0" {
			note(string(m[2]))
		}
	}
	return syncs
}
