package page

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/stepsies/stepsies/internal/reqlog"
)

// unencrypted reports whether a browser has come by http to an installation whose public
// URL is https. It keeps none of our cookies then, so that whoever signs in is a stranger
// on the next page. The browser itself knows best: a proxy that stands behind another one
// may call http what came encrypted. Where nobody tells, the answer is no.
func (q *Request) unencrypted() bool {
	if !q.site.secure() || q.TLS != nil || isLoopback(q.Host) {
		return false // browsers keep such cookies of their own machine
	}
	if q.Header.Get("Sec-Fetch-Site") != "" {
		return false // which is sent over encrypted connections alone (Fetch Metadata §2)
	}
	if from, err := url.Parse(q.Header.Get("Origin")); err == nil && strings.EqualFold(from.Host, q.Host) {
		return from.Scheme == "http"
	}
	return reqlog.From(q.Context()).Scheme == "http"
}

// isLoopback reports whether the host of a request is the browser's own machine.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") || strings.HasSuffix(strings.ToLower(host), ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.IsLoopback()
}

// showEncrypted leads to the same page under the public URL. It redirects nobody: behind
// a proxy that says http of everything that would go round and round. Nothing is done
// with the form, so that a link that works once still does.
func (q *Request) showEncrypted() {
	q.site.unencrypted.Do(func() {
		q.site.Log.Warn("a browser came by http to sign in, where it keeps no cookie: have the proxy send http on to https, and tell in X-Forwarded-Proto what it was",
			"public_url", q.site.PublicURL, "route", reqlog.From(q.Context()).Route)
	})
	status, address := http.StatusOK, q.site.PublicURL+q.URL.RequestURI()
	if q.Method == http.MethodPost {
		status = http.StatusBadRequest
		q.readBody()
		if next := q.PostFormValue("next"); next != "" {
			address = q.site.PublicURL + q.URL.Path + "?next=" + url.QueryEscape(next)
		}
	}
	_ = q.Render(status, encryptedPage(Page{Title: "Go on over https", Now: q.site.Now()}, address, q.Method == http.MethodPost))
}
