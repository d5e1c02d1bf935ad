package store

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/testenv"
)

// town is an installation with a few of everything that lets somebody do something.
type town struct {
	*Store
	clock   *clock
	config  Config
	secrets map[string]stepsies.Secret // by name of the key
	ids     map[string]int64           // of keys, by name
	tokens  map[string]TokenHash       // of sessions and links, by what they are
	once    Once                       // of a write that was made
	users   []string                   // whose names are asked for
	draft   int64
}

func newTown(t *testing.T, c Config) *town {
	t.Helper()
	w := &town{
		clock: &clock{now: epoch}, secrets: map[string]stepsies.Secret{}, ids: map[string]int64{}, tokens: map[string]TokenHash{},
		users: []string{"ada", "sarah", "omar", "grace"},
	}
	w.move(t, c)
	for i, name := range w.users {
		role := stepsies.RoleMember
		if i < 2 {
			role = stepsies.RoleAdmin
		}
		w.user(t, name, role)
		w.must(t, w.SetPassword(t.Context(), byOperator, name, "hash of "+name, 0))
	}
	for _, k := range []struct{ name, owner, scopes string }{
		{"readwrite", "sarah", "read write"}, {"admin", "sarah", "admin"}, {"both", "sarah", "read admin"}, {"omars", "omar", "read write"}, {"graces", "grace", "write"},
	} {
		w.key(t, k.name, k.owner, k.scopes, time.Time{})
	}
	w.key(t, "ending", "grace", "read", epoch.Add(30*24*time.Hour))
	sarah := w.find(t, "sarah")
	w.once = Once{UserID: sarah.ID, Key: "once", Route: "POST /v1/stepsies", Body: sha256.Sum256([]byte("x"))}
	write := byOperator
	write.Once = &w.once
	made, err := w.CreateStepsy(t.Context(), write, "sarah", stepsies.StepsyChange{Title: ptr("A draft"), Steps: steps("One")})
	w.must(t, err)
	w.draft = made.Value.ID
	w.must(t, w.AddAccountDays(t.Context(), []AccountDay{{AccountID: sarah.Account.ID, Day: Day(epoch), Requests: 40}}))
	return w
}

// move opens the town on another database. What it keeps is asked for there.
func (w *town) move(t *testing.T, c Config) {
	t.Helper()
	c.Now = w.clock.Now
	w.Store, w.config = openMigrated(t, c), c
}

func (w *town) must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *town) find(t *testing.T, name string) stepsies.User {
	t.Helper()
	u, err := w.User(t.Context(), name)
	w.must(t, err)
	return u
}

func (w *town) user(t *testing.T, name string, role stepsies.Role) {
	t.Helper()
	_, err := w.CreateUser(t.Context(), byOperator, stepsies.UserChange{
		Username: &name, Email: ptr(name + "@example.com"), Role: ptr(string(role)),
	}, stepsies.AccountChange{Plan: ptr("pro")})

	w.must(t, err)
}

func (w *town) key(t *testing.T, name, owner, scopes string, expires time.Time) {
	t.Helper()
	secret := stepsies.NewSecret()
	list := strings.Fields(scopes)
	made, err := w.CreateAPIKey(t.Context(), byOperator, owner, stepsies.KeyChange{Name: &name, Scopes: &list, ExpiresAt: &expires}, secret)
	w.must(t, err)
	w.secrets[name], w.ids[name] = secret, made.Value.ID
}

func (w *town) change(t *testing.T, name string, c stepsies.UserChange) {
	t.Helper()
	_, err := w.UpdateUser(t.Context(), byOperator, name, c)
	w.must(t, err)
}

func (w *town) edit(t *testing.T, key string, c stepsies.KeyChange) {
	t.Helper()
	_, err := w.UpdateAPIKey(t.Context(), byOperator, w.ids[key], c)
	w.must(t, err)
}

// open makes what lives in no backup: a session, an invitation, a reset link, a preview.
func (w *town) open(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	for i, kind := range []LinkKind{LinkInvitation, LinkPassword, LinkEmail} {
		l := Link{Kind: kind, Email: "new@example.com", Role: stepsies.RoleAdmin}
		if kind != LinkInvitation {
			sarah := w.find(t, "sarah")
			l = Link{Kind: kind, UserID: sarah.ID, Email: sarah.Email}
		}
		w.tokens[string(kind)] = TokenHash{byte(i + 1)}
		w.must(t, w.CreateLink(ctx, byOperator, l, w.tokens[string(kind)], 24*365*time.Hour))
	}
	w.tokens["preview"] = TokenHash{9}
	w.must(t, w.MakePreviewLink(ctx, byOperator, w.draft, w.tokens["preview"]))
}

