package e2e

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestCommandsDoTheirWorkWithAndWithoutAServer runs the life of a user and of a
// key through the command line, four times: on each engine, alone and beside a
// running server.
func TestCommandsDoTheirWorkWithAndWithoutAServer(t *testing.T) {
	t.Parallel()
	migrate := func(t *testing.T, in *installation) {
		if in.databaseURL != "" {
			in.run(t, "user", "list").failure(t, 1, "stepsies migrate")
		}
		for range 2 { // the second time finds nothing to do
			if out := in.must(t, "migrate"); len(lines(out)) != 1 {
				t.Errorf("migrate printed %q", out)
			}
		}
	}
	t.Run("alone", func(t *testing.T) {
		onEachEngine(t, func(t *testing.T, in *installation) {
			migrate(t, in)
			livesOfUsersAndKeys(t, in, nil)
		})
	})
	t.Run("beside a server", func(t *testing.T) {
		onEachEngine(t, func(t *testing.T, in *installation) {
			migrate(t, in)
			s := in.serve(t)
			livesOfUsersAndKeys(t, in, s)
			s.stop(t)
		})
	})
}

type listedUser struct {
	Username, Email, Role, Plan string
	DisplayName                 string     `json:"display_name"`
	Suspended                   bool       `json:"suspended"`
	SuspendedAt                 *time.Time `json:"suspended_at"`
}

type listedKey struct {
	ID                 int64
	Name, Status, Hint string
	UserID             string `json:"user_id"`
	Scopes             []string
	ExpiresAt          *time.Time `json:"expires_at"`
	LastUsedAt         *time.Time `json:"last_used_at"`
	RefusedCount       int64      `json:"refused_count"`
}

// listed runs a command with --json and decodes what it prints.
func listed[T any](t *testing.T, in *installation, args ...string) []T {
	t.Helper()
	var items []T
	out := in.must(t, append(args, "--json")...)
	if err := json.Unmarshal([]byte(out), &items); err != nil {
		t.Fatalf("stepsies %s --json: %v: %.200s", strings.Join(args, " "), err, out)
	}
	if items == nil {
		t.Errorf("stepsies %s --json printed %q, want a list", strings.Join(args, " "), out)
	}
	return items
}

// livesOfUsersAndKeys begins with an empty installation. The server may be nil.
func livesOfUsersAndKeys(t *testing.T, in *installation, s *server) {
	if got := listed[listedUser](t, in, "user", "list"); len(got) != 0 {
		t.Fatalf("there are users already: %v", got)
	}
	in.must(t, "user", "create", "ada", "--email", "ada@example.com", "--admin", "--plan", "enterprise")
	in.must(t, "user", "create", "bob", "--email", "bob@example.com", "--display-name", "Bob the Builder")
	in.run(t, "user", "create", "bob", "--email", "other@example.com").failure(t, 1, "username", "taken")
	in.run(t, "user", "create", "b", "--email", "b@example.com").failure(t, 1, "username")
	if got := listed[listedUser](t, in, "user", "list"); len(got) != 2 || got[0].Username != "bob" || got[1].Role != "admin" {
		t.Errorf("user list: %+v", got)
	}
	if got := listed[listedUser](t, in, "user", "list", "builder"); len(got) != 1 || got[0].DisplayName != "Bob the Builder" {
		t.Errorf("user list builder: %+v", got)
	}
	table := lines(in.must(t, "user", "list"))
	if len(table) != 3 || !strings.HasPrefix(table[0], "USERNAME") || !strings.Contains(table[1], "bob@example.com") {
		t.Errorf("user list: %q", table)
	}

	in.must(t, "user", "set", "bob", "--plan", "enterprise", "--email", "new@example.com")
	if got := listed[listedUser](t, in, "user", "list", "bob"); len(got) != 1 || got[0].Plan != "enterprise" || got[0].Email != "new@example.com" {
		t.Errorf("after user set: %+v", got)
	}
	in.run(t, "user", "set", "nobody", "--plan", "pro").failure(t, 1)
	in.run(t, "user", "delete", "ada", "--yes").failure(t, 1, "last admin")

	alive := func(key string, want int) {
		t.Helper()
		if s != nil {
			if got := s.as(t, key).Status(t, "/v1/stepsies"); got != want {
				t.Errorf("the running server answers %d, want %d", got, want)
			}
		}
	}
	in.run(t, "key", "create", "--user", "bob", "--name", "too much", "--scope", "admin").failure(t, 1, "admin")
	first := in.makeKey(t, "bob", "read", "write")
	alive(first, http.StatusOK)
	keys := listed[listedKey](t, in, "key", "list", "--user", "bob")
	if len(keys) != 1 || keys[0].Status != "active" || len(keys[0].Scopes) != 2 || keys[0].UserID != "bob" {
		t.Fatalf("key list: %+v", keys)
	}
	if want := first[:7] + "…" + first[len(first)-4:]; keys[0].Hint != want {
		t.Errorf("hint %q, want %q", keys[0].Hint, want)
	}
	id := strconv.FormatInt(keys[0].ID, 10)

	rotated := in.run(t, "key", "rotate", id, "--grace", "1h")
	second := strings.TrimSuffix(rotated.stdout, "\n")
	if rotated.code != 0 || keyPattern.FindString(second) != second || second == first || len(lines(rotated.stderr)) != 1 {
		t.Fatalf("key rotate: exit code %d, %d characters, standard error %q", rotated.code, len(second), rotated.stderr)
	}
	alive(first, http.StatusOK)
	alive(second, http.StatusOK)
	for _, k := range listed[listedKey](t, in, "key", "list", "--user", "bob") {
		if k.ID == keys[0].ID && !strings.Contains(rotated.stderr, "works until "+k.ExpiresAt.UTC().Format(time.RFC3339)+".") {
			t.Errorf("key rotate says %q of a key that ends at %s", rotated.stderr, k.ExpiresAt)
		}
	}
	if again := in.run(t, "key", "rotate", id, "--grace", "0s"); again.code != 0 || !strings.Contains(again.stderr, "The old key has ended.") {
		t.Errorf("key rotate --grace 0s says %q", again.stderr)
	}
	alive(first, http.StatusUnauthorized)
	in.must(t, "key", "revoke", id)
	alive(first, http.StatusUnauthorized)
	alive(second, http.StatusOK)
	in.must(t, "key", "revoke", id) // twice changes nothing
	in.run(t, "key", "rotate", id).failure(t, 1, "revoked")
	in.run(t, "user", "create", "Not A Name", "--email", "x").failure(t, 1, "stepsies: email must be", "; username must be")
	in.run(t, "key", "revoke", "999999").failure(t, 1)
	if table := lines(in.must(t, "key", "list", "--user", "bob")); len(table) != 4 || !strings.Contains(table[3], "revoked") {
		t.Errorf("key list: %q", table)
	}

	in.must(t, "user", "set", "bob", "--suspend")
	alive(second, http.StatusUnauthorized)
	in.must(t, "user", "set", "bob", "--unsuspend")
	alive(second, http.StatusOK)
	in.must(t, "user", "delete", "bob", "--yes")
	alive(second, http.StatusUnauthorized)

	in.must(t, "user", "create", "eve", "--email", "eve@example.com", "--admin")
	in.must(t, "user", "delete", "ada", "--yes")
	in.run(t, "user", "set", "eve", "--role", "member").failure(t, 1, "last admin")
}

