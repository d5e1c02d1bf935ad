package web_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// pictures is where pictures of every page are put; make screenshots sets it.
var pictures = flag.String("pictures", "", "folder for pictures of every page")

// The two widths that every page is made for, in CSS pixels.
const (
	phone = 390
	desk  = 1280
)

// TestEveryPageIsForEveryone looks at every page as each of its viewers: axe finds nothing
// in light and dark, it fits both widths, its controls can be hit on a phone, the keyboard
// reaches each of them and shows where it is, and the console stays silent.
func TestEveryPageIsForEveryone(t *testing.T) {
	t.Parallel()
	f := furnish(t, nil)
	viewers := []viewer{nobody, member, admin, newcomer}
	if testing.Short() {
		viewers = viewers[:1]
	}
	for _, v := range viewers {
		t.Run(string(v), func(t *testing.T) {
			t.Parallel()
			houses := map[*furnished]*chromium{}
			for _, l := range f.looks() {
				for _, who := range l.as {
					if who != v {
						continue
					}
					house := f
					if l.in != nil {
						house = l.in
					}
					if houses[house] == nil {
						houses[house] = house.openChromium(t, f.user(v))
					}
					t.Run(l.name, func(t *testing.T) { houses[house].inspect(t, l, v) })
				}
			}
		})
	}
}

func (b *chromium) inspect(t *testing.T, l look, v viewer) {
	p := b.openTab(t, l.path)
	p.expect = []int{max(l.status, 1), max(l.answer, 1)}
	p.setLook(t, desk, "light")
	p.goTo(t, l.path)
	if l.act != "" {
		js[any](t, p, "void ("+inFunction(l.act)+")()")
	}
	if l.until != "" {
		p.wait(t, l.until)
	}
	p.wait(t, `document.readyState === "complete" && document.fonts.status === "loaded"`)
	p.takePictures(t, l.name+"-"+string(v)) // before anything is done to the page
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{desk, phone} {
			p.setLook(t, width, scheme)
			if (width == desk) == (scheme == "light") { // two of the four say all that axe can see
				for _, violation := range p.violations(t) {
					t.Errorf("%s as %s, %s at %d px: %s", l.path, v, scheme, width, violation)
				}
			}
			if scheme == "light" {
				p.wantFit(t, l, width)
			}
		}
	}
	if v == l.as[0] { // the others have the same controls
		p.setLook(t, desk, "light")
		p.wantKeyboard(t, l)
	}
	js[any](t, p, `void document.querySelector("[data-once]")?.dispatchEvent(new Event("copied", {bubbles: true}))`) // leaving would ask
}

// TestNoControlIsDeadWithoutScripts opens every page in a browser that runs none: what is
// there can send a form or lead on.
func TestNoControlIsDeadWithoutScripts(t *testing.T) {
	t.Parallel()
	f := furnish(t, nil)
	tabs := map[viewer]*tab{}
	for _, l := range f.looks() {
		v := l.as[0]
		if l.act != "" || l.in != nil {
			continue
		}
		if tabs[v] == nil {
			tabs[v] = f.openChromium(t, f.user(v)).openTab(t, "without scripts")
			if _, err := chromedp.Call(tabs[v].ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
				t.Fatal(err)
			}
			tabs[v].expect = []int{http.StatusNotFound}
		}
		tabs[v].goTo(t, l.path)
		const dead = `[...document.querySelectorAll("button")].filter((e) => e.checkVisibility() && (e.type === "button" || !e.form)).map((e) => e.outerHTML.slice(0, 120)).join("\n")`
		if found := js[string](t, tabs[v], dead); found != "" {
			t.Errorf("%s has what does nothing without scripts:\n%s", l.path, found)
		}
		if js[bool](t, tabs[v], `document.querySelector("main")?.innerText.trim().length < 20`) {
			t.Errorf("%s shows nothing without scripts", l.path)
		}
	}
}

func inFunction(statements string) string { return "() => {" + statements + "}" }

// setLook makes the window that wide, on a system with that setting.
func (p *tab) setLook(t *testing.T, width int64, scheme string) {
	t.Helper()
	p.do(t, chromedp.EmulateViewport(width, map[int64]int64{phone: 844, desk: 900}[width]))
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
		t.Fatal(err)
	}
}