// rights lists what can be done in the town, one line each.
func (w *town) rights(t *testing.T) map[string]bool {
	t.Helper()
	ctx, can := t.Context(), map[string]bool{}
	for name, secret := range w.secrets {
		found, err := w.LookUpKeys(ctx, []stepsies.KeyHash{secret.Hash()})
		w.must(t, err)
		for _, b := range found {
			for _, later := range []time.Duration{0, time.Hour, 7 * 24 * time.Hour, 365 * 24 * time.Hour} {
				for _, need := range []stepsies.Scope{stepsies.ScopeRead, stepsies.ScopeWrite, stepsies.ScopeAdmin} {
					if b.Works(w.Store.clock().Add(later)) && b.Key.Scopes.Holdable(b.User.Role).Allow(need) {
						can[fmt.Sprintf("key %s: %s in %s", name, need, later)] = true
					}
				}
			}
		}
	}
	for _, name := range w.users {
		u, hash, err := w.PasswordHash(ctx, name)
		if stepsies.CodeOf(err) == stepsies.CodeNotFound {
			continue
		}
		w.must(t, err)
		if u.Suspended() {
			continue
		}
		can["user "+name+" acts"] = true
		can["user "+name+": password "+hash] = true
		can["user "+name+": address "+u.Email] = true
		if !u.EmailVerifiedAt.IsZero() {
			can["user "+name+": address is proved"] = true
		}
		if u.Role == stepsies.RoleAdmin {
			can["user "+name+" administers"] = true
		}
		if u.Plan != stepsies.PlanFree {
			can["user "+name+" has a plan"] = true
		}
	}
	for kind, hash := range w.tokens {
		var err error
		if kind == "preview" {
			_, err = w.StepsyByPreviewLink(ctx, hash)
		} else {
			_, err = w.LinkByToken(ctx, LinkKind(kind), hash)
		}
		if err == nil {
			can["once: "+kind] = true
		} else {
			wantCode(t, err, stepsies.CodeNotFound)
		}
	}
	return can
}

// end is a way in which a right ends.
type end struct {
	name string
	do   func(t *testing.T, w *town)
}

