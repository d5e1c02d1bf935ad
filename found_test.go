package stepsies

import (
	"strings"
	"testing"
)

func TestFindWordsFindsWhatSearchWould(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, query, want string }{
		{"Crème brûlée, CREME", "creme", "Crème|CREME"},
		{"cre\u0300me", "crème", "cre\u0300me"},
		{"setup.md and Setups", "set md", "setup|md|Setups"},
		{"at 20 ℃ or 20℃", "c", "℃|20℃"},
		{"½ of it", "2", "½"},
		{"Straße", "strasse", "Straße"},
		{"日本語の手順", "日本", "日本"}, {"日本語の手順、手", "語の手順", "語の手順"}, {"日本語の手順", "手", "手"}, {"日本語の手順", "順", "順"}, {"日本語の手順", "順の", ""},
		{"自宅でパンを焼くTipsと3つのコツ", "tips パン 3", "パン|Tips|3"}, {"サーバー", "バー", "バー"}, {"ﾊﾟﾝを焼く", "パン", "ﾊﾟﾝを焼く"}, {"如何在家烘焙酸面包", "面包 酸", "酸面包"},
		{"นวดแป้งสิบนาที", "แป้ง", "แป้ง"}, {"반죽을 치댄다", "반죽", "반죽을"},
		{"ΟΔΟΣ οδός", "οδος", "ΟΔΟΣ|οδός"},
		{"nothing", "not here", "nothing"},
		{"nothing", "thing", ""},
		{"", "a", ""},
		{strings.Repeat("x", 80), strings.Repeat("x", 80), strings.Repeat("x", 80)},
	} {
		words := SearchWords(c.query)
		places := FindWords(c.text, words, 100)
		var got []string
		for _, at := range places {
			got = append(got, c.text[at.Start:at.End])
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%q in %q: %q, want %q", c.query, c.text, got, c.want)
		}
		if n := CountWords(c.text, words); (n > 0) != (c.want != "") {
			t.Errorf("%q in %q: there are %d of %d words", c.query, c.text, n, len(words))
		}
	}
	if places := FindWords("a a a a", []string{"a"}, 2); len(places) != 2 {
		t.Errorf("there are %d places, want 2", len(places))
	}
}

// FuzzHasWords compares it with the words that are indexed.
func FuzzHasWords(f *testing.F) {
	f.Add("Crème brûlée ½ ℃", "creme 2")
	f.Fuzz(func(t *testing.T, text, query string) {
		words := SearchWords(query)
		want := true
		for _, w := range words {
			some := false
			for _, word := range Words(text) {
				some = some || strings.HasPrefix(word, w)
			}
			want = want && some
		}
		if len(text) < 1000 && HasWords(text, words) != want {
			t.Errorf("%q has %q: %v, the index says %v", text, words, !want, want)
		}
	})
}
