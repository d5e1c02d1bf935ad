package stepsies

import (
	"html"
	"math"
	"strings"
	"unicode/utf8"
)

// Content is the sanitised HTML of a step. Only package richtext makes one from
// outside input, so that nothing unsanitised can be stored. The zero value is
// empty content.
type Content struct{ html string }

// SanitisedContent returns content from HTML that has been sanitised already. It
// is called by package richtext, and by package store for what it reads back.
func SanitisedContent(html string) Content { return Content{html: html} }

// HTML returns the sanitised HTML, which is stored and served as it is.
func (c Content) HTML() string { return c.html }

// Length counts the characters of the HTML. A character reference counts as the
// one character that it stands for, so that escaping does not eat into the limit.
func (c Content) Length() int { return utf8.RuneCountInString(html.UnescapeString(c.html)) }

// inline are the elements that may stand inside a word.
var inline = map[string]bool{
	"a": true, "b": true, "strong": true, "em": true, "i": true, "u": true, "s": true, "del": true,
	"sub": true, "sup": true, "mark": true, "code": true,
}

// Text returns the words of the content without markup, for search and for
// summaries. Elements other than inline ones part words by a line break.
func (c Content) Text() string { return c.Beginning(math.MaxInt) }

// Beginning returns the beginning of Text: of the HTML between tags at least so many
// bytes, up to the next tag, or all of it. Summaries of long content need no more.
func (c Content) Beginning(bytes int) string {
	var b strings.Builder
	rest := c.html
	for {
		text, tag, found := strings.Cut(rest, "<")
		b.WriteString(text)
		if !found || b.Len() >= bytes {
			return html.UnescapeString(b.String())
		}
		end := tagEnd(tag)
		name, _, _ := strings.Cut(strings.TrimPrefix(tag[:end], "/"), " ")
		if !inline[name] {
			b.WriteByte('\n')
		}
		rest = strings.TrimPrefix(tag[end:], ">")
	}
}

// tagEnd returns where the tag ends that s begins in: at the first ">" outside
// quotes.
func tagEnd(s string) int {
	quoted := false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == '>' && !quoted:
			return i
		}
	}
	return len(s)
}
