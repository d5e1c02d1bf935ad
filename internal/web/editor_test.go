package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stepsies/stepsies"
)

func TestStepsyIsWrittenWithoutScripts(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>", "Bake", "<p>Hot</p>")
	got := sarah.edit(t, s, "save", func(form url.Values) {
		form.Set("title", "  Bake good bread ")
		form.Set("description", "First line\r\nsecond line")
		form.Set("category", "lifestyle")
		form.Set("slug", "good-bread")
		form.Set("featured", "yes")
		form["step_title"][1] = "Bake it"
		form["step_content"][1] = "<p>Very hot</p><script>alert(1)</script>"
	})
	wantStatus(t, got, http.StatusSeeOther)
	wantText(t, sarah.get(t, got.location), "Saved.", "Bake good bread")
	now := h.stored(t, s)
	if now.Title != "Bake good bread" || now.Description != "First line\nsecond line" || now.Category != "lifestyle" || now.Slug != "good-bread" || now.FeaturedAt.IsZero() {
		t.Errorf("stored is %+v", now)
	}
	if outline(now) != "1 Mix, 2 Bake it" || now.Steps[1].Content.HTML() != "<p>Very hot</p>" {
		t.Errorf("the steps are %s with %s", outline(now), now.Steps[1].Content.HTML())
	}
}

func TestSavingWhatNobodyChangedChangesNothing(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	description := "\n\nbegins with lines\nand ends with one\n"
	s := h.newStepsy(t, h.sarah, "Bake “bread” & more", "Mix <b>", "<pre><code>one\n\n\ttwo &lt;three&gt;\n</code></pre>", "Empty", "")
	s = h.change(t, s, stepsies.StepsyChange{Description: &description})
	wantStatus(t, sarah.edit(t, s, "save", nil), http.StatusSeeOther)
	if now := h.stored(t, s); now.Version != s.Version {
		t.Errorf("version %d became %d: %q, %q", s.Version, now.Version, now.Description, now.Steps[0].Content.HTML())
	}
}

func TestStepsAreRearrangedWithoutScriptsAndWithoutSaving(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "", "Rest", "", "Bake", "")
	titles := func(page shown) string {
		return strings.Join(formOn(t, page, stepsyAt(s, ""))["step_title"], ", ")
	}
	for _, c := range []struct{ button, want, focus string }{
		{"up-2", "Mix, Bake, Rest", `id="step-1-up" aria-label="Move step 2 up" autofocus`},
		{"up-1", "Rest, Mix, Bake", `id="step-0-down" aria-label="Move step 1 down" autofocus`},
		{"down-0", "Rest, Mix, Bake", `id="step-1-down" aria-label="Move step 2 down" autofocus`},
		{"down-1", "Mix, Bake, Rest", `id="step-2-up" aria-label="Move step 3 up" autofocus`},
		{"remove-1", "Mix, Bake", `id="add-step" autofocus`},
		{"add", "Mix, Rest, Bake, ", `id="step-3-title"`},
		{"up-0", "Mix, Rest, Bake", ""}, {"down-2", "Mix, Rest, Bake", ""}, {"up-99", "Mix, Rest, Bake", ""}, {"remove--1", "Mix, Rest, Bake", ""},
	} {
		page := sarah.edit(t, s, c.button, func(form url.Values) { form.Set("title", "Typed meanwhile") })
		wantStatus(t, page, http.StatusOK)
		wantText(t, page, "These changes are not saved yet.")
		if got := titles(page); got != c.want {
			t.Errorf("%s gives %s, want %s", c.button, got, c.want)
		}
		if !strings.Contains(page.body, c.focus) {
			t.Errorf("%s: nothing on the page is %s", c.button, c.focus)
		}
		if form := formOn(t, page, stepsyAt(s, "")); form.Get("title") != "Typed meanwhile" {
			t.Errorf("%s loses the title: %q", c.button, form.Get("title"))
		}
	}
	page := sarah.edit(t, s, "up-2", nil)
	page = sarah.postMultipart(t, stepsyAt(s, ""), formOn(t, page, stepsyAt(s, "")), "add")
	if now := h.stored(t, s); now.Version != s.Version {
		t.Fatal("rearranging has saved something")
	}
	form := formOn(t, page, stepsyAt(s, ""))
	form["step_title"][3] = "Eat"
	wantStatus(t, sarah.postMultipart(t, stepsyAt(s, ""), form, "save"), http.StatusSeeOther)
	if got := outline(h.stored(t, s)); got != "1 Mix, 3 Bake, 2 Rest, 4 Eat" {
		t.Errorf("the steps are %s", got)
	}
}

func TestBadStepsyFormKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	h.newStepsy(t, h.sarah, "Taken")
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>")
	long := strings.Repeat("x", 201)
	for name, c := range map[string]struct {
		change func(url.Values)
		says   []string
	}{
		"no title":          {func(f url.Values) { f.Set("title", " ") }, []string{"This must not be empty."}},
		"long title":        {func(f url.Values) { f.Set("title", long) }, []string{"at most 200 characters; it has 201"}},
		"control character": {func(f url.Values) { f.Set("title", "a\x00b") }, []string{"control character U+0000"}},
		"long description":  {func(f url.Values) { f.Set("description", strings.Repeat("x", 2001)) }, []string{"at most 2000"}},
		"bad slug":          {func(f url.Values) { f.Set("slug", "Not A Slug") }, []string{"a-z, 0-9 and hyphen"}},
		"taken slug":        {func(f url.Values) { f.Set("slug", "taken") }, []string{"This slug is taken"}},
		"bad category":      {func(f url.Values) { f.Set("category", "nonsense") }, []string{"One thing does not fit"}},
		"step without title": {func(f url.Values) {
			f["step_id"], f["step_title"], f["step_content"] = []string{"0", "1", "0"}, []string{"", "Mix", ""}, []string{"", "<p>Flour</p>", "<p>typed</p>"}
		}, []string{"One thing does not fit", "This must not be empty."}},
		"control character in a step": {func(f url.Values) { f["step_content"][0] = "<p>\x07</p>" }, []string{"control character U+0007"}},
		"unknown step":                {func(f url.Values) { f["step_id"][0] = "99" }, []string{"is not a step of this stepsy"}},
		"two things":                  {func(f url.Values) { f.Set("title", ""); f["step_title"][0] = "" }, []string{"2 things do not fit"}},
	} {
		var sent url.Values
		page := sarah.edit(t, s, "save", func(f url.Values) { c.change(f); sent = f })
		if page.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: the answer is %d", name, page.status)
			continue
		}
		wantText(t, page, append(c.says, "It is not saved yet.")...)
		form := formOn(t, page, stepsyAt(s, ""))
		for _, field := range []string{"title", "description", "slug", "step_title", "step_content", "step_id"} {
			if !slices.Equal(form[field], sent[field]) && !strings.Contains(strings.Join(sent[field], ""), "\x00") {
				t.Errorf("%s: %s was %q and is shown as %q", name, field, sent[field], form[field])
			}
		}
	}
	page := sarah.edit(t, s, "save", func(f url.Values) {
		f["step_id"], f["step_title"], f["step_content"] = []string{"0", "1", "0"}, []string{"", "Mix", ""}, []string{"", "", "<p>typed</p>"}
	})
	if !strings.Contains(page.body, `id="step-2-title-problem"`) || strings.Contains(page.body, `id="step-1-title-problem"`) {
		t.Error("the problem of the third row is said elsewhere")
	}
	if now := h.stored(t, s); now.Version != s.Version {
		t.Error("a form that does not fit has changed something")
	}
}

func TestHalfAFormRemovesNoSteps(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "", "Bake", "")
	for name, cut := range map[string]func(url.Values){
		"no end":      func(f url.Values) { f.Del("end") },
		"no version":  func(f url.Values) { f.Del("version") },
		"no contents": func(f url.Values) { f.Del("step_content") },
		"fewer ids":   func(f url.Values) { f["step_id"] = f["step_id"][:1] },
		"bad id":      func(f url.Values) { f["step_id"][0] = "one" },
	} {
		got := sarah.edit(t, s, "save", cut)
		if got.status != http.StatusBadRequest {
			t.Errorf("%s: the answer is %d", name, got.status)
		}
	}
	if got := sarah.sendBody(t, stepsyAt(s, ""), "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"version\"\r\n\r\n1\r\n--x\r\n"); got.status != http.StatusBadRequest {
		t.Errorf("a form that breaks off is answered with %d", got.status)
	}
	if now := h.stored(t, s); now.Version != s.Version {
		t.Error("half a form has changed something")
	}
	form := formOn(t, sarah.get(t, stepsyAt(s, "")), stepsyAt(s, ""))
	form.Set("title", "Sent the other way")
	wantStatus(t, sarah.post(t, stepsyAt(s, ""), form), http.StatusSeeOther)
	if now := h.stored(t, s); now.Title != "Sent the other way" || len(now.Steps) != 2 {
		t.Errorf("an urlencoded form made it %s: %s", now.Title, outline(now))
	}
}

