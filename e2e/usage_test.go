package e2e

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestWrongUsageIsToldWithExitCode2 sends command lines that make no sense.
func TestWrongUsageIsToldWithExitCode2(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	// What makes no sense is told even where the usual address is taken.
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	in.env = append(in.env, "STEPSIES_LISTEN="+taken.Addr().String())
	for _, row := range []struct {
		args  string
		words []string
	}{
		{"frobnicate", []string{"frobnicate"}},
		{"serve --frobnicate", []string{"--frobnicate"}},
		{"serve --listen", []string{"--listen"}},
		{"serve --listen=", []string{"--listen", "127.0.0.1:8080"}},
		{"serve --listen nonsense", []string{"--listen", "nonsense"}},
		{"serve --listen 127.0.0.1:", []string{"--listen", "127.0.0.1:8080"}},
		{"serve --listen :99999", []string{"--listen", ":99999"}},
		{"serve --listen http://127.0.0.1:8080", []string{"--listen"}},
		{"serve --metrics-listen 9090", []string{"--metrics-listen", "9090"}},
		{"serve --database mysql://u:tellnobody@example.com/x", []string{"--database", "postgres://"}},
		{"user list --database nonsense", []string{"--database", "postgres://"}},
		{"key list --database postgres://u:tellnobody@example.com:port/x", []string{"--database", "postgres://"}},
		{"migrate --database nonsense", []string{"--database", "postgres://"}},
		{"backup x --database nonsense", []string{"--database", "postgres://"}},
		{"restore x --yes --database nonsense", []string{"--database", "postgres://"}},
		{"activity --database nonsense", []string{"--database", "postgres://"}},
		{"serve --redis http://u:tellnobody@example.com", []string{"--redis", "redis://"}},
		{"user list --redis nonsense", []string{"--redis", "redis://"}},
		{"serve --allowed-origins app.example.com", []string{"--allowed-origins", "app.example.com"}},
		{"serve --allowed-origins https://app.example.com/", []string{"--allowed-origins", "https://app.example.com/"}},
		{"serve --allowed-origins https://app.example.com:443", []string{"--allowed-origins"}},
		{"serve --allowed-origins https://a.example.com,*", []string{"--allowed-origins", "*"}},
		{"serve --public-url ftp://example.com", []string{"--public-url"}},
		{"serve --public-url https://me:tellnobody@example.com", []string{"--public-url"}},
		{"serve --public-url https://example.com/path", []string{"--public-url"}},
		{"serve --trusted-proxies 10.0.0.0/99", []string{"--trusted-proxies", "10.0.0.0/99"}},
		{"serve --drain 1h", []string{"--drain", "10m"}},
		{"serve --mail-from a@example.com", []string{"--smtp"}},
		{"serve --rate-limits maybe", []string{"--rate-limits"}},
		{"serve --log-level loud", []string{"--log-level"}},
		{"serve extra", []string{"extra"}},
		{"demo --data x", []string{"--data", "stepsies serve"}},
		{"version --database x", []string{"--database"}},
		{"help frobnicate", []string{"frobnicate"}},
		{"user", []string{"see stepsies user --help"}},
		{"user create", []string{"see stepsies user create --help"}},
		{"user create ada", []string{"--email"}},
		{"user create ada --email a@example.com --plan gold", []string{"--plan", "gold"}},
		{"user set ada", []string{"nothing to change"}},
		{"user delete ada", []string{"--yes"}},
		{"key create --user ada --name x", []string{"--scope"}},
		{"key create --user ada --name x --scope everything", []string{"--scope", "everything"}},
		{"key create --user ada --name x --scope read --expires tomorrow", []string{"--expires", "tomorrow"}},
		{"key create --user ada --name x --scope read --expires 2027-02-30", []string{"--expires", "2027-02-30"}},
		{"key create --user ada --name x --scope read --expires=", []string{"--expires"}},
		{"key create --user ada --name x --scope read --expires 0s", []string{"--expires", "0s"}},
		{"key rotate 1 --grace 31d", []string{"--grace", "30d"}},
		{"key rotate 1 --grace=", []string{"--grace"}},
		{"key revoke seven", []string{"seven"}},
		{"key rotate 1 --grace forever", []string{"--grace", "forever"}},
	} {
		t.Run(row.args, func(t *testing.T) {
			r := in.run(t, strings.Fields(row.args)...)
			r.failure(t, 2, row.words...)
			if strings.Contains(r.stderr, "tellnobody") {
				t.Errorf("a password is repeated: %s", r.stderr)
			}
		})
	}
	for _, listen := range []string{"", "nonsense", ":99999"} {
		in.runWith(t, strings.NewReader(""), "demo", "--listen="+listen).failure(t, 2, "--listen", "127.0.0.1:8080")
	}
	if _, err := os.Stat(in.dir); !os.IsNotExist(err) {
		t.Errorf("a command line that makes no sense made the data folder: %v", err)
	}
}

