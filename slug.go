package stepsies

import (
	"errors"
	"strconv"
	"strings"
	"unicode"

	"github.com/mozillazg/go-unidecode"
)

// MaxSlugLength is the number of characters that a slug may have.
const MaxSlugLength = 100

// ParseSlug returns s as a slug: 1 to 100 of a-z, 0-9 and hyphen.
func ParseSlug(s string) (string, error) {
	notInSlug := func(r rune) bool { return r > 127 || !isSlugByte(byte(r)) && r != '-' }
	if s == "" || len(s) > MaxSlugLength || strings.ContainsFunc(s, notInSlug) {
		return "", errors.New("must be 1 to 100 characters of a-z, 0-9 and hyphen")
	}
	return s, nil
}

// SlugFromTitle makes a slug of a title: its letters without accents, those of other
// alphabets as the Latin ones spell them, everything else turned into hyphens. A title
// without anything that can be spelt so gives "stepsy".
func SlugFromTitle(title string) string {
	var b strings.Builder
	for _, c := range []byte(Fold(latin(title))) {
		if isSlugByte(c) {
			b.WriteByte(c)
		} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
	}
	slug := b.String()
	slug = strings.TrimRight(slug[:min(len(slug), MaxSlugLength)], "-")
	if slug == "" {
		return "stepsy"
	}
	return slug
}

// latin spells what is not in Latin letters in them. A Chinese character is a word of its
// own, read as in Mandarin; where a title has Japanese syllables it is left out together
// with them, since that reading would be wrong and what stands around it would be torn.
func latin(title string) string {
	var japanese, han bool
	for _, r := range title {
		japanese = japanese || unicode.In(r, kana...)
		han = han || unicode.Is(unicode.Han, r)
	}
	var b strings.Builder
	for _, r := range title {
		switch {
		case !spelled(r):
			b.WriteRune(r)
		case japanese && han && (r == longSound || unicode.Is(unicode.Han, r) || unicode.In(r, kana...)):
			b.WriteByte(' ')
		case r == longSound:
		case unicode.Is(unicode.Han, r):
			b.WriteString(" " + unidecode.Unidecode(string(r)) + " ")
		default:
			// Signs that stand for no sound of their own, as the soft one of Russian, are
			// apostrophes in its tables: they would tear words.
			b.WriteString(strings.Map(onlyAlphanumeric, unidecode.Unidecode(string(r))))
		}
	}
	return b.String()
}

var kana = []*unicode.RangeTable{unicode.Hiragana, unicode.Katakana}

const longSound = 'ー' // which Unicode counts to no script

// spelled reports whether r is of an alphabet, a syllabary or a script of words that has
// Latin spellings; Latin letters keep theirs, which Fold knows.
func spelled(r rune) bool {
	if r <= unicode.MaxLatin1 {
		return false
	}
	return r == longSound || unicode.IsDigit(r) || unicode.In(r, unicode.L, unicode.M) && !unicode.In(r, unicode.Latin, unicode.Common, unicode.Inherited)
}

func onlyAlphanumeric(r rune) rune {
	if r > unicode.MaxASCII || !isSlugByte(byte(unicode.ToLower(r))) {
		return -1
	}
	return r
}

// NumberedSlug returns the n-th choice for a slug that is taken: "-2", "-3" …
// behind it, shortened where it would grow too long.
func NumberedSlug(slug string, n int) string {
	if n <= 1 {
		return slug
	}
	tail := "-" + strconv.Itoa(n)
	return slug[:min(len(slug), MaxSlugLength-len(tail))] + tail
}

func isSlugByte(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }
