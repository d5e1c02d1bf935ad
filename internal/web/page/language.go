package page

import (
	"fmt"
	"unicode"

	"github.com/a-h/templ"
	"golang.org/x/text/unicode/bidi"

	"github.com/stepsies/stepsies"
)

// Writing is how a stepsy is written, as far as a browser has to know it: pages are in
// English, and what people write on them need not be.
type Writing struct{ dir, lang string }

// languages are what a script says about the language of a text. Of one in another
// script than these, or than the Latin one, it is known that it is not English.
var languages = []struct {
	script *unicode.RangeTable
	tag    string
}{
	{unicode.Latin, ""}, {unicode.Han, "zh"}, {unicode.Hiragana, "ja"}, {unicode.Katakana, "ja"}, {unicode.Hangul, "ko"},
	{unicode.Hebrew, "he"}, {unicode.Greek, "el"}, {unicode.Thai, "th"},
}

// unknownLanguage is the tag for it (BCP 47, §4.1).
const unknownLanguage = "und"

// WritingOf looks at the title and the description of a stepsy, and goes by most of
// their letters. Each has a bounded length.
func WritingOf(s stepsies.Stepsy) Writing {
	var leftward, rightward int
	letters := map[string]int{}
	for _, text := range []string{s.Title, s.Description} {
		for _, r := range text {
			if r <= unicode.MaxASCII {
				if r|0x20 >= 'a' && r|0x20 <= 'z' {
					rightward++
					letters[""]++
				}
				continue
			}
			if !unicode.IsLetter(r) {
				continue
			}
			switch p, _ := bidi.LookupRune(r); p.Class() {
			case bidi.R, bidi.AL:
				leftward++
			default:
				rightward++
			}
			letters[tagOf(r)]++
		}
	}
	var w Writing
	if leftward > rightward {
		w.dir = "rtl"
	}
	if letters["ja"] > 0 { // which is written in Chinese characters too
		letters["ja"] += letters["zh"]
		delete(letters, "zh")
	}
	for tag, n := range letters {
		if n > letters[w.lang] || n == letters[w.lang] && tag < w.lang {
			w.lang = tag
		}
	}
	return w
}

func tagOf(letter rune) string {
	for _, l := range languages {
		if unicode.Is(l.script, letter) {
			return l.tag
		}
	}
	return unknownLanguage
}

// Direction is for the frame of what is written, such as an entry in a list.
func (w Writing) Direction() templ.Attributes {
	if w.dir == "" {
		return nil
	}
	return templ.Attributes{"dir": w.dir}
}

// Language is for the text itself.
func (w Writing) Language() templ.Attributes {
	if w.lang == "" {
		return nil
	}
	return templ.Attributes{"lang": w.lang}
}

// Speeds of reading instructions, roughly. Where no spaces part the words, characters
// are counted.
const (
	wordsPerMinute      = 200
	ideographsPerMinute = 400
	lettersPerMinute    = 900 // of scripts that are written without spaces
)

// unspaced are scripts without spaces between words.
var unspaced = []*unicode.RangeTable{unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar}

// MinutesToRead is how long a stepsy takes to read, at least 1.
func MinutesToRead(s stepsies.Stepsy) int {
	minutes := timeFor(s.Description)
	for _, step := range s.Steps {
		minutes += timeFor(step.Title) + timeFor(step.Content.Text())
	}
	return max(1, int(minutes+.5))
}

func timeFor(text string) float64 {
	var words, ideographs, letters int
	within := false
	for _, r := range text {
		switch {
		case unicode.IsSpace(r):
			within = false
		case r > unicode.MaxLatin1 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
			ideographs++
			within = false
		case r > unicode.MaxLatin1 && unicode.In(r, unspaced...):
			letters++
			within = false
		case !within && (unicode.IsLetter(r) || unicode.IsNumber(r)):
			words++
			within = true
		}
	}
	return float64(words)/wordsPerMinute + float64(ideographs)/ideographsPerMinute + float64(letters)/lettersPerMinute
}

// ReadingTime says it.
func ReadingTime(s stepsies.Stepsy) string { return fmt.Sprintf("%d min", MinutesToRead(s)) }
