package web_test

import (
	"net/http"
	"testing"

	"github.com/stepsies/stepsies"
)

// TestAPublishedStepsyIsReadByAnyoneAndADraftByItsAuthorAlone also follows an
// address that the stepsy had before, and ends with its author's suspension.
func TestAPublishedStepsyIsReadByAnyoneAndADraftByItsAuthorAlone(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	stranger := &person{h: h}
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour &amp; water</p>")
	const address = "/@sarah/bake-bread"
	wantStatus(t, stranger.get(t, address), http.StatusNotFound)
	wantStatus(t, h.signIn(t, h.other).get(t, address), http.StatusNotFound)
	wantText(t, h.signIn(t, h.sarah).get(t, address), "Bake bread", "Flour")

	if _, err := h.Store().PublishStepsy(t.Context(), operator, s.ID); err != nil {
		t.Fatal(err)
	}
	page := stranger.get(t, address)
	wantStatus(t, page, http.StatusOK)
	wantText(t, page, "Bake bread", "Mix", "Flour")

	slug := "bread"
	h.change(t, s, stepsies.StepsyChange{Slug: &slug})
	if old := stranger.get(t, address); old.status != http.StatusFound || old.location != "/@sarah/bread" {
		t.Errorf("the old address answers %d %s", old.status, old.location)
	}
	for _, path := range []string{"/@sarah/none", "/@nobody/bread", "/@nobody", "/@/bread", "/@sarah/bread/more", "/sarah/bread"} {
		wantStatus(t, stranger.get(t, path), http.StatusNotFound)
	}
	suspended := true
	if _, err := h.Store().UpdateUser(t.Context(), operator, "sarah", stepsies.UserChange{Suspended: &suspended}); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, stranger.get(t, "/@sarah/bread"), http.StatusNotFound)
}
