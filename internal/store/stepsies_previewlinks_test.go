package store

import (
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

var previewLinks = []guarantee{
	{"PreviewLinkShowsADraftToWhoeverKnowsIt", testPreviewLink},
	{"PreviewLinkEndsWithItsStepsyAndItsAuthor", testPreviewLinkEnds},
	{"PreviewLinkIsItsAuthorsToMakeAndToEnd", testPreviewLinkAccess},
	{"PreviewLinksLeaveActivity", testPreviewLinkActivity},
}

// wantPreview reports what a preview link leads to, "" for nothing.
func (f *fixture) wantPreview(t *testing.T, hash TokenHash, want string) {
	t.Helper()
	found, err := f.StepsyByPreviewLink(t.Context(), hash)
	if want == "" {
		wantCode(t, err, stepsies.CodeNotFound)
		return
	}
	if err != nil || found.Title != want || len(found.Steps) != 1 {
		t.Errorf("the link leads to %q with %d steps (%v), want %q", found.Title, len(found.Steps), err, want)
	}
}

func (f *fixture) previewLink(t *testing.T, s stepsies.Stepsy, hash TokenHash) {
	t.Helper()
	if err := f.MakePreviewLink(t.Context(), byOperator, s.ID, hash); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) wantMade(t *testing.T, s stepsies.Stepsy, want time.Time) {
	t.Helper()
	if made, err := f.PreviewLinkMade(t.Context(), s.ID); err != nil || !made.Equal(want) {
		t.Errorf("the link was made at %v (%v), want %v", made, err, want)
	}
}

func testPreviewLink(t *testing.T, f *fixture) {
	sarah := f.member(t, "sarah")
	s, other := f.stepsy(t, sarah, "Bake bread"), f.stepsy(t, sarah, "Another")
	f.wantMade(t, s, time.Time{})
	f.wantPreview(t, TokenHash{1}, "")
	f.previewLink(t, s, TokenHash{1})
	f.previewLink(t, other, TokenHash{9})
	f.wantPreview(t, TokenHash{1}, "Bake bread")
	f.wantMade(t, s, f.Store.clock())

	f.clock.forward(time.Hour)
	f.previewLink(t, s, TokenHash{2}) // in place of the first
	f.wantPreview(t, TokenHash{1}, "")
	f.wantPreview(t, TokenHash{2}, "Bake bread")
	f.wantMade(t, s, f.Store.clock())
	if _, err := f.PublishStepsy(t.Context(), byOperator, s.ID); err != nil {
		t.Fatal(err)
	}
	f.wantPreview(t, TokenHash{2}, "Bake bread") // the caller leads on to the public page
	wantCode(t, f.MakePreviewLink(t.Context(), byOperator, s.ID, TokenHash{3}), stepsies.CodeConflict)
	for range 2 { // ending it twice changes nothing
		if err := f.EndPreviewLink(t.Context(), byOperator, s.ID); err != nil {
			t.Fatal(err)
		}
	}
	f.wantPreview(t, TokenHash{2}, "")
	f.wantMade(t, s, time.Time{})
	f.wantPreview(t, TokenHash{9}, "Another")
}

func testPreviewLinkEnds(t *testing.T, f *fixture) {
	sarah := f.member(t, "sarah")
	deleted, kept := f.stepsy(t, sarah, "Deleted"), f.stepsy(t, sarah, "Kept")
	f.previewLink(t, deleted, TokenHash{1})
	f.previewLink(t, kept, TokenHash{2})
	f.discard(t, deleted)
	f.wantPreview(t, TokenHash{1}, "")
	if _, err := f.RestoreStepsy(t.Context(), byOperator, deleted.ID); err != nil {
		t.Fatal(err)
	}
	f.wantPreview(t, TokenHash{1}, "") // it stays dead
	suspend := func(yes bool) {
		t.Helper()
		if _, err := f.UpdateUser(t.Context(), byOperator, "sarah", stepsies.UserChange{Suspended: &yes}); err != nil {
			t.Fatal(err)
		}
	}
	suspend(true)
	f.wantPreview(t, TokenHash{2}, "")
	suspend(false)
	f.wantPreview(t, TokenHash{2}, "Kept")
	if err := f.DeleteUser(t.Context(), byOperator, "sarah"); err != nil {
		t.Fatal(err)
	}
	f.wantPreview(t, TokenHash{2}, "")
	if n := f.count(t, `select count(*) from preview_links`); n != 0 {
		t.Errorf("%d links are left", n)
	}
}

func testPreviewLinkAccess(t *testing.T, f *fixture) {
	sarah, mike := f.member(t, "sarah"), f.member(t, "mike")
	s := f.stepsy(t, sarah, "Bake bread")
	wantCode(t, f.MakePreviewLink(t.Context(), by(mike), s.ID, TokenHash{1}), stepsies.CodeNotFound)
	wantCode(t, f.MakePreviewLink(t.Context(), by(sarah), 99, TokenHash{1}), stepsies.CodeNotFound)
	if err := f.MakePreviewLink(t.Context(), by(sarah), s.ID, TokenHash{1}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, f.EndPreviewLink(t.Context(), by(mike), s.ID), stepsies.CodeNotFound)
	f.wantPreview(t, TokenHash{1}, "Bake bread")
	if err := f.EndPreviewLink(t.Context(), by(sarah), s.ID); err != nil {
		t.Fatal(err)
	}
	f.wantPreview(t, TokenHash{1}, "")
}

func testPreviewLinkActivity(t *testing.T, f *fixture) {
	sarah := f.member(t, "sarah")
	s := f.stepsy(t, sarah, "Bake bread")
	f.previewLink(t, s, TokenHash{1})
	f.previewLink(t, s, TokenHash{2})
	for range 2 {
		if err := f.EndPreviewLink(t.Context(), by(sarah), s.ID); err != nil {
			t.Fatal(err)
		}
	}
	for action, want := range map[string]int64{"stepsy.preview_link": 2, "stepsy.preview_link_end": 1} {
		if n := f.count(t, `select count(*) from activity where target = 'stepsy' and target_name = 'Bake bread' and action = '`+action+`'`); n != want {
			t.Errorf("%s is recorded %d times, want %d", action, n, want)
		}
	}
}
