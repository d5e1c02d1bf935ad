package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/server"
)

func TestSignInByNameOrAddressWhateverTheCase(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "sarah", "member")
	for _, login := range []string{"sarah", "SARAH", " sarah ", "sarah@example.com", "Sarah@Example.com"} {
		b := h.browser()
		wantRedirect(t, b.signIn(t, login, goodPassword), "/dashboard")
		if !b.isIn(t) {
			t.Errorf("%q is not in", login)
		}
		if b.signIn(t, login, goodPassword+" "); !b.isIn(t) {
			t.Error("a sign-in that fails ends the session that there is")
		}
	}
}

func TestSignInGoesOnToThePageThatWasAskedFor(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "sarah", "member")
	b := h.browser()
	wantRedirect(t, b.get(t, "/dashboard/stepsies?q=a&status=draft"), "/sign-in?next=%2Fdashboard%2Fstepsies%3Fq%3Da%26status%3Ddraft")
	wantRedirect(t, b.post(t, "/dashboard/profile/sessions/end-all"), "/sign-in?next=%2Fdashboard")
	form := b.get(t, "/sign-in?next=%2Fdashboard%2Fstepsies%3Fq%3Da%26status%3Ddraft")
	if !strings.Contains(form.body, `name="next" value="/dashboard/stepsies?q=a&amp;status=draft"`) {
		t.Errorf("the form has forgotten where to go on:\n%s", form.body)
	}
	wantRedirect(t, b.post(t, "/sign-in", "login", "sarah", "password", goodPassword, "next", "/dashboard/stepsies?q=a&status=draft"), "/dashboard/stepsies?q=a&status=draft")
	for _, next := range []string{"https://evil.example", "//evil.example", "/\\evil.example", "/\tx", "javascript:alert(1)", "", "dashboard", "/sign-in", "/sign-out", "\x00"} {
		wantRedirect(t, b.post(t, "/sign-in", "login", "sarah", "password", goodPassword, "next", next), "/dashboard")
		wantRedirect(t, b.send(t, http.MethodGet, "/sign-in?next="+strings.NewReplacer("\\", "%5C", "\t", "%09", "\x00", "%00").Replace(next), nil), "/dashboard")
	}
}

func TestSignInIsLimitedByClientAddress(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "sarah", "member")
	b := h.browser()
	for i := range 30 {
		b.address = "[2001:db8:1:2::" + itoa(int64(i+1)) + "]" // one subscriber has a /64
		wantStatus(t, b.signIn(t, "name"+itoa(int64(i)), "wrong password"), http.StatusUnauthorized)
	}
	wantStatus(t, b.signIn(t, "sarah", goodPassword), http.StatusTooManyRequests)
	b.address = "[2001:db8:1:3::1]"
	wantRedirect(t, b.signIn(t, "sarah", goodPassword), "/dashboard")
}

func TestSessionIsANewOneAtEverySignIn(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "sarah", "member")
	h.withPassword(t, "mallory", "member")

	// A token that someone else planted is not taken over.
	b := h.browser()
	planted, _ := auth.NewToken()
	b.cookies["stepsies_session"] = &http.Cookie{Name: "stepsies_session", Value: planted}
	wantRedirect(t, b.signIn(t, "sarah", goodPassword), "/dashboard")
	if b.session().Value == planted {
		t.Error("the planted token is the session now")
	}
	thief := h.browser()
	thief.cookies["stepsies_session"] = &http.Cookie{Name: "stepsies_session", Value: planted}
	if thief.isIn(t) {
		t.Error("the planted token opens the dashboard")
	}
	// A session that someone else planted, their own, ends where the victim signs in.
	mallory := h.signedIn(t, "mallory")
	victim := h.browser()
	victim.cookies["stepsies_session"] = mallory.session()
	wantRedirect(t, victim.signIn(t, "sarah", goodPassword), "/dashboard")
	wantText(t, victim.get(t, "/dashboard/profile"), "You are sarah.")
	if mallory.isIn(t) {
		t.Error("the planted session lives on")
	}
	// The token before a sign-in does not outlive it.
	before := b.session()
	wantRedirect(t, b.signIn(t, "sarah", goodPassword), "/dashboard")
	old := h.browser()
	old.cookies[before.Name] = before
	if old.isIn(t) || before.Value == b.session().Value {
		t.Error("the session before the sign-in lives on")
	}
	// Nor does it outlive signing out.
	last := b.session()
	wantRedirect(t, b.post(t, "/sign-out"), "/sign-in")
	if b.session() != nil {
		t.Error("the browser keeps the cookie")
	}
	old.cookies[last.Name] = last
	if old.isIn(t) {
		t.Error("the session lives on after signing out")
	}
}

func TestSessionEndsWithItsTime(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "sarah", "member")
	b := h.signedIn(t, "sarah")
	h.forward(30*24*time.Hour - time.Minute)
	if !b.isIn(t) {
		t.Error("the session has ended early")
	}
	h.forward(2 * time.Minute)
	if b.isIn(t) {
		t.Error("the session lives on")
	}
}

