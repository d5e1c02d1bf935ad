package stepsies

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestWordsAreFoldedUniqueAndInOrder(t *testing.T) {
	for _, c := range []struct {
		texts, want []string
	}{
		{nil, nil}, {[]string{"", " .,-–!?"}, nil},
		{[]string{"Setup setup.md SETUP", "Crème"}, []string{"setup", "md", "creme"}},
		{[]string{"it's -17 °C 50% C++"}, []string{"it", "s", "17", "c", "50"}},
		{[]string{"日本語の手順。 किताबें"}, []string{"日本", "本語", "語の", "の手", "手順", "順", "किताबें"}},
		{[]string{"第3章 サーバー"}, []string{"第", "3", "章", "サー", "ーバ", "バー", "ー"}},
		{[]string{"แป้ง"}, []string{"แป้", "ป้ง", "ง"}}, // a sign above belongs to its letter
		{[]string{"a_b a|b a:* \"a\" (a)"}, []string{"a", "b"}},
		{[]string{strings.Repeat("é", 70) + "x " + strings.Repeat("é", 64)}, []string{strings.Repeat("e", 64)}},
		{[]string{strings.Repeat("日", 65)}, []string{"日日", "日"}},
	} {
		if got := Words(c.texts...); !slices.Equal(got, c.want) {
			t.Errorf("%.60q gives %q, want %q", c.texts, got, c.want)
		}
	}
}

func TestWordsHaveABound(t *testing.T) {
	var b strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&b, "word%d ", i)
	}
	words := Words(b.String(), "later")
	if n := len(strings.Join(words, " ")); n > MaxSearchText || n < MaxSearchText-20 || slices.Contains(words, "later") {
		t.Errorf("%d bytes of words are kept, want at most %d", n, MaxSearchText)
	}
	if got := SearchWords(b.String()); len(got) != MaxSearchWords || got[0] != "word0" {
		t.Errorf("a search keeps %d words", len(got))
	}
	for q, want := range map[string]string{"日本語": "日本 本語", "日": "日", "日 本": "日 本", "パン3つ": "パン 3 つ", strings.Repeat("日本語の手順", 9): "日本 本語 語の の手 手順 順日"} {
		if got := strings.Join(SearchWords(q), " "); got != want {
			t.Errorf("a search for %s asks for %q, want %q", q, got, want)
		}
	}
	if got := SearchWords("a a a b"); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("a search for the same word is %q", got)
	}
}

// FuzzWords: words are what both engines can index as they are, and cutting them
// again makes no words that were not there.
func FuzzWords(f *testing.F) {
	for _, text := range []string{"", "Crème brûlée setup.md -17 °C", "日本語 がぎ किताबें 한국어", "İ ẞ ς ﬁ ①", "e\u0301\u0345 \u0301a", "'\\\"*&|!():<>", "\xff\x00\u200d\ufeff", strings.Repeat("a", 100)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words := Words(text)
		seen := map[string]bool{}
		for _, w := range words {
			if w == "" || !utf8.ValidString(w) || utf8.RuneCountInString(w) > MaxWordLength || seen[w] {
				t.Errorf("%q gives the word %q", text, w)
			}
			seen[w] = true
			for _, r := range w {
				if !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) || r < 128 && unicode.IsUpper(r) {
					t.Errorf("%q gives the word %q with %U", text, w, r)
				}
			}
		}
		for _, w := range Words(strings.Join(words, " ")) {
			if !seen[w] && !slices.ContainsFunc(words, func(word string) bool { return strings.Contains(word, w) }) {
				t.Errorf("%q gives %q, which gives %q", text, words, w)
			}
		}
		if n := len(strings.Join(words, " ")); n > MaxSearchText {
			t.Errorf("%d bytes of words", n)
		}
	})
}
