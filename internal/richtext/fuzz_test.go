package richtext_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/text/unicode/norm"

	"github.com/stepsies/stepsies/internal/richtext"
)

// FuzzSanitise looks for input of which something survives that is not on the
// list, or that sanitising twice does not leave alone.
func FuzzSanitise(f *testing.F) {
	for _, s := range payloads {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		out := richtext.Sanitise(raw).HTML()
		checkHarmless(t, out)
		if again := richtext.Sanitise(out).HTML(); again != out {
			t.Errorf("sanitising is not idempotent:\n first %q\nsecond %q", out, again)
		}
		checkText(t, out)
	})
}

// payloads are attacks on sanitisers, each of a kind of its own.
var payloads = []string{
	`<script>alert(1)</script>`,
	`<scr<script>ipt>alert(1)</scr</script>ipt>`,
	`<SCRIPT SRC=https://evil.example/x.js></SCRIPT>`,
	`<script/x>alert(1)</script >`,
	`<img src=x onerror=alert(1)>`,
	`<img src="https://h/x" onerror="alert(1)" style="width:1px" id=x name=y>`,
	"<img src=\"https://h/x\"\x0conerror=alert(1)>",
	`<img/src="https://h/x"/onerror=alert(1)//>`,
	`<img src="https://h/x" alt="" onerror=alert(1) x="">`,
	"<img src=https://h/x alt=`\"><script>alert(1)</script>`>",
	`<svg><script>alert(1)</script></svg>`,
	`<svg onload=alert(1)>`,
	`<svg><style><img src=x onerror=alert(1)></style></svg>`,
	`<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">`,
	`<svg><a xlink:href="javascript:alert(1)"><text y=20>x</text></a></svg>`,
	`<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">`,
	`<math><mi><mglyph><style><img src=x onerror=alert(1)></style></mglyph></mi></math>`,
	`<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>`,
	`<noscript><p title="</noscript><img src=x onerror=alert(1)>">`,
	`<noscript><style></noscript><img src=x onerror=alert(1)></style></noscript>`,
	`<template><script>alert(1)</script></template>`,
	`<template><style></template><img src=x onerror=alert(1)>`,
	`<textarea><img title="</textarea><img src=x onerror=alert(1)>"></textarea>`,
	`<title><img title="</title><img src=x onerror=alert(1)>">`,
	`<xmp><p title="</xmp><svg/onload=alert(1)>">`,
	`<noembed><img title="</noembed><img src=x onerror=alert(1)>">`,
	`<plaintext><script>alert(1)</script>`,
	`<iframe srcdoc="<script>alert(1)</script>"></iframe>`,
	`<iframe src="javascript:alert(1)">`,
	`<object data="javascript:alert(1)"><embed src=x></object>`,
	`</object><object>x</object>y`,
	`<base href="javascript:alert(1)//"><a href="/x">x</a>`,
	`<meta http-equiv=refresh content="0;url=javascript:alert(1)">`,
	`<link rel=stylesheet href=https://evil.example/x.css>`,
	`<style>@import 'https://evil.example/x.css';</style>`,
	`<p style="background:url(javascript:alert(1))">x</p>`,
	`<a href="javascript:alert(1)">x</a>`,
	`<a href="JaVaScRiPt:alert(1)">x</a>`,
	"<a href=\"java\tscript:alert(1)\">x</a>",
	"<a href=\"\x01javascript:alert(1)\">x</a>",
	`<a href="&#106;&#97;vascript&colon;alert(1)">x</a>`,
	`<a href="javascript&#x3a;alert(1)">x</a>`,
	`<a href="vbscript:msgbox(1)">x</a>`,
	`<a href="data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==">x</a>`,
	`<a href="https://h/&quot; onclick=&quot;alert(1)">x</a>`,
	`<a href="https:\\evil.example">x</a>`,
	`<a href="https://h/" onmouseover="alert(1)" target="_blank">x</a>`,
	`<a href=https://h/ href=javascript:alert(1)>x</a>`,
	`<a href="mailto:a@b?body=<script>">x</a>`,
	`<!--><img src=x onerror=alert(1)>-->`,
	`<!--a--!><img src=x onerror=alert(1)>-->`,
	`<![CDATA[><img src=x onerror=alert(1)>]]>`,
	`<?xml ><img src=x onerror=alert(1)>?>`,
	`</ x><img src=x onerror=alert(1)>`,
	`<b/><i/>x</b>y`,
	`<table><td><table></td><p>x</table></table>`,
	`<table><caption><svg><title><p><style></title><img src=x onerror=alert(1)>`,
	`<select><option><style></select><img src=x onerror=alert(1)></style>`,
	`<ul><b><li>x<ol></b><td>y</ul></ol>z`,
	`<p><table><b>x</p></table></b>`,
	`<a href="https://h/"><table><td><a href="https://i/">x</table>y`,
	"<pre>\n\n<code>\n</pre>\n",
	`<pre><code class="language-go"><b></code>x</pre>y`,
	`<h1><pre><h2><div><p>a</div></pre>`,
	"e\u0301<b>\u0338</b>\u212b\u037e",
	"\x00<\x00script>alert(1)</script>\xff\xfe",
	`&lt;script&gt;alert(1)&lt;/script&gt;`,
	`&amp;lt;img src=x onerror=alert(1)&amp;gt;`,
	`<p title='"><script>alert(1)</script>'>x</p>`,
	`<div><h2><div>a</div>b</h2></div><section>c`,
	`<x-y onclick=alert(1)>custom</x-y>`,
	`<IMG """><SCRIPT>alert(1)</SCRIPT>">`,
	`<a title="a&#10;b" href="http://[::1]:8080/%zz">x</a>`,
}

