package store

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

var stepsyWrites = []guarantee{
	{"StepsyIsReadBackAsMade", testStepsyRoundTrip},
	{"StepsyOfTheLargestSizeIsKept", testLargestStepsy},
	{"StepsyChangeMakesOneVersion", testUpdateStepsy},
	{"StepIDsAreNeverReusedInTheirStepsy", testStepIDs},
	{"PublishingTwiceChangesNothing", testPublish},
	{"DraftsAndSuspendedAuthorsAreHidden", testVisibility},
	{"DeletedStepsyIsGoneForEveryone", testDeleteStepsy},
	{"OlderVersionIsRefused", testMatch},
	{"CountersMoveWithoutAVersion", testCounts},
}

func testStepsyRoundTrip(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	for _, want := range []stepsies.StepsyChange{
		{Title: ptr("Only a title")},
		{Title: ptr("All of it 👩‍🚀"), Description: ptr("Line\nline"), Category: ptr("technology"), Slug: ptr("my-own-slug"),
			Featured: ptr(true), Publish: true, Steps: &[]stepsies.StepChange{
				{Title: "One", Content: stepsies.SanitisedContent(`<p>"quoted" &amp; <code>a < b</code> 日本</p>`)}, {Title: "Two"}}},
	} {
		made := f.stepsyWith(t, u, want)
		if made.ID == 0 || made.Version != 1 || made.CreatedAt != epoch || made.StepsCount != len(made.Steps) {
			t.Errorf("made %+v", made)
		}
		read, err := f.Stepsy(t.Context(), made.ID, of(u))
		if err != nil || !reflect.DeepEqual(read, made) {
			t.Errorf("read %+v (%v), want %+v", read, err, made)
		}
		bySlug, err := f.StepsyBySlug(t.Context(), "SARAH", made.Slug, of(u))
		if err != nil || !reflect.DeepEqual(bySlug, made) {
			t.Errorf("read by its slug: %+v (%v)", bySlug, err)
		}
	}
	_, err := f.CreateStepsy(t.Context(), by(u), "nobody", stepsies.StepsyChange{Title: ptr("x")})
	wantCode(t, err, stepsies.CodeNotFound)
	_, err = f.CreateStepsy(t.Context(), by(u), "sarah", stepsies.StepsyChange{Title: ptr(""), Publish: true})
	wantCode(t, err, stepsies.CodeValidation)
	if n := f.count(t, `select count(*) from stepsies`); n != 2 {
		t.Errorf("there are %d stepsies, want 2", n)
	}
}

// testLargestStepsy has more different words than PostgreSQL would index of itself.
func testLargestStepsy(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	list := make([]stepsies.StepChange, stepsies.MaxSteps)
	var word func(n int) string
	word = func(n int) string {
		if n < 26 {
			return string(rune('a' + n))
		}
		return word(n/26) + string(rune('a'+n%26))
	}
	n := 0
	for i := range list {
		var b strings.Builder
		for b.Len() < 9_000 {
			b.WriteString(word(n) + "é ")
			n++
		}
		list[i] = stepsies.StepChange{Title: strings.Repeat("日", stepsies.MaxTitle), Content: stepsies.SanitisedContent("<p>" + b.String() + "</p>")}
	}
	made := f.stepsyWith(t, u, stepsies.StepsyChange{Title: ptr("Large"), Steps: &list, Publish: true})
	read, err := f.Stepsy(t.Context(), made.ID, of(u))
	if err != nil || !reflect.DeepEqual(read, made) {
		t.Errorf("a stepsy of %d steps came back otherwise (%v)", len(list), err)
	}
	found, err := f.ListStepsies(t.Context(), StepsyFilter{Author: "sarah", Access: of(u), Query: "large " + word(1000) + "e", Page: Page{Limit: 1}})
	if err != nil || len(found.Items) != 1 {
		t.Errorf("it is found %d times (%v)", len(found.Items), err)
	}
}

