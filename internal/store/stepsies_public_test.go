package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

var publics = []guarantee{
	{"PublicListsHoldWhatIsPublishedAndNothingElse", testPublicVisibility},
	{"PublicListsAreInTheirOrder", testPublicOrders},
	{"AuthorsListHasFeaturedOnTop", testAuthorsOrder},
	{"PublicListsPageThroughEqualValues", testPublicPages},
	{"PublicCursorsBelongToTheirList", testPublicCursors},
	{"CategoriesAreThoseWithSomethingIn", testPublicCategories},
	{"PublicSearchFindsWordsAndBeginnings", testPublicSearch},
	{"PublicSearchPutsTitlesFirstAndPagesThroughAll", testPublicSearchPages},
	{"PublicSearchFollowsEveryChange", testPublicSearchFollows},
	{"FeedOfAnAuthorHasTheNewest", testFeedOfAnAuthor},
	{"SitemapIsCutByIDs", testSitemap},
}

// everyones makes a stepsy that everyone can read.
func (f *fixture) everyones(t testing.TB, author stepsies.User, want stepsies.StepsyChange) stepsies.Stepsy {
	t.Helper()
	want.Publish = true
	if want.Steps == nil {
		want.Steps = steps("The one step")
	}
	f.clock.forward(time.Minute)
	return f.stepsyWith(t, author, want)
}

// publicLists are all lists that everyone sees, by name.
func (f *fixture) publicLists(author stepsies.User) map[string]func(context.Context, Page) (Paged[stepsies.Stepsy], error) {
	lists := map[string]func(context.Context, Page) (Paged[stepsies.Stepsy], error){
		"category": func(ctx context.Context, p Page) (Paged[stepsies.Stepsy], error) {
			return f.CategoryStepsies(ctx, "design", p)
		},
		"author": func(ctx context.Context, p Page) (Paged[stepsies.Stepsy], error) {
			return f.AuthorStepsies(ctx, author.ID, p)
		},
		"search": func(ctx context.Context, p Page) (Paged[stepsies.Stepsy], error) {
			return f.SearchPublic(ctx, "stepsy", p)
		},
	}
	for _, order := range []PublicOrder{Newest, BestRated, CompletedLately} {
		lists[string(order)] = func(ctx context.Context, p Page) (Paged[stepsies.Stepsy], error) {
			return f.PublicStepsies(ctx, order, p)
		}
	}
	return lists
}

func titles(list []stepsies.Stepsy) []string {
	var all []string
	for _, s := range list {
		all = append(all, s.Title)
	}
	return all
}

func testPublicVisibility(t *testing.T, f *fixture) {
	ctx := t.Context()
	sarah, tom := f.member(t, "sarah"), f.member(t, "tom")
	all := map[string]stepsies.Stepsy{}
	var counts []Counts
	for name, author := range map[string]stepsies.User{"seen": sarah, "draft": sarah, "trashed": sarah, "unpublished": sarah, "suspended": tom} {
		s := f.stepsyWith(t, author, stepsies.StepsyChange{
			Title: ptr("Stepsy " + name), Category: ptr("design"), Steps: steps("One"), Publish: name != "draft",
		})
		all[name] = s
		counts = append(counts, Counts{StepsyID: s.ID, Completions: 1, Ratings: 1, Stars: 5})
	}
	if err := f.AddCounts(ctx, counts); err != nil {
		t.Fatal(err)
	}
	must[Outcome[stepsies.Stepsy]](t)(f.UnpublishStepsy(ctx, by(sarah), all["unpublished"].ID))
	if err := f.DeleteStepsy(ctx, by(sarah), all["trashed"].ID); err != nil {
		t.Fatal(err)
	}
	must[Outcome[stepsies.User]](t)(f.UpdateUser(ctx, byOperator, "tom", stepsies.UserChange{Suspended: ptr(true)}))
	wants := func(when string, want ...string) {
		t.Helper()
		slices.Sort(want)
		for name, list := range f.publicLists(sarah) {
			got, err := list(ctx, Page{Limit: 50})
			found := titles(got.Items)
			slices.Sort(found)
			if err != nil || !slices.Equal(found, want) || got.Next != "" {
				t.Errorf("%s, %s: %q (%v), want %q", when, name, found, err, want)
			}
		}
	}
	wants("at first", "Stepsy seen")
	if got, err := f.AuthorStepsies(ctx, tom.ID, Page{Limit: 50}); err != nil || len(got.Items) > 0 {
		t.Errorf("a suspended author has %q (%v)", titles(got.Items), err)
	}
	must[Outcome[stepsies.Stepsy]](t)(f.PublishStepsy(ctx, by(sarah), all["unpublished"].ID))
	wants("published again", "Stepsy seen", "Stepsy unpublished")
}

