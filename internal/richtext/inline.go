package richtext

import (
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// startFormat puts formatting in force.
func (b *builder) startFormat(tag atom.Atom, given []html.Attribute) {
	if tag == atom.A {
		b.endFormat(atom.A)
	}
	attrs, ok := attributes(tag, given)
	if !ok {
		return
	}
	if len(b.active) >= maxFormats {
		b.ignored[tag]++
		return
	}
	depth := len(b.blocks)
	if b.blocks[depth-1].implied {
		depth-- // our paragraph ends without its author knowing
	}
	b.active = append(b.active, &format{tag: tag, attrs: attrs, depth: depth})
	if _, n := b.parent(); n.DataAtom == atom.Pre && tag == atom.Code {
		b.reopen() // an empty block of code is one that someone is about to fill
	}
}

// endFormat ends the formatting that a tag put in force last.
func (b *builder) endFormat(tag atom.Atom) {
	for i := len(b.active) - 1; i >= 0; i-- {
		if b.active[i].tag == tag {
			b.active = append(b.active[:i], b.active[i+1:]...)
			return
		}
	}
}

// reopen makes the open elements those of the formatting in force, and returns
// the node that takes what is written now.
func (b *builder) reopen() *html.Node {
	_, at := b.parent()
	depth := 0 // how many of b.open are right
	for i := 0; i < len(b.active); i++ {
		f := b.active[i]
		if b.inForce(i) {
			continue
		}
		if depth < len(b.open) && b.open[depth].format == f {
			at = b.open[depth].node
			depth++
			continue
		}
		if f.used && !b.spend(f) {
			b.active = append(b.active[:i], b.active[i+1:]...)
			i--
			continue
		}
		f.used = true
		b.open = b.open[:depth]
		n := &html.Node{Type: html.ElementNode, DataAtom: f.tag, Data: f.tag.String(), Attr: f.attrs}
		at.AppendChild(n)
		at = n
		b.open = append(b.open, opened{f, n})
		depth++
	}
	b.open = b.open[:depth]
	return at
}

// inForce reports whether formatting i says nothing new. Only what is raised or
// lowered can be so twice.
func (b *builder) inForce(i int) bool {
	f := b.active[i]
	if f.tag == atom.Sub || f.tag == atom.Sup {
		return false
	}
	for _, outer := range b.active[:i] {
		if outer.tag == f.tag {
			return true
		}
	}
	return false
}

// spend takes the length of repeated tags from what may be spent on them, so
// that a long link around a thousand paragraphs does not become a thousand long
// links. It reports false once all is spent.
func (b *builder) spend(f *format) bool {
	cost := 2*len(f.tag.String()) + 5
	for _, a := range f.attrs {
		cost += len(a.Key) + len(a.Val) + 4
	}
	if cost > b.spare {
		return false
	}
	b.spare -= cost
	return true
}

// text takes text between tags.
func (b *builder) text(s string) {
	s = visible(s)
	if b.newPre {
		s = strings.TrimPrefix(s, "\n")
		b.newPre = false
	}
	if s == "" {
		return
	}
	_, n := b.parent()
	if blank(s) && (kindOf(n) == structure || kindOf(n) == flow && !b.inLine) {
		n.AppendChild(&html.Node{Type: html.TextNode, Data: s})
		return
	}
	b.makeRoomForInline()
	b.reopen().AppendChild(&html.Node{Type: html.TextNode, Data: s})
	b.inLine = true
}

// addPoint adds an image or a line break.
func (b *builder) addPoint(tag atom.Atom, given []html.Attribute) {
	attrs, ok := attributes(tag, given)
	if !ok {
		return
	}
	_, n := b.parent()
	if tag == atom.Br && kindOf(n) == structure {
		return
	}
	if tag == atom.Br && n.DataAtom == atom.Pre {
		b.text("\n")
		return
	}
	b.makeRoomForInline()
	b.reopen().AppendChild(&html.Node{Type: html.ElementNode, DataAtom: tag, Data: tag.String(), Attr: attrs})
	b.inLine = true
}

// makeRoomForInline opens what inline content needs around it: an item in a
// list, a cell in a table, a paragraph in a box, so that boxes stay apart.
func (b *builder) makeRoomForInline() {
	i, n := b.parent()
	if kindOf(n) == structure {
		b.implyFlow(0)
		return
	}
	if kindOf(n) == flow && i < len(b.blocks)-1 && len(b.blocks) < maxBlocks {
		b.push(block{tag: atom.P, node: b.add(atom.P, nil), implied: true})
	}
}

// visible returns s without control characters, but for tabs and line feeds.
func visible(s string) string {
	if !strings.ContainsFunc(s, unicode.IsControl) {
		return s
	}
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' && r != '\n' {
			return -1
		}
		return r
	}, s)
}

// blank reports whether s is white space as HTML has it.
func blank(s string) bool { return strings.Trim(s, " \t\n") == "" }
