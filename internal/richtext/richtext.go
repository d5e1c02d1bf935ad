// Package richtext is the only door through which HTML becomes content: it
// sanitises what people and programs send, and turns content into Markdown and
// back.
//
// Sanitising has two stages that do not trust each other. Bluemonday drops every
// tag and attribute that is not on the list. What is left is built into a tree
// of a small grammar of our own (see builder), in which nothing is nested that
// an HTML parser would move, and that tree is written out. A browser therefore
// builds the very tree that was checked, and sanitising twice is sanitising
// once.
package richtext

import (
	"strings"

	"golang.org/x/net/html"

	"github.com/stepsies/stepsies"
)

// Sanitise returns what the allow-list lets through of raw HTML: headings,
// paragraphs, lists, emphasis, code, quotes, tables, links (http, https, mailto)
// and images (http, https). Tags outside of the list vanish and leave their text,
// except where the text is a program (script, style); what is wrongly nested is
// put right, and what is nested deeper than about a hundred levels becomes flat.
//
// Sanitising the result again changes nothing. The result is valid UTF-8 in
// Unicode NFC, without control characters but for tabs and line breaks. The time
// taken grows linearly with the input, and so does the result: it is never more
// than a small multiple of it.
func Sanitise(raw string) stepsies.Content {
	return stepsies.SanitisedContent(render(parse(raw)))
}

// parse returns the tree of what the allow-list lets through. Every node of it
// is allowed and stands where it may.
func parse(raw string) *html.Node {
	raw = strings.ToValidUTF8(raw, "\uFFFD")
	b := newBuilder(len(raw))
	z := html.NewTokenizer(strings.NewReader(policy.Sanitize(raw)))
	for z.Next() != html.ErrorToken {
		switch t := z.Token(); t.Type {
		case html.TextToken:
			b.text(t.Data)
		case html.StartTagToken, html.SelfClosingTagToken:
			b.start(t)
		case html.EndTagToken:
			b.end(t.DataAtom)
		}
	}
	tidy(b.root)
	return b.root
}
