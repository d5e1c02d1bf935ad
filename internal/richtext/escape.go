package richtext

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
)

func (s *spanWriter) text(n *html.Node) {
	written := s.b.String()
	md := s.escape(n.Data, written == "" || strings.HasSuffix(written, "\n"))
	if n.NextSibling != nil && strings.HasSuffix(md, "!") && !s.escapeAll {
		md = strings.TrimSuffix(md, "!") + `\!` // before a link it would make an image of it
	}
	s.b.WriteString(md)
}

// escape returns words as Markdown in which no character means anything else.
func (s *spanWriter) escape(words string, lineStart bool) string {
	var b strings.Builder
	for i, r := range words {
		switch {
		case r == '\u00A0':
			b.WriteString("&nbsp;")
			continue
		case s.escapeAll && r < utf8.RuneSelf && (unicode.IsPunct(r) || unicode.IsSymbol(r)), s.means(words, i, r):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	if lineStart && !s.escapeAll {
		return escapeLineStart(b.String())
	}
	return b.String()
}

var (
	reference = regexp.MustCompile(`&(#[0-9a-fA-FxX]+|[0-9A-Za-z]+);`)
	likeTag   = regexp.MustCompile(`^<[A-Za-z/!?]`)
	likeRef   = regexp.MustCompile(`^&(#|[0-9A-Za-z]+;)`)
)

// means reports whether the character r at place i would mean something.
func (s *spanWriter) means(words string, i int, r rune) bool {
	switch r {
	case '\\', '`', '*', '[', ']':
		return true
	case '|':
		return s.cell
	case '<':
		return likeTag.MatchString(words[i:])
	case '&':
		return likeRef.MatchString(words[i:])
	case '_':
		prev, _ := utf8.DecodeLastRuneInString(words[:i])
		next, _ := utf8.DecodeRuneInString(words[i+1:])
		return !isWord(prev) || !isWord(next)
	case '~':
		next, _ := utf8.DecodeRuneInString(words[i+1:])
		return i > 0 && words[i-1] != ' ' || !isWord(next)
	}
	return false
}

func isWord(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

var (
	blockMark  = regexp.MustCompile(`^(#{1,6}( |$)|[-+]( |$)|>|=+ *$|-[- ]*$|~~~)`)
	numberMark = regexp.MustCompile(`^([0-9]{1,9})([.)]( |$))`)
)

// escapeLineStart escapes what makes a line begin something other than a
// paragraph.
func escapeLineStart(md string) string {
	if blockMark.MatchString(md) {
		return `\` + md
	}
	return numberMark.ReplaceAllString(md, `$1\$2`)
}

// escapeClosing escapes the last # of a heading, which would be taken for its
// end.
func escapeClosing(md string) string {
	if strings.HasSuffix(md, "#") && !strings.HasSuffix(md, `\#`) {
		return strings.TrimSuffix(md, "#") + `\#`
	}
	return md
}

// escapeReferences escapes what would be a character reference.
func escapeReferences(md string) string {
	return reference.ReplaceAllStringFunc(md, func(ref string) string { return `&amp;` + ref[1:] })
}
