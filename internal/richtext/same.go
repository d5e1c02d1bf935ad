package richtext

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Settled returns sanitised HTML in the form in which two that read the same are
// the same, byte for byte. ToSection gives two the same Markdown if and only if
// their settled forms are the same; this is the quick way to compare them.
func Settled(html string) string { return render(settled(html)) }

// settle takes a tree to the form in which trees that read the same are the
// same: inline content among blocks stands in a paragraph, white space is what a
// reader sees of it, and code does not end with line breaks. Markdown does not
// know these differences, and Markdown is made of the settled tree alone.
func settle(n *html.Node) {
	switch kindOf(n) {
	case flow:
		settleFlow(n)
	case structure:
		dropBlank(n)
	case phrase:
		if n.DataAtom == atom.Pre {
			settleCode(n)
		} else {
			collapse(n)
		}
		return
	default:
		return
	}
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		if settle(c); idle(c) {
			n.RemoveChild(c)
		}
		c = next
	}
	if only := n.FirstChild; only != nil && only == n.LastChild && only.DataAtom == atom.P && only.FirstChild == nil &&
		kindOf(n) == flow && n.DataAtom != 0 && n.DataAtom != atom.Blockquote {
		n.RemoveChild(only) // an item or cell without content is empty either way
	}
}

// settleFlow puts inline content into paragraphs.
func settleFlow(n *html.Node) {
	var p *html.Node
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		switch {
		case !inline(c):
			p = nil
		case p == nil && c.Type == html.TextNode && blank(c.Data):
			n.RemoveChild(c)
		default:
			if p == nil {
				p = &html.Node{Type: html.ElementNode, DataAtom: atom.P, Data: "p"}
				n.InsertBefore(p, c)
			}
			n.RemoveChild(c)
			p.AppendChild(c)
		}
		c = next
	}
}

func dropBlank(n *html.Node) {
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		if c.Type == html.TextNode {
			n.RemoveChild(c)
		}
		c = next
	}
}

// settleCode drops the line breaks at the end of a block of plain code.
func settleCode(pre *html.Node) {
	code := plainCode(pre)
	if code == nil || code.FirstChild == nil {
		return
	}
	words := code.FirstChild
	if words.Data = strings.TrimRight(words.Data, "\n"); words.Data == "" {
		code.RemoveChild(words)
	}
}

// plainCode returns the code element of a pre that holds nothing else, without
// markup in it, or nil.
func plainCode(pre *html.Node) *html.Node {
	code := pre.FirstChild
	if code == nil || code != pre.LastChild || code.DataAtom != atom.Code {
		return nil
	}
	if words := code.FirstChild; words != nil && (words.Type != html.TextNode || words != code.LastChild) {
		return nil
	}
	return code
}

// collapse makes white space what a reader sees: one space between words, none
// at the ends of lines. Elements of which nothing is left go.
func collapse(block *html.Node) {
	c := collapser{afterSpace: true}
	c.children(block)
	c.endLine()
	prune(block)
	tidy(block)
}

type collapser struct {
	afterSpace bool
	last       *html.Node // the text whose space would be at the end of the line
}

func (c *collapser) children(n *html.Node) {
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		switch {
		case child.Type == html.TextNode:
			c.text(child)
		case child.DataAtom == atom.Br:
			c.endLine()
			c.afterSpace = true
		case child.DataAtom == atom.Img:
			c.last, c.afterSpace = nil, false
		default:
			c.children(child)
		}
	}
}

func (c *collapser) text(n *html.Node) {
	var b strings.Builder
	for _, r := range n.Data {
		if r == ' ' || r == '\t' || r == '\n' {
			if !c.afterSpace {
				b.WriteByte(' ')
			}
			c.afterSpace = true
			continue
		}
		b.WriteRune(r)
		c.afterSpace = false
	}
	if n.Data = b.String(); n.Data != "" {
		c.last = n
	}
}

func (c *collapser) endLine() {
	if c.last != nil {
		c.last.Data = strings.TrimSuffix(c.last.Data, " ")
	}
	c.last = nil
}

// prune removes empty texts, and formatting of nothing.
func prune(n *html.Node) {
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		prune(c)
		if c.Type == html.TextNode && c.Data == "" || kindOf(c) == formatted && c.FirstChild == nil {
			n.RemoveChild(c)
		}
		c = next
	}
}

// settled returns sanitised HTML as a settled tree.
func settled(sanitised string) *html.Node {
	root := parse(sanitised)
	settle(root)
	return root
}

// reads reports whether Markdown reads as the settled HTML.
func reads(md, settledHTML string) bool {
	c, err := FromMarkdown(md)
	return err == nil && render(settled(c.HTML())) == settledHTML
}
