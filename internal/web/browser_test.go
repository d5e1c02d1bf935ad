package web_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/mail"
	"github.com/stepsies/stepsies/internal/server"
	"github.com/stepsies/stepsies/internal/testenv"
)

const (
	goodPassword  = "a good long sentence"
	otherPassword = "another good long sentence"
)

// openHouse is an installation without users, on a clock of its own.
func openHouse(t *testing.T, change func(*server.Config)) *keyHouse {
	t.Helper()
	h := &keyHouse{}
	c := server.Config{DataDir: t.TempDir(), PublicURL: "http://stepsies.test", Migrate: true, Log: slog.New(slog.DiscardHandler), Now: h.now}
	if change != nil {
		change(&c)
	}
	s, err := server.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	h.Server = s
	return h
}

// withMail has the installation send its e-mail to a server of the test's.
func withMail(t *testing.T, change func(*server.Config)) (*keyHouse, *testenv.MailServer) {
	t.Helper()
	mails := testenv.NewMailServer(t, testenv.MailServerConfig{})
	mailer, err := mail.New(mails.URL(), "Stepsies <stepsies@example.com>")
	if err != nil {
		t.Fatal(err)
	}
	return openHouse(t, func(c *server.Config) {
		c.Mail = mailer
		if change != nil {
			change(c)
		}
	}), mails
}

// withPassword makes a user who can sign in.
func (h *keyHouse) withPassword(t *testing.T, name, role string) stepsies.User {
	t.Helper()
	u := h.newUser(t, name, role)
	hash, err := auth.HashPassword(t.Context(), goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Store().SetPassword(t.Context(), operator, name, hash, 0); err != nil {
		t.Fatal(err)
	}
	u.HasPassword = true
	return u
}

// browser keeps cookies as a browser does, and sends forms from its own pages.
type browser struct {
	h       *keyHouse
	origin  string
	address string // of the client
	agent   string
	cookies map[string]*http.Cookie
}

func (h *keyHouse) browser() *browser {
	return &browser{h: h, origin: "http://stepsies.test", address: "192.0.2.10", agent: "test/1.0", cookies: map[string]*http.Cookie{}}
}

func (b *browser) get(t *testing.T, path string) shown { return b.send(t, http.MethodGet, path, nil) }

func (b *browser) post(t *testing.T, path string, fields ...string) shown {
	t.Helper()
	return b.send(t, http.MethodPost, path, formOf(fields...))
}

// formOf makes a form of names and values in turn.
func formOf(fields ...string) url.Values {
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return form
}

func (b *browser) send(t *testing.T, method, path string, form url.Values) shown {
	t.Helper()
	r := httptest.NewRequest(method, b.origin+path, strings.NewReader(form.Encode()))
	r.RemoteAddr = b.address + ":1234"
	r.Header.Set("User-Agent", b.agent)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	b.h.Handler().ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c
		}
	}
	return shown{w.Code, w.Header(), w.Header().Get("Location"), w.Body.String()}
}

// session is the cookie by which the browser is signed in, nil where it is not.
func (b *browser) session() *http.Cookie {
	for _, c := range b.cookies {
		if strings.HasSuffix(c.Name, "stepsies_session") {
			return c
		}
	}
	return nil
}

func (b *browser) signIn(t *testing.T, login, password string) shown {
	t.Helper()
	return b.post(t, "/sign-in", "login", login, "password", password)
}

// signedIn is a browser in which someone has signed in.
func (h *keyHouse) signedIn(t *testing.T, login string) *browser {
	t.Helper()
	b := h.browser()
	wantRedirect(t, b.signIn(t, login, goodPassword), "/dashboard")
	return b
}

func wantRedirect(t *testing.T, got shown, want string) {
	t.Helper()
	if got.status != http.StatusSeeOther || got.location != want {
		t.Fatalf("the answer is %d to %q, want 303 to %q:\n%s", got.status, got.location, want, got.text())
	}
}

// isIn reports whether the browser sees the dashboard.
func (b *browser) isIn(t *testing.T) bool {
	t.Helper()
	return b.get(t, "/dashboard").status == http.StatusOK
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// htmlOf is a text as it stands in a page.
func htmlOf(s string) string { return templ.EscapeString(s) }

// pathOf is the path of the one address in a text that begins with a prefix.
func pathOf(t *testing.T, text, prefix string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, "http://stepsies.test"+prefix)
	if !found {
		t.Fatalf("there is no address with %s in:\n%s", prefix, text)
	}
	end := strings.IndexFunc(rest, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	})
	if end < 0 {
		end = len(rest)
	}
	return prefix + rest[:end]
}
