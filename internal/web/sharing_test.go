package web_test

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
)

//go:generate go run ../tools/bundle testdata/sharing testdata linkeddata.js=linkeddata oembed.js=oembed

// validateLinkedData finds what is wrong with the JSON-LD of a page: by the vocabulary of
// schema.org, and by what Google asks of its types. Only tests have it, in their browser.
//
//go:embed testdata/linkeddata.js
var validateLinkedData string

// consumeOEmbed is a site that embeds what it is given the address of.
//
//go:embed testdata/oembed.js
var consumeOEmbed string

// wrongData is what validators find wrong with the JSON-LD of a page.
func (p *tab) wrongData(t *testing.T, page string) []string {
	t.Helper()
	if !js[bool](t, p, "window.validateLinkedData !== undefined") {
		js[any](t, p, validateLinkedData+"\nvoid 0")
	}
	found, err := chromedp.Run(p.ctx, chromedp.Evaluate[[]string](fmt.Sprintf("validateLinkedData(%s)", literal(t, page)), chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("the validator of JSON-LD: %v", err)
	}
	return found
}

// literal is a value as a script writes it.
func literal(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestLinkedDataIsValid has validators read the JSON-LD of stepsies of every kind.
func TestLinkedDataIsValid(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	stranger := &person{h: h}
	p := h.openChromium(t, stepsies.User{}).openTab(t, "the validator")
	var many []string
	for i := range stepsies.MaxSteps {
		many = append(many, fmt.Sprintf("Step %d", i+1), "<p>Knead the dough.</p>")
	}
	description := "Crusty bread,\nevery day."
	rated := h.publish(t, h.change(t, h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour &amp; <strong>water</strong></p>", "Bake", picture), stepsies.StepsyChange{Description: &description}))
	if err := h.Store().AddCounts(t.Context(), []store.Counts{{StepsyID: rated.ID, Ratings: 4, Stars: 18}}); err != nil {
		t.Fatal(err)
	}
	for _, s := range []stepsies.Stepsy{
		rated,
		h.publish(t, h.newStepsy(t, h.sarah, "Rest", "Rest", "")),
		h.publish(t, h.newStepsy(t, h.sarah, "Knead", many...)),
		h.publish(t, h.newStepsy(t, h.sarah, "</script><b>", "<!--", "<p>&lt;/script&gt;</p>")),
		h.publish(t, h.newStepsy(t, h.sarah, "خبز", "اعجن", "<p>عشر دقائق</p>")),
	} {
		if found := p.wrongData(t, stranger.get(t, publicAt(s)).body); len(found) > 0 {
			t.Errorf("%s:\n%s", s.Title, strings.Join(found, "\n"))
		}
	}
}

// TestLinkedDataValidatorFindsWhatItIsThereFor guards the test above.
func TestLinkedDataValidatorFindsWhatItIsThereFor(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	p := h.openChromium(t, stepsies.User{}).openTab(t, "the validator")
	s := h.publish(t, h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>"))
	if err := h.Store().AddCounts(t.Context(), []store.Counts{{StepsyID: s.ID, Ratings: 4, Stars: 18}}); err != nil {
		t.Fatal(err)
	}
	page := (&person{h: h}).get(t, publicAt(s)).body
	for _, c := range []struct{ right, wrong, found string }{
		{`"@type":"HowTo"`, `"@type":"HowToBake"`, "there is no type HowToBake"},
		{`"datePublished":"`, `"datePublished":"on `, "/datePublished"},
		{`"timeRequired":"PT1M"`, `"timeRequired":"1 min"`, "/timeRequired"},
		{`"url":"http://stepsies.test/@sarah"`, `"url":"sarah's page"`, "/url"},
		{`"position":1`, `"position":{}`, "/position"},
		{`"text":"Flour"`, `"words":"Flour"`, "words"},
		{`"text":"Flour",`, ``, "HowToStep"},
		{`"ratingCount":4`, `"ratingCount":4.5`, "/ratingCount"},
		{`"ratingCount":4`, `"bestRating":5`, "ratingCount"},
		{`application/ld+json`, `text/plain`, "there is no JSON-LD"},
	} {
		if strings.Count(page, c.right) != 1 {
			t.Errorf("%s stands there %d times", c.right, strings.Count(page, c.right))
		}
		if found := strings.Join(p.wrongData(t, strings.Replace(page, c.right, c.wrong, 1)), "\n"); !strings.Contains(found, c.found) {
			t.Errorf("%s: %s is not found, but:\n%s", c.wrong, c.found, found)
		}
	}
}

// TestSiteThatKnowsTheAddressAloneEmbedsAStepsy is a consumer of oEmbed, from the page to
// the frame.
func TestSiteThatKnowsTheAddressAloneEmbedsAStepsy(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	p := h.openChromium(t, stepsies.User{}).open(t, "/newest")
	p.expect = []int{404}
	js[any](t, p, consumeOEmbed+"\nvoid 0")
	type consumed struct {
		Answer  map[string]any `json:"answer"`
		Problem string         `json:"problem"`
	}
	consume := func(s stepsies.Stepsy, params map[string]string) consumed {
		t.Helper()
		call := fmt.Sprintf("consumeOEmbed(%s, %s, %s)", literal(t, "http://stepsies.test"+publicAt(s)), literal(t, params), literal(t, "http://stepsies.test"))
		got, err := chromedp.Run(p.ctx, chromedp.Evaluate[consumed](call, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	s := h.publish(t, h.newStepsy(t, h.sarah, `Bread "& butter" <b>`, "Mix", "<p>Flour</p>"))
	for _, bound := range []string{"", "320"} {
		params, width := map[string]string{}, 600.0
		if bound != "" {
			params["maxwidth"], width = bound, 320
		}
		got := consume(s, params)
		if got.Problem != "" || got.Answer["type"] != "rich" || got.Answer["title"] != s.Title || got.Answer["width"] != width {
			t.Fatalf("with maxwidth %q the consumer has %v", bound, got)
		}
		if frame := frameIn(t, got.Answer["html"].(string)); attr(frame, "src") != "http://stepsies.test"+publicAt(s)+"/embed" || attr(frame, "width") != fmt.Sprint(width) {
			t.Errorf("with maxwidth %q the frame is %v", bound, frame.Attr)
		}
	}
	if got := consume(h.newStepsy(t, h.sarah, "A draft", "Mix", ""), nil); got.Problem == "" {
		t.Errorf("the consumer embeds a draft: %v", got)
	}
}
