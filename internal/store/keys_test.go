package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

var keys = []guarantee{
	{"KeyIsReadBackAsMade", testKeyRoundTrip},
	{"SecretIsStoredNowhere", testSecretNowhere},
	{"KeysOfOthersAreNotFound", testKeyAccess},
	{"KeyPagesLoseAndDoubleNone", testKeyPages},
	{"LookUpFindsAllAndOnlyTheKeysAskedFor", testLookUp},
	{"LookUpSeesWhatWasCommittedBefore", testLookUpIsFresh},
}

var keyRules = []guarantee{
	{"KeyEditChangesAllButTheSecret", testUpdateKey},
	{"RevokedKeyStaysRevoked", testRevokedStays},
	{"RotationHandsOverAndEndsTheOldKey", testRotate},
	{"AdminScopeIsForAdminsOnEveryWay", testEscalation},
	{"LeakReportEndsEveryLiveKey", testLeaked},
}

func testKeyRoundTrip(t *testing.T, f *fixture) {
	u := f.user(t, "sarah", stepsies.RoleAdmin)
	secret := stepsies.NewSecret()
	out, err := f.CreateAPIKey(t.Context(), by(u), "Sarah", stepsies.KeyChange{
		Name: ptr("CI → 日本"), Description: ptr("Two\nlines"), Scopes: &[]string{"admin", "read"}, ExpiresAt: ptr(epoch.Add(90 * time.Minute)),
	}, secret)
	if err != nil {
		t.Fatal(err)
	}
	want := stepsies.APIKey{
		ID: out.Value.ID, UserID: u.ID, Username: "sarah", Name: "CI → 日本", Description: "Two\nlines",
		Scopes: stepsies.ScopesOf(stepsies.ScopeRead, stepsies.ScopeAdmin), Hint: secret.Hint(), CreatedAt: epoch,
		ExpiresAt: epoch.Add(90 * time.Minute).Truncate(time.Second),
	}
	if out.Value != want || out.Value.ID == 0 {
		t.Errorf("made %+v, want %+v", out.Value, want)
	}
	for name, access := range map[string]stepsies.Access{"its owner": of(u), "an admin": everyone} {
		if read, err := f.APIKey(t.Context(), want.ID, access); err != nil || read != want {
			t.Errorf("%s reads %+v (%v), want %+v", name, read, err, want)
		}
	}
	list, err := f.ListAPIKeys(t.Context(), of(u), "", Page{Limit: 5})
	if err != nil || len(list.Items) != 1 || list.Items[0] != want || list.Next != "" {
		t.Errorf("the list is %+v (%v)", list, err)
	}
	_, err = f.CreateAPIKey(t.Context(), by(u), "nobody", stepsies.KeyChange{Name: ptr("n"), Scopes: &[]string{"read"}}, stepsies.NewSecret())
	wantCode(t, err, stepsies.CodeNotFound)
}

// testSecretNowhere looks into every text of every table, the answers that are kept
// for idempotent requests too.
func testSecretNowhere(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	w := by(u)
	w.Once = &Once{UserID: u.ID, Key: "k1", Route: "POST /v1/api-keys"}
	first := stepsies.NewSecret()
	made, err := f.CreateAPIKey(t.Context(), w, "sarah", stepsies.KeyChange{Name: ptr("n"), Scopes: &[]string{"read"}}, first)
	if err != nil {
		t.Fatal(err)
	}
	w.Once = &Once{UserID: u.ID, Key: "k2", Route: "POST /v1/api-keys/1/rotate"}
	next := stepsies.NewSecret()
	if _, err := f.RotateAPIKey(t.Context(), w, made.Value.ID, of(u), time.Hour, next); err != nil {
		t.Fatal(err)
	}
	w.Once = nil
	if _, err := f.RevokeLeaked(t.Context(), w, []stepsies.KeyHash{first.Hash()}, "https://example.com/paste"); err != nil {
		t.Fatal(err)
	}
	looked := 0
	for _, table := range f.tables(t) {
		rows, err := f.read.db.QueryContext(t.Context(), `select * from `+table)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values, dest := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				dest[i] = &values[i]
			}
			if err := rows.Scan(dest...); err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprintf("%s", values)
			for _, secret := range []stepsies.Secret{first, next} {
				// The hint shows 4 and 4 of the 48 digits; what lies between is nowhere.
				if strings.Contains(text, secret.Reveal()[7:20]) || strings.Contains(text, secret.Reveal()[20:47]) {
					t.Errorf("a row of %s holds a part of a key", table)
				}
			}
			looked++
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	if looked < 8 {
		t.Errorf("only %d rows were looked at", looked)
	}
}

