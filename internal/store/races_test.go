package store

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

// races are about what happens at the same time.
var races = []guarantee{
	{"OneOfManyWritersWithTheSameVersionWins", testIfMatchRace},
	{"TwoAdminsCannotTakeTheRoleFromEachOther", testAdminRace},
	{"ManyOfTheSameTitleGetSlugsOfTheirOwn", testSlugRace},
	{"KeyEndsWhateverElseIsDoneToIt", testKeyRace},
	{"LeakReportsAndDeletionsDoNotBlockEachOther", testLeakRace},
	{"EditNeverOverwritesARevocation", testEditRace},
	{"WhoWasDeletedMeanwhileActsOnNobody", testActorGone},
	{"TransactionThatEndsWhileItReadsIsUnavailable", testEndedTransaction},
}

func testIfMatchRace(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	made := f.stepsy(t, u, "Title")
	const writers, rounds = 8, 5
	for round := range rounds {
		var wg sync.WaitGroup
		errs := make([]error, writers)
		for i := range writers {
			wg.Go(func() {
				w := by(u)
				w.Match = version(int64(round + 1))
				_, errs[i] = f.UpdateStepsy(t.Context(), w, made.ID, stepsies.StepsyChange{Description: ptr(fmt.Sprint("round ", round, " writer ", i))})
			})
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			switch stepsies.CodeOf(err) {
			case "":
				won++
			case stepsies.CodePreconditionFailed:
			default:
				t.Error(err)
			}
		}
		read, err := f.Stepsy(t.Context(), made.ID, of(u))
		if err != nil || won != 1 || read.Version != int64(round+2) {
			t.Errorf("round %d: %d writers won, the version is %d (%v)", round, won, read.Version, err)
		}
	}
}

// testAdminRace lets two admins end each other in every way at the same time.
func testAdminRace(t *testing.T, f *fixture) {
	ways := []func(name string) error{
		func(name string) error {
			return second(f.UpdateUser(t.Context(), byOperator, name, stepsies.UserChange{Role: ptr("member")}))
		},
		func(name string) error {
			return second(f.UpdateUser(t.Context(), byOperator, name, stepsies.UserChange{Suspended: ptr(true)}))
		},
		func(name string) error { return f.DeleteUser(t.Context(), byOperator, name) },
	}
	for round := range 9 {
		a, b := fmt.Sprint("a-", round), fmt.Sprint("b-", round)
		f.user(t, a, stepsies.RoleAdmin)
		f.user(t, b, stepsies.RoleAdmin)
		if round > 0 { // only the two are left
			for _, old := range []string{"a", "b"} {
				err := f.DeleteUser(t.Context(), byOperator, fmt.Sprint(old, "-", round-1))
				if code := stepsies.CodeOf(err); code != "" && code != stepsies.CodeNotFound {
					t.Fatal(err)
				}
			}
		}
		var wg sync.WaitGroup
		var errs [2]error
		wg.Go(func() { errs[0] = ways[round%3](a) })
		wg.Go(func() { errs[1] = ways[round/3](b) })
		wg.Wait()
		codes := []stepsies.Code{stepsies.CodeOf(errs[0]), stepsies.CodeOf(errs[1])}
		slices.Sort(codes)
		if !slices.Equal(codes, []stepsies.Code{"", stepsies.CodeConflict}) {
			t.Errorf("round %d ended with %v and %v, want one to win and one conflict", round, errs[0], errs[1])
		}
		if n := f.count(t, `select count(*) from users where role = 'admin' and suspended_at is null`); n != 1 {
			t.Fatalf("round %d left %d admins", round, n)
		}
	}
}

