package web_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/stepsies/stepsies"
)

// TestStepsyIsShownWithinAPageOfAnotherOriginAndNoOtherPageIs opens a page of another
// port with two frames: the one that oEmbed gives out, and one with the stepsy's page.
func TestStepsyIsShownWithinAPageOfAnotherOriginAndNoOtherPageIs(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	s := h.publish(t, h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour and water</p>", "Bake", `<p>At <a href="https://example.com/">230 °C</a></p>`))
	b := h.openChromium(t, stepsies.User{})
	var answer struct{ HTML string }
	if err := json.Unmarshal([]byte((&person{h: h}).askOEmbed(t, "http://stepsies.test"+publicAt(s)).body), &answer); err != nil {
		t.Fatal(err)
	}
	code := strings.ReplaceAll(answer.HTML, "http://stepsies.test", b.url) + `<iframe src="` + b.url + publicAt(s) + `"></iframe>`
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!DOCTYPE html><html lang="en"><title>A page of another site</title>` + code))
	}))
	t.Cleanup(other.Close)

	p := b.openTab(t, "a page of another origin")
	p.refuse = "frame-ancestors 'none'"
	p.do(t, chromedp.Navigate(other.URL))
	tree, err := chromedp.Call(p.ctx, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(tree.FrameTree.ChildFrames, func(f *page.FrameTree) bool { return f.Frame.UnreachableURL == b.url+publicAt(s) }) {
		t.Error("the page of the stepsy is shown in a frame")
	}
	f := p.frame(t, b.url+publicAt(s)+"/embed")
	f.wait(t, `document.fonts.status === "loaded" && [...document.fonts].some((f) => f.status === "loaded")`)
	if text := js[string](t, f, "document.body.innerText"); !strings.Contains(text, "Bake bread") || !strings.Contains(text, "Flour and water") || strings.Contains(text, "230 °C") {
		t.Errorf("the frame shows:\n%s", text)
	}
	js[any](t, f, `document.querySelectorAll("summary")[1].click()`)
	f.wait(t, `document.body.innerText.includes("230 °C") && !document.body.innerText.includes("Flour")`) // one step at a time
	if got := js[string](t, f, `document.scripts.length + document.querySelector("base").target`); got != "0_blank" {
		t.Errorf("scripts, and where links open: %q", got)
	}
}

// frame is the document in a frame of a tab, which has no origin.
func (p *tab) frame(t *testing.T, address string) *tab {
	t.Helper()
	found, err := chromedp.Call(p.ctx, target.GetTargets, target.GetTargetsParams{})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(found.TargetInfos, func(i *target.Info) bool { return i.Type == "iframe" && i.URL == address })
	if i < 0 {
		t.Fatalf("no frame shows %s", address)
	}
	ctx, closeFrame := chromedp.NewContext(p.ctx, chromedp.WithTargetID(found.TargetInfos[i].TargetID))
	t.Cleanup(closeFrame)
	f := &tab{chromium: p.chromium, ctx: ctx}
	if err := chromedp.Listen(ctx, f.heard); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, e := range f.errors {
			t.Errorf("%s: the console says %s", address, e)
		}
	})
	return f
}
