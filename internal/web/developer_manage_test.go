package web_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
)

func TestEditedScopeHoldsAtOnce(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	k, secret := h.newKey(t, h.sarah, "CI Pipeline", "write")
	if status := h.call(secret.Reveal()); status != http.StatusForbidden {
		t.Fatalf("a key without read gets %d", status)
	}
	form := sarah.get(t, keyAt(k.ID, "/edit"))
	if !strings.Contains(form.body, `value="CI Pipeline"`) || !strings.Contains(form.body, `value="write" checked`) || !strings.Contains(form.body, `value="keep" checked`) {
		t.Errorf("the form does not show the key as it is:\n%s", form.body)
	}
	fields := url.Values{"name": {"CI"}, "description": {"line one\r\nline two"}, "scopes": {"read", "write"}, "expiry": {"30d"}, "date": {""}}
	saved := sarah.submit(t, keyAt(k.ID, "/edit"), keyAt(k.ID, "/edit"), fields)
	if saved.status != http.StatusSeeOther || saved.location != keyAt(k.ID, "") {
		t.Fatalf("saving answers %d and leads to %q:\n%s", saved.status, saved.location, saved.text())
	}
	wantText(t, sarah.get(t, saved.location), "CI is saved.", "Edited by you", "name CI Pipeline → CI", "scopes write → read write")
	if status := h.call(secret.Reveal()); status != http.StatusOK {
		t.Errorf("the key with read gets %d", status)
	}
	if got := h.keys(t, h.sarah)[0]; got.Description != "line one\nline two" || got.ExpiresAt.IsZero() {
		t.Errorf("the key is %+v", got)
	}

	bad := sarah.submit(t, keyAt(k.ID, "/edit"), keyAt(k.ID, "/edit"), url.Values{"name": {""}, "description": {"kept"}, "expiry": {"keep"}})
	wantStatus(t, bad, http.StatusUnprocessableEntity)
	wantText(t, bad, "This must not be empty.", "Choose at least one scope.", "kept")
}

func TestExpiredKeyIsBroughtBackByEditing(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	fields := fill("One week", "read")
	fields.Set("expiry", "7d")
	key := secretForm.FindString(sarah.createKey(t, fields).body)
	wantText(t, sarah.get(t, developer), "expires in 7 days")
	h.forward(8 * 24 * time.Hour)
	if status := h.call(key); status != http.StatusUnauthorized {
		t.Fatalf("the expired key gets %d", status)
	}
	wantText(t, sarah.get(t, developer), "1 expired key", "No key works now")
	k := h.keys(t, h.sarah)[0]
	wantText(t, sarah.get(t, keyAt(k.ID, "")), "A later date brings the key back")
	saved := sarah.submit(t, keyAt(k.ID, "/edit"), keyAt(k.ID, "/edit"), fill("One week", "read"))
	wantStatus(t, saved, http.StatusSeeOther)
	if status := h.call(key); status != http.StatusOK {
		t.Errorf("the key brought back gets %d", status)
	}
}

func TestRevokedKeyCanBeNeitherEditedNorRotatedNorRevived(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	k, secret := h.newKey(t, h.sarah, "Gone", "read")
	wantStatus(t, sarah.submit(t, keyAt(k.ID, "/revoke"), keyAt(k.ID, "/revoke"), nil), http.StatusSeeOther)
	wantStatus(t, sarah.get(t, keyAt(k.ID, "/edit")), http.StatusConflict)
	wantStatus(t, sarah.get(t, keyAt(k.ID, "/rotate")), http.StatusConflict)
	wantStatus(t, sarah.post(t, keyAt(k.ID, "/edit"), fill("Back", "read")), http.StatusConflict)
	once := withHidden(sarah.get(t, developer+"/new"), url.Values{"grace": {"0"}})
	wantStatus(t, sarah.post(t, keyAt(k.ID, "/rotate"), once), http.StatusConflict)
	wantStatus(t, sarah.post(t, keyAt(k.ID, "/revoke"), nil), http.StatusSeeOther) // changes nothing
	if ask := sarah.get(t, keyAt(k.ID, "/revoke")); ask.status != http.StatusSeeOther {
		t.Errorf("a revoked key is asked about again: %d", ask.status)
	}
	page := sarah.get(t, keyAt(k.ID, ""))
	wantText(t, page, "Gone", "revoked", "Revoked by you", "Created by the operator")
	if n := strings.Count(page.text(), "Revoked by"); n != 1 {
		t.Errorf("the history tells of %d revocations", n)
	}
	if status := h.call(secret.Reveal()); status != http.StatusUnauthorized {
		t.Errorf("the revoked key gets %d", status)
	}
}