func testPublicOrders(t *testing.T, f *fixture) {
	ctx, u := t.Context(), f.member(t, "sarah")
	made := map[string]stepsies.Stepsy{}
	for _, name := range []string{"a", "b", "c", "d"} {
		made[name] = f.everyones(t, u, stepsies.StepsyChange{Title: &name})
	}
	// Publishing again makes it the newest.
	must[Outcome[stepsies.Stepsy]](t)(f.UnpublishStepsy(ctx, by(u), made["b"].ID))
	f.clock.forward(time.Hour)
	must[Outcome[stepsies.Stepsy]](t)(f.PublishStepsy(ctx, by(u), made["b"].ID))
	now := f.clock.Now()
	if err := f.AddCounts(ctx, []Counts{
		{StepsyID: made["a"].ID, Ratings: 1, Stars: 5, Completions: 100, At: now.Add(-60 * 24 * time.Hour)},
		{StepsyID: made["b"].ID, Ratings: 40, Stars: 192, Completions: 3, At: now},
		{StepsyID: made["c"].ID, Ratings: 40, Stars: 60, Completions: 9, At: now.Add(-time.Hour)},
		{StepsyID: made["d"].ID, Views: 9},
	}); err != nil {
		t.Fatal(err)
	}
	for order, want := range map[PublicOrder]string{Newest: "b d c a", BestRated: "b a c", CompletedLately: "c b a"} {
		got, err := f.PublicStepsies(ctx, order, Page{Limit: 10})
		if found := strings.Join(titles(got.Items), " "); err != nil || found != want {
			t.Errorf("%s: %s (%v), want %s", order, found, err, want)
		}
	}
	if got, err := f.PublicStepsies(ctx, "oldest", Page{Limit: 10}); err == nil {
		t.Errorf("an unknown order gives %q", titles(got.Items))
	}
	head := must[Paged[stepsies.Stepsy]](t)(f.PublicStepsies(ctx, BestRated, Page{Limit: 1})).Items[0]
	if head.Ratings != 40 || head.Username != "sarah" || head.StepsCount != 1 || head.Steps != nil {
		t.Errorf("the head is %+v", head)
	}
}

func testAuthorsOrder(t *testing.T, f *fixture) {
	ctx, u, other := t.Context(), f.member(t, "sarah"), f.member(t, "mike")
	for i := range 9 {
		name := fmt.Sprint(i)
		f.everyones(t, u, stepsies.StepsyChange{Title: &name, Featured: ptr(i == 1 || i == 3 || i == 4)})
		f.everyones(t, other, stepsies.StepsyChange{Title: ptr("of another"), Featured: ptr(i == 2)})
	}
	for limit := 1; limit <= 10; limit++ {
		var got []string
		p := Page{Limit: limit}
		for range 20 {
			part, err := f.AuthorStepsies(ctx, u.ID, p)
			if err != nil || len(part.Items) > limit || len(part.Items) < limit && part.Next != "" {
				t.Fatalf("a page of %d has %d (%v)", limit, len(part.Items), err)
			}
			got = append(got, titles(part.Items)...)
			if p.Cursor = part.Next; p.Cursor == "" {
				break
			}
		}
		if found := strings.Join(got, " "); found != "4 3 1 8 7 6 5 2 0" {
			t.Errorf("in pages of %d the list is %s", limit, found)
		}
	}
	if got, err := f.AuthorStepsies(ctx, 1<<40, Page{Limit: 5}); err != nil || len(got.Items) > 0 {
		t.Errorf("nobody has %q (%v)", titles(got.Items), err)
	}
}

// testPublicPages has all keys equal, so that only the id parts them.
func testPublicPages(t *testing.T, f *fixture) {
	ctx, u := t.Context(), f.member(t, "sarah")
	var counts []Counts
	for i := range 23 {
		s := f.stepsyWith(t, u, stepsies.StepsyChange{Title: ptr(fmt.Sprintf("Stepsy %02d", i)), Category: ptr("design"), Publish: true, Steps: steps("One"), Featured: ptr(i%4 == 0)})
		counts = append(counts, Counts{StepsyID: s.ID, Completions: 2, Ratings: 3, Stars: 10})
	}
	if err := f.AddCounts(ctx, counts); err != nil {
		t.Fatal(err)
	}
	for name, list := range f.publicLists(u) {
		whole, err := list(ctx, Page{Limit: 50})
		if err != nil || len(whole.Items) != 23 || whole.Next != "" {
			t.Fatalf("%s: %d items, next %q (%v)", name, len(whole.Items), whole.Next, err)
		}
		for _, limit := range []int{1, 5, 22, 23} {
			var got []string
			p := Page{Limit: limit}
			for range 30 {
				part, err := list(ctx, p)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, titles(part.Items)...)
				if p.Cursor = part.Next; p.Cursor == "" {
					break
				}
			}
			if !slices.Equal(got, titles(whole.Items)) {
				t.Errorf("%s in pages of %d is %q, want %q", name, limit, got, titles(whole.Items))
			}
		}
	}
}

