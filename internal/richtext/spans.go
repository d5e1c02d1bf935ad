package richtext

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// spans writes the inline content of a block after its lead: nothing for a
// paragraph, "## " for a heading, "|" for a cell of a table. It tries the
// plainest way first and reads each one back, up to one in which every character
// that could mean anything is escaped.
func (w *writer) spans(block *html.Node, lead string) string {
	if only := block.FirstChild; only == block.LastChild && only.Type == html.TextNode && plainWords.MatchString(only.Data) {
		if !strings.HasPrefix(lead, "#") {
			lead = ""
		}
		return lead + only.Data
	}
	p := &html.Node{Type: html.ElementNode, DataAtom: atom.P, Data: "p"}
	var want strings.Builder
	writeTag(&want, p)
	for c := block.FirstChild; c != nil; c = c.NextSibling {
		write(&want, c)
	}
	want.WriteString("</p>")
	md := ""
	for _, s := range []spanWriter{{}, {raw: true}, {raw: true, escapeAll: true}} {
		s.oneLine = lead != "" || s.raw
		s.cell = lead == "|"
		s.children(block)
		md = s.b.String()
		if s.heading = strings.HasPrefix(lead, "#"); s.heading {
			md = lead + escapeClosing(md)
		}
		if w.plain || s.reads(md, want.String()) {
			return md
		}
	}
	return md
}

// plainWords are words of which no character means anything in Markdown.
var plainWords = regexp.MustCompile(`^\pL[\pL\pN ,.;:'"?/%-]*$`)

// spanWriter writes inline content.
type spanWriter struct {
	b         strings.Builder
	raw       bool // formatting as HTML
	escapeAll bool
	oneLine   bool // line breaks as <br>
	cell      bool
	heading   bool
}

// reads reports whether md stands for the paragraph.
func (s *spanWriter) reads(md, paragraph string) bool {
	switch {
	case s.cell:
		const before, after = "<table><thead><tr><th>", "</th></tr></thead></table>"
		words := strings.TrimSuffix(strings.TrimPrefix(paragraph, "<p>"), "</p>")
		return reads("| "+md+" |\n| --- |\n", render(settled(before+words+after)))
	case s.heading:
		level := strings.IndexByte(md, ' ')
		tag := "h" + string(rune('0'+level)) + ">"
		words := strings.TrimSuffix(strings.TrimPrefix(paragraph, "<p>"), "</p>")
		return reads(md, "<"+tag+words+"</"+tag)
	}
	return reads(md, paragraph)
}

func (s *spanWriter) children(n *html.Node) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		s.node(c)
	}
}

func (s *spanWriter) node(n *html.Node) {
	switch n.DataAtom {
	case 0:
		s.text(n)
		return
	case atom.Br:
		if s.oneLine || n.NextSibling == nil || n.Parent.DataAtom != atom.P {
			s.b.WriteString("<br>")
		} else {
			s.b.WriteString("\\\n")
		}
		return
	}
	if s.raw || !s.marked(n) {
		s.rawNode(n)
	}
}

func (s *spanWriter) rawNode(n *html.Node) {
	var tag strings.Builder
	writeTag(&tag, &html.Node{Data: n.Data, Attr: withoutRel(n.Attr)})
	if s.cell {
		s.b.WriteString(strings.ReplaceAll(tag.String(), "|", "&#124;"))
	} else {
		s.b.WriteString(tag.String())
	}
	if n.DataAtom == atom.Img {
		return
	}
	s.children(n)
	s.b.WriteString("</" + n.Data + ">")
}

// marked writes an element with the marks of Markdown, or reports false.
func (s *spanWriter) marked(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Em:
		mark := "*"
		if next := []*html.Node{n.FirstChild, n.LastChild}; next[0].DataAtom == atom.Strong || next[1].DataAtom == atom.Strong || edgeOf(n, atom.Strong) {
			mark = "_"
		}
		return s.emphasis(n, mark)
	case atom.Strong:
		return s.emphasis(n, "**")
	case atom.Del:
		return s.emphasis(n, "~~")
	case atom.Code:
		return s.code(n)
	case atom.A:
		return s.link(n)
	case atom.Img:
		return s.image(n)
	}
	return false
}

