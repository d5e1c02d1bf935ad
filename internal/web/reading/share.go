package reading

import (
	"fmt"
	"strings"

	"github.com/a-h/templ"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/web/page"
)

// shareView is how a published stepsy is passed on.
type shareView struct {
	Title    string
	URL      string // the canonical one
	Embed    string // HTML for another page
	Markdown string // a link
}

// shareOf is the part of a stepsy's page that helps to pass it on. A draft has none:
// it has preview links.
func (p *Pages) shareOf(s stepsies.Stepsy) templ.Component {
	if s.Status != stepsies.StatusPublished {
		return templ.NopComponent
	}
	address := p.PublicURL + page.PublicPath(s)
	return share(shareView{
		Title: s.Title, URL: address, Embed: embedCode(address, s.Title, embedWidth, embedHeight),
		Markdown: "[" + markdownText.Replace(s.Title) + "](" + address + ")",
	})
}

// markdownText escapes what would mean something in the text of a link (CommonMark §2.4).
var markdownText = strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`, "`", "\\`", `*`, `\*`, `_`, `\_`, `<`, `\<`, `&`, `\&`, `!`, `\!`, `~`, `\~`)

// The size of an embedded stepsy, in CSS pixels, where nobody asks for another.
const (
	embedWidth  = 600
	embedHeight = 480
)

// embedCode is the HTML that shows a stepsy within a page of another site. The frame
// may do nothing but open links: its page has no script, and would get no further if
// it had.
func embedCode(address, title string, width, height int) string {
	return fmt.Sprintf(`<iframe src="%s/embed" title="%s" width="%d" height="%d" sandbox="allow-popups allow-popups-to-escape-sandbox" loading="lazy" style="border:0;max-width:100%%"></iframe>`,
		templ.EscapeString(address), templ.EscapeString(title), width, height)
}
