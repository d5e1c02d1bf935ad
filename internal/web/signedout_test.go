package web_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestWhatIsSentWhileSignedOutIsKeptAndSentAgain(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah, nobody := h.signIn(t, h.sarah), &person{h: h}
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>", "Bake", "<p>Hot</p>")

	// A form with steps, which is sent in parts.
	form := formOn(t, sarah.get(t, stepsyAt(s, "")), stepsyAt(s, ""))
	form.Set("description", "\nFirst line\r\nsecond \"line\" </textarea>")
	form["step_title"] = []string{"Mix well", "Bake long"}
	refused := nobody.postMultipart(t, stepsyAt(s, ""), form, "save")
	wantStatus(t, refused, http.StatusUnauthorized)
	wantText(t, refused, "You are signed out", "Nothing was done yet", "Send it again")
	if h.stored(t, s).Version != s.Version {
		t.Fatal("it was done all the same")
	}
	if !strings.Contains(refused.body, `enctype="multipart/form-data"`) {
		t.Error("the form is sent in another way than it came")
	}
	again := formOn(t, refused, stepsyAt(s, ""))
	wantStatus(t, sarah.postMultipart(t, stepsyAt(s, ""), again, ""), http.StatusSeeOther)
	now := h.stored(t, s)
	if outline(now) != "1 Mix well, 2 Bake long" || now.Description != "\nFirst line\nsecond \"line\" </textarea>" || now.Steps[0].Content.HTML() != "<p>Flour</p>" {
		t.Errorf("stored is %s with %q", outline(now), now.Description)
	}

	// A plain one, with a key that is made once.
	key := withHidden(sarah.get(t, developer+"/new"), formOf("name", "Back end", "scopes", "read", "scopes", "write", "expiry", "never"))
	refused = nobody.post(t, developer, key)
	wantStatus(t, refused, http.StatusUnauthorized)
	wantStatus(t, sarah.post(t, developer, formOn(t, refused, developer)), http.StatusOK)
	if keys := h.keys(t, h.sarah); len(keys) != 1 || keys[0].Name != "Back end" || len(keys[0].Scopes.Names()) != 2 {
		t.Errorf("the keys are %+v", keys)
	}
}

func TestPasswordsAreNotKeptForWhoIsSignedOut(t *testing.T) {
	t.Parallel()
	h := openHouse(t, nil)
	answer := h.browser().post(t, "/dashboard/profile/email", "email", "new@example.com", "email_password", goodPassword)
	wantStatus(t, answer, http.StatusUnauthorized)
	if strings.Contains(answer.body, goodPassword) || strings.Contains(answer.body, "email_password") || !strings.Contains(answer.body, "new@example.com") {
		t.Errorf("the page holds\n%s", answer.body)
	}
	if got := answer.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("caches may keep it: %q", got)
	}
	// Where nothing would be lost, and where a script asks, the way leads to the sign-in.
	wantRedirect(t, h.browser().post(t, "/dashboard/profile/password", "old_password", "x", "new_password", "y"), "/sign-in?next=%2Fdashboard")
	wantRedirect(t, (&person{h: h}).sendBody(t, "/dashboard/stepsies/1/save", "application/json", `{"title":"x"}`), "/sign-in?next=%2Fdashboard")
}
