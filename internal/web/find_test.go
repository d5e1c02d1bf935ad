package web_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
)

// everyones makes a stepsy that everyone can read.
func (h *keyHouse) everyones(t *testing.T, author stepsies.User, title string, steps ...string) stepsies.Stepsy {
	t.Helper()
	s := h.newStepsy(t, author, title, steps...)
	return must[store.Outcome[stepsies.Stepsy]](t)(h.Store().PublishStepsy(t.Context(), operator, s.ID)).Value
}

func (h *keyHouse) suspend(t *testing.T, username string) {
	t.Helper()
	yes := true
	must[store.Outcome[stepsies.User]](t)(h.Store().UpdateUser(t.Context(), operator, username, stepsies.UserChange{Suspended: &yes}))
}

// readBy has readers complete and rate a stepsy.
func (h *keyHouse) readBy(t *testing.T, s stepsies.Stepsy, completions, ratings, stars int64) {
	t.Helper()
	if err := h.Store().AddCounts(t.Context(), []store.Counts{{StepsyID: s.ID, Completions: completions, Ratings: ratings, Stars: stars}}); err != nil {
		t.Fatal(err)
	}
}

// entriesOf are the titles in the lists of a page, by the label of the list or the
// title of its section.
func entriesOf(t *testing.T, page shown) []string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page.body))
	if err != nil {
		t.Fatal(err)
	}
	var titles []string
	for n := range root.Descendants() {
		if n.DataAtom != atom.Li || attr(n, "class") != "entry" {
			continue
		}
		title := findNode(n, func(h *html.Node) bool { return h.DataAtom == atom.H2 || h.DataAtom == atom.H3 })
		titles = append(titles, strings.TrimSpace(textOf(title)))
	}
	return titles
}

// hrefOf is the address of the link with that text, "" where there is none.
func hrefOf(t *testing.T, page shown, text string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page.body))
	if err != nil {
		t.Fatal(err)
	}
	if a := findNode(root, func(n *html.Node) bool {
		return n.DataAtom == atom.A && strings.TrimSpace(textOf(n)) == text
	}); a != nil {
		return attr(a, "href")
	}
	return ""
}

// publicListPaths are all pages that list what everyone may read, where sarah writes
// about design.
var publicListPaths = []string{"/", "/newest", "/best-rated", "/completed-lately", "/categories/design", "/@sarah", "/search?q=stepsy", "/feed.atom", "/@sarah/feed.atom", "/sitemaps/1.xml"}

func TestPublicPagesShowWhatIsPublishedAndNothingElse(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	made := map[string]stepsies.Stepsy{}
	design := "design"
	for name, author := range map[string]stepsies.User{"seen": h.sarah, "unpublished": h.sarah, "trashed": h.sarah, "suspended": h.other, "draft": h.sarah} {
		s := h.newStepsy(t, author, "Stepsy "+name, "One", "<p>Text</p>")
		s = h.change(t, s, stepsies.StepsyChange{Category: &design})
		if name != "draft" {
			s = must[store.Outcome[stepsies.Stepsy]](t)(h.Store().PublishStepsy(t.Context(), operator, s.ID)).Value
		}
		h.readBy(t, s, 3, 2, 9)
		made[name] = s
	}
	shows := func(path, name string) bool {
		t.Helper()
		page := (&person{h: h}).get(t, path)
		wantStatus(t, page, http.StatusOK)
		return strings.Contains(page.body, "stepsy-"+name)
	}
	for _, path := range publicListPaths {
		for name, s := range made {
			want := name != "draft" && (name != "suspended" || !strings.HasPrefix(path, "/@"))
			if shows(path, name) != want {
				t.Errorf("at first %s shows %q: %v", path, s.Title, !want)
			}
		}
	}
	must[store.Outcome[stepsies.Stepsy]](t)(h.Store().UnpublishStepsy(t.Context(), operator, made["unpublished"].ID))
	if err := h.Store().DeleteStepsy(t.Context(), operator, made["trashed"].ID); err != nil {
		t.Fatal(err)
	}
	h.suspend(t, "other")
	for _, path := range publicListPaths {
		for name := range made {
			if shows(path, name) != (name == "seen") {
				t.Errorf("%s shows %q: %v", path, name, name != "seen")
			}
		}
	}
	// Their author and admins find no more here than anyone.
	for _, u := range []stepsies.User{h.sarah, h.admin} {
		for _, path := range publicListPaths {
			if page := h.signIn(t, u).get(t, path); strings.Contains(page.body, "stepsy-draft") || page.status != http.StatusOK {
				t.Errorf("%s answers %s with %d, and shows a draft", path, u.Username, page.status)
			}
		}
	}
}

