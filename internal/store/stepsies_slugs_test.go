package store

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stepsies/stepsies"
)

var slugs = []guarantee{
	{"SlugIsMadeOfTheTitleAndNumbered", testNumberedSlugs},
	{"WantedSlugThatIsTakenIsAConflict", testTakenSlug},
	{"OldSlugLeadsOnUntilAnotherStepsyTakesIt", testSlugHistory},
	{"DeletionFreesTheSlug", testFreedSlug},
	{"SlugGoesBackToTheTitles", testSlugReset},
	{"SlugIsFoundBehindHundredsOfTheSame", testManySlugs},
	{"SlugOfATitleLeavesOldAddressesOfPublishedStepsiesAlone", testAutomaticSlugs},
}

func testNumberedSlugs(t *testing.T, f *fixture) {
	sarah, mike := f.member(t, "sarah"), f.member(t, "mike")
	long := strings.Repeat("a", 120)
	for _, c := range []struct {
		author      stepsies.User
		title, want string
	}{
		{sarah, "Crème brûlée!", "creme-brulee"},
		{sarah, "Creme Brulee", "creme-brulee-2"},
		{sarah, "creme brulee", "creme-brulee-3"},
		{mike, "creme brulee", "creme-brulee"},
		{sarah, "Creme brulee 2", "creme-brulee-2-2"},
		{sarah, "creme", "creme"},
		{sarah, "Хлеб", "khleb"},
		{sarah, "хлеб!", "khleb-2"},
		{sarah, "😀", "stepsy"},
		{sarah, "!!!", "stepsy-2"},
		{sarah, long, long[:100]},
		{sarah, long + "b", long[:98] + "-2"},
		{sarah, long + "c", long[:98] + "-3"},
	} {
		if made := f.stepsy(t, c.author, c.title); made.Slug != c.want {
			t.Errorf("%s's %q has the slug %q, want %q", c.author.Username, c.title, made.Slug, c.want)
		}
	}
}

func testTakenSlug(t *testing.T, f *fixture) {
	sarah, mike := f.member(t, "sarah"), f.member(t, "mike")
	first := f.stepsyWith(t, sarah, stepsies.StepsyChange{Title: ptr("A"), Slug: ptr("mine")})
	second := f.stepsyWith(t, sarah, stepsies.StepsyChange{Title: ptr("B")})
	_, err := f.CreateStepsy(t.Context(), by(sarah), "sarah", stepsies.StepsyChange{Title: ptr("C"), Slug: ptr("mine")})
	wantCode(t, err, stepsies.CodeConflict)
	_, err = f.UpdateStepsy(t.Context(), by(sarah), second.ID, stepsies.StepsyChange{Title: ptr("New"), Slug: ptr("mine")})
	wantCode(t, err, stepsies.CodeConflict)
	if read, err := f.Stepsy(t.Context(), second.ID, of(sarah)); err != nil || read.Title != "B" || read.Slug != "b" {
		t.Errorf("a refused change left %+v (%v)", read, err)
	}
	if other := f.stepsyWith(t, mike, stepsies.StepsyChange{Title: ptr("D"), Slug: ptr("mine")}); other.Slug != "mine" {
		t.Errorf("another author got the slug %q", other.Slug)
	}
	// A refused change moved no slug either.
	if found, err := f.StepsyBySlug(t.Context(), "sarah", "mine", of(sarah)); err != nil || found.ID != first.ID {
		t.Errorf("the slug leads to %+v (%v)", found, err)
	}
	if n := f.count(t, `select count(*) from slug_history`); n != 0 {
		t.Errorf("%d slugs are remembered", n)
	}
}

func testSlugHistory(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	a := f.stepsyWith(t, u, stepsies.StepsyChange{Title: ptr("A"), Slug: ptr("one")})
	b := f.stepsyWith(t, u, stepsies.StepsyChange{Title: ptr("B"), Slug: ptr("other")})
	move := func(s stepsies.Stepsy, slug string) {
		t.Helper()
		if _, err := f.UpdateStepsy(t.Context(), by(u), s.ID, stepsies.StepsyChange{Slug: &slug}); err != nil {
			t.Fatal(err)
		}
	}
	leads := func(slug string, to stepsies.Stepsy, now string) {
		t.Helper()
		found, err := f.StepsyBySlug(t.Context(), "sarah", slug, of(u))
		if err != nil || found.ID != to.ID || found.Slug != now {
			t.Errorf("%s leads to %d at %s (%v), want %d at %s", slug, found.ID, found.Slug, err, to.ID, now)
		}
	}
	move(a, "two")
	move(a, "three")
	leads("one", a, "three")
	leads("two", a, "three")
	leads("three", a, "three")
	move(a, "one") // back to the first
	leads("one", a, "one")
	leads("three", a, "one")
	move(b, "two") // takes a's old one
	leads("two", b, "two")
	leads("other", b, "two")
	c := f.stepsyWith(t, u, stepsies.StepsyChange{Title: ptr("C"), Slug: ptr("three")}) // takes one on being made
	leads("three", c, "three")
	d := f.stepsy(t, u, "Other") // so does one made from a title
	leads("other", d, "other")
	_, err := f.StepsyBySlug(t.Context(), "sarah", "four", of(u))
	wantCode(t, err, stepsies.CodeNotFound)
}

