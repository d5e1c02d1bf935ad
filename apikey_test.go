package stepsies

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

var (
	noon   = time.Date(2026, time.March, 14, 12, 0, 0, 500_000_000, time.UTC)
	member = User{ID: 1, Username: "sarah", Role: RoleMember}
	admin  = User{ID: 2, Username: "root", Role: RoleAdmin}
)

func p[T any](v T) *T { return &v }

// problems returns the fields that an error complains about.
func problems(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	e, ok := err.(*Error)
	if !ok || e.Code != CodeValidation {
		t.Fatalf("the error is %v, want one of validation", err)
	}
	var fields []string
	for _, p := range e.Problems {
		fields = append(fields, p.Field)
	}
	return fields
}

func TestKeyIsWorthWhatItsTimesSay(t *testing.T) {
	for _, c := range []struct {
		name string
		key  APIKey
		want KeyStatus
	}{
		{"never ends", APIKey{}, KeyActive},
		{"ends later", APIKey{ExpiresAt: noon.Add(ExpiringWithin + 1)}, KeyActive},
		{"ends in a week", APIKey{ExpiresAt: noon.Add(ExpiringWithin)}, KeyExpiring},
		{"ends in a moment", APIKey{ExpiresAt: noon.Add(1)}, KeyExpiring},
		{"ends now", APIKey{ExpiresAt: noon}, KeyExpired},
		{"ended in 1970", APIKey{ExpiresAt: time.Unix(0, 0)}, KeyExpired},
		{"ends in 9999", APIKey{ExpiresAt: time.Unix(lastExpiry, 0)}, KeyActive},
		{"revoked", APIKey{RevokedAt: noon.Add(-1)}, KeyRevoked},
		{"revoked and expired", APIKey{RevokedAt: noon, ExpiresAt: noon.Add(-time.Hour)}, KeyRevoked},
		{"revoked by a clock ahead of ours", APIKey{RevokedAt: noon.Add(time.Hour)}, KeyRevoked},
	} {
		if got := c.key.Status(noon); got != c.want {
			t.Errorf("a key that %s is %s, want %s", c.name, got, c.want)
		}
	}
}

func TestNewKeySaysAllThatIsWrongAtOnce(t *testing.T) {
	for _, c := range []struct {
		want KeyChange
		bad  []string
	}{
		{KeyChange{}, []string{"name", "scopes"}},
		{KeyChange{Name: p("  "), Description: p(strings.Repeat("é", 501)), Scopes: &[]string{"root"}, ExpiresAt: p(noon)},
			[]string{"name", "description", "scopes", "expires_at"}},
		{KeyChange{Name: p(strings.Repeat("é", 101)), Scopes: &[]string{}}, []string{"name", "scopes"}},
		{KeyChange{Name: p("a\x00"), Scopes: &[]string{"read"}}, []string{"name"}},
		{KeyChange{Name: p("n"), Scopes: &[]string{"admin"}}, []string{"scopes"}},
		{KeyChange{Name: p("n"), Scopes: &[]string{"read"}, ExpiresAt: p(noon.Add(-time.Hour))}, []string{"expires_at"}},
		{KeyChange{Name: p("n"), Scopes: &[]string{"read"}, ExpiresAt: p(noon.Add(400 * time.Millisecond))}, []string{"expires_at"}}, // cut down it is past
		{KeyChange{Name: p("n"), Scopes: &[]string{"read"}, ExpiresAt: p(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))}, []string{"expires_at"}},
	} {
		if _, err := NewAPIKey(member, c.want, noon); !reflect.DeepEqual(problems(t, err), c.bad) {
			t.Errorf("%+v: %v, want problems of %q", c.want, err, c.bad)
		}
	}
	k, err := NewAPIKey(admin, KeyChange{Name: p(" " + strings.Repeat("é", 100)), Scopes: &[]string{"admin"}, ExpiresAt: p(noon.Add(time.Hour))}, noon)
	want := APIKey{UserID: 2, Username: "root", Name: strings.Repeat("é", 100), Scopes: ScopesOf(ScopeAdmin), CreatedAt: noon, ExpiresAt: noon.Add(time.Hour).Truncate(time.Second)}
	if err != nil || k != want {
		t.Errorf("made %+v (%v), want %+v", k, err, want)
	}
	if k, err = NewAPIKey(member, KeyChange{Name: p("n"), Scopes: &[]string{"read"}, ExpiresAt: &time.Time{}}, noon); err != nil || !k.ExpiresAt.IsZero() {
		t.Errorf("a key for ever expires at %v (%v)", k.ExpiresAt, err)
	}
}