func testKeyAccess(t *testing.T, f *fixture) {
	sarah, mike := f.member(t, "sarah"), f.member(t, "mike")
	k, _ := f.key(t, sarah, "read")
	_, err := f.APIKey(t.Context(), k.ID, of(mike))
	wantCode(t, err, stepsies.CodeNotFound)
	_, err = f.APIKey(t.Context(), k.ID+1, everyone)
	wantCode(t, err, stepsies.CodeNotFound)
	_, err = f.UpdateAPIKey(t.Context(), by(mike), k.ID, of(mike), stepsies.KeyChange{Name: ptr("mine")})
	wantCode(t, err, stepsies.CodeNotFound)
	_, err = f.RevokeAPIKey(t.Context(), by(mike), k.ID, of(mike))
	wantCode(t, err, stepsies.CodeNotFound)
	_, err = f.RotateAPIKey(t.Context(), by(mike), k.ID, of(mike), 0, stepsies.NewSecret())
	wantCode(t, err, stepsies.CodeNotFound)
	if list, err := f.ListAPIKeys(t.Context(), of(mike), "sarah", Page{Limit: 5}); err != nil || len(list.Items) != 0 {
		t.Errorf("another's keys are listed: %+v (%v)", list.Items, err)
	}
	if read, err := f.APIKey(t.Context(), k.ID, of(sarah)); err != nil || read != k {
		t.Errorf("after all that the key is %+v (%v), want %+v", read, err, k)
	}
}

