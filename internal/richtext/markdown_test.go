package richtext_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"github.com/stepsies/stepsies/internal/richtext"
)

func TestContentReadsWellAsMarkdown(t *testing.T) {
	for _, c := range []struct{ html, md string }{
		{``, ``},
		{`Hello`, "Hello\n"},
		{`<p>one</p><p>two</p>`, "one\n\ntwo\n"},
		{`<p>a <strong>b</strong> <em>c</em> <del>d</del> <code>e</code></p>`, "a **b** *c* ~~d~~ `e`\n"},
		{`<p><strong>Note:</strong> x</p>`, "**Note:** x\n"},
		{`<p><strong>Note:</strong>x</p>`, "<strong>Note:</strong>x\n"},
		{`<p><strong><em>a</em> b</strong> <em><strong>c</strong></em></p>`, "**_a_ b** _**c**_\n"},
		{`<p><u>u</u> H<sub>2</sub>O x<sup>2</sup> <mark>m</mark> <b>b</b> <i>i</i> <s>s</s></p>`,
			"<u>u</u> H<sub>2</sub>O x<sup>2</sup> <mark>m</mark> <b>b</b> <i>i</i> <s>s</s>\n"},
		{`<p>snake_case 2 * 3 [x] a&lt;b &lt;b&gt; AT&amp;T &amp;copy; ~5 it's "ok" #1</p>`,
			"snake_case 2 \\* 3 \\[x\\] a\\<b \\<b> AT&T \\&copy; ~5 it's \"ok\" #1\n"},
		{`<p># no</p><p>1. no</p><p>- no</p><p>+1</p><p>&gt; no</p>`, "\\# no\n\n1\\. no\n\n\\- no\n\n+1\n\n\\> no\n"},
		{`<p>a<br>b</p>`, "a\\\nb\n"},
		{`<p>a&nbsp;b</p>`, "a&nbsp;b\n"},
		{`<h1>T</h1><h3>C#</h3><hr>`, "# T\n\n### C\\#\n\n---\n"},
		{`<ul><li><p>a</p></li><li>b<ul><li>c</li></ul></li></ul>`, "- a\n- b\n  - c\n"},
		{`<ol start="9"><li>a</li><li><p>b</p><p>c</p></li></ol>`, "9. a\n\n10. b\n\n    c\n"},
		{`<ul><li>a</li></ul><ul><li>b</li></ul>`, "- a\n\n* b\n"},
		{`<blockquote><p>a</p><blockquote>b</blockquote></blockquote>`, "> a\n>\n> > b\n"},
		{`<pre><code class="language-go">x := 1

y</code></pre>`, "```go\nx := 1\n\ny\n```\n"},
		{"<pre><code>```\n</code></pre>", "````\n```\n````\n"},
		{"<pre>a\n\n<b>b</b></pre>", "<pre>a&#10;&#10;<b>b</b></pre>\n"},
		{`<p><a href="https://h/(x)" title="a &quot;b&quot;">l</a></p>`, "[l](<https://h/(x)> \"a \\\"b\\\"\")\n"},
		{`<p><a href="https://h/a_b_c?x=1&amp;copy;=2">l</a></p>`, "[l](https://h/a_b_c?x=1&amp;copy;=2)\n"},
		{`<p><a href="https://h/">https://h/</a> <a href="mailto:a@h.example">a@h.example</a></p>`, "<https://h/> <a@h.example>\n"},
		{`<p><img src="https://h/i.png" alt="a [b]"></p>`, "![a \\[b\\]](https://h/i.png)\n"},
		{`<p><img src="https://h/i.png" alt="a" width="3"></p>`, "<img src=\"https://h/i.png\" alt=\"a\" width=\"3\">\n"},
		{`<table><tr><th>a|b</th><th><code>|</code></th></tr><tbody><tr><td></td><td>x<br>y</td></tr></tbody></table>`,
			"<table>\n<tbody>\n<tr>\n<th>a|b</th>\n<th><code>|</code></th>\n</tr>\n</tbody>\n<tbody>\n<tr>\n<td></td>\n<td>x<br>y</td>\n</tr>\n</tbody>\n</table>\n"},
		{`<table><thead><tr><th>a|b</th><th><code>|</code></th></tr></thead><tbody><tr><td></td><td>x<br>y</td></tr></tbody></table>`,
			"| a\\|b | `\\|` |\n| --- | --- |\n|  | x<br>y |\n"},
		{`<p></p>`, "<p></p>\n"},
	} {
		got, err := richtext.ToMarkdown(c.html)
		if err != nil || got != c.md {
			t.Errorf("ToMarkdown(%q)\n     = %q, %v\n  want %q", c.html, got, err, c.md)
		}
		if err := roundTrip(c.html, richtext.ToMarkdown); err != nil {
			t.Error(err)
		}
	}
}

