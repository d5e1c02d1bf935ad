package richtext

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// rawBlock writes a block as HTML for Markdown: lists and tables with a line for
// each part, and nowhere an empty line, which would end the HTML.
func rawBlock(n *html.Node) string {
	var b strings.Builder
	writeRaw(&b, n)
	return b.String()
}

func writeRaw(b *strings.Builder, n *html.Node) {
	switch {
	case n.Type == html.TextNode:
		s := escapeText.Replace(n.Data)
		b.WriteString(strings.ReplaceAll(s, "\n", "&#10;"))
		return
	case n.DataAtom == atom.A:
		writeTag(b, &html.Node{Data: n.Data, Attr: withoutRel(n.Attr)})
	default:
		writeTag(b, n)
	}
	k := kindOf(n)
	if k == point || k == rule {
		return
	}
	if first := n.FirstChild; n.DataAtom == atom.Pre && first != nil && strings.HasPrefix(first.Data, "\n") {
		b.WriteString("&#10;")
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if k == structure {
			b.WriteByte('\n')
		}
		if only := c == n.FirstChild && c == n.LastChild; only && c.DataAtom == atom.P && c.FirstChild != nil && k == flow && n.DataAtom != atom.Blockquote {
			for inner := c.FirstChild; inner != nil; inner = inner.NextSibling {
				writeRaw(b, inner)
			}
			continue
		}
		writeRaw(b, c)
	}
	if k == structure {
		b.WriteByte('\n')
	}
	b.WriteString("</" + n.Data + ">")
}

// withoutRel returns the attributes of a link as an author writes them.
func withoutRel(attrs []html.Attribute) []html.Attribute {
	var kept []html.Attribute
	for _, a := range attrs {
		if a.Key != linkRel.Key {
			kept = append(kept, a)
		}
	}
	return kept
}
