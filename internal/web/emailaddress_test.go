package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/server"
)

// askFor has someone ask for another address, with their password.
func (b *browser) askFor(t *testing.T, email, password string) shown {
	t.Helper()
	return b.post(t, profile+"/email", "email", email, "email_password", password)
}

func TestNewAddressAsksForThePassword(t *testing.T) {
	t.Parallel()
	h, mails := withMail(t, nil)
	u := h.withPassword(t, "sarah", "member")
	h.withPassword(t, "other", "member")
	b := h.signedIn(t, "sarah")
	answer := b.askFor(t, "new@example.com", "wrong password")
	wantStatus(t, answer, http.StatusUnprocessableEntity)
	wantText(t, answer, "This is not your password.")
	if !strings.Contains(answer.body, `value="new@example.com"`) {
		t.Error("the address is not kept")
	}
	wantText(t, b.askFor(t, "nobody", ""), "must be an e-mail address", "This is not your password.")
	answer = b.askFor(t, "OTHER@example.com", goodPassword)
	wantStatus(t, answer, http.StatusConflict)
	wantText(t, answer, "This e-mail address is taken.")
	wantRedirect(t, b.askFor(t, "sarah@example.com", ""), profile)
	wantText(t, b.get(t, profile), "That is your address already.")
	if got, _ := h.Store().UserByID(t.Context(), u.ID); got.Email != u.Email || mails.Waiting() != 0 {
		t.Fatalf("the address is %s, and %d e-mails went out", got.Email, mails.Waiting())
	}
}

func TestNewAddressCountsWhenItIsConfirmed(t *testing.T) {
	t.Parallel()
	h, mails := withMail(t, nil)
	h.withPassword(t, "sarah", "member")
	b := h.signedIn(t, "sarah")
	wantRedirect(t, b.askFor(t, " new@example.com ", goodPassword), profile)
	wantText(t, b.get(t, profile), "An e-mail is on its way to new@example.com.", "sarah@example.com not confirmed",
		"new@example.com waits to be confirmed", "you sign in with sarah@example.com", "Take it back", "Send the e-mail again")
	m := mails.Next(t)
	if m.To != "new@example.com" || !strings.Contains(m.Text, "the account sarah at http://stepsies.test is to have this address") {
		t.Errorf("the e-mail to %s says %q", m.To, m.Text)
	}
	path := pathOf(t, m.Text, "/verify-email/")

	// Until then sign-in and reset go by the old one.
	wantStatus(t, h.browser().signIn(t, "new@example.com", goodPassword), http.StatusUnauthorized)
	wantRedirect(t, h.browser().signIn(t, "sarah@example.com", goodPassword), "/dashboard")
	b.post(t, "/forgot-password", "login", "new@example.com")
	b.post(t, "/forgot-password", "login", "sarah")
	m = mails.Next(t)
	if m.To != "sarah@example.com" || mails.Waiting() != 0 {
		t.Errorf("the help went to %s, and %d more", m.To, mails.Waiting())
	}
	reset := pathOf(t, m.Text, "/reset-password/")

	// Opening the link is not enough: programs that scan e-mail open links too.
	reader := h.browser()
	wantText(t, reader.get(t, path), "The account sarah is to have the address new@example.com from now on")
	wantText(t, b.get(t, profile), "waits to be confirmed")
	wantRedirect(t, reader.post(t, path), profile)
	page := b.get(t, profile)
	wantText(t, page, "new@example.com confirmed")
	wantNoText(t, page, "waits to be confirmed", "sarah@example.com")
	wantStatus(t, reader.post(t, path), http.StatusConflict)
	wantStatus(t, reader.get(t, reset), http.StatusConflict) // it went to the old address
	wantStatus(t, h.browser().signIn(t, "sarah@example.com", goodPassword), http.StatusUnauthorized)
	wantRedirect(t, h.browser().signIn(t, "new@example.com", goodPassword), "/dashboard")
	m = mails.Next(t)
	if m.To != "sarah@example.com" || !strings.Contains(m.Text, "is no longer this one") || strings.Contains(m.Text, "new@example.com") {
		t.Errorf("the old address, %s, is told %q", m.To, m.Text)
	}
	wantText(t, b.get(t, "/dashboard/activity"), "You asked for another e-mail address", "You changed your e-mail address, by confirming the new one")
}

