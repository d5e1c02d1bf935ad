package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
)

const profile = "/dashboard/profile"

func TestProfileIsEdited(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	u := h.withPassword(t, "sarah", "member")
	b := h.signedIn(t, "sarah")
	wantRedirect(t, b.post(t, profile, "display_name", " Sarah Chen ", "bio", "Line one\r\nline two", "time_zone", "Asia/Tokyo"), profile)
	page := b.get(t, profile)
	wantText(t, page, "Your profile is saved.")
	for _, want := range []string{`value="Sarah Chen"`, "Line one\nline two</textarea>", `value="Asia/Tokyo"`} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page does not hold %s", want)
		}
	}
	got, err := h.Store().UserByID(t.Context(), u.ID)
	if err != nil || got.Bio != "Line one\nline two" {
		t.Errorf("the bio is %q, %v", got.Bio, err)
	}
	// Exact times are in the zone of the reader.
	if !strings.Contains(page.body, " JST\"") || strings.Contains(page.body, " UTC\"") {
		t.Error("exact times are not in the reader's time zone")
	}
	// An empty name falls back to the username, an empty zone to UTC.
	wantRedirect(t, b.post(t, profile, "display_name", "", "bio", "", "time_zone", ""), profile)
	if got, _ = h.Store().UserByID(t.Context(), u.ID); got.DisplayName != "sarah" || got.Bio != "" || got.TimeZone != "" {
		t.Errorf("the profile is %+v", got)
	}
}

func TestProfileFormSaysWhatIsWrongAndKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	u := h.withPassword(t, "sarah", "member")
	b := h.signedIn(t, "sarah")
	long := strings.Repeat("b", 1001)
	answer := b.post(t, profile, "display_name", strings.Repeat("n", 101), "bio", long, "time_zone", "Mars/Olympus")
	wantStatus(t, answer, http.StatusUnprocessableEntity)
	wantText(t, answer, "at most 100 characters; it has 101", "at most 1000 characters; it has 1001", "name of a time zone", long)
	if !strings.Contains(answer.body, `value="Mars/Olympus"`) {
		t.Error("the time zone is not kept")
	}
	// A form that came without a field empties nothing.
	for _, fields := range [][]string{nil, {"display_name", "Sarah"}, {"display_name", "Sarah", "time_zone", ""}, {"bio", "", "time_zone", ""}} {
		answer := b.post(t, profile, fields...)
		wantStatus(t, answer, http.StatusBadRequest)
		wantText(t, answer, "The form came incomplete.")
	}
	for _, zone := range []string{"Local", "../../etc/passwd", "/etc/localtime", "Europe/Berlin\x00"} {
		wantStatus(t, b.post(t, profile, "display_name", "", "bio", "", "time_zone", zone), http.StatusUnprocessableEntity)
	}
	// What only an admin may change is not in the form, whatever is sent.
	wantRedirect(t, b.post(t, profile, "display_name", "Sarah", "bio", "", "time_zone", "", "role", "admin", "plan", "team", "email", "x@example.com", "username", "boss", "suspended", "true"), profile)
	got, _ := h.Store().UserByID(t.Context(), u.ID)
	if got.Role != stepsies.RoleMember || got.Plan != stepsies.PlanFree || got.Email != u.Email || got.Username != "sarah" {
		t.Errorf("a member has become %+v", got)
	}
}

func TestPasswordChangeAsksForTheOldOneAndSignsOutElsewhere(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	u := h.withPassword(t, "sarah", "member")
	_, secret := h.newKey(t, u, "key", "read")
	b, elsewhere := h.signedIn(t, "sarah"), h.signedIn(t, "sarah")
	change := func(old, fresh string) shown {
		return b.post(t, profile+"/password", "old_password", old, "new_password", fresh)
	}
	answer := change("wrong password", "short")
	wantStatus(t, answer, http.StatusUnprocessableEntity)
	wantText(t, answer, "This is not your password.", "at least 8 characters")
	if strings.Contains(answer.body, "wrong password") {
		t.Error("the page holds a password")
	}
	if !elsewhere.isIn(t) {
		t.Fatal("a change that failed has signed out")
	}
	wantRedirect(t, change(goodPassword, otherPassword), profile)
	wantText(t, b.get(t, profile), "Your password is changed.")
	if elsewhere.isIn(t) || !b.isIn(t) {
		t.Error("the other browser is in, or this one is not")
	}
	wantStatus(t, h.browser().signIn(t, "sarah", goodPassword), http.StatusUnauthorized)
	wantRedirect(t, h.browser().signIn(t, "sarah", otherPassword), "/dashboard")
	if got := h.call(secret.Reveal()); got != http.StatusOK {
		t.Errorf("the key gets %d", got)
	}
}

