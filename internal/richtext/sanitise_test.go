package richtext_test

import (
	"strings"
	"testing"

	"github.com/stepsies/stepsies/internal/richtext"
)

func TestOrdinaryContentComesBackByteForByte(t *testing.T) {
	for _, s := range []string{
		``,
		`Hello, world`,
		`<p>Before writing a single email...</p>`,
		`<p>It's "quoted" – and that's that: 'single' too</p>`,
		`<p>1 &lt; 2 &amp;&amp; 3 &gt; 2</p>`,
		`<p>a&nbsp;b</p>`,
		"<h2>Goals</h2>\n<p>One <strong>bold <em>and more</em></strong> word.</p>\n<hr>\n<p></p>",
		`<ul><li><p>one</p></li><li><p>two</p><ol start="3"><li>three</li></ol></li></ul>`,
		"<ul>\n  <li>one</li>\n  <li>two</li>\n</ul>",
		`<pre><code class="language-go">if a &lt; b {` + "\n\t\"x\"\n\n}\n</code></pre>",
		"<pre>\n\nstarts with an empty line</pre>",
		`<pre><code></code></pre>`,
		`<blockquote><p>said</p></blockquote>`,
		`<p>line<br>break <u>u</u><s>s</s><del>d</del><mark>m</mark> x<sup>2<sup>n</sup></sup> H<sub>2</sub>O <b>b</b><i>i</i></p>`,
		`<table><thead><tr><th scope="col">a</th><th colspan="2">b</th></tr></thead><tbody><tr><td rowspan="2">c</td><td>d</td></tr></tbody></table>`,
		`<p><img src="https://example.com/a.png" alt="A &quot;graph&quot;" title="t" width="640" height="480"></p>`,
		`<p><a href="https://example.com/a?b=1&amp;c=2#d" title="t" rel="nofollow ugc noopener">link</a></p>`,
		`<p><a href="mailto:a@example.com?subject=Hi" rel="nofollow ugc noopener">mail</a></p>`,
		`<p>日本語 🎉 café</p>`,
	} {
		if got := richtext.Sanitise(s).HTML(); got != s {
			t.Errorf("Sanitise(%q)\n     = %q", s, got)
		}
	}
}

func TestWhatIsNotAllowedVanishesAndLeavesItsText(t *testing.T) {
	const rel = ` rel="nofollow ugc noopener"`
	for in, want := range map[string]string{
		`a < b & c > d`:                             `a &lt; b &amp; c &gt; d`,
		`<p>x<script>alert(1)</script>y</p>`:        `<p>xy</p>`,
		`<style>p{}</style><p style="x" id="y">z`:   `<p>z</p>`,
		`<p onclick="alert(1)" class="c">x</p>`:     `<p>x</p>`,
		`<iframe src="https://evil"></iframe>x`:     `x`,
		`<svg onload=alert(1)><text>t</text></svg>`: `t`,
		`<a href="javascript:alert(1)">x</a>`:       `x`,
		`<a href=" java&#10;script:alert(1)">x</a>`: `x`,
		`<a href="data:text/html,x">x</a>`:          `x`,
		`<a href="/relative">x</a>`:                 `x`,
		`<a href="//host/x">x</a>`:                  `x`,
		`<a href="#part">x</a>`:                     `x`,
		`<a href="https:host">x</a>`:                `x`,
		`<a href="https://a@b/">x</a>`:              `x`,
		`<a href="mailto:">x</a>`:                   `x`,
		`<a href="HTTPS://h/a b" target=_blank>x`:   `<a href="https://h/a%20b"` + rel + `>x</a>`,
		`<a href="https://h/'&quot;\">x</a>`:        `<a href="https://h/%27%22%5C"` + rel + `>x</a>`,
		`<img src="x.png">a`:                        `a`,
		`<img src="data:image/png;base64,AA">a`:     `a`,
		`<img src=https://h/i onerror=alert(1)>`:    `<img src="https://h/i" alt="">`,
		`<img src=https://h/i width=100% height=9>`: `<img src="https://h/i" alt="" height="9">`,
		`<code class="language-go">x</code>`:        `<code class="language-go">x</code>`,
		`<code class="language-Go x">x</code>`:      `<code>x</code>`,
		`<ol start="1"><li>x</li></ol>`:             `<ol><li>x</li></ol>`,
		`<ol start="-1"><li>x</li></ol>`:            `<ol><li>x</li></ol>`,
		`<ol start="007"><li>x</li></ol>`:           `<ol start="7"><li>x</li></ol>`,
		`<strike>x</strike>`:                        `<s>x</s>`,
		"a\x00b\x07c\x7f\u0085d&#1;e&#13;f":         "abcde\nf",
		"a\r\nb\rc":                                 "a\nb\nc",
		"bad \xff utf8":                             "bad \uFFFD utf8",
		"e\u0301 e<foo></foo>\u0301":                "\u00e9 \u00e9",
		"<b>\u0338x</b>":                            "<b>&#824;x</b>",
		`<!-- c --><![CDATA[x]]>y<?php z ?>`:        `y`,
	} {
		if got := richtext.Sanitise(in).HTML(); got != want {
			t.Errorf("Sanitise(%q)\n     = %q\n  want %q", in, got, want)
		}
	}
}

