package web_test

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/web"
)

const activityAt = "/dashboard/activity"

func TestActivityIsOnesOwnOrEveryonesForAdmins(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "boss", "admin")
	sarah, other := h.withPassword(t, "sarah", "member"), h.withPassword(t, "other", "member")
	k, _ := h.newKey(t, sarah, "CI Pipeline", "read")
	h.newKey(t, other, "Foreign key", "read")
	b := h.signedIn(t, "boss")
	b.address = "203.0.113.7"
	b.post(t, keyAt(k.ID, "/revoke"))

	page := h.signedIn(t, "sarah").get(t, activityAt)
	wantText(t, page, "boss revoked the key CI Pipeline just now", "The operator created the key CI Pipeline scopes read", "You signed in from 192.0.2.10", "The operator created your account")
	// The address of an admin is not a member's to know; another's things are not.
	wantNoText(t, page, "203.0.113.7", "Foreign key", "other")
	all := b.get(t, activityAt)
	wantText(t, all, "You revoked the key CI Pipeline from 203.0.113.7 · just now", "The operator created the key Foreign key", "sarah signed in from 192.0.2.10")

	wantText(t, b.get(t, activityAt+"?user=other"), "The operator created the key Foreign key", "created the user other")
	wantNoText(t, b.get(t, activityAt+"?user=other"), "CI Pipeline")
	wantText(t, b.get(t, activityAt+"?user=%40Boss&kind=keys"), "You revoked the key CI Pipeline")
	wantNoText(t, b.get(t, activityAt+"?user=boss&kind=keys"), "signed in", "Foreign key")
	wantText(t, b.get(t, activityAt+"?user=nobody"), "There is no user nobody")
	wantText(t, b.get(t, activityAt+"?user=boss&kind=stepsies"), "Nothing of the kind is recorded")
	// The filter by user is an admin's.
	wantNoText(t, h.signedIn(t, "sarah").get(t, activityAt+"?user=other"), "Foreign key")
	for _, query := range []string{"?kind=made-up", "?user=%00", "?user=%ff%fe", "?user=" + strings.Repeat("a", 5000)} {
		wantStatus(t, b.get(t, activityAt+query), http.StatusOK)
	}
	wantStatus(t, b.get(t, activityAt+"?cursor=made-up"), http.StatusBadRequest)

}

func TestActivityIsPaged(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	sarah := h.withPassword(t, "sarah", "member")
	for i := range 60 {
		h.newKey(t, sarah, "key number "+itoa(int64(i))+".", "read")
	}
	b := h.signedIn(t, "sarah")
	first := b.get(t, activityAt+"?kind=keys")
	wantText(t, first, "key number 59.", "key number 10.")
	wantNoText(t, first, "key number 9.", "Back to the newest")
	second := b.get(t, nextOf(t, first))
	wantText(t, second, "key number 9.", "key number 0.", "Back to the newest")
	wantNoText(t, second, "key number 10.", "Older")
}

// TestEveryActionIsToldInWords tells each by everybody to everybody, and on the page of
// a key.
func TestEveryActionIsToldInWords(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../../activity.go")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^\tAction\w+ +Action = "([a-z_.]+)"`).FindAllSubmatch(source, -1)
	if len(found) < 30 {
		t.Fatalf("found only %d actions", len(found))
	}
	for _, m := range found {
		action := stepsies.Action(m[1])
		if action.Target() == "" {
			t.Errorf("nobody knows what %s is done to", action)
		}
		for _, told := range web.TellActivity(action) {
			if strings.Contains(told, "did "+string(action)) || strings.Contains(told, "  ") {
				t.Errorf("%s is told as %q", action, told)
			}
		}
		if word := web.KeyChanged(action); (word == string(action)) != (action.Target() != stepsies.TargetKey) {
			t.Errorf("the page of a key says %q of %s", word, action)
		}
	}
}
