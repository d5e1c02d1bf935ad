package foldersync_test

import (
	"fmt"
	"html"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stepsies/stepsies/client"
	"github.com/stepsies/stepsies/internal/foldersync"
	"github.com/stepsies/stepsies/internal/richtext"
)

func openFolder(dir folder) (*foldersync.Folder, error) {
	return foldersync.Open([]string{string(dir)})
}

// TestPullPushPullIsStable draws stepsies of everything that the sanitiser allows,
// and takes them through the real server: what was pulled is not pushed again, and
// what was pushed, all of it, is pulled as the same bytes.
func TestPullPushPullIsStable(t *testing.T) {
	in := open(t)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		want := client.NewStepsy{
			Title: line(rt, "title"), Slug: fmt.Sprintf("drawn-%d", n), Description: prose(rt, "description"),
			Category: rapid.SampledFrom([]string{"", "marketing"}).Draw(rt, "category"), Featured: rapid.Bool().Draw(rt, "featured"),
		}
		for range rapid.IntRange(0, 3).Draw(rt, "steps") {
			want.Steps = append(want.Steps, client.StepInput{Title: line(rt, "step"), Content: blocks(rt, 2)})
		}
		if len(want.Steps) > 0 && rapid.Bool().Draw(rt, "published") {
			want.Status = client.StatusPublished
		}
		made, err := in.CreateStepsy(t.Context(), want)
		if err != nil {
			rt.Fatalf("%v: %+v", err, want)
		}
		name := made.Slug + ".md"
		first, second := folder(t.TempDir()), folder(t.TempDir())
		expectIn(rt, first.pull(t, in, false, name), name+" create")
		pulled := first.files(t)
		expectIn(rt, first.push(t, in, false, name), name+" unchanged")
		if now, err := in.GetStepsy(t.Context(), made.ID); err != nil || now.ETag != made.ETag {
			rt.Fatalf("a push after a pull has written: %v", err)
		}
		// Every step is written from its file: the server forgets them in between.
		draft, err := in.UnpublishStepsy(t.Context(), made.ID)
		if err != nil {
			rt.Fatal(err)
		}
		if _, err := in.UpdateStepsy(t.Context(), draft.ID, client.StepsyChange{
			Title: client.Set("Emptied"), Description: client.Set("Emptied"), Steps: client.Set([]client.StepInput{}),
		}); err != nil {
			rt.Fatal(err)
		}
		first.push(t, in, true, name)
		now, err := in.GetStepsy(t.Context(), made.ID)
		if err != nil || now.Title != made.Title || now.Description != made.Description || now.Status != made.Status || len(now.Steps) != len(made.Steps) {
			rt.Fatalf("%v: made %+v\n now %+v", err, made, now)
		}
		for i, s := range made.Steps {
			if is := now.Steps[i]; is.Title != s.Title || richtext.Settled(is.Content) != richtext.Settled(s.Content) {
				rt.Fatalf("step %d: made %q\n now %q", i, s.Content, is.Content)
			}
		}
		expectIn(rt, second.pull(t, in, false, name), name+" create")
		if again := second.files(t); !maps.Equal(again, pulled) {
			rt.Fatalf("pulled %q\nagain %q", pulled[name], again[name])
		}
		if err := in.DeleteStepsy(t.Context(), made.ID); err != nil {
			rt.Fatal(err)
		}
	})
}

