package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/server"
)

// welcomePath makes the first admin's link.
func (h *keyHouse) welcomePath(t *testing.T) string {
	t.Helper()
	link, err := h.FirstAdminLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if link == "" {
		return ""
	}
	return pathOf(t, link, "/welcome/")
}

// person is what the sign-up form asks for.
func personal(name string) []string {
	return []string{"username", name, "display_name", "", "email", name + "@example.com", "password", goodPassword}
}

func TestFirstAdminIsMadeByTheLinkOnce(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	path := h.welcomePath(t)
	b := h.browser()
	wantText(t, b.get(t, path), "Welcome to Stepsies", "you become the admin")
	wantRedirect(t, b.post(t, path, personal("boss")...), "/dashboard")
	page := b.get(t, "/dashboard")
	wantText(t, page, "Welcome, boss.", "Users", "Begin here")
	wantNoText(t, b.get(t, "/dashboard"), "Welcome, boss.")
	u, err := h.Store().User(t.Context(), "boss")
	if err != nil || u.Role != stepsies.RoleAdmin || !u.EmailVerifiedAt.IsZero() {
		t.Errorf("the first user is %+v, %v", u, err)
	}

	second := h.browser()
	for _, answer := range []shown{second.get(t, path), second.post(t, path, personal("mallory")...)} {
		wantStatus(t, answer, http.StatusConflict)
		wantText(t, answer, "This link does not work any more")
	}
	if h.welcomePath(t) != "" {
		t.Error("there is a link for a first admin though there is one")
	}
	if second.session() != nil {
		t.Error("someone is signed in by a used link")
	}
}

func TestFirstAdminLinkEndsWithItsTimeAndItsSuccessor(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	first, second := h.welcomePath(t), h.welcomePath(t)
	b := h.browser()
	wantStatus(t, b.get(t, first), http.StatusConflict)
	wantStatus(t, b.get(t, second), http.StatusOK)
	h.forward(24 * time.Hour)
	wantStatus(t, b.post(t, second, personal("boss")...), http.StatusConflict)
}

func TestTwoWhoUseTheFirstLinkAtOnceMakeOneAdmin(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	path := h.welcomePath(t)
	var both sync.WaitGroup
	answers := make([]shown, 2)
	for i, name := range []string{"first", "second"} {
		both.Go(func() {
			b := h.browser()
			b.address = "192.0.2." + itoa(int64(i))
			answers[i] = b.post(t, path, personal(name)...)
		})
	}
	both.Wait()
	n, err := h.Store().CountUsers(t.Context())
	if err != nil || n != 1 {
		t.Errorf("there are %d users, %v", n, err)
	}
	if (answers[0].status == http.StatusSeeOther) == (answers[1].status == http.StatusSeeOther) {
		t.Errorf("the answers are %d and %d", answers[0].status, answers[1].status)
	}
}

func TestSignUpIsOpenByInvitationOrClosed(t *testing.T) {
	t.Parallel()
	for mode, open := range map[string]bool{"open": true, "invite": false, "closed": false} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t, func(c *server.Config) { c.SignUp = mode })
			h.withPassword(t, "boss", "admin")
			b := h.browser()
			if got := strings.Contains(b.get(t, "/sign-in").text(), "Sign up"); got != open {
				t.Errorf("the sign-in page offers to sign up: %v", got)
			}
			if !open {
				refused := b.get(t, "/sign-up")
				wantStatus(t, refused, http.StatusNotFound)
				wantText(t, refused, map[string]string{"invite": "Ask an admin here for an invitation", "closed": "Nobody can sign up here"}[mode])
				wantStatus(t, b.post(t, "/sign-up", personal("sarah")...), http.StatusNotFound)
				if n, _ := h.Store().CountUsers(t.Context()); n != 1 {
					t.Errorf("there are %d users", n)
				}
				return
			}
			wantStatus(t, b.get(t, "/sign-up"), http.StatusOK)
			wantRedirect(t, b.post(t, "/sign-up", personal("sarah")...), "/dashboard")
			u, err := h.Store().User(t.Context(), "sarah")
			if err != nil || u.Role != stepsies.RoleMember || u.Plan != stepsies.PlanFree {
				t.Errorf("who signed up is %+v, %v", u, err)
			}
			if !b.isIn(t) {
				t.Error("who signed up is not signed in")
			}
		})
	}
}