func TestFrontPageLeadsToEverything(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	nobody := &person{h: h}
	var all []stepsies.Stepsy
	for i := range 8 {
		all = append(all, h.everyones(t, h.sarah, fmt.Sprint("Stepsy ", i), "One", "<p>1</p>"))
		h.forward(time.Minute)
	}
	h.readBy(t, all[0], 1, 9, 45)
	h.readBy(t, all[1], 90, 9, 20)
	page := nobody.get(t, "/")
	want := []string{"Stepsy 7", "Stepsy 6", "Stepsy 5", "Stepsy 4", "Stepsy 3", "Stepsy 2", "Stepsy 0", "Stepsy 1", "Stepsy 1", "Stepsy 0"}
	if got := entriesOf(t, page); !slices.Equal(got, want) {
		t.Errorf("the front page lists %q, want %q", got, want)
	}
	for text, address := range map[string]string{
		"All, newest first": "/newest", "All of them": "/best-rated", "Completed lately": "/completed-lately", "Other": "/categories/other", "Stepsy 7": publicAt(all[7]),
		"sarah": "/@sarah", "Search": "/search", "Docs": "/docs", "Atom feed": "/feed.atom", "Sign in": "/sign-in",
	} {
		if got := hrefOf(t, page, text); got != address {
			t.Errorf("%q leads to %q, want %s", text, got, address)
		}
	}
	if form := formOn(t, page, "/search"); !form.Has("q") {
		t.Errorf("the form has %v", form)
	}
	if got := hrefOf(t, h.signIn(t, h.sarah).get(t, "/"), "Dashboard"); got != "/dashboard" {
		t.Errorf("who is signed in is led to %q", got)
	}
	if !strings.Contains(page.body, `<link rel="alternate" type="application/atom+xml" href="/feed.atom"`) || !strings.Contains(page.body, `<link rel="canonical" href="http://stepsies.test/"`) {
		t.Error("the head does not name the feed and the address")
	}
}

func TestFrontPageSaysWhatToDoWhereThereIsNothing(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	wantText(t, h.browser().get(t, "/"), "This installation is new", "printed an address", "stepsies user create NAME --email ADDRESS --admin")
	h.withPassword(t, "sarah", "admin")
	page := h.browser().get(t, "/")
	wantText(t, page, "Nothing is published yet", "to write the first stepsy")
	wantNoText(t, page, "This installation is new", "Best rated All", "Categories")
	if got := hrefOf(t, h.signedIn(t, "sarah").get(t, "/"), "Write a stepsy"); got != "/dashboard/stepsies/new" {
		t.Errorf("who can write is led to %q", got)
	}
	for path, text := range map[string]string{
		"/newest": "Nothing is published yet", "/best-rated": "Nobody has rated a stepsy yet", "/completed-lately": "Nobody has completed a stepsy yet",
		"/categories/health": "Nothing is published about health yet", "/@sarah": "Nothing is published yet", "/search?q=bread": "No stepsy holds all of these words",
	} {
		page := h.browser().get(t, path)
		wantStatus(t, page, http.StatusOK)
		wantText(t, page, text)
	}
}

