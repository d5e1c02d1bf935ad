package web

import (
	"net/http"
	"net/url"
	"path"
	"strings"
)

// The addresses of authors begin with "@" in the middle of a segment, which the
// patterns of [http.ServeMux] cannot say. So they have a mux of their own, which is
// shown them with a slash behind the "@": /@sarah/bread is /@/sarah/bread there.

// handle registers a route with the mux that can match it.
func (web *Web) handle(r route) {
	method, path, _ := strings.Cut(r.pattern, " ")
	rest, ofAuthor := strings.CutPrefix(path, "/@{")
	if !ofAuthor {
		web.mux.HandleFunc(r.pattern, web.serve(r))
		return
	}
	serve := web.serve(r)
	web.authors.HandleFunc(method+" /@/{"+rest, func(w http.ResponseWriter, req *http.Request) {
		req.URL = moved(req.URL, "/@/", "/@") // handlers see what was asked for
		serve(w, req)
	})
}

// serveAuthors answers what the other mux does not: the addresses of authors, and
// those where there is nothing.
func (web *Web) serveAuthors(w http.ResponseWriter, r *http.Request) {
	// A path that the mux would clean is none of ours: it would redirect to the
	// address with the slash in it.
	if strings.HasPrefix(r.URL.Path, "/@") && path.Clean(r.URL.Path) == r.URL.Path && !strings.HasPrefix(r.URL.Path, "/@/") {
		inner := r.WithContext(r.Context())
		inner.URL = moved(r.URL, "/@", "/@/")
		if _, pattern := web.authors.Handler(inner); pattern != "" {
			web.authors.ServeHTTP(w, inner)
			return
		}
	}
	web.serve(route{"/", public, func(*request) error { return errNoPage }})(w, r)
}

// moved returns a copy of an address with another beginning of its path.
func moved(u *url.URL, from, to string) *url.URL {
	c := *u
	c.Path = to + strings.TrimPrefix(c.Path, from)
	if c.RawPath != "" {
		c.RawPath = to + strings.TrimPrefix(c.RawPath, from)
	}
	return &c
}
