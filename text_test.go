package stepsies

import (
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func TestLinesAreTrimmedComposedAndCountedInCharacters(t *testing.T) {
	for in, want := range map[string]string{
		" a ": "a", "\u3000a\u00a0": "a", "\ta\n": "a", "e\u0301": "é", "A\u030a": "Å", strings.Repeat("e\u0301", 10): strings.Repeat("é", 10),
		strings.Repeat("😀", 10): strings.Repeat("😀", 10), "a  b": "a  b", "a\u200bb": "a\u200bb",
	} {
		if got, err := line(in, 1, 10); err != nil || got != want {
			t.Errorf("%q becomes %q (%v), want %q", in, got, err, want)
		}
	}
	for in, says := range map[string]string{
		"": "empty", " \t\n ": "empty", strings.Repeat("é", 11): "at most 10 characters, has 11", "a\tb": "U+0009", "a\nb": "U+000A", "a\x00b": "U+0000",
		"a\x7fb": "U+007F", "a\u0085b": "U+0085", "a\xffb": "UTF-8", "\xed\xa0\x80": "UTF-8",
	} {
		if got, err := line(in, 1, 10); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q becomes %q (%v), want an error about %s", in, got, err, says)
		}
	}
	if _, err := line("ab", 3, 10); err == nil || !strings.Contains(err.Error(), "at least 3") {
		t.Errorf("two characters of three: %v", err)
	}
}

func TestProseKeepsItsLinesAndSpaces(t *testing.T) {
	for _, same := range []string{"", " a\tb\r\nc ", strings.Repeat("😀", 10)} {
		if got, err := prose(same, 10); err != nil || got != same {
			t.Errorf("%q becomes %q (%v)", same, got, err)
		}
	}
	if got, err := prose("e\u0301", 1); err != nil || got != "é" {
		t.Errorf("decomposed text becomes %q (%v)", got, err)
	}
	for _, bad := range []string{"\x00", "\x1b[31m", "\x0b", "\u009b", "\xff", strings.Repeat("a", 11)} {
		if got, err := prose(bad, 10); err == nil {
			t.Errorf("%q becomes %q", bad, got)
		}
	}
}

func TestFoldTakesAccentsAndCaseAwayAndNothingElse(t *testing.T) {
	for in, want := range map[string]string{
		"Crème Brûlée": "creme brulee", "cre\u0300me": "creme", "ÅNGSTRÖM": "angstrom", "Straße STRAẞE": "strasse strasse", "Łódź": "lodz", "København": "kobenhavn",
		"Œuvre Æsir": "oeuvre aesir", "Đặng": "dang", "İstanbul ılık": "istanbul ilik", "ΟΔΟΣ οδός": "οδοσ οδοσ", "Ёлка Йод": "елка иод", "ﬁ ①": "fi 1",
		"שָׁלוֹם": "שלום", "مُحَمَّد": "محمد", "がぎ ｶﾞ": "がぎ ガ", "किताबें": "किताबें", "ที่นี่": norm.NFC.String(norm.NFKD.String("ที่นี่")), "한국어": "한국어", "日本語": "日本語", "a-b_c": "a-b_c", "": "",
	} {
		if got := Fold(in); got != want {
			t.Errorf("%q is folded to %q, want %q", in, got, want)
		}
	}
}