func testUpdateStepsy(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	made := f.stepsy(t, u, "Before")
	now := f.clock.forward(time.Minute)
	out, err := f.UpdateStepsy(t.Context(), by(u), made.ID, stepsies.StepsyChange{
		Title: ptr("After"), Description: ptr("d"), Category: ptr("design"), Featured: ptr(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	read, err := f.Stepsy(t.Context(), made.ID, of(u))
	if err != nil || !reflect.DeepEqual(read, out.Value) {
		t.Errorf("read %+v (%v), want %+v", read, err, out.Value)
	}
	if read.Version != 2 || read.UpdatedAt != now || read.CreatedAt != epoch || read.FeaturedAt != now || read.Slug != "before" {
		t.Errorf("after the update: %+v", read)
	}
	f.clock.forward(time.Minute)
	rows := f.count(t, `select count(*) from activity`)
	out, err = f.UpdateStepsy(t.Context(), by(u), made.ID, stepsies.StepsyChange{Title: ptr(" After "), Featured: ptr(true), Slug: ptr("before")})
	if err != nil || !reflect.DeepEqual(out.Value, read) {
		t.Errorf("a change that changes nothing gave %+v (%v)", out.Value, err)
	}
	if f.count(t, `select count(*) from activity`) != rows {
		t.Error("a change that changes nothing was recorded")
	}
	mike := f.member(t, "mike")
	_, err = f.UpdateStepsy(t.Context(), by(mike), made.ID, stepsies.StepsyChange{Title: ptr("Mine")})
	wantCode(t, err, stepsies.CodeNotFound)
	_, err = f.UpdateStepsy(t.Context(), by(u), made.ID, stepsies.StepsyChange{Title: ptr("Ours"), Category: ptr("cooking")})
	wantCode(t, err, stepsies.CodeValidation)
	if again, err := f.Stepsy(t.Context(), made.ID, of(u)); err != nil || !reflect.DeepEqual(again, read) {
		t.Errorf("refused changes left %+v (%v)", again, err)
	}
	if _, err := f.UpdateStepsy(t.Context(), by(f.user(t, "ada", stepsies.RoleAdmin)), made.ID, stepsies.StepsyChange{Title: ptr("By an admin")}); err != nil {
		t.Errorf("an admin cannot change another's: %v", err)
	}
}

func testStepIDs(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	made := f.stepsyWith(t, u, stepsies.StepsyChange{Title: ptr("t"), Steps: steps("one", "two", "three")})
	replace := func(list ...stepsies.StepChange) ([]int64, error) {
		out, err := f.UpdateStepsy(t.Context(), by(u), made.ID, stepsies.StepsyChange{Steps: &list})
		var ids []int64
		for _, s := range out.Value.Steps {
			ids = append(ids, s.ID)
		}
		return ids, err
	}
	ids, err := replace(stepsies.StepChange{ID: 3, Title: "three"}, stepsies.StepChange{Title: "new"}, stepsies.StepChange{ID: 1, Title: "one"})
	if want := []int64{3, 4, 1}; err != nil || !reflect.DeepEqual(ids, want) {
		t.Errorf("the ids are %v (%v), want %v", ids, err, want)
	}
	if ids, err = replace(); err != nil || len(ids) != 0 {
		t.Errorf("without steps: %v (%v)", ids, err)
	}
	if ids, err = replace(stepsies.StepChange{Title: "again"}); err != nil || !reflect.DeepEqual(ids, []int64{5}) {
		t.Errorf("a new step has the id %v (%v), want 5", ids, err)
	}
	for _, bad := range [][]stepsies.StepChange{
		{{ID: 1, Title: "long gone"}}, {{ID: 5, Title: "a"}, {ID: 5, Title: "b"}}, {{ID: 6, Title: "of the future"}}, {{ID: -1, Title: "x"}},
	} {
		_, err := replace(bad...)
		wantCode(t, err, stepsies.CodeValidation)
	}
}

func testPublish(t *testing.T, f *fixture) {
	ctx := t.Context()
	u := f.member(t, "sarah")
	empty := f.stepsyWith(t, u, stepsies.StepsyChange{Title: ptr("Empty")})
	_, err := f.PublishStepsy(ctx, by(u), empty.ID)
	wantCode(t, err, stepsies.CodeValidation)
	made := f.stepsy(t, u, "Whole")
	now := f.clock.forward(time.Minute)
	first, err := f.PublishStepsy(ctx, by(u), made.ID)
	if err != nil || first.Value.Status != stepsies.StatusPublished || first.Value.PublishedAt != now || first.Value.Version != 2 {
		t.Fatalf("published %+v (%v)", first.Value, err)
	}
	rows := f.count(t, `select count(*) from activity`)
	f.clock.forward(time.Minute)
	again, err := f.PublishStepsy(ctx, by(u), made.ID)
	if err != nil || !reflect.DeepEqual(again, first) || f.count(t, `select count(*) from activity`) != rows {
		t.Errorf("published again: %+v (%v)", again, err)
	}
	_, err = f.UpdateStepsy(ctx, by(u), made.ID, stepsies.StepsyChange{Steps: &[]stepsies.StepChange{}})
	wantCode(t, err, stepsies.CodeValidation)
	now = f.clock.forward(time.Minute)
	draft, err := f.UnpublishStepsy(ctx, by(u), made.ID)
	if err != nil || draft.Value.Status != stepsies.StatusDraft || !draft.Value.PublishedAt.IsZero() || draft.Value.Version != 3 || draft.Value.UpdatedAt != now {
		t.Errorf("unpublished %+v (%v)", draft.Value, err)
	}
	read, err := f.Stepsy(ctx, made.ID, of(u))
	if err != nil || !reflect.DeepEqual(read, draft.Value) {
		t.Errorf("read %+v (%v), want %+v", read, err, draft.Value)
	}
	f.clock.forward(time.Minute)
	if again, err = f.UnpublishStepsy(ctx, by(u), made.ID); err != nil || !reflect.DeepEqual(again, draft) {
		t.Errorf("unpublished again: %+v (%v)", again, err)
	}
	// A change that is to be published is stored and published by one write, or not at all.
	acts := func() int64 {
		return f.count(t, `select count(*) from activity where target = 'stepsy' and action in ('stepsy.update', 'stepsy.publish')`)
	}
	before := acts()
	_, err = f.UpdateStepsy(ctx, by(u), empty.ID, stepsies.StepsyChange{Title: ptr("Still empty"), Publish: true})
	wantCode(t, err, stepsies.CodeValidation)
	if read, err = f.Stepsy(ctx, empty.ID, of(u)); err != nil || read.Title != "Empty" || read.Version != empty.Version || acts() != before {
		t.Errorf("what could not be published is %+v (%v), with %d rows of activity", read, err, acts()-before)
	}
	both, err := f.UpdateStepsy(ctx, by(u), empty.ID, stepsies.StepsyChange{Title: ptr("Full"), Steps: steps("one"), Publish: true})
	if err != nil || both.Value.Status != stepsies.StatusPublished || both.Value.Version != empty.Version+1 || acts() != before+2 {
		t.Errorf("saved and published %+v (%v), with %d rows of activity, want 2", both.Value, err, acts()-before)
	}
	only, err := f.UpdateStepsy(ctx, by(u), made.ID, stepsies.StepsyChange{Publish: true})
	if err != nil || only.Value.Status != stepsies.StatusPublished || acts() != before+3 {
		t.Errorf("published alone %+v (%v), with %d rows of activity, want 3", only.Value, err, acts()-before)
	}
	mike := f.member(t, "mike")
	_, err = f.PublishStepsy(ctx, by(mike), made.ID)
	wantCode(t, err, stepsies.CodeNotFound)
	_, err = f.UnpublishStepsy(ctx, by(mike), made.ID)
	wantCode(t, err, stepsies.CodeNotFound)
}

func testVisibility(t *testing.T, f *fixture) {
	ctx := t.Context()
	sarah, mike := f.member(t, "sarah"), f.member(t, "mike")
	draft := f.stepsy(t, sarah, "Draft")
	public := f.stepsyWith(t, sarah, stepsies.StepsyChange{Title: ptr("Public"), Steps: steps("one"), Publish: true})
	sees := func(access stepsies.Access, s stepsies.Stepsy) bool {
		t.Helper()
		_, err := f.Stepsy(ctx, s.ID, access)
		_, slugErr := f.StepsyBySlug(ctx, "sarah", s.Slug, access)
		if stepsies.CodeOf(err) != stepsies.CodeOf(slugErr) || err != nil && stepsies.CodeOf(err) != stepsies.CodeNotFound {
			t.Errorf("%s: %v by id, %v by slug", s.Slug, err, slugErr)
		}
		return err == nil
	}
	listed := func(access stepsies.Access) int {
		t.Helper()
		list, err := f.ListStepsies(ctx, StepsyFilter{Author: "sarah", Access: access, Page: Page{Limit: 10}})
		if err != nil {
			t.Fatal(err)
		}
		return len(list.Items)
	}
	for _, suspended := range []bool{false, true} {
		if _, err := f.UpdateUser(ctx, byOperator, "sarah", stepsies.UserChange{Suspended: &suspended}); err != nil {
			t.Fatal(err)
		}
		if !sees(of(sarah), draft) || !sees(everyone, draft) || !sees(of(sarah), public) || listed(of(sarah)) != 2 || listed(everyone) != 2 {
			t.Errorf("the author and an admin do not see everything, suspended %v", suspended)
		}
		for _, other := range []stepsies.Access{of(mike), {}} {
			if sees(other, draft) {
				t.Error("a draft is seen by others")
			}
			if sees(other, public) == suspended || (listed(other) == 1) == suspended {
				t.Errorf("suspended %v: others see the published one: %v, in the list: %d", suspended, sees(other, public), listed(other))
			}
		}
	}
	list, err := f.ListStepsies(ctx, StepsyFilter{Author: "sarah", Access: of(mike), Status: stepsies.StatusDraft, Page: Page{Limit: 10}})
	if err != nil || len(list.Items) != 0 {
		t.Errorf("another's drafts are listed: %+v (%v)", list.Items, err)
	}
}

func testDeleteStepsy(t *testing.T, f *fixture) {
	ctx := t.Context()
	u, mike := f.member(t, "sarah"), f.member(t, "mike")
	made := f.stepsyWith(t, u, stepsies.StepsyChange{Title: ptr("Gone"), Steps: steps("one"), Publish: true})
	if _, err := f.UpdateStepsy(ctx, by(u), made.ID, stepsies.StepsyChange{Slug: ptr("later")}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, f.DeleteStepsy(ctx, by(mike), made.ID), stepsies.CodeNotFound)
	if err := f.DeleteStepsy(ctx, by(u), made.ID); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"read":      second(f.Stepsy(ctx, made.ID, everyone)),
		"by slug":   second(f.StepsyBySlug(ctx, "sarah", "later", everyone)),
		"by old":    second(f.StepsyBySlug(ctx, "sarah", "gone", everyone)),
		"update":    second(f.UpdateStepsy(ctx, by(u), made.ID, stepsies.StepsyChange{Title: ptr("x")})),
		"publish":   second(f.PublishStepsy(ctx, by(u), made.ID)),
		"unpublish": second(f.UnpublishStepsy(ctx, by(u), made.ID)),
		"delete":    f.DeleteStepsy(ctx, by(u), made.ID),
	} {
		if stepsies.CodeOf(err) != stepsies.CodeNotFound {
			t.Errorf("%s of a deleted stepsy: %v, want not found", what, err)
		}
	}
	for _, q := range []string{"", "gone"} {
		list, err := f.ListStepsies(ctx, StepsyFilter{Author: "sarah", Access: everyone, Query: q, Page: Page{Limit: 10}})
		if err != nil || len(list.Items) != 0 {
			t.Errorf("a list (%q) holds it still: %+v (%v)", q, list.Items, err)
		}
	}
	if n := f.count(t, `select count(*) from stepsies where deleted_at is not null`); n != 1 {
		t.Errorf("the trash holds %d stepsies, want 1", n)
	}
}

// version is a Write.Match that wants a stepsy at this version.
func version(v int64) func(stepsies.Stepsy) error {
	return func(s stepsies.Stepsy) error {
		if s.Version != v {
			return stepsies.PreconditionFailed()
		}
		return nil
	}
}

func testMatch(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	made := f.stepsy(t, u, "One")
	at := func(v int64) Write {
		w := by(u)
		w.Match = version(v)
		return w
	}
	change := func(w Write, title string) error {
		return second(f.UpdateStepsy(t.Context(), w, made.ID, stepsies.StepsyChange{Title: &title}))
	}
	if err := change(at(1), "Two"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, change(at(1), "Three"), stepsies.CodePreconditionFailed)
	wantCode(t, change(at(1), ""), stepsies.CodePreconditionFailed) // before the change is judged
	wantCode(t, second(f.PublishStepsy(t.Context(), at(1), made.ID)), stepsies.CodePreconditionFailed)
	if err := second(f.PublishStepsy(t.Context(), at(2), made.ID)); err != nil {
		t.Error(err)
	}
	wantCode(t, second(f.UnpublishStepsy(t.Context(), at(2), made.ID)), stepsies.CodePreconditionFailed)
	if err := second(f.UnpublishStepsy(t.Context(), at(3), made.ID)); err != nil {
		t.Error(err)
	}
	wantCode(t, f.DeleteStepsy(t.Context(), at(3), made.ID), stepsies.CodePreconditionFailed)
	if read, err := f.Stepsy(t.Context(), made.ID, of(u)); err != nil || read.Version != 4 || read.Title != "Two" {
		t.Errorf("after what was refused: %+v (%v)", read, err)
	}
	if err := f.DeleteStepsy(t.Context(), at(4), made.ID); err != nil {
		t.Error(err)
	}
}

func testCounts(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	made := f.stepsy(t, u, "Counted")
	if rating, ok := made.AverageRating(); ok {
		t.Errorf("without ratings the average is %v", rating)
	}
	for range 2 {
		if err := f.AddCounts(t.Context(), []Counts{{StepsyID: made.ID + 1000, Views: 1}, {StepsyID: made.ID, Views: 10, Completions: 2, Ratings: 2, Stars: 9}}); err != nil {
			t.Fatal(err)
		}
	}
	read, err := f.Stepsy(t.Context(), made.ID, of(u))
	want := made
	want.Views, want.Completions, want.Ratings, want.Stars = 20, 4, 4, 18
	if err != nil || !reflect.DeepEqual(read, want) {
		t.Errorf("read %+v (%v), want %+v", read, err, want)
	}
	if rating, ok := read.AverageRating(); !ok || rating != 4.5 {
		t.Errorf("the average is %v", rating)
	}
	if n := f.count(t, `select count(*) from stepsy_counts`); n != 1 {
		t.Errorf("%d rows hold counts; a stepsy that does not exist has none", n)
	}
}
