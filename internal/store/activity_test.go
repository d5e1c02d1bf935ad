package store

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

var activity = []guarantee{
	{"EveryWriteLeavesOneRow", testEveryWriteIsRecorded},
	{"WriteThatCannotBeRecordedIsNotMade", testUnrecordedIsUndone},
	{"ActivityIsSeenByItsOwnerAndAdmins", testListActivity},
}

// testEveryWriteIsRecorded makes each change and compares the record with it.
func testEveryWriteIsRecorded(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.user(t, "admin", stepsies.RoleAdmin)
	u := f.user(t, "sarah", stepsies.RoleAdmin)
	k, secret := f.key(t, u, "read")
	other, _ := f.key(t, u, "read")
	made := f.stepsy(t, u, "Title")
	acting, _ := f.key(t, f.user(t, "ada", stepsies.RoleAdmin), "admin")
	w := Write{
		Actor: stepsies.Actor{Kind: stepsies.ActorKey, UserID: acting.UserID, Username: "ada", KeyID: acting.ID, KeyName: "a key", IP: "2001:db8::7"},
		Right: Right{Scope: stepsies.ScopeAdmin},
	}
	keyRow := func(action stepsies.Action, detail string) stepsies.Activity {
		return stepsies.Activity{Action: action, OwnerID: u.ID, Target: "api_key", TargetID: k.ID, Name: "a key", Detail: detail}
	}
	stepsyRow := func(action stepsies.Action, title string) stepsies.Activity {
		return stepsies.Activity{Action: action, OwnerID: u.ID, Target: "stepsy", TargetID: made.ID, Name: title}
	}
	userRow := func(action stepsies.Action, detail string) stepsies.Activity {
		return stepsies.Activity{Action: action, OwnerID: u.ID, Target: "user", TargetID: u.ID, Name: "sarah", Detail: detail}
	}
	for _, c := range []struct {
		write func() error
		want  []stepsies.Activity // newest first
	}{
		{func() error {
			return second(f.UpdateAPIKey(ctx, w, k.ID, stepsies.KeyChange{Scopes: &[]string{"read", "write"}, ExpiresAt: ptr(epoch.Add(time.Hour)), Description: ptr("new")}))
		}, []stepsies.Activity{keyRow("api_key.update", "description, scopes read → read write, expires never → 2026-03-14T10:26:53Z")}},
		{func() error { return second(f.RevokeAPIKey(ctx, w, other.ID)) },
			[]stepsies.Activity{{Action: "api_key.revoke", OwnerID: u.ID, Target: "api_key", TargetID: other.ID, Name: "a key"}}},
		{func() error {
			return second(f.RevokeLeaked(ctx, w, []stepsies.KeyHash{secret.Hash()}, "https://example.com"))
		},
			[]stepsies.Activity{keyRow("api_key.leaked", "https://example.com")}},
		{func() error {
			return second(f.UpdateStepsy(ctx, w, made.ID, stepsies.StepsyChange{Title: ptr("New")}))
		}, []stepsies.Activity{stepsyRow("stepsy.update", "New")}},
		{func() error { return second(f.PublishStepsy(ctx, w, made.ID)) }, []stepsies.Activity{stepsyRow("stepsy.publish", "New")}},
		{func() error { return second(f.UnpublishStepsy(ctx, w, made.ID)) }, []stepsies.Activity{stepsyRow("stepsy.unpublish", "New")}},
		{func() error { return f.DeleteStepsy(ctx, w, made.ID) }, []stepsies.Activity{stepsyRow("stepsy.delete", "New")}},
		{func() error { return f.SetPassword(ctx, w, "sarah", "the-hash", 0) }, []stepsies.Activity{userRow("user.password", "")}},
		{func() error {
			return second(f.UpdateUserAndAccount(ctx, w, "sarah", stepsies.UserChange{Email: ptr("new@example.com")}, stepsies.AccountChange{Plan: ptr("pro")}))
		}, []stepsies.Activity{userRow("user.update", "plan free → pro, e-mail")}},
		{func() error { return second(f.UpdateUser(ctx, w, "sarah", stepsies.UserChange{Suspended: ptr(true)})) }, []stepsies.Activity{userRow("user.suspend", "")}},
		{func() error { return second(f.UpdateUser(ctx, w, "sarah", stepsies.UserChange{Suspended: ptr(false)})) }, []stepsies.Activity{userRow("user.unsuspend", "")}},
		{func() error { return f.DeleteUser(ctx, w, "sarah") }, []stepsies.Activity{userRow("user.delete", "")}},
	} {
		before := f.count(t, `select coalesce(max(id), 0) from activity`)
		now := f.clock.forward(time.Second)
		if err := c.write(); err != nil {
			t.Fatalf("%s: %v", c.want[0].Action, err)
		}
		rows, err := f.ListActivity(ctx, ActivityFilter{Access: everyone, Page: Page{Limit: 100}})
		if err != nil {
			t.Fatal(err)
		}
		var got []stepsies.Activity
		for _, a := range rows.Items {
			if a.ID > before {
				if a.At != now || a.Actor != w.Actor {
					t.Errorf("%s is recorded at %v of %+v", a.Action, a.At, a.Actor)
				}
				got = append(got, stepsies.Activity{Action: a.Action, OwnerID: a.OwnerID, Target: a.Target, TargetID: a.TargetID, Name: a.Name, Detail: a.Detail})
			}
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("recorded %+v, want %+v", got, c.want)
		}
	}
	// What the fixture made is recorded too.
	for action, want := range map[string]int64{"user.create": 3, "api_key.create": 3, "stepsy.create": 1} {
		if n := f.count(t, `select count(*) from activity where action = $1`, action); n != want {
			t.Errorf("%s is recorded %d times, want %d", action, n, want)
		}
	}
}

