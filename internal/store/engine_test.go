package store

import (
	"context"
	"crypto/sha256"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/testenv"
)

// guarantee is one test of the suite that every engine must pass.
type guarantee struct {
	name string
	test func(t *testing.T, f *fixture)
}

// suite is everything that the store promises, whatever is beneath it.
func suite() []guarantee {
	var all []guarantee
	for _, part := range [][]guarantee{
		portableSQL, users, accounts, keys, keyRules, stepsyWrites, slugs, lists, searches, idempotency, races, activity, usage, purging,
		migrating, plans, signIns, emailChanges, trashed, keyLists, overviews, readings, publics, previewLinks, authority, makers,
	} {
		all = append(all, part...)
	}
	return all
}

// TestMain lets PostgreSQL do without fsync: nothing here is about the loss of power.
func TestMain(m *testing.M) {
	if err := os.Setenv(testenv.FastVariable, "1"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func TestOnSQLite(t *testing.T) {
	t.Parallel()
	runSuite(t, "sqlite", func(t *testing.T) Config {
		return Config{Path: filepath.Join(t.TempDir(), "stepsies.db")}
	})
}

func TestOnPostgreSQL(t *testing.T) {
	t.Parallel()
	runSuite(t, "postgres", func(t *testing.T) Config { return Config{URL: testenv.Postgres(t), MaxConns: 10} })
}

// TestThroughPgBouncer runs everything through a pooler in transaction mode, where
// two statements outside a transaction may run in two sessions.
func TestThroughPgBouncer(t *testing.T) {
	t.Parallel()
	pooler, err := url.Parse(testenv.PgBouncer(t, testenv.Postgres(t)))
	if err != nil {
		t.Fatal(err)
	}
	runSuite(t, "pgbouncer", func(t *testing.T) Config {
		u, err := url.Parse(testenv.Postgres(t))
		if err != nil {
			t.Fatal(err)
		}
		u.Host = pooler.Host
		return Config{URL: u.String(), MaxConns: 10}
	})
}

func runSuite(t *testing.T, engine string, database func(*testing.T) Config) {
	for _, g := range suite() {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			g.test(t, newFixture(t, engine, database(t)))
		})
	}
}

// epoch is when every test begins.
var epoch = time.Date(2026, time.March, 14, 9, 26, 53, 589_000_000, time.UTC)

// clock is moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) forward(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}

// fixture is a new, migrated database and a store on it.
type fixture struct {
	*Store
	engine string // "sqlite", "postgres" or "pgbouncer"
	config Config
	clock  *clock
}

// open opens another store on the same database, as another node of PostgreSQL
// would. A SQLite database has one owner.
func (f *fixture) open(t testing.TB) *Store {
	t.Helper()
	config := f.config
	config.Now = f.clock.Now
	s, err := Open(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// pick returns what differs between the engines' own SQL.
func (f *fixture) pick(sqlite, postgres string) string {
	if f.engine == "sqlite" {
		return sqlite
	}
	return postgres
}

// raw runs a statement beside the store's own methods.
func (f *fixture) raw(t testing.TB, statement string, args ...any) {
	t.Helper()
	if _, err := f.write.db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// count asks for a single number.
func (f *fixture) count(t testing.TB, query string, args ...any) int64 {
	t.Helper()
	var n int64
	if err := f.write.db.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// byOperator is a write of the operator.
var byOperator = Write{Actor: stepsies.Actor{Kind: stepsies.ActorOperator}}

// by is a write of a user in the session that user began with.
func by(u stepsies.User) Write {
	return Write{
		Actor: stepsies.Actor{Kind: stepsies.ActorSession, UserID: u.ID, Username: u.Username, IP: "192.0.2.7"},
		Right: Right{SessionID: -u.ID, Token: sha256.Sum256([]byte(u.Username))},
	}
}

// signIn gives a user the session of by, which ends long after every test and has an id
// that no engine gives.
func (f *fixture) signIn(t testing.TB, u stepsies.User) {
	t.Helper()
	hash := sha256.Sum256([]byte(u.Username))
	f.raw(t, `insert into sessions (id, user_id, token_hash, ip, user_agent, created_at, last_seen_at, expires_at)
		values ($1, $2, $3, '192.0.2.7', 'a browser', 0, 0, $4)`, -u.ID, u.ID, hash[:], epoch.AddDate(10, 0, 0).UnixMilli())
}

var everyone = stepsies.Access{Everyone: true}

func of(u stepsies.User) stepsies.Access { return stepsies.Access{UserID: u.ID} }

// ptr is short for the many optional fields of a change.
func ptr[T any](v T) *T { return &v }

// user makes a user of that name.
func (f *fixture) user(t testing.TB, name string, role stepsies.Role) stepsies.User {
	t.Helper()
	out, err := f.CreateUser(t.Context(), byOperator, stepsies.UserChange{
		Username: &name, Email: ptr(name + "@example.com"), Role: ptr(string(role)),
	}, stepsies.AccountChange{})

	if err != nil {
		t.Fatal(err)
	}
	f.signIn(t, out.Value)
	return out.Value
}

// member makes a user without the role admin.
func (f *fixture) member(t testing.TB, name string) stepsies.User {
	t.Helper()
	return f.user(t, name, stepsies.RoleMember)
}

// key makes a key of a user.
func (f *fixture) key(t testing.TB, owner stepsies.User, scopes ...string) (stepsies.APIKey, stepsies.Secret) {
	t.Helper()
	secret := stepsies.NewSecret()
	out, err := f.CreateAPIKey(t.Context(), by(owner), owner.Username, stepsies.KeyChange{Name: ptr("a key"), Scopes: &scopes}, secret)
	if err != nil {
		t.Fatal(err)
	}
	return out.Value, secret
}

// stepsy makes a stepsy with one step.
func (f *fixture) stepsy(t testing.TB, author stepsies.User, title string) stepsies.Stepsy {
	t.Helper()
	return f.stepsyWith(t, author, stepsies.StepsyChange{Title: &title, Steps: steps("The one step")})
}

func (f *fixture) stepsyWith(t testing.TB, author stepsies.User, want stepsies.StepsyChange) stepsies.Stepsy {
	t.Helper()
	out, err := f.CreateStepsy(t.Context(), by(author), author.Username, want)
	if err != nil {
		t.Fatal(err)
	}
	return out.Value
}

// steps are new steps with these titles.
func steps(titles ...string) *[]stepsies.StepChange {
	list := make([]stepsies.StepChange, len(titles))
	for i, title := range titles {
		list[i] = stepsies.StepChange{Title: title, Content: stepsies.SanitisedContent("<p>" + title + "</p>")}
	}
	return &list
}

// wantCode fails the test unless err has the code.
func wantCode(t *testing.T, err error, want stepsies.Code) {
	t.Helper()
	if got := stepsies.CodeOf(err); got != want {
		t.Errorf("the error is %q (%v), want the code %q", got, err, want)
	}
}

// must returns the value of a call that has to work.
func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
