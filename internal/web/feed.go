package web

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

// siteFeed is what was published last, by everyone.
func (web *Web) siteFeed(q *request) error {
	found, err := web.Store.PublicStepsies(q.Context(), store.Newest, store.Page{Limit: feedEntries})
	if err != nil {
		return err
	}
	return web.feed(q, atomFeed{ID: web.PublicURL + feedPath, Title: "Stepsies", Sub: "The newest step-by-step guides"}, "/", found.Items, time.Unix(0, 0))
}

// authorFeed is what an author published last.
func (web *Web) authorFeed(q *request) error {
	author, err := q.publicAuthor()
	if err != nil {
		return err
	}
	found, err := web.Store.AuthorNewest(q.Context(), author.ID, store.Page{Limit: feedEntries})
	if err != nil {
		return err
	}
	f := atomFeed{ID: web.PublicURL + authorPath(author.Username) + feedPath, Title: "Stepsies by " + author.DisplayName, Sub: author.Bio}
	f.Author = web.person(author.Username, author.DisplayName)
	return web.feed(q, f, authorPath(author.Username), found.Items, author.CreatedAt)
}

// feed answers with a feed of these stepsies; begun is when it was last changed where
// there are none.
func (web *Web) feed(q *request, f atomFeed, path string, list []stepsies.Stepsy, begun time.Time) error {
	list, err := web.Store.WithSteps(q.Context(), list, maxFeedText)
	if err != nil {
		return err
	}
	f.Lang = "en"
	f.Links = []atomLink{{"self", "application/atom+xml", f.ID}, {"alternate", "text/html", web.PublicURL + path}}
	for i, s := range list {
		if i == 0 || s.UpdatedAt.After(begun) {
			begun = s.UpdatedAt
		}
		f.Entries = append(f.Entries, web.entry(s))
	}
	f.Updated = machine(begun)
	return q.answerXML(atomType, f)
}

func (web *Web) entry(s stepsies.Stepsy) atomEntry {
	e := atomEntry{
		ID: web.entryID(s), Title: s.Title, Published: machine(s.PublishedAt), Updated: machine(s.UpdatedAt), Summary: s.Description,
		Author: *web.person(s.Username, s.DisplayName), Category: atomCategory{s.Category, categoryName(s.Category)},
		Link: atomLink{"alternate", "text/html", web.PublicURL + publicPath(s)},
	}
	if len(s.Steps) > 0 {
		e.Content = &atomContent{"html", stepsHTML(s)}
	} else if e.Summary == "" {
		e.Summary = plural(s.StepsCount, "step") // an entry says something of itself (RFC 4287 §4.1.1.1)
	}
	return e
}

func (web *Web) person(username, name string) *atomPerson {
	return &atomPerson{Name: name, URI: web.PublicURL + authorPath(username)}
}

// entryID names a stepsy for ever, whatever its address becomes (RFC 4151).
func (web *Web) entryID(s stepsies.Stepsy) string {
	host := "localhost"
	if u, err := url.Parse(web.PublicURL); err == nil && u.Hostname() != "" {
		host = strings.ReplaceAll(u.Hostname(), ":", "-") // an IPv6 address; the tag has none
	}
	return fmt.Sprintf("tag:%s,%s:stepsy-%d", host, s.CreatedAt.UTC().Format(time.DateOnly), s.ID)
}

// stepsHTML is all of a stepsy that is read.
func stepsHTML(s stepsies.Stepsy) string {
	var b strings.Builder
	if s.Description != "" {
		b.WriteString("<p>" + html.EscapeString(s.Description) + "</p>")
	}
	for i, step := range s.Steps {
		fmt.Fprintf(&b, "<h2>%d. %s</h2>%s", i+1, html.EscapeString(step.Title), step.Content.HTML())
	}
	return b.String()
}

// answerXML answers with a document of XML.
func (q *request) answerXML(mediaType string, document any) error {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	if err := xml.NewEncoder(&b).Encode(document); err != nil {
		return fmt.Errorf("write XML: %w", err)
	}
	return q.answerForPrograms(mediaType, b.Bytes())
}

// answerForPrograms answers with what search engines should not show: it has pages.
func (q *request) answerForPrograms(mediaType string, body []byte) error {
	q.w.Header().Set("X-Robots-Tag", "noindex")
	return q.answer(mediaType, body)
}

// robots tells programs that follow links where there is nothing for them, and where
// all pages are listed (RFC 9309).
func (web *Web) robots(q *request) error {
	text := "User-agent: *\n"
	for _, path := range []string{
		dashboardPath, signInPath, signUpPath, forgotPasswordPath, resetPasswordPath, verifyEmailPath, invitationPath, welcomePath,
		searchPath, "/v1/", "/api/",
	} {
		text += "Disallow: " + path + "\n"
	}
	return q.answer("text/plain; charset=utf-8", []byte(text+"\nSitemap: "+web.PublicURL+"/sitemap.xml\n"))
}
