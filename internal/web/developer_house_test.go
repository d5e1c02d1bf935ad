package web_test

import (
	"context"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/server"
	"github.com/stepsies/stepsies/internal/store"
)

const developer = "/dashboard/developer"

// keyHouse is an installation with an admin, two members, and a clock of its own.
type keyHouse struct {
	*server.Server
	offset              atomic.Int64
	admin, sarah, other stepsies.User
}

// operator is who prepares things.
var operator = store.Write{Actor: stepsies.Actor{Kind: stepsies.ActorOperator}}

func openKeyHouse(t *testing.T, limits bool) *keyHouse {
	t.Helper()
	h := &keyHouse{}
	s, err := server.Open(t.Context(), server.Config{
		DataDir: t.TempDir(), PublicURL: "http://stepsies.test", RateLimits: limits, Migrate: true,
		Log: slog.New(slog.DiscardHandler), Now: h.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	h.Server = s
	h.admin, h.sarah, h.other = h.newUser(t, "boss", "admin"), h.newUser(t, "sarah", "member"), h.newUser(t, "other", "member")
	return h
}

func (h *keyHouse) now() time.Time { return time.Now().Add(time.Duration(h.offset.Load())) }

func (h *keyHouse) forward(d time.Duration) { h.offset.Add(int64(d)) }

func (h *keyHouse) newUser(t *testing.T, name, role string) stepsies.User {
	t.Helper()
	email := name + "@example.com"
	out, err := h.Store().CreateUser(t.Context(), operator, stepsies.UserChange{Username: &name, Email: &email, Role: &role}, stepsies.AccountChange{})
	if err != nil {
		t.Fatal(err)
	}
	return out.Value
}

// newKey makes a key beside the pages.
func (h *keyHouse) newKey(t *testing.T, owner stepsies.User, name string, scopes ...string) (stepsies.APIKey, stepsies.Secret) {
	t.Helper()
	secret := stepsies.NewSecret()
	out, err := h.Store().CreateAPIKey(t.Context(), operator, owner.Username, stepsies.KeyChange{Name: &name, Scopes: &scopes}, secret)
	if err != nil {
		t.Fatal(err)
	}
	return out.Value, secret
}

// person is a browser in which a user is signed in.
type person struct {
	h      *keyHouse
	cookie *http.Cookie
	notice *http.Cookie
}

func (h *keyHouse) signIn(t *testing.T, u stepsies.User) *person {
	t.Helper()
	w := httptest.NewRecorder()
	sessions := auth.NewSessions(h.Store(), h.now, false)
	if _, err := sessions.Start(t.Context(), w, httptest.NewRequest(http.MethodGet, "/", nil), u, h.passwordHash(t, u), "192.0.2.7"); err != nil {
		t.Fatal(err)
	}
	return &person{h: h, cookie: w.Result().Cookies()[0]}
}

// passwordHash is "" where the user has no password.
func (h *keyHouse) passwordHash(t *testing.T, u stepsies.User) string {
	t.Helper()
	_, hash, err := h.Store().PasswordHash(t.Context(), u.Username)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

// shown is an answer.
type shown struct {
	status   int
	header   http.Header
	location string
	body     string
}

func (p *person) get(t *testing.T, path string) shown { return p.send(t, http.MethodGet, path, nil) }

func (p *person) post(t *testing.T, path string, form url.Values) shown {
	return p.send(t, http.MethodPost, path, form)
}

// postFrom sends an empty form from a page of another site.
func (p *person) postFrom(t *testing.T, site, path string) int {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://stepsies.test"+path, nil)
	r.Header.Set("Sec-Fetch-Site", site)
	r.AddCookie(p.cookie)
	w := httptest.NewRecorder()
	p.h.Handler().ServeHTTP(w, r)
	return w.Code
}

func (p *person) send(t *testing.T, method, path string, form url.Values) shown {
	t.Helper()
	r := httptest.NewRequest(method, "http://stepsies.test"+path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if p.cookie != nil {
		r.AddCookie(p.cookie)
	}
	if p.notice != nil {
		r.AddCookie(p.notice)
		p.notice = nil
	}
	w := httptest.NewRecorder()
	p.h.Handler().ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.Name == "stepsies_notice" && c.MaxAge >= 0 {
			p.notice = c
		}
	}
	return shown{w.Code, w.Header(), w.Header().Get("Location"), w.Body.String()}
}

// submit opens a page with a form and sends it, with the hidden fields that it has.
func (p *person) submit(t *testing.T, page, action string, fields url.Values) shown {
	t.Helper()
	form := p.get(t, page)
	wantStatus(t, form, http.StatusOK)
	return p.post(t, action, withHidden(form, fields))
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)"`)

func withHidden(form shown, fields url.Values) url.Values {
	all := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(form.body, -1) {
		all.Set(m[1], html.UnescapeString(m[2]))
	}
	for name, values := range fields {
		all[name] = values
	}
	return all
}

func wantStatus(t *testing.T, got shown, want int) {
	t.Helper()
	if got.status != want {
		t.Fatalf("the answer is %d, want %d:\n%s", got.status, want, got.text())
	}
}

var tags = regexp.MustCompile(`(?s)<[^>]*>`)

// text is what a person reads on the page.
func (s shown) text() string {
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(s.body, " "))), " ")
}

func wantText(t *testing.T, got shown, texts ...string) {
	t.Helper()
	for _, want := range texts {
		if !strings.Contains(got.text(), want) {
			t.Errorf("the page does not say %q:\n%s", want, got.text())
		}
	}
}

func wantNoText(t *testing.T, got shown, texts ...string) {
	t.Helper()
	for _, unwanted := range texts {
		if strings.Contains(got.text(), unwanted) {
			t.Errorf("the page says %q:\n%s", unwanted, got.text())
		}
	}
}

var secretForm = regexp.MustCompile(`sk_[0-9a-f]{48}`)

// call calls the API with a key and returns the status.
func (h *keyHouse) call(key string) int {
	r := httptest.NewRequest(http.MethodGet, "http://stepsies.test/v1/stepsies", nil)
	r.Header.Set("Authorization", "Bearer "+key)
	w := httptest.NewRecorder()
	h.Handler().ServeHTTP(w, r)
	return w.Code
}

// keys lists a user's keys, newest first.
func (h *keyHouse) keys(t *testing.T, u stepsies.User) []stepsies.APIKey {
	t.Helper()
	found, err := h.Store().ListAPIKeys(context.WithoutCancel(t.Context()), stepsies.Access{Everyone: true}, u.Username, store.Page{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return found.Items
}

// fill is a form that makes a key.
func fill(name string, scopes ...string) url.Values {
	return url.Values{"name": {name}, "description": {""}, "scopes": scopes, "expiry": {"never"}, "date": {""}}
}

func (p *person) createKey(t *testing.T, fields url.Values) shown {
	t.Helper()
	return p.submit(t, developer+"/new", developer, fields)
}