func TestPublishingFromTheEditorStoresAllOrNothing(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	s := h.newStepsy(t, h.sarah, "Bake bread")
	page := sarah.edit(t, s, "publish", func(f url.Values) { f.Set("title", "Still without steps") })
	wantStatus(t, page, http.StatusUnprocessableEntity)
	wantText(t, page, "needs at least one step", "It is not saved yet")
	if now := h.stored(t, s); now.Version != s.Version || now.Title != "Bake bread" {
		t.Errorf("what could not be published is stored as version %d of %q", now.Version, now.Title)
	}
	again := sarah.postMultipart(t, stepsyAt(s, ""), addStep(formOn(t, page, stepsyAt(s, "")), "Mix", "<p>Flour</p>"), "publish")
	wantStatus(t, again, http.StatusSeeOther)
	wantText(t, sarah.get(t, again.location), "is published", "Save changes", "Unpublish")
	if now := h.stored(t, s); now.Status != stepsies.StatusPublished || now.Title != "Still without steps" || outline(now) != "1 Mix" {
		t.Errorf("stored is %s %q with %s", now.Status, now.Title, outline(now))
	}
	if now := h.stored(t, s); now.Version != s.Version+1 {
		t.Errorf("saving and publishing took the stepsy from version %d to %d, want one", s.Version, now.Version)
	}
	wantText(t, sarah.get(t, activityAt), "You published the stepsy Still without steps", "You edited the stepsy Still without steps")
	page = sarah.edit(t, s, "save", func(f url.Values) { f.Del("step_id"); f.Del("step_title"); f.Del("step_content") })
	wantStatus(t, page, http.StatusUnprocessableEntity)
	wantText(t, page, "unpublish it first")
}

func addStep(form url.Values, title, content string) url.Values {
	form.Add("step_id", "0")
	form.Add("step_title", title)
	form.Add("step_content", content)
	return form
}

func TestPreviewOfWhatIsTypedStoresNothing(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>")
	page := sarah.edit(t, s, "preview", func(f url.Values) {
		f.Set("title", "Typed title")
		addStep(f, "Typed step", "<p onclick=x>typed <em>text</em></p>")
		addStep(f, "", "")
	})
	wantStatus(t, page, http.StatusOK)
	wantText(t, page, "Typed title", "2 steps", "Typed step", "saves nothing")
	if !strings.Contains(page.body, "<p>typed <em>text</em></p>") {
		t.Error("what is typed is not shown as rich text")
	}
	if now := h.stored(t, s); now.Version != s.Version {
		t.Error("looking has changed something")
	}
}

func TestStepBeyondTheLastIsRefusedWithAReason(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	var steps []string
	for i := range stepsies.MaxSteps {
		steps = append(steps, "Step "+strconv.Itoa(i+1), "")
	}
	s := h.newStepsy(t, h.sarah, "Full", steps...)
	page := h.signIn(t, h.sarah).edit(t, s, "add", nil)
	wantStatus(t, page, http.StatusOK)
	wantText(t, page, "A stepsy has at most 200 steps.")
	if got := len(formOn(t, page, stepsyAt(s, ""))["step_title"]); got != stepsies.MaxSteps {
		t.Errorf("the form has %d steps", got)
	}
	if testing.Short() {
		return
	}
	p := h.openChromium(t, h.sarah).open(t, stepsyAt(s, ""))
	js[any](t, p, `void document.querySelector("#add-step").click()`)
	p.wait(t, `document.querySelector("#messages").checkVisibility() && document.querySelector("#messages").textContent.includes("A stepsy has at most 200 steps.")`)
	js[any](t, p, `void document.querySelectorAll("button[value^=remove-]")[0].click()`)
	p.wait(t, `!document.querySelector("#messages").textContent.includes("at most 200")`)
}