// TestKeyCreatePrintsOnlyTheKey makes keys with every kind of expiry.
func TestKeyCreatePrintsOnlyTheKey(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	in.makeUser(t, "ada")
	today := time.Now().UTC()
	for _, row := range []struct {
		expires  string
		from, to time.Time
	}{
		{"30s", today, today.Add(5 * time.Minute)},
		{"12h", today.Add(12 * time.Hour), today.Add(12*time.Hour + 5*time.Minute)},
		{"90d", today.AddDate(0, 0, 90), today.AddDate(0, 0, 90).Add(5 * time.Minute)},
		{"2999-01-31", time.Date(2999, 2, 1, 0, 0, 0, 0, time.UTC), time.Date(2999, 2, 1, 0, 0, 0, 0, time.UTC)},
	} {
		r := in.run(t, "key", "create", "--user", "ada", "--name", row.expires, "--scope", "read", "--expires", row.expires)
		if r.code != 0 || r.stderr != "" || !keyPattern.MatchString(r.stdout) || len(r.stdout) != len("sk_")+48+len("\n") {
			t.Errorf("--expires %s: exit code %d, %d bytes, standard error %q", row.expires, r.code, len(r.stdout), r.stderr)
		}
		k := listed[listedKey](t, in, "key", "list")[0]
		if k.ExpiresAt == nil || k.ExpiresAt.Before(row.from.Truncate(time.Second)) || k.ExpiresAt.After(row.to) {
			t.Errorf("--expires %s: the key ends at %v, want %v to %v", row.expires, k.ExpiresAt, row.from, row.to)
		}
	}
}

// TestPasswordsComeFromStandardInput never takes one from the command line.
func TestPasswordsComeFromStandardInput(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	create := append([]string{"user", "create", "ada", "--email", "ada@example.com", "--password-stdin"}, in.flags()...)
	in.runWith(t, strings.NewReader("short\n"), create...).failure(t, 2, "password")
	if r := in.runWith(t, strings.NewReader("correct horse battery\n"), create...); r.code != 0 {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	set := append([]string{"user", "set", "ada", "--password-stdin"}, in.flags()...)
	if r := in.runWith(t, strings.NewReader("another horse battery"), set...); r.code != 0 {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	var hash string
	if err := in.open(t).QueryRow(`select password_hash from users`).Scan(&hash); err != nil || !strings.HasPrefix(hash, "$argon2id$") {
		t.Errorf("the stored hash begins with %.10q: %v", hash, err)
	}
}
