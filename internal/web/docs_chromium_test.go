package web_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// shownLanguage is the language of every example that can be seen on a page.
const shownLanguage = `[...new Set([...document.querySelectorAll(".samples .code")].filter((c) => c.checkVisibility()).map((c) => c.dataset.language))].join()`

func TestExamplesShowTheLanguageThatWasChosen(t *testing.T) {
	h := openHouse(t, nil)
	b := h.openChromium(t, h.newUser(t, "sarah", "member"))
	p := b.open(t, "/docs")
	if got := js[string](t, p, shownLanguage); got != "bash" {
		t.Fatalf("at first the examples are in %q", got)
	}
	p.do(t, chromedp.Evaluate[chromedp.Void](`document.querySelector("label[for=sample-2-python]").click()`))
	p.wait(t, shownLanguage+` === "python"`)
	if top := js[float64](t, p, `document.querySelector("label[for=sample-2-python]").getBoundingClientRect().top`); top < 0 || top > 2400 {
		t.Errorf("the page jumped: the choice is at %v", top)
	}
	// It is remembered on this device, for every page.
	p.goTo(t, "/docs/pagination")
	p.wait(t, shownLanguage+` === "python"`)
	// By the keyboard too: radio buttons move by arrows.
	p.do(t, chromedp.Evaluate[chromedp.Void](`document.querySelector("#sample-1-python").focus()`))
	p.press(t, kb.ArrowRight)
	p.wait(t, shownLanguage+` === "go"`)
}

func TestExampleIsCopiedAsItIs(t *testing.T) {
	h := openHouse(t, nil)
	b := h.openChromium(t, h.newUser(t, "sarah", "member"))
	p := b.open(t, "/docs/authentication")
	js[any](t, p, `void (navigator.clipboard.writeText = async (text) => { window.copied = text })`)
	js[any](t, p, `void document.querySelector(".samples .code[data-language=bash] button").click()`)
	p.wait(t, `window.copied === document.querySelector(".samples .code[data-language=bash] pre").textContent && window.copied.startsWith("curl http://stepsies.test/v1/stepsies \\\n")`)
	p.wait(t, `document.querySelector(".samples .code[data-language=bash] button").textContent === "Copied"`)
}

// TestDocumentationFitsAPhone looks for pages that scroll sideways, and for controls
// that a thumb does not meet.
func TestDocumentationFitsAPhone(t *testing.T) {
	h := openHouse(t, nil)
	b := h.openChromium(t, h.newUser(t, "sarah", "member"))
	p := b.open(t, "/docs")
	for _, path := range docsPaths(t, h.browser()) {
		p.do(t, chromedp.EmulateViewport(390, 800))
		p.goTo(t, path)
		if width := js[int](t, p, `document.documentElement.scrollWidth`); width > 390 {
			t.Errorf("%s is %d px wide", path, width)
		}
		if small := js[string](t, p, `[...document.querySelectorAll(".code button, .languages label, .contents-small summary, .turn a, .key a")].filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 39.5).map((e) => e.outerHTML).join()`); small != "" {
			t.Errorf("%s has small controls: %s", path, small)
		}
		if js[bool](t, p, `document.querySelector("nav.contents").checkVisibility() || !document.querySelector(".contents-small").checkVisibility()`) {
			t.Errorf("%s shows the contents of a wide window", path)
		}
		js[any](t, p, `void (document.querySelector(".contents-small").open = true)`)
		p.wait(t, fmt.Sprintf(`document.querySelector('.contents-small a[href="%s"][aria-current]').checkVisibility()`, path))
		p.do(t, chromedp.EmulateViewport(1280, 900))
		if js[bool](t, p, `!document.querySelector("nav.contents").checkVisibility() || document.querySelector(".contents-small").checkVisibility() || document.documentElement.scrollWidth > 1280`) {
			t.Errorf("%s does not fit a wide window", path)
		}
	}
}
