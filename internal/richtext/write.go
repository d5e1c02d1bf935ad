package richtext

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// ToSection returns Markdown for HTML, which is sanitised first: that of content which
// stands under a heading of the second level. Its own headings of the first and second
// level are written as HTML, so that Sections does not take them for the beginning of
// another section.
//
// What Markdown has no words for (underlining, tables with joined cells, sizes of
// images …) stays HTML within it, and every piece is read back before it is used, so
// that nothing is lost: FromMarkdown makes content of it that reads the same, and
// whose Markdown is the same, byte for byte. What is not kept is what no reader
// sees: white space, and whether a paragraph alone in a list item has tags.
//
// It ends with a line break unless it is empty.
func ToSection(html string) (string, error) { return toMarkdown(html, 3) }

func toMarkdown(raw string, topHeading int) (string, error) {
	root := settled(raw)
	want := render(root)
	for _, w := range []writer{{plain: true}, {}, {checks: true}, {raw: true}} {
		w.topHeading = topHeading
		md := w.blocks(root, false)
		if md != "" {
			md += "\n"
		}
		if reads(md, want) {
			return md, nil
		}
	}
	return "", errors.New("the content cannot be written as Markdown without losing something; keep it as HTML")
}

// maxChecked is how deep blocks are read back on their own. Each level costs
// reading all of it once more.
const maxChecked = 4

// writer writes settled trees as Markdown.
type writer struct {
	topHeading int  // the highest level of headings written with #
	plain      bool // writes inline content the plainest way, unread: most of it reads as it should
	checks     bool // reads back each block, and writes those as HTML that do not read as they should
	raw        bool // writes all blocks as HTML
	depth      int  // how many blocks are around the one being written
}

// blocks writes the children of n. Nested blocks stand in a list, where a line
// of hyphens could be an item.
func (w *writer) blocks(n *html.Node, nested bool) string {
	var parts []string
	alternate := false
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		prev := c.PrevSibling
		isList := c.DataAtom == atom.Ul || c.DataAtom == atom.Ol
		alternate = isList && prev != nil && prev.DataAtom == c.DataAtom && !alternate
		parts = append(parts, w.block(c, nested, alternate))
	}
	return strings.Join(parts, "\n\n")
}

// block writes a block. A list that is an alternate one has other marks than the
// one before it, which it would continue.
func (w *writer) block(n *html.Node, nested, alternate bool) string {
	if w.raw {
		return rawBlock(n)
	}
	w.depth++
	md := w.markdown(n, nested, alternate)
	w.depth--
	if w.checks && w.depth < maxChecked {
		var alone strings.Builder
		write(&alone, n)
		if !reads(md, alone.String()) {
			return rawBlock(n)
		}
	}
	return md
}

func (w *writer) markdown(n *html.Node, nested, alternate bool) string {
	switch n.DataAtom {
	case atom.P:
		if n.FirstChild == nil {
			return rawBlock(n)
		}
		return w.spans(n, "")
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		level := int(n.Data[1] - '0')
		if level < w.topHeading {
			return rawBlock(n)
		}
		return w.spans(n, strings.Repeat("#", level)+" ")
	case atom.Hr:
		if nested {
			return "___"
		}
		return "---"
	case atom.Blockquote:
		return indent(w.blocks(n, nested), ">", "> ")
	case atom.Ul, atom.Ol:
		return w.list(n, alternate)
	case atom.Pre:
		return codeBlock(n)
	case atom.Table:
		if md, ok := w.table(n); ok {
			return md
		}
	}
	return rawBlock(n)
}

