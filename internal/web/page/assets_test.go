package page

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestAssetsAreServedWholeAndForAYear asks for every asset as a browser does that
// takes gzip, and as one that does not.
func TestAssetsAreServedWholeAndForAYear(t *testing.T) {
	for name, address := range static().address {
		plain := askAsset(address, "")
		h := plain.Header()
		if plain.Code != http.StatusOK || plain.Body.Len() == 0 {
			t.Errorf("%s: status %d, %d bytes", name, plain.Code, plain.Body.Len())
		}
		if h.Get("Content-Type") == "" || h.Get("Cache-Control") != "public, max-age=31536000, immutable" || h.Get("Content-Encoding") != "" {
			t.Errorf("%s comes with %v", name, h)
		}
		packed := askAsset(address, "gzip, br")
		body, err := io.ReadAll(packed.Body)
		if err != nil {
			t.Fatal(err)
		}
		if packed.Header().Get("Content-Encoding") == "gzip" {
			if len(body) >= plain.Body.Len() {
				t.Errorf("%s grows from %d to %d bytes by gzip", name, plain.Body.Len(), len(body))
			}
			r, err := gzip.NewReader(bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if body, err = io.ReadAll(r); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(body, plain.Body.Bytes()) {
			t.Errorf("%s is another file when it comes by gzip", name)
		}
	}
	for _, name := range []string{"site.css", "editor.js"} {
		if got := askAsset(AssetURL(name), "gzip").Header().Get("Content-Encoding"); got != "gzip" {
			t.Errorf("%s comes with the encoding %q, want gzip", name, got)
		}
	}
	if got := askAsset("/assets/site.000000000000.css", "").Code; got != http.StatusNotFound {
		t.Errorf("an asset of another version: status %d, want 404", got)
	}
}

func askAsset(address, encodings string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, address, nil)
	if encodings != "" {
		r.Header.Set("Accept-Encoding", encodings)
	}
	w := httptest.NewRecorder()
	ServeAsset(w, r)
	return w
}
