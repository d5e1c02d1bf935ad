package web_test

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/stepsies/stepsies"
)

// holdAnswers keeps the answers of saves from the page until letThrough is called.
const holdAnswers = `void (window.through = new Promise((let_) => { window.letThrough = let_; }),
	((ask) => { window.fetch = (...about) => ask(...about).then(async (answer) => { await through; return answer; }); })(window.fetch))`

// editorState is a state of the editor in which something was typed into the first step.
type editorState struct {
	name  string
	enter func(t *testing.T, h *keyHouse, p *tab, s stepsies.Stepsy)
	after func(t *testing.T, p *tab) // the click: what ends the state, nil where nothing has to
	saves bool                       // what is typed can be saved, then or after
}

var editorStates = []editorState{
	{"saved", func(t *testing.T, _ *keyHouse, p *tab, _ stepsies.Stepsy) { p.wait(t, isSaved) }, nil, true},
	{"unsaved", func(*testing.T, *keyHouse, *tab, stepsies.Stepsy) {}, nil, true},
	{"saving", func(t *testing.T, _ *keyHouse, p *tab, _ stepsies.Stepsy) {
		js[any](t, p, holdAnswers)
		p.wait(t, stateSaid+` === "Saving…"`)
	}, func(t *testing.T, p *tab) { js[any](t, p, "void letThrough()") }, true},
	{"offline", func(t *testing.T, _ *keyHouse, p *tab, _ stepsies.Stepsy) {
		p.connected(t, false)
		p.wait(t, stateSaid+`.startsWith("Not saved. There is no connection.")`)
	}, func(t *testing.T, p *tab) { p.connected(t, true) }, true},
	{"conflict", func(t *testing.T, h *keyHouse, p *tab, s stepsies.Stepsy) {
		other := "Of a program"
		h.change(t, s, stepsies.StepsyChange{Description: &other})
		p.wait(t, message("Look at both"))
	}, nil, false},
}

// editorButtons are all that the editor of a draft has, with what one click on them does.
var editorButtons = []struct {
	selector string
	does     func(t *testing.T, h *keyHouse, p *tab, s stepsies.Stepsy, in editorState)
}{
	{"#add-step", func(t *testing.T, _ *keyHouse, p *tab, _ stepsies.Stepsy, _ editorState) {
		p.wait(t, titlesTyped+` === "Mix, Bake, Eat, "`)
	}},
	{`[value="up-1"]`, func(t *testing.T, _ *keyHouse, p *tab, _ stepsies.Stepsy, _ editorState) {
		p.wait(t, titlesTyped+` === "Bake, Mix, Eat"`)
	}},
	{`[value="down-1"]`, func(t *testing.T, _ *keyHouse, p *tab, _ stepsies.Stepsy, _ editorState) {
		p.wait(t, titlesTyped+` === "Mix, Eat, Bake"`)
	}},
	{`[value="remove-2"]`, func(t *testing.T, _ *keyHouse, p *tab, _ stepsies.Stepsy, _ editorState) {
		p.wait(t, titlesTyped+` === "Mix, Bake"`)
	}},
	{`.savebar [value="save"]`, func(t *testing.T, h *keyHouse, p *tab, s stepsies.Stepsy, in editorState) {
		if !in.saves {
			p.wait(t, stateSaid+` === "Not saved: there are two versions"`)
			return
		}
		p.wait(t, isSaved+" || "+stateSaid+` === "Nothing had changed"`)
		h.waitStored(t, s, "<p>Flour typed</p>", stepsies.StatusDraft)
	}},
	{`.savebar [value="publish"]`, func(t *testing.T, h *keyHouse, p *tab, s stepsies.Stepsy, in editorState) {
		switch {
		case !in.saves:
			p.wait(t, message("Look at both")+" && "+stateSaid+` === "Not saved: there are two versions"`)
		case in.name == "offline": // it was said that it is not, and is not done behind one's back
			p.wait(t, isSaved)
			h.waitStored(t, s, "<p>Flour typed</p>", stepsies.StatusDraft)
			p.do(t, chromedp.Click(`.savebar [value="publish"]`))
			fallthrough
		default:
			h.waitStored(t, s, "<p>Flour typed</p>", stepsies.StatusPublished)
			p.wait(t, `document.body.innerText.includes("is published. Everyone can read it now.")`)
		}
	}},
}

// waitStored waits until a stepsy is stored with this in its first step.
func (h *keyHouse) waitStored(t *testing.T, s stepsies.Stepsy, content string, status stepsies.Status) {
	t.Helper()
	got := ""
	until(t, func() bool {
		now := h.stored(t, s)
		got = now.Steps[0].Content.HTML() + " " + string(now.Status)
		return got == content+" "+string(status)
	}, func() string { return "stored is " + got + ", want " + content + " " + string(status) })
}

