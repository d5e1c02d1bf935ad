package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stepsies/stepsies"
)

var searches = []guarantee{
	{"SearchFindsTheSameOnBothEngines", testSearch},
	{"SearchFollowsEveryChange", testSearchFollows},
	{"SearchKeepsAuthorsApart", testSearchApart},
}

// testSearch has one table of answers for all engines.
func testSearch(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	for title, content := range map[string]string{
		"setup":    `<p>Open <code>setup.md</code> at -17 °C, then run <em>./configure</em>.</p>`,
		"dessert":  `<p>Crème brûlée — l’été à la <b>Straße</b></p>`,
		"japanese": `<p>日本語の手順 と がぎぐ</p>`,
		"hindi":    `<p>किताब पढ़ें</p>`,
		"greek":    `<p>ΟΔΟΣ Ὀδυσσεύς</p>`,
		"symbols":  `<p>C++ &amp; C# 100% it's "quoted" a|b a:* NOT OR AND near(x) {y} 1:2 \ 😀</p>`,
		"parts":    `<p>one</p><p>two</p><ul><li>three</li></ul>four<br>five <s>str</s>ike`,
		"long":     `<p>` + strings.Repeat("x", 80) + ` unbelievable</p>`,
		"zero":     `<p>null undefined the a of</p>`,
	} {
		f.stepsyWith(t, u, stepsies.StepsyChange{Title: &title, Description: ptr("quite"),
			Steps: &[]stepsies.StepChange{{Title: "Step of " + title, Content: stepsies.SanitisedContent(content)}}})
	}
	f.stepsyWith(t, u, stepsies.StepsyChange{Title: ptr("...")}) // no word at all
	other := f.member(t, "mike")
	f.stepsy(t, other, "setup of another")

	for q, want := range map[string][]string{
		"setup.md": {"setup"}, "SETUP": {"setup"}, "set": {"setup"}, "etup": nil, "md setup": {"setup"}, "setup.mda": nil,
		"-17": {"setup"}, "17": {"setup"}, "1": {"setup", "symbols"}, "./configure": {"setup"}, "°C": {"dessert", "setup", "symbols"},
		"crème": {"dessert"}, "creme": {"dessert"}, "CRÈME BRÛ": {"dessert"}, "cre\u0300me": {"dessert"}, "strasse": {"dessert"}, "straße": {"dessert"},
		"été": {"dessert"}, "ete": {"dessert"},
		"日本": {"japanese"}, "日本語": {"japanese"}, "本語": {"japanese"}, "語の手順": {"japanese"}, "手": {"japanese"}, "順": {"japanese"}, "日語": nil, "順の": nil, "がぎ": {"japanese"}, "かき": nil,
		"किताब": {"hindi"}, "किताबें": nil, "कता": nil, "पढ़ें": {"hindi"},
		"οδος": {"greek"}, "ΟΔΟΣ": {"greek"}, "οδυ": {"greek"},
		"C++": {"dessert", "setup", "symbols"}, "100%": {"symbols"}, "it's": {"symbols"}, `"quoted"`: {"symbols"}, "a:* near": {"symbols"},
		"NOT": {"symbols"}, "or": {"symbols"}, "near(x)": {"symbols"}, `c\#`: {"dessert", "setup", "symbols"}, "1:2": {"symbols"}, "' or 1=1 --": {"symbols"},
		"onetwo": nil, "one two": {"parts"}, "three four five": {"parts"}, "strike": {"parts"},
		strings.Repeat("x", 80): {"long"}, strings.Repeat("x", 64): {"long"}, strings.Repeat("x", 63) + "y": nil, "unbel": {"long"},
		"the of": {"setup", "zero"}, "null": {"zero"},
		"...": nil, "😀": nil, "%": nil, "*": nil, `""`: nil, "& | !": nil,
		"step of": {"dessert", "greek", "hindi", "japanese", "long", "parts", "setup", "symbols", "zero"},
		"quite":   {"dessert", "greek", "hindi", "japanese", "long", "parts", "setup", "symbols", "zero"},
		"another": nil,
	} {
		got, err := f.found(t, u, q)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q finds %q (%v), want %q", q, got, err, want)
		}
	}
}