func TestRotationLetsTheOldKeyLiveForItsGrace(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	for _, grace := range []time.Duration{0, time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour} {
		old, secret := h.newKey(t, h.sarah, "Backend "+grace.String(), "read")
		form := sarah.get(t, keyAt(old.ID, "/rotate"))
		fields := withHidden(form, url.Values{"grace": {strconv.Itoa(int(grace.Seconds()))}})
		made := sarah.post(t, keyAt(old.ID, "/rotate"), fields)
		wantStatus(t, made, http.StatusOK)
		next := secretForm.FindString(made.body)
		if next == "" || next == secret.Reveal() || h.call(next) != http.StatusOK {
			t.Fatalf("grace %s: no working successor is shown", grace)
		}
		wantOld := http.StatusOK
		if grace == 0 {
			wantOld = http.StatusUnauthorized
			wantText(t, made, "does not work any more")
		} else {
			wantText(t, made, "works until", "It was not used in the last 7 days.")
		}
		if got := h.call(secret.Reveal()); got != wantOld {
			t.Errorf("grace %s: the old key gets %d, want %d", grace, got, wantOld)
		}
		again := sarah.post(t, keyAt(old.ID, "/rotate"), fields)
		wantStatus(t, again, http.StatusSeeOther)
		if page := sarah.get(t, again.location); secretForm.MatchString(page.body) || !strings.Contains(page.text(), "exists already") {
			t.Errorf("grace %s: the form sent again shows:\n%s", grace, page.text())
		}
		wantText(t, sarah.get(t, keyAt(old.ID, "")), "Replaced by", "Rotated by you")
		if grace > 0 {
			wantText(t, sarah.get(t, keyAt(old.ID, "")), "was not called today")
		}
		wantText(t, sarah.get(t, again.location), "as the successor of")
	}
	if n := len(h.keys(t, h.sarah)); n != 10 {
		t.Errorf("there are %d keys, want 10", n)
	}

	k, _ := h.newKey(t, h.sarah, "Backend", "read")
	bad := sarah.submit(t, keyAt(k.ID, "/rotate"), keyAt(k.ID, "/rotate"), url.Values{"grace": {"99999999"}})
	wantStatus(t, bad, http.StatusUnprocessableEntity)
	wantText(t, bad, "Choose how long the old key lives on.")
}

func TestKeyOfAFormerAdminIsNotRotatedWithAdmin(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	k, _ := h.newKey(t, h.admin, "Migration", "admin", "read")
	h.newUser(t, "second", "admin")
	member := "member"
	if _, err := h.Store().UpdateUser(t.Context(), operator, "boss", stepsies.UserChange{Role: &member}); err != nil {
		t.Fatal(err)
	}
	boss := h.signIn(t, h.admin)
	got := boss.submit(t, keyAt(k.ID, "/rotate"), keyAt(k.ID, "/rotate"), url.Values{"grace": {"0"}})
	wantStatus(t, got, http.StatusUnprocessableEntity)
	wantText(t, got, "which boss can no longer hold")
	wantText(t, boss.get(t, keyAt(k.ID, "/edit")), "Saving takes it away.")
}