// testUnrecordedIsUndone takes the table of the record away.
func testUnrecordedIsUndone(t *testing.T, f *fixture) {
	ctx := t.Context()
	u := f.user(t, "sarah", stepsies.RoleAdmin)
	f.user(t, "admin", stepsies.RoleAdmin)
	k, secret := f.key(t, u, "read")
	made := f.stepsy(t, u, "Title")
	f.raw(t, `alter table activity rename to hidden`)
	for what, err := range map[string]error{
		"create user":   second(f.CreateUser(ctx, by(u), stepsies.UserChange{Username: ptr("new"), Email: ptr("new@example.com")}, stepsies.AccountChange{})),
		"update user":   second(f.UpdateUser(ctx, by(u), "sarah", stepsies.UserChange{Bio: ptr("new")})),
		"delete user":   f.DeleteUser(ctx, by(u), "sarah"),
		"password":      f.SetPassword(ctx, by(u), "sarah", "hash", 0),
		"create key":    second(f.CreateAPIKey(ctx, by(u), "sarah", stepsies.KeyChange{Name: ptr("n"), Scopes: &[]string{"read"}}, stepsies.NewSecret())),
		"update key":    second(f.UpdateAPIKey(ctx, by(u), k.ID, stepsies.KeyChange{Name: ptr("m")})),
		"rotate key":    second(f.RotateAPIKey(ctx, by(u), k.ID, 0, stepsies.NewSecret())),
		"revoke key":    second(f.RevokeAPIKey(ctx, by(u), k.ID)),
		"leaked":        second(f.RevokeLeaked(ctx, by(u), []stepsies.KeyHash{secret.Hash()}, "")),
		"create stepsy": second(f.CreateStepsy(ctx, by(u), "sarah", stepsies.StepsyChange{Title: ptr("t")})),
		"update stepsy": second(f.UpdateStepsy(ctx, by(u), made.ID, stepsies.StepsyChange{Title: ptr("new")})),
		"publish":       second(f.PublishStepsy(ctx, by(u), made.ID)),
		"delete stepsy": f.DeleteStepsy(ctx, by(u), made.ID),
	} {
		if stepsies.CodeOf(err) != stepsies.CodeInternal {
			t.Errorf("%s: %v, want an internal error", what, err)
		}
	}
	f.raw(t, `alter table hidden rename to activity`)
	user, err := f.User(ctx, "sarah")
	if err != nil || user != u {
		t.Errorf("the user is %+v (%v), want %+v", user, err, u)
	}
	if key, err := f.APIKey(ctx, k.ID, of(u)); err != nil || key != k {
		t.Errorf("the key is %+v (%v), want %+v", key, err, k)
	}
	if s, err := f.Stepsy(ctx, made.ID, of(u)); err != nil || !reflect.DeepEqual(s, made) {
		t.Errorf("the stepsy is %+v (%v), want %+v", s, err, made)
	}
	for table, want := range map[string]int64{"users": 2, "accounts": 2, "api_keys": 1, "stepsies": 1} {
		if n := f.count(t, `select count(*) from `+table); n != want {
			t.Errorf("%s has %d rows, want %d", table, n, want)
		}
	}
}

func testListActivity(t *testing.T, f *fixture) {
	sarah, mike := f.member(t, "sarah"), f.member(t, "mike")
	var all, keys, ofKey []string
	for i := range 4 {
		k, _ := f.key(t, sarah, "read")
		f.stepsy(t, mike, "Title")
		if i == 3 {
			if _, err := f.RevokeAPIKey(t.Context(), by(sarah), k.ID); err != nil {
				t.Fatal(err)
			}
			list := func(filter ActivityFilter) (actions []string) {
				t.Helper()
				filter.Page.Limit = 2
				for range 20 {
					page, err := f.ListActivity(t.Context(), filter)
					if err != nil {
						t.Fatal(err)
					}
					for _, a := range page.Items {
						actions = append(actions, string(a.Action))
					}
					if filter.Page.Cursor = page.Next; page.Next == "" {
						break
					}
				}
				return actions
			}
			all = list(ActivityFilter{Access: everyone})
			keys = list(ActivityFilter{Access: of(sarah)})
			ofKey = list(ActivityFilter{Access: of(sarah), Target: "api_key", TargetID: k.ID})
			if others := list(ActivityFilter{Access: of(mike), Target: "api_key"}); others != nil {
				t.Errorf("another's keys are seen: %q", others)
			}
		}
	}
	if want := []string{"api_key.revoke", "api_key.create"}; !slices.Equal(ofKey, want) {
		t.Errorf("of the key: %q, want %q", ofKey, want)
	}
	if want := []string{"api_key.revoke", "api_key.create", "api_key.create", "api_key.create", "api_key.create", "user.create"}; !slices.Equal(keys, want) {
		t.Errorf("its owner sees %q, want %q", keys, want)
	}
	if len(all) != 11 || all[0] != "api_key.revoke" || all[10] != "user.create" {
		t.Errorf("an admin sees %q", all)
	}
}

func testOnlyActionsAreRecorded(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	err := f.transact(t.Context(), byOperator, func(tx *tx) error { return tx.recordUser(t.Context(), by(u), "user.levitate", u, "") })
	if err == nil || !strings.Contains(err.Error(), "user.levitate") {
		t.Errorf("recorded what is no action: %v", err)
	}
}