func TestOpenBrowserIsNoPlaceToGuessAPassword(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "sarah", "member")
	b := h.signedIn(t, "sarah")
	for i := range 10 {
		b.address = "198.51.100." + itoa(int64(i))
		wantText(t, b.post(t, profile+"/password", "old_password", "guess "+itoa(int64(i)), "new_password", otherPassword), "This is not your password.")
	}
	answer := b.post(t, profile+"/password", "old_password", goodPassword, "new_password", otherPassword)
	wantStatus(t, answer, http.StatusUnprocessableEntity)
	wantText(t, answer, "Too many tries")
	h.forward(15 * time.Minute)
	wantRedirect(t, b.post(t, profile+"/password", "old_password", goodPassword, "new_password", otherPassword), profile)
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	u := h.withPassword(t, "sarah", "member")
	other := h.withPassword(t, "other", "member")
	h.signedIn(t, "other")
	in := func(agent, address string) *browser {
		b := h.browser()
		b.agent, b.address = agent, address
		wantRedirect(t, b.signIn(t, "sarah", goodPassword), "/dashboard")
		return b
	}
	here := in("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "203.0.113.1")
	phone := in("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1", "203.0.113.2")
	work := in("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "203.0.113.3")
	page := here.get(t, profile)
	wantText(t, page, "Firefox on Linux this one from 203.0.113.1 · seen just now", "Safari on iPhone from 203.0.113.2", "Edge on Windows from 203.0.113.3", "Sign out everywhere")
	if got := strings.Count(page.text(), "this one"); got != 1 {
		t.Errorf("%d sessions are this one", got)
	}
	ids := map[string]int64{}
	list, err := h.Store().ListSessions(t.Context(), u.ID)
	if err != nil || len(list) != 3 {
		t.Fatalf("%+v, %v", list, err)
	}
	for _, s := range list {
		ids[s.IP] = s.ID
	}
	end := func(b *browser, id int64) shown { return b.post(t, profile+"/sessions/"+itoa(id)+"/end") }
	wantRedirect(t, end(here, ids["203.0.113.2"]), profile+"#sessions")
	wantText(t, here.get(t, profile), "Safari on iPhone is signed out.")
	if phone.isIn(t) || !work.isIn(t) || !here.isIn(t) {
		t.Error("the wrong browser is signed out")
	}
	// A session that is over, another's, and what is none do not exist.
	foreign, err := h.Store().ListSessions(t.Context(), other.ID)
	if err != nil || len(foreign) != 1 {
		t.Fatalf("%+v, %v", foreign, err)
	}
	for _, id := range []int64{ids["203.0.113.2"], foreign[0].ID, 0, -1} {
		wantStatus(t, end(here, id), http.StatusNotFound)
	}
	wantStatus(t, here.post(t, profile+"/sessions/x/end"), http.StatusNotFound)
	if left, _ := h.Store().ListSessions(t.Context(), other.ID); len(left) != 1 {
		t.Error("another's session is over")
	}
	// Ending one's own is signing out.
	wantRedirect(t, end(work, ids["203.0.113.3"]), "/sign-in")
	again := in("curl/8.0", "203.0.113.4")
	wantRedirect(t, here.post(t, profile+"/sessions/end-all"), "/sign-in")
	wantText(t, here.get(t, "/sign-in"), "You are signed out everywhere.")
	if here.isIn(t) || again.isIn(t) {
		t.Error("a browser is still in")
	}
}

func TestNewPasswordGivesThisSessionANewToken(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	u := h.withPassword(t, "sarah", "member")
	here, there := h.signedIn(t, "sarah"), h.signedIn(t, "sarah")
	before := *here.session()
	wantRedirect(t, here.post(t, "/dashboard/profile/password", "old_password", goodPassword, "new_password", otherPassword), "/dashboard/profile")
	wantText(t, here.get(t, "/dashboard/profile"), "Your password is changed. Every other browser is signed out.")
	if now := here.session(); now.Value == before.Value || now.MaxAge <= 0 || now.MaxAge > before.MaxAge {
		t.Errorf("the cookie is for %d s, the same token: %t", now.MaxAge, now.Value == before.Value)
	}
	thief := h.browser() // who had read the token
	thief.cookies[before.Name] = &before
	if thief.isIn(t) || there.isIn(t) || !here.isIn(t) {
		t.Errorf("signed in are the old token: %t, another browser: %t, this one: %t", thief.isIn(t), there.isIn(t), here.isIn(t))
	}
	if list, err := h.Store().ListSessions(t.Context(), u.ID); err != nil || len(list) != 1 {
		t.Errorf("there are %d sessions (%v)", len(list), err)
	}
	// A form that does not fit changes neither.
	token := here.session().Value
	wantStatus(t, here.post(t, "/dashboard/profile/password", "old_password", goodPassword, "new_password", otherPassword), http.StatusUnprocessableEntity)
	if here.session().Value != token {
		t.Error("a refused form gives a new token")
	}
}
