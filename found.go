package stepsies

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// HasWords reports whether each of the words, which are as [SearchWords] cuts them,
// begins some word of the text.
func HasWords(text string, words []string) bool {
	left := slices.Clone(words)
	for at := range wordsIn(text) {
		for _, word := range folded(text[at.Start:at.End]) {
			if left = slices.DeleteFunc(left, func(w string) bool { return strings.HasPrefix(word, w) }); len(left) == 0 {
				return true
			}
		}
	}
	return len(left) == 0
}

// Span is a part of a text: from byte Start to before byte End.
type Span struct{ Start, End int }

// FindWords returns where words stand in a text that begin with one of the given
// words, which are as [SearchWords] cuts them, and how many of those are found.
// It stops after most places.
func FindWords(text string, words []string, most int) (places []Span, found int) {
	left := slices.Clone(words)
	for at := range wordsIn(text) {
		hit := false
		for _, word := range folded(text[at.Start:at.End]) {
			begins := func(w string) bool { return strings.HasPrefix(word, w) }
			if hit = hit || slices.ContainsFunc(words, begins); hit {
				left = slices.DeleteFunc(left, begins)
			}
		}
		if hit {
			if places = append(places, at); len(places) == most {
				break
			}
		}
	}
	return places, len(words) - len(left)
}

// wordsIn goes through the words of a text, as they stand in it. What folding makes
// several words of is one here.
func wordsIn(text string) func(yield func(Span) bool) {
	return func(yield func(Span) bool) {
		start := -1
		for i, r := range text {
			switch {
			case inWord(r) && start < 0:
				start = i
			case !inWord(r) && start >= 0:
				if !yield(Span{start, i}) {
					return
				}
				start = -1
			}
		}
		if start >= 0 {
			yield(Span{start, len(text)})
		}
	}
}

// inWord reports whether a character is part of a word once it is folded, as the
// sign for degrees Celsius is.
func inWord(r rune) bool {
	if !notInWord(r) {
		return true
	}
	if r < utf8.RuneSelf {
		return false
	}
	return strings.ContainsFunc(norm.NFKD.String(string(r)), func(r rune) bool { return !notInWord(r) })
}

// folded are the words of what stands in a text as one.
func folded(word string) []string {
	if strings.ContainsFunc(word, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return Words(word)
	}
	return []string{cut(strings.ToLower(word), MaxWordLength)}
}