func expectIn(t *rapid.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func line(t *rapid.T, label string) string {
	return rapid.OneOf(
		rapid.StringMatching(`[#*_\-+>~:'"\\&<|\[\]a-c ]{0,8}x[#*_\-:'"\\&> a-c]{0,8}`),
		rapid.StringMatching(`[\pL\pN\pP\pS]{1,20}`),
		rapid.SampledFrom([]string{"null", "true", "~", "0x1", "2024-01-01", "---", "## a", "a # b ##", "- a", "{a}", "@a", "é", "e\u0301", "🎉", "<b>x</b>"}),
	).Draw(t, label)
}

func prose(t *rapid.T, label string) string {
	lines := rapid.SliceOfN(rapid.SampledFrom([]string{"", "---", " x", "x ", "\tx", "a: b", "# c", "'", "\"d\"", "é 日本", "- e", "…"}), 0, 4).Draw(t, label)
	return strings.Join(lines, "\n")
}

// blocks draws HTML of all elements that the allow-list and the editor know, well
// nested and not.
func blocks(t *rapid.T, depth int) string {
	var b strings.Builder
	for range rapid.IntRange(0, 3).Draw(t, "blocks") {
		kinds := []string{"p", "p", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "pre", "code", "text", "div", "script"}
		if depth > 0 {
			kinds = append(kinds, "ul", "ol", "blockquote", "table", "grid")
		}
		kind := rapid.SampledFrom(kinds).Draw(t, "block")
		switch kind {
		case "hr":
			b.WriteString("<hr>")
		case "text":
			b.WriteString(spans(t, 2))
		case "pre":
			b.WriteString("<pre>\n" + spans(t, 1) + "</pre>")
		case "script":
			b.WriteString("<script>x</script><p onclick=x style=x>" + spans(t, 1))
		case "code":
			class := rapid.SampledFrom([]string{"", ` class="language-go"`, ` class="language-c++"`}).Draw(t, "class")
			lines := rapid.SliceOfN(rapid.SampledFrom([]string{"", "x", "  y", "```", "## z", "~~~", "&lt;b&gt;", "\tt", "- l"}), 0, 4).Draw(t, "code")
			b.WriteString("<pre><code" + class + ">" + strings.Join(lines, "\n") + "</code></pre>")
		case "ul", "ol":
			start := rapid.SampledFrom([]string{"", ` start="0"`, ` start="7"`}).Draw(t, "start")
			b.WriteString("<" + kind + start + ">")
			for range rapid.IntRange(1, 3).Draw(t, "items") {
				b.WriteString("<li>" + rapid.SampledFrom([]string{"", "words", "<p>words</p>"}).Draw(t, "first") + blocks(t, depth-1) + "</li>")
			}
			b.WriteString("</" + kind + ">")
		case "blockquote", "div":
			b.WriteString("<" + kind + ">" + blocks(t, depth-1) + "</" + kind + ">")
		case "table":
			b.WriteString("<table>")
			for range rapid.IntRange(1, 2).Draw(t, "rows") {
				b.WriteString(rapid.SampledFrom([]string{"", "<thead>", "<tbody>"}).Draw(t, "part") + "<tr>")
				for range rapid.IntRange(1, 3).Draw(t, "cells") {
					b.WriteString(rapid.SampledFrom([]string{"<td>", "<th>", `<td colspan="2">`, `<td rowspan="2">`, `<th scope="row">`}).Draw(t, "cell") + blocks(t, depth-1))
				}
			}
			b.WriteString("</table>")
		case "grid":
			b.WriteString("<table><thead><tr><th>" + spans(t, 1) + "</th><th>" + spans(t, 1) + "</th></tr></thead><tbody><tr><td>" + spans(t, 1) + "</td><td>" + spans(t, 1) + "</td></tr></tbody></table>")
		default:
			b.WriteString("<" + kind + ">" + spans(t, 2) + "</" + kind + ">")
		}
	}
	return b.String()
}

func spans(t *rapid.T, depth int) string {
	var b strings.Builder
	for range rapid.IntRange(0, 4).Draw(t, "spans") {
		kinds := []string{"words", "words", "mark", "br", "img", "any"}
		if depth > 0 {
			kinds = append(kinds, "em", "strong", "b", "i", "u", "s", "strike", "del", "sub", "sup", "mark-up", "code", "a")
		}
		switch kind := rapid.SampledFrom(kinds).Draw(t, "span"); kind {
		case "words":
			b.WriteString(rapid.SampledFrom([]string{"word", "two words", " ", "\n", "&nbsp;", "é", "日本", "a_b", "1"}).Draw(t, "words"))
		case "mark":
			b.WriteString(rapid.SampledFrom([]string{"#", "##", "-", "---", "+", "*", "**", "_", "`", "~", "~~", "1.", "2)", "&gt;", "&lt;b&gt;",
				"[", "]", "](", "!", "|", "\\", "&amp;amp;", "===", ":", "\"", "    ", "[x]: y"}).Draw(t, "mark"))
		case "any":
			b.WriteString(html.EscapeString(strings.Map(noControl, rapid.String().Draw(t, "any"))))
		case "br":
			b.WriteString("<br>")
		case "img":
			b.WriteString(rapid.SampledFrom([]string{`<img src="https://h/i">`, `<img src="https://h/i" alt="a*b|c" title="d&quot;e">`, `<img src="https://h/(i" width="9" height="8">`}).Draw(t, "img"))
		case "a":
			href := rapid.SampledFrom([]string{"https://h/", "http://h/a(b)c_d*e", "https://h/?a=1&amp;b=2", "mailto:a@h.example", "javascript:x"}).Draw(t, "href")
			b.WriteString(`<a href="` + href + `" title="t">` + spans(t, depth-1) + "</a>")
		case "code":
			b.WriteString(rapid.SampledFrom([]string{"<code>", `<code class="language-sh">`}).Draw(t, "class") + spans(t, depth-1) + "</code>")
		case "mark-up":
			b.WriteString("<mark>" + spans(t, depth-1) + "</mark>")
		default:
			b.WriteString("<" + kind + ">" + spans(t, depth-1) + "</" + kind + ">")
		}
	}
	return b.String()
}

func noControl(r rune) rune {
	if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0xFFFD {
		return ' '
	}
	return r
}
