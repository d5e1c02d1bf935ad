package store

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

var lists = []guarantee{
	{"ListPagesLoseAndDoubleNothing", testListPages},
	{"ListFiltersTogether", testListFilters},
	{"ListReadsStepsOnlyWhenAsked", testListSteps},
	{"CursorOfAnotherListIsRefused", testWrongCursors},
}

// testListPages walks every order with every page size over stepsies of which many
// share the value that is sorted by, and compares with a sort of our own.
func testListPages(t *testing.T, f *fixture) {
	ctx := t.Context()
	u, other := f.member(t, "sarah"), f.member(t, "mike")
	titles := []string{"b", "B", "é", "e", "Z", "a", "日本", "😀", "Ab", "ab c"}
	f.seed(t, u, 60, 5, `'title'`, `'s' || cast(i as text)`) // five times for sixty
	for i, title := range titles {
		f.raw(t, `update stepsies set title = $1, title_key = $2 where user_id = $3 and id % $4 = $5`, title, stepsies.Fold(title), u.ID, len(titles), i)
	}
	f.seed(t, other, 20, 1, `'title'`, `'s' || cast(i as text)`)
	for i := range 5 { // some are moved apart
		f.clock.forward(time.Minute)
		f.raw(t, `update stepsies set updated_at = $1 where user_id = $2 and slug = $3`, stamp(f.clock.Now()), u.ID, fmt.Sprint("s", i*11))
	}
	all := f.allOf(t, u)
	orders := map[string]func(a, b stepsies.Stepsy) int{
		"-created_at": func(a, b stepsies.Stepsy) int { return b.CreatedAt.Compare(a.CreatedAt) },
		"created_at":  func(a, b stepsies.Stepsy) int { return a.CreatedAt.Compare(b.CreatedAt) },
		"-updated_at": func(a, b stepsies.Stepsy) int { return b.UpdatedAt.Compare(a.UpdatedAt) },
		"-published_at": func(a, b stepsies.Stepsy) int {
			return cmp.Or(b.PublishedAt.Compare(a.PublishedAt), b.CreatedAt.Compare(a.CreatedAt))
		},
		"title": func(a, b stepsies.Stepsy) int {
			return cmp.Compare(stepsies.Fold(a.Title), stepsies.Fold(b.Title))
		},
	}
	if len(orders) != len(StepsySorts) {
		t.Fatalf("this test knows %d orders of %d", len(orders), len(StepsySorts))
	}
	for _, sort := range StepsySorts {
		sorted := slices.Clone(all)
		slices.SortFunc(sorted, func(a, b stepsies.Stepsy) int {
			if c := orders[sort](a, b); c != 0 {
				return c
			}
			if sort[0] == '-' {
				return int(b.ID - a.ID)
			}
			return int(a.ID - b.ID)
		})
		var want []int64
		for _, s := range sorted {
			want = append(want, s.ID)
		}
		for _, limit := range []int{1, 7, 20, 59, 60, 100} {
			filter := StepsyFilter{Author: "sarah", Access: of(u), Sort: sort, Page: Page{Limit: limit}}
			var got []int64
			for range 61 {
				list, err := f.ListStepsies(ctx, filter)
				if err != nil {
					t.Fatal(err)
				}
				if len(list.Items) > limit {
					t.Fatalf("a page of %d holds %d", limit, len(list.Items))
				}
				for _, s := range list.Items {
					got = append(got, s.ID)
				}
				if filter.Page.Cursor = list.Next; list.Next == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s by %d: %v, want %v", sort, limit, got, want)
			}
		}
	}
	first, err := f.ListStepsies(ctx, StepsyFilter{Author: "sarah", Access: of(u), Page: Page{Limit: 5}})
	if err != nil {
		t.Fatal(err)
	}
	sorted, err := f.ListStepsies(ctx, StepsyFilter{Author: "sarah", Access: of(u), Sort: "-created_at", Page: Page{Limit: 5}})
	if err != nil || first.Next != sorted.Next {
		t.Errorf("without an order the list is not the newest first (%v)", err)
	}
	if _, err := f.ListStepsies(ctx, StepsyFilter{Author: "sarah", Access: of(u), Sort: "id; drop table users", Page: Page{Limit: 5}}); err == nil {
		t.Error("an order that does not exist is taken")
	}
}

