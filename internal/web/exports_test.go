package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/stepsyfile"
)

// publish makes a stepsy public, beside the pages.
func (h *keyHouse) publish(t *testing.T, s stepsies.Stepsy) stepsies.Stepsy {
	t.Helper()
	out, err := h.Store().PublishStepsy(t.Context(), operator, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	return out.Value
}

// api is what GET /v1/stepsies/{id} answers to its author.
func (h *keyHouse) api(t *testing.T, s stepsies.Stepsy) shown {
	t.Helper()
	_, secret := h.newKey(t, stepsies.User{Username: s.Username}, "reader", "read")
	r := httptest.NewRequest(http.MethodGet, "http://stepsies.test/v1/stepsies/"+itoa(s.ID), nil)
	r.Header.Set("Authorization", "Bearer "+secret.Reveal())
	w := httptest.NewRecorder()
	h.Handler().ServeHTTP(w, r)
	return shown{w.Code, w.Header(), "", w.Body.String()}
}

// forms are the addresses at which a published stepsy is given to others than readers.
var forms = []string{".md", ".json", "/embed"}

func TestJSONOfAPublishedStepsyIsThatOfTheAPIToTheByte(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.newStepsy(t, h.sarah, `Bread & "butter" <b>☕</b>`, "Mix", richStep, "Bake", "", "Ünïcode \u2028", "<p>a &lt; b</p>")
	description, yes := "Two lines\nwith a\ttab", true
	s = h.publish(t, h.change(t, s, stepsies.StepsyChange{Description: &description, Featured: &yes}))
	got, want := (&person{h: h}).get(t, publicAt(s)+".json"), h.api(t, s)
	wantStatus(t, got, http.StatusOK)
	wantStatus(t, want, http.StatusOK)
	if got.body != want.body {
		t.Errorf("the two answers differ:\n%s\n%s", got.body, want.body)
	}
	if kind := got.header.Get("Content-Type"); kind != want.header.Get("Content-Type") {
		t.Errorf("the media type is %s", kind)
	}
}

func TestMarkdownOfAPublishedStepsyIsItsFile(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.publish(t, h.newStepsy(t, h.sarah, "Bake: bread", "Mix", "<p>Flour &amp; <strong>water</strong></p>", "Bake", "<p>30 minutes</p>"))
	got := (&person{h: h}).get(t, publicAt(s)+".md")
	wantStatus(t, got, http.StatusOK)
	if kind := got.header.Get("Content-Type"); kind != "text/markdown; charset=utf-8" { // RFC 7763
		t.Errorf("the media type is %s", kind)
	}
	file, err := stepsyfile.Parse([]byte(got.body))
	if err != nil {
		t.Fatalf("%v in:\n%s", err, got.body)
	}
	if file.Title != s.Title || file.Slug != s.Slug || file.Category != s.Category || file.Status != "published" || len(file.Steps) != 2 ||
		file.Steps[0].Title != "Mix" || file.Steps[0].HTML != s.Steps[0].Content.HTML() {
		t.Errorf("the file reads as %+v", file)
	}
}

// TestOtherFormsAreForWhatIsPublishedAlone holds for the author too, so that one answer
// is everyone's.
func TestOtherFormsAreForWhatIsPublishedAlone(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	stranger, author := &person{h: h}, h.signIn(t, h.sarah)
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>")
	for _, form := range forms {
		for _, p := range []*person{stranger, author} {
			wantStatus(t, p.get(t, publicAt(s)+form), http.StatusNotFound)
		}
	}
	h.publish(t, s)
	slug := "bread"
	h.change(t, s, stepsies.StepsyChange{Slug: &slug})
	for _, form := range forms {
		for _, p := range []*person{stranger, author} {
			wantStatus(t, p.get(t, "/@sarah/bread"+form), http.StatusOK)
		}
		for _, old := range []string{"/@sarah/bake-bread", "/@SARAH/bread"} {
			if got := stranger.get(t, old+form); got.status != http.StatusFound || got.location != "/@sarah/bread"+form {
				t.Errorf("%s answers %d %s", old+form, got.status, got.location)
			}
		}
		for _, none := range []string{"/@sarah/none", "/@nobody/bread", "/@/bread", "/@sarah/bread.md", "/@sarah/bread/embed", "/@sarah"} {
			wantStatus(t, stranger.get(t, none+form), http.StatusNotFound)
		}
	}
	suspended := true
	if _, err := h.Store().UpdateUser(t.Context(), operator, "sarah", stepsies.UserChange{Suspended: &suspended}); err != nil {
		t.Fatal(err)
	}
	for _, form := range forms {
		wantStatus(t, stranger.get(t, "/@sarah/bread"+form), http.StatusNotFound)
	}
}

// TestOtherFormsAreKeptByCachesAndCarryNobodysSession sends what browsers would.
func TestOtherFormsAreKeptByCachesAndCarryNobodysSession(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	author := h.signIn(t, h.sarah)
	s := h.publish(t, h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>"))
	for _, form := range append(forms, "oembed") {
		path := publicAt(s) + form
		if form == "oembed" {
			path = "/oembed?url=http://stepsies.test" + publicAt(s)
		}
		author.notice = &http.Cookie{Name: "stepsies_notice", Value: "a+sentence"}
		got := author.get(t, path)
		wantStatus(t, got, http.StatusOK)
		if c := got.header.Get("Cache-Control"); c != "public, no-cache" {
			t.Errorf("%s: Cache-Control is %q", path, c)
		}
		if got.header.Get("Set-Cookie") != "" || strings.Contains(strings.Join(got.header.Values("Vary"), ","), "Cookie") || got.body != (&person{h: h}).get(t, path).body {
			t.Errorf("%s depends on cookies", path)
		}
		if origin := got.header.Get("Access-Control-Allow-Origin"); (origin == "*") != (form != "/embed") || got.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: origins %q may read it", path, origin)
		}
		r := httptest.NewRequest(http.MethodGet, "http://stepsies.test"+path, nil)
		r.Header.Set("If-None-Match", got.header.Get("ETag"))
		w := httptest.NewRecorder()
		h.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusNotModified || w.Body.Len() > 0 {
			t.Errorf("%s asked for again answers %d", path, w.Code)
		}
	}
	title := "Bake better bread"
	before := author.get(t, publicAt(s)+".md").header.Get("ETag")
	h.change(t, s, stepsies.StepsyChange{Title: &title})
	if after := author.get(t, publicAt(s)+".md").header.Get("ETag"); after == before {
		t.Error("the ETag stays though the stepsy changed")
	}
}