// testSlugRace makes new stepsies and resets the slugs of old ones at once.
func testSlugRace(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	const n = 8
	var old [n]stepsies.Stepsy
	for i := range old {
		old[i] = f.stepsy(t, u, fmt.Sprint("Old ", i))
	}
	var wg sync.WaitGroup
	errs := make([]error, 2*n)
	for i := range n {
		wg.Go(func() {
			_, errs[2*i] = f.CreateStepsy(t.Context(), by(u), "sarah", stepsies.StepsyChange{Title: ptr("Same")})
		})
		wg.Go(func() {
			_, errs[2*i+1] = f.UpdateStepsy(t.Context(), by(u), old[i].ID, stepsies.StepsyChange{Title: ptr("Same"), Slug: ptr("")})
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	if n := f.count(t, `select count(distinct slug) from stepsies where slug like 'same%'`); n != 16 {
		t.Errorf("there are %d different slugs, want 16", n)
	}
}

// testKeyRace edits, rotates, uses and revokes the same keys from all sides; when a
// revocation has returned, the key is dead, and it stays dead.
func testKeyRace(t *testing.T, f *fixture) {
	u := f.user(t, "sarah", stepsies.RoleAdmin)
	for range 5 {
		k, secret := f.key(t, u, "read")
		var wg sync.WaitGroup
		fail := func(err error) {
			if code := stepsies.CodeOf(err); code != "" && code != stepsies.CodeConflict {
				t.Error(err)
			}
		}
		for i := range 4 {
			wg.Go(func() {
				fail(second(f.UpdateAPIKey(t.Context(), by(u), k.ID, stepsies.KeyChange{Name: ptr(fmt.Sprint("name ", i)), ExpiresAt: ptr(epoch.Add(time.Hour))})))
			})
			wg.Go(func() {
				fail(f.RecordKeyUse(t.Context(), []KeyUse{{KeyID: k.ID, Day: 1, Requests: 1, LastUsed: epoch.Add(time.Duration(i) * time.Second), LastUsedIP: "192.0.2.1"}}))
			})
		}
		wg.Go(func() {
			fail(second(f.RotateAPIKey(t.Context(), by(u), k.ID, time.Hour, stepsies.NewSecret())))
		})
		wg.Go(func() {
			fail(second(f.UpdateUser(t.Context(), byOperator, "sarah", stepsies.UserChange{Bio: ptr("bio"), Suspended: ptr(false)})))
		})
		wg.Go(func() {
			fail(second(f.RevokeAPIKey(t.Context(), by(u), k.ID)))
			found, err := f.LookUpKeys(t.Context(), []stepsies.KeyHash{secret.Hash()})
			if err != nil || len(found) != 1 || found[0].Key.RevokedAt.IsZero() {
				t.Errorf("after its revocation the key is looked up as %+v (%v)", found, err)
			}
		})
		wg.Wait()
		read, err := f.APIKey(t.Context(), k.ID, of(u))
		if err != nil || read.Status(epoch) != stepsies.KeyRevoked {
			t.Errorf("in the end the key is %+v (%v)", read, err)
		}
		if n := f.count(t, `select requests from key_usage_days where key_id = $1`, k.ID); n != 4 || read.LastUsedAt != epoch.Add(3*time.Second) {
			t.Errorf("it was used %d times, last at %v", n, read.LastUsedAt)
		}
	}
}

// testLeakRace reports the keys of several users in opposite orders while their
// owners go.
func testLeakRace(t *testing.T, f *fixture) {
	f.user(t, "admin", stepsies.RoleAdmin)
	for round := range 3 {
		var hashes []stepsies.KeyHash
		var names []string
		for i := range 4 {
			name := fmt.Sprintf("user-%d-%d", round, i)
			u := f.member(t, name)
			names = append(names, name)
			for range 2 {
				_, secret := f.key(t, u, "read")
				hashes = append(hashes, secret.Hash())
			}
		}
		backwards := slices.Clone(hashes)
		slices.Reverse(backwards)
		var wg sync.WaitGroup
		var ended [2]int
		for i, list := range [][]stepsies.KeyHash{hashes, backwards} {
			wg.Go(func() {
				var err error
				if ended[i], err = f.RevokeLeaked(t.Context(), byOperator, list, ""); err != nil {
					t.Error(err)
				}
			})
		}
		for _, name := range names[:2] {
			wg.Go(func() {
				if err := f.DeleteUser(t.Context(), byOperator, name); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if sum := ended[0] + ended[1]; sum < 4 || sum > 8 {
			t.Errorf("%v keys were revoked, want 4 to 8", ended)
		}
		if n := f.count(t, `select count(*) from api_keys where revoked_at is null`); n != 0 {
			t.Errorf("%d keys live on", n)
		}
	}
}

// testEditRace: the revocation commits between the edit's first read and its lock.
func testEditRace(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	for range 10 {
		k, _ := f.key(t, u, "read")
		var wg sync.WaitGroup
		var edit, revoke error
		wg.Go(func() {
			_, edit = f.UpdateAPIKey(t.Context(), by(u), k.ID, stepsies.KeyChange{Name: ptr("edited")})
		})
		wg.Go(func() { _, revoke = f.RevokeAPIKey(t.Context(), by(u), k.ID) })
		wg.Wait()
		read, err := f.APIKey(t.Context(), k.ID, of(u))
		if err != nil || revoke != nil || read.RevokedAt.IsZero() {
			t.Fatalf("the key is %+v (%v, %v)", read, err, revoke)
		}
		if (edit == nil) != (read.Name == "edited") {
			t.Errorf("the edit ended with %v and the name is %q", edit, read.Name)
		}
	}
}

// testEndedTransaction ends a transaction between two rows, as its deadline does.
func testEndedTransaction(t *testing.T, f *fixture) {
	f.member(t, "ada")
	f.member(t, "sarah")
	err := f.transactUnjudged(t.Context(), func(tx *tx) error {
		return tx.each(t.Context(), `select username from users order by id`, nil, func(scan func(...any) error) error {
			_ = tx.Rollback()
			var name string
			return scan(&name)
		})
	})
	wantCode(t, err, stepsies.CodeUnavailable)
}

// testActorGone lets a user act who was admitted and then deleted, before and after
// someone else takes the name.
func testActorGone(t *testing.T, f *fixture) {
	ctx := t.Context()
	old := f.member(t, "sarah")
	k, _ := f.key(t, old, "write")
	byKey := Write{
		Actor: stepsies.Actor{Kind: stepsies.ActorKey, UserID: old.ID, Username: old.Username, KeyID: k.ID},
		Right: Right{Scope: stepsies.ScopeWrite},
	}
	if err := f.DeleteUser(ctx, byOperator, "sarah"); err != nil {
		t.Fatal(err)
	}
	for _, taken := range []bool{false, true} {
		if taken {
			f.clock.forward(stepsies.FormerUsernameKept)
			f.stepsy(t, f.member(t, "sarah"), "The new Sarah's")
		}
		for _, who := range []struct {
			name string
			Write
			want error
		}{{"a key", byKey, stepsies.Unauthorized()}, {"a session", by(old), ErrSignedOut}} {
			for act, err := range map[string]error{
				"makes a stepsy": second(f.CreateStepsy(ctx, who.Write, "sarah", stepsies.StepsyChange{Title: ptr("Mine")})),
				"makes a key": second(f.CreateAPIKey(ctx, who.Write, "sarah",
					stepsies.KeyChange{Name: ptr("mine"), Scopes: &[]string{"read"}}, stepsies.NewSecret())),
				"changes the profile": second(f.UpdateUser(ctx, who.Write, "sarah", stepsies.UserChange{Bio: ptr("Mine.")})),
				"sets the password":   f.SetPassword(ctx, who.Write, "sarah", "hash", 0),
				"deletes the user":    f.DeleteUser(ctx, who.Write, "sarah"),
			} {
				if err == nil || err.Error() != who.want.Error() {
					t.Errorf("name taken again %t: %s %s: %v, want %s", taken, who.name, act, err, who.want)
				}
			}
		}
		list, err := f.ListStepsies(ctx, StepsyFilter{Access: of(old), Page: Page{Limit: 5}})
		if err != nil || len(list.Items) != 0 {
			t.Errorf("name taken again %t: the list of the deleted user holds %d (%v)", taken, len(list.Items), err)
		}
	}
}