func testPublicCursors(t *testing.T, f *fixture) {
	ctx, u := t.Context(), f.member(t, "sarah")
	var counts []Counts
	for i := range 3 {
		s := f.everyones(t, u, stepsies.StepsyChange{Title: ptr(fmt.Sprint("Stepsy ", i)), Category: ptr("design")})
		counts = append(counts, Counts{StepsyID: s.ID, Completions: 1, Ratings: 1, Stars: 4})
	}
	if err := f.AddCounts(ctx, counts); err != nil {
		t.Fatal(err)
	}
	cursors := map[string]string{"nonsense": "nonsense", "long": strings.Repeat("A", maxCursor+1), "JSON": "e30"}
	lists := f.publicLists(u)
	for name, list := range lists {
		cursors[name] = must[Paged[stepsies.Stepsy]](t)(list(ctx, Page{Limit: 1})).Next
	}
	for name, list := range lists {
		for of, cursor := range cursors {
			_, err := list(ctx, Page{Limit: 1, Cursor: cursor})
			if of == name {
				if err != nil {
					t.Errorf("%s refuses its own cursor: %v", name, err)
				}
				continue
			}
			if e, ok := errors.AsType[*stepsies.Error](err); !ok || e.Code != stepsies.CodeBadRequest {
				t.Errorf("%s with the cursor of %s: %v, want a bad request", name, of, err)
			}
		}
	}
	if _, err := f.CategoryStepsies(ctx, "health", Page{Limit: 1, Cursor: cursors["category"]}); stepsies.CodeOf(err) != stepsies.CodeBadRequest {
		t.Errorf("a category takes the cursor of another: %v", err)
	}
}

func testPublicCategories(t *testing.T, f *fixture) {
	ctx, u, tom := t.Context(), f.member(t, "sarah"), f.member(t, "tom")
	if got, err := f.PublicCategories(ctx); err != nil || len(got) > 0 {
		t.Errorf("an empty installation has %q (%v)", got, err)
	}
	f.everyones(t, u, stepsies.StepsyChange{Title: ptr("a"), Category: ptr("health")})
	f.everyones(t, u, stepsies.StepsyChange{Title: ptr("b"), Category: ptr("business")})
	f.stepsyWith(t, u, stepsies.StepsyChange{Title: ptr("c"), Category: ptr("sales")})
	f.everyones(t, tom, stepsies.StepsyChange{Title: ptr("d"), Category: ptr("finance")})
	must[Outcome[stepsies.User]](t)(f.UpdateUser(ctx, byOperator, "tom", stepsies.UserChange{Suspended: ptr(true)}))
	if got, err := f.PublicCategories(ctx); err != nil || !slices.Equal(got, []string{"business", "health"}) {
		t.Errorf("the categories are %q (%v)", got, err)
	}
}

