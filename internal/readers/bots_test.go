package readers_test

import (
	"net/http/httptest"
	"testing"

	"github.com/stepsies/stepsies/internal/readers"
)

func TestBotsThatSaySoAreNoReaders(t *testing.T) {
	for name, bot := range map[string]bool{
		"":                           true,
		"curl/8.5":                   true,
		"Wget/1.21":                  true,
		"python-requests/2.31.0":     true,
		"Go-http-client/1.1":         true,
		"Slackbot-LinkExpanding 1.0": true,
		"WhatsApp/2.23":              true,
		"facebookexternalhit/1.1":    true,
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://x)":                         true,
		"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2)": true,
		"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36 (compatible; Google-InspectionTool/1.0;)": true,
		"Mozilla/5.0 (compatible; Nextcloud News)": true,
		"Mozilla/5.0 (compatible; Yahoo! Slurp)":   true,
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36":                           true,
		"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0":                                                                  false,
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1": false,
		"Mozilla/5.0 (Linux; Android 13; CUBOT P80) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36":                 false,
		"Opera/9.80 (Android; Opera Mini/36.2/119.132; U; en) Presto/2.12.423 Version/12.16":                                                      false,
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0":           false,
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15":                   false,
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("User-Agent", name)
		if got := readers.Bot(r); got != bot {
			t.Errorf("%q is a bot: %v, want %v", name, got, bot)
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
	r.Header.Set("Sec-Purpose", "prefetch;prerender")
	if !readers.Bot(r) {
		t.Error("a page that is loaded before anyone opens it counts as read")
	}
}
