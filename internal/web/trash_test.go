package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

func TestDeletedStepsyIsPutBackWithin30Days(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	wantText(t, sarah.get(t, "/dashboard/trash"), "The trash is empty")
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>")
	wantText(t, sarah.get(t, stepsyAt(s, "delete")), "Delete “Bake bread”?", "30 days", "Keep it")
	gone := sarah.post(t, stepsyAt(s, "delete"), nil)
	wantStatus(t, gone, http.StatusSeeOther)
	page := sarah.get(t, gone.location)
	wantText(t, page, "Bake bread is in the trash")
	if names := namesOn(page); len(names) != 0 {
		t.Errorf("the list still has %v", names)
	}
	for _, act := range []string{"", "preview", "delete"} {
		wantStatus(t, sarah.get(t, stepsyAt(s, act)), http.StatusNotFound)
	}
	h.forward(10*24*time.Hour + time.Minute)
	sarah = h.signIn(t, h.sarah)
	wantText(t, sarah.get(t, "/dashboard/trash"), "Bake bread", "Gone for good in 20 days", "Put back")

	taker := h.newStepsy(t, h.sarah, "Bake bread")
	back := sarah.post(t, stepsyAt(s, "restore"), nil)
	wantStatus(t, back, http.StatusSeeOther)
	wantText(t, sarah.get(t, back.location), "Bake bread is back", "bake-bread-2", "Flour")
	if now := h.stored(t, s); now.Slug != "bake-bread-2" || taker.Slug != "bake-bread" {
		t.Errorf("the slugs are %s and %s", now.Slug, taker.Slug)
	}
	wantStatus(t, sarah.post(t, stepsyAt(s, "restore"), nil), http.StatusNotFound)
}

func TestWhatWasInTheTrashFor30DaysIsGone(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>")
	wantStatus(t, sarah.post(t, stepsyAt(s, "delete"), nil), http.StatusSeeOther)
	h.forward(stepsies.TrashLifetime)
	sarah = h.signIn(t, h.sarah)
	wantText(t, sarah.get(t, "/dashboard/trash"), "The trash is empty")
	wantStatus(t, sarah.post(t, stepsyAt(s, "restore"), nil), http.StatusNotFound)
}

func TestPublishedStepsyComesBackPublishedAndSaysSo(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>")
	wantStatus(t, sarah.post(t, stepsyAt(s, "publish"), nil), http.StatusSeeOther)
	wantText(t, sarah.get(t, stepsyAt(s, "delete")), "Its public page stops working at once")
	wantStatus(t, sarah.post(t, stepsyAt(s, "delete"), nil), http.StatusSeeOther)
	wantText(t, sarah.get(t, "/dashboard/trash"), "published")
	back := sarah.post(t, stepsyAt(s, "restore"), nil)
	wantText(t, sarah.get(t, back.location), "published as it was", "Unpublish")
	if page := sarah.get(t, stepsiesAt+"?q=flour"); !strings.Contains(page.body, "Bake bread") {
		t.Error("it is not found by its words")
	}
}
