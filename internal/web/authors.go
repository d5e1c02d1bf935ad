package web

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/stepsies/stepsies/internal/web/page"
)

// The addresses of authors begin with "@" in the middle of a segment, which the
// patterns of [http.ServeMux] cannot say. So they have a mux of their own, which is
// shown them with a slash behind the "@": /@sarah/bread is /@/sarah/bread there. Nor
// can they say how a segment ends, so that /@sarah/bread.md is /@/sarah/bread/.md.

// handle registers a route with the mux that can match it.
func (web *Web) handle(r route) {
	method, path, _ := strings.Cut(r.Pattern, " ")
	rest, ofAuthor := strings.CutPrefix(path, "/@{")
	if !ofAuthor {
		web.mux.HandleFunc(r.Pattern, web.Serve(page.Route(r)))
		return
	}
	for _, extension := range extensions {
		rest = strings.Replace(rest, "}"+extension, "}/"+extension, 1)
	}
	serve := web.Serve(page.Route(r))
	web.authors.HandleFunc(method+" /@/{"+rest, func(w http.ResponseWriter, req *http.Request) {
		req.URL = moved(req.URL, outward) // handlers see what was asked for
		serve(w, req)
	})
}

// extensions are the forms in which a stepsy is given out beside its page.
var extensions = []string{".md", ".json"}

// serveAuthors answers what the other mux does not: the addresses of authors, and
// those where there is nothing.
func (web *Web) serveAuthors(w http.ResponseWriter, r *http.Request) {
	if inner := web.ofAuthors(r); inner != nil {
		web.authors.ServeHTTP(w, inner)
		return
	}
	web.Serve(page.Route{Pattern: "/", Access: page.Public, Handle: web.nothingHere})(w, r)
}

// ofAuthors returns a request as the mux of the authors sees it, nil where it has no
// route for it.
func (web *Web) ofAuthors(r *http.Request) *http.Request {
	// A path that the mux would clean is none of ours: it would redirect to the
	// address with the slash in it.
	if !strings.HasPrefix(r.URL.Path, "/@") || path.Clean(r.URL.Path) != r.URL.Path || strings.HasPrefix(r.URL.Path, "/@/") {
		return nil
	}
	inner := r.WithContext(r.Context())
	inner.URL = moved(r.URL, inward)
	if _, pattern := web.authors.Handler(inner); pattern == "" {
		return nil
	}
	return inner
}

// nothingHere says so, unless there is something without the slash that somebody put at
// the end of the address.
func (web *Web) nothingHere(q *page.Request) error {
	bare, slash := strings.CutSuffix(q.URL.Path, "/")
	if !slash || path.Clean(bare) != bare || q.Method != http.MethodGet && q.Method != http.MethodHead {
		return page.ErrNoPage
	}
	there := q.WithContext(q.Context())
	there.URL = moved(q.URL, func(path string) string { return strings.TrimSuffix(path, "/") })
	if _, pattern := web.mux.Handler(there); pattern == "/" && web.ofAuthors(there) == nil {
		return page.ErrNoPage
	}
	http.Redirect(q.W, q.Request, there.URL.RequestURI(), http.StatusMovedPermanently)
	return nil
}

// inward is a path as the mux of the authors sees it, and outward is it again as it
// was asked for.
func inward(path string) string {
	path = "/@/" + strings.TrimPrefix(path, "/@")
	for _, extension := range extensions {
		if name, found := strings.CutSuffix(path, extension); found && !strings.HasSuffix(name, "/") {
			return name + "/" + extension
		}
	}
	return path
}

func outward(path string) string {
	path = "/@" + strings.TrimPrefix(path, "/@/")
	for _, extension := range extensions {
		if name, found := strings.CutSuffix(path, "/"+extension); found {
			return name + extension
		}
	}
	return path
}

// moved returns a copy of an address with another path.
func moved(u *url.URL, move func(string) string) *url.URL {
	c := *u
	c.Path = move(c.Path)
	if c.RawPath != "" {
		c.RawPath = move(c.RawPath)
	}
	return &c
}