// edgeOf reports whether n begins or ends an element of that name.
func edgeOf(n *html.Node, tag atom.Atom) bool {
	return n.Parent.DataAtom == tag && (n.PrevSibling == nil || n.NextSibling == nil)
}

func (s *spanWriter) emphasis(n *html.Node, mark string) bool {
	if prev := n.PrevSibling; prev != nil && (prev.DataAtom == atom.Em || prev.DataAtom == atom.Strong || prev.DataAtom == n.DataAtom) {
		return false // their marks would run into each other
	}
	if !opens(before(n), first(n), mark) || !opens(after(n), last(n), mark) {
		return false
	}
	s.b.WriteString(mark)
	s.children(n)
	s.b.WriteString(mark)
	return true
}

// opens reports whether a run of marks between two characters is one that can
// begin emphasis of the inner one (CommonMark, "left-flanking delimiter run"),
// or, read backwards, end it.
func opens(outer, inner rune, mark string) bool {
	switch {
	case unicode.IsSpace(inner):
		return false
	case mark == "_" && !unicode.IsSpace(outer) && !isPunct(outer):
		return false
	case isPunct(inner):
		return unicode.IsSpace(outer) || isPunct(outer)
	}
	return true
}

func isPunct(r rune) bool { return unicode.IsPunct(r) || unicode.IsSymbol(r) }

// before, after, first and last return the character next to an element, or at
// its edges: a space at the ends of the block, and a mark where other markup
// stands.
func before(n *html.Node) rune {
	if n.PrevSibling != nil {
		return edge(n.PrevSibling, false)
	}
	return outside(n)
}

func after(n *html.Node) rune {
	if n.NextSibling != nil {
		return edge(n.NextSibling, true)
	}
	return outside(n)
}

func outside(n *html.Node) rune {
	if kindOf(n.Parent) != formatted {
		return ' '
	}
	return '*'
}

func first(n *html.Node) rune { return edge(n.FirstChild, true) }
func last(n *html.Node) rune  { return edge(n.LastChild, false) }

func edge(n *html.Node, start bool) rune {
	if n.Type != html.TextNode {
		return '*'
	}
	r, _ := utf8.DecodeLastRuneInString(n.Data)
	if start {
		r, _ = utf8.DecodeRuneInString(n.Data)
	}
	if r == '\u00A0' {
		return '&' // it is written &nbsp;
	}
	return r
}

func (s *spanWriter) code(n *html.Node) bool {
	words := n.FirstChild
	if len(n.Attr) > 0 || words.Type != html.TextNode || words != n.LastChild {
		return false
	}
	code := words.Data
	mark := strings.Repeat("`", longestRun(code, '`')+1)
	if strings.HasPrefix(code, "`") || strings.HasSuffix(code, "`") ||
		strings.HasPrefix(code, " ") && strings.HasSuffix(code, " ") && strings.Trim(code, " ") != "" {
		code = " " + code + " "
	}
	if s.cell {
		code = strings.ReplaceAll(code, "|", `\|`)
	}
	s.b.WriteString(mark + code + mark)
	return true
}

func (s *spanWriter) link(n *html.Node) bool {
	href, title := value(n, "href"), value(n, "title")
	if text := n.FirstChild; text == n.LastChild && text.Type == html.TextNode && title == "" && !strings.ContainsAny(href, "|<> ") {
		if text.Data == href || "mailto:"+text.Data == href && strings.Contains(href, "@") {
			s.b.WriteString("<" + text.Data + ">")
			return true
		}
	}
	s.b.WriteString("[")
	s.children(n)
	s.b.WriteString("](" + s.target(href, title) + ")")
	return true
}

func (s *spanWriter) image(n *html.Node) bool {
	if has(n.Attr, "width") || has(n.Attr, "height") {
		return false
	}
	s.b.WriteString("![" + s.escape(value(n, "alt"), false) + "](" + s.target(value(n, "src"), value(n, "title")) + ")")
	return true
}

// target writes the address and the title of a link or an image.
func (s *spanWriter) target(address, title string) string {
	to := escapeReferences(address)
	if strings.ContainsAny(to, "()") {
		to = "<" + to + ">"
	}
	if title == "" {
		return to
	}
	title = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "|", `\|`).Replace(title)
	return to + ` "` + escapeReferences(title) + `"`
}

func value(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