func TestListsArePagedWithoutGapsOrRepeats(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	const n = 53
	yes := true
	for i := range n {
		s := h.everyones(t, h.sarah, fmt.Sprintf("Stepsy %02d", i), "One", "<p>1</p>")
		if i%3 == 0 {
			h.change(t, s, stepsies.StepsyChange{Featured: &yes})
		}
		h.readBy(t, s, 2, 3, 12)
	}
	for _, path := range []string{"/newest", "/best-rated", "/completed-lately", "/categories/other", "/@sarah", "/search?q=stepsy"} {
		var got []string
		pages := 0
		for next := path; next != ""; pages++ {
			page := (&person{h: h}).get(t, next)
			wantStatus(t, page, http.StatusOK)
			got = append(got, entriesOf(t, page)...)
			if later := strings.Contains(page.body, `content="noindex, follow"`); later != (next != path || strings.HasPrefix(path, "/search")) {
				t.Errorf("%s is kept from search engines: %v", next, later)
			}
			if back := hrefOf(t, page, "Back to the first"); next != path && back != path || next == path && back != "" {
				t.Errorf("%s leads back to %q", next, back)
			}
			if next = hrefOf(t, page, "More"); pages > n {
				t.Fatalf("%s has no end", path)
			}
		}
		sorted := slices.Clone(got)
		slices.Sort(sorted)
		if len(slices.Compact(sorted)) != n || len(got) != n || pages < 3 {
			t.Errorf("%s lists %d, %d different ones, on %d pages", path, len(got), len(slices.Compact(sorted)), pages)
		}
		if path == "/@sarah" && (got[0] != "Stepsy 51" || got[17] != "Stepsy 00" || got[18] != "Stepsy 52") {
			t.Errorf("featured stepsies are not on top: %q", got)
		}
	}
}

func TestCursorThatIsNoneIsExplained(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	for i := range 30 {
		h.everyones(t, h.sarah, fmt.Sprint("Stepsy ", i), "One", "<p>1</p>")
	}
	nobody := &person{h: h}
	foreign := hrefOf(t, nobody.get(t, "/newest"), "More")
	_, query, _ := strings.Cut(foreign, "?")
	for _, path := range []string{"/newest?cursor=nonsense", "/best-rated?" + query, "/categories/other?" + query, "/@sarah?" + query, "/search?q=stepsy&" + query, "/newest?cursor=%00", "/@sarah?cursor=%ff"} {
		page := nobody.get(t, path)
		wantStatus(t, page, http.StatusBadRequest)
		wantText(t, page, "Open the list from its beginning")
	}
	// The lists of the dashboard say the same.
	s := h.everyones(t, h.sarah, "Stepsy", "One", "<p>1</p>")
	k, _ := h.newKey(t, h.sarah, "CI", "read")
	boss := h.signIn(t, h.admin)
	for _, path := range []string{
		stepsiesAt + "?cursor=nonsense", "/dashboard/trash?cursor=nonsense", fmt.Sprintf("%s/%d/readers?cursor=nonsense", stepsiesAt, s.ID),
		developer + "?live=nonsense", developer + "?dead=nonsense", keyAt(k.ID, "") + "?history=nonsense", activityAt + "?cursor=nonsense", usersAt + "?cursor=nonsense",
	} {
		page := boss.get(t, path)
		wantStatus(t, page, http.StatusBadRequest)
		wantText(t, page, "Open the list from its beginning")
	}
	// An end of a list that has become shorter leads back.
	wantText(t, nobody.get(t, "/newest?cursor="+"eyJzIjoibmV3ZXN0IiwiaSI6MX0"), "Nothing follows here any more")
}

