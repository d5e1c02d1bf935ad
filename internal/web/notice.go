package web

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
	signedOutNotice           = "You are signed out."
	signedOutEverywhereNotice = "You are signed out everywhere."
	passwordSetNotice         = "Your password is set, and you are signed out everywhere. Sign in with the new one."
	// by a reset that proved the address for the first time
	passwordSetKeysEndedNotice = passwordSetNotice + " Your address is confirmed now, so the API keys that were made before have ended."
	newAddressNotice           = "Thank you. Your new address counts from now on."
	confirmedNotice            = "Thank you. Your address is confirmed."
	ratedNotice                = "Thank you. Your rating counts, and you can change it at any time." // beside the rating, since that is where its reader is
)

var noticesForAnyone = []string{signedOutNotice, signedOutEverywhereNotice, passwordSetNotice, passwordSetKeysEndedNotice, newAddressNotice, confirmedNotice, ratedNotice}

// notice has the next page say a sentence, once. It waits in a cookie, and where there
// is no TLS a neighbour under the same domain can set that too: so it is sealed for the
// session, and whoever is not signed in is told nothing but the sentences above.
func (q *request) notice(sentence string) {
	http.SetCookie(q.w, q.web.cookie("stepsies_notice", q.session.Seal(sentence)+"."+url.QueryEscape(sentence), 60))
}

func (q *request) takeNotice() string {
	c, err := q.Cookie(q.web.cookieName("stepsies_notice"))
	if err != nil || len(c.Value) > 1000 {
		return ""
	}
	http.SetCookie(q.w, q.web.cookie("stepsies_notice", "", -1))
	seal, escaped, _ := strings.Cut(c.Value, ".")
	sentence, err := url.QueryUnescape(escaped)
	sealed := q.signedIn() && hmac.Equal([]byte(seal), []byte(q.session.Seal(sentence)))
	if err != nil || !sealed && !slices.Contains(noticesForAnyone, sentence) {
		return ""
	}
	return sentence
}

// cookie is one of this host's, for the server's eyes alone. maxAge is in seconds.
func (web *Web) cookie(name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: web.cookieName(name), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: web.secure(), SameSite: http.SameSiteLaxMode,
	}
}

func (web *Web) cookieName(name string) string { return auth.CookieName(name, web.secure()) }

// secure reports whether the installation is reached by https.
func (web *Web) secure() bool { return strings.HasPrefix(web.PublicURL, "https:") }
