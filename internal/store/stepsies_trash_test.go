package store

import (
	"strconv"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

var trashed = []guarantee{
	{"TrashIsListedInPartsNewestFirst", testTrashList},
	{"RestoredStepsyIsAsItWas", testRestore},
	{"RestoredStepsyGetsANumberWhereItsSlugIsTaken", testRestoreTakenSlug},
	{"RestoredStepsyLeadsFromItsOldAddressesButForTakenOnes", testRestoreOldSlugs},
	{"TrashIsItsAuthorsFor30Days", testTrashBounds},
	{"QuietWritesLeaveOneRowOfActivity", testQuiet},
}

// discard deletes a stepsy a second after whatever happened before.
func (f *fixture) discard(t *testing.T, s stepsies.Stepsy) stepsies.Stepsy {
	t.Helper()
	f.clock.forward(time.Second)
	if err := f.DeleteStepsy(t.Context(), byOperator, s.ID); err != nil {
		t.Fatal(err)
	}
	return s
}

func (f *fixture) listTrash(t *testing.T, u stepsies.User, p Page) Paged[stepsies.Stepsy] {
	t.Helper()
	found, err := f.ListTrash(t.Context(), u.ID, p)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func testTrashList(t *testing.T, f *fixture) {
	sarah, mike := f.member(t, "sarah"), f.member(t, "mike")
	f.stepsy(t, sarah, "Kept")
	f.discard(t, f.stepsy(t, mike, "Another's"))
	first := f.stepsy(t, sarah, "First")
	for _, title := range []string{"A", "B", "C", "D"} {
		f.discard(t, f.stepsy(t, sarah, title))
	}
	f.discard(t, first)
	var titles string
	var cursor string
	for range 3 {
		part := f.listTrash(t, sarah, Page{Limit: 2, Cursor: cursor})
		for _, s := range part.Items {
			titles += s.Title + " "
			if s.DeletedAt.IsZero() || s.Steps != nil || s.StepsCount != 1 {
				t.Errorf("%s is listed as %+v", s.Title, s)
			}
		}
		cursor = part.Next
	}
	if titles != "First D C B A " || cursor != "" {
		t.Errorf("the trash holds %s, and more at %q", titles, cursor)
	}
	_, err := f.ListTrash(t.Context(), sarah.ID, Page{Limit: 2, Cursor: "nonsense"})
	wantCode(t, err, stepsies.CodeBadRequest)
}

func testRestore(t *testing.T, f *fixture) {
	sarah := f.member(t, "sarah")
	made := f.stepsyWith(t, sarah, stepsies.StepsyChange{Title: ptr("Bake bread"), Featured: ptr(true), Publish: true, Steps: steps("Knead", "Wait")})
	f.discard(t, made)
	f.clock.forward(stepsies.TrashLifetime - time.Second)
	out, err := f.RestoreStepsy(t.Context(), by(sarah), made.ID)
	if err != nil {
		t.Fatal(err)
	}
	found, err := f.Stepsy(t.Context(), made.ID, of(sarah))
	if err != nil {
		t.Fatal(err)
	}
	if found.Version != made.Version+1 || found.Version != out.Value.Version || found.Slug != made.Slug || found.Status != stepsies.StatusPublished ||
		!found.FeaturedAt.Equal(made.FeaturedAt) || len(found.Steps) != 2 || found.Steps[1].Title != "Wait" || !found.DeletedAt.IsZero() {
		t.Errorf("it came back as %+v", found)
	}
	listed, err := f.ListStepsies(t.Context(), StepsyFilter{Author: "sarah", Access: of(sarah), Query: "knead", Page: Page{Limit: 10}})
	if err != nil || len(listed.Items) != 1 {
		t.Errorf("its words find %d stepsies (%v)", len(listed.Items), err)
	}
	if n := f.count(t, `select count(*) from activity where action = 'stepsy.restore' and target_name = 'Bake bread' and owner_id = `+strconv.FormatInt(sarah.ID, 10)); n != 1 {
		t.Errorf("%d rows of activity tell of it", n)
	}
	if rest := f.listTrash(t, sarah, Page{Limit: 10}); len(rest.Items) != 0 {
		t.Error("it is still in the trash")
	}
	_, err = f.RestoreStepsy(t.Context(), by(sarah), made.ID)
	wantCode(t, err, stepsies.CodeNotFound)
}

func testRestoreTakenSlug(t *testing.T, f *fixture) {
	sarah := f.member(t, "sarah")
	made := f.discard(t, f.stepsy(t, sarah, "Bake bread"))
	taker := f.stepsy(t, sarah, "Bake bread")
	moved := f.stepsyWith(t, sarah, stepsies.StepsyChange{Title: ptr("Other"), Slug: ptr("bake-bread-2")})
	if _, err := f.UpdateStepsy(t.Context(), by(sarah), moved.ID, stepsies.StepsyChange{Slug: ptr("elsewhere")}); err != nil {
		t.Fatal(err)
	}
	out, err := f.RestoreStepsy(t.Context(), by(sarah), made.ID)
	if err != nil {
		t.Fatal(err)
	}
	if out.Value.Slug != "bake-bread-2" || taker.Slug != "bake-bread" {
		t.Errorf("the slugs are %s and %s", out.Value.Slug, taker.Slug)
	}
	found, err := f.StepsyBySlug(t.Context(), "sarah", "bake-bread-2", of(sarah))
	if err != nil || found.ID != made.ID {
		t.Errorf("bake-bread-2 leads to %d (%v), want %d", found.ID, err, made.ID)
	}
}

func testRestoreOldSlugs(t *testing.T, f *fixture) {
	sarah := f.member(t, "sarah")
	made := f.stepsyWith(t, sarah, stepsies.StepsyChange{Title: ptr("Bread"), Slug: ptr("first")})
	for _, slug := range []string{"second", "third"} {
		if _, err := f.UpdateStepsy(t.Context(), by(sarah), made.ID, stepsies.StepsyChange{Slug: &slug}); err != nil {
			t.Fatal(err)
		}
	}
	f.discard(t, made)
	for _, slug := range []string{"first", "second", "third"} {
		_, err := f.StepsyBySlug(t.Context(), "sarah", slug, of(sarah))
		wantCode(t, err, stepsies.CodeNotFound)
	}
	taker := f.stepsy(t, sarah, "Second") // what lies in the trash holds no slug
	if taker.Slug != "second" {
		t.Errorf("the slug is %s", taker.Slug)
	}
	if _, err := f.RestoreStepsy(t.Context(), by(sarah), made.ID); err != nil {
		t.Fatal(err)
	}
	for slug, want := range map[string]int64{"first": made.ID, "second": taker.ID, "third": made.ID} {
		if found, err := f.StepsyBySlug(t.Context(), "sarah", slug, of(sarah)); err != nil || found.ID != want {
			t.Errorf("%s leads to %d (%v), want %d", slug, found.ID, err, want)
		}
	}
}

func testTrashBounds(t *testing.T, f *fixture) {
	sarah, mike := f.member(t, "sarah"), f.member(t, "mike")
	live := f.stepsy(t, sarah, "Live")
	made := f.discard(t, f.stepsy(t, sarah, "Bake bread"))
	for _, id := range []int64{live.ID, 999} {
		_, err := f.RestoreStepsy(t.Context(), by(sarah), id)
		wantCode(t, err, stepsies.CodeNotFound)
	}
	_, err := f.RestoreStepsy(t.Context(), by(mike), made.ID)
	wantCode(t, err, stepsies.CodeNotFound)

	f.clock.forward(stepsies.TrashLifetime)
	_, err = f.RestoreStepsy(t.Context(), by(sarah), made.ID)
	wantCode(t, err, stepsies.CodeNotFound)
	if rest := f.listTrash(t, sarah, Page{Limit: 10}); len(rest.Items) != 0 {
		t.Error("what is over 30 days old is still listed")
	}
}

func testQuiet(t *testing.T, f *fixture) {
	sarah, boss := f.member(t, "sarah"), f.user(t, "boss", stepsies.RoleAdmin)
	made := f.stepsy(t, sarah, "Bake bread")
	save := func(w Write, quiet bool, title string) int64 {
		t.Helper()
		w.Quiet = quiet
		if _, err := f.UpdateStepsy(t.Context(), w, made.ID, stepsies.StepsyChange{Title: &title}); err != nil {
			t.Fatal(err)
		}
		return f.count(t, `select count(*) from activity where action = 'stepsy.update' and target_id = `+strconv.FormatInt(made.ID, 10))
	}
	for _, c := range []struct {
		by    Write
		quiet bool
		title string
		after time.Duration
		want  int64
	}{
		{by(sarah), true, "a", 0, 1}, {by(sarah), true, "b", time.Minute, 1}, {by(sarah), true, "c", quietFor - time.Minute - time.Millisecond, 1},
		{by(sarah), true, "d", time.Millisecond, 2}, {by(boss), true, "e", 0, 3}, {by(sarah), true, "f", 0, 4}, {by(sarah), false, "g", 0, 5},
	} {
		f.clock.forward(c.after)
		if got := save(c.by, c.quiet, c.title); got != c.want {
			t.Errorf("%s: %d rows of activity, want %d", c.title, got, c.want)
		}
	}
}
