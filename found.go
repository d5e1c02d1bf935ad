package stepsies

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// HasWords reports whether each of the words, which are as [SearchWords] cuts them,
// begins some word of the text.
func HasWords(text string, words []string) bool { return CountWords(text, words) == len(words) }

// CountWords returns how many of the words, which are as [SearchWords] cuts them,
// begin some word of the text.
func CountWords(text string, words []string) int {
	left := slices.Clone(words)
	for at := range wordsIn(text) {
		for i := len(left) - 1; i >= 0; i-- {
			if begins(text[at.Start:at.End], left[i:i+1]) {
				left = slices.Delete(left, i, i+1)
			}
		}
		if len(left) == 0 {
			break
		}
	}
	return len(words) - len(left)
}

// Span is a part of a text: from byte Start to before byte End.
type Span struct{ Start, End int }

// FindWords returns the first places, most at most, where words stand in a text that
// begin with one of the given words, which are as [SearchWords] cuts them.
func FindWords(text string, words []string, most int) []Span {
	var places []Span
	for at := range wordsIn(text) {
		if !begins(text[at.Start:at.End], words) {
			continue
		}
		within := placesIn(text[at.Start:at.End], words)
		if len(within) == 0 {
			within = []Span{{0, at.End - at.Start}}
		}
		for _, part := range within {
			if places = append(places, Span{at.Start + part.Start, at.Start + part.End}); len(places) == most {
				return places
			}
		}
	}
	return places
}

// placesIn returns where in a run something begins with one of words: a whole word, or
// the characters themselves where no spaces part the words. There is none where folding
// makes something else of the characters.
func placesIn(run string, words []string) []Span {
	var places []Span
	for part := range alike(run) {
		first, _ := utf8.DecodeRuneInString(run[part.Start:])
		if !Unspaced(first) {
			if begins(run[part.Start:part.End], words) {
				places = append(places, part)
			}
			continue
		}
		for pair := range pairs(run[part.Start:part.End]) {
			at := Span{part.Start + pair.Start, part.Start + pair.End}
			character := at
			for next := range pairs(run[at.Start:at.End]) {
				if next.Start > 0 {
					character.End = at.Start + next.Start
				}
			}
			switch {
			case slices.Contains(words, Fold(run[at.Start:at.End])):
			case slices.Contains(words, Fold(run[character.Start:character.End])):
				at = character
			default:
				continue
			}
			if last := len(places) - 1; last >= 0 && places[last].End >= at.Start {
				places[last].End = max(places[last].End, at.End)
			} else {
				places = append(places, at)
			}
		}
	}
	return places
}

// begins reports whether what stands in a text as one word begins with one of words,
// once it is folded.
func begins(text string, words []string) bool {
	if !strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return slices.ContainsFunc(words, func(w string) bool { return len(w) <= len(text) && strings.EqualFold(text[:len(w)], w) })
	}
	return slices.ContainsFunc(Words(text), func(word string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(word, w) })
	})
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
