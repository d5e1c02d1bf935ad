package stepsies

import (
	"errors"
	"fmt"
	"strings"
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
	for _, r := range norm.NFKD.String(s) {
		if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return norm.NFC.String(b.String())
}
