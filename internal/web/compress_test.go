package web_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestWhatEveryoneGetsIsCompressedForWhoTakesIt asks for all kinds of public answers, as a
// client that takes gzip and as others.
func TestWhatEveryoneGetsIsCompressedForWhoTakesIt(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.publish(t, h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>"+strings.Repeat("Knead the dough. ", 200)+"</p>"))
	ask := func(method, path, takes, tag string, cookies ...*http.Cookie) *httptest.ResponseRecorder {
		t.Helper()
		r := httptest.NewRequest(method, "http://stepsies.test"+path, nil)
		if takes != "" {
			r.Header.Set("Accept-Encoding", takes)
		}
		if tag != "" {
			r.Header.Set("If-None-Match", tag)
		}
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		h.Handler().ServeHTTP(w, r)
		return w
	}
	for _, path := range []string{"/", "/newest", "/search?q=bread", "/@sarah", publicAt(s), publicAt(s) + "/follow", publicAt(s) + "/embed", publicAt(s) + ".md", publicAt(s) + ".json", "/feed.atom"} {
		plain := ask("GET", path, "", "")
		if plain.Code != http.StatusOK || plain.Header().Get("Content-Encoding") != "" || !strings.Contains(strings.Join(plain.Header().Values("Vary"), ","), "Accept-Encoding") {
			t.Errorf("%s answers %d in %q, varying by %q", path, plain.Code, plain.Header().Get("Content-Encoding"), plain.Header().Values("Vary"))
		}
		for _, takes := range []string{"br", "gzip;q=0", "identity, gzip; q=0.0", "gzipped"} {
			if got := ask("GET", path, takes, ""); got.Header().Get("Content-Encoding") != "" || got.Body.String() != plain.Body.String() {
				t.Errorf("%s is packed for who takes %s", path, takes)
			}
		}
		for _, takes := range []string{"gzip, deflate, br, zstd", "br;q=1.0, GZIP;q=0.5"} {
			packed := ask("GET", path, takes, "")
			if packed.Header().Get("Content-Encoding") != "gzip" || packed.Body.Len() > plain.Body.Len()*2/3 {
				t.Fatalf("%s has the encoding %q and %d bytes of %d", path, packed.Header().Get("Content-Encoding"), packed.Body.Len(), plain.Body.Len())
			}
			tag := packed.Header().Get("ETag")
			if tag == plain.Header().Get("ETag") {
				t.Errorf("%s has one tag for two encodings", path)
			}
			if head := ask("HEAD", path, takes, ""); head.Header().Get("ETag") != tag || head.Header().Get("Content-Length") != packed.Header().Get("Content-Length") || head.Body.Len() > 0 {
				t.Errorf("HEAD of %s has the header %v", path, head.Header())
			}
			if same := ask("GET", path, takes, tag); same.Code != http.StatusNotModified || same.Body.Len() > 0 {
				t.Errorf("%s answers %d to its own tag", path, same.Code)
			}
			r, err := gzip.NewReader(packed.Body)
			if err != nil {
				t.Fatal(err)
			}
			if text, err := io.ReadAll(r); err != nil || string(text) != plain.Body.String() {
				t.Errorf("%s is another page when it comes by gzip (%v)", path, err)
			}
		}
	}
	// What is somebody's own keeps its size, whatever others make it repeat.
	for _, path := range []string{publicAt(s), "/search?q=bread", "/dashboard"} {
		if mine := ask("GET", path, "gzip", "", h.signIn(t, h.sarah).cookie); mine.Code != http.StatusOK || mine.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s answers its author %d in %q", path, mine.Code, mine.Header().Get("Content-Encoding"))
		}
	}
}