func TestNewAddressIsSentAgainAndTakenBack(t *testing.T) {
	t.Parallel()
	h, mails := withMail(t, nil)
	h.withPassword(t, "sarah", "member")
	b := h.signedIn(t, "sarah")
	b.askFor(t, "new@example.com", goodPassword)
	first := pathOf(t, mails.Next(t).Text, "/verify-email/")
	var last string
	for range 5 {
		wantRedirect(t, b.post(t, profile+"/verify-email"), profile)
		m := mails.Next(t)
		if m.To != "new@example.com" {
			t.Errorf("it went to %s", m.To)
		}
		last = pathOf(t, m.Text, "/verify-email/")
	}
	wantStatus(t, b.get(t, first), http.StatusConflict) // a later one takes its place
	wantRedirect(t, b.post(t, profile+"/verify-email"), profile)
	wantText(t, b.get(t, profile), "was sent several times today")
	if mails.Waiting() != 0 {
		t.Error("it was sent a sixth time")
	}
	wantStatus(t, b.get(t, last), http.StatusOK)

	wantRedirect(t, b.post(t, profile+"/email/end"), profile)
	page := b.get(t, profile)
	wantText(t, page, "Your address stays sarah@example.com.")
	wantNoText(t, page, "new@example.com", "Take it back")
	wantStatus(t, b.get(t, last), http.StatusConflict)
	wantStatus(t, b.post(t, last), http.StatusConflict)
	wantRedirect(t, b.post(t, profile+"/email/end"), profile)
	wantText(t, b.get(t, profile), "No address waits to be confirmed.")
	h.forward(24 * time.Hour)
	wantRedirect(t, b.post(t, profile+"/verify-email"), profile) // the present one
	if m := mails.Next(t); m.To != "sarah@example.com" {
		t.Errorf("it went to %s", m.To)
	}
}

func TestWhoConfirmsFirstHasTheAddressAndTheOtherIsTold(t *testing.T) {
	t.Parallel()
	h, mails := withMail(t, nil)
	h.withPassword(t, "sarah", "member")
	h.withPassword(t, "mike", "member")
	paths := map[string]string{}
	browsers := map[string]*browser{}
	for _, name := range []string{"sarah", "mike"} {
		b := h.signedIn(t, name)
		wantRedirect(t, b.askFor(t, "shared@example.com", goodPassword), profile)
		paths[name], browsers[name] = pathOf(t, mails.Next(t).Text, "/verify-email/"), b
	}
	wantRedirect(t, h.browser().post(t, paths["mike"]), profile)
	told := h.browser().post(t, paths["sarah"])
	wantStatus(t, told, http.StatusConflict)
	wantText(t, told, "Another account has this address by now", "Your address stays as it was")
	wantText(t, browsers["sarah"].get(t, profile), "sarah@example.com", "shared@example.com another account’s", "cannot become yours", "Take it back")
	wantStatus(t, browsers["sarah"].post(t, profile+"/verify-email"), http.StatusConflict)
	wantText(t, browsers["mike"].get(t, profile), "shared@example.com confirmed")
	// An address that someone waits for is free for a new user as well.
	wantRedirect(t, browsers["sarah"].askFor(t, "free@example.com", goodPassword), profile)
	free := "free@example.com"
	name := "newcomer"
	if _, err := h.Store().CreateUser(t.Context(), operator, stepsies.UserChange{Username: &name, Email: &free}, stepsies.AccountChange{}); err != nil {
		t.Fatal(err)
	}
}

func TestAddressIsAskedForThreeTimesADay(t *testing.T) {
	t.Parallel()
	h, mails := withMail(t, nil)
	h.withPassword(t, "sarah", "member")
	b := h.signedIn(t, "sarah")
	for i := range 3 {
		wantRedirect(t, b.askFor(t, "new"+itoa(int64(i))+"@example.com", goodPassword), profile)
		mails.Next(t)
	}
	answer := b.askFor(t, "new3@example.com", goodPassword)
	wantStatus(t, answer, http.StatusTooManyRequests)
	wantText(t, answer, "3 addresses within a day", "Try again tomorrow", "new2@example.com waits to be confirmed")
	h.forward(24 * time.Hour)
	wantRedirect(t, b.askFor(t, "new3@example.com", goodPassword), profile)
}

func TestAddressSetByAnAdminCountsAtOnce(t *testing.T) {
	t.Parallel()
	h, mails := withMail(t, nil)
	h.withPassword(t, "boss", "admin")
	h.withPassword(t, "sarah", "member")
	b, boss := h.signedIn(t, "sarah"), h.signedIn(t, "boss")
	b.askFor(t, "wanted@example.com", goodPassword)
	path := pathOf(t, mails.Next(t).Text, "/verify-email/")
	wantRedirect(t, boss.post(t, "/dashboard/users/@sarah", "display_name", "Sarah", "email", "set@example.com", "role", "member", "plan", "free"), "/dashboard/users/@sarah")
	wantRedirect(t, h.browser().signIn(t, "set@example.com", goodPassword), "/dashboard")
	if m := mails.Next(t); m.To != "sarah@example.com" || !strings.Contains(m.Text, "is no longer this one") {
		t.Errorf("%s is told %q", m.To, m.Text)
	}
	wantStatus(t, h.browser().post(t, path), http.StatusConflict)
	b.get(t, profile) // it still says what was asked for
	wantNoText(t, b.get(t, profile), "wanted@example.com")
}

