package store

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/testenv"
)

func TestBackupMovesEverythingBetweenEngines(t *testing.T) {
	t.Parallel()
	engines := map[string]func(*testing.T) Config{
		"sqlite":   func(t *testing.T) Config { return Config{Path: filepath.Join(t.TempDir(), "stepsies.db")} },
		"postgres": func(t *testing.T) Config { return Config{URL: testenv.Postgres(t)} },
	}
	for from, openFrom := range engines {
		for to, openTo := range engines {
			t.Run(from+" to "+to, func(t *testing.T) {
				t.Parallel()
				ctx := t.Context()
				a, b := openMigrated(t, openFrom(t)), openMigrated(t, openTo(t))
				secret := fillForBackup(t, a)
				var file bytes.Buffer
				if err := a.Backup(ctx, &file); err != nil {
					t.Fatal(err)
				}
				if strings.Contains(file.String(), secret.Reveal()) {
					t.Error("a backup holds a key")
				}
				done, err := b.Restore(ctx, bytes.NewReader(file.Bytes()), false)
				if err != nil {
					t.Fatal(err)
				}
				if done.Revoked != 0 {
					t.Errorf("%d keys came back revoked into an empty installation", done.Revoked)
				}
				var again bytes.Buffer
				if err := b.Backup(ctx, &again); err != nil {
					t.Fatal(err)
				}
				if x, y := tablesOf(t, file.Bytes()), tablesOf(t, again.Bytes()); x != y {
					t.Errorf("a restored backup differs:\n%s\nwant\n%s", y, x)
				}
				checkRestored(t, b, secret)
			})
		}
	}
}

func openMigrated(t *testing.T, c Config) *Store {
	t.Helper()
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func fillForBackup(t *testing.T, s *Store) stepsies.Secret {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	name, email, title := "sarahchen", "sarah@example.com", "Crème brûlée 🍮"
	_, err := s.CreateUser(ctx, byOperator, stepsies.UserChange{Username: &name, Email: &email}, stepsies.AccountChange{})
	must(err)
	must(s.KeepOrigin(ctx, "https://first.example"))
	must(s.KeepOrigin(ctx, "https://second.example")) // the first start has been
	secret := stepsies.NewSecret()
	k, err := s.CreateAPIKey(ctx, byOperator, name, stepsies.KeyChange{Name: &title, Scopes: &[]string{"read"}}, secret)
	must(err)
	must(s.RecordKeyUse(ctx, []KeyUse{{KeyID: k.Value.ID, Day: 3, Requests: 2, LastUsed: s.clock(), LastUsedIP: "::1"}}))
	steps := []stepsies.StepChange{{Title: "One", Content: stepsies.SanitisedContent("<p>Caramelise &amp; wait</p>")}}
	made, err := s.CreateStepsy(ctx, byOperator, name, stepsies.StepsyChange{Title: &title, Steps: &steps, Publish: true})
	must(err)
	slug := "creme"
	_, err = s.UpdateStepsy(ctx, byOperator, made.Value.ID, stepsies.StepsyChange{Slug: &slug})
	must(err)
	must(s.AddCounts(ctx, []Counts{{StepsyID: made.Value.ID, Views: 6, Completions: 2, Ratings: 2, Stars: 9}}))
	must(s.RecordReadings(ctx, []Reading{{StepsyID: made.Value.ID, Reader: 1, Mark: MarkView}, {StepsyID: made.Value.ID, Reader: 1, Mark: 1}}))
	_, err = s.RateStepsy(ctx, byOperator, made.Value.ID, RatingReader{1}, stepsies.Rating{Stars: 4, Comment: "Good"})
	must(err)
	return secret
}

// TestBackupOfAnOlderDatabaseIsRestored takes away what older databases lack, and
// sees that a newer one must not lack it.
func TestBackupOfAnOlderDatabaseIsRestored(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	open := func() *Store { return openMigrated(t, Config{Path: filepath.Join(t.TempDir(), "stepsies.db")}) }
	a := open()
	secret := fillForBackup(t, a)
	var file bytes.Buffer
	if err := a.Backup(ctx, &file); err != nil {
		t.Fatal(err)
	}
	var older []string
	keep := true
	for i, line := range strings.Split(strings.TrimSpace(unzip(t, file.Bytes())), "\n") {
		if strings.HasPrefix(line, `{"table":"`) {
			name, _, _ := strings.Cut(strings.TrimPrefix(line, `{"table":"`), `"`)
			keep = since[name] < 5
		}
		if keep || i == 0 {
			older = append(older, line)
		}
	}
	for version, whole := range map[string]bool{"4": true, "5": false} {
		older[0] = versionInHeader.ReplaceAllString(older[0], `"version":`+version)
		var zipped bytes.Buffer
		w := gzip.NewWriter(&zipped)
		if _, err := io.WriteString(w, strings.Join(older, "\n")+"\n"); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		b := open()
		_, err := b.Restore(ctx, &zipped, false)
		if whole && err == nil {
			checkRestored(t, b, secret)
		} else if whole || err != errNotABackup {
			t.Errorf("a backup of version %s without the tables of version 5: %v", version, err)
		}
	}
}

var versionInHeader = regexp.MustCompile(`"version":[0-9]+`)

// tablesOf is a backup without its header and the record of what restored it.
func tablesOf(t *testing.T, file []byte) string {
	t.Helper()
	lines := strings.Split(unzip(t, file), "\n")[1:]
	i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, `{"table":"activity"`) })
	return strings.Join(lines[:i], "\n")
}

