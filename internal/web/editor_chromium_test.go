package web_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/stepsies/stepsies"
)

// What the tests ask of the editor's page.
const (
	titlesTyped = `[...document.querySelectorAll("[name=step_title]")].map((e) => e.value).join(", ")`
	stateSaid   = `document.querySelector("#state").textContent`
	isSaved     = `document.querySelector("#state").textContent.startsWith("Saved at")`
	richSteps   = `document.querySelectorAll(".tiptap").length`
	keptTexts   = `Object.keys(localStorage).length`
)

// message is the button of a message that has these words on it.
func message(words string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("#messages button")].find((b) => b.textContent === %q)`, words)
}

// typeInto puts the caret at the end of the nth step's text and types.
func (p *tab) typeInto(t *testing.T, n int, text string) {
	t.Helper()
	p.wait(t, fmt.Sprintf("%s > %d", richSteps, n))
	js[any](t, p, fmt.Sprintf(`void document.querySelectorAll(".tiptap")[%d].editor.commands.focus("end")`, n))
	p.wait(t, fmt.Sprintf(`document.activeElement === document.querySelectorAll(".tiptap")[%d]`, n))
	p.press(t, text)
}

func TestDraftSavesItselfWhileItIsWritten(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>", "Rest", "<p>An hour</p>", "Bake", "<p>Hot</p>")
	p := h.openChromium(t, h.sarah).open(t, stepsyAt(s, ""))
	p.typeInto(t, 0, " and <water>")
	p.wait(t, isSaved)
	if got := h.stored(t, s).Steps[0].Content.HTML(); got != "<p>Flour and &lt;water&gt;</p>" {
		t.Errorf("stored is %s", got)
	}

	// By keyboard: the last step moves to the top, and the focus goes with it.
	js[any](t, p, `void document.querySelectorAll("button[value^=up-]")[2].focus()`)
	p.press(t, kb.Enter)
	p.wait(t, titlesTyped+` === "Mix, Bake, Rest" && document.activeElement.value === "up-1"`)
	p.press(t, kb.Enter)
	p.wait(t, titlesTyped+` === "Bake, Mix, Rest" && document.activeElement.value === "down-0"`)
	p.wait(t, `document.querySelector("#said").textContent === "Now step 1 of 3."`)
	h.waitOutline(t, s, "3 Bake, 1 Mix, 2 Rest")

	// By pointer: the first one moves to the end. All fold while it does.
	p.do(t, chromedp.DragAndDrop(".row:nth-child(1) .grip", ".row:nth-child(3) .grip"))
	p.wait(t, titlesTyped+` === "Mix, Rest, Bake" && !document.querySelector(".sorting, .moving")`)
	h.waitOutline(t, s, "1 Mix, 2 Rest, 3 Bake")

	// A new step is stored once it has a title; a removed one can be brought back.
	js[any](t, p, `void document.querySelector("#add-step").focus()`)
	p.press(t, kb.Enter)
	p.wait(t, `document.activeElement.name === "step_title" && `+richSteps+` === 4`)
	p.press(t, "Eat")
	h.waitOutline(t, s, "1 Mix, 2 Rest, 3 Bake, 4 Eat")
	js[any](t, p, `void document.querySelectorAll("button[value^=remove-]")[2].click()`)
	h.waitOutline(t, s, "1 Mix, 2 Rest, 4 Eat")
	p.wait(t, message("Bring it back"))
	js[any](t, p, "void "+message("Bring it back")+".click()")
	h.waitOutline(t, s, "1 Mix, 2 Rest, 5 Bake, 4 Eat")
	if got := h.stored(t, s).Steps[2].Content.HTML(); got != "<p>Hot</p>" {
		t.Errorf("what was brought back says %s", got)
	}
	p.wait(t, keptTexts+" === 0")
}

// waitOutline waits until a stepsy is stored with these steps.
func (h *keyHouse) waitOutline(t *testing.T, s stepsies.Stepsy, want string) {
	t.Helper()
	got := ""
	for deadline := time.Now().Add(chromiumPatience); time.Now().Before(deadline); time.Sleep(30 * time.Millisecond) {
		if got = outline(h.stored(t, s)); got == want {
			return
		}
	}
	t.Fatalf("stored is %s, want %s", got, want)
}

func TestStepThatComesBackWhileItsRemovalIsOnItsWayIsSaved(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>", "Bake", "<p>Hot</p>")
	p := h.openChromium(t, h.sarah).open(t, stepsyAt(s, ""))
	p.wait(t, richSteps+" === 2")
	// Answers come late, and only when they are let through.
	js[any](t, p, `void (window.through = new Promise((let) => { window.letThrough = let; }))`)
	js[any](t, p, `void ((ask) => { window.fetch = (...about) => ask(...about).then(async (answer) => { await through; return answer; }); })(window.fetch)`)
	js[any](t, p, `void document.querySelectorAll("button[value^=remove-]")[1].click()`)
	h.waitOutline(t, s, "1 Mix")
	js[any](t, p, "void "+message("Bring it back")+".click()")
	js[any](t, p, "void letThrough()")
	h.waitOutline(t, s, "1 Mix, 3 Bake")
	p.wait(t, isSaved)
	if got := h.stored(t, s).Steps[1].Content.HTML(); got != "<p>Hot</p>" {
		t.Errorf("what was brought back says %s", got)
	}
}

// connected takes a tab's connection away, or gives it back.
func (p *tab) connected(t *testing.T, yes bool) {
	t.Helper()
	p.refuse = "net::ERR_INTERNET_DISCONNECTED"
	conditions := network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{{Offline: !yes, DownloadThroughput: -1, UploadThroughput: -1}}}
	_, err := chromedp.Call(p.ctx, network.Enable, network.EnableParams{})
	if err == nil {
		_, err = chromedp.Call(p.ctx, network.EmulateNetworkConditionsByRule, conditions)
	}
	if err == nil {
		_, err = chromedp.Call(p.ctx, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: !yes, DownloadThroughput: -1, UploadThroughput: -1})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsTypedWithoutAConnectionIsKeptAndSavedLater(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>")
	b := h.openChromium(t, h.sarah)
	p := b.open(t, stepsyAt(s, ""))
	p.wait(t, richSteps+" === 1")
	p.connected(t, false)
	p.typeInto(t, 0, " and water")
	p.wait(t, stateSaid+`.startsWith("Not saved. There is no connection.") && `+keptTexts+" === 1")
	p.typeInto(t, 0, " and salt")
	p.wait(t, `Object.values(localStorage)[0].includes("water and salt")`)
	if got := h.stored(t, s).Steps[0].Content.HTML(); got != "<p>Flour</p>" {
		t.Fatalf("stored is %s", got)
	}
	p.connected(t, true)
	p.wait(t, isSaved+" && "+keptTexts+" === 0")
	if got := h.stored(t, s).Steps[0].Content.HTML(); got != "<p>Flour and water and salt</p>" {
		t.Errorf("stored is %s", got)
	}
}

func TestSecondTabIsToldAndChooses(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>")
	b := h.openChromium(t, h.sarah)
	first, second := b.open(t, stepsyAt(s, "")), b.open(t, stepsyAt(s, ""))
	first.typeInto(t, 0, " of the first tab")
	first.wait(t, isSaved)
	second.typeInto(t, 0, " of the second tab")
	second.wait(t, message("Look at both"))
	if got := h.stored(t, s).Steps[0].Content.HTML(); got != "<p>Flour of the first tab</p>" {
		t.Fatalf("the first tab's text became %s", got)
	}
	js[any](t, second, "void "+message("Look at both")+".click()")
	second.wait(t, `document.querySelector("h1").textContent.startsWith("Two versions of")`)
	if text := js[string](t, second, "document.body.innerText"); !strings.Contains(text, "Flour of the first tab") || !strings.Contains(text, "Flour of the second tab") {
		t.Fatalf("the page does not show both:\n%s", text)
	}
	second.wait(t, `document.readyState === "complete"`) // and what forgets is there
	js[any](t, second, `void document.querySelector("[data-forget]").click()`)
	second.wait(t, richSteps+" === 1")
	if got := js[string](t, second, `document.querySelector("[name=step_content]").value`); got != "<p>Flour of the first tab</p>" {
		t.Errorf("the saved one is %s", got)
	}
	second.wait(t, keptTexts+" === 0")

	second.typeInto(t, 0, " and more")
	second.wait(t, isSaved)
	first.typeInto(t, 0, " again")
	first.wait(t, message("Look at both"))
	js[any](t, first, "void "+message("Look at both")+".click()")
	first.wait(t, `document.querySelector("h1").textContent.startsWith("Two versions of")`)
	js[any](t, first, `void document.querySelector("button[value=save]").click()`)
	first.wait(t, richSteps+" === 1")
	if got := h.stored(t, s).Steps[0].Content.HTML(); got != "<p>Flour of the first tab again</p>" {
		t.Errorf("stored is %s", got)
	}
}

func TestUnsavedTextOfAClosedPageIsOfferedAgain(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>", "Bake", "<p>Hot</p>")
	if _, err := h.Store().PublishStepsy(t.Context(), operator, s.ID); err != nil {
		t.Fatal(err)
	}
	p := h.openChromium(t, h.sarah).open(t, stepsyAt(s, ""))
	p.typeInto(t, 1, " and long")
	p.wait(t, stateSaid+` === "Not saved yet" && `+keptTexts+" === 1")
	p.goTo(t, stepsiesAt)
	p.goTo(t, stepsyAt(s, ""))
	p.wait(t, message("Put it back"))
	if got := h.stored(t, s).Steps[1].Content.HTML(); got != "<p>Hot</p>" {
		t.Fatalf("what is published changed to %s without being saved", got)
	}
	js[any](t, p, "void "+message("Put it back")+".click()")
	p.wait(t, richSteps+` === 2 && document.querySelectorAll(".tiptap")[1].textContent === "Hot and long"`)
	js[any](t, p, `void document.querySelector(".savebar .primary").click()`)
	p.wait(t, isSaved+" && "+keptTexts+" === 0")
	if got := h.stored(t, s).Steps[1].Content.HTML(); got != "<p>Hot and long</p>" {
		t.Errorf("stored is %s", got)
	}
	p.goTo(t, stepsyAt(s, ""))
	p.wait(t, richSteps+" === 2")
	if js[bool](t, p, "Boolean("+message("Put it back")+")") {
		t.Error("what is saved is offered again")
	}

	// By the keys that save in every other program.
	p.typeInto(t, 0, " and salt")
	if js[bool](t, p, `dispatchEvent(new KeyboardEvent("keydown", {key: "s", ctrlKey: true, bubbles: true, cancelable: true}))`) {
		t.Error("the browser saves the page, too")
	}
	p.wait(t, isSaved)
	if got := h.stored(t, s).Steps[0].Content.HTML(); got != "<p>Flour and salt</p>" {
		t.Errorf("stored is %s", got)
	}
}

func TestEditorSaysWhatDoesNotFitAndThatSomeoneIsSignedOut(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>")
	b := h.openChromium(t, h.sarah)
	p := b.open(t, stepsyAt(s, ""))
	p.wait(t, richSteps+" === 1")
	js[any](t, p, `void document.querySelector("[name=step_title]").select()`)
	p.press(t, kb.Backspace)
	p.wait(t, stateSaid+` === "Not saved yet: step 1 has no title"`)
	js[any](t, p, `void document.querySelector(".savebar [value=save]").click()`)
	p.wait(t, `document.querySelector("[name=step_title]").getAttribute("aria-invalid") === "true" && document.activeElement.name === "step_title"`)
	p.press(t, "Mix well")
	p.wait(t, isSaved+` && !document.querySelector(".wrong")`)

	// The session ends; what is typed then is kept, and saved after signing in again.
	cookie := js[string](t, p, "document.cookie")
	js[any](t, p, fmt.Sprintf("void (document.cookie = %q)", strings.Split(cookie, "=")[0]+"=; path=/; max-age=0"))
	p.typeInto(t, 0, " and water")
	p.wait(t, stateSaid+` === "Not saved: you are signed out" && `+keptTexts+" === 1")
	js[any](t, p, fmt.Sprintf("void (document.cookie = %q)", cookie+"; path=/"))
	js[any](t, p, `void dispatchEvent(new Event("focus"))`) // as when one comes back from the tab of the sign-in
	p.wait(t, isSaved+` && !document.querySelector("#messages .notice")`)
	if now := h.stored(t, s); now.Steps[0].Content.HTML() != "<p>Flour and water</p>" || now.Steps[0].Title != "Mix well" {
		t.Errorf("stored is %s with %s", outline(now), now.Steps[0].Content.HTML())
	}
}

// Contents, and whether the editor knows all that is in them.
var editorContents = []struct {
	html string
	rich bool
}{
	{"", true}, {"text without a paragraph", true}, {"<p>one</p><p>two</p>", true}, {"<p>a<br>b</p>", true},
	{"<h1>1</h1><h2>2</h2><h3>3</h3><h4>4</h4><h5>5</h5><h6>6</h6>", true}, {"<p>a</p><hr><p>b</p>", true},
	{"<p><b>b</b> <strong>strong <em>both</em></strong> <i>i</i> <u>u</u> <s>s</s> <del>del</del></p>", true},
	{"<p>H<sub>2</sub>O x<sup>2</sup> <mark>mark</mark> <code>code</code> <code><strong>strong code</strong></code></p>", true},
	{`<p><a href="https://example.com/?a=1&amp;b=2" title="a title">link <em>in</em></a> and <a href="mailto:a@example.com">mail</a></p>`, true},
	{"<ul><li>one</li><li><p>two</p><ul><li>nested</li></ul></li><li>three<ol><li>x</li></ol></li></ul>", true},
	{`<ol start="3"><li>three</li><li></li></ol>`, true}, {"<blockquote>quote</blockquote><blockquote><p>one</p><p>two</p></blockquote>", true},
	{"<pre><code>a &lt; b\n\n  c\n</code></pre>", true}, {`<pre><code class="language-go">x := 1</code></pre>`, true},
	{`<table><thead><tr><th scope="col">a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td><p>2</p><p>3</p></td></tr></tbody></table>`, true},
	{`<table><tbody><tr><td colspan="2">wide</td></tr><tr><td>1</td><td>2</td></tr></tbody></table>`, true},
	{`<p>nbsp between</p>`, true}, {"<p>日本語 🙂 עברית</p>", true},
	{"<pre>no code</pre>", false}, {"<pre><code>a <strong>b</strong></code></pre>", false}, {"<ul><li><pre><code>first</code></pre></li></ul>", false},
	{`<p><code class="language-go">x</code></p>`, false},
}

func TestEditorLosesNothingThatTheSanitiserLetsThrough(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	var steps []string
	for i, c := range editorContents {
		steps = append(steps, fmt.Sprintf("Step %d", i), c.html)
	}
	s := h.newStepsy(t, h.sarah, "All there is", steps...)
	p := h.openChromium(t, h.sarah).open(t, stepsyAt(s, ""))
	for i, c := range editorContents {
		row := fmt.Sprintf(".row:nth-child(%d)", i+1)
		js[any](t, p, fmt.Sprintf("void document.querySelector(%q).scrollIntoView()", row))
		p.wait(t, fmt.Sprintf(`document.querySelector("%s .tiptap, %s .rich p")`, row, row))
		stored := s.Steps[i].Content.HTML()
		if got := js[string](t, p, fmt.Sprintf(`document.querySelector("%s textarea").value`, row)); got != stored {
			t.Errorf("opening %q made it %q", stored, got)
		}
		if rich := js[bool](t, p, fmt.Sprintf(`document.querySelector("%s .tiptap") !== null`, row)); rich != c.rich {
			t.Errorf("%q (stored %q) is rich text: %t, want %t", c.html, stored, rich, c.rich)
		}
	}
	if now := h.stored(t, s); now.Version != s.Version {
		t.Error("looking has changed something")
	}
	// What is not touched stays byte for byte, whatever else is typed.
	js[any](t, p, `void (document.querySelector("#title").value = "Another title")`)
	js[any](t, p, `void document.querySelector("#title").dispatchEvent(new Event("input", { bubbles: true }))`)
	p.wait(t, isSaved)
	now := h.stored(t, s)
	for i, step := range now.Steps {
		if step.Content.HTML() != s.Steps[i].Content.HTML() {
			t.Errorf("%q became %q", s.Steps[i].Content.HTML(), step.Content.HTML())
		}
	}
}

func TestToolsWriteWhatTheSanitiserKeeps(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>")
	p := h.openChromium(t, h.sarah).open(t, stepsyAt(s, ""))
	p.wait(t, richSteps+" === 1")
	tool := func(name string) {
		t.Helper()
		js[any](t, p, fmt.Sprintf("void document.querySelector('.tools button[title=%q]').click()", name))
	}
	js[any](t, p, `void document.querySelector(".tiptap").editor.commands.selectAll()`)
	for _, name := range []string{"Bold", "Italic", "List", "Link"} {
		tool(name)
	}
	p.wait(t, `document.activeElement.placeholder === "https://…"`)
	for _, bad := range []string{"javascript:alert(1)", "ftp://example.com"} {
		js[any](t, p, fmt.Sprintf("void (document.activeElement.value = %q)", bad))
		p.press(t, kb.Enter)
		p.wait(t, `document.querySelector(".asker .problem")`)
	}
	js[any](t, p, `void (document.activeElement.value = "")`)
	p.press(t, "example.com/a")
	p.press(t, kb.Enter)
	p.wait(t, `document.querySelector(".asker").hidden && document.activeElement.classList.contains("tiptap")`)
	// Where nothing is chosen, a link stands for itself.
	js[any](t, p, `void document.querySelector(".tiptap").editor.chain().focus("end").setHardBreak().unsetAllMarks().run()`)
	tool("Link")
	p.wait(t, `document.activeElement.placeholder === "https://…"`)
	p.press(t, "sarah@example.com")
	p.press(t, kb.Enter)
	p.wait(t, `document.querySelector(".tiptap a[href='mailto:sarah@example.com']")?.textContent === "sarah@example.com"`)
	js[any](t, p, `void document.querySelector(".tiptap").editor.commands.insertContentAt(document.querySelector(".tiptap").editor.state.doc.content.size, "<p>Then</p>")`)
	js[any](t, p, `void document.querySelector(".tiptap").editor.commands.setTextSelection(document.querySelector(".tiptap").editor.state.doc.content.size - 1)`)
	tool("Table")
	p.wait(t, `!document.querySelector(".tools[aria-label=Table]").hidden`)
	p.wait(t, isSaved)
	const want = `<ul><li><a href="https://example.com/a" rel="nofollow ugc noopener"><strong><em>Flour</em></strong></a><br><a href="mailto:sarah@example.com" rel="nofollow ugc noopener">sarah@example.com</a></li></ul><p>Then</p>` +
		`<table><thead><tr><th></th><th></th></tr></thead><tbody><tr><td></td><td></td></tr><tr><td></td><td></td></tr></tbody></table>`
	// The last change may not have begun to be saved when an earlier one was.
	got := ""
	for deadline := time.Now().Add(chromiumPatience); got != want && time.Now().Before(deadline); time.Sleep(30 * time.Millisecond) {
		got = h.stored(t, s).Steps[0].Content.HTML()
	}
	if got != want {
		t.Errorf("stored is %s, want %s", got, want)
	}
	p.goTo(t, stepsyAt(s, ""))
	p.wait(t, richSteps+` === 1 && document.querySelector(".tiptap table")`)
}
