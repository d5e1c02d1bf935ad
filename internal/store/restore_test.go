package store

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

// onBothEngines runs a test with a town in SQLite and with one in PostgreSQL.
func onBothEngines(t *testing.T, test func(t *testing.T, w *town)) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			test(t, newTown(t, newDatabase(t, engine)))
		})
	}
}

func reasonsOf(done Restored) map[string]string {
	said := map[string]string{}
	for _, k := range done.KeptBack {
		name := k.Kind + " " + k.User
		if k.Kind == "api_key" {
			name = "key " + k.Name
		}
		said[name] = strings.Join(k.Reason, ", ")
	}
	return said
}

// TestWhatWasKeptBackIsSaidRowByRow does much at once and reads what a restore says.
func TestWhatWasKeptBackIsSaidRowByRow(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, w *town) {
		file := w.backUp(t)
		for _, name := range []string{"leaked", "demoted", "deleted, and another of that name and address", "password changed", "address changed", "expiry brought forward", "scopes exchanged", "plan lowered"} {
			for _, e := range ends {
				if e.name == name {
					e.do(t, w)
				}
			}
		}
		w.edit(t, "readwrite", stepsies.KeyChange{Scopes: &[]string{"write"}})
		want := map[string]string{
			"user sarah":    "role admin → member, present password, present e-mail address",
			"user omar":     "suspended, since they were deleted, their e-mail address is another user's now",
			"user grace":    "present e-mail address",
			"account sarah": "plan pro → free",
			"key admin":     "revoked as leaked",
			"key omars":     "revoked, since it was not there any more",
			"key graces":    "revoked, since its scopes are others now",
			"key readwrite": "scopes read write → write",
			"key ending":    "expires 2026-04-13T09:26:53Z → 2026-03-14T11:26:53Z",
		}
		got := reasonsOf(w.restore(t, file, false))
		for name, reason := range want {
			if got[name] != reason {
				t.Errorf("%s: %q, want %q", name, got[name], reason)
			}
			delete(got, name)
		}
		if len(got) > 0 {
			t.Errorf("kept back as well: %v", got)
		}
		k, err := w.APIKey(t.Context(), w.ids["admin"], everyone)
		if err != nil || k.Reason != stepsies.RevokedLeaked || k.LeakSource != "https://example.com/paste" {
			t.Errorf("the owner of a leaked key is not told where it was found: %q, %q, %v", k.Reason, k.LeakSource, err)
		}
	})
}

// TestEveryKeyIsRevokedOnRequest is for when the present database is lost.
func TestEveryKeyIsRevokedOnRequest(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, w *town) {
		file := w.backUp(t)
		w.move(t, newDatabase(t, w.Engine()))
		done := w.restore(t, file, true)
		if done.Known || done.Revoked != int64(len(w.secrets)) || len(done.KeptBack) != len(w.secrets) {
			t.Errorf("%d keys of %d are revoked: %+v", done.Revoked, len(w.secrets), done)
		}
		for can := range w.rights(t) {
			if strings.HasPrefix(can, "key ") {
				t.Errorf("after all keys were revoked: %s", can)
			}
		}
	})
}

// TestInstallationTakesTheNameOfItsBackup: an installation that has moved, or was lost
// and brought back, knows from then on what ends.
func TestInstallationTakesTheNameOfItsBackup(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, w *town) {
		file := w.backUp(t)
		other := newTown(t, newDatabase(t, w.Engine()))
		othersFile := other.backUp(t)
		if done := other.restore(t, file, false); done.Known {
			t.Error("another installation knows what ended in this one")
		}
		if done := other.restore(t, file, false); !done.Known || len(done.KeptBack) > 0 {
			t.Errorf("the second restore of a backup kept back %v, known: %v", done.KeptBack, done.Known)
		}
		if done := other.restore(t, othersFile, false); done.Known {
			t.Error("an installation knows what it was before it was replaced")
		}
	})
}

