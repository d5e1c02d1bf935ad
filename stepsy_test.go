package stepsies

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func newStepsy(t *testing.T, titles ...string) Stepsy {
	t.Helper()
	s, err := NewStepsy(member, StepsyChange{Title: p("Title"), Steps: newSteps(titles...)}, noon)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newSteps(titles ...string) *[]StepChange {
	list := make([]StepChange, len(titles))
	for i, title := range titles {
		list[i] = StepChange{Title: title}
	}
	return &list
}

func ids(s Stepsy) []int64 {
	var list []int64
	for _, step := range s.Steps {
		list = append(list, step.ID)
	}
	return list
}

func TestNewStepsyHasTheDefaults(t *testing.T) {
	s, err := NewStepsy(User{ID: 3, Username: "sarah", DisplayName: "Sarah"}, StepsyChange{Title: p(" Crème \t")}, noon)
	want := Stepsy{UserID: 3, Username: "sarah", DisplayName: "Sarah", Slug: "creme", Title: "Crème", Category: "other", Status: StatusDraft,
		Steps: []Step{}, NextStepID: 1, Version: 1, CreatedAt: noon, UpdatedAt: noon}
	if err != nil || !reflect.DeepEqual(s, want) {
		t.Errorf("made %+v (%v), want %+v", s, err, want)
	}
}

func TestNewStepsySaysAllThatIsWrongAtOnce(t *testing.T) {
	long := strings.Repeat("é", MaxTitle+1)
	for _, c := range []struct {
		want StepsyChange
		bad  []string
	}{
		{StepsyChange{}, []string{"title"}},
		{StepsyChange{Publish: true}, []string{"title", "steps"}},
		{StepsyChange{Title: p(""), Description: p(strings.Repeat("é", MaxDescription+1)), Category: p("cooking"), Slug: p("No"), Steps: &[]StepChange{
			{Title: "good"}, {Title: long}, {Title: " ", ID: 4}, {Title: "a\x01", Content: SanitisedContent("\x00")}, {Title: "c", Content: SanitisedContent(strings.Repeat("é", MaxContent+1))},
		}}, []string{"title", "description", "category", "slug", "steps[1].title", "steps[2].title", "steps[2].id", "steps[3].title", "steps[3].content", "steps[4].content"}},
		{StepsyChange{Title: p("t"), Steps: newSteps(slices.Repeat([]string{"s"}, MaxSteps+1)...)}, []string{"steps"}},
	} {
		if _, err := NewStepsy(member, c.want, noon); !reflect.DeepEqual(problems(t, err), c.bad) {
			t.Errorf("%v, want problems of %q", err, c.bad)
		}
	}
	full := slices.Repeat([]string{strings.Repeat("é", MaxTitle)}, MaxSteps)
	if s, err := NewStepsy(member, StepsyChange{Title: p(strings.Repeat("😀", MaxTitle)), Steps: newSteps(full...), Publish: true}, noon); err != nil || s.StepsCount != MaxSteps {
		t.Errorf("the largest stepsy: %v", err)
	}
}

func TestPublishingNeedsAStep(t *testing.T) {
	s := newStepsy(t)
	before := s
	if changed, err := s.Publish(noon); changed || !reflect.DeepEqual(problems(t, err), []string{"steps"}) || !reflect.DeepEqual(s, before) {
		t.Errorf("an empty stepsy was published: %v, %+v", err, s)
	}
	s = newStepsy(t, "one")
	later := noon.Add(time.Hour)
	if changed, err := s.Publish(later); !changed || err != nil || s.Status != StatusPublished || s.PublishedAt != later || s.Version != 2 || s.UpdatedAt != later {
		t.Errorf("published: %v, %+v", err, s)
	}
	before = s
	if changed, err := s.Publish(later.Add(time.Hour)); changed || err != nil || !reflect.DeepEqual(s, before) {
		t.Errorf("published twice: %v, %+v", err, s)
	}
	if err := s.Change(StepsyChange{Steps: newSteps()}, later); !reflect.DeepEqual(problems(t, err), []string{"steps"}) || !reflect.DeepEqual(s, before) {
		t.Errorf("the last step of a published stepsy was removed: %v", err)
	}
	if !s.Unpublish(later) || s.Status != StatusDraft || !s.PublishedAt.IsZero() || s.Version != 3 {
		t.Errorf("unpublished: %+v", s)
	}
	if s.Unpublish(later) || s.Version != 3 {
		t.Errorf("unpublished twice: %+v", s)
	}
	if err := s.Change(StepsyChange{Steps: newSteps()}, later); err != nil || s.StepsCount != 0 {
		t.Errorf("a draft cannot lose its steps: %v", err)
	}
}

func TestStepsKeepTheirIDsAndNeverReuseOne(t *testing.T) {
	s := newStepsy(t, "a", "b", "c")
	if got := ids(s); !slices.Equal(got, []int64{1, 2, 3}) || s.NextStepID != 4 {
		t.Fatalf("the ids are %v, the next one is %d", got, s.NextStepID)
	}
	change := func(steps ...StepChange) error { return s.Change(StepsyChange{Steps: &steps}, noon) }
	if err := change(StepChange{ID: 3, Title: "c"}, StepChange{Title: "d"}, StepChange{ID: 1, Title: "a, changed"}); err != nil {
		t.Fatal(err)
	}
	if got := ids(s); !slices.Equal(got, []int64{3, 4, 1}) || s.Steps[2].Title != "a, changed" || s.Version != 2 {
		t.Errorf("after the change: %v, version %d", got, s.Version)
	}
	if err := change(); err != nil || len(s.Steps) != 0 {
		t.Fatal(err)
	}
	if err := change(StepChange{Title: "e"}, StepChange{Title: "f"}); err != nil || !slices.Equal(ids(s), []int64{5, 6}) {
		t.Errorf("new steps have the ids %v (%v)", ids(s), err)
	}
	before := s
	for _, c := range []struct {
		steps []StepChange
		bad   []string
	}{
		{[]StepChange{{ID: 2, Title: "gone"}}, []string{"steps[0].id"}},
		{[]StepChange{{ID: 7, Title: "of the future"}}, []string{"steps[0].id"}},
		{[]StepChange{{Title: "new"}, {ID: 7, Title: "guessed"}}, []string{"steps[1].id"}},
		{[]StepChange{{ID: 5, Title: "x"}, {ID: 5, Title: "y"}}, []string{"steps[1].id"}},
		{[]StepChange{{ID: -1, Title: "x"}}, []string{"steps[0].id"}},
	} {
		if err := change(c.steps...); !reflect.DeepEqual(problems(t, err), c.bad) || !reflect.DeepEqual(s, before) {
			t.Errorf("%+v: %v left %+v", c.steps, err, s)
		}
	}
}

func TestChangeThatChangesNothingMakesNoVersion(t *testing.T) {
	s := newStepsy(t, "a", "b")
	if err := s.Change(StepsyChange{Featured: p(true), Description: p("d")}, noon); err != nil || s.Version != 2 {
		t.Fatal(err)
	}
	before := s
	for _, same := range []StepsyChange{
		{}, {Title: p(" Title ")}, {Slug: p("title")}, {Slug: p("")}, {Featured: p(true)}, {Description: p("d"), Category: p("other")},
		{Steps: &[]StepChange{{ID: 1, Title: "a"}, {ID: 2, Title: "b "}}},
	} {
		if err := s.Change(same, noon.Add(time.Hour)); err != nil || !reflect.DeepEqual(s, before) {
			t.Errorf("%+v: %v, %+v", same, err, s)
		}
	}
	for i, other := range []StepsyChange{
		{Title: p("New")}, {Slug: p("new")}, {Featured: p(false)}, {Description: p("")}, {Category: p("sales")},
		{Steps: &[]StepChange{{ID: 2, Title: "b"}, {ID: 1, Title: "a"}}},
		{Steps: &[]StepChange{{ID: 2, Title: "b", Content: SanitisedContent("<p>x</p>")}, {ID: 1, Title: "a"}}},
		{Steps: &[]StepChange{{Title: "b"}, {ID: 1, Title: "a"}}},
	} {
		at := noon.Add(time.Duration(i) * time.Minute)
		if err := s.Change(other, at); err != nil || s.Version != int64(3+i) || s.UpdatedAt != at {
			t.Errorf("%+v: %v, version %d", other, err, s.Version)
		}
	}
	if s.Slug != "new" {
		t.Errorf("a new title moved the slug to %q", s.Slug)
	}
	if err := s.Change(StepsyChange{Slug: p("")}, noon); err != nil || s.Slug != "new" {
		t.Errorf("the slug of the title New is %q (%v)", s.Slug, err)
	}
}

func TestRefusedChangeLeavesTheStepsyAsItWas(t *testing.T) {
	s := newStepsy(t, "a")
	before := s
	err := s.Change(StepsyChange{Title: p("New"), Slug: p("new"), Featured: p(true), Category: p("cooking"), Steps: newSteps("b")}, noon)
	if !reflect.DeepEqual(problems(t, err), []string{"category"}) || !reflect.DeepEqual(s, before) {
		t.Errorf("%v left %+v", err, s)
	}
}

func TestDraftsAreForTheirAuthorAndAdmins(t *testing.T) {
	for _, c := range []struct {
		status            Status
		suspended         bool
		author, others    bool
		admins, changeAll bool
	}{
		{StatusDraft, false, true, false, true, true}, {StatusPublished, false, true, true, true, true},
		{StatusDraft, true, true, false, true, true}, {StatusPublished, true, true, false, true, true},
	} {
		s := Stepsy{UserID: 1, Status: c.status, AuthorSuspended: c.suspended}
		if s.VisibleTo(Access{UserID: 1}) != c.author || s.VisibleTo(Access{UserID: 2}) != c.others || s.VisibleTo(Access{}) != c.others || s.VisibleTo(Access{Everyone: true}) != c.admins {
			t.Errorf("%+v is seen by the wrong ones", s)
		}
		if !s.ChangeableBy(Access{UserID: 1}) || s.ChangeableBy(Access{UserID: 2}) || s.ChangeableBy(Access{}) || s.ChangeableBy(Access{Everyone: true}) != c.changeAll {
			t.Errorf("%+v is changed by the wrong ones", s)
		}
	}
}

func TestAverageRatingHasOneDecimal(t *testing.T) {
	for _, c := range []struct {
		ratings, stars int64
		want           float64
		ok             bool
	}{{0, 0, 0, false}, {1, 5, 5, true}, {2, 9, 4.5, true}, {3, 10, 3.3, true}, {3, 11, 3.7, true}, {20, 27, 1.4, true}} {
		if got, ok := (Stepsy{Ratings: c.ratings, Stars: c.stars}).AverageRating(); got != c.want || ok != c.ok {
			t.Errorf("%d stars of %d: %v %v, want %v %v", c.stars, c.ratings, got, ok, c.want, c.ok)
		}
	}
}

func TestContentTextPartsWordsWhereAReaderSeesThemParted(t *testing.T) {
	for html, want := range map[string]string{
		"":                     "",
		"plain":                "plain",
		"<p>one</p><p>two</p>": "one two",
		"un<b>bel</b>iev<em>a</em>ble <code>setup.md</code>": "unbelievable setup.md",
		"a<br>b<hr>c":                   "a b c",
		"<ul><li>x</li><li>y</li></ul>": "x y",
		`<a href="https://example.com/?a=1&amp;b=2" title="1 > 0">link</a>ed`: "linked",
		`<img src="x.png" alt="5 > 4">text`:                                   "text",
		"1 &lt; 2 &amp;&amp; 3 &gt; 2 &#39;":                                  "1 < 2 && 3 > 2 '",
		"&amp;lt;b&amp;gt;":                                                   "&lt;b&gt;",
		"<table><tr><td>a</td><td>b</td></tr></table>":                        "a b",
		"cut <b":         "cut",
		"cut <a href=\"": "cut",
	} {
		if got := strings.Join(strings.Fields(SanitisedContent(html).Text()), " "); got != want {
			t.Errorf("%q reads %q, want %q", html, got, want)
		}
		for n := range len(html) + 1 {
			whole, part := SanitisedContent(html).Text(), SanitisedContent(html).Beginning(n)
			if !strings.HasPrefix(whole, part) || n == len(html) && part != whole {
				t.Errorf("%s: the beginning of %d bytes is %q", html, n, part)
			}
		}
	}
}

func TestContentLengthCountsCharactersNotBytesNorEscapes(t *testing.T) {
	for html, want := range map[string]int{"": 0, "é😀": 2, "&lt;&amp;&#39;": 3, "<p>a</p>": 8} {
		c := SanitisedContent(html)
		if got := c.Length(); got != want || c.HTML() != html {
			t.Errorf("%q has %d characters, want %d", html, got, want)
		}
	}
	escaped := strings.Repeat("&amp;", MaxContent)
	if _, err := NewStepsy(member, StepsyChange{Title: p("t"), Steps: &[]StepChange{{Title: "s", Content: SanitisedContent(escaped)}}}, noon); err != nil {
		t.Errorf("escaping ate into the limit: %v", err)
	}
}

func TestSearchTextHoldsTheWordsOfAllParts(t *testing.T) {
	s, err := NewStepsy(member, StepsyChange{Title: p("Crème brûlée"), Description: p("The crème!"), Steps: &[]StepChange{
		{Title: "Heat -17 °C", Content: SanitisedContent("<p>setup.md</p><p>done</p>")}}}, noon)
	if got, want := s.SearchText(), "creme brulee the heat 17 c setup md done"; err != nil || got != want {
		t.Errorf("it is found by %q (%v), want %q", got, err, want)
	}
	if got := (Stepsy{Title: "..."}).SearchText(); got != "" {
		t.Errorf("without a word: %q", got)
	}
}

func TestErrorsSayTheirCodeAndKeepTheirCause(t *testing.T) {
	cause := fmt.Errorf("the disk is full")
	err := fmt.Errorf("write: %w", Unavailable(cause))
	if CodeOf(err) != CodeUnavailable || CodeOf(cause) != CodeInternal || CodeOf(nil) != "" || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("%v has the code %q", err, CodeOf(err))
	}
	if e := Unavailable(cause); e.Unwrap() != cause || strings.Contains(e.Message, "disk") {
		t.Errorf("the message shows the cause: %q", e.Message)
	}
	var none Problems
	if none.Err() != nil {
		t.Error("no problem is an error")
	}
	none.AddErr("a", nil)
	none.Add("b", "is %d", 5)
	if got := none.Err().Error(); !strings.HasSuffix(got, "b is 5") {
		t.Errorf("the error is %q", got)
	}
}