func checkRestored(t *testing.T, s *Store, secret stepsies.Secret) {
	t.Helper()
	ctx := t.Context()
	found, err := s.LookUpKeys(ctx, []stepsies.KeyHash{secret.Hash()})
	if err != nil || len(found) != 1 {
		t.Fatalf("the key is not there: %v, %v", found, err)
	}
	if origin, err := s.Origin(ctx); err != nil || origin != "https://first.example" {
		t.Errorf("the first start was under %q (%v)", origin, err)
	}
	list, err := s.ListStepsies(ctx, StepsyFilter{Author: "sarahchen", Access: stepsies.Access{Everyone: true}, Query: "caram creme", Page: Page{Limit: 5}})
	if err != nil || len(list.Items) != 1 || list.Items[0].Views != 7 {
		t.Fatalf("the restored stepsy is not found: %+v, %v", list, err)
	}
	if old, err := s.StepsyBySlug(ctx, "sarahchen", "creme-brulee", stepsies.Access{}); err != nil || old.Slug != "creme" {
		t.Errorf("the old slug leads to %q, %v", old.Slug, err)
	}
	name, email := "omar", "omar@example.com"
	u, err := s.CreateUser(ctx, byOperator, stepsies.UserChange{Username: &name, Email: &email}, stepsies.AccountChange{})
	if err != nil || u.Value.ID <= found[0].User.ID {
		t.Errorf("a new user after a restore: id %d, %v", u.Value.ID, err)
	}
}

func TestRestoreNeverBringsARevokedKeyBack(t *testing.T) {
	t.Parallel()
	for engine, config := range map[string]func(*testing.T) Config{
		"sqlite":   func(t *testing.T) Config { return Config{Path: filepath.Join(t.TempDir(), "stepsies.db")} },
		"postgres": func(t *testing.T) Config { return Config{URL: testenv.Postgres(t)} },
	} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			s := openMigrated(t, config(t))
			revoked := fillForBackup(t, s)
			name := "other"
			deleted, kept := stepsies.NewSecret(), stepsies.NewSecret()
			if _, err := s.CreateAPIKey(ctx, byOperator, "sarahchen", stepsies.KeyChange{Name: &name, Scopes: &[]string{"read"}}, kept); err != nil {
				t.Fatal(err)
			}
			email := "omar@example.com"
			if _, err := s.CreateUser(ctx, byOperator, stepsies.UserChange{Username: &name, Email: &email}, stepsies.AccountChange{}); err != nil {
				t.Fatal(err)
			}
			if _, err := s.CreateAPIKey(ctx, byOperator, name, stepsies.KeyChange{Name: &name, Scopes: &[]string{"read"}}, deleted); err != nil {
				t.Fatal(err)
			}
			var file bytes.Buffer
			if err := s.Backup(ctx, &file); err != nil {
				t.Fatal(err)
			}
			if _, err := s.RevokeAPIKey(ctx, byOperator, 1); err != nil {
				t.Fatal(err)
			}
			if err := s.DeleteUser(ctx, byOperator, name); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Restore(ctx, bytes.NewReader(file.Bytes()), false); err != nil {
				t.Fatal(err)
			}
			checkStatus(t, s, kept, stepsies.KeyActive)
			checkStatus(t, s, revoked, stepsies.KeyRevoked)
			checkStatus(t, s, deleted, stepsies.KeyRevoked)
			if _, err := s.Restore(ctx, bytes.NewReader(file.Bytes()), true); err != nil {
				t.Fatal(err)
			}
			checkStatus(t, s, kept, stepsies.KeyRevoked)
		})
	}
}