// TestBackupWithoutANameIsTakenForThisOnes unless nothing is there: older programs did
// not write one.
func TestBackupWithoutANameIsTakenForThisOnes(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, w *town) {
		file := withHeader(t, w.backUp(t), func(header string) string {
			i := strings.Index(header, `,"installation"`)
			return header[:i] + "}"
		})
		inBackup := w.rights(t)
		for _, name := range []string{"sarah", "omar", "grace"} {
			w.must(t, w.DeleteUser(t.Context(), byOperator, name))
		}
		before := w.rights(t)
		done := w.restore(t, file, false)
		if !done.Known || !done.Unnamed {
			t.Errorf("known %v, unnamed %v", done.Known, done.Unnamed)
		}
		compareRights(t, inBackup, before, w.rights(t))

		empty := &town{clock: w.clock, secrets: w.secrets, ids: w.ids, tokens: w.tokens, users: w.users}
		empty.move(t, newDatabase(t, w.Engine()))
		if done := empty.restore(t, file, false); done.Known || !done.Unnamed {
			t.Errorf("into an empty one: known %v, unnamed %v", done.Known, done.Unnamed)
		}
		if got := differ(inBackup, empty.rights(t)); got != "" {
			t.Errorf("into an empty one: %s", got)
		}
	})
}

// withHeader changes the first line of a backup.
func withHeader(t *testing.T, file []byte, change func(string) string) []byte {
	t.Helper()
	header, rest, _ := strings.Cut(unzip(t, file), "\n")
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := io.WriteString(z, change(header)+"\n"+rest); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return zipped.Bytes()
}

// TestRestoreMayLeaveNoAdmin and then says whom to make one.
func TestRestoreMayLeaveNoAdmin(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, w *town) {
		file := w.backUp(t)
		w.user(t, "lin", stepsies.RoleAdmin)
		w.must(t, w.DeleteUser(t.Context(), byOperator, "ada"))
		w.change(t, "sarah", stepsies.UserChange{Role: ptr("member")})
		done := w.restore(t, file, false)
		if c := done.Candidate; done.Admins != 0 || c == nil || c.Username != "sarah" || !c.Member || c.Suspended {
			t.Errorf("%d admins, and whom to make one: %+v", done.Admins, c)
		}
	})
}

// TestNumbersAreNeverGivenTwice: what was made since the backup is gone, but the record
// of whoever had its number must not become another's, nor a step where readers stopped
// another one, nor an ETag name two texts.
func TestNumbersAreNeverGivenTwice(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, w *town) {
		ctx := t.Context()
		gone := w.find(t, "grace")
		w.must(t, w.DeleteUser(ctx, byOperator, "grace"))
		file := w.backUp(t)
		w.user(t, "since", stepsies.RoleMember)
		w.key(t, "since", "since", "read", time.Time{})
		since := w.find(t, "since")
		made, err := w.CreateStepsy(ctx, byOperator, "since", stepsies.StepsyChange{Title: ptr("Since")})
		w.must(t, err)
		for range 3 {
			_, err := w.UpdateStepsy(ctx, byOperator, w.draft, stepsies.StepsyChange{Steps: steps("Another", "And one more")})
			w.must(t, err)
		}
		was, err := w.Stepsy(ctx, w.draft, everyone)
		w.must(t, err)
		keySince := w.ids["since"]

		w.restore(t, file, false)
		w.user(t, "later", stepsies.RoleMember)
		w.key(t, "later", "later", "read", time.Time{})
		if later := w.find(t, "later"); later.ID <= since.ID || later.Account.ID <= since.Account.ID {
			t.Errorf("a new user has the number %d (account %d) after %d (account %d)", later.ID, later.Account.ID, since.ID, since.Account.ID)
		}
		if w.ids["later"] <= keySince {
			t.Errorf("a new key has the number %d after %d", w.ids["later"], keySince)
		}
		again, err := w.CreateStepsy(ctx, byOperator, "later", stepsies.StepsyChange{Title: ptr("Later")})
		w.must(t, err)
		if again.Value.ID <= made.Value.ID {
			t.Errorf("a new stepsy has the number %d after %d", again.Value.ID, made.Value.ID)
		}
		back, err := w.Stepsy(ctx, w.draft, everyone)
		w.must(t, err)
		if back.Version <= was.Version {
			t.Errorf("the restored text has version %d after %d", back.Version, was.Version)
		}
		edited, err := w.UpdateStepsy(ctx, byOperator, w.draft, stepsies.StepsyChange{Steps: steps("New")})
		w.must(t, err)
		if step := edited.Value.Steps[0]; step.ID <= was.Steps[len(was.Steps)-1].ID {
			t.Errorf("a new step has the id %d after %d", step.ID, was.Steps[len(was.Steps)-1].ID)
		}

		w.move(t, newDatabase(t, w.Engine())) // nothing there but what the backup says
		w.restore(t, file, false)
		w.user(t, "first", stepsies.RoleMember)
		if first := w.find(t, "first"); first.ID <= gone.ID {
			t.Errorf("in an empty database a new user has the number %d of one who was deleted before the backup (%d)", first.ID, gone.ID)
		}
		_, err = w.RateStepsy(ctx, byOperator, w.publish(t), RatingReader{7}, stepsies.Rating{Stars: 5})
		w.must(t, err)
	})
}

