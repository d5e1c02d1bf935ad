package store

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

// readings are the guarantees about what readers do.
var readings = []guarantee{
	{"ReadingCountsOncePerReaderStepsyAndDay", testReadingsCountOnce},
	{"ReadingsOfManyNodesCountOnce", testReadingsOfNodes},
	{"DraftsAndTrashCountNoReadings", testReadingsOfDrafts},
	{"LatelyCompletedFadesWithTime", testLately},
	{"ReaderHasOneRatingAndMayChangeIt", testRatings},
	{"OnlyWhatCanBeReadCanBeRated", testRatingVisibility},
	{"ManyRatingsAtOnceAddUp", testParallelRatings},
	{"ReadersAreForgottenWhenTheirDayIsOver", testForgetReaders},
}

// published makes a stepsy of two steps that everyone can read.
func (f *fixture) published(t *testing.T, u stepsies.User, title string) stepsies.Stepsy {
	t.Helper()
	out, err := f.CreateStepsy(t.Context(), by(u), u.Username, stepsies.StepsyChange{Title: &title, Steps: steps("One", "Two"), Publish: true})
	if err != nil {
		t.Fatal(err)
	}
	return out.Value
}

func (f *fixture) counts(t *testing.T, id int64) stepsies.Stepsy {
	t.Helper()
	s, err := f.Stepsy(t.Context(), id, everyone)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func testReadingsCountOnce(t *testing.T, f *fixture) {
	ctx := t.Context()
	u := f.member(t, "sarah")
	a, b := f.published(t, u, "A"), f.published(t, u, "B")
	record := func(r ...Reading) {
		t.Helper()
		if err := f.RecordReadings(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	first := Reading{StepsyID: a.ID, Day: 10, Reader: -7, Mark: MarkView}
	nextDay, other, done, step := first, first, first, first
	nextDay.Day, other.Reader, done.Mark, step.Mark = 11, 1<<62, MarkCompletion, 2
	record(first, first, other)
	record(first, nextDay, done, step)
	record(first, done, step, Reading{StepsyID: b.ID, Day: 10, Reader: -7, Mark: MarkView})
	if s := f.counts(t, a.ID); s.Views != 3 || s.Completions != 1 {
		t.Errorf("%d views and %d completions, want 3 and 1", s.Views, s.Completions)
	}
	if s := f.counts(t, b.ID); s.Views != 1 || s.Completions != 0 {
		t.Errorf("the other stepsy has %d views and %d completions", s.Views, s.Completions)
	}
	days, err := f.ReadingDays(ctx, a.ID, 10)
	if err != nil || !slices.Equal(days, []ReadingDay{{Day: 10, Views: 2, Completions: 1}, {Day: 11, Views: 1}}) {
		t.Errorf("the days are %+v (%v)", days, err)
	}
	if days, err := f.ReadingDays(ctx, a.ID, 11); err != nil || len(days) != 1 {
		t.Errorf("from the second day on: %+v (%v)", days, err)
	}
	reaches, err := f.StepReaches(ctx, a.ID)
	if err != nil || len(reaches) != 1 || reaches[2] != 1 {
		t.Errorf("steps were reached by %v (%v)", reaches, err)
	}
}

// testReadingsOfNodes has several writers record overlapping readings in different
// orders, as nodes do whose readers go to and fro.
func testReadingsOfNodes(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	var all []Reading
	for i := range 5 {
		s := f.published(t, u, fmt.Sprint("Stepsy ", i))
		for reader := range 30 {
			for _, mark := range []int64{MarkView, MarkCompletion, 1, 2} {
				all = append(all, Reading{StepsyID: s.ID, Day: 20, Reader: Reader(reader), Mark: mark})
			}
		}
	}
	var nodes sync.WaitGroup
	for node := range 4 {
		nodes.Go(func() {
			mine := slices.Clone(all)
			slices.Reverse(mine[:len(mine)/(node+1)])
			for part := range slices.Chunk(mine, 150) {
				if err := f.RecordReadings(t.Context(), slices.Clone(part)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	nodes.Wait()
	for i := range 5 {
		s := f.counts(t, all[i*120].StepsyID)
		reaches, err := f.StepReaches(t.Context(), s.ID)
		if s.Views != 30 || s.Completions != 30 || reaches[1] != 30 || reaches[2] != 30 || err != nil {
			t.Errorf("%s has %d views, %d completions and steps reached by %v (%v), want 30 of each", s.Title, s.Views, s.Completions, reaches, err)
		}
	}
}

func testReadingsOfDrafts(t *testing.T, f *fixture) {
	ctx := t.Context()
	u := f.member(t, "sarah")
	draft, gone := f.stepsy(t, u, "Draft"), f.published(t, u, "Gone")
	if err := f.DeleteStepsy(ctx, by(u), gone.ID); err != nil {
		t.Fatal(err)
	}
	if err := f.RecordReadings(ctx, []Reading{{StepsyID: draft.ID}, {StepsyID: gone.ID}, {StepsyID: gone.ID + 1000}}); err != nil {
		t.Fatal(err)
	}
	if n := f.count(t, `select (select count(*) from reader_marks) + (select count(*) from stepsy_counts) + (select count(*) from stepsy_days)`); n != 0 {
		t.Errorf("%d rows speak of what nobody can read", n)
	}
}

func testLately(t *testing.T, f *fixture) {
	ctx := t.Context()
	u := f.member(t, "sarah")
	old, fresh, never := f.published(t, u, "Many, long ago"), f.published(t, u, "Few, now"), f.published(t, u, "Never")
	now := f.Store.clock()
	if err := f.AddCounts(ctx, []Counts{
		{StepsyID: old.ID, Completions: 50, At: now.Add(-60 * 24 * time.Hour)},
		{StepsyID: fresh.ID, Completions: 1, At: now.Add(-time.Hour)},
		{StepsyID: never.ID, Views: 9},
	}); err != nil {
		t.Fatal(err)
	}
	order := func() (ids []int64) {
		t.Helper()
		if err := f.read.each(ctx, `select stepsy_id from stepsy_counts where lately is not null order by lately desc`, nil, func(scan func(...any) error) error {
			var id int64
			err := scan(&id)
			ids = append(ids, id)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return ids
	}
	if got := order(); !slices.Equal(got, []int64{fresh.ID, old.ID}) {
		t.Errorf("the order is %v, want %v", got, []int64{fresh.ID, old.ID})
	}
	// One at a time adds up to the same as all at once.
	for range 3 {
		if err := f.AddCounts(ctx, []Counts{{StepsyID: old.ID, Completions: 1, At: now}}); err != nil {
			t.Fatal(err)
		}
	}
	if got := order(); !slices.Equal(got, []int64{old.ID, fresh.ID}) {
		t.Errorf("after three more the order is %v", got)
	}
	// Far apart: the powers would overflow, or come out as zero.
	for _, at := range []time.Time{now.Add(40 * 365 * 24 * time.Hour), now} {
		if err := f.AddCounts(ctx, []Counts{{StepsyID: fresh.ID, Completions: 1, At: at}}); err != nil {
			t.Fatal(err)
		}
	}
	if got := order(); !slices.Equal(got, []int64{fresh.ID, old.ID}) {
		t.Errorf("with a completion far ahead the order is %v", got)
	}
}

func testRatings(t *testing.T, f *fixture) {
	ctx := t.Context()
	s := f.published(t, f.member(t, "sarah"), "Rated")
	rate := func(reader byte, stars int, comment string) stepsies.Rating {
		t.Helper()
		r, err := f.RateStepsy(ctx, byOperator, s.ID, RatingReader{reader}, stepsies.Rating{Stars: stars, Comment: comment})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first := rate(1, 2, "Step two is wrong")
	rate(2, 5, "")
	if got := f.counts(t, s.ID); got.Ratings != 2 || got.Stars != 7 {
		t.Errorf("%d ratings of %d stars, want 2 of 7", got.Ratings, got.Stars)
	}
	again := rate(1, 4, "Better now")
	if again.ID != first.ID || !again.CreatedAt.Equal(first.CreatedAt) {
		t.Errorf("the change made another rating: %+v after %+v", again, first)
	}
	if got := f.counts(t, s.ID); got.Ratings != 2 || got.Stars != 9 {
		t.Errorf("after the change %d ratings of %d stars, want 2 of 9", got.Ratings, got.Stars)
	}
	if mine, err := f.RatingOf(ctx, s.ID, RatingReader{1}); err != nil || mine.Stars != 4 || mine.Comment != "Better now" {
		t.Errorf("the reader's rating is %+v (%v)", mine, err)
	}
	if _, err := f.RatingOf(ctx, s.ID, RatingReader{3}); stepsies.CodeOf(err) != stepsies.CodeNotFound {
		t.Errorf("the rating of someone who gave none: %v", err)
	}
	list, err := f.ListRatings(ctx, s.ID, Page{Limit: 1})
	if err != nil || len(list.Items) != 1 || list.Items[0].Stars != 5 || list.Next == "" {
		t.Fatalf("the first page is %+v (%v)", list, err)
	}
	if list, err = f.ListRatings(ctx, s.ID, Page{Limit: 1, Cursor: list.Next}); err != nil || len(list.Items) != 1 || list.Items[0].Comment != "Better now" || list.Next != "" {
		t.Errorf("the second page is %+v (%v)", list, err)
	}
	days, err := f.ReadingDays(ctx, s.ID, 0)
	if err != nil || len(days) != 1 || days[0].Ratings != 2 || days[0].Stars != 9 || days[0].Day != Day(f.Store.clock()) {
		t.Errorf("by day: %+v (%v)", days, err)
	}
	if n := f.count(t, `select count(*) from stepsy_counts where rated > 3.7 and rated < 3.8`); n != 1 { // (9 + 17.5) / 7
		t.Error("the order of the best rated does not know it")
	}
}

func testRatingVisibility(t *testing.T, f *fixture) {
	ctx := t.Context()
	u := f.member(t, "sarah")
	draft, gone, suspended := f.stepsy(t, u, "Draft"), f.published(t, u, "Gone"), f.published(t, f.member(t, "mike"), "Of mike")
	if err := f.DeleteStepsy(ctx, by(u), gone.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := f.UpdateUser(ctx, byOperator, "mike", stepsies.UserChange{Suspended: ptr(true)}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []int64{draft.ID, gone.ID, suspended.ID, suspended.ID + 1000} {
		if _, err := f.RateStepsy(ctx, byOperator, id, RatingReader{1}, stepsies.Rating{Stars: 1}); stepsies.CodeOf(err) != stepsies.CodeNotFound {
			t.Errorf("stepsy %d could be rated: %v", id, err)
		}
	}
	if n := f.count(t, `select (select count(*) from ratings) + (select count(*) from stepsy_counts)`); n != 0 {
		t.Errorf("%d rows are left of what was refused", n)
	}
}

func testParallelRatings(t *testing.T, f *fixture) {
	s := f.published(t, f.member(t, "sarah"), "Rated")
	var readers sync.WaitGroup
	for i := range 32 {
		readers.Go(func() {
			// Each of eight readers rates four times, at once.
			if _, err := f.RateStepsy(t.Context(), byOperator, s.ID, RatingReader{byte(i % 8)}, stepsies.Rating{Stars: 1 + i%5}); err != nil {
				t.Error(err)
			}
		})
	}
	readers.Wait()
	got := f.counts(t, s.ID)
	sum := f.count(t, `select cast(sum(stars) as bigint) from ratings`)
	if got.Ratings != 8 || got.Stars != sum {
		t.Errorf("%d ratings of %d stars, want 8 of %d", got.Ratings, got.Stars, sum)
	}
}

func testForgetReaders(t *testing.T, f *fixture) {
	ctx := t.Context()
	s := f.published(t, f.member(t, "sarah"), "Read")
	today := Day(f.Store.clock())
	var salts [][]byte
	for _, day := range []int64{today - 1, today, today} {
		salt, err := f.ReaderSalt(ctx, day)
		if err != nil || len(salt) != saltSize {
			t.Fatalf("the salt of day %d is %d bytes long (%v)", day, len(salt), err)
		}
		salts = append(salts, salt)
	}
	if !slices.Equal(salts[1], salts[2]) || slices.Equal(salts[0], salts[1]) {
		t.Error("a day does not have one salt of its own")
	}
	if err := f.RecordReadings(ctx, []Reading{{StepsyID: s.ID, Day: today - 1}, {StepsyID: s.ID, Day: today}}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Purge(ctx); err != nil {
		t.Fatal(err)
	}
	if n := f.count(t, `select (select count(*) from reader_salts where day < $1) + (select count(*) from reader_marks where day < $1)`, today); n != 0 {
		t.Errorf("%d rows know readers of yesterday", n)
	}
	if again, err := f.ReaderSalt(ctx, today); err != nil || !slices.Equal(again, salts[1]) {
		t.Errorf("the salt of today changed (%v)", err)
	}
	if got := f.counts(t, s.ID); got.Views != 2 {
		t.Errorf("%d views are left, want 2", got.Views)
	}
}