func TestMarkdownBecomesTheContentThatItSays(t *testing.T) {
	const rel = ` rel="nofollow ugc noopener"`
	for md, want := range map[string]string{
		"":                                "",
		"a\r\nb":                          "<p>a\nb</p>",
		"# T\n\n- a\n- b\n":               "<h1>T</h1>\n<ul>\n<li>a</li>\n<li>b</li>\n</ul>",
		"[l](https://h/é?a=1&b=2)":        `<p><a href="https://h/é?a=1&amp;b=2"` + rel + `>l</a></p>`,
		"[l]\n\n[l]: https://h/ 'T'":      `<p><a href="https://h/" title="T"` + rel + `>l</a></p>`,
		"[l](javascript:alert(1))":        `<p>l</p>`,
		"![*a* `b`](https://h/i \"t\")":   `<p><img src="https://h/i" alt="a b" title="t"></p>`,
		"<https://h/> <a@h.example>":      `<p><a href="https://h/"` + rel + `>https://h/</a> <a href="mailto:a@h.example"` + rel + `>a@h.example</a></p>`,
		"```Go\nx <y>\n```":               `<pre><code class="language-go">x &lt;y&gt;</code></pre>`,
		"```go run\nx\n```":               `<pre><code class="language-go">x</code></pre>`,
		"    indented\n\n    code":        "<pre><code>indented\n\ncode</code></pre>",
		"~~a~~ x<sup>2</sup>":             `<p><del>a</del> x<sup>2</sup></p>`,
		"<script>alert(1)</script>x":      `x`,
		"|a|b|\n|:-|-|\n|1|2|":            "<table>\n<thead>\n<tr>\n<th>a</th>\n<th>b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n<td>2</td>\n</tr>\n</tbody>\n</table>",
		"- [ ] open":                      "<ul>\n<li>[ ] open</li>\n</ul>",
		"www.example.com and it's \"so\"": `<p>www.example.com and it's "so"</p>`,
	} {
		c, err := richtext.FromMarkdown(md)
		if got := c.HTML(); err != nil || got != want {
			t.Errorf("FromMarkdown(%q)\n     = %q, %v\n  want %q", md, got, err, want)
		}
	}
}

func TestMarkdownBeyondTheBoundsIsRefused(t *testing.T) {
	for name, md := range map[string]string{
		"deep quotes": "a\n" + strings.Repeat("> ", 201) + "x",
		"deep lists":  "a\n" + strings.Repeat("- ", 100) + strings.Repeat("1. ", 101) + "x",
		"long":        strings.Repeat("x", 2<<20+1),
	} {
		if _, err := richtext.FromMarkdown(md); err == nil {
			t.Errorf("%s: not refused", name)
		}
		if _, _, err := richtext.Sections(md); err == nil {
			t.Errorf("%s: not refused in sections", name)
		}
	}
}

func TestSectionsBeginAtHeadingsOnly(t *testing.T) {
	before, sections, err := richtext.Sections("intro [l]\n\n## One *two* ##\ntext\n```\n## code\n```\n- ## item\n\n> ## quote\n\nSet\n---\n\n### Deeper\n\n" +
		" ##  Last\n<div>\n## html\n</div>\n\n[l]: https://h/\n\n##\n")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range sections {
		got = append(got, fmt.Sprintf("%d %s: %s", s.Line, s.Title, strings.Join(strings.Fields(s.Content.Text()), " ")))
	}
	want := []string{"3 One *two* ##: text ## code item quote Set Deeper", "17 Last: ## html", "24 : "}
	if !slices.Equal(got, want) {
		t.Errorf("sections %q, want %q", got, want)
	}
	if html := before.Content.HTML(); !strings.Contains(html, `<a href="https://h/"`) {
		t.Errorf("a reference defined in another section was not resolved: %q", html)
	}
}

