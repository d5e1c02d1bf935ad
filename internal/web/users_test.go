package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stepsies/stepsies"
)

const usersAt = "/dashboard/users"

// userFields is the form of a user, with what differs in it.
func userFields(changed ...string) url.Values {
	form := formOf("display_name", "Sarah", "email", "sarah@example.com", "role", "member", "plan", "free",
		"limit_minute", "", "limit_hour", "", "limit_month", "")
	for name, values := range formOf(changed...) {
		form[name] = values
	}
	return form
}

func TestUsersAreForAdminsAlone(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "boss", "admin")
	h.withPassword(t, "sarah", "member")
	b := h.signedIn(t, "sarah")
	wantNoText(t, b.get(t, "/dashboard"), "Users")
	for _, path := range []string{"", "/new", "/invite", "/@boss", "/@sarah", "/@sarah/suspend", "/@sarah/delete"} {
		wantStatus(t, b.get(t, usersAt+path), http.StatusNotFound)
	}
	for _, path := range []string{"", "/invite", "/@boss", "/@sarah", "/@sarah/suspend", "/@sarah/unsuspend", "/@sarah/delete", "/@boss/password-link", "/invitations/1/end"} {
		wantStatus(t, b.send(t, http.MethodPost, usersAt+path, userFields("role", "admin", "username", "mallory")), http.StatusNotFound)
	}
	if n, _ := h.Store().CountUsers(t.Context()); n != 2 {
		t.Errorf("there are %d users", n)
	}
	if u, _ := h.Store().User(t.Context(), "sarah"); u.Role != stepsies.RoleMember {
		t.Error("a member has become an admin")
	}
	// Who loses the role loses the pages with it, in the same session.
	boss := h.signedIn(t, "boss")
	member, admin := "member", "admin"
	if _, err := h.Store().UpdateUser(t.Context(), operator, "sarah", stepsies.UserChange{Role: &admin}); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, b.get(t, usersAt), http.StatusOK)
	if _, err := h.Store().UpdateUser(t.Context(), operator, "boss", stepsies.UserChange{Role: &member}); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, boss.get(t, usersAt), http.StatusNotFound)
}

func TestUsersAreListedSearchedAndPaged(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "boss", "admin")
	for i := range 60 {
		h.newUser(t, "user"+itoa(int64(i)), "member")
	}
	suspend(t, h, "user7")
	b := h.signedIn(t, "boss")
	first := b.get(t, usersAt)
	wantText(t, first, "user59", "user10 ", "no password yet")
	wantNoText(t, first, "user9@example.com", "boss@example.com")
	next := nextOf(t, first)
	second := b.get(t, next)
	wantText(t, second, "user9@example.com", "boss@example.com", "admin", "suspended", "Back to the first")
	wantNoText(t, second, "user59@example.com", "Next")
	found := b.get(t, usersAt+"?q=USER7%40")
	wantText(t, found, "user7@example.com")
	wantNoText(t, found, "user17@example.com", "boss@example.com")
	wantText(t, b.get(t, usersAt+"?q=nobody+here"), "No user matches “nobody here”")
	for _, q := range []string{"%25", "_", "%5C", "%00", "%ff", "'", strings.Repeat("a", 5000)} {
		page := b.get(t, usersAt+"?q="+q)
		wantStatus(t, page, http.StatusOK)
		wantNoText(t, page, "user1@example.com")
	}
	wantStatus(t, b.get(t, usersAt+"?cursor=made-up"), http.StatusBadRequest)
}

// nextOf is the address of the link that leads on.
func nextOf(t *testing.T, page shown) string {
	t.Helper()
	_, rest, found := strings.Cut(page.body, `rel="next" href="`)
	if !found {
		t.Fatalf("no link leads on:\n%s", page.text())
	}
	address, _, _ := strings.Cut(rest, `"`)
	return strings.ReplaceAll(address, "&amp;", "&")
}

