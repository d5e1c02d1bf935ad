package page

import (
	"crypto/hmac"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stepsies/stepsies/internal/auth"
)

// Sentences that are said to who is not signed in. They name nothing and nobody.
const (
	SignedOutNotice           = "You are signed out."
	SignedOutEverywhereNotice = "You are signed out everywhere."
	PasswordSetNotice         = "Your password is set, and you are signed out everywhere. Sign in with the new one."
	// by a reset that proved the address for the first time
	PasswordSetKeysEndedNotice = PasswordSetNotice + " Your address is confirmed now, so the API keys that were made before have ended."
	NewAddressNotice           = "Thank you. Your new address counts from now on."
	ConfirmedNotice            = "Thank you. Your address is confirmed."
	RatedNotice                = "Thank you. Your rating counts, and you can change it at any time." // beside the rating, since that is where its reader is
)

var noticesForAnyone = []string{SignedOutNotice, SignedOutEverywhereNotice, PasswordSetNotice, PasswordSetKeysEndedNotice, NewAddressNotice, ConfirmedNotice, RatedNotice}

// Notice has the next page say a sentence, once. It waits in a cookie, and where there
// is no TLS a neighbour under the same domain can set that too: so it is sealed for the
// session, and whoever is not signed in is told nothing but the sentences above.
func (q *Request) Notice(sentence string) {
	http.SetCookie(q.W, q.site.Cookie("stepsies_notice", q.Session.Seal(sentence)+"."+url.QueryEscape(sentence), 60))
}

func (q *Request) takeNotice() string {
	c, err := q.Cookie(q.site.CookieName("stepsies_notice"))
	if err != nil || len(c.Value) > 1000 {
		return ""
	}
	http.SetCookie(q.W, q.site.Cookie("stepsies_notice", "", -1))
	seal, escaped, _ := strings.Cut(c.Value, ".")
	sentence, err := url.QueryUnescape(escaped)
	sealed := q.SignedIn() && hmac.Equal([]byte(seal), []byte(q.Session.Seal(sentence)))
	if err != nil || !sealed && !slices.Contains(noticesForAnyone, sentence) {
		return ""
	}
	return sentence
}

// Cookie is one of this host's, for the server's eyes alone. maxAge is in seconds.
func (s *Site) Cookie(name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: s.CookieName(name), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: s.secure(), SameSite: http.SameSiteLaxMode,
	}
}

// CookieName is what a cookie of this host is called, which depends on whether there is TLS.
func (s *Site) CookieName(name string) string { return auth.CookieName(name, s.secure()) }

// secure reports whether the installation is reached by https.
func (s *Site) secure() bool { return strings.HasPrefix(s.PublicURL, "https:") }
