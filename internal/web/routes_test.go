package web_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/reqlog"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web"
)

// publicRoutes are the pages and forms that need no session. A route that is not
// here is behind the sign-in; whoever adds one says so here.
var publicRoutes = []string{
	"GET /{$}", "GET /newest", "GET /best-rated", "GET /completed-lately", "GET /categories/{category}", "GET /search", "GET /@{author}",
	"GET /@{author}/feed.atom", "GET /feed.atom", "GET /sitemap.xml", "GET /sitemaps/{part}", "GET /robots.txt", "GET /favicon.ico",
	"GET /@{author}/{slug}", "GET /@{author}/{slug}/follow", "POST /@{author}/{slug}/reached", "POST /@{author}/{slug}/finish",
	"POST /@{author}/{slug}/rating", "GET /@{author}/{slug}.md", "GET /@{author}/{slug}.json", "GET /@{author}/{slug}/embed", "GET /oembed", "GET /preview/{token}",
	"GET /docs", "GET /docs.md", "GET /docs/{page...}", "GET /llms.txt", "GET /sign-in", "POST /sign-in",
	"GET /welcome/{token}", "POST /welcome/{token}", "GET /sign-up", "POST /sign-up", "GET /sign-up/{token}", "POST /sign-up/{token}",
	"GET /invitation/{token}", "POST /invitation/{token}", "GET /verify-email/{token}", "POST /verify-email/{token}",
	"GET /forgot-password", "POST /forgot-password", "GET /reset-password/{token}", "POST /reset-password/{token}",
}

// embedRoute is the one page that other sites may show in a frame.
const embedRoute = "GET /@{author}/{slug}/embed"

func openPages(t *testing.T) (*web.Web, http.Handler) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "stepsies.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	pages := web.New(web.Config{
		Store: s, Sessions: auth.NewSessions(s, time.Now, false), PublicURL: "http://stepsies.test", SignUp: web.SignUpOpen,
		OpenAPI: openAPI(t), Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	return pages, reqlog.Handler(slog.New(slog.DiscardHandler), nil, nil, pages)
}

// addressOf fills in the parts of a route's path.
func addressOf(pattern string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	path = strings.NewReplacer("{$}", "", "{id}", "1", "{page...}", "authentication", "{user}", "@sarah", "{token}", strings.Repeat("A", 43), "{author}", "sarah", "{slug}", "slug", "{category}", "design", "{part}", "1.xml").Replace(path)
	return method, path
}

func TestEveryRouteIsPublicByNameOrAsksToSignIn(t *testing.T) {
	t.Parallel()
	pages, handler := openPages(t)
	for _, route := range pages.Routes() {
		listed := slices.Contains(publicRoutes, route.Pattern)
		if route.Public != listed {
			t.Errorf("%s is public: %v; the list of this test says %v", route.Pattern, route.Public, listed)
		}
		method, path := addressOf(route.Pattern)
		if strings.Contains(path, "{") {
			t.Errorf("%s has a part that this test cannot fill in", route.Pattern)
		}
		for name, cookie := range map[string]string{"without a session": "", "with a made-up one": strings.Repeat("A", 43), "with nonsense": "' or 1=1"} {
			r := httptest.NewRequest(method, "http://stepsies.test"+path, nil)
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			if cookie != "" {
				r.Header.Set("Cookie", `stepsies_session="`+cookie+`"`)
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			toSignIn := w.Code == http.StatusSeeOther && strings.HasPrefix(w.Header().Get("Location"), "/sign-in?next=")
			if toSignIn == route.Public {
				t.Errorf("%s %s answers %d to %q", route.Pattern, name, w.Code, w.Header().Get("Location"))
			}
			if w.Code >= 500 {
				t.Errorf("%s %s answers %d", route.Pattern, name, w.Code)
			}
		}
	}
}

func TestEveryFormRefusesWhatComesFromAnotherSite(t *testing.T) {
	t.Parallel()
	pages, handler := openPages(t)
	forms := 0
	for _, route := range pages.Routes() {
		method, path := addressOf(route.Pattern)
		if method == http.MethodGet {
			continue
		}
		forms++
		for name, headers := range map[string][2]string{
			"cross-site": {"Sec-Fetch-Site", "cross-site"}, "same-site": {"Sec-Fetch-Site", "same-site"},
			"another origin": {"Origin", "https://evil.example"}, "another port": {"Origin", "http://stepsies.test:8080"},
			"no origin": {"Origin", "null"},
		} {
			r := httptest.NewRequest(method, "http://stepsies.test"+path, nil)
			r.Header.Set(headers[0], headers[1])
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			body, _ := io.ReadAll(w.Body)
			if w.Code != http.StatusForbidden || !strings.Contains(string(body), "sent from another site") {
				t.Errorf("%s from %s answers %d", route.Pattern, name, w.Code)
			}
		}
	}
	if forms < 20 {
		t.Errorf("the table has only %d forms", forms)
	}
}

func TestEveryPageHasItsHeaders(t *testing.T) {
	t.Parallel()
	pages, handler := openPages(t)
	for _, route := range pages.Routes() {
		method, path := addressOf(route.Pattern)
		r := httptest.NewRequest(method, "http://stepsies.test"+path, nil)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		framing, ancestors, referrer := "DENY", "frame-ancestors 'none'", "same-origin"
		switch route.Pattern {
		case embedRoute:
			framing, ancestors = "", "frame-ancestors *"
		case "GET /preview/{token}": // its address is a secret
			referrer = "no-referrer"
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": framing, "Referrer-Policy": referrer, "Cross-Origin-Opener-Policy": "same-origin",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", route.Pattern, name, got, want)
			}
		}
		csp := w.Header().Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", ancestors, "base-uri 'none'", "form-action '"} {
			if !strings.Contains(csp, want) || strings.Contains(csp, "unsafe") || strings.Count(csp, "frame-ancestors") != 1 {
				t.Errorf("%s: the policy is %q", route.Pattern, csp)
			}
		}
	}
}

func TestFormIsBounded(t *testing.T) {
	t.Parallel()
	_, handler := openPages(t)
	for name, body := range map[string]string{
		"too large": "login=" + strings.Repeat("a", 5<<20), "not a form": "%zz=%zz",
	} {
		r := httptest.NewRequest(http.MethodPost, "http://stepsies.test/sign-in", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusBadRequest {
			t.Errorf("a form that is %s is answered by %d", name, w.Code)
		}
	}
}
