package richtext

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Bounds of nesting. Parsers give up or slow down on trees much deeper than
// both together; no guide comes near.
const (
	maxBlocks  = 64
	maxFormats = 32
)

// builder makes a tree of a stream of tags and text. The tree keeps to a small
// grammar: paragraphs, headings and pre hold inline content; lists hold items,
// tables sections, sections rows, rows cells; quotes, items and cells hold
// blocks and inline content; no formatting is in force twice, and links hold no
// links. What does not fit is moved to where it does; text is never dropped.
//
// Formatting is kept apart from blocks: a tag such as <b> only says that what
// follows is bold, and elements are made when there is something to be bold. So
// "<b>one<p>two" becomes bold text and a bold paragraph, "<b>1<i>2</b>3</i>" is
// cut where browsers cut it, and no element is empty.
type builder struct {
	root    *html.Node
	blocks  []block   // open blocks from the root inwards
	active  []*format // formatting in force, in the order of its tags
	open    []opened  // the elements of the innermost block that stand for active formatting
	ignored map[atom.Atom]int
	spare   int  // bytes that may still be spent on tags written more than once
	inLine  bool // the last node in the innermost block is inline content, and not white space after a block
	newPre  bool // the last tag was <pre>: the next line break is not content
}

// block is an open block. One without a node leaves no trace but its borders.
type block struct {
	tag     atom.Atom
	node    *html.Node
	implied bool // made by us for text that needs a paragraph
}

type format struct {
	tag   atom.Atom
	attrs []html.Attribute
	depth int  // the number of open blocks at its tag: it ends with the innermost of them
	used  bool // stood for by an element already
}

type opened struct {
	format *format
	node   *html.Node
}

func newBuilder(size int) *builder {
	root := &html.Node{Type: html.ElementNode, Data: "root"}
	return &builder{
		root:    root,
		blocks:  []block{{node: root}},
		ignored: map[atom.Atom]int{},
		spare:   size + maxAddress,
	}
}

// parent returns the innermost open block that has a node, and its place.
func (b *builder) parent() (int, *html.Node) {
	i := len(b.blocks) - 1
	for b.blocks[i].node == nil {
		i--
	}
	return i, b.blocks[i].node
}

func kindOf(n *html.Node) kind {
	switch {
	case n.Type == html.TextNode:
		return unknown
	case n.DataAtom == 0:
		return flow // the root
	}
	return elements[n.DataAtom].kind
}

func isHeading(tag atom.Atom) bool {
	switch tag {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		return true
	}
	return false
}

// start takes a start tag.
func (b *builder) start(t html.Token) {
	b.newPre = false
	tag := t.DataAtom
	if other, ok := synonyms[tag]; ok {
		tag = other
	}
	switch elements[tag].kind {
	case formatted:
		b.startFormat(tag, t.Attr)
	case point:
		b.addPoint(tag, t.Attr)
	case unknown:
	default:
		b.startBlock(tag, t.Attr)
	}
}

func (b *builder) startBlock(tag atom.Atom, given []html.Attribute) {
	if len(b.blocks)+room(tag) > maxBlocks {
		b.ignored[tag]++
		b.separate()
		return
	}
	attrs, _ := attributes(tag, given)
	switch tag {
	case atom.Li:
		b.makeRoomForItem()
	case atom.Thead, atom.Tbody, atom.Tr, atom.Td, atom.Th:
		if !b.makeRoomInTable(tag) {
			b.startBlock(atom.Div, nil)
			b.blocks[len(b.blocks)-1].tag = tag
			return
		}
	default:
		if !b.makeRoomForBlock(tag) {
			b.separate()
			b.push(block{tag: tag})
			return
		}
	}
	if elements[tag].kind == box {
		b.push(block{tag: tag})
		return
	}
	n := b.add(tag, attrs)
	if tag == atom.Hr {
		return
	}
	b.push(block{tag: tag, node: n})
	b.newPre = tag == atom.Pre
}

// room returns how many blocks a tag may open, with those that it cannot be
// without.
func room(tag atom.Atom) int {
	switch tag {
	case atom.Table:
		return 5
	case atom.Ul, atom.Ol, atom.Li:
		return 3
	case atom.Tr, atom.Td, atom.Th, atom.Thead, atom.Tbody:
		return 1 // within a table, which saw to it
	}
	return 2
}

// makeRoomForBlock closes or opens what must be closed or open around a block.
// It reports false for a paragraph or box inside of a heading or pre, which
// stays one block.
func (b *builder) makeRoomForBlock(tag atom.Atom) bool {
	i, n := b.parent()
	switch kindOf(n) {
	case phrase:
		soft := tag == atom.P || elements[tag].kind == box
		if n.DataAtom != atom.P && soft {
			if top := len(b.blocks) - 1; top > i && b.blocks[top].tag == atom.P {
				b.closeTo(top)
			}
			return false
		}
		b.closeTo(i)
	case structure:
		b.implyFlow(tag)
	}
	return true
}

