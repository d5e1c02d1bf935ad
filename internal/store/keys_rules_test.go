package store

import (
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

var keyRules = []guarantee{
	{"KeyEditChangesAllButTheSecret", testUpdateKey},
	{"RevokedKeyStaysRevoked", testRevokedStays},
	{"RotationHandsOverAndEndsTheOldKey", testRotate},
	{"RotationHandsOnTheLifetimeHoweverOftenAKeyIsRotated", testRotateAgain},
	{"AdminScopeIsForAdminsOnEveryWay", testEscalation},
	{"LeakReportEndsEveryLiveKey", testLeaked},
}

func testUpdateKey(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	k, secret := f.key(t, u, "read")
	out, err := f.UpdateAPIKey(t.Context(), by(u), k.ID, stepsies.KeyChange{
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
	if out, err := f.UpdateAPIKey(t.Context(), by(u), k.ID, same); err != nil || out.Value != want {
		t.Errorf("a change that changes nothing gave %+v (%v)", out.Value, err)
	}
	if f.count(t, `select count(*) from activity`) != rows {
		t.Error("a change that changes nothing was recorded")
	}
	_, err = f.UpdateAPIKey(t.Context(), by(u), k.ID, stepsies.KeyChange{Name: ptr(""), Scopes: &[]string{}})
	wantCode(t, err, stepsies.CodeValidation)
	// An expired key comes back when its expiry is moved.
	for _, at := range []time.Time{epoch.Add(-time.Hour), {}} {
		if _, err := f.UpdateAPIKey(t.Context(), by(u), k.ID, stepsies.KeyChange{ExpiresAt: &at}); err != nil {
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
	out, err := f.RevokeAPIKey(t.Context(), by(u), k.ID)
	if err != nil || out.Value.RevokedAt != epoch || out.Value.Reason != stepsies.RevokedByHand {
		t.Fatalf("revoked %+v (%v)", out.Value, err)
	}
	f.clock.forward(time.Hour)
	rows := f.count(t, `select count(*) from activity`)
	if again, err := f.RevokeAPIKey(t.Context(), by(u), k.ID); err != nil || again.Value != out.Value {
		t.Errorf("revoked again: %+v (%v)", again.Value, err)
	}
	if n, err := f.RevokeLeaked(t.Context(), byOperator, []stepsies.KeyHash{secret.Hash()}, ""); err != nil || n != 0 {
		t.Errorf("a leak report revoked %d keys again (%v)", n, err)
	}
	if f.count(t, `select count(*) from activity`) != rows {
		t.Error("a second revocation was recorded")
	}
	_, err = f.UpdateAPIKey(t.Context(), by(u), k.ID, stepsies.KeyChange{ExpiresAt: ptr(epoch.Add(time.Hour))})
	wantCode(t, err, stepsies.CodeConflict)
	_, err = f.RotateAPIKey(t.Context(), by(u), k.ID, time.Hour, stepsies.NewSecret())
	wantCode(t, err, stepsies.CodeConflict)
	if err := f.RecordKeyUse(t.Context(), []KeyUse{{KeyID: k.ID, Day: Day(epoch), Requests: 1, LastUsed: epoch, LastUsedIP: "192.0.2.7"}}); err != nil {
		t.Fatal(err)
	}
	// A writer that read the key before it was revoked writes over nothing either.
	stale := k
	stale.Name = "back"
	if err := f.transactUnjudged(t.Context(), func(t2 *tx) error { return t2.updateKey(t.Context(), stale) }); err != nil {
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
	if _, err := f.UpdateAPIKey(t.Context(), by(u), old.ID, stepsies.KeyChange{Description: ptr("d"), ExpiresAt: ptr(epoch.Add(48 * time.Hour))}); err != nil {
		t.Fatal(err)
	}
	now := f.clock.forward(time.Hour)
	secret := stepsies.NewSecret()
	out, err := f.RotateAPIKey(t.Context(), by(u), old.ID, 24*time.Hour, secret)
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
	if _, err := f.RotateAPIKey(t.Context(), by(u), next.ID, 0, stepsies.NewSecret()); err != nil {
		t.Fatal(err)
	}
	if read, err := f.APIKey(t.Context(), next.ID, of(u)); err != nil || read.Status(now) != stepsies.KeyExpired {
		t.Errorf("without grace the old key is %s (%v)", read.Status(now), err)
	}
	keys := f.count(t, `select count(*) from api_keys`)
	_, err = f.RotateAPIKey(t.Context(), by(u), old.ID, stepsies.MaxGrace+time.Second, stepsies.NewSecret())
	wantCode(t, err, stepsies.CodeValidation)
	if f.count(t, `select count(*) from api_keys`) != keys {
		t.Error("a refused rotation left a key")
	}
}

// testRotateAgain rotates a key whose expiry has become the end of its grace period,
// as whoever lost the successor's secret does.
func testRotateAgain(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	rotate := func(id int64, grace time.Duration) stepsies.APIKey {
		t.Helper()
		f.clock.forward(time.Minute)
		out, err := f.RotateAPIKey(t.Context(), by(u), id, grace, stepsies.NewSecret())
		if err != nil {
			t.Fatal(err)
		}
		return out.Value
	}
	forever, _ := f.key(t, u, "read")
	if _, err := f.UpdateAPIKey(t.Context(), by(u), forever.ID, stepsies.KeyChange{ExpiresAt: ptr(time.Time{})}); err != nil {
		t.Fatal(err)
	}
	first := rotate(forever.ID, time.Hour)
	second := rotate(forever.ID, 0)
	third := rotate(first.ID, time.Hour) // of a line beside the second one
	for _, k := range []stepsies.APIKey{first, second, third, rotate(forever.ID, 0)} {
		if !k.ExpiresAt.IsZero() {
			t.Errorf("a successor of a key that never ends, id %d, ends at %s", k.ID, k.ExpiresAt)
		}
	}

	ends, _ := f.key(t, u, "read")
	if _, err := f.UpdateAPIKey(t.Context(), by(u), ends.ID, stepsies.KeyChange{ExpiresAt: ptr(ends.CreatedAt.Add(48 * time.Hour))}); err != nil {
		t.Fatal(err)
	}
	rotate(ends.ID, time.Hour)
	for range 3 {
		if k := rotate(ends.ID, time.Hour); k.ExpiresAt.Sub(k.CreatedAt.Add(48*time.Hour)).Abs() > time.Second {
			t.Errorf("a successor of a key for 48 h lives for %s", k.ExpiresAt.Sub(k.CreatedAt))
		}
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
		"edit":   second(f.UpdateAPIKey(t.Context(), byOperator, plain.ID, stepsies.KeyChange{Scopes: admin})),
		"rotate": second(f.RotateAPIKey(t.Context(), byOperator, k.ID, 0, stepsies.NewSecret())),
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
	if _, err := f.UpdateAPIKey(t.Context(), by(mike), ended.ID, stepsies.KeyChange{ExpiresAt: ptr(epoch.Add(-time.Hour))}); err != nil {
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
