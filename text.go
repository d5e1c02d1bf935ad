package stepsies

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// line returns s as a single line of text: trimmed, in Unicode NFC, without
// control characters, and of least to most characters.
func line(s string, least, most int) (string, error) {
	s = norm.NFC.String(strings.TrimSpace(s))
	if err := CheckText(s, false); err != nil {
		return "", err
	}
	return s, checkLength(s, least, most)
}

// prose returns s as text of several lines: in Unicode NFC, without control
// characters but for tabs and line breaks, and of at most most characters.
func prose(s string, most int) (string, error) {
	s = norm.NFC.String(s)
	if err := CheckText(s, true); err != nil {
		return "", err
	}
	return s, checkLength(s, 0, most)
}

func checkLength(s string, least, most int) error {
	n := utf8.RuneCountInString(s)
	switch {
	case n == 0 && least > 0:
		return errors.New("must not be empty")
	case n < least:
		return fmt.Errorf("must have at least %d characters", least)
	case n > most:
		return fmt.Errorf("must have at most %d characters, has %d", most, n)
	}
	return nil
}

// ParseTime reads a time with its zone (RFC 3339), whose T and Z may be small letters
// (§5.6), which time.Parse refuses.
func ParseTime(s string) (time.Time, error) { return time.Parse(time.RFC3339, strings.ToUpper(s)) }

// CheckText refuses what no text may hold: bytes that are not UTF-8 and control
// characters, of which tabs and line breaks are let through where breaks is set.
func CheckText(s string, breaks bool) error {
	if !utf8.ValidString(s) {
		return errors.New("must be UTF-8")
	}
	for _, r := range s {
		if !unicode.IsControl(r) || breaks && (r == '\t' || r == '\n' || r == '\r') {
			continue
		}
		return fmt.Errorf("must not contain the control character U+%04X", r)
	}
	return nil
}

// Fold returns s without accents and in lower case, so that words match however
// they were typed.
func Fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range norm.NFKD.String(strings.ToValidUTF8(s, "\ufffd")) {
		if isAccent(r) {
			continue
		}
		r = unicode.ToLower(r)
		if plain, ok := spelt[r]; ok {
			b.WriteString(plain)
			continue
		}
		b.WriteRune(r)
	}
	return norm.NFC.String(b.String())
}

// isAccent reports whether r is a mark that people leave out when they search: the
// accents that all scripts share and Hebrew points. The vowel signs of Indic
// scripts are marks too, but part of the spelling, as are the Japanese sound marks.
func isAccent(r rune) bool {
	return unicode.Is(unicode.Mn, r) && unicode.In(r, unicode.Inherited, unicode.Hebrew) && r != '\u3099' && r != '\u309a'
}

// spelt holds the letters whose accent Unicode does not part from them, as people
// without that letter on their keyboard spell them.
var spelt = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ð': "d", 'þ': "th", 'ł': "l", 'ħ': "h", 'ı': "i",
	'ς': "σ", // one letter with the form it has at the end of a word
}
