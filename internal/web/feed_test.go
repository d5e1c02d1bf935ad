package web_test

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/testenv"
)

// wantValid has xmllint judge a document by a schema.
func wantValid(t *testing.T, document, schema string) {
	t.Helper()
	if err := judge(t, document, schema); err != nil {
		t.Error(err)
	}
}

func judge(t *testing.T, document, schema string) error {
	t.Helper()
	file := filepath.Join(t.TempDir(), "document.xml")
	if err := os.WriteFile(file, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	kind := map[string]string{".xsd": "--schema", ".rng": "--relaxng"}[filepath.Ext(schema)]
	out, err := exec.Command(testenv.Need(t, "xmllint"), "--noout", "--nonet", kind, filepath.Join("testdata", "schemas", schema), file).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s\n%.3000s", err, out, document)
	}
	return nil
}

// feedRead is a feed as a program reads it.
type feedRead struct {
	ID      string `xml:"id"`
	Title   string `xml:"title"`
	Updated string `xml:"updated"`
	Links   []struct {
		Rel  string `xml:"rel,attr"`
		Href string `xml:"href,attr"`
	} `xml:"link"`
	Entries []struct {
		ID        string `xml:"id"`
		Title     string `xml:"title"`
		Published string `xml:"published"`
		Updated   string `xml:"updated"`
		Author    string `xml:"author>name"`
		Summary   string `xml:"summary"`
		Link      struct {
			Href string `xml:"href,attr"`
		} `xml:"link"`
		Content struct {
			Type string `xml:"type,attr"`
			HTML string `xml:",chardata"`
		} `xml:"content"`
	} `xml:"entry"`
}

// feed reads a feed, which has to be a valid one that is called by its address.
func (h *keyHouse) feed(t *testing.T, path string) feedRead {
	t.Helper()
	f := h.anyFeed(t, path)
	if self := "http://stepsies.test" + path; f.ID != self || f.Links[0].Rel != "self" || f.Links[0].Href != self || f.Links[1].Rel != "alternate" {
		t.Errorf("%s is %s with the links %+v", path, f.ID, f.Links)
	}
	return f
}