func (w *town) publish(t *testing.T) int64 {
	t.Helper()
	_, err := w.PublishStepsy(t.Context(), byOperator, w.draft)
	w.must(t, err)
	return w.draft
}

// TestQuotaThatIsUsedStaysUsed counts a month once, whatever was restored in it.
func TestQuotaThatIsUsedStaysUsed(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, w *town) {
		sarah := w.find(t, "sarah")
		file := w.backUp(t)
		w.must(t, w.AddAccountDays(t.Context(), []AccountDay{{AccountID: sarah.Account.ID, Day: Day(epoch) - 1, Requests: 30}}))
		w.restore(t, file, false)
		used, err := w.AccountRequests(t.Context(), sarah.Account.ID, Day(epoch)-13, Day(epoch))
		if err != nil || used != 70 {
			t.Errorf("%d requests of the month are known after a restore, want 70 (%v)", used, err)
		}
	})
}

// TestManyRowsAreKeptBackInBounds: the restore returns the first of them, and the record
// of activity has all.
func TestManyRowsAreKeptBackInBounds(t *testing.T) {
	t.Parallel()
	w := newTown(t, newDatabase(t, "sqlite"))
	const more = 20
	for i := range maxKeptBack + more - len(w.secrets) {
		w.key(t, fmt.Sprint("one of many ", i), "omar", "read", time.Time{})
	}
	file := w.backUp(t)
	w.move(t, newDatabase(t, "sqlite"))
	done := w.restore(t, file, true)
	if len(done.KeptBack) != maxKeptBack || done.KeptBackMore != more || done.Revoked != maxKeptBack+more {
		t.Errorf("%d rows and %d more, %d keys revoked", len(done.KeptBack), done.KeptBackMore, done.Revoked)
	}
}

// TestRestoreWaitsForWhoWrites on PostgreSQL, and gives up: what another node revokes
// meanwhile must be known to it.
func TestRestoreWaitsForWhoWrites(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for ten seconds")
	}
	w := newTown(t, newDatabase(t, "postgres"))
	file := w.backUp(t)
	other, err := w.write.db.BeginTx(t.Context(), nil)
	w.must(t, err)
	defer func() { _ = other.Rollback() }()
	if _, err := other.ExecContext(t.Context(), `update api_keys set revoked_at = 1, revoked_reason = 'revoked' where id = $1`, w.ids["omars"]); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Restore(t.Context(), bytes.NewReader(file), false); err != errInUse {
		t.Errorf("beside a node that writes: %v, want %v", err, errInUse)
	}
	w.must(t, other.Commit())
	w.restore(t, file, false)
	if k, err := w.APIKey(t.Context(), w.ids["omars"], everyone); err != nil || k.RevokedAt.IsZero() {
		t.Errorf("what another node revoked is live (%v)", err)
	}
}
