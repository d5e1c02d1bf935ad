package main

import "testing"

func TestTextIsCutToTheColumnsItTakes(t *testing.T) {
	for _, c := range []struct {
		text  string
		wide  int
		width int
		want  string
	}{
		{"plain.md", 8, 20, "plain.md"},
		{"plain and long.md", 17, 12, "plain and l…"},
		{"crème.md", 8, 20, "crème.md"},
		{"cre\u0300me.md", 8, 10, "cre\u0300me.md"}, // a combining accent takes no column
		{"日本語のガイド", 14, 14, "日本語のガイド"},
		{"日本語のガイド", 14, 13, "日本語のガイ…"},
		{"日本語のガイド", 14, 12, "日本語のガ…"}, // half a character is none
		{"🎉 party", 8, 20, "🎉 party"},
		{"日本語のガイド", 14, 3, "日本語の…"}, // never to nothing
	} {
		if got := columnsOf(c.text); got != c.wide {
			t.Errorf("%q takes %d columns, want %d", c.text, got, c.wide)
		}
		if got := cut(c.text, c.width); got != c.want {
			t.Errorf("cut(%q, %d) = %q, want %q", c.text, c.width, got, c.want)
		}
	}
}