func TestSignUpFormKeepsWhatWasTypedAndSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	h := openHouse(t, func(c *server.Config) { c.SignUp = "open" })
	h.withPassword(t, "taken", "member")
	for name, c := range map[string]struct {
		fields []string
		status int
		says   []string
	}{
		"everything wrong": {[]string{"username", "A b", "display_name", strings.Repeat("n", 101), "email", "nobody", "password", "short"}, http.StatusUnprocessableEntity,
			[]string{"3 to 30 characters", "at most 100 characters", "must be an e-mail address", "at least 8 characters"}},
		"nothing at all": {nil, http.StatusUnprocessableEntity, []string{"3 to 30 characters", "must be an e-mail address", "at least 8 characters"}},
		"control character": {[]string{"username", "sarah", "display_name", "a\x00b", "email", "s@example.com", "password", goodPassword}, http.StatusUnprocessableEntity,
			[]string{"control character"}},
		"name taken":    {[]string{"username", "taken", "email", "new@example.com", "password", goodPassword}, http.StatusConflict, []string{"taken"}},
		"address taken": {[]string{"username", "fresh", "email", "TAKEN@example.com", "password", goodPassword}, http.StatusConflict, []string{"e-mail"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := h.browser()
			answer := b.post(t, "/sign-up", c.fields...)
			wantStatus(t, answer, c.status)
			wantText(t, answer, c.says...)
			wantNoText(t, answer, "create a user")
			if b.session() != nil {
				t.Error("a form that does not fit signs in")
			}
			for i := 0; i < len(c.fields); i += 2 {
				value := c.fields[i+1]
				if c.fields[i] == "password" && strings.Contains(answer.body, value) {
					t.Error("the page holds the password")
				} else if c.fields[i] == "username" && !strings.Contains(answer.body, `value="`+value+`"`) {
					t.Errorf("the page has lost %q", value)
				}
			}
		})
	}
	if n, _ := h.Store().CountUsers(t.Context()); n != 1 {
		t.Errorf("there are %d users", n)
	}
}

func TestSignUpGoesOnInAnEMailAndTellsNobodyWhoIsThere(t *testing.T) {
	t.Parallel()
	h, mails := withMail(t, func(c *server.Config) { c.SignUp = "open" })
	h.withPassword(t, "taken", "member")
	ask := func(email string) shown {
		t.Helper()
		b := h.browser()
		b.address = "203.0.113." + itoa(int64(len(email)))
		return b.post(t, "/sign-up", "email", email)
	}
	taken, fresh := ask("TAKEN@example.com"), ask(" sarah@example.com ")
	wantStatus(t, taken, http.StatusOK)
	wantText(t, taken, "An e-mail is on its way")
	if strings.ReplaceAll(taken.body, "TAKEN@", "sarah@") != fresh.body {
		t.Errorf("the answers differ:\n%s\n%s", taken.text(), fresh.text())
	}
	texts := map[string]string{}
	for range 2 {
		m := mails.Next(t)
		texts[m.To] = m.Text
	}
	if text := texts["taken@example.com"]; !strings.Contains(text, "has an account already: taken") || strings.Contains(text, "/sign-up/") {
		t.Errorf("who has an account is told %q", text)
	}
	for _, bad := range []string{"", "nobody", "a@b@c", "sarah@example.com\r\nBcc: x@example.com", "Sarah <sarah@example.com>", strings.Repeat("a", 300) + "@example.com"} {
		answer := ask(bad)
		wantStatus(t, answer, http.StatusUnprocessableEntity)
		wantText(t, answer, "must be an e-mail address")
	}
	// Nobody becomes a user without the e-mail.
	wantStatus(t, h.browser().post(t, "/sign-up", personal("mallory")...), http.StatusOK)
	mails.Next(t)
	if n, _ := h.Store().CountUsers(t.Context()); n != 1 {
		t.Fatalf("there are %d users", n)
	}

	// A later e-mail to the same address takes the place of the first, and no other's.
	first := pathOf(t, texts["sarah@example.com"], "/sign-up/")
	ask("other@example.com")
	other := pathOf(t, mails.Next(t).Text, "/sign-up/")
	ask("sarah@example.com")
	path := pathOf(t, mails.Next(t).Text, "/sign-up/")
	wantStatus(t, h.browser().get(t, first), http.StatusConflict)
	wantStatus(t, h.browser().get(t, other), http.StatusOK)

	b := h.browser()
	wantText(t, b.get(t, path), "Your e-mail address is sarah@example.com")
	wantStatus(t, b.post(t, path, "username", "sarah", "display_name", "", "password", "short"), http.StatusUnprocessableEntity)
	wantStatus(t, b.post(t, path, "username", "taken", "display_name", "", "password", goodPassword), http.StatusConflict)
	wantRedirect(t, b.post(t, path, "username", "sarah", "display_name", "", "email", "taken@example.com", "password", goodPassword), "/dashboard")
	u, err := h.Store().User(t.Context(), "sarah")
	if err != nil || u.Email != "sarah@example.com" || u.EmailVerifiedAt.IsZero() || u.Role != stepsies.RoleMember {
		t.Errorf("who signed up is %+v, %v", u, err)
	}
	for _, gone := range []string{path, strings.Replace(other, "/sign-up/", "/verify-email/", 1), strings.Replace(other, "/sign-up/", "/invitation/", 1)} {
		wantStatus(t, h.browser().get(t, gone), http.StatusConflict)
		wantStatus(t, h.browser().post(t, gone, personal("mallory")...), http.StatusConflict)
	}
	wantRedirect(t, b.post(t, "/dashboard/profile/email", "email", "new@example.com", "email_password", goodPassword), "/dashboard/profile")
	verify := pathOf(t, mails.Next(t).Text, "/verify-email/") // a link that proves an address of a user makes none
	wantStatus(t, h.browser().post(t, strings.Replace(verify, "/verify-email/", "/sign-up/", 1), personal("mallory")...), http.StatusConflict)
	h.forward(24 * time.Hour)
	wantStatus(t, h.browser().get(t, other), http.StatusConflict)
}

