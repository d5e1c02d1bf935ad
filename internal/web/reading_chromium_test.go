package web_test

import (
	"bytes"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/stepsies/stepsies"
)

const bread = "/@sarah/bread"

// openBread is a reader's browser, and a stepsy of three steps.
func openBread(t *testing.T) (*chromium, stepsies.Stepsy) {
	t.Helper()
	h := openKeyHouse(t, false)
	s := h.publish(t, h.newStepsy(t, h.sarah, "Bread", "Mix", "<p>Flour</p><pre><code>mix 500</code></pre>", "Knead", "<p>Ten minutes</p>", "Bake", "<p>Hot</p>"))
	return h.openChromium(t, stepsies.User{}), s
}

// read opens a page in a tab that says it is a person's: a headless browser says
// that it is none.
func (b *chromium) read(t *testing.T, path string) *tab {
	t.Helper()
	p := b.openTab(t, path)
	if _, err := chromedp.Call(p.ctx, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: firefox}); err != nil {
		t.Fatal(err)
	}
	p.goTo(t, path)
	return p
}

// swipe moves one finger across the page.
func (p *tab) swipe(t *testing.T, from, to float64) {
	t.Helper()
	for _, e := range []input.DispatchTouchEventParams{
		{Type: input.DispatchTouchEventTypeTouchStart, TouchPoints: []*input.TouchPoint{{X: from, Y: 300}}},
		{Type: input.DispatchTouchEventTypeTouchMove, TouchPoints: []*input.TouchPoint{{X: to, Y: 310}}},
		{Type: input.DispatchTouchEventTypeTouchEnd, TouchPoints: []*input.TouchPoint{}},
	} {
		if _, err := chromedp.Call(p.ctx, input.DispatchTouchEvent, e); err != nil {
			t.Fatal(err)
		}
	}
}

// shows waits until a step is the only one in sight, with the focus on its title.
func (p *tab) shows(t *testing.T, title string) {
	t.Helper()
	p.wait(t, `[...document.querySelectorAll(".stop h1")].filter((h) => h.checkVisibility()).map((h) => h.textContent).join() === "`+title+`"`)
}

// counted waits until what the page told has arrived.
func (b *chromium) counted(t *testing.T, s stepsies.Stepsy, views, completions int64) {
	t.Helper()
	var got stepsies.Stepsy
	for deadline := time.Now().Add(chromiumPatience); time.Now().Before(deadline); time.Sleep(30 * time.Millisecond) {
		if err := b.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got = b.stored(t, s); got.Views == views && got.Completions == completions {
			return
		}
	}
	t.Fatalf("%d views and %d completions, want %d and %d", got.Views, got.Completions, views, completions)
}

func TestStepsyIsFollowedToItsEndByKeyboardAndRated(t *testing.T) {
	t.Parallel()
	b, s := openBread(t)
	p := b.read(t, bread)
	p.wait(t, `document.querySelector(".prose .code button")`)
	p.do(t, chromedp.Navigate(b.url+bread+"/follow"))
	p.shows(t, "Mix")
	p.press(t, kb.ArrowRight)
	p.shows(t, "Knead")
	p.press(t, kb.ArrowLeft)
	p.shows(t, "Mix")
	p.press(t, kb.ArrowLeft) // there is nothing before it
	p.shows(t, "Mix")
	p.press(t, kb.ArrowRight)
	p.shows(t, "Knead")
	p.press(t, kb.ArrowRight)
	p.shows(t, "Bake")
	// However fast the keys come, each is a step.
	js[any](t, p, `void ["ArrowLeft", "ArrowLeft", "ArrowRight", "ArrowRight"].forEach((key) => dispatchEvent(new KeyboardEvent("keydown", {key})))`)
	p.shows(t, "Bake")
	js[any](t, p, `void ["ArrowLeft", "ArrowLeft"].forEach((key) => dispatchEvent(new KeyboardEvent("keydown", {key})))`)
	p.shows(t, "Mix")
	js[any](t, p, `void ["ArrowRight", "ArrowRight"].forEach((key) => dispatchEvent(new KeyboardEvent("keydown", {key})))`)
	p.shows(t, "Bake")
	b.counted(t, s, 1, 1)
	p.press(t, kb.ArrowRight)
	p.shows(t, "Done.")
	if reaches, err := b.Store().StepReaches(t.Context(), s.ID); err != nil || reaches[s.Steps[0].ID] != 1 || reaches[s.Steps[2].ID] != 1 {
		t.Errorf("the steps were reached by %v (%v)", reaches, err)
	}

	rate := func(p *tab, stars, button, says string) {
		t.Helper()
		js[any](t, p, `void document.querySelector("#stars-`+stars+`").click()`)
		js[any](t, p, `void [...document.querySelectorAll(".rate button")].find((b) => b.textContent.trim() === "`+button+`").click()`)
		p.wait(t, `document.querySelector("#rate-title")?.textContent.trim() === "Your rating" && document.querySelector(".notice") && document.querySelector("#stars-`+stars+`").checked`)
		p.wait(t, `document.querySelector(".meta").textContent.includes("`+says+`")`)
	}
	rate(p, "4", "Send rating", "4.0")
	rate(p, "2", "Change rating", "2.0")
	if got := b.stored(t, s); got.Ratings != 1 || got.Stars != 2 {
		t.Errorf("%d ratings of %d stars, want 1 of 2", got.Ratings, got.Stars)
	}

	// Whoever comes back finds it done, and is not counted again for it.
	again := b.read(t, bread)
	again.wait(t, `document.querySelector("[data-said]").textContent === "3 of 3 done"`)
	again.do(t, chromedp.Navigate(b.url+bread+"/follow#step-3"))
	again.shows(t, "Bake")
	b.counted(t, s, 1, 1)
}