func TestRefusedEditLeavesTheKeyAsItWas(t *testing.T) {
	k := APIKey{ID: 1, UserID: 1, Name: "a", Scopes: ScopesOf(ScopeRead)}
	before := k
	err := k.Change(member, KeyChange{Name: p("b"), Scopes: &[]string{"admin"}})
	if !reflect.DeepEqual(problems(t, err), []string{"scopes"}) || k != before {
		t.Errorf("%v left %+v", err, k)
	}
}

func TestExpiredKeyComesBackByItsExpiryAndARevokedOneByNothing(t *testing.T) {
	k := APIKey{Scopes: ScopesOf(ScopeRead), Name: "a", ExpiresAt: noon.Add(-time.Hour)}
	if err := k.Change(member, KeyChange{ExpiresAt: p(noon.Add(time.Hour))}); err != nil || k.Status(noon) != KeyExpiring {
		t.Errorf("an expired key is %s (%v)", k.Status(noon), err)
	}
	if err := k.Change(member, KeyChange{ExpiresAt: p(noon.Add(-time.Hour))}); err != nil || k.Status(noon) != KeyExpired {
		t.Errorf("a key that is ended by its expiry is %s (%v)", k.Status(noon), err)
	}
	if !k.Revoke(RevokedLeaked, "https://example.com", noon) || k.Reason != RevokedLeaked || k.RevokedAt != noon {
		t.Errorf("revoked: %+v", k)
	}
	before := k
	if k.Revoke(RevokedByHand, "", noon.Add(time.Hour)) || k != before {
		t.Errorf("revoked twice: %+v", k)
	}
	for name, err := range map[string]error{
		"an edit":       k.Change(member, KeyChange{ExpiresAt: p(noon.Add(time.Hour))}),
		"an empty edit": k.Change(member, KeyChange{}),
		"a rotation":    func() error { _, err := k.Rotate(member, k, time.Hour, noon); return err }(),
	} {
		if CodeOf(err) != CodeConflict || k != before {
			t.Errorf("%s of a revoked key: %v, and it is %+v", name, err, k)
		}
	}
}

