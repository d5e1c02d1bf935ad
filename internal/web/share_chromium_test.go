package web_test

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/stepsies/stepsies"
)

// TestStepsyIsPassedOnByCopyAndByTheSheetOfAPhone stands in for the clipboard and for
// the sheet, which a headless browser has not.
func TestStepsyIsPassedOnByCopyAndByTheSheetOfAPhone(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.publish(t, h.newStepsy(t, h.sarah, "Bake [good] bread", "Mix", "<p>Flour</p>"))
	address := "http://stepsies.test" + publicAt(s)
	b := h.openChromium(t, stepsies.User{})
	p := b.open(t, publicAt(s))
	js[any](t, p, `void (navigator.clipboard.writeText = async (text) => { window.copied = text })`)
	js[any](t, p, `void (document.querySelector(".share details").open = true)`)
	for id, want := range map[string]string{"share-link": address, "share-markdown": `[Bake \[good\] bread](` + address + ")", "share-embed": `<iframe src="` + address + `/embed" title="Bake [good] bread"`} {
		button := `document.querySelector("[data-copy='#` + id + `']")`
		js[any](t, p, "void "+button+".click()")
		p.wait(t, button+`.textContent === "Copied"`)
		if got := js[string](t, p, "window.copied"); !strings.HasPrefix(got, want) {
			t.Errorf("%s copies %q", id, got)
		}
	}
	const send = `document.querySelector("[data-share]")`
	if js[bool](t, p, send+`.checkVisibility()`) {
		t.Error("there is a button for a sheet that this browser has not")
	}
	phone := b.openTab(t, "a phone")
	if _, err := chromedp.Call(phone.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `navigator.canShare = () => true; navigator.share = async (what) => { window.shared = what.title + " " + what.url; throw new DOMException("closed", "AbortError") }`,
	}); err != nil {
		t.Fatal(err)
	}
	phone.goTo(t, publicAt(s))
	phone.wait(t, send+`.checkVisibility()`)
	js[any](t, phone, "void "+send+".click()")
	phone.wait(t, `window.shared === "Bake [good] bread `+address+`"`)
}

func TestSharePartWorksWithoutScripts(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.publish(t, h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>"))
	p := h.openChromium(t, stepsies.User{}).openTab(t, "without scripts")
	if _, err := chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	p.goTo(t, publicAt(s))
	if got := js[string](t, p, `[...document.querySelectorAll(".share input")].map((e) => e.id + e.readOnly).join() + [...document.querySelectorAll(".share button")].some((e) => e.checkVisibility())`); got != "share-linktrue,share-embedtrue,share-markdowntruefalse" {
		t.Errorf("the fields, and whether a button is there that does nothing: %s", got)
	}
}
