package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/richtext"
	"github.com/stepsies/stepsies/internal/store"
)

// conflict lets sarah open a stepsy, has it changed meanwhile, and has her save.
func conflict(t *testing.T) (h *keyHouse, sarah *person, s stepsies.Stepsy, page shown) {
	t.Helper()
	h = openKeyHouse(t, false)
	sarah = h.signIn(t, h.sarah)
	s = h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>", "Rest", "<p>An hour</p>", "Bake", "<p>Hot</p>")
	page = sarah.edit(t, s, "save", func(f url.Values) {
		f["step_content"][0] = "<p>My flour</p>"
		addStep(f, "My new step", "<p>Mine</p>")
		title := "Bake rye bread"
		h.change(t, s, stepsies.StepsyChange{Title: &title, Steps: &[]stepsies.StepChange{
			{ID: 1, Title: "Mix", Content: richtext.Sanitise("<p>Their flour</p>")}, {ID: 3, Title: "Bake", Content: richtext.Sanitise("<p>Hot</p>")},
			{Title: "Their new step", Content: richtext.Sanitise("<p>Theirs</p>")},
		}})
	})
	return h, sarah, s, page
}

func TestSecondTabIsToldAndSeesBothVersions(t *testing.T) {
	t.Parallel()
	h, _, s, page := conflict(t)
	wantStatus(t, page, http.StatusConflict)
	wantText(t, page, "Two versions of “Bake rye bread”", "by the operator", "Bake bread", "My flour", "Their flour", "My new step", "Their new step", "No such step.")
	if now := h.stored(t, s); now.Title != "Bake rye bread" || outline(now) != "1 Mix, 3 Bake, 4 Their new step" {
		t.Errorf("the other version became %q with %s", now.Title, outline(now))
	}
}

func TestOwnVersionIsSavedOverTheOtherWhenAsked(t *testing.T) {
	t.Parallel()
	h, sarah, s, page := conflict(t)
	got := sarah.postMultipart(t, stepsyAt(s, ""), formOn(t, page, stepsyAt(s, "")), "save")
	wantStatus(t, got, http.StatusSeeOther)
	now := h.stored(t, s)
	if now.Title != "Bake bread" || outline(now) != "1 Mix, 5 Rest, 3 Bake, 6 My new step" || now.Steps[0].Content.HTML() != "<p>My flour</p>" {
		t.Errorf("stored is %q with %s", now.Title, outline(now))
	}
}

func TestOwnVersionIsEditedOnAfterAConflict(t *testing.T) {
	t.Parallel()
	h, sarah, s, page := conflict(t)
	page = sarah.postMultipart(t, stepsyAt(s, ""), formOn(t, page, stepsyAt(s, "")), "keep")
	wantStatus(t, page, http.StatusOK)
	wantText(t, page, "These changes are not saved yet.")
	form := formOn(t, page, stepsyAt(s, ""))
	if form["step_content"][0] != "<p>My flour</p>" {
		t.Errorf("the form holds %q", form["step_content"])
	}
	form["step_content"][0] = "<p>Both flours</p>"
	wantStatus(t, sarah.postMultipart(t, stepsyAt(s, ""), form, "save"), http.StatusSeeOther)
	if got := h.stored(t, s).Steps[0].Content.HTML(); got != "<p>Both flours</p>" {
		t.Errorf("stored is %s", got)
	}
}

func TestThirdVersionIsNotWrittenOverEither(t *testing.T) {
	t.Parallel()
	h, sarah, s, page := conflict(t)
	form := formOn(t, page, stepsyAt(s, ""))
	title := "Bake spelt bread"
	h.change(t, s, stepsies.StepsyChange{Title: &title})
	page = sarah.postMultipart(t, stepsyAt(s, ""), form, "save")
	wantStatus(t, page, http.StatusConflict)
	wantText(t, page, "Bake spelt bread", "Bake bread")
	if now := h.stored(t, s); now.Title != title {
		t.Errorf("it became %q", now.Title)
	}
}

func TestScriptSavesWithoutLeavingThePage(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>")
	typed := typedOf(s)
	typed.Title, typed.Slug = "Bake rye bread", ""
	typed.Steps = append([]typedStep{{0, "", ""}, {0, "Buy", "<p>Rye<script>x</script></p>"}}, typed.Steps...)
	status, answer := sarah.save(t, s, typed)
	if status != http.StatusOK || answer.Version != s.Version+1 || answer.Slug != "bake-rye-bread" || len(answer.Steps) != 3 || answer.Steps[0] != 0 || answer.Steps[1] != 2 || answer.Steps[2] != 1 {
		t.Fatalf("%d %+v", status, answer)
	}
	now := h.stored(t, s)
	if now.Title != "Bake rye bread" || outline(now) != "2 Buy, 1 Mix" || now.Steps[0].Content.HTML() != "<p>Rye</p>" {
		t.Errorf("stored is %q with %s", now.Title, outline(now))
	}

	if status, answer = sarah.save(t, s, typed); status != http.StatusConflict || answer.Error == "" {
		t.Errorf("the version before is saved over: %d %+v", status, answer)
	}
	typed = typedOf(now)
	typed.Steps = append([]typedStep{{0, "", ""}}, typed.Steps...)
	typed.Steps[2].Title, typed.Slug = "", "NO"
	if status, answer = sarah.save(t, s, typed); status != http.StatusUnprocessableEntity || answer.Problems["steps[2].title"] == "" || answer.Problems["slug"] == "" || len(answer.Problems) != 2 {
		t.Errorf("%d %+v", status, answer)
	}
	for name, body := range map[string]string{"nothing": "", "no steps": `{"version":2,"title":"x"}`, "no JSON": "title=x", "a list": "[]", "a number for a title": `{"title":1,"steps":[]}`} {
		if got := sarah.sendBody(t, stepsyAt(s, "save"), "application/json", body); got.status != http.StatusBadRequest || !strings.Contains(got.body, `"error"`) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if got := h.signIn(t, h.other).sendBody(t, stepsyAt(s, "save"), "application/json", `{}`); got.status != http.StatusNotFound {
		t.Errorf("another's save is answered with %d", got.status)
	}
	if got := (&person{h: h}).sendBody(t, stepsyAt(s, "save"), "application/json", `{}`); got.status != http.StatusSeeOther {
		t.Errorf("without a session the answer is %d", got.status)
	}
	if again := h.stored(t, s); again.Version != now.Version {
		t.Error("a refused save has changed something")
	}
}

func TestTypingLeavesOneRowOfActivity(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>")
	rows := func() int {
		found, err := h.Store().ListActivity(t.Context(), store.ActivityFilter{Access: stepsies.Access{Everyone: true}, Target: "stepsy", TargetID: s.ID, Page: store.Page{Limit: 100}})
		if err != nil {
			t.Fatal(err)
		}
		return len(found.Items)
	}
	typed := typedOf(s)
	typed.Quiet = true
	for _, title := range []string{"B", "Ba", "Bak", "Bake"} {
		typed.Title = title
		status, answer := sarah.save(t, s, typed)
		if status != http.StatusOK {
			t.Fatal(status, answer)
		}
		typed.Version = answer.Version
	}
	if n := rows(); n != 2 { // made, updated
		t.Errorf("four saves while typing left %d rows", n)
	}
	typed.Quiet, typed.Title = false, "Bake bread"
	if status, _ := sarah.save(t, s, typed); status != http.StatusOK || rows() != 3 {
		t.Errorf("a save that was asked for: %d, %d rows", status, rows())
	}
}