func TestSectionContentHoldsNoHeadingThatBeginsASection(t *testing.T) {
	const html = `<h1>a</h1><h2>b</h2><h3>c</h3><p>## d</p><pre><code>## e</code></pre>`
	md, err := richtext.ToSection(html)
	if err != nil {
		t.Fatal(err)
	}
	if want := "<h1>a</h1>\n\n<h2>b</h2>\n\n### c\n\n\\## d\n\n```\n## e\n```\n"; md != want {
		t.Errorf("ToSection = %q, want %q", md, want)
	}
	if err := roundTrip(html, richtext.ToSection); err != nil {
		t.Error(err)
	}
}

// TestNothingIsLostBetweenHTMLAndMarkdown draws content of all allowed elements
// in all places where they may stand.
func TestNothingIsLostBetweenHTMLAndMarkdown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := richtext.Sanitise(drawFlow(t, 3)).HTML()
		for _, to := range []func(string) (string, error){richtext.ToMarkdown, richtext.ToSection} {
			if err := roundTrip(h, to); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestHostileContentBecomesMarkdown writes content of the shapes for which
// reading everything back could take quadratic time.
func TestHostileContentBecomesMarkdown(t *testing.T) {
	const size = 50_000
	for name, h := range map[string]string{
		"quotes":     strings.Repeat("<blockquote>", 60) + strings.Repeat("<p>x</p>", size/8),
		"lists":      strings.Repeat("<ul><li>", 30) + "<ul><li><ul><li></ul><li>a</ul>" + strings.Repeat("<p>hello <u> </u>", size/20),
		"table":      "<table><thead><tr>" + strings.Repeat("<th>x*", 150) + "</thead><tbody>" + strings.Repeat("<tr>"+strings.Repeat("<td>x", 150), 60),
		"emphasis":   "<p>" + strings.Repeat("<strong>x</strong><em>y</em>", size/20),
		"link marks": strings.Repeat("[x](", size/4) + strings.Repeat("![", size/2),
	} {
		t.Run(name, func(t *testing.T) {
			if err := roundTrip(h, richtext.ToMarkdown); err != nil {
				t.Errorf("%.300s", err)
			}
		})
	}
}

// FuzzMarkdown looks for content that does not survive the way to Markdown and
// back. Its input is Markdown with HTML, so that both parsers are led astray.
func FuzzMarkdown(f *testing.F) {
	for _, s := range payloads {
		f.Add(s)
	}
	for _, s := range []string{"- a\n\n  b\n1. c\n* d", "> a\n- b\n\n```x\ny", "|a|\n|-|\n|`\\|`|", "**a*b_c_d**e~~f~~", "<u>\n\n*x*\n\n</u>", "a  \nb\\\nc", "[a](<b c> \"d\")![e](https://f)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, md string) {
		if len(md) > 4096 {
			return
		}
		c, err := richtext.FromMarkdown(md)
		if err != nil {
			return
		}
		checkHarmless(t, c.HTML())
		for _, to := range []func(string) (string, error){richtext.ToMarkdown, richtext.ToSection} {
			if err := roundTrip(c.HTML(), to); err != nil {
				t.Error(err)
			}
		}
	})
}

