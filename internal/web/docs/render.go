package docs

import (
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// labels name the languages of code.
var labels = map[string]string{
	"bash": "Shell", "js": "JavaScript", "ruby": "Ruby", "python": "Python", "go": "Go",
	"json": "JSON", "yaml": "YAML", "http": "HTTP", "sql": "SQL", "ini": "systemd", "crontab": "crontab", "markdown": "Markdown", "html": "HTML", "text": "Text",
}

// languages are those that examples are written in, in the order of their tabs.
var languages = []string{"bash", "js", "ruby", "python", "go"}

// keyLink is where the way to an own key stands, below the first example in
// several languages.
const keyLink = "<!--key-->"

var keyLinks = [2]string{
	`<p class="key small">The examples take the key from <code>STEPSIES_API_KEY</code>. <a href="/sign-in?next=%2Fdashboard%2Fdeveloper%2Fnew">Sign in to create an API key</a></p>`,
	`<p class="key small">The examples take the key from <code>STEPSIES_API_KEY</code>. <a href="/dashboard/developer/new">Create an API Key</a></p>`,
}

// render makes the HTML of the page's Markdown, and finds its title, its first
// sentence and its sections.
func (p *Page) render() error {
	source := []byte(p.Source)
	md := goldmark.New(
		goldmark.WithExtensions(extension.Table),
		goldmark.WithParserOptions(parser.WithAutoHeadingID(), parser.WithHeadingAttribute(),
			parser.WithASTTransformers(util.Prioritized(arranger{}, 500))),
		goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(markup{}, 100))),
	)
	root := md.Parser().Parse(text.NewReader(source))
	for n := root.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Heading:
			id, _ := n.AttributeString("id")
			name, _ := id.([]byte)
			switch n.Level {
			case 1:
				p.Title = plainText(n, source)
			case 2:
				p.Sections = append(p.Sections, Section{string(name), plainText(n, source)})
			}
		case *ast.Paragraph:
			if p.Summary == "" {
				p.Summary = plainText(n, source)
			}
		}
	}
	if p.Title == "" || p.Summary == "" {
		return fmt.Errorf("it does not begin with a heading and a sentence")
	}
	var out strings.Builder
	if err := md.Renderer().Render(&out, source, root); err != nil {
		return err
	}
	for i, link := range keyLinks {
		p.html[i] = strings.Replace(out.String(), keyLink, link, 1)
	}
	return nil
}

// plainText is what a reader sees of a node.
func plainText(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			b.Write(t.Segment.Value(source))
			if t.SoftLineBreak() {
				b.WriteByte(' ')
			}
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// arranger puts examples that follow each other, in different languages, together,
// and gives code and tables the names that their markup needs.
type arranger struct{}

// samples is one example in several languages.
type samples struct {
	ast.BaseBlock
	number int
}

var kindSamples = ast.NewNodeKind("Samples")

func (*samples) Kind() ast.NodeKind              { return kindSamples }
func (s *samples) Dump(source []byte, level int) { ast.DumpHelper(s, source, level, nil, nil) }

// isSample reports whether a node is code that stands beside the same in other
// languages.
func isSample(n ast.Node, source []byte) bool {
	b, ok := n.(*ast.FencedCodeBlock)
	return ok && slices.Contains(languages, string(b.Language(source)))
}

// Transform arranges a page.
func (arranger) Transform(doc *ast.Document, reader text.Reader, _ parser.Context) {
	source, groups, codes, part, heading := reader.Source(), 0, 0, "", ""
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		switch b := n.(type) {
		case *ast.Heading:
			if heading = plainText(b, source); b.Level > 2 {
				heading = part + ", " + heading
			} else {
				part = heading
			}
		case *east.Table:
			b.SetAttributeString("data-name", heading)
			b.SetAttributeString("class", scrollClass(b, source))
		case *ast.FencedCodeBlock:
			if !isSample(b, source) || !isSample(b.NextSibling(), source) {
				continue
			}
			groups++
			group := &samples{number: groups}
			doc.InsertBefore(doc, b, group)
			for next := ast.Node(b); isSample(next, source); {
				sample := next
				next = sample.NextSibling()
				group.AppendChild(group, sample)
			}
			n = group
		}
	}
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if b, ok := n.(*ast.FencedCodeBlock); ok && entering {
			codes++
			b.SetAttributeString("id", fmt.Sprintf("code-%d", codes))
		}
		return ast.WalkContinue, nil
	})
}

// scrollClass says how much room a table needs on a phone: more where it has more than
// two columns with sentences in more than the last one, less where even that one has
// a few words only.
func scrollClass(t *east.Table, source []byte) string {
	const sentence, words = 30, 16 // characters
	short := true
	for row := t.FirstChild(); row != nil; row = row.NextSibling() {
		last := row.LastChild()
		if last == nil || last.PreviousSibling() == nil {
			continue
		}
		short = short && len(plainText(last, source)) <= words
		if row.ChildCount() > 2 && len(plainText(last.PreviousSibling(), source)) > sentence {
			return "scroll wide"
		}
	}
	if short {
		return "scroll short"
	}
	return "scroll"
}