func TestPublicPagesAreAskedForAgainAndSentOnlyWhenTheyChange(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.everyones(t, h.sarah, "Stepsy", "One", "<p>1</p>")
	h.change(t, s, stepsies.StepsyChange{Category: ptrTo("design")})
	h.readBy(t, s, 1, 1, 5)
	ask := func(method, path, tag string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "http://stepsies.test"+path, nil)
		if tag != "" {
			r.Header.Set("If-None-Match", tag)
		}
		w := httptest.NewRecorder()
		h.Handler().ServeHTTP(w, r)
		return w
	}
	tags := map[string]string{}
	for _, path := range append(publicListPaths, "/robots.txt", "/sitemap.xml") {
		first := ask(http.MethodGet, path, "")
		tag := first.Header().Get("ETag")
		tags[path] = tag
		if control := first.Header().Get("Cache-Control"); tag == "" || control != "public, no-cache" {
			t.Errorf("%s has the tag %q and says %q", path, tag, control)
		}
		if again := ask(http.MethodGet, path, tag); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Errorf("%s answers %d with %d bytes to who has it", path, again.Code, again.Body.Len())
		}
		head := ask(http.MethodHead, path, "")
		if head.Code != http.StatusOK || head.Body.Len() > 0 || head.Header().Get("ETag") != tag || head.Header().Get("Content-Type") != first.Header().Get("Content-Type") {
			t.Errorf("HEAD %s answers %d with %d bytes and %v", path, head.Code, head.Body.Len(), head.Header())
		}
	}
	must[store.Outcome[stepsies.Stepsy]](t)(h.Store().UnpublishStepsy(t.Context(), operator, s.ID))
	for _, path := range publicListPaths {
		if w := ask(http.MethodGet, path, tags[path]); w.Code == http.StatusNotModified || strings.Contains(w.Body.String(), "/@sarah/stepsy") {
			t.Errorf("%s answers %d after the stepsy was unpublished", path, w.Code)
		}
	}
	p := h.signIn(t, h.sarah)
	if control := p.get(t, "/").header.Get("Cache-Control"); control != "private, no-cache" {
		t.Errorf("who is signed in gets a page that is %q", control)
	}
}

func ptrTo[T any](v T) *T { return &v }

func TestAuthorsPageIsThereWhileTheyAreInGoodStanding(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	nobody := &person{h: h}
	bio := "I bake.\nBerlin <b>"
	name := "Sarah Chen"
	must[store.Outcome[stepsies.User]](t)(h.Store().UpdateUser(t.Context(), operator, "sarah", stepsies.UserChange{Bio: &bio, DisplayName: &name}))
	page := nobody.get(t, "/@sarah")
	wantStatus(t, page, http.StatusOK)
	wantText(t, page, name, "@sarah", "I bake. Berlin <b>", "Nothing is published yet")
	if got := hrefOf(t, page, "Atom feed"); got != "/@sarah/feed.atom" {
		t.Errorf("the feed is at %q", got)
	}
	if !strings.Contains(page.body, `href="/@sarah/feed.atom" title="Stepsies by Sarah Chen"`) {
		t.Error("the head does not name the author's feed")
	}
	wantNoText(t, page, "Edit your profile")
	wantText(t, h.signIn(t, h.sarah).get(t, "/@sarah"), "Edit your profile", "Write a stepsy")
	if moved := nobody.get(t, "/@SARAH"); moved.status != http.StatusMovedPermanently || moved.location != "/@sarah" {
		t.Errorf("another case answers %d to %q", moved.status, moved.location)
	}
	for _, path := range []string{"/@nobody", "/@", "/@sa", "/@sarah%00", "/categories/cooking", "/categories/", "/categories/Design"} {
		wantStatus(t, nobody.get(t, path), http.StatusNotFound)
	}
	for path, want := range map[string]string{"/@sarah/": "/@sarah", "/newest/": "/newest", "/search/?q=bread": "/search?q=bread", "/categories/design/": "/categories/design", "/@sarah/bread/follow/": "/@sarah/bread/follow"} {
		if moved := nobody.get(t, path); moved.status != http.StatusMovedPermanently || moved.location != want {
			t.Errorf("%s answers %d to %q, want %s", path, moved.status, moved.location, want)
		}
	}
	for _, path := range []string{"/no/such/", "/%2Fevil.example/", "/\\evil.example/", "/@/", "/dashboard/nothing/"} {
		if got := nobody.get(t, path); got.status != http.StatusNotFound {
			t.Errorf("%s answers %d to %q", path, got.status, got.location)
		}
	}
	h.suspend(t, "sarah")
	wantStatus(t, nobody.get(t, "/@sarah"), http.StatusNotFound)
	wantStatus(t, h.signIn(t, h.admin).get(t, "/@sarah"), http.StatusNotFound)
}

