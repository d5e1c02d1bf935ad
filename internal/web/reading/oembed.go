package reading

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/web/page"
)

// oEmbed is the answer to a site that asks how to show a stepsy (oembed.com, version
// 1.0, the type "rich").
type oEmbed struct {
	Type         string `json:"type"`
	Version      string `json:"version"`
	Title        string `json:"title"`
	AuthorName   string `json:"author_name"`
	AuthorURL    string `json:"author_url"`
	ProviderName string `json:"provider_name"`
	ProviderURL  string `json:"provider_url"`
	CacheAge     int    `json:"cache_age"` // seconds
	HTML         string `json:"html"`
	Width        int    `json:"width"`
	Height       int    `json:"height"`
}

// oEmbedCacheAge is how long another site may show what it was told, in seconds. What
// an author takes back meanwhile is gone from the frame at once.
const oEmbedCacheAge = 3600

// OEmbed tells how to embed the stepsy at an address of this installation. Its
// failures have the statuses that the specification gives them (§2.3.4).
func (p *Pages) OEmbed(q *page.Request) error {
	forEveryOrigin(q)
	asked := q.URL.Query()
	if format := asked.Get("format"); format != "" && format != "json" {
		return refuse(q, http.StatusNotImplemented, "Only format=json is answered here.")
	}
	width, wide := bounded(asked.Get("maxwidth"), embedWidth)
	height, high := bounded(asked.Get("maxheight"), embedHeight)
	if !wide || !high {
		return refuse(q, http.StatusBadRequest, "maxwidth and maxheight must be whole numbers of pixels, at least 1.")
	}
	u, err := url.Parse(asked.Get("url"))
	if err != nil || u.Host == "" {
		return refuse(q, http.StatusBadRequest, "Give the address of a stepsy as url, as in url="+url.QueryEscape(p.PublicURL+"/@author/slug")+".")
	}
	s, err := p.stepsyAt(q, u)
	if stepsies.CodeOf(err) == stepsies.CodeNotFound {
		return refuse(q, http.StatusNotFound, "There is no published stepsy at this address.")
	}
	if err != nil {
		return err
	}
	text, err := json.Marshal(oEmbed{
		Type: "rich", Version: "1.0", Title: s.Title, AuthorName: s.DisplayName, AuthorURL: p.PublicURL + page.AuthorPath(s.Username),
		ProviderName: "Stepsies", ProviderURL: p.PublicURL, CacheAge: oEmbedCacheAge,
		HTML: embedCode(p.PublicURL+page.PublicPath(s), s.Title, width, height), Width: width, Height: height,
	})
	if err != nil {
		return fmt.Errorf("write the oEmbed answer of stepsy %d: %w", s.ID, err)
	}
	return q.Answer("application/json", text)
}

// bounded is our own size, or the bound that the caller sets where that is less, and
// whether it is a bound at all.
func bounded(bound string, own int) (int, bool) {
	if bound == "" {
		return own, true
	}
	n, err := strconv.ParseUint(bound, 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return own, true
	}
	return int(min(n, uint64(own))), err == nil && n > 0
}

// stepsyAt is the published stepsy whose page, or whose embedded page, has that
// address, now or under an old slug.
func (p *Pages) stepsyAt(q *page.Request, u *url.URL) (stepsies.Stepsy, error) {
	own, err := url.Parse(p.PublicURL)
	if err != nil || u.Scheme != own.Scheme || !strings.EqualFold(u.Host, own.Host) {
		return stepsies.Stepsy{}, page.ErrNoPage
	}
	rest, ofAuthor := strings.CutPrefix(u.Path, "/@")
	author, slug, found := strings.Cut(strings.TrimSuffix(rest, "/embed"), "/")
	if !ofAuthor || !found {
		return stepsies.Stepsy{}, page.ErrNoPage
	}
	return p.Store.StepsyBySlug(q.Context(), author, slug, stepsies.Access{})
}

// refuse says to a program, in a sentence, why it gets no answer.
func refuse(q *page.Request, status int, sentence string) error {
	h := q.W.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	q.W.WriteHeader(status)
	_, _ = fmt.Fprintln(q.W, sentence) // the client has gone
	return nil
}