// anyFeed reads a feed, which has to be a valid one.
func (h *keyHouse) anyFeed(t *testing.T, path string) feedRead {
	t.Helper()
	page := (&person{h: h}).get(t, path)
	wantStatus(t, page, http.StatusOK)
	if kind := page.header.Get("Content-Type"); kind != "application/atom+xml; charset=utf-8" {
		t.Errorf("%s is %s", path, kind)
	}
	wantValid(t, page.body, "atom.rng")
	var f feedRead
	if err := xml.Unmarshal([]byte(page.body), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f feedRead) titles() string {
	var list []string
	for _, e := range f.Entries {
		list = append(list, e.Title)
	}
	return strings.Join(list, ", ")
}

func TestFeedsHoldTheNewestAndAreValid(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	if f := h.feed(t, "/feed.atom"); len(f.Entries) > 0 || f.Updated == "" {
		t.Errorf("an empty feed is %+v", f)
	}
	h.feed(t, "/@sarah/feed.atom")
	bread := h.everyones(t, h.sarah, `Bread & <b>"butter"</b>`, "Mix", "<p>Flour &amp; <em>water</em> &lt;script&gt;</p>")
	h.forward(time.Hour)
	other := h.everyones(t, h.other, "Tyre", "Pump", "<p>Air</p>")
	h.newStepsy(t, h.sarah, "Draft", "One", "<p>1</p>")

	site, sarahs := h.feed(t, "/feed.atom"), h.feed(t, "/@sarah/feed.atom")
	if site.titles() != "Tyre, "+bread.Title || sarahs.titles() != bread.Title {
		t.Errorf("the feeds hold %s and %s", site.titles(), sarahs.titles())
	}
	if want := other.UpdatedAt.Format(time.RFC3339); site.Updated != want || site.Entries[0].Updated != want {
		t.Errorf("the feed is of %s, its first entry of %s, want %s", site.Updated, site.Entries[0].Updated, want)
	}
	e := sarahs.Entries[0]
	if e.Link.Href != "http://stepsies.test"+publicAt(bread) || e.Author != "sarah" || e.Content.Type != "html" ||
		!strings.Contains(e.Content.HTML, `<h2><a href="http://stepsies.test`+publicAt(bread)+`#s-1">1. Mix</a></h2><p>Flour &amp; <em>water</em> &lt;script&gt;</p>`) {
		t.Errorf("the entry is %+v", e)
	}

	// Its id stays when its address changes; a change is a new time.
	h.forward(time.Hour)
	slug, description := "loaf", "A description\nof two lines"
	h.change(t, bread, stepsies.StepsyChange{Slug: &slug, Description: &description})
	again := h.feed(t, "/@sarah/feed.atom")
	if a := again.Entries[0]; a.ID != e.ID || a.Updated == e.Updated || a.Published != e.Published || a.Link.Href == e.Link.Href || a.Summary != description || again.Updated != a.Updated {
		t.Errorf("after a change the entry is %+v, it was %+v", a, e)
	}
	if site = h.feed(t, "/feed.atom"); site.titles() != "Tyre, "+bread.Title || site.Updated != again.Updated {
		t.Errorf("after a change the site's feed is of %s: %s", site.Updated, site.titles())
	}

	// What is taken back is gone at once.
	unpublished := must[store.Outcome[stepsies.Stepsy]](t)(h.Store().UnpublishStepsy(t.Context(), operator, other.ID))
	if site = h.feed(t, "/feed.atom"); site.titles() != unpublished.Value.Title+", "+bread.Title && site.titles() != bread.Title {
		t.Errorf("the feed holds %s", site.titles())
	}
	if strings.Contains(site.titles(), "Tyre") {
		t.Error("what was unpublished is in the feed")
	}
	h.suspend(t, "sarah")
	if site = h.feed(t, "/feed.atom"); len(site.Entries) > 0 {
		t.Errorf("of a suspended author the feed holds %s", site.titles())
	}
	for _, path := range []string{"/@sarah/feed.atom", "/@nobody/feed.atom"} {
		wantStatus(t, (&person{h: h}).get(t, path), http.StatusNotFound)
	}
}

func TestFeedIsBounded(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	for i := range 23 {
		h.everyones(t, h.sarah, fmt.Sprint("Stepsy ", i), "One", "<p>1</p>")
		h.forward(time.Minute)
	}
	h.everyones(t, h.sarah, "Long", "One", "<p>"+strings.Repeat("word ", 15_000)+"</p>")
	f := h.feed(t, "/feed.atom")
	if len(f.Entries) != 20 || f.Entries[0].Title != "Long" || f.Entries[1].Title != "Stepsy 22" {
		t.Errorf("the feed holds %d entries: %s", len(f.Entries), f.titles())
	}
	if f.Entries[0].Content.HTML != "" || f.Entries[0].Summary == "" {
		t.Errorf("a long stepsy is in the feed with %d bytes, summary %q", len(f.Entries[0].Content.HTML), f.Entries[0].Summary)
	}
}

func TestSitemapListsWhatIsPublished(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	nobody := &person{h: h}
	bread := h.everyones(t, h.sarah, "Bread", "Mix", "<p>Flour</p>")
	h.everyones(t, h.other, "Tyre", "Pump", "<p>Air</p>")
	h.newStepsy(t, h.sarah, "Draft", "One", "<p>1</p>")
	read := func(path string) (locs []string, body string) {
		t.Helper()
		page := nobody.get(t, path)
		wantStatus(t, page, http.StatusOK)
		if kind := page.header.Get("Content-Type"); kind != "application/xml; charset=utf-8" {
			t.Errorf("%s is %s", path, kind)
		}
		wantValid(t, page.body, "sitemap.xsd")
		var file struct {
			Sitemaps []string `xml:"sitemap>loc"`
			URLs     []string `xml:"url>loc"`
		}
		if err := xml.Unmarshal([]byte(page.body), &file); err != nil {
			t.Fatal(err)
		}
		return append(file.Sitemaps, file.URLs...), page.body
	}
	const site = "http://stepsies.test"
	if parts, body := read("/sitemap.xml"); !slices.Equal(parts, []string{site + "/sitemaps/0.xml", site + "/sitemaps/1.xml"}) || !strings.Contains(body, "<lastmod>") {
		t.Errorf("the sitemap has the parts %q", parts)
	}
	pages, _ := read("/sitemaps/0.xml")
	for _, address := range pages {
		wantStatus(t, nobody.get(t, strings.TrimPrefix(address, site)), http.StatusOK)
	}
	if !slices.Contains(pages, site+"/newest") {
		t.Errorf("the pages are %q", pages)
	}
	found, body := read("/sitemaps/1.xml")
	if !slices.Equal(found, []string{site + publicAt(bread), site + "/@other/tyre"}) || !strings.Contains(body, "<lastmod>"+bread.UpdatedAt.Format(time.RFC3339)+"</lastmod>") {
		t.Errorf("the stepsies are %q", found)
	}
	// A part is made anew each time; the list of parts is kept for ten minutes.
	h.suspend(t, "other")
	if found, _ = read("/sitemaps/1.xml"); !slices.Equal(found, []string{site + publicAt(bread)}) {
		t.Errorf("with a suspended author the stepsies are %q", found)
	}
	h.suspend(t, "sarah")
	wantStatus(t, nobody.get(t, "/sitemaps/1.xml"), http.StatusNotFound)
	if parts, _ := read("/sitemap.xml"); len(parts) != 2 {
		t.Errorf("the list of parts is not kept: %q", parts)
	}
	h.forward(11 * time.Minute)
	if parts, _ := read("/sitemap.xml"); len(parts) != 1 {
		t.Errorf("the parts are still %q", parts)
	}
	for _, part := range []string{"2.xml", "1", "01.xml", "-1.xml", "x.xml", ".xml", "1.xml.xml", "99999999999999999999.xml", "9223372036854775807.xml"} {
		wantStatus(t, nobody.get(t, "/sitemaps/"+part), http.StatusNotFound)
	}
}

func TestRobotsAreToldWhereTheSitemapIs(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	page := (&person{h: h}).get(t, "/robots.txt")
	wantStatus(t, page, http.StatusOK)
	for _, line := range []string{"User-agent: *", "Disallow: /dashboard", "Disallow: /sign-in", "Disallow: /search", "Sitemap: http://stepsies.test/sitemap.xml"} {
		if !slices.Contains(strings.Split(page.body, "\n"), line) {
			t.Errorf("%q is missing in:\n%s", line, page.body)
		}
	}
	if kind := page.header.Get("Content-Type"); kind != "text/plain; charset=utf-8" || strings.Contains(page.body, "Disallow: /\n") || strings.Contains(page.body, "Disallow: /@") {
		t.Errorf("%s:\n%s", kind, page.body)
	}
}

// TestSchemasRefuseWhatIsWrong guards the tests around it.
func TestSchemasRefuseWhatIsWrong(t *testing.T) {
	t.Parallel()
	const sitemap = `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>http://stepsies.test/</loc>%s</url></urlset>`
	const feed = `<feed xmlns="http://www.w3.org/2005/Atom"><id>http://stepsies.test/feed.atom</id><title>x</title><link href="/"/>%s</feed>`
	for document, schema := range map[string]string{
		fmt.Sprintf(sitemap, "<lastmod>yesterday</lastmod>"): "sitemap.xsd", fmt.Sprintf(sitemap, "<title/>"): "sitemap.xsd", `<urlset/>`: "sitemap.xsd",
		`<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>/newest</loc></url></urlset>`: "sitemap.xsd",
		fmt.Sprintf(feed, ""): "atom.rng", fmt.Sprintf(feed, "<updated>2026-01-01</updated>"): "atom.rng",
		fmt.Sprintf(feed, "<updated>2026-01-01T00:00:00Z</updated><entry><title>x</title></entry>"): "atom.rng",
	} {
		if judge(t, document, schema) == nil {
			t.Errorf("this would not be noticed: %s", document)
		}
	}
	for document, schema := range map[string]string{fmt.Sprintf(sitemap, ""): "sitemap.xsd", fmt.Sprintf(feed, "<updated>2026-01-01T00:00:00Z</updated>"): "atom.rng"} {
		wantValid(t, document, schema)
	}
}