// until polls with a deadline.
func until(t *testing.T, met func() bool, otherwise func() string) {
	t.Helper()
	for deadline := time.Now().Add(chromiumPatience); time.Now().Before(deadline); time.Sleep(30 * time.Millisecond) {
		if met() {
			return
		}
	}
	t.Fatal(otherwise())
}

// A real pointer presses each button once, from within the text that was just typed.
func TestOneClickOnEachButtonOfTheEditorIsEnough(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	b := h.openChromium(t, h.sarah)
	for _, in := range editorStates {
		for _, button := range editorButtons {
			t.Run(in.name+" "+button.selector, func(t *testing.T) {
				p, s := b.typed(t, in)
				p.do(t, chromedp.Click(button.selector))
				if in.after != nil {
					in.after(t, p)
				}
				button.does(t, h, p, s, in)
			})
		}
	}
}

// typed opens the editor of a new draft in a state.
func (b *chromium) typed(t *testing.T, in editorState) (*tab, stepsies.Stepsy) {
	t.Helper()
	s := b.newStepsy(t, b.sarah, "Bake bread", "Mix", "<p>Flour</p>", "Bake", "<p>Hot</p>", "Eat", "<p>Slowly</p>")
	p := b.open(t, stepsyAt(s, ""))
	p.typeInto(t, 0, " typed")
	in.enter(t, b.keyHouse, p, s)
	return p, s
}

func TestOneClickOnPreviewShowsWhatIsTypedInEveryState(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	b := h.openChromium(t, h.sarah)
	for _, in := range editorStates {
		if in.name == "offline" {
			continue // a page of its own cannot be shown without a connection
		}
		t.Run(in.name, func(t *testing.T) {
			p, _ := b.typed(t, in)
			opener := chromedp.FromContext(p.ctx).Target.TargetID // other tests open pages meanwhile
			opened := chromedp.WaitNewTarget(p.ctx, func(i *target.Info) bool { return i.Type == "page" && i.OpenerID == opener })
			p.do(t, chromedp.Click(`.savebar [value="preview"]`))
			ctx, closeTab := chromedp.NewContext(p.ctx, chromedp.WithTargetID(<-opened))
			t.Cleanup(closeTab)
			preview := &tab{chromium: b, ctx: ctx}
			preview.wait(t, `document.body.innerText.includes("Flour typed")`)
		})
	}
}

func TestPublishTakesAlongWhatIsTypedWhileItSaves(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>")
	p := h.openChromium(t, h.sarah).open(t, stepsyAt(s, ""))
	p.wait(t, richSteps+" === 1")
	js[any](t, p, holdAnswers)
	p.typeInto(t, 0, " and water")
	p.do(t, chromedp.Click(`.savebar [value="publish"]`))
	p.wait(t, stateSaid+` === "Saving…"`)
	p.typeInto(t, 0, " and salt")
	p.do(t, chromedp.Click(`.savebar [value="publish"]`)) // a second click publishes no second time
	js[any](t, p, "void letThrough()")
	p.wait(t, `document.body.innerText.includes("is published. Everyone can read it now.")`)
	h.waitStored(t, s, "<p>Flour and water and salt</p>", stepsies.StatusPublished)
}

func TestSavingByKeysTakesAlongTheAddressThatIsBeingTyped(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>")
	p := h.openChromium(t, h.sarah).open(t, stepsyAt(s, ""))
	p.wait(t, richSteps+" === 1")
	js[any](t, p, `void document.querySelector("#slug").select()`)
	p.press(t, "good-bread")
	js[any](t, p, `void dispatchEvent(new KeyboardEvent("keydown", {key: "s", ctrlKey: true, bubbles: true, cancelable: true}))`)
	until(t, func() bool { return h.stored(t, s).Slug == "good-bread" }, func() string { return "the slug is " + h.stored(t, s).Slug })
}

func TestPublishingWithoutAConnectionIsSaidNotToHaveHappened(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>")
	p := h.openChromium(t, h.sarah).open(t, stepsyAt(s, ""))
	p.wait(t, richSteps+" === 1")
	p.connected(t, false)
	p.do(t, chromedp.Click(`.savebar [value="publish"]`))
	p.wait(t, stateSaid+` === "Saved, not published. There is no connection."`)
	p.connected(t, true)
	p.do(t, chromedp.Click(`.savebar [value="publish"]`))
	h.waitStored(t, s, "<p>Flour</p>", stepsies.StatusPublished)
}
