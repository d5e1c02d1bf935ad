package stepsies

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// allScopes lists the eight sets.
func allScopes() []Scopes {
	var all []Scopes
	for i := range 8 {
		all = append(all, Scopes{read: i&1 > 0, write: i&2 > 0, admin: i&4 > 0})
	}
	return all
}

func TestAdminIncludesTheOthersAndWriteDoesNotIncludeRead(t *testing.T) {
	for _, s := range allScopes() {
		for need, want := range map[Scope]bool{ScopeRead: s.read || s.admin, ScopeWrite: s.write || s.admin, ScopeAdmin: s.admin, "": false, "root": false} {
			if got := s.Allow(need); got != want {
				t.Errorf("%q allows %q: %v, want %v", s, need, got, want)
			}
		}
	}
}

func TestOnlyAnAdminHoldsTheScopeAdmin(t *testing.T) {
	for _, s := range allScopes() {
		if got := s.Holdable(RoleAdmin); got != s {
			t.Errorf("an admin holds %q of %q", got, s)
		}
		for _, role := range []Role{RoleMember, "", "owner"} {
			want := s
			want.admin = false
			if got := s.Holdable(role); got != want {
				t.Errorf("%q holds %q of %q", role, got, s)
			}
		}
	}
}

func TestScopesAreReadBackFromTheirNames(t *testing.T) {
	for _, want := range allScopes() {
		text, err := want.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		got := Scopes{read: true, write: true, admin: true}
		if err := got.UnmarshalText(text); err != nil || got != want {
			t.Errorf("%q is read back as %q (%v)", want, got, err)
		}
		names := want.Names()
		slices.Reverse(names)
		parsed, err := ParseScopes(append(names, names...))
		if want == (Scopes{}) {
			if err == nil {
				t.Error("no scope at all is taken")
			}
			continue
		}
		if err != nil || parsed != want {
			t.Errorf("%q is parsed as %q (%v)", names, parsed, err)
		}
		var scopes []Scope
		for _, n := range names {
			scopes = append(scopes, Scope(n))
		}
		if got := ScopesOf(scopes...); got != want {
			t.Errorf("ScopesOf(%q) is %q", names, got)
		}
	}
	if got := (Scopes{read: true, write: true, admin: true}).String(); got != "read write admin" {
		t.Errorf("all scopes are %q", got)
	}
	if text, err := json.Marshal(ScopesOf(ScopeWrite)); err != nil || string(text) != `"write"` {
		t.Errorf("in JSON: %s (%v)", text, err)
	}
}

func TestUnknownScopesAreRefused(t *testing.T) {
	for _, names := range [][]string{nil, {}, {""}, {"Read"}, {"read", "owner"}, {"read write"}, {"*"}, {" read"}} {
		if s, err := ParseScopes(names); err == nil || s != (Scopes{}) {
			t.Errorf("%q is taken as %q", names, s)
		}
	}
	s := ScopesOf(ScopeAdmin)
	if err := s.UnmarshalText([]byte("read root")); err == nil || s != (Scopes{}) {
		t.Errorf("a wrong text left %q (%v)", s, err)
	}
}

func TestRolesPlansAndStatusesAreTheirNamesOnly(t *testing.T) {
	for _, name := range []string{"member", "admin"} {
		if r, err := ParseRole(name); err != nil || string(r) != name {
			t.Errorf("%s: %q (%v)", name, r, err)
		}
	}
	for _, p := range Plans {
		if got, err := ParsePlan(string(p)); err != nil || got != p {
			t.Errorf("%s: %q (%v)", p, got, err)
		}
	}
	for _, name := range []string{"draft", "published"} {
		if s, err := ParseStatus(name); err != nil || string(s) != name {
			t.Errorf("%s: %q (%v)", name, s, err)
		}
	}
	for _, c := range Categories {
		if err := CheckCategory(c); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "Admin", "admin ", "gold", "deleted"} {
		_, role := ParseRole(bad)
		_, plan := ParsePlan(bad)
		_, status := ParseStatus(bad)
		if role == nil || plan == nil || status == nil || CheckCategory(bad) == nil {
			t.Errorf("%q is taken for a role, a plan, a status or a category", bad)
		}
	}
	if err := CheckCategory("cooking"); err == nil || !strings.Contains(err.Error(), "marketing") {
		t.Errorf("the error %v does not name the categories", err)
	}
}

func TestOwnLimitsCountOnTheEnterprisePlanAlone(t *testing.T) {
	own := Limits{Minute: 1, Month: 7}
	for plan, want := range map[Plan]Limits{
		PlanFree: {60, 1_000, 5_000}, PlanPro: {300, 10_000, 50_000}, PlanTeam: {600, 30_000, 200_000}, PlanEnterprise: own, "": {60, 1_000, 5_000},
	} {
		if got := LimitsOf(plan, own); got != want {
			t.Errorf("%q: %+v, want %+v", plan, got, want)
		}
	}
	if (LimitsOf(PlanEnterprise, Limits{}) != Limits{}) || (own == Limits{}) {
		t.Error("enterprise without limits is limited, or one with limits is not")
	}
}

func TestWhatTwoSetsShareIsNoMoreThanEitherHolds(t *testing.T) {
	for _, a := range allScopes() {
		for _, b := range allScopes() {
			for _, now := range []Role{RoleMember, RoleAdmin} {
				both := a.Both(b, now)
				if both != b.Both(a, now) {
					t.Errorf("%q and %q share %q one way and %q the other", a, b, both, b.Both(a, now))
				}
				later := []Role{now, RoleMember, RoleAdmin}
				if now == RoleAdmin {
					later = later[:1] // a key that was narrowed from admin to read reads on when its user is demoted
				}
				for _, r := range later {
					for _, need := range []Scope{ScopeRead, ScopeWrite, ScopeAdmin} {
						if both.Holdable(r).Allow(need) && !(a.Holdable(r).Allow(need) && b.Holdable(r).Allow(need)) {
							t.Errorf("%q and %q of a %s share %q, which gives a %s %s", a, b, now, both, r, need)
						}
					}
				}
			}
		}
		if a.Both(a, RoleMember) != a || a.Both(a, RoleAdmin) != a {
			t.Errorf("%q does not share itself with itself", a)
		}
	}
	if got := ScopesOf(ScopeAdmin).Both(ScopesOf(ScopeRead), RoleAdmin); got != ScopesOf(ScopeRead) {
		t.Errorf("admin and read share %q", got)
	}
}
