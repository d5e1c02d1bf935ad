package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

// reader is somebody with a browser and an address, who may be signed in.
type reader struct {
	h              *keyHouse
	address, agent string
	cookies        []*http.Cookie
}

func (h *keyHouse) reader(number int) *reader {
	return &reader{h: h, address: fmt.Sprintf("192.0.2.%d", number), agent: firefox}
}

func (r *reader) send(t *testing.T, method, path string, form url.Values) shown {
	t.Helper()
	req := httptest.NewRequest(method, "http://stepsies.test"+path, strings.NewReader(form.Encode()))
	req.RemoteAddr = r.address + ":4321"
	req.Header.Set("User-Agent", r.agent)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for _, c := range r.cookies {
		req.AddCookie(c)
	}
	w := httptest.NewRecorder()
	r.h.Handler().ServeHTTP(w, req)
	for _, c := range w.Result().Cookies() {
		if c.Name == "stepsies_reader" {
			r.cookies = append(r.cookies, c)
		}
	}
	return shown{w.Code, w.Header(), w.Header().Get("Location"), w.Body.String()}
}

func (h *keyHouse) wantCounts(t *testing.T, s stepsies.Stepsy, views, completions int64) {
	t.Helper()
	if err := h.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := h.stored(t, s); got.Views != views || got.Completions != completions {
		t.Errorf("%d views and %d completions, want %d and %d", got.Views, got.Completions, views, completions)
	}
}

func TestViewCountsOncePerReaderAndDayButNotForBotsAndTheAuthor(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.publish(t, h.newStepsy(t, h.sarah, "Bread", "Mix", "<p>Flour</p>", "Bake", "<p>Hot</p>"))
	const path = "/@sarah/bread"
	a, b := h.reader(1), h.reader(2)
	for range 3 {
		wantStatus(t, a.send(t, "GET", path, nil), http.StatusOK)
		wantStatus(t, a.send(t, "GET", path+"/follow", nil), http.StatusOK)
	}
	b.send(t, "GET", path, nil)
	h.wantCounts(t, s, 2, 0)

	bot := h.reader(3)
	bot.agent = "Mozilla/5.0 (compatible; Googlebot/2.1)"
	wantStatus(t, bot.send(t, "GET", path, nil), http.StatusOK)
	h.reader(4).send(t, "HEAD", path, nil)
	author := h.reader(5)
	author.cookies = []*http.Cookie{h.signIn(t, h.sarah).cookie}
	wantStatus(t, author.send(t, "GET", path, nil), http.StatusOK)
	h.wantCounts(t, s, 2, 0)

	someone := h.reader(5)
	someone.cookies = []*http.Cookie{h.signIn(t, h.other).cookie}
	someone.send(t, "GET", path, nil)
	neighbour := h.reader(0) // another address of the same subscriber
	neighbour.address = "[2001:db8:1:2::1]"
	neighbour.send(t, "GET", path, nil)
	neighbour.address = "[2001:db8:1:2::2]"
	neighbour.send(t, "GET", path, nil)
	h.wantCounts(t, s, 4, 0)

	h.forward(24 * time.Hour)
	a.send(t, "GET", path, nil)
	h.wantCounts(t, s, 5, 0)

	if _, err := h.Store().UnpublishStepsy(t.Context(), operator, s.ID); err != nil {
		t.Fatal(err)
	}
	b.send(t, "GET", path, nil)
	h.wantCounts(t, s, 5, 0)
}

func TestReadersTellHowFarTheyComeAndTheAuthorSeesWhereTheyStop(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.publish(t, h.newStepsy(t, h.sarah, "Bread", "Mix", "", "Knead", "", "Bake", ""))
	const path = "/@sarah/bread"
	for i, last := range []int{0, 1, 2, 2} {
		r := h.reader(i + 1)
		for _, step := range s.Steps[:last+1] {
			wantStatus(t, r.send(t, "POST", path+"/reached", url.Values{"step": {itoa(step.ID)}}), http.StatusNoContent)
			r.send(t, "POST", path+"/reached", url.Values{"step": {itoa(step.ID)}})
		}
		if last == 2 {
			wantStatus(t, r.send(t, "POST", path+"/reached", url.Values{"done": {"1"}}), http.StatusNoContent)
		}
	}
	finished := h.reader(9).send(t, "POST", path+"/finish", nil) // without a script
	if finished.status != http.StatusSeeOther || finished.location != path+"/follow#done" {
		t.Errorf("the end leads to %d %s", finished.status, finished.location)
	}
	h.wantCounts(t, s, 0, 3)
	for name, form := range map[string]url.Values{"another step": {"step": {"99"}}, "no number": {"step": {"x"}}} {
		if got := h.reader(1).send(t, "POST", path+"/reached", form); got.status != http.StatusUnprocessableEntity {
			t.Errorf("%s is answered by %d", name, got.status)
		}
	}
	page := h.signIn(t, h.sarah).get(t, stepsyAt(s, "readers"))
	wantStatus(t, page, http.StatusOK)
	wantText(t, page, "1 Mix 4 readers 1 left here", "2 Knead 3 readers 1 left here", "3 Bake 2 readers", "3 completions")
	wantStatus(t, h.signIn(t, h.other).get(t, stepsyAt(s, "readers")), http.StatusNotFound)
	wantStatus(t, h.signIn(t, h.admin).get(t, stepsyAt(s, "readers")), http.StatusOK)
}

