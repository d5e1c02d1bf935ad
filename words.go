package stepsies

import (
	"iter"
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
//
// Where a script puts no spaces between words, each character is the beginning of a
// word of two, so that whatever stands within a run is found.
func Words(texts ...string) []string { return unique(wordsOf, texts...) }

func unique(words func(text string) iter.Seq[string], texts ...string) []string {
	var found []string
	seen, size := map[string]bool{}, 0
	for _, text := range texts {
		for word := range words(text) {
			if seen[word] {
				continue
			}
			if size += len(word) + 1; size > MaxSearchText {
				return found
			}
			seen[word] = true
			found = append(found, word)
		}
	}
	return found
}

// wordsOf goes through the words of a text as they are indexed.
func wordsOf(text string) iter.Seq[string] { return cutWords(text, false) }

// askedOf goes through the words of a search. The last character of a run asks for
// nothing more, unless it is the only one.
func askedOf(text string) iter.Seq[string] { return cutWords(text, true) }

func cutWords(text string, asked bool) iter.Seq[string] {
	return func(yield func(string) bool) {
		for run := range strings.FieldsFuncSeq(Fold(text), notInWord) {
			for part := range alike(run) {
				part := run[part.Start:part.End]
				if first, _ := utf8.DecodeRuneInString(part); !Unspaced(first) {
					if !yield(cut(part, MaxWordLength)) {
						return
					}
					continue
				}
				end := 0
				for pair := range pairs(part) {
					if asked && pair.End == end {
						break // the last character, which stands in the pair before it
					}
					end = pair.End
					if !yield(cut(part[pair.Start:pair.End], MaxWordLength)) {
						return
					}
				}
			}
		}
	}
}

// Unspaced reports whether a character is of a script that puts no spaces between words.
func Unspaced(r rune) bool {
	return r >= 0x0E00 && (r == longSound || unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar))
}

// alike goes through the parts of a run that are written with spaces between words and
// those that are not, in turn. A mark belongs to the character before it.
func alike(run string) iter.Seq[Span] {
	return func(yield func(Span) bool) {
		start, unspaced := 0, false
		for i, r := range run {
			switch {
			case i == 0:
				unspaced = Unspaced(r)
			case Unspaced(r) != unspaced && !unicode.IsMark(r):
				if !yield(Span{start, i}) {
					return
				}
				start, unspaced = i, !unspaced
			}
		}
		if start < len(run) {
			yield(Span{start, len(run)})
		}
	}
}

// pairs goes through each character of a part together with the next one, where there
// is one.
func pairs(part string) iter.Seq[Span] {
	return func(yield func(Span) bool) {
		var starts []int
		for i, r := range part {
			if i == 0 || !unicode.IsMark(r) {
				starts = append(starts, i)
			}
		}
		starts = append(starts, len(part), len(part))
		for i, start := range starts[:len(starts)-2] {
			if !yield(Span{start, starts[i+2]}) {
				return
			}
		}
	}
}

// SearchWords cuts a search into the words that must all begin some word of a
// stepsy for it to be found.
func SearchWords(q string) []string {
	words := unique(askedOf, q)
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
