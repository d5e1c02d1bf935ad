package reading

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stepsies/stepsies"
)

func TestSnippetIsCutAroundTheFirstWord(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("word after word ", 40)
	for name, c := range map[string]struct{ text, query, want string }{
		"short":            {"All of a short text.", "short", "All of a <mark>short</mark> text."},
		"not there":        {"All of a short text.", "long", "All of a short text."},
		"first of many":    {"needle " + long, "needle", "<mark>needle</mark> word after word"},
		"in the middle":    {long + "needle in it " + long, "needle", "word after word <mark>needle</mark> in it word"},
		"far away":         {strings.Repeat("слово ", 9000) + "needle in it " + long, "needle", "…слово слово слово слово слово слово слово слово слово <mark>needle</mark> in it word"},
		"far, no space":    {strings.Repeat("本", 9000) + "。needle " + long, "needle", "。<mark>needle</mark> word"},
		"lines":            {"one\n\n two\tthree", "two", "one <mark>two</mark> three"},
		"without a space":  {strings.Repeat("ж", 100) + ".needle " + long, "needle", ".<mark>needle</mark> word"},
		"markup":           {`<b> & "needle"`, "needle", `&lt;b&gt; &amp; &#34;<mark>needle</mark>&#34;`},
		"one word of many": {"Straße, ÉTÉ", "strasse ete", "<mark>Straße</mark>, <mark>ÉTÉ</mark>"},
	} {
		got := snippet(c.text, stepsies.SearchWords(c.query))
		if !strings.Contains(got, c.want) || utf8.RuneCountInString(got) > snippetLength+60 {
			t.Errorf("%s: %q of %d characters, want %q", name, got, utf8.RuneCountInString(got), c.want)
		}
	}
}

func FuzzSnippetIsTextAndMarks(f *testing.F) {
	f.Add("a needle <b>", "need")
	f.Add("½ ℃ ﬁne", "fin c")
	f.Fuzz(func(t *testing.T, text, query string) {
		words := stepsies.SearchWords(query)
		got := snippet(text, words)
		rest := strings.NewReplacer("<mark>", "", "</mark>", "").Replace(got)
		if strings.ContainsAny(rest, `<>"'`) {
			t.Errorf("%q in %q is %q", query, text, got)
		}
		if strings.Count(got, "<mark>") != strings.Count(got, "</mark>") {
			t.Errorf("marks do not end: %q", got)
		}
	})
}