// allOf reads the heads of all of an author's stepsies without the list.
func (f *fixture) allOf(t *testing.T, u stepsies.User) []stepsies.Stepsy {
	t.Helper()
	var all []stepsies.Stepsy
	err := f.read.each(t.Context(), `select `+headColumns+stepsyTables+` where s.user_id = $1 and s.deleted_at is null`, []any{u.ID},
		func(scan func(...any) error) error {
			s, err := scanStepsy(scan, false)
			all = append(all, s)
			return err
		})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func testListFilters(t *testing.T, f *fixture) {
	ctx := t.Context()
	u := f.member(t, "sarah")
	f.member(t, "mike")
	for i, c := range []struct {
		title, category  string
		featured, public bool
	}{
		{"apple pie", "health", true, true}, {"apple cake", "health", false, true}, {"apple juice", "other", true, false},
		{"pear pie", "health", true, false}, {"pear cake", "other", false, true},
	} {
		made := f.stepsyWith(t, u, stepsies.StepsyChange{Title: &c.title, Category: &c.category, Featured: &c.featured, Publish: c.public, Steps: steps("one")})
		if made.ID == 0 {
			t.Fatal(i)
		}
		f.clock.forward(time.Second)
	}
	mike, err := f.User(ctx, "mike")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		filter StepsyFilter
		want   []string
	}{
		{StepsyFilter{}, []string{"pear cake", "pear pie", "apple juice", "apple cake", "apple pie"}},
		{StepsyFilter{Status: "draft"}, []string{"pear pie", "apple juice"}},
		{StepsyFilter{Status: "published"}, []string{"pear cake", "apple cake", "apple pie"}},
		{StepsyFilter{Category: "health"}, []string{"pear pie", "apple cake", "apple pie"}},
		{StepsyFilter{Featured: ptr(true)}, []string{"pear pie", "apple juice", "apple pie"}},
		{StepsyFilter{Featured: ptr(false)}, []string{"pear cake", "apple cake"}},
		{StepsyFilter{Query: "apple"}, []string{"apple juice", "apple cake", "apple pie"}},
		{StepsyFilter{Query: "apple", Status: "published", Category: "health", Featured: ptr(true), Sort: "title"}, []string{"apple pie"}},
		{StepsyFilter{Query: "pie", Sort: "title"}, []string{"apple pie", "pear pie"}},
		{StepsyFilter{Status: "draft", Category: "health", Sort: "-published_at"}, []string{"pear pie"}},
		{StepsyFilter{Category: "finance"}, nil},
		{StepsyFilter{Access: of(u)}, []string{"pear cake", "pear pie", "apple juice", "apple cake", "apple pie"}},
		{StepsyFilter{Access: of(mike)}, []string{"pear cake", "apple cake", "apple pie"}},
		{StepsyFilter{Access: of(mike), Status: "published", Query: "apple"}, []string{"apple cake", "apple pie"}},
		{StepsyFilter{Access: everyone, Status: "draft"}, []string{"pear pie", "apple juice"}},
	} {
		if c.filter.Access == (stepsies.Access{}) {
			c.filter.Access = of(u) // whose own they are
		} else {
			c.filter.Author = "sarah"
		}
		// Page by page, so that cursors meet every filter.
		c.filter.Page.Limit = 2
		var got []string
		for range 5 {
			list, err := f.ListStepsies(ctx, c.filter)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range list.Items {
				got = append(got, s.Title)
			}
			if c.filter.Page.Cursor = list.Next; list.Next == "" {
				break
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v gives %q, want %q", c.filter, got, c.want)
		}
	}
	_, err = f.ListStepsies(ctx, StepsyFilter{Author: "nobody", Access: everyone, Page: Page{Limit: 1}})
	wantCode(t, err, stepsies.CodeNotFound)
}

func testListSteps(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	f.stepsy(t, u, "One")
	for _, with := range []bool{false, true} {
		list, err := f.ListStepsies(t.Context(), StepsyFilter{Author: "sarah", Access: of(u), WithSteps: with, Page: Page{Limit: 1}})
		if err != nil || len(list.Items) != 1 || (list.Items[0].Steps != nil) != with || list.Items[0].StepsCount != 1 {
			t.Errorf("with steps %v: %+v (%v)", with, list.Items, err)
		}
	}
}

func testWrongCursors(t *testing.T, f *fixture) {
	ctx := t.Context()
	u := f.member(t, "sarah")
	for i := range 3 {
		f.stepsy(t, u, fmt.Sprint("Title ", i))
		f.key(t, u, "read")
	}
	byTitle, err := f.ListStepsies(ctx, StepsyFilter{Author: "sarah", Access: of(u), Sort: "title", Page: Page{Limit: 1}})
	if err != nil {
		t.Fatal(err)
	}
	byID, err := f.ListAPIKeys(ctx, of(u), "", Page{Limit: 1})
	if err != nil || byID.Next == "" {
		t.Fatal(err)
	}
	for _, cursor := range []string{byTitle.Next, byID.Next, "x", "====", byTitle.Next + "A"} {
		_, err := f.ListStepsies(ctx, StepsyFilter{Author: "sarah", Access: of(u), Sort: "-created_at", Page: Page{Limit: 1, Cursor: cursor}})
		wantCode(t, err, stepsies.CodeBadRequest)
	}
	for _, cursor := range []string{byTitle.Next, "x"} {
		page := Page{Limit: 1, Cursor: cursor}
		_, err = f.ListAPIKeys(ctx, of(u), "", page)
		wantCode(t, err, stepsies.CodeBadRequest)
		_, err = f.ListUsers(ctx, "", page)
		wantCode(t, err, stepsies.CodeBadRequest)
		_, err = f.ListActivity(ctx, ActivityFilter{Access: everyone, Page: page})
		wantCode(t, err, stepsies.CodeBadRequest)
	}
}