func TestWrongNestingIsPutRightWithoutLosingText(t *testing.T) {
	for in, want := range map[string]string{
		`<b>one<p>two</p></b>three`:              `<b>one</b><p><b>two</b></p>three`,
		`<b>1<i>2</b>3</i>4`:                     `<b>1<i>2</i></b><i>3</i>4`,
		`<p><b>a<p>b`:                            `<p><b>a</b></p><p>b</p>`,
		`<b>a<b>b</b>c</b>d`:                     `<b>abc</b>d`,
		`<p>a<ul><li>b</ul>c`:                    `<p>a</p><ul><li>b</li></ul>c`,
		`<div>a</div><div><p>b</p>c</div>`:       `<p>a</p><p>b</p><p>c</p>`,
		`<div><div>a</div></div>b`:               `<p>a</p>b`,
		`<li>a<li>b`:                             `<ul><li>a</li><li>b</li></ul>`,
		`<ul><li>a</li><ul><li>b</li></ul></ul>`: `<ul><li>a<ul><li>b</li></ul></li></ul>`,
		`<ul>text<li>a</li></ul>`:                `<ul><li>text</li><li>a</li></ul>`,
		`<ul></ul>a<h2> </h2>b`:                  "a\nb",
		`<h2><p>a</p><p>b</p></h2>c`:             `<h2>a b</h2>c`,
		`<h2>a<h3>b`:                             `<h2>a</h2><h3>b</h3>`,
		`<table><tr><td>a<td>b<tr><td>c</table>`: `<table><tbody><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></tbody></table>`,
		`<table>a<td>b</table>`:                  `<table><tbody><tr><td>a</td><td>b</td></tr></tbody></table>`,
		`<td>a</td><td>b</td>`:                   `<p>a</p><p>b</p>`,
		`<table><td><ul><li>x<td>y</table>`:      `<table><tbody><tr><td><ul><li>x</li></ul></td><td>y</td></tr></tbody></table>`,
		`<pre>a<br>b<p>c</p><p>d</p></pre>e`:     "<pre>a\nb\nc\nd</pre>e",
		`<code><pre>x</pre></code>`:              `<pre><code>x</code></pre>`,
		`<a href="https://h/"><h3>T</h3>x</a>`: `<h3><a href="https://h/" rel="nofollow ugc noopener">T</a></h3>` +
			`<a href="https://h/" rel="nofollow ugc noopener">x</a>`,
		`<a href="https://h/">x<a href="https://i/">y</a>z</a>`: `<a href="https://h/" rel="nofollow ugc noopener">x</a>` +
			`<a href="https://i/" rel="nofollow ugc noopener">y</a>z`,
		`</p></div></table></b>x`: `x`,
	} {
		if got := richtext.Sanitise(in).HTML(); got != want {
			t.Errorf("Sanitise(%q)\n     = %q\n  want %q", in, got, want)
		}
	}
}

// TestHostileInputStaysLinear feeds a quarter of a megabyte of each shape that makes
// parsers slow or deep. Were one of them quadratic, it would not end in time.
func TestHostileInputStaysLinear(t *testing.T) {
	const size = 1 << 18
	longLink := `<a href="https://h/` + strings.Repeat("x", 4000) + `">`
	for name, in := range map[string]string{
		"b":             strings.Repeat("<b>", size/3),
		"b balanced":    strings.Repeat("<b>", size/8) + "x" + strings.Repeat("</b>", size/8),
		"sup":           strings.Repeat("<sup>x", size/6),
		"formats":       strings.Repeat("<b><i><u><s>x</b>", size/17),
		"blockquote":    strings.Repeat("<blockquote>", size/12),
		"quote text":    strings.Repeat("<blockquote>x", size/13),
		"ul":            strings.Repeat("<ul><li>", size/8),
		"table":         strings.Repeat("<table><tr><td>x", size/16),
		"div":           strings.Repeat("<div>", size/5),
		"div in h2":     "<h2>" + strings.Repeat("<div>x", size/6),
		"p":             strings.Repeat("<p>", size/3),
		"link in force": longLink + strings.Repeat("<p>x", size/4),
		"ends":          strings.Repeat("<ul><li><p><b>", 20) + strings.Repeat("</i></table></td>", size/18),
		"attributes":    "<p " + strings.Repeat("a=b ", size/4) + ">",
		"unclosed":      "<p " + strings.Repeat("<", size),
		"comments":      strings.Repeat("<!--", size/4),
		"entities":      strings.Repeat("&", size),
		"combining":     strings.Repeat("\u0301", size/2),
	} {
		t.Run(name, func(t *testing.T) {
			out := richtext.Sanitise(in).HTML()
			if limit := 8*len(in) + 1<<16; len(out) > limit {
				t.Errorf("%d bytes became %d", len(in), len(out))
			}
			if again := richtext.Sanitise(out).HTML(); again != out {
				t.Error("sanitising the result changes it")
			}
			checkHarmless(t, out)
		})
	}
}

func TestBalancedTagsBeyondTheDepthStayBalanced(t *testing.T) {
	for _, tag := range []string{"b", "sup", "blockquote", "div"} {
		in := strings.Repeat("<"+tag+">", 1000) + "in" + strings.Repeat("</"+tag+">", 1000) + "out"
		out := richtext.Sanitise(in).HTML()
		if !strings.HasSuffix(out, ">out") {
			t.Errorf("%s: %q", tag, out)
		}
	}
}

func BenchmarkSanitise10KB(b *testing.B) {
	part := `<h2>Define Your Sequence Goal</h2><p>Before writing a <strong>single</strong> email, it's good to know <em>why</em>: ` +
		`<a href="https://example.com/goals?x=1&amp;y=2">goals</a>.</p><ul><li><p>one</p></li><li><p>two</p></li></ul>` +
		`<pre><code class="language-go">fmt.Println("a &lt; b")` + "\n" + `</code></pre>`
	in := strings.Repeat(part, 10*1024/len(part))
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		richtext.Sanitise(in)
	}
}