func checkStatus(t *testing.T, s *Store, secret stepsies.Secret, want stepsies.KeyStatus) {
	t.Helper()
	found, err := s.LookUpKeys(t.Context(), []stepsies.KeyHash{secret.Hash()})
	if err != nil || len(found) != 1 {
		t.Fatalf("look up: %v, %v", found, err)
	}
	if got := found[0].Key.Status(s.clock()); got != want {
		t.Errorf("key %s is %s, want %s", found[0].Key.Hint, got, want)
	}
}

func TestABrokenBackupChangesNothing(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := openMigrated(t, Config{Path: filepath.Join(t.TempDir(), "stepsies.db")})
	secret := fillForBackup(t, s)
	var file bytes.Buffer
	if err := s.Backup(ctx, &file); err != nil {
		t.Fatal(err)
	}
	whole := file.Bytes()
	for name, broken := range map[string][]byte{
		"empty": nil, "text": []byte("hello"), "cut": whole[:len(whole)/2], "cut at the end": whole[:len(whole)-9],
	} {
		if _, err := s.Restore(ctx, bytes.NewReader(broken), false); err == nil {
			t.Errorf("a backup that is %s was restored", name)
		}
	}
	checkStatus(t, s, secret, stepsies.KeyActive)
}

// TestEveryTableIsBackedUpOrLeftOutOnPurpose fails when a migration adds a table, or a
// column to one that says what somebody may do, of which nobody thought what becomes of
// it in a backup and a restore.
func TestEveryTableIsBackedUpOrLeftOutOnPurpose(t *testing.T) {
	t.Parallel()
	s := openMigrated(t, Config{Path: filepath.Join(t.TempDir(), "stepsies.db")})
	known := slices.Concat(backedUp, notBackedUp, stays)
	counted := map[string]bool{}
	err := s.read.each(t.Context(), `select name, sql from sqlite_master where type = 'table' and name not like 'sqlite_%'
			and name not like 'stepsy_search_%' and name <> 'goose_db_version'`, nil, func(scan func(...any) error) error {
		var name, ddl string
		if err := scan(&name, &ddl); err != nil {
			return err
		}
		if !slices.Contains(known, name) {
			t.Errorf("the table %s is neither backed up nor left out on purpose: see backuptables.go", name)
		}
		counted[name] = strings.Contains(ddl, "autoincrement")
		known = slices.DeleteFunc(known, func(k string) bool { return k == name })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(known) > 0 {
		t.Errorf("backuptables.go names %v, which are not there", known)
	}
	for _, table := range backedUp {
		if counted[table] != slices.Contains(numbered, table) {
			t.Errorf("the numbers of %s are given by the database: %v; that they are never given twice: %v", table, counted[table], !counted[table])
		}
	}
	for table, columns := range rights {
		known := slices.Collect(maps.Keys(columns))
		if err := s.read.each(t.Context(), `select name from pragma_table_info($1)`, []any{table}, func(scan func(...any) error) error {
			var name string
			if err := scan(&name); err != nil {
				return err
			}
			if !slices.Contains(known, name) {
				t.Errorf("nothing says what a restore gives for %s.%s: see rights in backuptables.go, and keepBack", table, name)
			}
			known = slices.DeleteFunc(known, func(k string) bool { return k == name })
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if len(known) > 0 {
			t.Errorf("rights names the columns %v of %s, which are not there", known, table)
		}
	}
}

func unzip(t *testing.T, file []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