var ends = []end{
	{"nothing", func(t *testing.T, w *town) {}},
	{"key revoked", func(t *testing.T, w *town) {
		_, err := w.RevokeAPIKey(t.Context(), byOperator, w.ids["readwrite"])
		w.must(t, err)
	}},
	{"key expired by time", func(t *testing.T, w *town) { w.clock.forward(31 * 24 * time.Hour) }},
	{"expiry moved into the past", func(t *testing.T, w *town) {
		w.edit(t, "omars", stepsies.KeyChange{ExpiresAt: ptr(epoch.Add(-time.Hour))})
	}},
	{"expiry brought forward", func(t *testing.T, w *town) {
		w.edit(t, "ending", stepsies.KeyChange{ExpiresAt: ptr(epoch.Add(2 * time.Hour))})
	}},
	{"expiry put off", func(t *testing.T, w *town) { w.edit(t, "ending", stepsies.KeyChange{ExpiresAt: ptr(time.Time{})}) }},
	{"scopes narrowed", func(t *testing.T, w *town) {
		w.edit(t, "readwrite", stepsies.KeyChange{Scopes: &[]string{"read"}})
		w.edit(t, "admin", stepsies.KeyChange{Scopes: &[]string{"write"}})
	}},
	{"scopes exchanged", func(t *testing.T, w *town) { w.edit(t, "graces", stepsies.KeyChange{Scopes: &[]string{"read"}}) }},
	{"scopes widened", func(t *testing.T, w *town) { w.edit(t, "readwrite", stepsies.KeyChange{Scopes: &[]string{"admin"}}) }},
	{"narrowed to admin and demoted", func(t *testing.T, w *town) {
		w.edit(t, "both", stepsies.KeyChange{Scopes: &[]string{"admin"}})
		w.change(t, "sarah", stepsies.UserChange{Role: ptr("member")})
	}},
	{"rotated away", func(t *testing.T, w *town) {
		_, err := w.RotateAPIKey(t.Context(), byOperator, w.ids["readwrite"], 0, stepsies.NewSecret())
		w.must(t, err)
	}},
	{"rotated with a grace period", func(t *testing.T, w *town) {
		_, err := w.RotateAPIKey(t.Context(), byOperator, w.ids["readwrite"], 24*time.Hour, stepsies.NewSecret())
		w.must(t, err)
	}},
	{"leaked", func(t *testing.T, w *town) {
		_, err := w.RevokeLeaked(t.Context(), byOperator, []stepsies.KeyHash{w.secrets["admin"].Hash(), w.secrets["omars"].Hash()}, "https://example.com/paste")
		w.must(t, err)
	}},
	{"suspended", func(t *testing.T, w *town) { w.change(t, "omar", stepsies.UserChange{Suspended: ptr(true)}) }},
	{"demoted", func(t *testing.T, w *town) { w.change(t, "sarah", stepsies.UserChange{Role: ptr("member")}) }},
	{"promoted", func(t *testing.T, w *town) { w.change(t, "grace", stepsies.UserChange{Role: ptr("admin")}) }},
	{"deleted", func(t *testing.T, w *town) { w.must(t, w.DeleteUser(t.Context(), byOperator, "omar")) }},
	{"deleted, and another of that name and address", func(t *testing.T, w *town) {
		w.must(t, w.DeleteUser(t.Context(), byOperator, "omar"))
		w.user(t, "hopper", stepsies.RoleMember)
		w.change(t, "grace", stepsies.UserChange{Email: ptr("omar@example.com")})
	}},
	{"password changed", func(t *testing.T, w *town) {
		w.must(t, w.SetPassword(t.Context(), byOperator, "sarah", "hash of a new one", 0))
	}},
	{"password reset by a link", func(t *testing.T, w *town) {
		_, err := w.ResetPassword(t.Context(), "", w.tokens[string(LinkPassword)], "hash of another one")
		w.must(t, err)
	}},
	{"address changed", func(t *testing.T, w *town) { w.change(t, "sarah", stepsies.UserChange{Email: ptr("chen@example.com")}) }},
	{"addresses exchanged", func(t *testing.T, w *town) {
		w.change(t, "sarah", stepsies.UserChange{Email: ptr("between@example.com")})
		w.change(t, "grace", stepsies.UserChange{Email: ptr("sarah@example.com")})
		w.change(t, "sarah", stepsies.UserChange{Email: ptr("grace@example.com")})
	}},
	{"invitation taken back", func(t *testing.T, w *town) {
		list, err := w.ListInvitations(t.Context(), 5)
		w.must(t, err)
		w.must(t, w.EndInvitation(t.Context(), byOperator, list[0].ID))
	}},
	{"invitation used", func(t *testing.T, w *town) {
		_, err := w.SignUp(t.Context(), "", stepsies.UserChange{Username: ptr("lin"), Email: ptr("new@example.com")}, "hash", LinkInvitation, w.tokens[string(LinkInvitation)])
		w.must(t, err)
	}},
	{"preview link ended", func(t *testing.T, w *town) { w.must(t, w.EndPreviewLink(t.Context(), byOperator, w.draft)) }},
	{"plan lowered", func(t *testing.T, w *town) {
		_, err := w.UpdateUserAndAccount(t.Context(), byOperator, "sarah", stepsies.UserChange{}, stepsies.AccountChange{Plan: ptr("free")})
		w.must(t, err)
	}},
	{"the only key revoked and all users but one deleted", func(t *testing.T, w *town) {
		_, err := w.RevokeAPIKey(t.Context(), byOperator, w.ids["readwrite"])
		w.must(t, err)
		for _, name := range []string{"sarah", "omar", "grace"} {
			w.must(t, w.DeleteUser(t.Context(), byOperator, name))
		}
	}},
}

// route is where a backup is made, and where it is restored.
type route struct{ name, from, to string }

var routes = []route{
	{"within SQLite", "sqlite", ""}, {"within PostgreSQL", "postgres", ""},
	{"from SQLite to PostgreSQL", "sqlite", "postgres"}, {"from PostgreSQL to SQLite", "postgres", "sqlite"},
}

func newDatabase(t *testing.T, engine string) Config {
	if engine == "postgres" {
		return Config{URL: testenv.Postgres(t), MaxConns: 4}
	}
	return Config{Path: filepath.Join(t.TempDir(), "stepsies.db")}
}

