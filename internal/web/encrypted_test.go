package web_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stepsies/stepsies/internal/reqlog"
	"github.com/stepsies/stepsies/internal/server"
)

// TestEntranceOverHTTPSaysWhereToGoAndTheLogWarnsOnce comes to an installation whose public
// URL is https, in the ways that browsers and proxies tell of http, and of https.
func TestEntranceOverHTTPSaysWhereToGoAndTheLogWarnsOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	proxies, err := reqlog.ParseProxies([]string{"10.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	h := openHouse(t, func(c *server.Config) {
		c.PublicURL, c.Proxies, c.SignUp = "https://stepsies.test", proxies, "open"
		c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	})
	h.withPassword(t, "sarah", "member")
	ask := func(method, address, from string, header ...string) *httptest.ResponseRecorder {
		t.Helper()
		body := ""
		if method == "POST" {
			body = formOf("login", "sarah", "password", goodPassword, "next", "/dashboard/stepsies?q=a&b").Encode()
		}
		r := httptest.NewRequest(method, address, strings.NewReader(body))
		r.TLS = nil // the server itself speaks none
		r.RemoteAddr = from + ":1234"
		if body != "" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		h.Handler().ServeHTTP(w, r)
		return w
	}
	const site, proxy, stranger = "http://stepsies.test", "10.0.0.1", "192.0.2.10"
	for name, c := range map[string]struct {
		method, path, from string
		header             []string
		leads              string
	}{
		"the form, as a trusted proxy tells":      {"GET", "/sign-in?next=%2Fdashboard", proxy, []string{"X-Forwarded-Proto", "http"}, "/sign-in?next=%2Fdashboard"},
		"the sign-in, as a trusted proxy tells":   {"POST", "/sign-in", proxy, []string{"X-Forwarded-Proto", "HTTP"}, "/sign-in?next=%2Fdashboard%2Fstepsies%3Fq%3Da%26b"},
		"the sign-in, as the browser tells":       {"POST", "/sign-in", stranger, []string{"Origin", site}, "/sign-in?next=%2Fdashboard%2Fstepsies%3Fq%3Da%26b"},
		"an invitation":                           {"GET", "/invitation/none", proxy, []string{"X-Forwarded-Proto", "http"}, "/invitation/none"},
		"the sign-up":                             {"GET", "/sign-up", proxy, []string{"X-Forwarded-Proto", "http"}, "/sign-up"},
		"a new password, whose link is good once": {"GET", "/reset-password/none", proxy, []string{"X-Forwarded-Proto", "http, http"}, "/reset-password/none"},
		"the first admin":                         {"GET", "/welcome/none", proxy, []string{"X-Forwarded-Proto", "http"}, "/welcome/none"},
		"the sign-in, whatever the proxy says":    {"POST", "/sign-in", proxy, []string{"Origin", site, "X-Forwarded-Proto", "https"}, "/sign-in?next=%2Fdashboard%2Fstepsies%3Fq%3Da%26b"},
	} {
		w := ask(c.method, site+c.path, c.from, c.header...)
		want := map[string]int{"GET": http.StatusOK, "POST": http.StatusBadRequest}[c.method]
		address := strings.ReplaceAll("https://stepsies.test"+c.leads, "&", "&amp;")
		if w.Code != want || !strings.Contains(w.Body.String(), `href="`+address+`"`) || len(w.Header()["Set-Cookie"]) > 0 || w.Header().Get("Location") != "" || strings.Contains(w.Body.String(), goodPassword) {
			t.Errorf("%s is answered %d %v %s", name, w.Code, w.Header(), w.Body)
		}
	}
	if got := strings.Count(log.String(), "level=WARN"); got != 1 || !strings.Contains(log.String(), "public_url=https://stepsies.test") {
		t.Errorf("the log has %d warnings: %s", got, log.String())
	}

	for name, c := range map[string]struct {
		address, from string
		header        []string
	}{
		"through the proxy":                         {site, proxy, []string{"X-Forwarded-Proto", "https"}},
		"through a proxy before the proxy":          {site, proxy, []string{"X-Forwarded-Proto", "https, http"}},
		"through a proxy that lies, by the browser": {site, proxy, []string{"Origin", "https://stepsies.test", "X-Forwarded-Proto", "http"}},
		"in a new browser":                          {site, proxy, []string{"Sec-Fetch-Site", "same-origin", "X-Forwarded-Proto", "http"}},
		"through a proxy that says nothing":         {site, proxy, nil},
		"from one who is not trusted":               {site, stranger, []string{"X-Forwarded-Proto", "http"}},
		"on the machine itself":                     {"http://localhost:8080", stranger, []string{"Origin", "http://localhost:8080"}},
		"on the machine itself, by number":          {"http://127.0.0.1:8080", proxy, []string{"X-Forwarded-Proto", "http"}},
	} {
		if w := ask("GET", c.address+"/sign-in", c.from, c.header...); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `name="password"`) {
			t.Errorf("%s the form is %d %s", name, w.Code, w.Body)
		}
		if w := ask("POST", c.address+"/sign-in", c.from, c.header...); w.Code != http.StatusSeeOther || len(w.Header()["Set-Cookie"]) == 0 {
			t.Errorf("%s the sign-in is answered %d %s", name, w.Code, w.Body)
		}
	}

	plain := openHouse(t, nil)
	h.Server, plain.Server = plain.Server, h.Server
	if w := ask("GET", site+"/sign-in", stranger); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `name="password"`) {
		t.Errorf("where the public URL is http the form is %d", w.Code)
	}
}
