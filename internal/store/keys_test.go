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
	if _, err := f.RotateAPIKey(t.Context(), w, made.Value.ID, time.Hour, next); err != nil {
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
	_, err = f.UpdateAPIKey(t.Context(), by(mike), k.ID, stepsies.KeyChange{Name: ptr("mine")})
	wantCode(t, err, stepsies.CodeNotFound)
	_, err = f.RevokeAPIKey(t.Context(), by(mike), k.ID)
	wantCode(t, err, stepsies.CodeNotFound)
	_, err = f.RotateAPIKey(t.Context(), by(mike), k.ID, 0, stepsies.NewSecret())
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
	if _, err := f.UpdateUserAndAccount(t.Context(), byOperator, "sarah", stepsies.UserChange{},
		stepsies.AccountChange{Plan: ptr("enterprise"), Limits: &stepsies.Limits{Minute: 5}}); err != nil {
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
				b.Key.UserID != u.ID || b.User.Username != "sarah" || b.User.Role != stepsies.RoleAdmin || b.User.Account.ID != u.Account.ID ||
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
		if _, err := f.UpdateAPIKey(t.Context(), byOperator, k.ID, stepsies.KeyChange{Scopes: &[]string{"read"}}); err != nil {
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
		f.signIn(t, u)
		if _, err := f.RevokeAPIKey(t.Context(), byOperator, k.ID); err != nil {
			t.Fatal(err)
		}
		if look(secret).Key.RevokedAt != epoch {
			t.Error("the revocation is not seen")
		}
	}
}