func TestReaderComesBackToWhereTheyWere(t *testing.T) {
	t.Parallel()
	b, s := openBread(t)
	p := b.read(t, bread+"/follow")
	p.do(t, chromedp.EmulateViewport(390, 844))
	if _, err := chromedp.Call(p.ctx, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true}); err != nil {
		t.Fatal(err)
	}
	p.shows(t, "Mix")
	p.swipe(t, 330, 300) // too short
	p.shows(t, "Mix")
	p.swipe(t, 330, 80)
	p.shows(t, "Knead")
	p.swipe(t, 80, 330)
	p.shows(t, "Mix")
	p.swipe(t, 330, 80)
	p.shows(t, "Knead")
	b.counted(t, s, 1, 0)

	later := b.read(t, bread)
	later.wait(t, `document.querySelector("[data-go]").textContent === "Go on with step 2"`)
	js[any](t, later, `void document.querySelector("[data-go]").click()`)
	later.shows(t, "Knead")
	later.goTo(t, bread+"/follow")
	later.shows(t, "Knead")

	// Ticking every box on the page is following it to the end too.
	ticks := b.read(t, bread)
	for _, n := range []string{"1", "2", "3"} {
		js[any](t, ticks, `(() => { const box = document.querySelector("#step-`+n+` .tick input"); if (!box.checked) box.click(); })()`)
	}
	ticks.wait(t, `document.querySelectorAll(".steps > li.done").length === 3`)
	b.counted(t, s, 1, 1)
}

func TestStepsyIsFollowedWithoutScripts(t *testing.T) {
	t.Parallel()
	b, s := openBread(t)
	p := b.read(t, "/sign-in")
	if _, err := chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	p.goTo(t, bread)
	press := func(name string) {
		t.Helper()
		js[any](t, p, `void [...document.querySelectorAll("a, button")].filter((c) => c.checkVisibility()).find((c) => c.textContent.trim() === "`+name+`").click()`)
	}
	if js[bool](t, p, `[...document.querySelectorAll(".tick, .did, .prose .code button")].some((e) => e.checkVisibility())`) {
		t.Error("there is something to press that does nothing without scripts")
	}
	press("Follow step by step")
	p.shows(t, "Mix")
	press("Next")
	p.shows(t, "Knead")
	press("Next")
	p.shows(t, "Bake")
	press("Finish")
	p.shows(t, "Done.")
	b.counted(t, s, 1, 1)
}

func TestPrintedStepsyIsItsTextAlone(t *testing.T) {
	t.Parallel()
	b, _ := openBread(t)
	p := b.read(t, bread)
	p.wait(t, `document.querySelector(".prose .code button")`)
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
		t.Fatal(err)
	}
	if left := js[string](t, p, `[...document.querySelectorAll("a, button, input, nav")].filter((e) => e.checkVisibility() && !e.closest(".meta, .eyebrow")).map((e) => e.outerHTML).join(" ")`); left != "" {
		t.Errorf("paper has %s on it", left)
	}
	for _, text := range []string{"Bread", "Sarah", "Mix", "Knead", "Bake", "mix 500"} {
		if !js[bool](t, p, `document.body.innerText.toLowerCase().includes("`+text+`".toLowerCase())`) {
			t.Errorf("%s is not printed", text)
		}
	}
	pdf, err := chromedp.Call(p.ctx, page.PrintToPDF, page.PrintToPDFParams{})
	if err != nil || !bytes.HasPrefix(pdf.Data, []byte("%PDF-")) {
		t.Errorf("printing gives %d bytes (%v)", len(pdf.Data), err)
	}
}

// TestStepIsNamedForGood moves the last step to the front: its name leads to it wherever
// it is shown, with scripts and without, and the number of its place to another.
func TestStepIsNamedForGood(t *testing.T) {
	t.Parallel()
	b, s := openBread(t)
	var moved []stepsies.StepChange
	for _, i := range []int{2, 0, 1} {
		moved = append(moved, stepsies.StepChange{ID: s.Steps[i].ID, Title: s.Steps[i].Title, Content: s.Steps[i].Content})
	}
	b.change(t, s, stepsies.StepsyChange{Steps: &moved})
	name := "#s-" + strconv.FormatInt(s.Steps[1].ID, 10) // Knead, now the third
	for _, scripts := range []bool{true, false} {
		p := b.read(t, "/sign-in")
		if _, err := chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !scripts}); err != nil {
			t.Fatal(err)
		}
		p.goTo(t, bread+name)
		p.wait(t, `document.querySelector("h2:target")?.firstChild.textContent.trim() === "Knead"`)
		if link := js[string](t, p, `document.querySelector(".steps > li:first-child .anchor").hash`); link != "#s-"+strconv.FormatInt(s.Steps[2].ID, 10) {
			t.Errorf("the link beside the first step is %s", link)
		}
		p.goTo(t, bread+"/follow"+name)
		p.shows(t, "Knead")
		p.goTo(t, bread+"/follow#step-2")
		p.shows(t, "Mix")
		p.goTo(t, bread+"/embed"+name)
		p.wait(t, `[...document.querySelectorAll("details[open] h2")].map((h) => h.textContent).join() === "Knead"`)
		p.wait(t, `document.querySelector("details[open] summary").getBoundingClientRect().top >= 0`)
	}
	// From a step that was opened by its name the keys lead on.
	p := b.read(t, bread+"/follow#s-"+strconv.FormatInt(s.Steps[0].ID, 10))
	p.shows(t, "Mix")
	p.press(t, kb.ArrowRight)
	p.shows(t, "Knead")
	p.press(t, kb.ArrowLeft)
	p.press(t, kb.ArrowLeft)
	p.shows(t, "Bake")
}