func TestUserIsCreatedWithALinkToSetThePassword(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "boss", "admin")
	b := h.signedIn(t, "boss")
	wantText(t, b.get(t, usersAt+"/new"), "New user", "Username", "Role", "Plan", "Own limits")
	bad := b.send(t, http.MethodPost, usersAt, userFields("username", "S C", "email", "nobody", "role", "king", "plan", "gold"))
	wantStatus(t, bad, http.StatusUnprocessableEntity)
	wantText(t, bad, "3 to 30 characters", "must be an e-mail address", "must be member or admin", "must be one of free")
	if !strings.Contains(bad.body, `value="S C"`) || !strings.Contains(bad.body, `value="nobody"`) {
		t.Error("what was typed is lost")
	}
	wantStatus(t, b.send(t, http.MethodPost, usersAt, userFields("username", "boss")), http.StatusConflict)

	made := b.send(t, http.MethodPost, usersAt, userFields("username", "new", "plan", "enterprise", "limit_minute", "1,200", "limit_month", "9"))
	wantStatus(t, made, http.StatusOK)
	wantText(t, made, "Sarah is a user now", "works once, for an hour, and will not be shown again", "no password yet")
	u, err := h.Store().User(t.Context(), "new")
	if err != nil || u.Plan != stepsies.PlanEnterprise || u.OwnLimits != (stepsies.Limits{Minute: 1200, Month: 9}) {
		t.Errorf("the user is %+v, %v", u, err)
	}
	// A user called new has a page, beside the form of that name.
	wantText(t, b.get(t, usersAt+"/@new"), "sarah@example.com")
	wantText(t, b.get(t, usersAt+"/new"), "New user")
	path := pathOf(t, made.body, "/reset-password/")
	wantNoText(t, b.get(t, usersAt+"/@new"), path)
	sarah := h.browser()
	wantRedirect(t, sarah.post(t, path, "password", goodPassword), "/sign-in")
	wantRedirect(t, sarah.signIn(t, "new", goodPassword), "/dashboard")
	// The same form again makes nobody.
	wantStatus(t, b.send(t, http.MethodPost, usersAt, userFields("username", "new")), http.StatusConflict)
}

func TestUserIsChanged(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "boss", "admin")
	u := h.withPassword(t, "sarah", "member")
	b := h.signedIn(t, "boss")
	at := usersAt + "/@sarah"
	save := func(changed ...string) shown { return b.send(t, http.MethodPost, at, userFields(changed...)) }
	wantRedirect(t, save("display_name", "Sarah Chen", "role", "admin", "plan", "enterprise", "limit_hour", "5000"), at)
	page := b.get(t, at)
	wantText(t, page, "sarah is changed.", "Sarah Chen")
	if !strings.Contains(page.body, `value="5000"`) {
		t.Error("the limit is not in the form")
	}
	got, _ := h.Store().UserByID(t.Context(), u.ID)
	if got.Role != stepsies.RoleAdmin || got.OwnLimits != (stepsies.Limits{Hour: 5000}) {
		t.Errorf("the user is %+v", got)
	}
	// Limits go with the enterprise plan.
	wantRedirect(t, save("plan", "pro", "limit_hour", "5000"), at)
	if got, _ = h.Store().UserByID(t.Context(), u.ID); got.OwnLimits != (stepsies.Limits{}) || got.Plan != stepsies.PlanPro {
		t.Errorf("the user is %+v", got)
	}
	for _, bad := range []string{"0", "-1", "1.5", "many", "1000000001", "99999999999999999999"} {
		answer := save("plan", "enterprise", "limit_minute", bad)
		wantStatus(t, answer, http.StatusUnprocessableEntity)
		wantText(t, answer, "a whole number from 1 to 1,000,000,000, or empty for no limit")
		if !strings.Contains(answer.body, `value="`+bad+`"`) {
			t.Errorf("%s is lost", bad)
		}
	}
	answer := save("email", "boss@example.com")
	wantStatus(t, answer, http.StatusConflict)
	wantText(t, answer, "This e-mail address is taken.")
	wantNoText(t, answer, "change the user", "update")
	wantStatus(t, save("email", "nobody"), http.StatusUnprocessableEntity)
	for _, path := range []string{"/@nobody", "/sarah", "/@", "/@%00", "/@sarah%2F..", "/@nobody/delete", "/@nobody/suspend"} {
		wantStatus(t, b.get(t, usersAt+path), http.StatusNotFound)
	}
}

func TestPasswordLinkIsMadeByAnAdminAndRecorded(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "boss", "admin")
	h.withPassword(t, "sarah", "member")
	b, sarah := h.signedIn(t, "boss"), h.signedIn(t, "sarah")
	first := pathOf(t, b.post(t, usersAt+"/@sarah/password-link").body, "/reset-password/")
	made := b.post(t, usersAt+"/@sarah/password-link")
	wantText(t, made, "A link for sarah", "whoever opens it sets the password")
	if got := made.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control of the page with the link is %q", got)
	}
	second := pathOf(t, made.body, "/reset-password/")
	wantStatus(t, h.browser().get(t, first), http.StatusConflict)
	wantText(t, sarah.get(t, "/dashboard/activity"), "boss made a link to set your password")
	wantRedirect(t, h.browser().post(t, second, "password", otherPassword), "/sign-in")
	if sarah.isIn(t) {
		t.Error("a session outlives the new password")
	}
}

