package reading

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"html"
	"net/url"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// Bounds of a feed.
const (
	feedEntries = 20
	maxFeedText = 64 << 10 // bytes of the steps of one stepsy; longer ones are on its page alone
)

const atomType = "application/atom+xml; charset=utf-8"

// atomFeed is a feed (RFC 4287).
type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Lang    string      `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Sub     string      `xml:"subtitle,omitempty"`
	Updated string      `xml:"updated"`
	Author  *atomPerson `xml:"author"`
	Links   []atomLink  `xml:"link"`
	Entries []atomEntry `xml:"entry"`
}

type atomEntry struct {
	ID        string       `xml:"id"`
	Title     string       `xml:"title"`
	Published string       `xml:"published"`
	Updated   string       `xml:"updated"`
	Author    atomPerson   `xml:"author"`
	Category  atomCategory `xml:"category"`
	Link      atomLink     `xml:"link"`
	Summary   string       `xml:"summary,omitempty"`
	Content   *atomContent `xml:"content"`
}

type atomPerson struct {
	Name string `xml:"name"`
	URI  string `xml:"uri,omitempty"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
	Href string `xml:"href,attr"`
}

type atomCategory struct {
	Term  string `xml:"term,attr"`
	Label string `xml:"label,attr"`
}

type atomContent struct {
	Type string `xml:"type,attr"`
	HTML string `xml:",chardata"`
}

// Feed is what was published last, by everyone.
func (p *Pages) Feed(q *page.Request) error {
	found, err := p.Store.PublicStepsies(q.Context(), store.Newest, store.Page{Limit: feedEntries})
	if err != nil {
		return err
	}
	return p.feed(q, page.FeedPath, atomFeed{Title: "Stepsies", Sub: "The newest step-by-step guides"}, "/", found.Items, time.Unix(0, 0))
}

// AuthorFeed is what an author published last.
func (p *Pages) AuthorFeed(q *page.Request) error {
	author, err := p.publicAuthor(q)
	if err != nil {
		return err
	}
	found, err := p.Store.AuthorNewest(q.Context(), author.ID, store.Page{Limit: feedEntries})
	if err != nil {
		return err
	}
	f := atomFeed{Title: "Stepsies by " + author.DisplayName, Sub: author.Bio}
	f.Author = person(p.PublicURL, author.Username, author.DisplayName)
	return p.feed(q, page.AuthorPath(author.Username)+page.FeedPath, f, page.AuthorPath(author.Username), found.Items, author.CreatedAt)
}

// feed answers with the feed at self of these stepsies, which are on the page at path too;
// begun is when it was last changed where there are none. What it calls itself and its
// entries by stays when the public URL changes: to a reader, another id is another entry.
func (p *Pages) feed(q *page.Request, self string, f atomFeed, path string, list []stepsies.Stepsy, begun time.Time) error {
	list, err := p.Store.WithSteps(q.Context(), list, maxFeedText)
	if err != nil {
		return err
	}
	origin, err := p.Store.Origin(q.Context())
	if err != nil {
		return err
	}
	if origin == "" {
		origin = p.PublicURL
	}
	f.Lang, f.ID = "en", origin+self
	f.Links = []atomLink{{"self", "application/atom+xml", p.PublicURL + self}, {"alternate", "text/html", p.PublicURL + path}}
	for i, s := range list {
		if i == 0 || s.UpdatedAt.After(begun) {
			begun = s.UpdatedAt
		}
		f.Entries = append(f.Entries, p.entry(origin, s))
	}
	f.Updated = page.Machine(begun)
	return answerXML(q, atomType, f)
}

func (p *Pages) entry(origin string, s stepsies.Stepsy) atomEntry {
	e := atomEntry{
		ID: entryID(origin, s), Title: s.Title, Published: page.Machine(s.PublishedAt), Updated: page.Machine(s.UpdatedAt), Summary: s.Description,
		Author: *person(p.PublicURL, s.Username, s.DisplayName), Category: atomCategory{s.Category, page.CategoryName(s.Category)},
		Link: atomLink{"alternate", "text/html", p.PublicURL + page.PublicPath(s)},
	}
	if len(s.Steps) > 0 {
		e.Content = &atomContent{"html", stepsHTML(s, p.PublicURL+page.PublicPath(s))}
	} else if e.Summary == "" {
		e.Summary = page.Plural(s.StepsCount, "step") // an entry says something of itself (RFC 4287 §4.1.1.1)
	}
	return e
}

func person(origin, username, name string) *atomPerson {
	return &atomPerson{Name: name, URI: origin + page.AuthorPath(username)}
}

// entryID names a stepsy for ever, whatever its address becomes (RFC 4151).
func entryID(origin string, s stepsies.Stepsy) string {
	host := "localhost"
	if u, err := url.Parse(origin); err == nil && u.Hostname() != "" {
		host = strings.ReplaceAll(u.Hostname(), ":", "-") // an IPv6 address; the tag has none
	}
	return fmt.Sprintf("tag:%s,%s:stepsy-%d", host, s.CreatedAt.UTC().Format(time.DateOnly), s.ID)
}

// stepsHTML is all of a stepsy that is read. Each step leads to itself on the page, by its
// whole address: readers of feeds show what they hold elsewhere, and take its ids away.
func stepsHTML(s stepsies.Stepsy, address string) string {
	var b strings.Builder
	if s.Description != "" {
		b.WriteString("<p>" + html.EscapeString(s.Description) + "</p>")
	}
	for i, step := range s.Steps {
		fmt.Fprintf(&b, `<h2><a href="%s#%s">%d. %s</a></h2>%s`, html.EscapeString(address), page.StepAnchor(step), i+1, html.EscapeString(step.Title), step.Content.HTML())
	}
	return b.String()
}

// answerXML answers with a document of XML.
func answerXML(q *page.Request, mediaType string, document any) error {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	if err := xml.NewEncoder(&b).Encode(document); err != nil {
		return fmt.Errorf("write XML: %w", err)
	}
	return answerForPrograms(q, mediaType, b.Bytes())
}

// answerForPrograms answers with what search engines should not show: it has pages.
func answerForPrograms(q *page.Request, mediaType string, body []byte) error {
	q.W.Header().Set("X-Robots-Tag", "noindex")
	return q.Answer(mediaType, body)
}

// Robots tells programs that follow links where there is nothing for them, and where
// all pages are listed (RFC 9309).
func (p *Pages) Robots(q *page.Request) error {
	text := "User-agent: *\n"
	for _, path := range []string{
		page.DashboardPath, page.SignInPath, page.SignUpPath, page.ForgotPasswordPath, page.ResetPasswordPath, page.VerifyEmailPath, page.InvitationPath, page.WelcomePath,
		page.SearchPath, "/v1/", "/api/",
	} {
		text += "Disallow: " + path + "\n"
	}
	return q.Answer("text/plain; charset=utf-8", []byte(text+"\nSitemap: "+p.PublicURL+"/sitemap.xml\n"))
}