// implyFlow opens an item or a cell for content that stands directly in a list
// or a table. A list directly in a list belongs to the item before it.
func (b *builder) implyFlow(tag atom.Atom) {
	_, n := b.parent()
	switch n.DataAtom {
	case atom.Ul, atom.Ol:
		last := n.LastChild
		for last != nil && last.Type != html.ElementNode {
			last = last.PrevSibling
		}
		if last == nil || tag != atom.Ul && tag != atom.Ol {
			last = b.add(atom.Li, nil)
		}
		b.push(block{tag: atom.Li, node: last})
	default:
		b.makeRoomInTable(atom.Td)
		b.push(block{tag: atom.Td, node: b.add(atom.Td, nil)})
	}
}

// makeRoomForItem closes the item before a list item, or opens a list for it
// where there is none.
func (b *builder) makeRoomForItem() {
	for i := len(b.blocks) - 1; i > 0; i-- {
		switch b.blocks[i].tag {
		case atom.Li:
			if b.blocks[i].node != nil {
				b.closeTo(i)
				return
			}
		case atom.Ul, atom.Ol:
			if b.blocks[i].node != nil {
				return
			}
		}
		if n := b.blocks[i].node; n != nil && kindOf(n) == flow {
			break
		}
	}
	b.makeRoomForBlock(atom.Ul)
	b.push(block{tag: atom.Ul, node: b.add(atom.Ul, nil)})
}

// makeRoomInTable closes what is open inside of the innermost table until the
// part can stand there, and opens the parts around it. It reports false where
// there is no table.
func (b *builder) makeRoomInTable(tag atom.Atom) bool {
	table, section, row := 0, 0, 0
	for i := len(b.blocks) - 1; i > 0 && table == 0; i-- {
		if b.blocks[i].node == nil {
			continue
		}
		switch b.blocks[i].tag {
		case atom.Table:
			table = i
		case atom.Thead, atom.Tbody:
			section = i
		case atom.Tr:
			row = i
		}
	}
	if table == 0 {
		return false
	}
	switch {
	case tag == atom.Thead || tag == atom.Tbody:
		b.closeTo(table + 1)
		return true
	case section == 0:
		b.closeTo(table + 1)
		b.push(block{tag: atom.Tbody, node: b.add(atom.Tbody, nil)})
	case tag == atom.Tr || row == 0:
		b.closeTo(section + 1)
	default:
		b.closeTo(row + 1)
		return true
	}
	if tag != atom.Tr {
		b.push(block{tag: atom.Tr, node: b.add(atom.Tr, nil)})
	}
	return true
}

// end takes an end tag. One that ends nothing is ignored.
func (b *builder) end(tag atom.Atom) {
	b.newPre = false
	if other, ok := synonyms[tag]; ok {
		tag = other
	}
	if b.ignored[tag] > 0 {
		b.ignored[tag]--
		if elements[tag].kind != formatted {
			b.separate()
		}
		return
	}
	switch elements[tag].kind {
	case formatted:
		b.endFormat(tag)
	case flow, phrase, structure, box:
		for i := len(b.blocks) - 1; i > 0; i-- {
			if t := b.blocks[i].tag; t == tag || isHeading(t) && isHeading(tag) {
				b.closeTo(i)
				return
			}
			if b.fences(b.blocks[i], tag) {
				return
			}
		}
	}
}

// fences reports whether an end tag inside of a block ends nothing outside of it.
func (b *builder) fences(outer block, tag atom.Atom) bool {
	switch tag {
	case atom.Table:
		return false
	case atom.Thead, atom.Tbody, atom.Tr, atom.Td, atom.Th:
		return outer.tag == atom.Table
	case atom.Li:
		return outer.node != nil && kindOf(outer.node) == structure
	}
	if outer.node == nil {
		return false
	}
	switch outer.tag {
	case atom.Table, atom.Td, atom.Th:
		return true
	}
	return elements[tag].kind == phrase && kindOf(outer.node) != phrase
}

// add appends an element to the innermost block.
func (b *builder) add(tag atom.Atom, attrs []html.Attribute) *html.Node {
	b.breakLine()
	_, parent := b.parent()
	n := &html.Node{Type: html.ElementNode, DataAtom: tag, Data: tag.String(), Attr: attrs}
	parent.AppendChild(n)
	return n
}

// breakLine notes that what follows does not continue inline content.
func (b *builder) breakLine() { b.open, b.inLine = b.open[:0], false }

func (b *builder) push(opened block) {
	b.breakLine()
	b.blocks = append(b.blocks, opened)
}

// closeTo closes blocks until n are open, and ends the formatting begun in them.
func (b *builder) closeTo(n int) {
	if n == len(b.blocks) {
		return
	}
	b.blocks = b.blocks[:n]
	b.breakLine()
	kept := b.active[:0]
	for _, f := range b.active {
		if f.depth <= n {
			kept = append(kept, f)
		}
	}
	b.active = kept
}

// separate keeps words apart at the border of a block that is not kept.
func (b *builder) separate() {
	_, n := b.parent()
	if last := n.LastChild; last == nil || last.Type == html.TextNode && strings.TrimRight(last.Data, " \n") != last.Data {
		return
	}
	if n.DataAtom == atom.Pre {
		b.text("\n")
	} else {
		b.text(" ")
	}
}