func TestRotationKeepsTheLifetimeAndEndsTheOldKey(t *testing.T) {
	created := noon.Add(-10 * 24 * time.Hour)
	for _, c := range []struct {
		name           string
		expires        time.Time
		grace          time.Duration
		nextEnds, ends time.Time // of the successor and of the old one
	}{
		{"one that never ends", time.Time{}, 24 * time.Hour, time.Time{}, noon.Add(24*time.Hour + 500*time.Millisecond)},
		{"no grace", time.Time{}, 0, time.Time{}, noon.Truncate(time.Second)},
		{"the longest grace", time.Time{}, MaxGrace, time.Time{}, noon.Add(MaxGrace + 500*time.Millisecond)},
		{"one that would end sooner", noon.Add(time.Hour).Truncate(time.Second), 24 * time.Hour,
			noon.Add(10*24*time.Hour + time.Hour).Truncate(time.Second), noon.Add(time.Hour).Truncate(time.Second)},
		{"one that would end later", created.Add(90 * 24 * time.Hour).Truncate(time.Second), time.Second,
			noon.Add(90 * 24 * time.Hour).Truncate(time.Second), noon.Add(1500 * time.Millisecond)},
		{"an expired one", created.Add(time.Hour).Truncate(time.Second), 24 * time.Hour, noon.Add(time.Hour).Truncate(time.Second), created.Add(time.Hour).Truncate(time.Second)},
		{"one whose expiry was moved before its creation", time.Unix(0, 0).UTC(), 0, noon.Add(time.Second).Truncate(time.Second), time.Unix(0, 0).UTC()},
		{"one for longer than a Duration", time.Date(9990, 1, 1, 0, 0, 0, 0, time.UTC), 0,
			time.Unix(noon.Unix()+time.Date(9990, 1, 1, 0, 0, 0, 0, time.UTC).Unix()-created.Unix(), 0).UTC(), noon.Truncate(time.Second)},
		{"one until the end of time", time.Unix(lastExpiry, 0).UTC(), 0, time.Unix(lastExpiry, 0).UTC(), noon.Truncate(time.Second)},
	} {
		k := APIKey{ID: 7, UserID: 1, Username: "sarah", Name: "n", Description: "d", Scopes: ScopesOf(ScopeRead, ScopeWrite),
			Hint: "h", CreatedAt: created, ExpiresAt: c.expires, LastUsedAt: noon, RefusedCount: 3}
		old := k
		next, err := k.Rotate(member, k, c.grace, noon)
		want := APIKey{UserID: 1, Username: "sarah", Name: "n", Description: "d", Scopes: old.Scopes, CreatedAt: noon, ExpiresAt: c.nextEnds, RotatedFrom: 7}
		if err != nil || next != want {
			t.Errorf("%s: the successor is %+v (%v), want %+v", c.name, next, err, want)
		}
		old.ExpiresAt = c.ends
		if k != old {
			t.Errorf("%s: the old key is %+v, want %+v", c.name, k, old)
		}
		if c.grace == 0 && k.Status(noon) != KeyExpired {
			t.Errorf("%s: without grace the old key is %s", c.name, k.Status(noon))
		}
		if s := next.Status(noon); s == KeyExpired || s == KeyRevoked {
			t.Errorf("%s: the successor is %s at once", c.name, s)
		}
		if text, err := next.ExpiresAt.MarshalJSON(); err != nil {
			t.Errorf("%s: the expiry cannot be written: %s (%v)", c.name, text, err)
		}
	}
}

func TestRotationRefusesGraceBeyondItsBoundsAndScopesBeyondTheOwner(t *testing.T) {
	for _, grace := range []time.Duration{-time.Second, MaxGrace + time.Second, math.MaxInt64, math.MinInt64} {
		k := APIKey{Scopes: ScopesOf(ScopeRead)}
		if _, err := k.Rotate(member, k, grace, noon); !reflect.DeepEqual(problems(t, err), []string{"grace_period_seconds"}) || !k.ExpiresAt.IsZero() {
			t.Errorf("grace of %v: %v", grace, err)
		}
	}
	k := APIKey{Scopes: ScopesOf(ScopeRead, ScopeAdmin)}
	if _, err := k.Rotate(member, k, 0, noon); !reflect.DeepEqual(problems(t, err), []string{"scopes"}) {
		t.Errorf("a member's admin key was rotated: %v", err)
	}
	if _, err := k.Rotate(admin, k, 0, noon); err != nil {
		t.Errorf("an admin's was not: %v", err)
	}
}

func TestLeakSourceIsAWebAddress(t *testing.T) {
	for _, good := range []string{"", "https://example.com/paste?x=1", "http://192.0.2.1/", "https://例え.jp/"} {
		if got, err := ParseSourceURL(good); err != nil || got != good {
			t.Errorf("%q: %q (%v)", good, got, err)
		}
	}
	for _, bad := range []string{"javascript:alert(1)", "ftp://example.com", "//example.com", "/paste", "https://", "https:example.com", " https://example.com",
		"https://example.com/\x00", "https://example.com/\xff", "https://example.com/" + strings.Repeat("a", 2000)} {
		if got, err := ParseSourceURL(bad); err == nil || got != "" {
			t.Errorf("%.40q is taken as %.40q", bad, got)
		}
	}
}
