package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/stepsies/stepsies/internal/reqlog"
)

//go:embed assets
var assetFiles embed.FS

// stylesheet is made of these, in this order.
var stylesheet = []string{"fonts.css", "tokens.css", "look.css", "parts.css", "keys.css", "stepsies.css", "reading.css", "editor.css", "account.css", "docs.css", "share.css", "embed.css", "find.css"}

// assets are the files that pages load, each under an address with a hash of its
// content, so that a browser may keep it for ever.
type assets struct {
	address map[string]string // by name: "site.css" → "/assets/site.1a2b3c4d5e6f.css"
	files   map[string]asset  // by address
}

type asset struct {
	mediaType string
	body      []byte
	// gzipped is made by the first request for it, so that no command waits for it at
	// its start. nil: the file is served as it is.
	gzipped func() []byte
}

// mediaTypes are those of our own files, whatever the machine's tables say.
var mediaTypes = map[string]string{
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".png":   "image/png",
	".svg":   "image/svg+xml",
	".txt":   "text/plain; charset=utf-8",
	".woff2": "font/woff2",
}

// static are the files within the program. The first page that names one reads and hashes
// them all, a megabyte, which no command waits for that shows no page.
var static = sync.OnceValue(func() *assets {
	a := &assets{address: map[string]string{}, files: map[string]asset{}}
	if err := a.load(); err != nil {
		panic(err) // the program was built wrong
	}
	return a
})

var cssURL = regexp.MustCompile(`url\(([a-z0-9./-]+)\)`)

func (a *assets) load() error {
	var sheets bytes.Buffer
	for _, name := range stylesheet {
		text, err := assetFiles.ReadFile("assets/" + name)
		if err != nil {
			return fmt.Errorf("stylesheet: %w", err)
		}
		sheets.Write(text)
	}
	if err := fs.WalkDir(assetFiles, "assets", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(file) == ".css" {
			return err
		}
		body, err := assetFiles.ReadFile(file)
		if err != nil {
			return err
		}
		a.add(strings.TrimPrefix(file, "assets/"), body)
		return nil
	}); err != nil {
		return fmt.Errorf("assets: %w", err)
	}
	// Fonts have their addresses by now; the stylesheet names them.
	var missing string
	css := cssURL.ReplaceAllFunc(sheets.Bytes(), func(m []byte) []byte {
		name := string(cssURL.FindSubmatch(m)[1])
		address, ok := a.address[name]
		if !ok {
			missing = name
		}
		return []byte("url(" + address + ")")
	})
	if missing != "" {
		return fmt.Errorf("stylesheet: there is no %s", missing)
	}
	a.add("site.css", css)
	return nil
}

func (a *assets) add(name string, body []byte) {
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	address := "/assets/" + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
	file := asset{mediaType: mediaTypes[ext], body: body}
	if ext == ".css" || ext == ".js" || ext == ".svg" {
		file.gzipped = sync.OnceValue(func() []byte { return reqlog.Gzipped(body) })
	}
	a.address[name], a.files[address] = address, file
}

// AssetURL is the address of an asset. Naming one that is not there is a mistake
// of ours, found by the first test that shows the page.
func AssetURL(name string) string {
	address, ok := static().address[name]
	if !ok {
		panic("web: no asset " + name)
	}
	return address
}

// Icon is for those who look for it at the address that it has had since 1999. Pages
// name better ones.
func (s *Site) Icon(q *Request) error {
	q.W.Header().Set("Cache-Control", "public, max-age=86400")
	return q.Answer("image/png", static().files[AssetURL("icon.png")].body)
}

// ServeAsset answers with the asset at an address, to be kept for ever.
func ServeAsset(w http.ResponseWriter, r *http.Request) {
	file, ok := static().files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", file.mediaType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	if path.Ext(r.URL.Path) == ".woff2" {
		h.Set("Access-Control-Allow-Origin", "*") // a page in a sandboxed frame has no origin
	}
	body := file.body
	if file.gzipped != nil && reqlog.TakesGzip(r.Header) {
		h.Set("Content-Encoding", "gzip")
		body = file.gzipped()
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	_, _ = w.Write(body) // the client has gone
}