func TestInvitationIsUsedOnce(t *testing.T) {
	t.Parallel()
	h, mails := withMail(t, func(c *server.Config) { c.SignUp = "closed" })
	h.withPassword(t, "boss", "admin")
	boss := h.signedIn(t, "boss")
	made := boss.post(t, "/dashboard/users/invite", "email", "sarah@example.com", "role", "admin")
	wantStatus(t, made, http.StatusOK)
	wantText(t, made, "The invitation of sarah@example.com is ready", "will not be shown again", "on its way by e-mail")
	path := pathOf(t, made.body, "/invitation/")
	m := mails.Next(t)
	if m.To != "sarah@example.com" || pathOf(t, m.Text, "/invitation/") != path {
		t.Errorf("the e-mail to %s says %q", m.To, m.Text)
	}
	wantText(t, boss.get(t, "/dashboard/users"), "Open invitations", "sarah@example.com", "Take back")
	wantNoText(t, boss.get(t, "/dashboard/users"), path)

	b := h.browser()
	form := b.get(t, path)
	wantText(t, form, "You are invited")
	if !strings.Contains(form.body, `value="sarah@example.com"`) {
		t.Error("the form does not know the address")
	}
	// A form that does not fit does not use the link up.
	wantStatus(t, b.post(t, path, "username", "sarah", "email", "sarah@example.com", "password", "short"), http.StatusUnprocessableEntity)
	wantStatus(t, b.post(t, path, "username", "boss", "email", "sarah@example.com", "password", goodPassword), http.StatusConflict)
	wantRedirect(t, b.post(t, path, personal("sarah")...), "/dashboard")
	u, err := h.Store().User(t.Context(), "sarah")
	if err != nil || u.Role != stepsies.RoleAdmin || u.EmailVerifiedAt.IsZero() {
		t.Errorf("who was invited by e-mail as an admin is %+v, %v", u, err)
	}
	for _, answer := range []shown{h.browser().get(t, path), h.browser().post(t, path, personal("mallory")...)} {
		wantStatus(t, answer, http.StatusConflict)
		wantText(t, answer, "This link does not work any more")
	}
	wantNoText(t, boss.get(t, "/dashboard/users"), "Open invitations")
}

