package richtext

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/text/unicode/norm"
)

// tidy joins neighbouring texts, takes them to NFC and removes blocks that hold
// nothing and would be nothing but noise: headings and quotes without content,
// lists without items, tables without cells.
func tidy(n *html.Node) {
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		if c.Type == html.ElementNode {
			tidy(c)
			if idle(c) {
				if inline(c.PrevSibling) && inline(next) {
					n.InsertBefore(&html.Node{Type: html.TextNode, Data: "\n"}, c)
				}
				n.RemoveChild(c)
			}
		}
		c = next
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type != html.TextNode {
			continue
		}
		if next := c.NextSibling; next != nil && next.Type == html.TextNode {
			var b strings.Builder
			b.WriteString(c.Data)
			for next != nil && next.Type == html.TextNode {
				b.WriteString(next.Data)
				n.RemoveChild(next)
				next = c.NextSibling
			}
			c.Data = b.String()
		}
		c.Data = norm.NFC.String(c.Data)
	}
}

func idle(n *html.Node) bool {
	if isHeading(n.DataAtom) {
		return !speaks(n)
	}
	if n.DataAtom != atom.Blockquote && kindOf(n) != structure {
		return false
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode || !blank(c.Data) {
			return false
		}
	}
	return true
}

// speaks reports whether there is a word or an image in n.
func speaks(n *html.Node) bool {
	if n.Type == html.TextNode {
		return !blank(n.Data)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if speaks(c) {
			return true
		}
	}
	return n.DataAtom == atom.Img
}

// inline reports whether n is text or an inline element.
func inline(n *html.Node) bool {
	if n == nil {
		return false
	}
	k := elements[n.DataAtom].kind
	return n.Type == html.TextNode || k == formatted || k == point
}

// render writes the children of n as HTML. Text is escaped as browsers do it, so
// that what an editor sends comes back as it was.
func render(n *html.Node) string {
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		write(&b, c)
	}
	return b.String()
}

var (
	escapeText  = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\u00A0", "&nbsp;")
	escapeValue = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\u00A0", "&nbsp;", `"`, "&quot;")
)

func write(b *strings.Builder, n *html.Node) {
	if n.Type == html.TextNode {
		s := n.Data
		// Together with the ">" of a tag this one would be another character, ≯,
		// to whoever normalises HTML as if it were text.
		if strings.HasPrefix(s, "\u0338") && (n.PrevSibling != nil || n.Parent.DataAtom != 0) {
			b.WriteString("&#824;")
			s = strings.TrimPrefix(s, "\u0338")
		}
		_, _ = escapeText.WriteString(b, s)
		return
	}
	writeTag(b, n)
	if k := elements[n.DataAtom].kind; k == point || k == rule {
		return
	}
	if first := n.FirstChild; n.DataAtom == atom.Pre && first != nil && strings.HasPrefix(first.Data, "\n") {
		b.WriteByte('\n') // the one that parsers drop
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		write(b, c)
	}
	b.WriteString("</" + n.Data + ">")
}

func writeTag(b *strings.Builder, n *html.Node) {
	b.WriteString("<" + n.Data)
	for _, a := range n.Attr {
		b.WriteString(" " + a.Key + `="`)
		_, _ = escapeValue.WriteString(b, a.Val)
		b.WriteByte('"')
	}
	b.WriteByte('>')
}