func testPublicSearch(t *testing.T, f *fixture) {
	ctx := t.Context()
	for _, name := range []string{"sarah", "mike"} {
		u := f.member(t, name)
		for title, content := range map[string]string{
			"setup":   `<p>Open <code>setup.md</code> at -17 °C, then run <em>./configure</em>.</p>`,
			"dessert": `<p>Crème brûlée — l’été à la <b>Straße</b></p>`,
			"greek":   `<p>ΟΔΟΣ Ὀδυσσεύς 日本語の手順 किताब</p>`,
			"symbols": `<p>C++ &amp; C# 100% "quoted" NOT OR AND near(x) * 😀</p>`,
		} {
			f.everyones(t, u, stepsies.StepsyChange{Title: ptr(title + " of " + name), Description: ptr("quite"),
				Steps: &[]stepsies.StepChange{{Title: "Step", Content: stepsies.SanitisedContent(content)}}})
		}
	}
	for q, want := range map[string]int{
		"setup.md": 2, "SETUP sarah": 1, "set": 2, "etup": 0, "-17": 2, "creme brulee": 2, "CRÈME": 2, "strasse": 2, "été": 2, "日本": 2, "किताब": 2, "οδος": 2,
		"quite": 8, "qui of": 8, "mike": 4, "NOT": 2, "OR": 2, "near(x)": 2, `c\#`: 6, "' or 1=1 --": 2, "' or 2=2": 0, "100%": 2, "step": 8, "s": 8,
		"...": 0, "😀": 0, "*": 0, `""`: 0, "": 0, "nothing of this": 0, strings.Repeat("quite ", 40): 8,
	} {
		got, err := f.SearchPublic(ctx, q, Page{Limit: 50})
		if err != nil || len(got.Items) != want {
			t.Errorf("%q finds %q (%v), want %d", q, titles(got.Items), err, want)
		}
		for _, s := range got.Items {
			inHead := stepsies.HasWords(s.Title+"\n"+s.Description, stepsies.SearchWords(q))
			if inHead == (len(s.Steps) > 0) {
				t.Errorf("%q finds %q with %d steps; words in its head: %v", q, s.Title, len(s.Steps), inHead)
			}
		}
	}
	// More words begin so than are looked for one by one.
	many := make([]string, maxTerms+20)
	for i := range many {
		many[i] = fmt.Sprintf("zz%03d", i)
	}
	u := f.member(t, "many")
	f.everyones(t, u, stepsies.StepsyChange{Title: ptr("many"), Steps: steps(many...)})
	for q, want := range map[string]int{"zz": 1, "zz05": 1, "zz0": 1, "zz051": 1, "zz052": 0} {
		if got, err := f.SearchPublic(ctx, q, Page{Limit: 5}); err != nil || len(got.Items) != want {
			t.Errorf("%q finds %d (%v), want %d", q, len(got.Items), err, want)
		}
	}
}

// testPublicSearchPages finds more than is put in order at a time.
func testPublicSearchPages(t *testing.T, f *fixture) {
	ctx, u := t.Context(), f.member(t, "sarah")
	const n = 2*searchBatch + 30
	f.seed(t, u, n, n, `case when i % 7 = 0 then 'Bread number ' else 'Stepsy number ' end || cast(i as text)`, `'stepsy-number-' || cast(i as text)`)
	f.raw(t, `update stepsies set title = 'Stepsy', title_key = 'stepsy' where id % 7 <> 0`) // what is found stands elsewhere
	var all []stepsies.Stepsy
	p := Page{Limit: 20}
	for range n {
		part, err := f.SearchPublic(ctx, "number", p)
		if err != nil || len(part.Items) > 20 || len(part.Items) == 0 && part.Next != "" {
			t.Fatal(err, len(part.Items))
		}
		all = append(all, part.Items...)
		if p.Cursor = part.Next; p.Cursor == "" {
			break
		}
	}
	if want := n - n/10; len(all) != want {
		t.Fatalf("%d of %d are found", len(all), want)
	}
	seen := map[int64]bool{}
	batches, oldest := 1, int64(anyID)
	for i, s := range all {
		if seen[s.ID] {
			t.Fatalf("%d is found twice", s.ID)
		}
		seen[s.ID] = true
		if i > 0 {
			before := all[i-1]
			switch inTitle, beforeInTitle := s.Title != "Stepsy", before.Title != "Stepsy"; {
			case inTitle == beforeInTitle && s.ID >= before.ID:
				t.Fatalf("%d comes after %d", s.ID, before.ID)
			case inTitle && !beforeInTitle && s.ID > oldest:
				t.Fatalf("%q comes after %q", s.Title, before.Title)
			case inTitle && !beforeInTitle:
				batches++
			}
		}
		oldest = min(oldest, s.ID)
	}
	if batches != 3 {
		t.Errorf("titles come first in %d batches, want 3", batches)
	}
	// A page of drafts alone is looked past.
	f.raw(t, `update stepsies set status = 'draft' where id > (select max(id) from stepsies) - $1`, searchBatch+7)
	if got, err := f.SearchPublic(ctx, "number", Page{Limit: 20}); err != nil || len(got.Items) != 20 || got.Items[0].ID > all[len(all)-1].ID+n-searchBatch {
		t.Errorf("behind drafts %d are found (%v)", len(got.Items), err)
	}
}

