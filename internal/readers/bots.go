package readers

import (
	"net/http"
	"strings"
)

// botWords stand, in lower case, in the names of programs that say they are no
// reader: they index, watch, archive or make a preview of a link.
var botWords = []string{
	"bot", "crawl", "spider", "slurp", "scrape", "archive", "fetch", "preview", "monitor", "validator", "checker",
	"headless", "compatible;", "lighthouse", "facebookexternalhit", "whatsapp", "feed", "curl", "wget", "python", "http",
}

// Bot reports whether a request says that it is not a reader's: a program by its
// name, or a browser that loads the page before anyone opens it. Every browser
// calls itself Mozilla (RFC 9110 §10.1.5 asks for more; that is how it came); the
// phones of a maker named Cubot are no bots.
func Bot(r *http.Request) bool {
	if strings.Contains(r.Header.Get("Sec-Purpose"), "prefetch") || r.Header.Get("Purpose") == "prefetch" {
		return true
	}
	name := strings.ToLower(r.UserAgent())
	if !strings.HasPrefix(name, "mozilla/") && !strings.HasPrefix(name, "opera/") {
		return true
	}
	name = strings.ReplaceAll(name, "cubot", "")
	for _, word := range botWords {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}
