package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

// A browser that has signed in keeps a cookie that says so, beyond the session. It
// grants nothing but a count of wrong passwords of its own, so that nobody who guesses
// elsewhere can shut its owner out. It is signed under the hash of the user's password,
// which holds a random salt: so it ends with the password, on every node, is nobody
// else's, and needs no secret of the installation.
const (
	browserLifetime = 400 * 24 * time.Hour // browsers keep no cookie longer
	maxBrowserUsers = 4                    // of whom one browser keeps it; the earliest one gives way
)

func (s *Sessions) browserCookieName() string { return CookieName("stepsies_browser", s.secure) }

// Browser returns the name of the browser, if whoever has the password of that hash has
// signed in with it, and "" otherwise.
func (s *Sessions) Browser(r *http.Request, passwordHash string) string {
	known := passwordHash != ""
	if !known {
		passwordHash = noPassword // the same work; what is signed under it counts for nothing
	}
	found := ""
	for _, entry := range s.browserEntries(r) {
		if id, mac, ok := strings.Cut(entry, "."); ok && hmac.Equal([]byte(mac), []byte(signBrowser(id, passwordHash))) {
			found = id
		}
	}
	if !known {
		return ""
	}
	return found
}

// Remember notes that whoever has the password of that hash uses this browser.
func (s *Sessions) Remember(w http.ResponseWriter, r *http.Request, passwordHash string) {
	if passwordHash == "" {
		return
	}
	id := s.Browser(r, passwordHash)
	if id == "" {
		var random [16]byte
		_, _ = rand.Read(random[:]) // never fails: crypto/rand says so
		id = base64.RawURLEncoding.EncodeToString(random[:])
	}
	entries := []string{id + "." + signBrowser(id, passwordHash)}
	for _, e := range s.browserEntries(r) {
		if e != entries[0] && len(entries) < maxBrowserUsers {
			entries = append(entries, e)
		}
	}
	http.SetCookie(w, &http.Cookie{
		Name: s.browserCookieName(), Value: strings.Join(entries, "~"), Path: "/", MaxAge: int(browserLifetime.Seconds()),
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
	})
}

// browserEntries are what the cookie holds in the form of ours, whoever wrote it.
func (s *Sessions) browserEntries(r *http.Request) []string {
	c, err := r.Cookie(s.browserCookieName())
	if err != nil {
		return nil
	}
	var entries []string
	for _, e := range strings.SplitN(c.Value, "~", maxBrowserUsers+1) {
		if id, mac, ok := strings.Cut(e, "."); ok && len(id) == 22 && len(mac) == 43 && len(entries) < maxBrowserUsers {
			entries = append(entries, e)
		}
	}
	return entries
}

func signBrowser(id, passwordHash string) string {
	mac := hmac.New(sha256.New, []byte(passwordHash))
	_, _ = mac.Write([]byte("stepsies browser " + id))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
