package richtext

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/text/unicode/norm"
)

// kind says what an element may hold and where it may stand.
type kind int

const (
	unknown   kind = iota // not on the list
	flow                  // holds blocks and inline content: quotes, list items, cells
	phrase                // a block that holds inline content only: paragraphs, headings, pre
	structure             // holds certain blocks only: lists, tables and their parts
	formatted             // inline, holds inline content
	point                 // inline, holds nothing: br, img
	rule                  // a block that holds nothing: hr
	box                   // not kept, but its borders part blocks: div and its kin
)

// attribute is one that may be kept: check returns its canonical value and
// whether it is acceptable.
type attribute struct {
	name  string
	check func(string) (string, bool)
}

type element struct {
	kind  kind
	attrs []attribute // in the order in which they are written
}

// elements is the allow-list.
var elements = map[atom.Atom]element{
	atom.P: {kind: phrase}, atom.Pre: {kind: phrase},
	atom.H1: {kind: phrase}, atom.H2: {kind: phrase}, atom.H3: {kind: phrase},
	atom.H4: {kind: phrase}, atom.H5: {kind: phrase}, atom.H6: {kind: phrase},
	atom.Hr: {kind: rule},

	atom.Blockquote: {kind: flow},
	atom.Ul:         {kind: structure},
	atom.Ol:         {kind: structure, attrs: []attribute{{"start", listStart}}},
	atom.Li:         {kind: flow},

	atom.Table: {kind: structure}, atom.Thead: {kind: structure}, atom.Tbody: {kind: structure}, atom.Tr: {kind: structure},
	atom.Td: {kind: flow, attrs: []attribute{{"colspan", span}, {"rowspan", span}}},
	atom.Th: {kind: flow, attrs: []attribute{{"colspan", span}, {"rowspan", span}, {"scope", scope}}},

	atom.Strong: {kind: formatted}, atom.B: {kind: formatted}, atom.Em: {kind: formatted}, atom.I: {kind: formatted},
	atom.U: {kind: formatted}, atom.S: {kind: formatted}, atom.Del: {kind: formatted}, atom.Mark: {kind: formatted},
	atom.Sub: {kind: formatted}, atom.Sup: {kind: formatted},
	atom.Code: {kind: formatted, attrs: []attribute{{"class", language}}},
	atom.A:    {kind: formatted, attrs: []attribute{{"href", linkURL}, {"title", words}}},

	atom.Br:  {kind: point},
	atom.Img: {kind: point, attrs: []attribute{{"src", imageURL}, {"alt", words}, {"title", words}, {"width", pixels}, {"height", pixels}}},

	atom.Address: {kind: box}, atom.Article: {kind: box}, atom.Aside: {kind: box}, atom.Caption: {kind: box},
	atom.Center: {kind: box}, atom.Dd: {kind: box}, atom.Details: {kind: box}, atom.Div: {kind: box}, atom.Dl: {kind: box},
	atom.Dt: {kind: box}, atom.Fieldset: {kind: box}, atom.Figcaption: {kind: box}, atom.Figure: {kind: box},
	atom.Footer: {kind: box}, atom.Form: {kind: box}, atom.Header: {kind: box}, atom.Main: {kind: box}, atom.Nav: {kind: box},
	atom.Section: {kind: box}, atom.Summary: {kind: box},
}

// synonyms are elements kept under another name.
var synonyms = map[atom.Atom]atom.Atom{atom.Strike: atom.S, atom.Tfoot: atom.Tbody}

// linkRel is what every link carries: search engines are told that a user wrote
// it, and the page it opens gets no handle on ours.
var linkRel = html.Attribute{Key: "rel", Val: "nofollow ugc noopener"}

// policy drops what is not on the list, before anything else looks at the input.
// It checks no values: bluemonday rewrites addresses, and not the same way twice.
var policy = newPolicy()

func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	for tag, e := range elements {
		p.AllowElements(tag.String())
		for _, a := range e.attrs {
			p.AllowAttrs(a.name).OnElements(tag.String())
		}
		p.AllowNoAttrs().OnElements(tag.String())
	}
	for tag := range synonyms {
		p.AllowElements(tag.String())
		p.AllowNoAttrs().OnElements(tag.String())
	}
	return p
}

// attributes returns the acceptable ones among attrs, in their order on the
// list, each at most once, and false if the element makes no sense without one
// that is missing.
func attributes(tag atom.Atom, attrs []html.Attribute) ([]html.Attribute, bool) {
	allowed := elements[tag].attrs
	if len(allowed) == 0 {
		return nil, true
	}
	var kept []html.Attribute
	for _, a := range allowed {
		i := slices.IndexFunc(attrs, func(given html.Attribute) bool { return given.Key == a.name && given.Namespace == "" })
		if i < 0 {
			continue
		}
		if value, ok := a.check(attrs[i].Val); ok {
			kept = append(kept, html.Attribute{Key: a.name, Val: value})
		}
	}
	switch tag {
	case atom.A:
		if !has(kept, "href") {
			return nil, false
		}
		kept = append(kept, linkRel)
	case atom.Img:
		if !has(kept, "src") {
			return nil, false
		}
		if !has(kept, "alt") {
			kept = slices.Insert(kept, 1, html.Attribute{Key: "alt"})
		}
	}
	return kept, true
}

func has(attrs []html.Attribute, name string) bool {
	return slices.ContainsFunc(attrs, func(a html.Attribute) bool { return a.Key == name })
}

// maxStart is the highest number of a list's item that CommonMark knows.
const maxStart = 999_999_999

// listStart accepts the number of a list's first item, up to nine digits.
// 1 is left out, being the default.
func listStart(s string) (string, bool) {
	n, ok := number(s, maxStart)
	return strconv.Itoa(n), ok && n != 1
}

// span accepts how many columns or rows a cell takes, 2 to 99.
func span(s string) (string, bool) {
	n, ok := number(s, 99)
	return strconv.Itoa(n), ok && n > 1
}

// pixels accepts a size of 1 to 9999.
func pixels(s string) (string, bool) {
	n, ok := number(s, 9999)
	return strconv.Itoa(n), ok && n > 0
}

func number(s string, most int) (int, bool) {
	s = strings.Trim(s, " \t\n\r")
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n <= most
}

func scope(s string) (string, bool) {
	switch s {
	case "row", "col", "rowgroup", "colgroup":
		return s, true
	}
	return "", false
}

var languageClass = regexp.MustCompile(`^language-[a-z0-9+-]{1,40}$`)

// language accepts the class that names the language of code.
func language(s string) (string, bool) { return s, languageClass.MatchString(s) }

// words accepts any text, as a single line.
func words(s string) (string, bool) {
	s = norm.NFC.String(strings.Join(strings.Fields(visible(s)), " "))
	return s, s != ""
}