func TestKeysOfAnotherAreOutOfReach(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	k, secret := h.newKey(t, h.sarah, "Sarah's own", "read")
	other := h.signIn(t, h.other)
	once := withHidden(other.get(t, developer+"/new"), url.Values{"grace": {"0"}})
	for _, path := range []string{
		keyAt(k.ID, ""), keyAt(k.ID, "/edit"), keyAt(k.ID, "/rotate"), keyAt(k.ID, "/revoke"), developer + "?user=sarah", developer + "/new?user=sarah",
		keyAt(k.ID+1000, ""), developer + "/keys/none", developer + "/keys/99999999999999999999",
	} {
		wantStatus(t, other.get(t, path), http.StatusNotFound)
	}
	wantStatus(t, other.post(t, keyAt(k.ID, "/edit"), fill("Mine now", "read")), http.StatusNotFound)
	wantStatus(t, other.post(t, keyAt(k.ID, "/rotate"), once), http.StatusNotFound)
	wantStatus(t, other.post(t, keyAt(k.ID, "/revoke"), nil), http.StatusNotFound)
	foreign := fill("For Sarah", "read")
	foreign.Set("user", "sarah")
	wantStatus(t, other.createKey(t, foreign), http.StatusNotFound)
	wantNoText(t, other.get(t, developer), "Sarah's own")
	if status := h.call(secret.Reveal()); status != http.StatusOK || len(h.keys(t, h.sarah)) != 1 {
		t.Errorf("another user changed something: the key gets %d", status)
	}

	nobody := &person{h: h}
	for _, path := range []string{developer, developer + "/new", keyAt(k.ID, ""), keyAt(k.ID, "/revoke")} {
		if got := nobody.get(t, path); got.status != http.StatusSeeOther || !strings.HasPrefix(got.location, "/sign-in?next=") {
			t.Errorf("%s without a session answers %d and leads to %q", path, got.status, got.location)
		}
	}
}

func TestAdminSeesOwnKeysAndAnothersWhenNamed(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, true)
	k, secret := h.newKey(t, h.sarah, "Sarah's own", "read")
	boss := h.signIn(t, h.admin)
	wantNoText(t, boss.get(t, developer), "Sarah's own")
	wantText(t, boss.get(t, developer+"?user=SARAH"), "Sarah's own", "API keys of sarah", "as an admin", "Back to your own keys")
	wantStatus(t, boss.get(t, developer+"?user=nobody-here"), http.StatusNotFound)
	wantText(t, boss.get(t, keyAt(k.ID, "")), "belongs to sarah")

	made := boss.submit(t, developer+"/new?user=sarah", developer, fill("Made for Sarah", "read"))
	wantText(t, made, "Made for Sarah is ready", "API keys of sarah")
	if keys := h.keys(t, h.sarah); len(keys) != 2 || keys[0].Name != "Made for Sarah" {
		t.Errorf("Sarah's keys: %+v", keys)
	}
	gone := boss.submit(t, keyAt(k.ID, "/revoke"), keyAt(k.ID, "/revoke"), nil)
	if gone.location != developer+"?user=sarah" {
		t.Errorf("revoking leads to %q", gone.location)
	}
	if status := h.call(secret.Reveal()); status != http.StatusUnauthorized {
		t.Errorf("the key gets %d", status)
	}
	wantText(t, h.signIn(t, h.sarah).get(t, keyAt(k.ID, "")), "Revoked by boss")
}