// TestHelpAndVersion print on standard output and touch nothing.
func TestHelpAndVersion(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	nothing := strings.NewReader("")
	if r := in.runWith(t, nothing, "version"); r.code != 0 || r.stdout != "stepsies "+testVersion+"\n" || r.stderr != "" {
		t.Errorf("version: %+v", r)
	}
	if r := in.runWith(t, nothing, "--version"); r.code != 0 || r.stdout != "stepsies "+testVersion+"\n" || r.stderr != "" {
		t.Errorf("--version: %+v", r)
	}
	for _, args := range [][]string{nil, {"--help"}, {"help"}, {"help", "key", "create"}, {"serve", "--help"}, {"key", "create", "--help"}} {
		if r := in.runWith(t, nothing, args...); r.code != 0 || !strings.Contains(r.stdout, "Usage: stepsies") || r.stderr != "" {
			t.Errorf("%v: %+v", args, r)
		}
	}
	for command, defaults := range map[string][]string{
		"serve": {"./data", "127.0.0.1:8080", `"on"`, `"invite"`, "0s"}, "demo": {"127.0.0.1:8080"}, "key rotate": {"24h"},
	} {
		help := in.runWith(t, nothing, append(strings.Fields(command), "--help")...).stdout
		for _, value := range defaults {
			if !strings.Contains(help, value) {
				t.Errorf("%s --help does not say the default %s", command, value)
			}
		}
		if strings.Contains(help, ",…,") {
			t.Errorf("%s --help shows a list that goes on twice", command)
		}
	}
	for _, command := range []string{"demo", "version", "completion", "push"} {
		if help := in.runWith(t, nothing, command, "--help").stdout; strings.Contains(help, "--data") || strings.Contains(help, "STEPSIES_REDIS") {
			t.Errorf("%s --help shows flags that it refuses:\n%s", command, help)
		}
	}
	if made, err := os.ReadDir(in.work); err != nil || len(made) != 0 {
		t.Errorf("these made %v: %v", made, err)
	}
}

// TestFlagsStandBeforeOrAfterTheCommand and as environment variables.
func TestFlagsStandBeforeOrAfterTheCommand(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	in.makeUser(t, "ada")
	nothing := strings.NewReader("")
	want := in.must(t, "user", "list", "--json")
	for _, args := range [][]string{
		{"--data", in.dir, "user", "list", "--json"},
		{"user", "--data", in.dir, "list", "--json"},
		{"user", "list", "--data=" + in.dir, "--json"},
	} {
		if r := in.runWith(t, nothing, args...); r.code != 0 || r.stdout != want {
			t.Errorf("%v: %+v", args, r)
		}
	}
	in.env = []string{"STEPSIES_DATA=" + in.dir, "STEPSIES_LISTEN=127.0.0.1:0", "STEPSIES_LOG_FORMAT=json"}
	if r := in.runWith(t, nothing, "user", "list", "--json"); r.code != 0 || r.stdout != want || r.stderr != "" {
		t.Errorf("with STEPSIES_DATA: %+v", r)
	}
	s := in.startServing(t, in.command(t.Context(), "serve"))
	s.awaitReady(t)
	if log := string(s.log(t)); strings.Contains(log, "warning") {
		t.Errorf("a setting as a variable is warned of: %s", log)
	}
	s.stop(t)
}

// TestMisspeltVariablesAreWarnedOf and nothing else is changed by them.
func TestMisspeltVariablesAreWarnedOf(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	in.env = []string{"STEPSIES_DATTA=/nowhere", "STEPSIES_YES=1", "STEPSIES_API_KEY=unused", "STEPSIES=1"} // YES is far from URL
	r := in.run(t, "user", "list", "--json")
	warnings := lines(r.stderr)
	if r.code != 0 || r.stdout != "[]\n" || len(warnings) != 2 ||
		!strings.Contains(r.stderr, "STEPSIES_DATTA means nothing here; did you mean STEPSIES_DATA?") || !strings.Contains(r.stderr, "STEPSIES_YES means nothing here\n") {
		t.Errorf("%+v", r)
	}
	if r := in.run(t, "user", "delete", "ada"); r.code != 2 {
		t.Errorf("an action was taken from a variable: %+v", r)
	}
}

