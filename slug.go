package stepsies

import (
	"errors"
	"strconv"
	"strings"
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

// SlugFromTitle makes a slug of a title: its letters without accents, everything
// else turned into hyphens. A title without a Latin letter or digit gives
// "stepsy".
func SlugFromTitle(title string) string {
	var b strings.Builder
	for _, c := range []byte(Fold(title)) {
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
