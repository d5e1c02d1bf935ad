package web_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/server"
	"github.com/stepsies/stepsies/internal/store"
)

func (h *keyHouse) addStepsy(t *testing.T, author, title string, publish bool) stepsies.Stepsy {
	t.Helper()
	steps := []stepsies.StepChange{{Title: "A step", Content: stepsies.SanitisedContent("<p>Do it.</p>")}}
	out, err := h.Store().CreateStepsy(t.Context(), operator, author, stepsies.StepsyChange{Title: &title, Steps: &steps, Publish: publish})
	if err != nil {
		t.Fatal(err)
	}
	return out.Value
}

func TestFirstVisitSaysWhatToDo(t *testing.T) {
	t.Parallel()
	h := openHouse(t, func(c *server.Config) { c.RateLimits = true })
	u := h.withPassword(t, "sarah", "member")
	b := h.signedIn(t, "sarah")
	page := b.get(t, "/dashboard")
	wantText(t, page, "Begin here", "Write your first stepsy", "Create an API key", "0 of 5,000 API requests")
	wantNoText(t, page, "Views", "Keys to look at", "Latest stepsies", "Done:")
	h.newKey(t, u, "key", "read")
	wantText(t, b.get(t, "/dashboard"), "Begin here", "Done: 1 key in use.")
	h.addStepsy(t, "sarah", "My first", false)
	page = b.get(t, "/dashboard")
	wantNoText(t, page, "Begin here")
	wantText(t, page, "0 published, 1 draft", "No ratings yet", "My first draft 1 step · changed just now")
}

func TestOverviewSumsUpWhatIsOnesOwn(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "boss", "admin")
	h.withPassword(t, "sarah", "member")
	var counts []store.Counts
	for i, title := range []string{"One", "Two", "Three"} {
		s := h.addStepsy(t, "sarah", title, i < 2)
		counts = append(counts, store.Counts{StepsyID: s.ID, Views: 1000, Completions: 20, Ratings: 2, Stars: 9})
		h.forward(time.Minute)
	}
	foreign := h.addStepsy(t, "boss", "Foreign", true)
	counts = append(counts, store.Counts{StepsyID: foreign.ID, Views: 7, Completions: 5, Ratings: 1, Stars: 1})
	if err := h.Store().AddCounts(t.Context(), counts); err != nil {
		t.Fatal(err)
	}
	one, today := counts[0].StepsyID, store.Day(h.now())
	if err := h.Store().RecordReadings(t.Context(), []store.Reading{
		{StepsyID: one, Day: today, Reader: 1}, {StepsyID: one, Day: today - 6, Reader: 1}, {StepsyID: one, Day: today - 7, Reader: 1}, {StepsyID: one, Day: today, Reader: 1, Mark: store.MarkCompletion},
	}); err != nil {
		t.Fatal(err)
	}
	page := h.signedIn(t, "sarah").get(t, "/dashboard")
	wantText(t, page, "Stepsies 2 published, 1 draft Views 3,003 2 in 7 days Completions 61 1 in 7 days Rating 4.5 of 6 ratings, 0 in 7 days",
		"Three draft 1,000 views · 20 completions · rated 4.5", "The operator created the stepsy One")
	wantNoText(t, page, "Foreign", "API requests") // limits are off here
	// An admin's overview is their own, too.
	page = h.signedIn(t, "boss").get(t, "/dashboard")
	wantText(t, page, "1 published, 0 drafts Views 7", "Foreign")
	wantNoText(t, page, "Three")
}

func TestOverviewPointsAtKeysThatNeedAnEye(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	u := h.withPassword(t, "sarah", "member")
	const day = 24 * time.Hour
	end := func(k stepsies.APIKey, in time.Duration) stepsies.APIKey {
		t.Helper()
		at := h.now().Add(in)
		if _, err := h.Store().UpdateAPIKey(t.Context(), operator, k.ID, stepsies.KeyChange{ExpiresAt: &at}); err != nil {
			t.Fatal(err)
		}
		return k
	}
	idle, _ := h.newKey(t, u, "Old screen", "read")
	h.forward(94 * day)
	h.newKey(t, u, "Fresh key", "read")
	soon, _ := h.newKey(t, u, "Ends soon", "read")
	end(soon, 5*day+time.Hour)
	over, _ := h.newKey(t, u, "Ended", "read")
	end(over, -2*day-time.Hour)
	called, secret := h.newKey(t, u, "Still in a cron job", "read")
	if _, err := h.Store().RevokeAPIKey(t.Context(), operator, called.ID); err != nil {
		t.Fatal(err)
	}
	if got := h.call(secret.Reveal()); got != 401 {
		t.Fatalf("the revoked key gets %d", got)
	}
	if err := h.Store().RecordKeyUse(t.Context(), []store.KeyUse{{KeyID: called.ID, Day: store.Day(h.now()), Refusals: 1, LastRefused: h.now()}}); err != nil {
		t.Fatal(err)
	}
	page := h.signedIn(t, "sarah").get(t, "/dashboard")
	wantText(t, page, "Keys to look at", "Old screen unused for 94 days", "Ends soon expires in 5 days", "Ended expired 2 days ago",
		"Still in a cron job revoked, still called", "gets a 401, last just now")
	if strings.Contains(strings.Split(page.body, `id="lately"`)[0], "Fresh key") {
		t.Error("a key that is all right is pointed at")
	}
	for k, form := range map[int64]string{idle.ID: "/revoke", soon.ID: "/rotate", over.ID: "/edit", called.ID: ""} {
		if !strings.Contains(page.body, `href="`+keyAt(k, form)+`"`) {
			t.Errorf("the page does not lead to %s", keyAt(k, form))
		}
	}
}