// permitted are the elements and attributes that content may have, written out
// here once more so that a slip in the package does not excuse itself.
var permitted = map[string]string{
	"h1": "", "h2": "", "h3": "", "h4": "", "h5": "", "h6": "", "p": "", "br": "", "hr": "", "ul": "", "ol": "start", "li": "",
	"strong": "", "b": "", "em": "", "i": "", "u": "", "s": "", "del": "", "sub": "", "sup": "", "mark": "",
	"code": "class", "pre": "", "blockquote": "", "table": "", "thead": "", "tbody": "", "tr": "",
	"td": "colspan rowspan", "th": "colspan rowspan scope", "a": "href title rel", "img": "src alt title width height",
}

var (
	tagShape   = regexp.MustCompile(`^</?[a-z][a-z0-9]*( [a-z]+="[^"<>]*")*>`)
	valueShape = map[string]*regexp.Regexp{
		"start": regexp.MustCompile(`^[0-9]{1,9}$`), "colspan": regexp.MustCompile(`^[0-9]{1,2}$`), "rowspan": regexp.MustCompile(`^[0-9]{1,2}$`),
		"width": regexp.MustCompile(`^[0-9]{1,4}$`), "height": regexp.MustCompile(`^[0-9]{1,4}$`),
		"scope": regexp.MustCompile(`^(row|col)(group)?$`), "class": regexp.MustCompile(`^language-[a-z0-9+-]+$`),
		"rel": regexp.MustCompile(`^nofollow ugc noopener$`),
	}
)

// checkHarmless parses content as browsers do, with and without scripting and at
// several places of a page, and refuses all that is not permitted. It also
// refuses trees that parsers had to mend: what was checked must be what is shown.
func checkHarmless(t *testing.T, out string) {
	t.Helper()
	for i := strings.IndexByte(out, '<'); i >= 0; {
		if !tagShape.MatchString(out[i:]) {
			t.Fatalf("a tag that is not plain: %.80q in %q", out[i:], out)
		}
		next := strings.IndexByte(out[i+1:], '<')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	for _, scripting := range []bool{true, false} {
		doc, err := html.ParseWithOptions(strings.NewReader("<!doctype html><html><head></head><body><article>"+out+"</article></body></html>"), html.ParseOptionEnableScripting(scripting))
		if err != nil {
			t.Fatalf("a parser refuses it: %v", err)
		}
		article := find(doc, "article")
		if article == nil || article.NextSibling != nil {
			t.Fatalf("content breaks out of where it stands: %q", out)
		}
		for c := article.FirstChild; c != nil; c = c.NextSibling {
			checkNode(t, c)
		}
		var b strings.Builder
		for c := article.FirstChild; c != nil; c = c.NextSibling {
			if err := html.Render(&b, c); err != nil {
				t.Fatal(err)
			}
		}
		if again := richtext.Sanitise(b.String()).HTML(); again != out {
			t.Fatalf("a parser makes another tree of it:\n wrote %q\nparsed %q", out, b.String())
		}
	}
}

func checkNode(t *testing.T, n *html.Node) {
	t.Helper()
	if n.Type == html.TextNode {
		return
	}
	names, ok := permitted[n.Data]
	if n.Type != html.ElementNode || !ok || n.Namespace != "" {
		t.Fatalf("node %v %q survived", n.Type, n.Data)
	}
	for _, a := range n.Attr {
		if !strings.Contains(" "+names+" ", " "+a.Key+" ") {
			t.Fatalf("attribute %s of %s survived", a.Key, n.Data)
		}
		if shape := valueShape[a.Key]; shape != nil && !shape.MatchString(a.Val) {
			t.Fatalf("value %q of %s survived", a.Val, a.Key)
		}
		if a.Key == "href" || a.Key == "src" {
			u, err := url.Parse(a.Val)
			if err != nil || u.Scheme != "http" && u.Scheme != "https" && (u.Scheme != "mailto" || a.Key == "src") {
				t.Fatalf("address %q survived", a.Val)
			}
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		checkNode(t, c)
	}
}

func find(n *html.Node, name string) *html.Node {
	if n.Data == name {
		return n
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if found := find(c, name); found != nil {
			return found
		}
	}
	return nil
}

// checkText refuses what the domain refuses in stored text.
func checkText(t *testing.T, out string) {
	t.Helper()
	control := func(r rune) bool { return unicode.IsControl(r) && r != '\t' && r != '\n' }
	if !utf8.ValidString(out) || strings.ContainsFunc(out, control) || strings.ContainsFunc(html.UnescapeString(out), control) {
		t.Errorf("not plain UTF-8: %q", out)
	}
	if !norm.NFC.IsNormalString(out) {
		t.Errorf("not in NFC: %q", out)
	}
}
