package richtext

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer"
	gmhtml "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"github.com/stepsies/stepsies"
)

// FromMarkdown returns the content that Markdown stands for: CommonMark with
// tables and ~~strikethrough~~. HTML in it is taken as HTML, and all of it is
// sanitised. The alignment of table columns is not kept. It refuses documents of
// more than 2 MiB or 200 levels.
//
// It is made for what an author writes on a machine of their own: there is
// Markdown for which the parser takes time that grows with its square.
func FromMarkdown(md string) (stepsies.Content, error) {
	doc, source, err := document(md)
	if err != nil {
		return stepsies.Content{}, err
	}
	return Sanitise(rendered(doc, source)), nil
}

// Section is the part of a Markdown document under one of its headings.
type Section struct {
	Title   string // the heading as it was typed, without its marks
	Line    int    // where the heading stands, counted from 1
	Content stepsies.Content
	Lost    []string // addresses of links and images that content cannot keep, as they were typed
}

// Sections cuts a Markdown document at its headings of the second level that are
// written with ##. It does not cut at what only looks like one, in code or HTML,
// nor in quotes or lists. It also returns what stands before the first heading, as
// a section without a title. It refuses what FromMarkdown refuses.
func Sections(md string) (before Section, sections []Section, err error) {
	doc, source, err := document(md)
	if err != nil {
		return before, nil, err
	}
	before.Line = 1
	part := ast.NewDocument()
	finish := func() {
		section := &before
		if len(sections) > 0 {
			section = &sections[len(sections)-1]
		}
		raw := rendered(part, source)
		section.Content, section.Lost = Sanitise(raw), LostAddresses(raw)
		part = ast.NewDocument()
	}
	line, counted := 1, 0
	for n := doc.FirstChild(); n != nil; {
		next := n.NextSibling()
		doc.RemoveChild(doc, n)
		if title, ok := sectionTitle(n, source); ok {
			finish()
			line += bytes.Count(source[counted:n.Pos()], []byte("\n"))
			counted = n.Pos()
			sections = append(sections, Section{Title: title, Line: line})
		} else {
			part.AppendChild(part, n)
		}
		n = next
	}
	finish()
	return before, sections, nil
}

// sectionTitle returns the title of a heading that begins a section. It is taken
// to the letter, so that no character of it means anything.
func sectionTitle(n ast.Node, source []byte) (string, bool) {
	h, ok := n.(*ast.Heading)
	if !ok || h.Level != 2 || h.Pos() < 0 {
		return "", false
	}
	line, _, _ := bytes.Cut(source[h.Pos():], []byte("\n"))
	title, ok := bytes.CutPrefix(bytes.TrimLeft(line, " "), []byte("##"))
	return string(bytes.TrimSpace(title)), ok
}

// markdown reads CommonMark with tables and strikethrough.
var markdown = goldmark.New(
	goldmark.WithExtensions(
		extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignNone)),
		extension.Strikethrough,
	),
	goldmark.WithRendererOptions(
		gmhtml.WithUnsafe(), // what it makes is sanitised
		renderer.WithNodeRenderers(util.Prioritized(plain{}, 100)),
	),
)

// Bounds of a Markdown document.
const (
	maxMarkdown = 2 << 20 // bytes
	maxMarks    = 200     // quotes and lists around a line; goldmark has no bound of its own
	// maxEmptyCells bounds the cells that nobody typed: goldmark fills each row up to the
	// number of columns, so that a short text can become a table of millions.
	maxEmptyCells = 10_000
)

// ruled finds lines that can be the second one of a table, which says how many columns
// it has; ruled or not, lines that only look so count as well.
var ruled = regexp.MustCompile(`^[ \t>*+0-9.)|:-]*-[ \t>*+0-9.)|:-]*\n?$`)

// emptyCells is how many cells the tables of a document have at most once all their rows
// are filled up.
func emptyCells(md string) int {
	cells, columns := 0, 0
	for line := range strings.Lines(md) {
		switch {
		case strings.Trim(line, " \t>\n") == "":
			columns = 0 // a table ends with an empty line
		case strings.Contains(line, "|") && ruled.MatchString(line):
			columns = max(columns, strings.Count(line, "|")+1)
		}
		cells += columns
	}
	return cells
}

var marks = regexp.MustCompile(`^[ \t]*(>|[-+*][ \t]|[0-9]{1,9}[.)][ \t])`)