func TestWithoutMailAddressesAreForAdminsAndTheOperator(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	u := h.withPassword(t, "sarah", "member")
	h.withPassword(t, "boss", "admin")
	b, boss := h.signedIn(t, "sarah"), h.signedIn(t, "boss")
	page := b.get(t, profile)
	wantText(t, page, "sends no e-mail", "An admin or the operator can change yours")
	wantNoText(t, page, "New e-mail address", "not confirmed", "Send the e-mail")
	wantText(t, boss.get(t, profile), "As an admin you can change yours under Users")
	answer := b.askFor(t, "new@example.com", goodPassword)
	wantStatus(t, answer, http.StatusConflict)
	wantText(t, answer, "sends no e-mail")
	wantStatus(t, b.post(t, profile+"/verify-email"), http.StatusNotFound)
	if got, _ := h.Store().UserByID(t.Context(), u.ID); got.Email != u.Email {
		t.Errorf("the address is %s", got.Email)
	}
}

func TestNoDisplayNameGoesToAnAddressThatIsNotConfirmed(t *testing.T) {
	t.Parallel()
	h, mails := withMail(t, func(c *server.Config) { c.SignUp = "open" })
	h.withPassword(t, "boss", "admin")
	h.withPassword(t, "sarah", "member")
	advert := "Cheap pills"
	for _, name := range []string{"boss", "sarah"} {
		if _, err := h.Store().UpdateUser(t.Context(), operator, name, stepsies.UserChange{DisplayName: &advert}); err != nil {
			t.Fatal(err)
		}
	}
	b, boss := h.signedIn(t, "sarah"), h.signedIn(t, "boss")
	var confirm string
	sent := func(what string, wantName bool) {
		t.Helper()
		m := mails.Next(t)
		if got := strings.Contains(m.Text, advert) || strings.Contains(m.Header.Get("Subject"), advert); got != wantName {
			t.Errorf("%s, to %s: the display name is in it: %v\n%s", what, m.To, got, m.Text)
		}
		if strings.Contains(m.Text, "/verify-email/") {
			confirm = pathOf(t, m.Text, "/verify-email/")
		}
	}
	b.post(t, profile+"/verify-email")
	sent("a request to confirm", false)
	b.post(t, "/forgot-password", "login", "sarah")
	sent("a reset", false)
	b.post(t, "/sign-up", "email", "sarah@example.com")
	sent("a sign-up of who is there", false)
	boss.post(t, "/dashboard/users/invite", "email", "new@example.com", "role", "member")
	sent("an invitation", false)
	b.askFor(t, "victim@example.com", goodPassword)
	sent("a new address", false)
	b.post(t, confirm)
	sent("what the old address is told", false)
	// Once the reader has said that the account is theirs, they are greeted by name.
	b.post(t, "/forgot-password", "login", "sarah")
	sent("a reset, confirmed", true)
	b.post(t, "/sign-up", "email", "victim@example.com")
	sent("a sign-up of who is there, confirmed", true)
}

func TestResetThatProvesAnAddressFirstEndsTheKeysBefore(t *testing.T) {
	t.Parallel()
	h, mails := withMail(t, nil)
	u := h.withPassword(t, "sarah", "member")
	_, old := h.newKey(t, u, "Made by someone", "read")
	reset := func() shown {
		t.Helper()
		b := h.browser()
		b.post(t, "/forgot-password", "login", "sarah")
		wantRedirect(t, b.post(t, pathOf(t, mails.Next(t).Text, "/reset-password/"), "password", otherPassword), "/sign-in")
		return b.get(t, "/sign-in")
	}
	if got := h.call(old.Reveal()); got != http.StatusOK {
		t.Fatalf("the key gets %d", got)
	}
	wantText(t, reset(), "Your password is set", "the API keys that were made before have ended")
	if got := h.call(old.Reveal()); got != http.StatusUnauthorized {
		t.Errorf("the key gets %d", got)
	}
	b := h.browser()
	wantRedirect(t, b.signIn(t, "sarah", otherPassword), "/dashboard")
	wantText(t, b.get(t, "/dashboard/activity"), "A new password, set by e-mail, revoked the key Made by someone", "made before the e-mail address was confirmed")
	wantText(t, b.get(t, profile), "sarah@example.com confirmed")
	_, later := h.newKey(t, u, "Made later", "read")
	wantNoText(t, reset(), "ended")
	if got := h.call(later.Reveal()); got != http.StatusOK {
		t.Errorf("a key made after the proof gets %d", got)
	}
}