func testKeyPages(t *testing.T, f *fixture) {
	sarah, mike := f.member(t, "sarah"), f.member(t, "mike")
	var all, sarahs []int64
	for i := range 12 {
		owner := sarah
		if i%3 == 0 {
			owner = mike
		}
		k, _ := f.key(t, owner, "read")
		all = append(all, k.ID)
		if owner == sarah {
			sarahs = append(sarahs, k.ID)
		}
	}
	slices.Reverse(all)
	slices.Reverse(sarahs)
	for _, c := range []struct {
		access stepsies.Access
		owner  string
		want   []int64
	}{{everyone, "", all}, {everyone, "Sarah", sarahs}, {of(sarah), "", sarahs}, {of(sarah), "sarah", sarahs}} {
		for _, limit := range []int{1, 4, 5, 12, 100} {
			var got []int64
			page := Page{Limit: limit}
			for range 20 {
				list, err := f.ListAPIKeys(t.Context(), c.access, c.owner, page)
				if err != nil {
					t.Fatal(err)
				}
				for _, k := range list.Items {
					got = append(got, k.ID)
				}
				if page.Cursor = list.Next; page.Cursor == "" {
					break
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%+v %q by %d: %v, want %v", c.access, c.owner, limit, got, c.want)
			}
		}
	}
	_, err := f.ListAPIKeys(t.Context(), everyone, "nobody", Page{Limit: 5})
	wantCode(t, err, stepsies.CodeNotFound)
}

func testLookUp(t *testing.T, f *fixture) {
	u := f.user(t, "sarah", stepsies.RoleAdmin)
	if _, err := f.UpdateUser(t.Context(), byOperator, "sarah", stepsies.UserChange{Plan: ptr("enterprise"), Limits: &stepsies.Limits{Minute: 5}}); err != nil {
		t.Fatal(err)
	}
	known := map[stepsies.KeyHash]stepsies.APIKey{}
	var hashes []stepsies.KeyHash
	for range 20 {
		k, secret := f.key(t, u, "read", "admin")
		known[secret.Hash()] = k
		hashes = append(hashes, secret.Hash(), stepsies.NewSecret().Hash())
	}
	for _, n := range []int{1, 2, 3, 4, 5, 15, 16, 17, 40} {
		found, err := f.LookUpKeys(t.Context(), hashes[:n])
		if err != nil || len(found) != (n+1)/2 {
			t.Errorf("of %d keys %d are found (%v), want %d", n, len(found), err, (n+1)/2)
		}
		for _, b := range found {
			k := known[b.Hash]
			if b.Key.ID != k.ID || b.Key.Scopes != k.Scopes || b.Key.Hint != k.Hint || b.Key.Name != k.Name || b.Key.CreatedAt != k.CreatedAt ||
				b.Key.UserID != u.ID || b.User.Username != "sarah" || b.User.Role != stepsies.RoleAdmin || b.User.AccountID != u.AccountID ||
				b.User.Limits() != (stepsies.Limits{Minute: 5}) {
				t.Errorf("found %+v for %+v", b, k)
			}
		}
	}
	for _, bad := range [][]stepsies.KeyHash{nil, make([]stepsies.KeyHash, MaxLookup+1)} {
		if _, err := f.LookUpKeys(t.Context(), bad); err == nil {
			t.Errorf("%d hashes were looked up", len(bad))
		}
	}
}

// testLookUpIsFresh makes changes on one node and looks each one up on another. A
// SQLite database has one node.
func testLookUpIsFresh(t *testing.T, f *fixture) {
	u := f.user(t, "sarah", stepsies.RoleAdmin)
	f.user(t, "other", stepsies.RoleAdmin)
	node := f.Store
	if f.engine != "sqlite" {
		node = f.open(t)
	}
	look := func(secret stepsies.Secret) Bearer {
		t.Helper()
		found, err := node.LookUpKeys(t.Context(), []stepsies.KeyHash{secret.Hash()})
		if err != nil || len(found) != 1 {
			t.Fatalf("found %d keys (%v)", len(found), err)
		}
		return found[0]
	}
	for range 20 {
		k, secret := f.key(t, u, "read", "write")
		if b := look(secret); b.Key.ID != k.ID {
			t.Fatal("a key that was just made is not found")
		}
		if _, err := f.UpdateAPIKey(t.Context(), by(u), k.ID, of(u), stepsies.KeyChange{Scopes: &[]string{"read"}}); err != nil {
			t.Fatal(err)
		}
		if b := look(secret); b.Key.Scopes != stepsies.ScopesOf(stepsies.ScopeRead) {
			t.Errorf("a scope that was taken is still there: %s", b.Key.Scopes)
		}
		if _, err := f.UpdateUser(t.Context(), byOperator, "sarah", stepsies.UserChange{Suspended: ptr(true)}); err != nil {
			t.Fatal(err)
		}
		if !look(secret).User.Suspended() {
			t.Error("the suspension is not seen")
		}
		if _, err := f.UpdateUser(t.Context(), byOperator, "sarah", stepsies.UserChange{Suspended: ptr(false), Role: ptr("member")}); err != nil {
			t.Fatal(err)
		}
		if b := look(secret); b.User.Suspended() || b.User.Role != stepsies.RoleMember {
			t.Errorf("the user is seen as %+v", b.User)
		}
		if _, err := f.UpdateUser(t.Context(), byOperator, "sarah", stepsies.UserChange{Role: ptr("admin")}); err != nil {
			t.Fatal(err)
		}
		if _, err := f.RevokeAPIKey(t.Context(), by(u), k.ID, of(u)); err != nil {
			t.Fatal(err)
		}
		if look(secret).Key.RevokedAt != epoch {
			t.Error("the revocation is not seen")
		}
	}
}

func testUpdateKey(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	k, secret := f.key(t, u, "read")
	out, err := f.UpdateAPIKey(t.Context(), by(u), k.ID, of(u), stepsies.KeyChange{
		Name: ptr("b"), Description: ptr("d"), Scopes: &[]string{"write", "read"}, ExpiresAt: ptr(epoch.Add(time.Hour)),
	})
	want := k
	want.Name, want.Description, want.Scopes = "b", "d", stepsies.ScopesOf(stepsies.ScopeRead, stepsies.ScopeWrite)
	want.ExpiresAt = epoch.Add(time.Hour).Truncate(time.Second)
	if err != nil || out.Value != want {
		t.Errorf("updated %+v (%v), want %+v", out.Value, err, want)
	}
	if read, err := f.APIKey(t.Context(), k.ID, of(u)); err != nil || read != want {
		t.Errorf("read %+v (%v), want %+v", read, err, want)
	}
	rows := f.count(t, `select count(*) from activity`)
	same := stepsies.KeyChange{Name: ptr("b"), ExpiresAt: ptr(epoch.Add(time.Hour).In(time.FixedZone("east", 3600)))}
	if out, err := f.UpdateAPIKey(t.Context(), by(u), k.ID, of(u), same); err != nil || out.Value != want {
		t.Errorf("a change that changes nothing gave %+v (%v)", out.Value, err)
	}
	if f.count(t, `select count(*) from activity`) != rows {
		t.Error("a change that changes nothing was recorded")
	}
	_, err = f.UpdateAPIKey(t.Context(), by(u), k.ID, of(u), stepsies.KeyChange{Name: ptr(""), Scopes: &[]string{}})
	wantCode(t, err, stepsies.CodeValidation)
	// An expired key comes back when its expiry is moved.
	for _, at := range []time.Time{epoch.Add(-time.Hour), {}} {
		if _, err := f.UpdateAPIKey(t.Context(), by(u), k.ID, of(u), stepsies.KeyChange{ExpiresAt: &at}); err != nil {
			t.Fatal(err)
		}
		found, err := f.LookUpKeys(t.Context(), []stepsies.KeyHash{secret.Hash()})
		if err != nil || len(found) != 1 || found[0].Key.ExpiresAt != at.Truncate(time.Second) {
			t.Errorf("the expiry %v is looked up as %+v (%v)", at, found, err)
		}
	}
}

// testRevokedStays tries everything that writes to a key on one that is revoked.
func testRevokedStays(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	k, secret := f.key(t, u, "read")
	out, err := f.RevokeAPIKey(t.Context(), by(u), k.ID, of(u))
	if err != nil || out.Value.RevokedAt != epoch || out.Value.Reason != stepsies.RevokedByHand {
		t.Fatalf("revoked %+v (%v)", out.Value, err)
	}
	f.clock.forward(time.Hour)
	rows := f.count(t, `select count(*) from activity`)
	if again, err := f.RevokeAPIKey(t.Context(), by(u), k.ID, of(u)); err != nil || again.Value != out.Value {
		t.Errorf("revoked again: %+v (%v)", again.Value, err)
	}
	if n, err := f.RevokeLeaked(t.Context(), byOperator, []stepsies.KeyHash{secret.Hash()}, ""); err != nil || n != 0 {
		t.Errorf("a leak report revoked %d keys again (%v)", n, err)
	}
	if f.count(t, `select count(*) from activity`) != rows {
		t.Error("a second revocation was recorded")
	}
	_, err = f.UpdateAPIKey(t.Context(), by(u), k.ID, of(u), stepsies.KeyChange{ExpiresAt: ptr(epoch.Add(time.Hour))})
	wantCode(t, err, stepsies.CodeConflict)
	_, err = f.RotateAPIKey(t.Context(), by(u), k.ID, of(u), time.Hour, stepsies.NewSecret())
	wantCode(t, err, stepsies.CodeConflict)
	if err := f.RecordKeyUse(t.Context(), []KeyUse{{KeyID: k.ID, Day: Day(epoch), Requests: 1, LastUsed: epoch, LastUsedIP: "192.0.2.7"}}); err != nil {
		t.Fatal(err)
	}
	// A writer that read the key before it was revoked writes over nothing either.
	stale := k
	stale.Name = "back"
	if err := f.transact(t.Context(), func(t2 *tx) error { return t2.updateKey(t.Context(), stale) }); err != nil {
		t.Fatal(err)
	}
	read, err := f.APIKey(t.Context(), k.ID, of(u))
	if err != nil || read.RevokedAt != epoch || read.Name != k.Name || read.Status(epoch) != stepsies.KeyRevoked {
		t.Errorf("the revoked key is %+v (%v)", read, err)
	}
}

func testRotate(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	old, oldSecret := f.key(t, u, "read", "write")
	if _, err := f.UpdateAPIKey(t.Context(), by(u), old.ID, of(u), stepsies.KeyChange{Description: ptr("d"), ExpiresAt: ptr(epoch.Add(48 * time.Hour))}); err != nil {
		t.Fatal(err)
	}
	now := f.clock.forward(time.Hour)
	secret := stepsies.NewSecret()
	out, err := f.RotateAPIKey(t.Context(), by(u), old.ID, of(u), 24*time.Hour, secret)
	if err != nil {
		t.Fatal(err)
	}
	next := out.Value
	if next.ID == old.ID || next.Hint != secret.Hint() || next.Name != old.Name || next.Description != "d" || next.Scopes != old.Scopes ||
		next.RotatedFrom != old.ID || next.CreatedAt != now || next.ExpiresAt.Sub(now.Add(48*time.Hour)).Abs() > time.Second {
		t.Errorf("the successor is %+v", next)
	}
	if read, err := f.APIKey(t.Context(), next.ID, of(u)); err != nil || read != next {
		t.Errorf("the successor is read as %+v (%v), want %+v", read, err, next)
	}
	read, err := f.APIKey(t.Context(), old.ID, of(u))
	if end := now.Add(24 * time.Hour); err != nil || read.ExpiresAt.Before(end) || read.ExpiresAt.Sub(end) >= time.Second || read.Hint != oldSecret.Hint() {
		t.Errorf("the old key is %+v (%v)", read, err)
	}
	if _, err := f.RotateAPIKey(t.Context(), by(u), next.ID, of(u), 0, stepsies.NewSecret()); err != nil {
		t.Fatal(err)
	}
	if read, err := f.APIKey(t.Context(), next.ID, of(u)); err != nil || read.Status(now) != stepsies.KeyExpired {
		t.Errorf("without grace the old key is %s (%v)", read.Status(now), err)
	}
	keys := f.count(t, `select count(*) from api_keys`)
	_, err = f.RotateAPIKey(t.Context(), by(u), old.ID, of(u), stepsies.MaxGrace+time.Second, stepsies.NewSecret())
	wantCode(t, err, stepsies.CodeValidation)
	if f.count(t, `select count(*) from api_keys`) != keys {
		t.Error("a refused rotation left a key")
	}
}

func testEscalation(t *testing.T, f *fixture) {
	f.user(t, "admin", stepsies.RoleAdmin)
	u := f.user(t, "sarah", stepsies.RoleAdmin)
	k, secret := f.key(t, u, "admin")
	plain, _ := f.key(t, u, "read")
	if _, err := f.UpdateUser(t.Context(), byOperator, "sarah", stepsies.UserChange{Role: ptr("member")}); err != nil {
		t.Fatal(err)
	}
	admin := &[]string{"read", "admin"}
	for what, err := range map[string]error{
		"create": second(f.CreateAPIKey(t.Context(), byOperator, "sarah", stepsies.KeyChange{Name: ptr("n"), Scopes: admin}, stepsies.NewSecret())),
		"edit":   second(f.UpdateAPIKey(t.Context(), byOperator, plain.ID, everyone, stepsies.KeyChange{Scopes: admin})),
		"rotate": second(f.RotateAPIKey(t.Context(), byOperator, k.ID, everyone, 0, stepsies.NewSecret())),
	} {
		if stepsies.CodeOf(err) != stepsies.CodeValidation {
			t.Errorf("%s gave a member the scope admin: %v", what, err)
		}
	}
	found, err := f.LookUpKeys(t.Context(), []stepsies.KeyHash{secret.Hash()})
	if err != nil || len(found) != 1 || found[0].Key.Scopes.Holdable(found[0].User.Role) != (stepsies.Scopes{}) {
		t.Errorf("after the demotion the old key can still do %+v (%v)", found, err)
	}
	if n := f.count(t, `select count(*) from api_keys`); n != 2 {
		t.Errorf("there are %d keys, want 2", n)
	}
}

func testLeaked(t *testing.T, f *fixture) {
	sarah, mike := f.member(t, "sarah"), f.member(t, "mike")
	a, secretA := f.key(t, sarah, "read")
	b, secretB := f.key(t, mike, "read")
	ended, secretC := f.key(t, mike, "read")
	spared, _ := f.key(t, mike, "read")
	if _, err := f.UpdateAPIKey(t.Context(), by(mike), ended.ID, of(mike), stepsies.KeyChange{ExpiresAt: ptr(epoch.Add(-time.Hour))}); err != nil {
		t.Fatal(err)
	}
	hashes := []stepsies.KeyHash{secretB.Hash(), stepsies.NewSecret().Hash(), secretA.Hash(), secretC.Hash(), secretB.Hash()}
	w := Write{Actor: stepsies.Actor{Kind: stepsies.ActorAnonymous, IP: "198.51.100.9"}}
	if n, err := f.RevokeLeaked(t.Context(), w, hashes, "https://example.com/paste"); err != nil || n != 3 {
		t.Fatalf("%d keys were revoked (%v), want 3: two live ones and one that could be brought back", n, err)
	}
	for _, k := range []stepsies.APIKey{a, b, ended} {
		read, err := f.APIKey(t.Context(), k.ID, everyone)
		if err != nil || read.Status(epoch) != stepsies.KeyRevoked || read.Reason != stepsies.RevokedLeaked || read.LeakSource != "https://example.com/paste" {
			t.Errorf("a leaked key is %+v (%v)", read, err)
		}
	}
	if read, err := f.APIKey(t.Context(), spared.ID, everyone); err != nil || read != spared {
		t.Errorf("a key that did not leak is %+v (%v)", read, err)
	}
	rows, err := f.ListActivity(t.Context(), ActivityFilter{Access: of(sarah), Target: "api_key", TargetID: a.ID, Page: Page{Limit: 1}})
	if err != nil || len(rows.Items) != 1 || rows.Items[0].Actor.Kind != stepsies.ActorAnonymous || rows.Items[0].Actor.IP != "198.51.100.9" ||
		rows.Items[0].Detail != "https://example.com/paste" {
		t.Errorf("its owner sees %+v (%v)", rows.Items, err)
	}
}