func TestInvitationEndsWithItsTimeAndWhenItIsTakenBack(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "boss", "admin")
	boss := h.signedIn(t, "boss")
	invite := func() string {
		t.Helper()
		made := boss.post(t, "/dashboard/users/invite", "role", "member")
		wantText(t, made, "The invitation is ready")
		wantNoText(t, made, "by e-mail")
		return pathOf(t, made.body, "/invitation/")
	}
	old, taken, kept := invite(), "", ""
	h.forward(7 * 24 * time.Hour)
	wantStatus(t, h.browser().get(t, old), http.StatusConflict)
	wantStatus(t, h.browser().post(t, old, personal("late")...), http.StatusConflict)

	taken, kept = invite(), invite()
	list, err := h.Store().ListInvitations(t.Context(), 10)
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	end := "/dashboard/users/invitations/" + itoa(list[1].ID) + "/end"
	wantRedirect(t, boss.post(t, end), "/dashboard/users")
	wantText(t, boss.get(t, "/dashboard/users"), "The invitation does not work any more.")
	wantStatus(t, boss.post(t, end), http.StatusNotFound)
	wantStatus(t, h.browser().get(t, taken), http.StatusConflict)
	wantStatus(t, h.browser().get(t, kept), http.StatusOK)
	for _, id := range []string{"0", "-1", "x", "99999999999999999999"} {
		wantStatus(t, boss.post(t, "/dashboard/users/invitations/"+id+"/end"), http.StatusNotFound)
	}
}

func TestForgottenPasswordIsSetByTheLinkOnce(t *testing.T) {
	t.Parallel()
	h, mails := withMail(t, nil)
	u := h.withPassword(t, "sarah", "member")
	elsewhere := h.signedIn(t, "sarah")
	b := h.browser()
	wantText(t, b.post(t, "/forgot-password", "login", "sarah@example.com"), "If there is such an account")
	m := mails.Next(t)
	if m.To != "sarah@example.com" || m.From != "stepsies@example.com" {
		t.Errorf("the e-mail is from %s to %s", m.From, m.To)
	}
	path := pathOf(t, m.Text, "/reset-password/")
	wantText(t, b.get(t, path), "Set a new password")
	wantText(t, b.post(t, path, "password", "short"), "at least 8 characters")
	wantRedirect(t, b.post(t, path, "password", otherPassword), "/sign-in")
	wantText(t, b.get(t, "/sign-in"), "Your password is set")
	for _, answer := range []shown{b.get(t, path), b.post(t, path, "password", "a third good sentence")} {
		wantStatus(t, answer, http.StatusConflict)
	}
	if elsewhere.isIn(t) {
		t.Error("a session outlives a forgotten password")
	}
	wantStatus(t, b.signIn(t, "sarah", goodPassword), http.StatusUnauthorized)
	wantRedirect(t, b.signIn(t, "sarah", otherPassword), "/dashboard")

	// A later link ends an earlier one, and each ends after an hour.
	b.post(t, "/forgot-password", "login", "sarah")
	first := pathOf(t, mails.Next(t).Text, "/reset-password/")
	b.post(t, "/forgot-password", "login", " SARAH ")
	second := pathOf(t, mails.Next(t).Text, "/reset-password/")
	wantStatus(t, b.get(t, first), http.StatusConflict)
	wantStatus(t, b.get(t, second), http.StatusOK)
	h.forward(time.Hour)
	wantStatus(t, b.post(t, second, "password", "a third good sentence"), http.StatusConflict)
	if got, _ := h.Store().UserByID(t.Context(), u.ID); !got.HasPassword {
		t.Error("the password is gone")
	}
}

func TestNobodyLearnsWhetherAnAccountExists(t *testing.T) {
	t.Parallel()
	h, mails := withMail(t, nil)
	h.withPassword(t, "boss", "admin")
	h.withPassword(t, "sarah", "member")
	h.newUser(t, "empty", "member") // has no password
	h.withPassword(t, "gone", "member")
	suspend(t, h, "gone")
	var forgotten, refused []string
	for i, login := range []string{"sarah", "sarah@example.com", "empty", "gone", "nobody", "nobody@example.com", "\x00", "a'b\"c%_"} {
		b := h.browser()
		b.address = "198.51.100." + itoa(int64(i+1))
		answer := b.post(t, "/forgot-password", "login", login)
		forgotten = append(forgotten, answer.body)
		wantStatus(t, answer, http.StatusOK)
		answer = b.signIn(t, login, "not the password")
		wantStatus(t, answer, http.StatusUnauthorized)
		refused = append(refused, strings.ReplaceAll(answer.body, "value=\""+htmlOf(login)+"\"", ""))
		if len(answer.header.Values("Set-Cookie")) > 0 {
			t.Errorf("%q gets a cookie", login)
		}
	}
	for i := range forgotten {
		if forgotten[i] != forgotten[0] {
			t.Errorf("the answers to a forgotten password differ:\n%s\n%s", forgotten[0], forgotten[i])
		}
		if refused[i] != refused[0] {
			t.Errorf("the answers to a wrong password differ:\n%s\n%s", refused[0], refused[i])
		}
	}
	got := map[string]bool{}
	for range 3 {
		got[mails.Next(t).To] = true
	}
	if !got["sarah@example.com"] || !got["empty@example.com"] || len(got) != 2 || mails.Waiting() != 0 {
		t.Errorf("e-mail went to %v, and %d more", got, mails.Waiting())
	}
}