func TestLastAdminStays(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	u := h.withPassword(t, "boss", "admin")
	b := h.signedIn(t, "boss")
	const sentence = "This is the last admin. Make another user an admin first."
	for path, form := range map[string]url.Values{
		"/@boss":         userFields("display_name", "Chief", "email", "boss@example.com"),
		"/@boss/suspend": nil,
		"/@boss/delete":  nil,
	} {
		answer := b.send(t, http.MethodPost, usersAt+path, form)
		wantStatus(t, answer, http.StatusConflict)
		wantText(t, answer, sentence)
	}
	if got, err := h.Store().UserByID(t.Context(), u.ID); err != nil || !got.CountsAsAdmin() || got.DisplayName == "Chief" {
		t.Errorf("the last admin is %+v, %v", got, err)
	}
	if !b.isIn(t) {
		t.Fatal("the last admin is signed out")
	}
	// With another one they may go, and are led to where they may be.
	h.withPassword(t, "second", "admin")
	wantText(t, b.get(t, usersAt+"/@boss/suspend"), "This is you.")
	wantRedirect(t, b.send(t, http.MethodPost, usersAt+"/@boss", userFields("email", "boss@example.com")), "/dashboard")
	wantText(t, b.get(t, "/dashboard"), "boss is changed.")
	wantStatus(t, b.get(t, usersAt), http.StatusNotFound)
}

func TestDeletingNamesTheUserAndWhatGoesWithThem(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "boss", "admin")
	u := h.withPassword(t, "sarah", "member")
	_, secret := h.newKey(t, u, "Production Backend", "read")
	title := "A stepsy"
	for range 2 {
		if _, err := h.Store().CreateStepsy(t.Context(), operator, "sarah", stepsies.StepsyChange{Title: &title}); err != nil {
			t.Fatal(err)
		}
	}
	b := h.signedIn(t, "boss")
	page := b.get(t, usersAt+"/@sarah/delete")
	wantText(t, page, "Delete sarah?", "2 stepsies, 1 key in use", "deleted for good", "Delete sarah for good", "nobody gets the name sarah for 90 days", "Cancel")
	page = b.get(t, usersAt+"/@sarah")
	for _, href := range []string{"/dashboard/developer?user=sarah", "/dashboard/stepsies?user=sarah", "/dashboard/activity?user=sarah"} {
		if !strings.Contains(page.body, `href="`+href+`"`) {
			t.Errorf("the page does not lead to %s", href)
		}
		wantStatus(t, b.get(t, href), http.StatusOK)
	}
	if _, err := h.Store().UserByID(t.Context(), u.ID); err != nil {
		t.Fatal("asking has deleted")
	}
	wantRedirect(t, b.post(t, usersAt+"/@sarah/delete"), usersAt)
	page = b.get(t, usersAt)
	wantText(t, page, "sarah is deleted.")
	if got := h.call(secret.Reveal()); got != http.StatusUnauthorized {
		t.Errorf("the key gets %d", got)
	}
	wantStatus(t, b.post(t, usersAt+"/@sarah/delete"), http.StatusNotFound)
	wantText(t, b.get(t, "/dashboard/activity"), "You deleted the user sarah")
	again := b.send(t, http.MethodPost, usersAt, userFields("username", "sarah"))
	wantStatus(t, again, http.StatusConflict)
	wantText(t, again, "This username is kept back until", "Choose another one.")
}

func TestSuspendingSaysWhatItDoes(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "boss", "admin")
	u := h.withPassword(t, "sarah", "member")
	_, secret := h.newKey(t, u, "key", "read")
	b := h.signedIn(t, "boss")
	wantText(t, b.get(t, usersAt+"/@sarah/suspend"), "Suspend sarah?", "no key works for as long as it lasts")
	wantRedirect(t, b.post(t, usersAt+"/@sarah/suspend"), usersAt+"/@sarah")
	wantText(t, b.get(t, usersAt+"/@sarah"), "sarah is suspended.", "End the suspension")
	if got := h.call(secret.Reveal()); got != http.StatusUnauthorized {
		t.Errorf("the key of a suspended user gets %d", got)
	}
	wantRedirect(t, b.post(t, usersAt+"/@sarah/unsuspend"), usersAt+"/@sarah")
	if got := h.call(secret.Reveal()); got != http.StatusOK {
		t.Errorf("the key gets %d after the suspension", got)
	}
}

func TestInviteFormSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	h.withPassword(t, "boss", "admin")
	b := h.signedIn(t, "boss")
	wantText(t, b.get(t, usersAt+"/invite"), "this installation sends no e-mail")
	answer := b.post(t, usersAt+"/invite", "email", "nobody", "role", "king")
	wantStatus(t, answer, http.StatusUnprocessableEntity)
	wantText(t, answer, "must be an e-mail address", "must be member or admin")
	answer = b.post(t, usersAt+"/invite", "email", "BOSS@example.com", "role", "member")
	wantStatus(t, answer, http.StatusConflict)
	wantText(t, answer, "boss is a user already and has this e-mail address. Open their page under Users")
	if list, _ := h.Store().ListInvitations(t.Context(), 10); len(list) != 0 {
		t.Errorf("%d invitations are made", len(list))
	}
}
