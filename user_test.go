package stepsies

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestNewUserSaysAllThatIsWrongAtOnce(t *testing.T) {
	for _, c := range []struct {
		want    UserChange
		account AccountChange
		bad     []string
	}{
		{UserChange{}, AccountChange{}, []string{"username", "email"}},
		{UserChange{Username: p("a"), Email: p("nobody"), DisplayName: p(strings.Repeat("é", 101)), Bio: p(strings.Repeat("é", 1001)),
			TimeZone: p("Mars/Olympus"), Role: p("king")}, AccountChange{Plan: p("gold")},
			[]string{"username", "email", "display_name", "bio", "time_zone", "role", "plan"}},
		{UserChange{Username: p("sarah"), Email: p("a@example.com")}, AccountChange{Limits: &Limits{Minute: -1, Hour: MaxLimit + 1, Month: 5}},
			[]string{"limits.minute", "limits.hour", "limits"}},
		{UserChange{Username: p("sarah"), Email: p("a@example.com")}, AccountChange{Plan: p("pro"), Limits: &Limits{Minute: 5}}, []string{"limits"}},
	} {
		if _, err := NewUser(c.want, c.account, noon); !reflect.DeepEqual(problems(t, err), c.bad) {
			t.Errorf("%v, want problems of %q", err, c.bad)
		}
	}
	u, err := NewUser(UserChange{Username: p("sarah"), Email: p(" a@example.com ")}, AccountChange{}, noon)
	if want := (User{Username: "sarah", Email: "a@example.com", DisplayName: "sarah", Role: RoleMember, Account: Account{Plan: PlanFree}, CreatedAt: noon, UpdatedAt: noon}); err != nil || u != want {
		t.Errorf("made %+v (%v), want %+v", u, err, want)
	}
}

func TestOnlyAnAdminInGoodStandingCountsAsAdmin(t *testing.T) {
	for _, c := range []struct {
		user User
		want bool
	}{
		{User{Role: RoleMember}, false}, {User{Role: RoleAdmin}, true}, {User{Role: RoleAdmin, SuspendedAt: noon}, false}, {User{Role: RoleMember, SuspendedAt: noon}, false},
	} {
		if got := c.user.CountsAsAdmin(); got != c.want {
			t.Errorf("%+v counts: %v", c.user, got)
		}
	}
	if CodeOf(ErrLastAdmin) != CodeConflict {
		t.Error("the last admin is no conflict")
	}
}

func TestUserChange(t *testing.T) {
	u, err := NewUser(UserChange{Username: p("sarah"), Email: p("a@example.com")}, AccountChange{Plan: p("enterprise"), Limits: &Limits{Hour: 5}}, noon)
	if err != nil {
		t.Fatal(err)
	}
	u.EmailVerifiedAt = noon
	later := noon.Add(time.Hour)
	before := u
	if err := u.Change(UserChange{Bio: p(""), Suspended: p(false), Email: p("a@example.com"), Role: p("member"), Username: p("other")}, AccountChange{}, later); err != nil || u != before {
		t.Errorf("a change that changes nothing gave %+v (%v)", u, err)
	}
	if err := u.Change(UserChange{Bio: p("new"), Role: p("king")}, AccountChange{Plan: p("gold")}, later); !reflect.DeepEqual(problems(t, err), []string{"role", "plan"}) || u != before {
		t.Errorf("a refused change left %+v (%v)", u, err)
	}
	if err := u.Change(UserChange{Suspended: p(true), DisplayName: p(" "), TimeZone: p("UTC"), Email: p("A@Example.com")}, AccountChange{Plan: p("pro")}, later); err != nil ||
		!u.Suspended() || u.SuspendedAt != later || u.DisplayName != "sarah" || u.TimeZone != "" || u.UpdatedAt != later || u.EmailVerifiedAt != noon {
		t.Errorf("changed to %+v (%v)", u, err)
	}
	if u.Limits() != LimitsOf(PlanPro, Limits{}) {
		t.Errorf("own limits count on another plan: %+v", u.Limits())
	}
	if err := u.Change(UserChange{Suspended: p(true)}, AccountChange{}, later.Add(time.Hour)); err != nil || u.SuspendedAt != later {
		t.Errorf("suspended twice: %v (%v)", u.SuspendedAt, err)
	}
	if err := u.Change(UserChange{Suspended: p(false), Email: p("b@example.com")}, AccountChange{}, later); err != nil || u.Suspended() || !u.EmailVerifiedAt.IsZero() {
		t.Errorf("another address counts as verified: %+v (%v)", u, err)
	}
}

func TestUsernames(t *testing.T) {
	for _, good := range []string{"abc", "sarah-chen_2", "---", strings.Repeat("a", 30)} {
		if got, err := ParseUsername(good); err != nil || got != good {
			t.Errorf("%q: %q (%v)", good, got, err)
		}
	}
	for _, bad := range []string{"", "ab", strings.Repeat("a", 31), "Sarah", "sarah chen", "säräh", "sarah\n", "sarah\x00", "s/../x", "a.b", "@abc", "\xff\xff\xff", "аbc"} {
		if got, err := ParseUsername(bad); err == nil || got != "" {
			t.Errorf("%q is taken as %q", bad, got)
		}
	}
}

func TestEmailAddresses(t *testing.T) {
	for _, good := range []string{"a@example.com", "first.last+tag@sub.example.co", "zoë@example.com"} {
		if got, err := ParseEmail("  " + good + "\t"); err != nil || got != good {
			t.Errorf("%q: %q (%v)", good, got, err)
		}
	}
	for _, bad := range []string{"", "a", "@", "a@", "@b", "a b@c.d", "A <a@example.com>", "<a@example.com>", "a@example.com, b@example.com", "a@b@c",
		"a@example.com\r\nBcc: b@example.com", "a\x00@example.com", strings.Repeat("a", 250) + "@b.cd", "a@example.com\xff"} {
		if got, err := ParseEmail(bad); err == nil || got != "" {
			t.Errorf("%q is taken as %q", bad, got)
		}
	}
}

func TestTimeZones(t *testing.T) {
	for name, want := range map[string]string{"": "", "UTC": "", "Europe/Berlin": "Europe/Berlin"} {
		if got, err := parseTimeZone(name); err != nil || got != want {
			t.Errorf("%q: %q (%v)", name, got, err)
		}
	}
	for _, bad := range []string{"Local", "Berlin", "../../etc/passwd", "Europe/Berlin\x00"} {
		if got, err := parseTimeZone(bad); err == nil || got != "" {
			t.Errorf("%q is taken as %q", bad, got)
		}
	}
}
