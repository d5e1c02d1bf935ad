package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestLoginKeepsAKeyThatOnlyItsUserCanRead takes a key through login, use, a
// loosened file, revocation and logout.
func TestLoginKeepsAKeyThatOnlyItsUserCanRead(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	s := in.serve(t)
	in.makeUser(t, "ada")
	key := in.makeKey(t, "ada", "read", "write")
	d := newDesk(t)
	file := filepath.Join(d.home, "config", "stepsies", "login.json")

	d.do(t, "whoami").failure(t, 1, "stepsies login", "STEPSIES_API_KEY")
	d.do(t, "login", "--url", s.url).failure(t, 2, "standard input")
	d.doWith(t, key, "login", "--url", "ftp://x").failure(t, 2, "https://")
	d.doWith(t, key, "login", "--url", "http://stepsies.example.com").failure(t, 1, "unencrypted", "use https://")
	d.doWith(t, key, "login", "--url", "http://127.0.0.1:1").failure(t, 1, "cannot be reached", "127.0.0.1:1", "stepsies login")
	d.doWith(t, key, "login", "--url", strings.Replace(s.url, "http://", "https://", 1)).failure(t, 1, "no TLS", "stepsies login")
	d.doWith(t, key, "login", "--url", s.url+"/sign-in").failure(t, 1, "not one of the Stepsies API", "404", "is its address right")
	d.doWith(t, "sk_short", "login", "--url", s.url).failure(t, 1, "51 characters")
	d.doWith(t, "sk_"+strings.Repeat("0", 48), "login", "--url", s.url).failure(t, 1, "does not accept")
	d.do(t, "login", "--url", s.url, key).failure(t, 2, "[redacted]", "standard input")
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Fatalf("something was saved: %v", err)
	}

	r := d.doWith(t, key+"\n", "login", "--url", s.url+"/v1/")
	if r.code != 0 || !strings.Contains(r.stdout, "as ada") || !strings.Contains(r.stdout, "read, write") {
		t.Fatalf("login: %+v", r)
	}
	for path, mode := range map[string]os.FileMode{file: 0o600, filepath.Dir(file): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, want mode %v: %v", path, info.Mode(), mode, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".login-*")); len(left) > 0 {
		t.Errorf("a temporary file is left: %v", left)
	}
	var me struct {
		Username string
		Key      struct{ Scopes []string }
	}
	if err := json.Unmarshal([]byte(d.done(t, "whoami", "--json")), &me); err != nil || me.Username != "ada" || len(me.Key.Scopes) != 2 {
		t.Errorf("whoami --json: %+v, %v", me, err)
	}
	for _, words := range []string{"ada", s.url, key[:7] + "…", "read, write", "never", "no limit"} {
		if out := d.done(t, "whoami"); !strings.Contains(out, words) {
			t.Errorf("whoami does not say %q:\n%s", words, out)
		}
	}

	// The environment goes before the file; a saved key goes to no other server.
	in.makeUser(t, "bob")
	d.env = append(d.env, "STEPSIES_API_KEY="+in.makeKey(t, "bob", "read"))
	if out := d.done(t, "whoami"); !strings.Contains(out, "bob") {
		t.Errorf("STEPSIES_API_KEY does not go before the saved key:\n%s", out)
	}
	d.env[len(d.env)-1] = "STEPSIES_URL=https://elsewhere.example.com"
	d.do(t, "whoami").failure(t, 1, "another server", s.url)
	d.env[len(d.env)-1] = "STEPSIES_URL=" + s.url + "/v1"
	d.done(t, "whoami")
	d.env = d.env[:len(d.env)-1]

	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	d.do(t, "whoami").failure(t, 1, "chmod 600 "+file)
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, k := range listed[listedKey](t, in, "key", "list", "--user", "ada") {
		in.must(t, "key", "revoke", strconv.FormatInt(k.ID, 10))
	}
	d.do(t, "whoami").failure(t, 1, "revoked", "dashboard", "stepsies login")
	d.doWith(t, key, "login", "--url", s.url).failure(t, 1, "revoked")

	d.done(t, "logout")
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the login is still saved: %v", err)
	}
	d.done(t, "logout") // twice changes nothing
	d.do(t, "whoami").failure(t, 1, "stepsies login")
	d.do(t, "whoami", "--data", "x").failure(t, 2, "--data")
}

// TestLoginAsksOnATerminalWithoutShowingTheKey logs in as a person does, and takes
// Ctrl-C for a no.
func TestLoginAsksOnATerminalWithoutShowingTheKey(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	s := in.serve(t)
	in.makeUser(t, "ada")
	key := in.makeKey(t, "ada", "write")
	d := newDesk(t)

	stopped := d.onTerminal(t, "login")
	stopped.waitFor(t, "Address of the server [https://api.stepsies.com]: ")
	stopped.typed(t, s.url+"\n")
	stopped.waitFor(t, "not shown")
	stopped.waitHidden(t)
	stopped.typed(t, "\x03")
	if code, text := stopped.end(t); code != 1 || !strings.Contains(text, "interrupted") {
		t.Errorf("after Ctrl-C: exit code %d: %q", code, text)
	}

	screen := d.onTerminal(t, "login")
	screen.waitFor(t, "]: ")
	screen.typed(t, s.url+"\n")
	screen.waitFor(t, "not shown")
	screen.waitHidden(t)
	screen.typed(t, key+"\n")
	code, text := screen.end(t)
	if code != 0 || !strings.Contains(text, "cannot read") {
		t.Errorf("exit code %d: %q", code, text)
	}
	d.do(t, "whoami").failure(t, 1, "scope")
}