func TestSuspendedAndDeletedUsersAreOutAtOnce(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "boss", "admin")
	for end, name := range map[string]string{"suspend": "sarah", "delete": "dora"} {
		h.withPassword(t, name, "member")
		b, boss := h.signedIn(t, name), h.signedIn(t, "boss")
		if !b.isIn(t) {
			t.Fatal("not in")
		}
		if answer := boss.post(t, "/dashboard/users/@"+name+"/"+end); answer.status != http.StatusSeeOther {
			t.Fatalf("%s answers %d", end, answer.status)
		}
		if b.isIn(t) {
			t.Errorf("after %s the session lives on", end)
		}
		if answer := b.post(t, "/dashboard/profile", "bio", "still here"); answer.status != http.StatusUnauthorized {
			t.Errorf("after %s a form is answered by %d", end, answer.status)
		}
		wantStatus(t, h.browser().signIn(t, name, goodPassword), http.StatusUnauthorized)
		if end == "suspend" {
			wantRedirect(t, boss.post(t, "/dashboard/users/@"+name+"/unsuspend"), "/dashboard/users/@"+name)
			if b.isIn(t) {
				t.Error("a session from before the suspension is alive again")
			}
			wantRedirect(t, h.browser().signIn(t, name, goodPassword), "/dashboard")
		}
	}
}

func TestCookiesAreSafe(t *testing.T) {
	t.Parallel()
	for origin, secure := range map[string]bool{"https://stepsies.test": true, "http://stepsies.test": false} {
		h := openHouse(t, func(c *server.Config) { c.PublicURL = origin })
		h.withPassword(t, "sarah", "member")
		b := h.browser()
		b.origin = origin
		b.signIn(t, "sarah", goodPassword)
		b.post(t, "/dashboard/profile", "display_name", "", "bio", "Hello", "time_zone", "")
		b.get(t, "/dashboard/profile")
		cookies := []*http.Cookie{b.session()}
		for name, c := range b.cookies {
			if strings.HasSuffix(name, "stepsies_browser") {
				cookies = append(cookies, c)
			}
		}
		answer := b.post(t, "/dashboard/profile", "display_name", "", "bio", "Hello again", "time_zone", "")
		for _, line := range answer.header.Values("Set-Cookie") {
			c, err := http.ParseSetCookie(line)
			if err != nil {
				t.Fatal(err)
			}
			cookies = append(cookies, c)
		}
		if len(cookies) != 3 {
			t.Fatalf("there are %d cookies", len(cookies))
		}
		for _, c := range cookies {
			if !c.HttpOnly || c.Secure != secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge <= 0 {
				t.Errorf("at %s the cookie is %s", origin, c)
			}
		}
		for _, c := range cookies {
			if strings.HasPrefix(c.Name, "__Host-") != secure {
				t.Errorf("at %s a cookie is called %s", origin, c.Name)
			}
		}
		if got := answer.header.Get("Strict-Transport-Security") != ""; got != secure {
			t.Errorf("at %s there is Strict-Transport-Security: %v", origin, got)
		}
	}
}

// TestNoticeOfANeighbourIsNotSaid plants what another site under the same domain could.
func TestNoticeOfANeighbourIsNotSaid(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "sarah", "member")
	h.withPassword(t, "mallory", "member")
	sarah, mallory := h.signedIn(t, "sarah"), h.signedIn(t, "mallory")
	said := func(b *browser, value, path string) string {
		t.Helper()
		b.cookies["stepsies_notice"] = &http.Cookie{Name: "stepsies_notice", Value: value}
		return b.get(t, path).text()
	}
	for _, value := range []string{"Send+your+password+to+mallory", ".Send+your+password+to+mallory", "x.Send+your+password+to+mallory"} {
		for path, b := range map[string]*browser{"/dashboard": sarah, "/sign-in": h.browser()} {
			if strings.Contains(said(b, value, path), "mallory") {
				t.Errorf("%s says what %q says", path, value)
			}
		}
	}
	// Nor what the server has said to the neighbour.
	mallory.post(t, "/dashboard/profile", "display_name", "Call me", "bio", "", "time_zone", "")
	own := mallory.cookies["stepsies_notice"].Value
	if strings.Contains(said(sarah, own, "/dashboard"), "Your profile is saved.") {
		t.Error("what was said to one is said to another")
	}
	if !strings.Contains(said(mallory, own, "/dashboard"), "Your profile is saved.") {
		t.Error("what was said is not said")
	}
}

func TestSessionAndKeyOpenNoOtherDoor(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	u := h.withPassword(t, "boss", "admin")
	b := h.signedIn(t, "boss")
	wantStatus(t, b.get(t, "/v1/stepsies"), http.StatusUnauthorized)
	_, secret := h.newKey(t, u, "key", "admin")
	r := httptest.NewRequest(http.MethodGet, "http://stepsies.test/dashboard", nil)
	r.Header.Set("Authorization", "Bearer "+secret.Reveal())
	w := httptest.NewRecorder()
	h.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusSeeOther {
		t.Errorf("a key opens the dashboard: %d", w.Code)
	}
}

func TestSignInIsRecordedWithAddress(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "sarah", "member")
	b := h.browser()
	b.address = "203.0.113.77"
	b.signIn(t, "sarah", goodPassword)
	b.post(t, "/sign-out")
	b.signIn(t, "sarah", goodPassword)
	page := b.get(t, "/dashboard/activity?kind=sign-ins")
	wantText(t, page, "You signed in from 203.0.113.77 · just now", "You signed out from 203.0.113.77")
	if got := strings.Count(page.text(), "signed in from"); got != 2 {
		t.Errorf("%d sign-ins are recorded", got)
	}
}

func TestDatabaseThatCannotBeAskedIsNotASignOut(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "sarah", "member")
	b := h.signedIn(t, "sarah")
	if err := h.Store().Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/dashboard", "/dashboard/profile"} {
		answer := b.get(t, path)
		if answer.status < 500 || b.session() == nil {
			t.Errorf("%s answers %d", path, answer.status)
		}
		if strings.Contains(answer.body, "sql") {
			t.Errorf("the page tells of the database:\n%s", answer.text())
		}
	}
	if answer := b.signIn(t, "sarah", goodPassword); answer.status < 500 {
		t.Errorf("a sign-in answers %d", answer.status)
	}
}
