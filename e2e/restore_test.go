package e2e

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// TestRestoreSaysWhatItKeptBack is an operator who makes a backup, ends things, and
// restores: nothing that ended works, and each row says so.
func TestRestoreSaysWhatItKeptBack(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, in *installation) {
		t.Parallel()
		in.must(t, "migrate")
		in.makeUser(t, "ada", "--admin")
		in.makeUser(t, "omar")
		admins, omars := in.makeKey(t, "ada", "admin"), in.makeKey(t, "omar", "read")
		in.secrets = append(in.secrets, admins, omars)
		file := filepath.Join(in.work, "backup.gz")
		in.must(t, "backup", file)
		in.must(t, "user", "create", "grace", "--email", "grace@example.com", "--admin")
		in.must(t, "user", "set", "ada", "--role", "member")
		in.must(t, "key", "revoke", "1")
		in.must(t, "user", "delete", "omar", "--yes")

		r := in.run(t, "restore", file, "--yes")
		if r.code != 0 {
			t.Fatalf("exit code %d: %s", r.code, r.stderr)
		}
		in.holdsNoSecret(t, []byte(r.stdout))
		for _, words := range [][]string{
			{"user", "ada", "role admin → member"}, {"key 1", admins[3:7] + "…", "ada", "revoked"},
			{"user", "omar", "suspended"}, {"key 2", "omar", "revoked, since it was not there any more"}, {"Everyone must sign in again"},
		} {
			said := false
			for _, line := range lines(r.stdout) {
				all := true
				for _, w := range words {
					all = all && strings.Contains(line, w)
				}
				said = said || all
			}
			if !said {
				t.Errorf("no line has %q:\n%s", words, r.stdout)
			}
		}
		if want := "nobody can administer the installation now; run: stepsies user set ada --role admin"; !strings.Contains(r.stderr, want) {
			t.Errorf("%q does not say %q", r.stderr, want)
		}
		in.must(t, "user", "set", "ada", "--role", "admin")
		s := in.serve(t)
		for _, key := range []string{admins, omars} {
			if got := s.as(t, key).Status(t, "/v1/me"); got != http.StatusUnauthorized {
				t.Errorf("a key that had ended answers %d after the restore", got)
			}
		}
		s.stop(t)

		var done struct {
			Known    bool `json:"known"`
			Admins   int  `json:"admins"`
			KeptBack []struct {
				Kind    string   `json:"kind"`
				User    string   `json:"user"`
				Reasons []string `json:"reasons"`
			} `json:"kept_back"`
		}
		if err := json.Unmarshal([]byte(in.must(t, "restore", file, "--yes", "--json")), &done); err != nil {
			t.Fatal(err)
		}
		if !done.Known || done.Admins != 1 || len(done.KeptBack) != 3 { // ada is an admin again
			t.Errorf("as JSON: %+v", done)
		}
	})
}

// TestRestoreIntoAnotherFolderSaysThatNothingWasKnown and how every key is revoked.
func TestRestoreIntoAnotherFolderSaysThatNothingWasKnown(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	key := in.makeAdmin(t)
	file := filepath.Join(in.work, "backup.gz")
	in.must(t, "backup", file)
	other := sqliteInstallation(t)
	if r := other.run(t, "restore", file, "--yes"); r.code != 0 || !strings.Contains(r.stderr, "--revoke-all-keys") {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	s := other.serve(t)
	if got := s.as(t, key).Status(t, "/v1/me"); got != http.StatusOK {
		t.Errorf("a key is answered %d in the place that its installation was moved to", got)
	}
	s.stop(t)
	if r := other.run(t, "restore", file, "--yes", "--revoke-all-keys"); r.code != 0 || r.stderr != "" || !strings.Contains(r.stdout, "revoked with every other key") {
		t.Errorf("exit code %d, %q, %q", r.code, r.stdout, r.stderr)
	}
}
