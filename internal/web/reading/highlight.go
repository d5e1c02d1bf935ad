package reading

import (
	"strings"
	"unicode/utf8"

	"github.com/a-h/templ"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/web/page"
)

// Bounds of what is shown of a text that holds what was searched for, in characters.
const (
	snippetLength = 220
	snippetBefore = 60 // at most so much stands before the first word
	maxMarks      = 40 // words that are marked in one text
)

// foundStepsy is a stepsy that was found, with the words marked. The three texts are
// HTML.
type foundStepsy struct {
	stepsies.Stepsy
	Title   string
	Number  int    // of the step that the snippet is of, 0 for the description
	Step    string // its title
	Snippet string
}

// newFound shows of a stepsy its title, and of its description and its steps the
// part that holds most of the words.
func newFound(s stepsies.Stepsy, words []string) foundStepsy {
	f := foundStepsy{Stepsy: s, Title: marked(s.Title, words), Snippet: snippet(s.Description, words)}
	most := stepsies.CountWords(s.Description, words)
	if most == len(words) || stepsies.HasWords(s.Title, words) {
		return f
	}
	for i, step := range s.Steps {
		text := step.Content.Text()
		if n := stepsies.CountWords(step.Title+"\n"+text, words); n > most {
			most = n
			f.Number, f.Step = i+1, marked(step.Title, words)
			f.Snippet = snippet(text, words)
		}
		if most == len(words) {
			break
		}
	}
	return f
}

// marked returns a text as HTML in which words are marked that begin with one of
// those searched for.
func marked(text string, words []string) string {
	var b strings.Builder
	places := stepsies.FindWords(text, words, maxMarks)
	last := 0
	for _, at := range places {
		b.WriteString(templ.EscapeString(text[last:at.Start]))
		b.WriteString("<mark>" + templ.EscapeString(text[at.Start:at.End]) + "</mark>")
		last = at.End
	}
	b.WriteString(templ.EscapeString(text[last:]))
	return b.String()
}

// snippet cuts a text around the first place where one of the words stands, and
// marks them.
func snippet(text string, words []string) string {
	text, before := around(text, words)
	start := 0
	if places := stepsies.FindWords(text, words, 1); len(places) > 0 {
		if from := backBy(text, places[0].Start, snippetBefore); from > 0 && (before || utf8.RuneCountInString(text) > snippetLength) {
			// It begins behind a space, unless the word is all that follows one.
			if gap := strings.IndexByte(text[from:places[0].Start], ' '); gap >= 0 {
				from += gap + 1
			}
			start, before = from, true
		}
	}
	cut := marked(page.Excerpt(text[start:], snippetLength), words)
	if before {
		cut = "…" + cut
	}
	return cut
}

// around returns as much of a text around the first of the words as a snippet can be
// made of, in one line, and whether something stands before it.
func around(text string, words []string) (string, bool) {
	const most = 5 * snippetLength // bytes, of at most four each character
	from, first := 0, 0
	if places := stepsies.FindWords(text, words, 1); len(places) > 0 {
		first = places[0].Start
	}
	if first > most {
		from = first - most
		if gap := strings.IndexAny(text[from:first], " \n"); gap >= 0 {
			from += gap // not within a word
		}
	}
	part := text[from:min(len(text), first+most)]
	return strings.Join(strings.Fields(strings.ToValidUTF8(part, "")), " "), from > 0
}

// backBy returns the place n characters before a place in a text.
func backBy(text string, at, n int) int {
	for ; n > 0 && at > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(text[:at])
		at -= size
	}
	return at
}