// roundTrip takes content to Markdown and back, and compares elements and words
// without the help of the package: paragraphs and white space apart, they must
// be the same, in the same order.
func roundTrip(h string, to func(string) (string, error)) error {
	h = richtext.Sanitise(h).HTML()
	md, err := to(h)
	if err != nil {
		return fmt.Errorf("%w: %q", err, h)
	}
	back, err := richtext.FromMarkdown(md)
	if err != nil {
		return err
	}
	again, err := to(back.HTML())
	if err != nil {
		return err
	}
	if again != md {
		return fmt.Errorf("Markdown is not stable:\n html %q\nfirst %q\nagain %q", h, md, again)
	}
	if was, is := richtext.Settled(h), richtext.Settled(back.HTML()); was != is {
		return fmt.Errorf("the settled form is not kept:\n  html %q\nbefore %q\n after %q", h, was, is)
	}
	if was, is := outline(h), outline(back.HTML()); was != is {
		return fmt.Errorf("content is lost:\n  html %q\n    md %q\nbefore %s\n after %s", h, md, was, is)
	}
	return nil
}

// outline writes the elements and words of HTML.
func outline(h string) string {
	doc, err := html.Parse(strings.NewReader("<!doctype html><article>" + h))
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	var walk func(n *html.Node, pre bool)
	walk = func(n *html.Node, pre bool) {
		if n.Type == html.TextNode {
			if pre {
				b.WriteString(n.Data)
			} else {
				b.WriteString(strings.Join(strings.FieldsFunc(n.Data, isSpace), ""))
			}
			return
		}
		shown := true
		switch n.Data {
		case "p":
			shown = !hasContent(n) && (n.Parent.Data == "article" || n.Parent.Data == "blockquote")
		case "u", "b", "i", "em", "strong", "s", "del", "mark", "sub", "sup", "a", "code":
			shown = pre || hasContent(n)
		}
		if shown {
			fmt.Fprintf(&b, "<%s %v>", n.Data, n.Attr)
		}
		was := b.Len()
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c, pre || n.Data == "pre")
		}
		if n.Data == "pre" { // line breaks at the end of code are its fence's
			s := strings.TrimSuffix(b.String()[was:], "</code>")
			if b.Len()-was != len(s) {
				s = strings.TrimRight(s, "\n") + "</code>"
			}
			s = b.String()[:was] + s
			b.Reset()
			b.WriteString(s)
		}
		if shown {
			b.WriteString("</" + n.Data + ">")
		}
	}
	walk(find(doc, "article"), false)
	return b.String()
}

func isSpace(r rune) bool { return r == ' ' || r == '\n' || r == '\t' }

func hasContent(n *html.Node) bool {
	if n.Type == html.TextNode {
		return strings.TrimFunc(n.Data, isSpace) != ""
	}
	if n.Data == "img" || n.Data == "br" {
		return true
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if hasContent(c) {
			return true
		}
	}
	return false
}

func drawFlow(t *rapid.T, depth int) string {
	var b strings.Builder
	for range rapid.IntRange(0, 4).Draw(t, "blocks") {
		b.WriteString(drawBlock(t, depth))
	}
	return b.String()
}

func drawBlock(t *rapid.T, depth int) string {
	kinds := []string{"p", "p", "h1", "h2", "h3", "h6", "hr", "pre", "code", "text", "space"}
	if depth > 0 {
		kinds = append(kinds, "ul", "ul", "ol", "blockquote", "table", "grid")
	}
	switch kind := rapid.SampledFrom(kinds).Draw(t, "block"); kind {
	case "hr":
		return "<hr>"
	case "text":
		return drawInline(t, 2)
	case "space":
		return "\n  "
	case "pre":
		return "<pre>" + drawInline(t, 1) + "</pre>"
	case "code":
		class := rapid.SampledFrom([]string{"", ` class="language-go"`, ` class="language-c++"`}).Draw(t, "class")
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{"", "x", "  y", "```", "## z", "~~~", "&lt;b&gt;", "\tt", "- l", "</code>"}), 0, 4).Draw(t, "code")
		return "<pre><code" + class + ">" + strings.Join(lines, "\n") + "</code></pre>"
	case "ul", "ol", "blockquote":
		start := ""
		if kind == "ol" {
			start = rapid.SampledFrom([]string{"", ` start="0"`, ` start="7"`, ` start="999999999"`}).Draw(t, "start")
		}
		if kind == "blockquote" {
			return "<blockquote>" + drawFlow(t, depth-1) + "</blockquote>"
		}
		items := ""
		for range rapid.IntRange(1, 3).Draw(t, "items") {
			items += "<li>" + rapid.SampledFrom([]string{"", "words", "<p>words</p>"}).Draw(t, "first") + drawFlow(t, depth-1) + "</li>"
		}
		return "<" + kind + start + ">" + items + "</" + kind + ">"
	case "grid": // a table that Markdown knows
		columns := rapid.IntRange(1, 3).Draw(t, "columns")
		s := "<table><thead><tr>"
		for range columns {
			s += "<th>" + drawInline(t, 1) + "</th>"
		}
		s += "</tr></thead><tbody>"
		for range rapid.IntRange(0, 2).Draw(t, "rows") {
			s += "<tr>"
			for range columns {
				s += "<td>" + drawInline(t, 1) + "</td>"
			}
			s += "</tr>"
		}
		return s + "</tbody></table>"
	case "table":
		s := "<table>"
		for range rapid.IntRange(1, 3).Draw(t, "rows") {
			s += rapid.SampledFrom([]string{"", "<thead>", "<tbody>"}).Draw(t, "section") + "<tr>"
			for range rapid.IntRange(1, 3).Draw(t, "cells") {
				s += rapid.SampledFrom([]string{"<td>", "<th>", `<td colspan="2">`, `<th scope="row">`}).Draw(t, "cell") + drawFlow(t, depth-1)
			}
		}
		return s + "</table>"
	default:
		return "<" + kind + ">" + drawInline(t, 2) + "</" + kind + ">"
	}
}