func testPublicSearchFollows(t *testing.T, f *fixture) {
	ctx, u := t.Context(), f.member(t, "sarah")
	made := f.everyones(t, u, stepsies.StepsyChange{Title: ptr("Before")})
	finds := func(q string, want int) {
		t.Helper()
		if got, err := f.SearchPublic(ctx, q, Page{Limit: 10}); err != nil || len(got.Items) != want {
			t.Errorf("%q finds %q (%v), want %d", q, titles(got.Items), err, want)
		}
	}
	finds("before", 1)
	must[Outcome[stepsies.Stepsy]](t)(f.UpdateStepsy(ctx, by(u), made.ID, stepsies.StepsyChange{Title: ptr("After")}))
	finds("before", 0)
	finds("after", 1)
	must[Outcome[stepsies.Stepsy]](t)(f.UnpublishStepsy(ctx, by(u), made.ID))
	finds("after", 0)
	must[Outcome[stepsies.Stepsy]](t)(f.PublishStepsy(ctx, by(u), made.ID))
	finds("after", 1)
	must[Outcome[stepsies.User]](t)(f.UpdateUser(ctx, byOperator, "sarah", stepsies.UserChange{Suspended: ptr(true)}))
	finds("after", 0)
	must[Outcome[stepsies.User]](t)(f.UpdateUser(ctx, byOperator, "sarah", stepsies.UserChange{Suspended: ptr(false)}))
	finds("after", 1)
	if err := f.DeleteStepsy(ctx, byOperator, made.ID); err != nil {
		t.Fatal(err)
	}
	finds("after", 0)
}

func testFeedOfAnAuthor(t *testing.T, f *fixture) {
	ctx, u, other := t.Context(), f.member(t, "sarah"), f.member(t, "mike")
	for i := range 4 {
		f.everyones(t, u, stepsies.StepsyChange{Title: ptr(fmt.Sprint(i)), Featured: ptr(i == 1), Steps: steps(strings.Repeat("word ", i+1))})
		f.everyones(t, other, stepsies.StepsyChange{Title: ptr("of another")})
	}
	f.stepsy(t, u, "a draft")
	got := must[Paged[stepsies.Stepsy]](t)(f.AuthorNewest(ctx, u.ID, Page{Limit: 20}))
	if found := strings.Join(titles(got.Items), " "); found != "3 2 1 0" {
		t.Fatalf("the newest of sarah are %q", found)
	}
	whole := must[[]stepsies.Stepsy](t)(f.WithSteps(ctx, got.Items, 85))
	for i, s := range whole {
		if s.Title != got.Items[i].Title || (len(s.Steps) == 1) != (i > 1) {
			t.Errorf("%d is %q with %d steps", i, s.Title, len(s.Steps))
		}
	}
	if none, err := f.WithSteps(ctx, nil, 90); err != nil || len(none) > 0 {
		t.Errorf("no heads become %d (%v)", len(none), err)
	}
}

func testSitemap(t *testing.T, f *fixture) {
	ctx, u, tom := t.Context(), f.member(t, "sarah"), f.member(t, "tom")
	if parts, err := f.SitemapParts(ctx); err != nil || len(parts) > 0 {
		t.Errorf("an empty installation has the parts %v (%v)", parts, err)
	}
	var made []stepsies.Stepsy
	for i, author := range []stepsies.User{u, u, u, tom, u} {
		made = append(made, f.everyones(t, author, stepsies.StepsyChange{Title: ptr(fmt.Sprint("stepsy ", i))}))
	}
	// The border between the parts lies behind the second.
	for i, id := range []int64{1, SitemapSize, SitemapSize + 1, SitemapSize + 2, 5*SitemapSize + 1} {
		f.raw(t, `update stepsies set id = $2 where id = $1`, made[i].ID, id+100_000*SitemapSize)
	}
	f.raw(t, `update stepsies set id = id - $1`, 100_000*SitemapSize)
	must[Outcome[stepsies.User]](t)(f.UpdateUser(ctx, byOperator, "tom", stepsies.UserChange{Suspended: ptr(true)}))
	parts, err := f.SitemapParts(ctx)
	want := []SitemapPart{{1, made[1].UpdatedAt}, {2, made[2].UpdatedAt}, {6, made[4].UpdatedAt}}
	if err != nil || !slices.Equal(parts, want) {
		t.Errorf("the parts are %v (%v), want %v", parts, err, want)
	}
	for n, want := range map[int64][]string{0: nil, 1: {"stepsy-0", "stepsy-1"}, 2: {"stepsy-2"}, 3: nil, 6: {"stepsy-4"}, -1: nil, 1 << 62: nil} {
		var slugs []string
		err := f.SitemapPart(ctx, n, func(e SitemapEntry) {
			if slugs = append(slugs, e.Slug); e.Username != "sarah" || e.Changed.IsZero() {
				t.Errorf("an entry is %+v", e)
			}
		})
		if err != nil || !slices.Equal(slugs, want) {
			t.Errorf("part %d has %q (%v), want %q", n, slugs, err, want)
		}
	}
}