// TestSecretsComeFromFiles as service managers and container platforms hand them
// out.
func TestSecretsComeFromFiles(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	file := filepath.Join(in.work, "database")
	if err := os.WriteFile(file, []byte("postgres://ada:pencil-case@127.0.0.1:1/nothing\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in.secrets = append(in.secrets, "pencil-case")
	in.env = []string{"STEPSIES_DATABASE_FILE=" + file}
	in.run(t, "user", "list").failure(t, 1, "PostgreSQL", "127.0.0.1")
	in.env = append(in.env, "STEPSIES_DATABASE=postgres://127.0.0.1:1/other")
	in.run(t, "user", "list").failure(t, 2, "STEPSIES_DATABASE_FILE")
	in.env = []string{"STEPSIES_DATABASE_FILE=" + file + "-that-is-not-there"}
	in.run(t, "user", "list").failure(t, 1, "STEPSIES_DATABASE_FILE", "no such file")
}

// TestNothingPromptsButOnATerminal asks to delete a user with nobody there, then
// on a terminal, once with no and once with yes.
func TestNothingPromptsButOnATerminal(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	in.makeUser(t, "ada")
	for _, path := range []string{os.DevNull, "/dev/zero"} { // devices, but not terminals
		device, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		in.runWith(t, device, append([]string{"user", "delete", "ada"}, in.flags()...)...).failure(t, 2, "--yes")
		_ = device.Close()
	}
	for _, row := range []struct {
		typed string
		code  int
		left  int
	}{{"\n", 1, 1}, {"n\n", 1, 1}, {"y\n", 0, 0}} {
		keyboard, screen := openTerminal(t)
		if _, err := keyboard.WriteString(row.typed); err != nil {
			t.Fatal(err)
		}
		r := in.runWith(t, screen, append([]string{"user", "delete", "ada"}, in.flags()...)...)
		if r.code != row.code || !strings.Contains(r.stderr, "Delete ada") || !strings.Contains(r.stderr, "[y/N]") {
			t.Errorf("typed %q: %+v, want exit code %d", row.typed, r, row.code)
		}
		if left := listed[listedUser](t, in, "user", "list"); len(left) != row.left {
			t.Errorf("typed %q: %d users are left, want %d", row.typed, len(left), row.left)
		}
	}
}

// openTerminal returns both ends of a pseudo-terminal.
func openTerminal(t *testing.T) (keyboard, screen *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	// TIOCGPTPEER takes flags in place of a pointer.
	fd, _, errno := unix.Syscall(unix.SYS_IOCTL, keyboard.Fd(), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY)
	if errno != 0 {
		t.Fatal(errno)
	}
	screen = os.NewFile(fd, "terminal")
	t.Cleanup(func() { _ = screen.Close() })
	return keyboard, screen
}

// TestServeRefusesWhatItCannotStandOn: each with its own sentence, exit code 1 and
// within a bounded time.
func TestServeRefusesWhatItCannotStandOn(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	s := in.serve(t)
	address := strings.TrimPrefix(s.url, "http://")

	other := sqliteInstallation(t)
	other.run(t, "serve", "--listen", address).failure(t, 1, address, "in use", "--listen")
	other.run(t, "serve", "--listen", "127.0.0.1:0", "--metrics-listen", address).failure(t, 1, address, "in use", "--metrics-listen")
	other.run(t, "serve", "--listen", "192.0.2.1:80").failure(t, 1, "192.0.2.1", "--listen")
	other.run(t, "serve", "--listen", "nonsense").failure(t, 2, "nonsense", "--listen")

	unreachable := sqliteInstallation(t)
	unreachable.databaseURL = "postgres://ada:pencil-case@127.0.0.1:1/nothing"
	unreachable.secrets = []string{"pencil-case"}
	before := time.Now()
	unreachable.run(t, "serve", "--listen", "127.0.0.1:0").failure(t, 1, "PostgreSQL")
	t.Logf("an unreachable PostgreSQL was told of after %v", time.Since(before))
	unreachable.databaseURL = "mysql://pencil-case@localhost/x"
	unreachable.run(t, "serve", "--listen", "127.0.0.1:0").failure(t, 2, "postgres://")

	file := sqliteInstallation(t)
	if err := os.WriteFile(file.dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	file.run(t, "serve", "--listen", "127.0.0.1:0").failure(t, 1, "data folder", "--data")

	broken := sqliteInstallation(t)
	broken.makeUser(t, "ada")
	if err := os.WriteFile(filepath.Join(broken.dir, "stepsies.db"), []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	broken.run(t, "serve", "--listen", "127.0.0.1:0").failure(t, 1, "not a database")
}

// TestProgramThatIsTooOldForTheDatabaseRefusesIt and says what to do.
func TestProgramThatIsTooOldForTheDatabaseRefusesIt(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, in *installation) {
		in.must(t, "migrate")
		if _, err := in.open(t).Exec(`update program_compat set oldest_version = 999`); err != nil {
			t.Fatal(err)
		}
		for _, args := range []string{"serve --listen 127.0.0.1:0", "migrate", "user list"} {
			in.run(t, strings.Fields(args)...).failure(t, 1, "999", "upgrade stepsies")
		}
	})
}