func TestSearchMarksWordsWhereTheyStand(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	long := strings.Repeat("Before that there is much to read. ", 20)
	h.everyones(t, h.sarah, "Crème brûlée at home", "Buy", "<p>Eggs</p>", "Burn the <top>", "<p>"+long+"Caramelise the sugar &amp; serve.</p><p>"+long+"</p>")
	for q, want := range map[string]string{
		"creme":      "<mark>Crème</mark> brûlée at home",
		"CRÈME BRUL": "<mark>Crème</mark> <mark>brûlée</mark> at home",
		"caramel":    "…there is much to read. Before that there is much to read. <mark>Caramelise</mark> the sugar &amp; serve.",
		"sug serve":  "Caramelise the <mark>sugar</mark> &amp; <mark>serve</mark>.",
		"top":        `<a href="/@sarah/creme-brulee-at-home#step-2">Step 2: <bdi>Burn the &lt;<mark>top</mark>&gt;</bdi></a>`,
		"eggs":       `<a href="/@sarah/creme-brulee-at-home#step-1">Step 1: <bdi>Buy</bdi></a>`,
	} {
		page := (&person{h: h}).get(t, "/search?q="+url.QueryEscape(q))
		wantStatus(t, page, http.StatusOK)
		if !strings.Contains(page.body, want) {
			t.Errorf("%q does not show %s:\n%s", q, want, page.body[strings.Index(page.body, "<main"):])
		}
		if q == "caramel" && len(page.text()) > 700 {
			t.Errorf("the page shows %d characters of a text that is long:\n%s", len(page.text()), page.text())
		}
	}
}