func TestReaderRatesOnceAndMayChangeIt(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.publish(t, h.newStepsy(t, h.sarah, "Bread", "Mix", "<p>Flour</p>"))
	const path = "/@sarah/bread"
	r := h.reader(1)
	page := r.send(t, "GET", path, nil)
	wantText(t, page, "Did it work for you?", "Send rating")
	if page.header.Get("Set-Cookie") != "" || page.header.Get("Cache-Control") != "public, no-cache" {
		t.Errorf("reading sets %q and is %q for caches", page.header.Get("Set-Cookie"), page.header.Get("Cache-Control"))
	}
	for name, form := range map[string]url.Values{
		"no stars": {"comment": {"Nice words"}}, "six stars": {"stars": {"6"}, "comment": {"Nice words"}}, "nonsense": {"stars": {"many"}, "comment": {"Nice words"}},
		"a long comment": {"stars": {"5"}, "comment": {"Nice words" + strings.Repeat("x", 1000)}},
	} {
		got := r.send(t, "POST", path+"/rating", form)
		if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "Nice words") || !strings.Contains(got.body, `class="problem"`) {
			t.Errorf("%s is answered by %d:\n%s", name, got.status, got.text())
		}
	}
	rate := func(r *reader, stars, comment string) {
		t.Helper()
		got := r.send(t, "POST", path+"/rating", url.Values{"stars": {stars}, "comment": {comment}})
		if got.status != http.StatusSeeOther || got.location != path+"#rate" {
			t.Fatalf("the rating is answered by %d %s:\n%s", got.status, got.location, got.text())
		}
	}
	rate(r, "2", "Too hot\r\nfor me")
	rate(h.reader(1), "5", "") // another browser at the same address
	rate(r, "4", "It was my oven")
	if got := h.stored(t, s); got.Ratings != 2 || got.Stars != 9 {
		t.Errorf("%d ratings of %d stars, want 2 of 9", got.Ratings, got.Stars)
	}
	page = r.send(t, "GET", path, nil)
	wantText(t, page, "Your rating", "It was my oven", "Change rating")
	if cache := page.header.Get("Cache-Control"); cache != "private, no-cache" {
		t.Errorf("a page with somebody's rating is %q for caches", cache)
	}
	wantNoText(t, h.reader(2).send(t, "GET", path, nil), "It was my oven")
	forged := h.reader(3)
	forged.cookies = []*http.Cookie{{Name: "stepsies_reader", Value: "nonsense"}}
	wantText(t, forged.send(t, "GET", path, nil), "Did it work for you?")

	signedIn := h.reader(4)
	signedIn.cookies = []*http.Cookie{h.signIn(t, h.other).cookie}
	rate(signedIn, "1", "")
	wantText(t, signedIn.send(t, "GET", path, nil), "Your rating")

	author := h.signIn(t, h.sarah)
	wantNoText(t, author.get(t, path), "Did it work for you?", "Your rating")
	wantStatus(t, author.post(t, path+"/rating", url.Values{"stars": {"5"}}), http.StatusForbidden)
	wantText(t, author.get(t, stepsyAt(s, "readers")), "It was my oven", "changed since", "of 3 ratings", "0 views 30 days, UTC None in these 30 days.")
}

func TestRatingsAreLimitedByAddress(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	h.publish(t, h.newStepsy(t, h.sarah, "Bread", "Mix", ""))
	for i := range 31 {
		got := h.reader(1).send(t, "POST", "/@sarah/bread/rating", url.Values{"stars": {"1"}})
		if want := map[bool]int{true: http.StatusSeeOther, false: http.StatusTooManyRequests}[i < 30]; got.status != want {
			t.Fatalf("rating %d is answered by %d, want %d", i+1, got.status, want)
		}
	}
	if got := h.reader(2).send(t, "POST", "/@sarah/bread/rating", url.Values{"stars": {"1"}}); got.status != http.StatusSeeOther {
		t.Errorf("another address is answered by %d", got.status)
	}
}

