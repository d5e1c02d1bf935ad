package web_test

import (
	_ "embed"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/stepsies/stepsies"
)

//go:generate go run ../tools/bundle testdata/htmlvalidate testdata htmlvalidate.js=check

// htmlValidate is html-validate, which knows the elements and attributes of HTML and
// what may stand where. Only tests have it; it runs in their browser.
//
//go:embed testdata/htmlvalidate.js
var htmlValidate string

// invalid is what html-validate finds wrong with the HTML of a page, as it was sent.
func (p *tab) invalid(t *testing.T, page string) []string {
	t.Helper()
	if !js[bool](t, p, "window.validateHTML !== undefined") {
		js[any](t, p, htmlValidate+"\nvoid 0")
	}
	found, err := chromedp.Run(p.ctx, chromedp.Evaluate[[]string](fmt.Sprintf("validateHTML(%q)", page), chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("html-validate: %v", err)
	}
	return found
}

// TestHTMLOfEveryPageIsValid has a validator read every page as each of its viewers gets
// it from the server.
func TestHTMLOfEveryPageIsValid(t *testing.T) {
	t.Parallel()
	f := furnish(t, nil)
	p := f.openChromium(t, stepsies.User{}).openTab(t, "the validator")
	for _, l := range f.looks() {
		for _, v := range l.as {
			if l.status >= 300 && l.status < 400 {
				continue
			}
			if found := p.invalid(t, f.open(t, l, v).body); len(found) > 0 {
				t.Errorf("%s as %s:\n%s", l.path, v, strings.Join(found, "\n"))
			}
		}
	}
}

// TestValidatorFindsWhatItIsThereFor guards the test above.
func TestValidatorFindsWhatItIsThereFor(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	p := h.openChromium(t, stepsies.User{}).openTab(t, "the validator")
	page := (&person{h: h}).get(t, "/sign-in").body
	if found := p.invalid(t, page); len(found) > 0 {
		t.Errorf("the page has %q", found)
	}
	for rule, wrong := range map[string]string{
		"element-permitted-content": "<span><div>x</div></span>", "close-order": "<b><i></b></i>", "no-dup-id": `<p id="main"></p>`, "attribute-allowed-values": `<input type="sentence">`,
		"element-name": "<payload></payload>", "element-permitted-parent": "<li>x</li>", "no-raw-characters": "<p>a < b</p>",
	} {
		if found := strings.Join(p.invalid(t, strings.Replace(page, "</main>", wrong+"</main>", 1)), "\n"); !strings.Contains(found, rule+": ") {
			t.Errorf("%s is not found, but:\n%s", rule, found)
		}
	}
}