// TestSearchesAreLimitedByAddress has programs search faster than people do. Looking at
// anything else goes on, and so does everyone else.
func TestSearchesAreLimitedByAddress(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	h.everyones(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>")
	one := h.reader(1)
	admitted := 0
	refused := one.send(t, "GET", "/search?q=bread", nil)
	for ; refused.status == http.StatusOK && admitted < 1000; refused = one.send(t, "GET", "/search?q=bread", nil) {
		admitted++
	}
	wantStatus(t, refused, http.StatusTooManyRequests)
	if admitted < 120 {
		t.Errorf("only %d searches are admitted", admitted)
	}
	after := refused.header.Get("Retry-After")
	if n, err := strconv.Atoi(after); err != nil || n < 1 || n > 60 {
		t.Errorf("it is worth asking again after %q", after)
	}
	wantText(t, refused, "Too many searches came from your network. Wait "+after+" second", "and search again.")
	wantNoText(t, refused, "Bake bread", "No stepsy holds")
	if refused.header.Get("Cache-Control") != "no-store" || !strings.Contains(refused.body, `value="bread"`) {
		t.Errorf("caches are told %q", refused.header.Get("Cache-Control"))
	}
	for _, path := range []string{"/search", "/search?q=%3F", "/", "/newest", "/@sarah/bake-bread"} {
		if got := one.send(t, "GET", path, nil); got.status == http.StatusTooManyRequests {
			t.Errorf("%s is refused", path)
		}
	}
	wantStatus(t, h.reader(2).send(t, "GET", "/search?q=bread", nil), http.StatusOK)
	h.forward(time.Minute)
	wantStatus(t, one.send(t, "GET", "/search?q=bread", nil), http.StatusOK)
}

func TestSearchShowsPayloadsAsText(t *testing.T) {
	t.Parallel()
	for _, payload := range typed {
		h := openKeyHouse(t, false)
		s := h.everyones(t, h.sarah, payload+" zeppelin", payload+" step", "<p>airship</p>")
		h.change(t, s, stepsies.StepsyChange{Description: ptrTo(payload + " balloon " + payload)})
		for _, q := range []string{payload, "zeppelin", "airship", "balloon", "payload", "script payload", "x onerror"} {
			page := (&person{h: h}).get(t, "/search?q="+url.QueryEscape(q))
			wantTame(t, "search for "+q, page)
			if q == "zeppelin" && !strings.Contains(page.body, "<mark>zeppelin</mark>") {
				t.Errorf("%q: nothing is marked, so nothing is tried", payload)
			}
		}
		for _, path := range []string{"/", "/newest", "/@sarah"} {
			wantTame(t, path, (&person{h: h}).get(t, path))
		}
	}
}

func TestSearchExplainsWhatCannotBeSearchedFor(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	h.everyones(t, h.sarah, "Bread", "Mix", "<p>Flour</p>")
	for q, want := range map[string]string{
		"???": "There is no word in that", strings.Repeat("word ", 200): "too long to search for", "a\x00b": "characters that no text has", "\xff": "characters that no text has", "a\tb": "characters that no text has",
	} {
		page := (&person{h: h}).get(t, "/search?q="+url.QueryEscape(q))
		wantStatus(t, page, http.StatusUnprocessableEntity)
		wantText(t, page, want)
		wantTame(t, q, page)
	}
	for _, q := range []string{"", "%20%20", "bread", "BREAD+mix", "bre", "bread&q=other", "' or 1=1", "bread*", "NOT+bread", strings.Repeat("a+", 99)} {
		page := (&person{h: h}).get(t, "/search?q="+strings.ReplaceAll(q, " ", "+"))
		wantStatus(t, page, http.StatusOK)
	}
	wantText(t, (&person{h: h}).get(t, "/search?q=zeppelin"), "No stepsy holds all of these words", "Search for fewer words")
}

// maxPublic bounds what a browser gets for a page that everyone reads: HTML, styles and
// scripts as they are sent.
const maxPublic = 60_000

func TestPublicPagesAreLight(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	for i := range 12 {
		s := h.everyones(t, h.sarah, fmt.Sprint(i, strings.Repeat(" a title of two hundred characters", 5)), "One", "<p>1</p>")
		h.change(t, s, stepsies.StepsyChange{Description: ptrTo(strings.Repeat("description ", 150))})
		h.readBy(t, s, 1, 1, 5)
	}
	var steps []string
	for i := range 40 {
		steps = append(steps, fmt.Sprint("Step ", i), "<p>"+strings.Repeat(fmt.Sprint("Some ", i*i, " words of what there is to do now, and why. "), 20)+"</p>")
	}
	long := h.everyones(t, h.sarah, "A long one", steps...)
	sent := func(address string) (size int, body string) {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, "http://stepsies.test"+address, nil)
		r.Header.Set("Accept-Encoding", "gzip")
		w := httptest.NewRecorder()
		h.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Fatalf("%s answers %d", address, w.Code)
		}
		size = w.Body.Len()
		if w.Header().Get("Content-Encoding") != "gzip" {
			return size, w.Body.String()
		}
		unpacked, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(unpacked)
		if err != nil {
			t.Fatal(err)
		}
		return size, string(text)
	}
	for _, path := range []string{"/", "/newest", "/@sarah", "/search?q=title", publicAt(long), publicAt(long) + "/follow", publicAt(long) + "/embed"} {
		total, body := sent(path)
		report := fmt.Sprint("the page ", total)
		for _, address := range assetsOf(t, shown{body: body}) {
			size, _ := sent(address)
			total += size
			report += fmt.Sprint(", ", address, " ", size)
		}
		if total > maxPublic {
			t.Errorf("%s has %d bytes, more than %d: %s", path, total, maxPublic, report)
		}
		t.Log(path, total, "bytes: ", report)
	}
}