// markup writes what is ours of the HTML: headings that can be linked to, code that
// can be copied, tables that scroll in themselves.
type markup struct{}

// RegisterFuncs takes over the nodes that are ours.
func (m markup) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindHeading, m.heading)
	r.Register(ast.KindFencedCodeBlock, m.code)
	r.Register(ast.KindBlockquote, m.note)
	r.Register(kindSamples, m.samples)
	r.Register(east.KindTable, m.table)
}

func (markup) heading(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	h := n.(*ast.Heading)
	id, _ := h.AttributeString("id")
	name, _ := id.([]byte)
	switch {
	case h.Level == 1 && entering:
		_, _ = w.WriteString("<h1>")
	case h.Level == 1:
		_, _ = w.WriteString("</h1>\n")
	case entering:
		_, _ = fmt.Fprintf(w, `<h%d id="%s"><a href="#%[2]s">`, h.Level, html.EscapeString(string(name)))
	default:
		_, _ = fmt.Fprintf(w, "</a></h%d>\n", h.Level)
	}
	return ast.WalkContinue, nil
}

// note is a quotation in Markdown: a thing that must not be overlooked.
func (markup) note(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = w.WriteString("<div class=\"callout\">\n")
	} else {
		_, _ = w.WriteString("</div>\n")
	}
	return ast.WalkContinue, nil
}

func (markup) table(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		name, _ := n.AttributeString("data-name")
		class, _ := n.AttributeString("class")
		_, _ = fmt.Fprintf(w, "<div class=\"%s\" tabindex=\"0\" role=\"group\" aria-label=\"Table: %s\"><table>\n", class, html.EscapeString(fmt.Sprint(name)))
	} else {
		_, _ = w.WriteString("</table></div>\n")
	}
	return ast.WalkContinue, nil
}

func (markup) samples(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		_, _ = w.WriteString("</fieldset>\n")
		if n.(*samples).number == 1 {
			_, _ = w.WriteString(keyLink)
		}
		return ast.WalkContinue, nil
	}
	group := n.(*samples)
	_, _ = w.WriteString("<fieldset class=\"samples\"><legend class=\"unseen\">Language of the example</legend>\n<div class=\"languages\">")
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		language := string(c.(*ast.FencedCodeBlock).Language(source))
		label, id := labels[language], fmt.Sprintf("sample-%d-%s", group.number, language)
		if language == "bash" {
			label = "cURL"
		}
		checked := ""
		if c == n.FirstChild() {
			checked = " checked"
		}
		_, _ = fmt.Fprintf(w, `<input type="radio" name="sample-%d" id="%s" value="%s"%s><label for="%[2]s">%[5]s</label>`, group.number, id, language, checked, label)
	}
	_, _ = w.WriteString("</div>\n")
	return ast.WalkContinue, nil
}

func (markup) code(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	block := n.(*ast.FencedCodeBlock)
	language := string(block.Language(source))
	code := strings.TrimSuffix(string(block.Lines().Value(source)), "\n")
	if language == "operation" {
		_, _ = w.WriteString(endpoint(code))
		return ast.WalkSkipChildren, nil
	}
	id, _ := block.AttributeString("id")
	label := "<span>" + labels[language] + "</span>"
	if n.Parent().Kind() == kindSamples {
		label = ""
	}
	class := "code"
	if (language == "json" || language == "http" || language == "text") && !strings.Contains(code, "\n") {
		class += " one-line" // one that may be broken
	}
	_, _ = fmt.Fprintf(w, "<div class=\"%s\" data-language=\"%s\"><div class=\"bar\">%s<button type=\"button\" class=\"btn quiet\" data-copy=\"#%s\">Copy</button></div><pre tabindex=\"0\" id=\"%[4]s\"><code>%s</code></pre></div>\n",
		class, language, label, id, html.EscapeString(code))
	return ast.WalkSkipChildren, nil
}

// endpoint shows where an operation answers and what it needs.
func endpoint(code string) string {
	line, rest, _ := strings.Cut(code, "\n")
	method, path, _ := strings.Cut(line, " ")
	scope, ok := strings.CutPrefix(rest, "scope: ")
	chip := `<span class="chip">asks for no key</span>`
	if ok {
		chip = `<span class="chip on">scope ` + html.EscapeString(scope) + `</span>`
	}
	return fmt.Sprintf("<p class=\"operation\"><code><b>%s</b> %s</code> %s</p>\n", html.EscapeString(method), html.EscapeString(path), chip)
}
