package stepsies

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of the words of a stepsy and of a search.
const (
	MaxWordLength  = 64         // characters; longer words are cut
	MaxSearchText  = 256 * 1024 // bytes of unique words per stepsy; later ones are left out
	MaxSearchWords = 16         // words of one search; later ones are left out
)

// Words cuts texts into the unique words that search knows: runs of letters,
// digits and marks, folded to lower case without accents. Both engines index
// exactly these, since their own ideas of a word disagree.
func Words(texts ...string) []string {
	var words []string
	seen, size := map[string]bool{}, 0
	for _, text := range texts {
		for word := range strings.FieldsFuncSeq(Fold(text), notInWord) {
			word = cut(word, MaxWordLength)
			if seen[word] {
				continue
			}
			if size += len(word) + 1; size > MaxSearchText {
				return words
			}
			seen[word] = true
			words = append(words, word)
		}
	}
	return words
}

// SearchWords cuts a search into the words that must all begin some word of a
// stepsy for it to be found.
func SearchWords(q string) []string {
	words := Words(q)
	return words[:min(len(words), MaxSearchWords)]
}

func notInWord(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
}

// cut shortens s to n characters.
func cut(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