func drawInline(t *rapid.T, depth int) string {
	var b strings.Builder
	for range rapid.IntRange(0, 4).Draw(t, "spans") {
		kinds := []string{"words", "words", "space", "mark", "br", "img", "any"}
		if depth > 0 {
			kinds = append(kinds, "em", "strong", "em", "strong", "b", "i", "u", "s", "del", "sub", "sup", "mark", "code", "code", "a", "a")
		}
		switch kind := rapid.SampledFrom(kinds).Draw(t, "span"); kind {
		case "words":
			b.WriteString(rapid.SampledFrom([]string{"word", "two words", "é", "日本", "a_b", "1", "x"}).Draw(t, "words"))
		case "space":
			b.WriteString(rapid.SampledFrom([]string{" ", " ", "\n", "&nbsp;", "\u2003"}).Draw(t, "space"))
		case "mark":
			b.WriteString(rapid.SampledFrom([]string{"#", "##", "-", "---", "+", "*", "**", "_", "`", "``", "~", "~~", "1.", "2)", "&gt;", "&lt;", "&lt;b&gt;",
				"[", "]", "(", ")", "](", "!", "|", "\\", "&amp;", "&amp;amp;", "=", "===", ":", "\"", "'", "^", "$", "    ", "[x]: y"}).Draw(t, "mark"))
		case "any":
			b.WriteString(html.EscapeString(rapid.String().Draw(t, "any")))
		case "br":
			b.WriteString("<br>")
		case "img":
			b.WriteString(rapid.SampledFrom([]string{`<img src="https://h/i">`, `<img src="https://h/i" alt="a*b|c" title="d&quot;e\">`, `<img src="https://h/(i" width="9">`}).Draw(t, "img"))
		case "a":
			href := rapid.SampledFrom([]string{"https://h/", "https://h/a(b)c_d*e", "https://h/?a=1&amp;b=2&amp;amp;", "mailto:a@h.example", "https://é/日"}).Draw(t, "href")
			title := rapid.SampledFrom([]string{"", ` title="t"`, ` title="&quot;|&amp;lt;\"`}).Draw(t, "title")
			inner := drawInline(t, depth-1)
			if rapid.IntRange(0, 4).Draw(t, "auto") == 0 {
				inner = href
			}
			b.WriteString(`<a href="` + href + `"` + title + ">" + inner + "</a>")
		case "code":
			class := rapid.SampledFrom([]string{"", "", ` class="language-sh"`}).Draw(t, "class")
			b.WriteString("<code" + class + ">" + drawInline(t, depth-1) + "</code>")
		default:
			b.WriteString("<" + kind + ">" + drawInline(t, depth-1) + "</" + kind + ">")
		}
	}
	return b.String()
}