func TestListTellsOfUse(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, true)
	busy, busySecret := h.newKey(t, h.sarah, "Busy", "read")
	dead, _ := h.newKey(t, h.sarah, "Dead", "read")
	h.newKey(t, h.sarah, "Idle", "read")
	h.forward(94 * 24 * time.Hour)
	sarah := h.signIn(t, h.sarah)
	wantStatus(t, sarah.post(t, keyAt(dead.ID, "/revoke"), nil), http.StatusSeeOther)
	now := h.now()
	today := store.Day(now)
	if err := h.Store().RecordKeyUse(t.Context(), []store.KeyUse{
		{KeyID: busy.ID, Day: today, Requests: 1204, LastUsed: now.Add(-3 * time.Minute), LastUsedIP: "203.0.113.7"},
		{KeyID: busy.ID, Day: today - 40, Requests: 9999},
		{KeyID: dead.ID, Day: today, Refusals: 14, LastRefused: now.Add(-2 * time.Minute)},
	}); err != nil {
		t.Fatal(err)
	}
	list := sarah.get(t, developer)
	wantText(t, list, "Used 3 minutes ago", "from 203.0.113.7", "1,204 requests in the last 30 days", "unused for 94 days", "1 revoked key",
		"refused 14 times since", "Still called, last 2 minutes ago", "This minute", "of 60", "This hour", "of 1,000", "Free plan", "of 5,000")
	if n := strings.Count(list.text(), "unused for"); n != 1 {
		t.Errorf("%d keys are called unused, want the idle one alone", n)
	}
	ask := sarah.get(t, keyAt(busy.ID, "/revoke"))
	wantText(t, ask, "3 minutes ago from 203.0.113.7", "1,204 today")
	wantText(t, sarah.get(t, keyAt(busy.ID, "")), "Requests per day", "The numbers as a table", "Accepted 1,204")
	wantText(t, sarah.get(t, keyAt(dead.ID, "")), "Refused 14 times.", "Refused, since the key had ended 14")

	h.call(busySecret.Reveal())
	if used := sarah.get(t, developer); !strings.Contains(used.text(), "1 of 60") {
		t.Errorf("the use of the plan is not counted:\n%s", used.text())
	}
}

func TestLimitsPanelFollowsThePlan(t *testing.T) {
	t.Parallel()
	off := openKeyHouse(t, false)
	if page := off.signIn(t, off.sarah).get(t, developer); strings.Contains(page.body, "Use of your plan") {
		t.Error("limits are off, and the page shows some")
	}
	on := openKeyHouse(t, true)
	plan := "enterprise"
	if _, err := on.Store().UpdateUserAndAccount(t.Context(), operator, "sarah", stepsies.UserChange{},
		stepsies.AccountChange{Plan: &plan, Limits: &stepsies.Limits{Minute: 7}}); err != nil {
		t.Fatal(err)
	}
	wantText(t, on.signIn(t, on.sarah).get(t, developer), "This minute 0 of 7", "This hour No limit", "Enterprise plan No limit")
}

func TestManyKeysAreListedInParts(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	for i := range 51 {
		h.newKey(t, h.sarah, "Key number "+strconv.Itoa(i), "read")
	}
	sarah := h.signIn(t, h.sarah)
	first := sarah.get(t, developer)
	wantText(t, first, "Key number 50", "Key number 1 ", "Older keys")
	wantNoText(t, first, "Key number 0 ")
	_, rest, _ := strings.Cut(first.body, developer+"?live=")
	cursor, _, _ := strings.Cut(rest, `"`)
	wantText(t, sarah.get(t, developer+"?live="+cursor), "Key number 0 ")
}

func TestFormsFromAnotherSiteAreRefused(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	k, secret := h.newKey(t, h.sarah, "Backend", "read")
	sarah := h.signIn(t, h.sarah)
	for _, path := range []string{developer, keyAt(k.ID, "/edit"), keyAt(k.ID, "/rotate"), keyAt(k.ID, "/revoke")} {
		if status := sarah.postFrom(t, "cross-site", path); status != http.StatusForbidden {
			t.Errorf("%s from another site answers %d", path, status)
		}
	}
	if status := h.call(secret.Reveal()); status != http.StatusOK {
		t.Errorf("the key gets %d", status)
	}
}