// wantFit fails where a page scrolls sideways, or where a control is too small for a
// finger: 40 px, but for links within text.
func (p *tab) wantFit(t *testing.T, l look, width int64) {
	t.Helper()
	if wide := js[int64](t, p, "document.documentElement.scrollWidth"); wide > width {
		widest := js[string](t, p, `[...document.querySelectorAll("main *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 90)).slice(0, 3).join("\n")`)
		t.Errorf("%s is %d px wide at %d px:\n%s", l.path, wide, width, widest)
	}
	if width != phone {
		return
	}
	const small = `JSON.stringify([...document.querySelectorAll("button, .btn, input:not([type=hidden], [type=checkbox], [type=radio]), select, textarea, summary, .tabs a, label.choice")]
		.filter((e) => e.checkVisibility({visibilityProperty: true}) && !e.closest(".skip, .default, [aria-hidden=true]"))
		.map((e) => [Math.round(e.getBoundingClientRect().height), e.outerHTML.slice(0, 120)]).filter(([high]) => high < 40))`
	var found [][2]any
	if err := json.Unmarshal([]byte(js[string](t, p, small)), &found); err != nil {
		t.Fatal(err)
	}
	for _, control := range found {
		t.Errorf("%s: only %v px high on a phone: %v", l.path, control[0], control[1])
	}
}

// wantKeyboard goes through a page by the Tab key: it reaches everything that can be
// used, and shows where it is.
func (p *tab) wantKeyboard(t *testing.T, l look) {
	t.Helper()
	// Of radio buttons of one name, Tab stops at one. Links in what is being written are text.
	const missed = `[...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex], [contenteditable]")]
		.filter((e) => e.checkVisibility({visibilityProperty: true}) && !e.disabled && e.tabIndex >= 0 && e.type !== "hidden")
		.filter((e) => !reached.has(e) && !e.matches("[contenteditable] *") && !(e.type === "radio" && [...reached].some((r) => r.name === e.name)))
		.map((e) => e.outerHTML.slice(0, 120)).join("\n")`
	js[any](t, p, `void document.activeElement?.blur(); void getSelection().removeAllRanges(); void scrollTo(0, 0); window.reached = new Set(); window.unseen = new Set()`)
	js[any](t, p, `void (window.ringed = (e) => e.getBoundingClientRect().width > 0 && [e, e.closest(".frame")].filter(Boolean).some((r) => {
		const s = getComputedStyle(r);
		return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 1 || s.boxShadow !== "none";
	}))`)
	js[any](t, p, `void document.addEventListener("focusin", ({target}) => {
		reached.add(target);
		if (!ringed(target)) unseen.add(target);
	})`)
	left := js[string](t, p, missed)
	for range 30 { // of 10: no page has so much
		for range 10 {
			p.press(t, kb.Tab)
		}
		if left = js[string](t, p, missed); left == "" {
			break
		}
	}
	if left != "" {
		t.Errorf("%s: the Tab key does not reach:\n%s", l.path, left)
	}
	// Where keys come faster than frames, a style may follow its element late: what seemed to
	// have no ring is asked again.
	if unseen := js[string](t, p, `[...unseen].filter((e) => { e.focus({focusVisible: true}); return !ringed(e); }).map((e) => e.outerHTML.slice(0, 120)).join("\n")`); unseen != "" {
		t.Errorf("%s: it cannot be seen that the focus is on:\n%s", l.path, unseen)
	}
}

// takePictures takes pictures of a page at both widths, light and dark, where they are
// wanted.
func (p *tab) takePictures(t *testing.T, name string) {
	t.Helper()
	if *pictures == "" {
		return
	}
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{desk, phone} {
			p.setLook(t, width, scheme)
			// The window is made as high as the page, so that what sticks to its end does so there.
			high := js[int64](t, p, "Math.max(innerHeight, document.documentElement.scrollHeight)")
			p.do(t, chromedp.EmulateViewport(width, high))
			png, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
			if err == nil {
				err = os.WriteFile(filepath.Join(*pictures, fmt.Sprintf("%s-%d-%s.png", name, width, scheme)), png, 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}