// document parses Markdown. It returns the text that the nodes refer to, with
// line feeds for line ends and without a byte order mark.
func document(md string) (ast.Node, []byte, error) {
	if len(md) > maxMarkdown {
		return nil, nil, fmt.Errorf("the Markdown must have at most %d bytes, has %d", maxMarkdown, len(md))
	}
	md = strings.TrimPrefix(strings.ToValidUTF8(md, "\uFFFD"), "\uFEFF")
	md = strings.ReplaceAll(strings.ReplaceAll(md, "\r\n", "\n"), "\r", "\n")
	number := 0
	for line := range strings.Lines(md) {
		number++
		n := 0
		for m := marks.FindString(line); m != ""; m = marks.FindString(line) {
			if n++; n > maxMarks {
				return nil, nil, fmt.Errorf("line %d begins with more than %d marks of quotes and lists; nest them less", number, maxMarks)
			}
			line = line[len(m):]
		}
	}
	if n := emptyCells(md); n > len(md)+maxEmptyCells {
		return nil, nil, errors.New("a table in it has many columns and more rows than cells; give each row its cells")
	}
	source := []byte(md)
	return markdown.Parser().Parse(text.NewReader(source)), source, nil
}

// rendered returns the HTML of a document, which is not sanitised yet.
func rendered(doc ast.Node, source []byte) string {
	var b bytes.Buffer
	if err := markdown.Renderer().Render(&b, source, doc); err != nil {
		panic("richtext: writing to memory failed: " + err.Error())
	}
	return strings.TrimRight(b.String(), "\n")
}

// plain renders what goldmark renders otherwise than content needs it: addresses
// stay as they were typed, and code does not end with the line break that parts
// it from its fence.
type plain struct{}

func (plain) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(ast.KindLink, renderLink)
	reg.Register(ast.KindAutoLink, renderAutoLink)
	reg.Register(ast.KindImage, renderImage)
	reg.Register(ast.KindCodeBlock, renderCode)
	reg.Register(ast.KindFencedCodeBlock, renderCode)
}

func renderLink(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n := node.(*ast.Link)
	if !entering {
		_, err := w.WriteString("</a>")
		return ast.WalkContinue, err
	}
	_, err := w.WriteString(`<a href="` + attr(n.Destination) + `" title="` + attr(n.Title) + `">`)
	return ast.WalkContinue, err
}

func renderAutoLink(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*ast.AutoLink)
	to, label := string(n.URL(source)), string(n.Label(source))
	if n.AutoLinkType == ast.AutoLinkEmail && !strings.HasPrefix(strings.ToLower(to), "mailto:") {
		to = "mailto:" + to
	}
	_, err := w.WriteString(`<a href="` + escapeValue.Replace(to) + `">` + escapeText.Replace(label) + `</a>`)
	return ast.WalkContinue, err
}

func renderImage(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*ast.Image)
	var alt strings.Builder
	writePlain(&alt, n, source)
	_, err := w.WriteString(`<img src="` + attr(n.Destination) + `" alt="` + escapeValue.Replace(alt.String()) + `" title="` + attr(n.Title) + `">`)
	return ast.WalkSkipChildren, err
}

// writePlain writes the words of inline nodes.
func writePlain(b *strings.Builder, n ast.Node, source []byte) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			if value := c.Value(source); c.IsRaw() || n.Kind() == ast.KindCodeSpan {
				b.Write(value)
			} else {
				b.WriteString(unescape(value))
			}
			if c.SoftLineBreak() || c.HardLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(c.Value)
		case *ast.AutoLink:
			b.Write(c.Label(source))
		default:
			writePlain(b, c, source)
		}
	}
}

func renderCode(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	class := ""
	if n, ok := node.(*ast.FencedCodeBlock); ok {
		if language := n.Language(source); language != nil {
			class = ` class="language-` + attr(bytes.ToLower(language)) + `"`
		}
	}
	code := string(node.Lines().Value(source))
	_, err := w.WriteString("<pre><code" + class + ">" + escapeText.Replace(strings.TrimRight(code, "\n")) + "</code></pre>\n")
	return ast.WalkSkipChildren, err
}

// attr returns Markdown text as the value of an attribute.
func attr(s []byte) string { return escapeValue.Replace(unescape(s)) }

// unescape takes backslashes and character references out of Markdown text.
func unescape(s []byte) string {
	var b strings.Builder
	for len(s) > 0 {
		i := bytes.IndexAny(s, `\&`)
		if i < 0 {
			break
		}
		b.Write(s[:i])
		s = s[i:]
		if s[0] == '\\' {
			if len(s) > 1 && util.IsPunct(s[1]) {
				s = s[1:]
			}
			b.WriteByte(s[0])
			s = s[1:]
			continue
		}
		end := bytes.IndexByte(s[:min(len(s), 40)], ';') + 1
		if end == 0 {
			end = 1
		}
		b.Write(util.ResolveEntityNames(util.ResolveNumericReferences(s[:end])))
		s = s[end:]
	}
	b.Write(s)
	return b.String()
}