// TestPublicPageMayBeKeptButIsAskedForEachTime also sees what is taken back gone at
// once, and each page under its own name.
func TestPublicPageMayBeKeptButIsAskedForEachTime(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.publish(t, h.newStepsy(t, h.sarah, "Bread", "Mix", "<p>Flour</p>"))
	for _, path := range []string{"/@sarah/bread", "/@sarah/bread/follow"} {
		first := h.reader(1).send(t, "GET", path, nil)
		tag := first.header.Get("ETag")
		if tag == "" || first.header.Get("Vary") != "Cookie" || !strings.Contains(first.body, `<link rel="canonical" href="http://stepsies.test/@sarah/bread">`) {
			t.Errorf("%s has the tag %q, varies by %q", path, tag, first.header.Get("Vary"))
		}
		r := httptest.NewRequest("GET", "http://stepsies.test"+path, nil)
		r.Header.Set("If-None-Match", tag)
		w := httptest.NewRecorder()
		h.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusNotModified || w.Body.Len() != 0 {
			t.Errorf("%s, unchanged, is answered by %d with %d bytes", path, w.Code, w.Body.Len())
		}
		if got := len(first.body); got > 20_000 {
			t.Errorf("%s has %d bytes", path, got)
		}
	}
	title := "Better bread"
	h.change(t, s, stepsies.StepsyChange{Title: &title})
	wantText(t, h.reader(1).send(t, "GET", "/@sarah/bread", nil), title)
	if err := h.Store().DeleteStepsy(t.Context(), operator, s.ID); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/@sarah/bread", "/@sarah/bread/follow"} {
		wantStatus(t, h.reader(1).send(t, "GET", path, nil), http.StatusNotFound)
	}
	for _, path := range []string{"/reached", "/finish", "/rating"} {
		wantStatus(t, h.reader(1).send(t, "POST", "/@sarah/bread"+path, url.Values{"stars": {"5"}, "step": {"1"}}), http.StatusNotFound)
	}
}

// TestFormsOfAnOldAddressReachTheStepsy renames a stepsy while somebody has its page
// open.
func TestFormsOfAnOldAddressReachTheStepsy(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.publish(t, h.newStepsy(t, h.sarah, "Bread", "Mix", ""))
	slug := "loaf"
	h.change(t, s, stepsies.StepsyChange{Slug: &slug})
	if got := h.reader(1).send(t, "GET", "/@sarah/bread/follow", nil); got.location != "/@sarah/loaf/follow" {
		t.Errorf("following leads to %q", got.location)
	}
	if got := h.reader(1).send(t, "POST", "/@sarah/bread/rating", url.Values{"stars": {"5"}}); got.location != "/@sarah/loaf#rate" {
		t.Errorf("rating leads to %q", got.location)
	}
	wantStatus(t, h.reader(1).send(t, "POST", "/@sarah/bread/reached", url.Values{"done": {"1"}}), http.StatusNoContent)
	h.wantCounts(t, s, 0, 1)
}

func TestPicturesLoadLateAndLeadToThemselves(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	h.publish(t, h.newStepsy(t, h.sarah, "Bread", "Mix", `<p>1 &lt; 2 <img src="https://pictures.example/a.png?x=1&amp;y=2" alt="a > b"></p><p><a href="https://other.example/"><img src="https://pictures.example/b.png" alt="linked"></a></p>`))
	page := h.reader(1).send(t, "GET", "/@sarah/bread", nil)
	if n := strings.Count(page.body, `<img loading="lazy" decoding="async" `); n != 2 {
		t.Errorf("%d pictures load late, want 2", n)
	}
	if !strings.Contains(page.body, `<a class="enlarge" href="https://pictures.example/a.png?x=1&amp;y=2" rel="nofollow ugc noopener"><img`) || strings.Count(page.body, "enlarge") != 1 {
		t.Errorf("the pictures are not links to themselves, or links within links:\n%s", page.body)
	}
	wantText(t, page, "1 < 2")
}

// TestReadersNeverSeeMarkupOfOthers shows everything that authors and readers type.
func TestReadersNeverSeeMarkupOfOthers(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	author, r := h.signIn(t, h.sarah), h.reader(1)
	for i, payload := range append(payloads, contents...) {
		s := h.newStepsy(t, h.sarah, fmt.Sprint("before ", i), "Mix", payload)
		description := payload
		h.change(t, s, stepsies.StepsyChange{Title: &payload, Description: &description, Steps: &[]stepsies.StepChange{{ID: s.Steps[0].ID, Title: payload, Content: s.Steps[0].Content}}})
		if _, err := h.Store().PublishStepsy(t.Context(), operator, s.ID); err != nil {
			t.Fatal(err)
		}
		path := "/@sarah/" + h.stored(t, s).Slug
		r.address = fmt.Sprintf("198.51.100.%d", i)
		rated := r.send(t, "POST", path+"/rating", url.Values{"stars": {"3"}, "comment": {payload}})
		bad := r.send(t, "POST", path+"/rating", url.Values{"stars": {payload}, "comment": {payload}})
		if rated.status != http.StatusSeeOther {
			t.Errorf("%q cannot be said: %d", payload, rated.status)
		}
		for _, page := range []shown{bad, r.send(t, "GET", path, nil), r.send(t, "GET", path+"/follow", nil), author.get(t, stepsyAt(s, "readers"))} {
			wantTame(t, payload, page)
		}
	}
}