func testFreedSlug(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	for range 3 {
		made := f.stepsy(t, u, "Again and again")
		if made.Slug != "again-and-again" {
			t.Errorf("the slug is %q", made.Slug)
		}
		if err := f.DeleteStepsy(t.Context(), by(u), made.ID); err != nil {
			t.Fatal(err)
		}
	}
}

func testSlugReset(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	f.stepsy(t, u, "Title")
	made := f.stepsyWith(t, u, stepsies.StepsyChange{Title: ptr("Title"), Slug: ptr("own")})
	reset := func(want stepsies.StepsyChange) stepsies.Stepsy {
		t.Helper()
		want.Slug = ptr("")
		out, err := f.UpdateStepsy(t.Context(), by(u), made.ID, want)
		if err != nil {
			t.Fatal(err)
		}
		return out.Value
	}
	if got := reset(stepsies.StepsyChange{}); got.Slug != "title-2" || got.Version != 2 {
		t.Errorf("the slug is %q at version %d, want title-2 at 2", got.Slug, got.Version)
	}
	if got := reset(stepsies.StepsyChange{}); got.Slug != "title-2" || got.Version != 2 {
		t.Errorf("the second time the slug is %q at version %d, want title-2 at 2", got.Slug, got.Version)
	}
	if got := reset(stepsies.StepsyChange{Description: ptr("d")}); got.Slug != "title-2" || got.Version != 3 {
		t.Errorf("with another change the slug is %q at version %d, want title-2 at 3", got.Slug, got.Version)
	}
	if got := reset(stepsies.StepsyChange{Title: ptr("Changed")}); got.Slug != "changed" {
		t.Errorf("with a new title the slug is %q", got.Slug)
	}
}

func testManySlugs(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	f.seed(t, u, 700, 700, `'Same'`, `case i when 1 then 'same' when 650 then 'hole' else 'same-' || cast(i as text) end`)
	for _, want := range []int{650, 701, 702} {
		if made := f.stepsy(t, u, "Same"); made.Slug != fmt.Sprint("same-", want) {
			t.Errorf("the slug is %q, want same-%d", made.Slug, want)
		}
	}
}

func testAutomaticSlugs(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	moved := f.stepsyWith(t, u, stepsies.StepsyChange{Title: ptr("Bread"), Steps: steps("Mix")})
	if _, err := f.PublishStepsy(t.Context(), by(u), moved.ID); err != nil {
		t.Fatal(err)
	}
	change := func(id int64, want stepsies.StepsyChange) string {
		t.Helper()
		out, err := f.UpdateStepsy(t.Context(), by(u), id, want)
		if err != nil {
			t.Fatal(err)
		}
		return out.Value.Slug
	}
	leadsToMoved := func(after string) {
		t.Helper()
		if found, err := f.StepsyBySlug(t.Context(), "sarah", "bread", of(u)); err != nil || found.ID != moved.ID {
			t.Errorf("after %s, bread leads to %d (%v), want %d", after, found.ID, err, moved.ID)
		}
	}
	change(moved.ID, stepsies.StepsyChange{Slug: ptr("loaf")})
	if made := f.stepsy(t, u, "Bread"); made.Slug != "bread-2" {
		t.Errorf("a new stepsy has the slug %s", made.Slug)
	}
	leadsToMoved("a new stepsy with that title")
	other := f.stepsy(t, u, "Other")
	if slug := change(other.ID, stepsies.StepsyChange{Title: ptr("Bread"), Slug: ptr("")}); slug != "bread-3" {
		t.Errorf("a slug made of the title anew is %s", slug)
	}
	leadsToMoved("a slug made anew")
	// Its own old slug is nobody else's, and a draft's leads no reader.
	if slug := change(moved.ID, stepsies.StepsyChange{Slug: ptr("")}); slug != "bread" {
		t.Errorf("its own title gives it %s", slug)
	}
	change(moved.ID, stepsies.StepsyChange{Slug: ptr("loaf")})
	if _, err := f.UnpublishStepsy(t.Context(), by(u), moved.ID); err != nil {
		t.Fatal(err)
	}
	drafted := f.stepsy(t, u, "Bread")
	if drafted.Slug != "bread" {
		t.Errorf("with a draft's old slug free, the slug is %s", drafted.Slug)
	}
	// Who wants that very slug gets it.
	if _, err := f.PublishStepsy(t.Context(), by(u), moved.ID); err != nil {
		t.Fatal(err)
	}
	wanted := f.stepsyWith(t, u, stepsies.StepsyChange{Title: ptr("Wanted"), Slug: ptr("loaf-of-mine")})
	change(moved.ID, stepsies.StepsyChange{Slug: ptr("third")})
	if slug := change(wanted.ID, stepsies.StepsyChange{Slug: ptr("loaf")}); slug != "loaf" {
		t.Errorf("the slug that was wanted became %s", slug)
	}
}
