package web_test

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// shiftOf is how far what stands on a page has moved since it was first seen, as Layout
// Instability counts it.
const shiftOf = `new Promise((resolve) => {
	let sum = 0;
	new PerformanceObserver((list) => { for (const e of list.getEntries()) sum += e.value; }).observe({type: "layout-shift", buffered: true});
	document.fonts.ready.then(() => setTimeout(() => resolve(sum), 300));
})`

// TestPublicPagesDoNotJump opens each with a cache that is empty, so that its fonts come
// after its text.
func TestPublicPagesDoNotJump(t *testing.T) {
	t.Parallel()
	f := furnish(t, nil)
	for _, width := range []int64{desk, phone} {
		for _, path := range []string{"/", "/newest", "/@sarahchen", "/search?q=w"} {
			p := f.openChromium(t, f.user(nobody)).openTab(t, path)
			p.setLook(t, width, "light")
			p.goTo(t, path)
			shift, err := chromedp.Run(p.ctx, chromedp.Evaluate[float64](shiftOf, chromedp.EvalAwaitPromise))
			if err != nil {
				t.Fatal(err)
			}
			if shift > 0.01 {
				t.Errorf("%s moves by %.3f at %d px", path, shift, width)
			}
		}
	}
}

// TestSearchGoesByKeyboardAndWithoutScripts looks for a stepsy as readers without a mouse
// or without JavaScript do, and goes back with the words still there.
func TestSearchGoesByKeyboardAndWithoutScripts(t *testing.T) {
	t.Parallel()
	f := furnish(t, nil)
	b := f.openChromium(t, f.user(nobody))
	p := b.open(t, "/")
	js[any](t, p, `void document.querySelector("#q").focus()`)
	p.press(t, "sequen")
	p.press(t, "\r")
	p.wait(t, `document.querySelector("mark")?.textContent === "Sequence" && document.querySelector("#q").value === "sequen"`)
	if address := js[string](t, p, `location.pathname + location.search`); address != "/search?q=sequen" {
		t.Errorf("the search is at %s", address)
	}
	js[any](t, p, `void document.querySelector(".entry h2 a").click()`)
	p.wait(t, `location.pathname === "`+publicAt(f.published)+`"`)

	plain := b.openTab(t, "/")
	if _, err := chromedp.Call(plain.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	plain.goTo(t, "/")
	plain.do(t, chromedp.SendKeys("#q", "newsletter\r"))
	plain.do(t, chromedp.WaitVisible(".entry mark"))
}
