package reading

import (
	"context"
	"encoding/xml"
	"html"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

const xmlType = "application/xml; charset=utf-8"

// sitemapAge is how long the list of parts is kept: making it looks at every published
// stepsy. The parts themselves are made anew each time.
const sitemapAge = 10 * time.Minute

// sitemapParts keeps the list of parts.
type sitemapParts struct {
	mu   sync.Mutex
	made time.Time
	list []store.SitemapPart
}

func (kept *sitemapParts) get(ctx context.Context, pages *Pages) ([]store.SitemapPart, error) {
	kept.mu.Lock()
	defer kept.mu.Unlock()
	now := pages.Now()
	if age := now.Sub(kept.made); !kept.made.IsZero() && age >= 0 && age < sitemapAge {
		return kept.list, nil
	}
	list, err := pages.Store.SitemapParts(ctx)
	if err != nil {
		return nil, err
	}
	kept.list, kept.made = list, now
	return list, nil
}

// siteAddress is one address in a sitemap or in the index of sitemaps
// (https://www.sitemaps.org/protocol.html).
type siteAddress struct {
	Loc     string `xml:"loc"`
	LastMod string `xml:"lastmod,omitempty"`
}

type sitemapIndexFile struct {
	XMLName  xml.Name      `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 sitemapindex"`
	Sitemaps []siteAddress `xml:"sitemap"`
}

// Sitemap lists the parts of the sitemap. Part 0 are the pages that are no
// stepsies.
func (p *Pages) Sitemap(q *page.Request) error {
	parts, err := p.parts.get(q.Context(), p)
	if err != nil {
		return err
	}
	index := sitemapIndexFile{Sitemaps: []siteAddress{{Loc: sitemapAddress(p.PublicURL, 0)}}}
	for _, part := range parts {
		index.Sitemaps = append(index.Sitemaps, siteAddress{sitemapAddress(p.PublicURL, part.N), page.Machine(part.Changed)})
	}
	return answerXML(q, xmlType, index)
}

func sitemapAddress(origin string, n int64) string {
	return origin + "/sitemaps/" + strconv.FormatInt(n, 10) + ".xml"
}

// SitemapPart lists the stepsies among 10,000 ids. A part without any does not exist.
func (p *Pages) SitemapPart(q *page.Request) error {
	name, ok := strings.CutSuffix(q.PathValue("part"), ".xml")
	n, err := strconv.ParseInt(name, 10, 64)
	if !ok || err != nil || n < 0 || strconv.FormatInt(n, 10) != name {
		return page.ErrNoPage
	}
	file := sitemapFile{pages: p}
	if n == 0 {
		err = file.addPages(q.Context())
	} else {
		err = p.Store.SitemapPart(q.Context(), n, func(e store.SitemapEntry) {
			file.add(page.AuthorPath(e.Username)+"/"+e.Slug, e.Changed)
		})
	}
	if err != nil {
		return err
	}
	if file.urls.Len() == 0 {
		return page.ErrNoPage
	}
	return answerForPrograms(q, xmlType, []byte(file.String()))
}

// sitemapFile is a sitemap as it is written. It may hold ten thousand addresses, for
// which encoding/xml takes ten times as long.
type sitemapFile struct {
	pages *Pages
	urls  strings.Builder
}

// add adds the address of one of our pages, all of whose characters stand for
// themselves in XML; changed is zero where it is not known.
func (f *sitemapFile) add(path string, changed time.Time) {
	f.urls.WriteString("<url><loc>" + html.EscapeString(f.pages.PublicURL) + path + "</loc>")
	if !changed.IsZero() {
		f.urls.WriteString("<lastmod>" + page.Machine(changed) + "</lastmod>")
	}
	f.urls.WriteString("</url>\n")
}

// addPages adds the pages that do not belong to an author.
func (f *sitemapFile) addPages(ctx context.Context) error {
	for _, path := range []string{"/", page.NewestPath, page.BestRatedPath, page.LatelyPath, page.DocsPath} {
		f.add(path, time.Time{})
	}
	names, err := f.pages.Store.PublicCategories(ctx)
	for _, name := range names {
		f.add(page.CategoryPath(name), time.Time{})
	}
	return err
}

// String is the whole file.
func (f *sitemapFile) String() string {
	return xml.Header + `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">` + "\n" + f.urls.String() + "</urlset>\n"
}