func TestWithoutMailAForgottenPasswordIsForAnAdmin(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "sarah", "member")
	b := h.browser()
	wantText(t, b.get(t, "/forgot-password"), "sends no e-mail", "Ask an admin")
	wantText(t, b.post(t, "/forgot-password", "login", "sarah"), "sends no e-mail")
}

func TestAddressIsConfirmedByTheLinkOnce(t *testing.T) {
	t.Parallel()
	h, mails := withMail(t, nil)
	h.withPassword(t, "sarah", "member")
	b := h.signedIn(t, "sarah")
	wantRedirect(t, b.post(t, "/dashboard/profile/verify-email"), "/dashboard/profile")
	path := pathOf(t, mails.Next(t).Text, "/verify-email/")
	wantText(t, b.get(t, "/dashboard/profile"), "not confirmed", "Send the e-mail again")

	// Opening the link is not enough: programs that scan e-mail open links too.
	other := h.browser()
	wantText(t, other.get(t, path), "Confirm your address", "sarah@example.com")
	wantText(t, b.get(t, "/dashboard/profile"), "not confirmed")
	wantRedirect(t, other.post(t, path), "/dashboard/profile")
	page := b.get(t, "/dashboard/profile")
	wantText(t, page, "sarah@example.com confirmed")
	wantNoText(t, page, "not confirmed", "Send the e-mail")
	wantStatus(t, other.post(t, path), http.StatusConflict)
}

func TestLinksOfOneKindOpenNoOtherDoor(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "boss", "admin")
	boss := h.signedIn(t, "boss")
	invitation := pathOf(t, boss.post(t, "/dashboard/users/invite", "role", "member").body, "/invitation/")
	token := strings.TrimPrefix(invitation, "/invitation/")
	b := h.browser()
	for _, path := range []string{"/welcome/" + token, "/reset-password/" + token, "/verify-email/" + token,
		"/invitation/", "/invitation/" + token[1:], "/invitation/" + token + "A", "/invitation/" + url.PathEscape("' or 1=1 --")} {
		for _, answer := range []shown{b.get(t, path), b.post(t, path, append(personal("mallory"), "password", goodPassword)...)} {
			if answer.status != http.StatusConflict && answer.status != http.StatusNotFound {
				t.Errorf("%s answers %d", path, answer.status)
			}
		}
	}
	if _, err := h.Store().User(t.Context(), "mallory"); stepsies.CodeOf(err) != stepsies.CodeNotFound {
		t.Errorf("mallory is in: %v", err)
	}
	wantStatus(t, b.get(t, invitation), http.StatusOK)
}

func suspend(t *testing.T, h *keyHouse, name string) {
	t.Helper()
	yes := true
	if _, err := h.Store().UpdateUser(t.Context(), operator, name, stepsies.UserChange{Suspended: &yes}); err != nil {
		t.Fatal(err)
	}
}

func TestSignUpsAreLimitedByAddress(t *testing.T) {
	t.Parallel()
	h := openHouse(t, func(c *server.Config) { c.SignUp = "open" })
	b := h.browser()
	for range 30 {
		wantStatus(t, b.post(t, "/sign-up", "username", "x"), http.StatusUnprocessableEntity)
	}
	wantStatus(t, b.post(t, "/sign-up", personal("sarah")...), http.StatusTooManyRequests)
	other := h.browser()
	other.address = "203.0.113.9"
	wantRedirect(t, other.post(t, "/sign-up", personal("sarah")...), "/dashboard")
}