func (w *writer) list(list *html.Node, alternate bool) string {
	separator := "\n"
	for item := list.FirstChild; item != nil; item = item.NextSibling {
		if !tight(item) {
			separator = "\n\n"
		}
	}
	first, mark := 1, "-"
	if list.DataAtom == atom.Ol {
		mark = "."
		if start, ok := number(value(list, "start"), maxStart); ok {
			first = start
		}
	}
	if alternate {
		mark = map[string]string{"-": "*", ".": ")"}[mark]
	}
	var items []string
	for item := list.FirstChild; item != nil; item = item.NextSibling {
		lead := mark + " "
		if list.DataAtom == atom.Ol {
			lead = fmt.Sprintf("%d%s ", min(first, maxStart), mark)
			first++
		}
		content := ""
		if separator == "\n" && item.FirstChild != nil {
			content = w.tightItem(item)
		} else {
			content = w.blocks(item, true)
		}
		if content == "" {
			items = append(items, strings.TrimSuffix(lead, " "))
			continue
		}
		space := strings.Repeat(" ", len(lead))
		items = append(items, lead+strings.TrimPrefix(indent(content, "", space), space))
	}
	return strings.Join(items, separator)
}

// tight reports whether an item can be written without empty lines: it is a
// paragraph and lists that may follow it directly.
func tight(item *html.Node) bool {
	for c := item.FirstChild; c != nil; c = c.NextSibling {
		switch c.DataAtom {
		case atom.P:
			if c.PrevSibling != nil || c.FirstChild == nil {
				return false
			}
		case atom.Ol, atom.Ul:
			first := c.FirstChild
			if len(c.Attr) > 0 || first.FirstChild == nil { // it could not interrupt a paragraph
				return false
			}
			if prev := c.PrevSibling; prev != nil && prev.DataAtom != atom.P {
				return false
			}
			for nested := first; nested != nil; nested = nested.NextSibling {
				if !tight(nested) {
					return false
				}
			}
		default:
			return false
		}
	}
	return true
}

func (w *writer) tightItem(item *html.Node) string {
	var parts []string
	for c := item.FirstChild; c != nil; c = c.NextSibling {
		parts = append(parts, w.block(c, true, false))
	}
	return strings.Join(parts, "\n")
}

func codeBlock(pre *html.Node) string {
	code := plainCode(pre)
	if code == nil {
		return rawBlock(pre)
	}
	language, words := "", ""
	if len(code.Attr) > 0 {
		language = strings.TrimPrefix(code.Attr[0].Val, "language-")
	}
	if code.FirstChild != nil {
		words = code.FirstChild.Data + "\n"
	}
	fence := strings.Repeat("`", max(3, longestRun(words, '`')+1))
	return fence + language + "\n" + words + fence
}

// table writes a table of one row of headings and rows of as many cells, each
// of them a line. Others have no Markdown.
func (w *writer) table(n *html.Node) (string, bool) {
	head, body := n.FirstChild, n.LastChild
	if head.DataAtom != atom.Thead || head.FirstChild != head.LastChild || body.PrevSibling != nil && body.PrevSibling != head {
		return "", false
	}
	if body != head && body.DataAtom != atom.Tbody {
		return "", false
	}
	line, columns, ok := w.row(head.FirstChild, atom.Th)
	if !ok {
		return "", false
	}
	lines := []string{line, "|" + strings.Repeat(" --- |", columns)}
	if body != head {
		for tr := body.FirstChild; tr != nil; tr = tr.NextSibling {
			line, n, ok := w.row(tr, atom.Td)
			if !ok || n != columns {
				return "", false
			}
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n"), true
}

func (w *writer) row(tr *html.Node, tag atom.Atom) (line string, cells int, ok bool) {
	line = "|"
	for c := tr.FirstChild; c != nil; c = c.NextSibling {
		if c.DataAtom != tag || len(c.Attr) > 0 || c.FirstChild != c.LastChild {
			return "", 0, false
		}
		cells++
		switch p := c.FirstChild; {
		case p == nil:
			line += "  |"
		case p.DataAtom != atom.P:
			return "", 0, false
		default:
			line += " " + w.spans(p, "|") + " |"
		}
	}
	return line, cells, true
}

// indent puts a prefix before each line, and the empty one before empty lines.
func indent(s, empty, prefix string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if l == "" {
			lines[i] = empty
		} else {
			lines[i] = prefix + l
		}
	}
	return strings.Join(lines, "\n")
}

func longestRun(s string, c byte) int {
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] != c {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}