// TestNoRestoreGivesMore ends a right in each way after a backup was made, restores it,
// and compares what can be done then with what could be done just before, and in the
// backup: nothing that ended is back, and nothing else is lost.
func TestNoRestoreGivesMore(t *testing.T) {
	t.Parallel()
	for _, r := range routes {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			w := newTown(t, newDatabase(t, r.from))
			file, inBackup := w.backUp(t), w.rights(t)
			if r.to != "" { // the installation has moved since
				w.move(t, newDatabase(t, r.to))
			}
			for _, e := range ends {
				t.Run(e.name, func(t *testing.T) {
					w.begin(t, file)
					if got := w.rights(t); !maps.Equal(got, inBackup) {
						t.Fatalf("restored where nothing was known: %s", differ(inBackup, got))
					}
					w.open(t)
					e.do(t, w)
					before := w.rights(t)
					done := w.restore(t, file, false)
					compareRights(t, inBackup, before, w.rights(t))
					if e.name == "nothing" && len(done.KeptBack) > 0 {
						t.Errorf("nothing ended, and kept back is %v", done.KeptBack)
					}
					w.checkKeptBack(t, done)
				})
			}
		})
	}
}

// begin has everything as it is in the backup, in an installation of its name that
// knows of nothing that was done to it since.
func (w *town) begin(t *testing.T, file []byte) {
	t.Helper()
	w.clock.set(epoch)
	if _, err := w.write.db.ExecContext(t.Context(), `update installation set id = 'another'`); err != nil {
		t.Fatal(err)
	}
	if done := w.restore(t, file, false); done.Known || len(done.KeptBack) > 0 {
		t.Fatalf("another installation knows what ended: %+v", done)
	}
}

// compareRights sees that a restore gave nothing back, and took nothing else.
func compareRights(t *testing.T, inBackup, before, after map[string]bool) {
	t.Helper()
	for can := range after {
		if !before[can] {
			t.Errorf("the restore gives %q", can)
		}
	}
	for can := range before {
		lasting := inBackup[can] || strings.Contains(can, ": password ") || strings.Contains(can, "@")
		if lasting && !after[can] && actsIn(inBackup, can) {
			t.Errorf("the restore takes %q", can)
		}
	}
}

// actsIn reports whether what a user can do is of one who could act in the backup.
func actsIn(inBackup map[string]bool, can string) bool {
	user, _, ok := strings.Cut(can, ":")
	return !ok || !strings.HasPrefix(user, "user ") || inBackup[user+" acts"]
}

func differ(want, got map[string]bool) string {
	var d []string
	for can := range want {
		if !got[can] {
			d = append(d, "- "+can)
		}
	}
	for can := range got {
		if !want[can] {
			d = append(d, "+ "+can)
		}
	}
	slices.Sort(d)
	return strings.Join(d, "\n")
}

func (w *town) backUp(t *testing.T) []byte {
	t.Helper()
	var file bytes.Buffer
	w.must(t, w.Backup(t.Context(), &file))
	return file.Bytes()
}

func (w *town) restore(t *testing.T, file []byte, revokeAll bool) Restored {
	t.Helper()
	done, err := w.Restore(t.Context(), bytes.NewReader(file), revokeAll)
	w.must(t, err)
	return done
}

// checkKeptBack sees that each row is in the record of activity, with whom it is about,
// and holds no secret.
func (w *town) checkKeptBack(t *testing.T, done Restored) {
	t.Helper()
	page, err := w.ListActivity(t.Context(), ActivityFilter{Access: everyone, Page: Page{Limit: 100}})
	w.must(t, err)
	noted := 0
	for _, a := range page.Items {
		if strings.HasSuffix(string(a.Action), ".keep_back") {
			noted++
		}
	}
	if noted != len(done.KeptBack) {
		t.Errorf("%d rows were kept back, %d are in the record", len(done.KeptBack), noted)
	}
	for _, k := range done.KeptBack {
		if k.User == "" || len(k.Reason) == 0 || k.Kind == "api_key" && (k.Hint == "" || k.Name == "") {
			t.Errorf("a row does not say what was kept back: %+v", k)
		}
		for _, secret := range w.secrets {
			hash := secret.Hash()
			if text := fmt.Sprint(k); strings.Contains(text, secret.Reveal()) || strings.Contains(text, string(hash[:])) || strings.Contains(text, "hash of") {
				t.Errorf("a row holds a secret: %+v", k.ID)
			}
		}
	}
}

// set puts the clock back, for a test that begins again.
func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = at
}