// found returns the titles that a search gives, sorted.
func (f *fixture) found(t *testing.T, u stepsies.User, q string) ([]string, error) {
	t.Helper()
	list, err := f.ListStepsies(t.Context(), StepsyFilter{Author: u.Username, Access: of(u), Query: q, Sort: "title", Page: Page{Limit: 100}})
	var titles []string
	for _, s := range list.Items {
		titles = append(titles, s.Title)
	}
	slices.Sort(titles)
	return titles, err
}

func testSearchFollows(t *testing.T, f *fixture) {
	u := f.member(t, "sarah")
	made := f.stepsy(t, u, "Before")
	change := func(want stepsies.StepsyChange) {
		t.Helper()
		if _, err := f.UpdateStepsy(t.Context(), by(u), made.ID, want); err != nil {
			t.Fatal(err)
		}
	}
	finds := func(q string, want int) {
		t.Helper()
		if got, err := f.found(t, u, q); err != nil || len(got) != want {
			t.Errorf("%q finds %q (%v), want %d", q, got, err, want)
		}
	}
	finds("before", 1)
	change(stepsies.StepsyChange{Title: ptr("After")})
	finds("before", 0)
	finds("after one step", 1)
	change(stepsies.StepsyChange{Steps: steps("Other")})
	finds("one", 0)
	finds("other", 1)
	change(stepsies.StepsyChange{Description: ptr("described")})
	finds("describe other after", 1)
	if _, err := f.PublishStepsy(t.Context(), by(u), made.ID); err != nil {
		t.Fatal(err)
	}
	finds("after", 1)
	if n := f.count(t, `select count(*) from stepsy_search`); n != 1 {
		t.Errorf("the index holds %d rows for one stepsy", n)
	}
	if err := f.DeleteStepsy(t.Context(), by(u), made.ID); err != nil {
		t.Fatal(err)
	}
	finds("after", 0)
	if n := f.count(t, `select count(*) from stepsy_search`); n != 0 {
		t.Errorf("the index holds %d rows for no stepsy", n)
	}
}

// testSearchApart has authors whose numbers begin alike, and words that look like
// the marks of authors.
func testSearchApart(t *testing.T, f *fixture) {
	var all []stepsies.User
	for i := range 12 {
		u := f.member(t, fmt.Sprintf("author%d", i))
		all = append(all, u)
		f.stepsyWith(t, u, stepsies.StepsyChange{Title: ptr(fmt.Sprintf("u%dx common own%dx", all[0].ID, i))})
	}
	for i, u := range all {
		for q, want := range map[string]int{"common": 1, "u": 1, fmt.Sprintf("u%dx", all[0].ID): 1, fmt.Sprintf("own%dx", i): 1, fmt.Sprintf("own%dx", (i+1)%12): 0} {
			if got, err := f.found(t, u, q); err != nil || len(got) != want {
				t.Errorf("author %d: %q finds %q (%v), want %d", i, q, got, err, want)
			}
		}
	}
}

// TestIndexOfAnotherFormIsMadeAnew, as a program of before left it.
func TestIndexOfAnotherFormIsMadeAnew(t *testing.T) {
	t.Parallel()
	f := sqliteFixture(t)
	u := f.member(t, "sarah")
	f.stepsy(t, u, "Title")
	gone := f.stepsy(t, u, "Gone")
	if err := f.DeleteStepsy(t.Context(), by(u), gone.ID); err != nil {
		t.Fatal(err)
	}
	f.raw(t, `delete from stepsy_search`)
	f.raw(t, `insert into stepsy_search (rowid, words) select id, title_key from stepsies where deleted_at is null`)
	f.raw(t, `pragma user_version = 0`)
	for range 2 {
		if _, err := f.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, err := f.found(t, u, "title"); err != nil || len(got) != 1 {
			t.Errorf("after the migration %q is found (%v)", got, err)
		}
	}
	if n := f.count(t, `select count(*) from stepsy_search`); n != 1 {
		t.Errorf("the index holds %d rows for one stepsy", n)
	}
}
