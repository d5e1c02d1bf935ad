package web_test

import (
	_ "embed"
	"encoding/json"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

//go:generate go run ../tools/bundle testdata/axe testdata axe.js=page

// axe is axe-core, which finds what keeps people from using a page. Only tests have it.
//
//go:embed testdata/axe.js
var axe string

// axeRun has axe judge the page by all its rules, those that it knows as good practice
// too, and says in lines what it found.
const axeRun = `axe.run(document, {rules: {"target-size": {enabled: true}}, resultTypes: ["violations"]}).then((found) =>
	JSON.stringify(found.violations.flatMap((v) => v.nodes.map((n) =>
		v.id + ": " + v.help + " in " + n.html.slice(0, 200) + " (" + n.target.join(" ") + ") " + n.failureSummary.replaceAll("\n", " ")))))`

// violations are what axe finds on the page that a tab shows.
func (p *tab) violations(t *testing.T) []string {
	t.Helper()
	if !js[bool](t, p, "window.axe !== undefined") {
		js[any](t, p, axe+"\nvoid 0")
	}
	text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](axeRun, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("axe: %v", err)
	}
	var found []string
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		t.Fatal(err)
	}
	return found
}

// TestAxeFindsWhatItIsThereFor guards the tests around it.
func TestAxeFindsWhatItIsThereFor(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	p := h.openChromium(t, h.sarah).open(t, "/dashboard/profile")
	if found := p.violations(t); len(found) > 0 {
		t.Errorf("the page has %q", found)
	}
	js[any](t, p, `void document.querySelector("main").insertAdjacentHTML("beforeend", "<h5>skipped</h5><input><p class=pale>pale</p>")`)
	js[any](t, p, `void (document.querySelector(".pale").style.color = "#aaa")`)
	found := strings.Join(p.violations(t), "\n")
	for _, rule := range []string{"label: ", "heading-order: ", "color-contrast: "} {
		if !strings.Contains(found, rule) {
			t.Errorf("%q is not found, but:\n%s", rule, found)
		}
	}
}
