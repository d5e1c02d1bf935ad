package store

import (
	"sync"
	"testing"

	"github.com/stepsies/stepsies"
)

var accounts = []guarantee{
	{"AccountIsChangedByThoseWhoReachEveryoneAlone", testAccountOutOfReach},
	{"SharedAccountKeepsWhatIsChangedThroughEachOfItsUsers", testSharedAccountRace},
	{"ReachIsToTheAccountThatAUserHasNow", testAccessNamesTheAccount},
}

// share puts both users on the account of the first.
func (f *fixture) share(t *testing.T, first, second stepsies.User) {
	t.Helper()
	f.raw(t, `update users set account_id = $1 where id = $2`, first.Account.ID, second.ID)
}

func testAccountOutOfReach(t *testing.T, f *fixture) {
	ctx := t.Context()
	member, admin := f.member(t, "sarah"), f.user(t, "boss", stepsies.RoleAdmin)
	writing, _ := f.key(t, admin, "write")
	administering, _ := f.key(t, admin, "admin")
	pro := stepsies.AccountChange{Plan: ptr("pro")}
	for _, c := range []struct {
		who  string
		w    Write
		name string
		code stepsies.Code
	}{
		{"a member in their session", by(member), "sarah", stepsies.CodeNotFound},
		{"a key without the scope admin", byKey(writing, stepsies.ScopeWrite), "boss", stepsies.CodeForbidden},
	} {
		_, err := f.UpdateUserAndAccount(ctx, c.w, c.name, stepsies.UserChange{Bio: ptr("new")}, pro)
		wantCode(t, err, c.code)
		if u, err := f.User(ctx, c.name); err != nil || u.Plan != stepsies.PlanFree || u.Bio != "" {
			t.Errorf("%s changed their own account: %+v (%v)", c.who, u, err)
		}
	}
	for who, w := range map[string]Write{"an admin": by(admin), "a key with the scope admin": byKey(administering, stepsies.ScopeAdmin), "the operator": byOperator} {
		f.raw(t, `update accounts set plan = 'free'`)
		out, err := f.UpdateUserAndAccount(ctx, w, "sarah", stepsies.UserChange{}, pro)
		if err != nil || out.Value.Plan != stepsies.PlanPro {
			t.Errorf("%s: %+v (%v)", who, out.Value, err)
		}
	}
}

func testSharedAccountRace(t *testing.T, f *fixture) {
	ctx := t.Context()
	first, second := f.member(t, "first"), f.member(t, "second")
	f.share(t, first, second)
	for range 10 {
		f.raw(t, `update accounts set plan = 'enterprise', limit_minute = 0, limit_hour = 0, limit_month = 0`)
		var wg sync.WaitGroup
		errs := make([]error, 4)
		change := func(i int, user stepsies.UserChange, account stepsies.AccountChange) {
			name := []string{"first", "second"}[i%2]
			wg.Go(func() { _, errs[i] = f.UpdateUserAndAccount(ctx, byOperator, name, user, account) })
		}
		change(0, stepsies.UserChange{}, stepsies.AccountChange{Limits: &stepsies.Limits{Minute: 5}, KeptLimits: stepsies.Windows{Hour: true, Month: true}})
		change(1, stepsies.UserChange{}, stepsies.AccountChange{Limits: &stepsies.Limits{Hour: 50}, KeptLimits: stepsies.Windows{Minute: true, Month: true}})
		change(2, stepsies.UserChange{Bio: ptr("1")}, stepsies.AccountChange{})
		change(3, stepsies.UserChange{Bio: ptr("2")}, stepsies.AccountChange{})
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
		if u, err := f.User(ctx, "first"); err != nil || u.Limits() != (stepsies.Limits{Minute: 5, Hour: 50}) {
			t.Fatalf("one set the minute and one the hour, and the account has %+v (%v)", u.Limits(), err)
		}
	}
}

func testAccessNamesTheAccount(t *testing.T, f *fixture) {
	ctx := t.Context()
	first, second := f.member(t, "first"), f.member(t, "second")
	k, _ := f.key(t, second, "write")
	for _, account := range []int64{second.Account.ID, first.Account.ID} {
		for who, w := range map[string]Write{"session": by(second), "key": byKey(k, stepsies.ScopeWrite)} {
			if err := f.transact(ctx, w, func(tx *tx) error {
				if want := (stepsies.Access{UserID: second.ID, AccountID: account}); tx.access != want {
					t.Errorf("a write by a %s reaches %+v, want %+v", who, tx.access, want)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		f.share(t, first, second)
	}
}
