package reading

import (
	"html"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/web/page"
)

// metadata is what the head of a published stepsy tells other sites and search
// engines, beyond its description and canonical address.
type metadata struct {
	Stepsy      stepsies.Stepsy
	URL         string // the canonical one
	AuthorURL   string
	Description string // of one line, never empty
	Image       string // an absolute address
	OwnImage    bool   // the image is the author's, not the card of this program
	Origin      string // the public URL
}

// metadataOf is for the head of the stepsy's page. A draft tells nothing.
func (p *Pages) metadataOf(s stepsies.Stepsy) templ.Component {
	if s.Status != stepsies.StatusPublished {
		return templ.NopComponent
	}
	m := metadata{
		Stepsy: s, URL: p.PublicURL + page.PublicPath(s), AuthorURL: p.PublicURL + page.AuthorPath(s.Username),
		Description: summary(s), Image: firstImage(s.Steps), Origin: p.PublicURL,
	}
	if m.OwnImage = m.Image != ""; !m.OwnImage {
		m.Image = p.PublicURL + page.AssetURL("card.png")
	}
	return metadataHead(m)
}

// The card that stands for a stepsy without an image, in pixels.
const (
	cardWidth  = "1200"
	cardHeight = "630"
)

// maxSummary is how much of a description other sites are given, in characters.
const maxSummary = 300

// summary is a stepsy in a line: its description, or else the titles of its steps.
func summary(s stepsies.Stepsy) string {
	if text := page.Excerpt(s.Description, maxSummary); text != "" {
		return text
	}
	var titles []string
	for _, step := range s.Steps[:min(len(s.Steps), 10)] {
		titles = append(titles, step.Title)
	}
	return page.Excerpt(page.Plural(s.StepsCount, "step")+": "+strings.Join(titles, " · "), maxSummary)
}

// firstImage is the first image in the steps that any site may show, "" without one.
func firstImage(steps []stepsies.Step) string {
	for _, step := range steps {
		rest := step.Content.HTML()
		for {
			_, after, found := strings.Cut(rest, `<img src="`) // sanitised HTML writes images so, and no text like it
			if !found {
				break
			}
			var src string
			src, rest, _ = strings.Cut(after, `"`)
			if src = html.UnescapeString(src); strings.HasPrefix(src, "https://") {
				return src
			}
		}
	}
	return ""
}

// exportURL is the address of a published stepsy in another form: ".md", ".json".
func (m metadata) exportURL(extension string) string { return m.URL + extension }

// oEmbedURL is where a site that is given the stepsy's address finds how to embed it.
func (m metadata) oEmbedURL() string {
	return m.Origin + "/oembed?format=json&url=" + url.QueryEscape(m.URL)
}
