package api_test

import (
	"compress/gzip"
	"io"
	"strings"
	"testing"
)

// TestDocumentIsSmallAndAskedForOnce fetches both forms as clients and proxies do.
func TestDocumentIsSmallAndAskedForOnce(t *testing.T) {
	t.Parallel()
	in := documented(t)
	for _, path := range []string{"/openapi.json", "/openapi.yaml"} {
		plain := in.ask("GET", path, "")
		if plain.header.Get("Content-Encoding") != "" || plain.header.Get("Vary") != "Accept-Encoding" || plain.header.Get("Cache-Control") != "public, no-cache" {
			t.Fatalf("%s: %v", path, plain.header)
		}
		packed := in.ask("GET", path, "", "Accept-Encoding: br, gzip")
		if packed.header.Get("Content-Encoding") != "gzip" || len(packed.body) > len(plain.body)/5 {
			t.Errorf("%s has %d bytes of %d in %q", path, len(packed.body), len(plain.body), packed.header.Get("Content-Encoding"))
		}
		r, err := gzip.NewReader(strings.NewReader(packed.body))
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(r); err != nil || string(text) != plain.body {
			t.Errorf("%s is another text when it is unpacked (%v)", path, err)
		}
		tags := []string{plain.header.Get("ETag"), packed.header.Get("ETag")}
		if tags[0] == "" || tags[0] == tags[1] {
			t.Errorf("%s has the tags %q for its two codings", path, tags)
		}
		if again := in.ask("GET", path, ""); again.header.Get("ETag") != tags[0] {
			t.Errorf("%s has another tag the second time", path)
		}
		for i, takes := range []string{"identity", "gzip"} {
			head := in.ask("HEAD", path, "", "Accept-Encoding: "+takes)
			full := []answer{plain, packed}[i]
			if head.status != 200 || head.body != "" || head.header.Get("ETag") != tags[i] || head.header.Get("Content-Length") != full.header.Get("Content-Length") || head.header.Get("Content-Length") == "" {
				t.Errorf("HEAD %s: %d %v", path, head.status, head.header)
			}
			behind := strings.TrimSuffix(tags[0], `"`)
			for _, seen := range []string{tags[0], tags[1], "W/" + tags[0], behind + `-br"`, `"old", W/` + behind + `-zstd"`, "*"} {
				for _, method := range []string{"GET", "HEAD"} {
					if a := in.ask(method, path, "", "Accept-Encoding: "+takes, "If-None-Match: "+seen); a.status != 304 || a.body != "" || a.header.Get("ETag") != tags[i] || a.header.Get("Cache-Control") == "" {
						t.Errorf("%s %s with If-None-Match: %s is answered %d %v", method, path, seen, a.status, a.header)
					}
				}
			}
			if a := in.ask("GET", path, "", "Accept-Encoding: "+takes, `If-None-Match: "old"`); a.status != 200 || len(a.body) != len(full.body) {
				t.Errorf("%s with an old tag is answered %d with %d bytes", path, a.status, len(a.body))
			}
		}
	}
}
