package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
)

// metaOf are the meta elements of a page by property or name.
func metaOf(t *testing.T, page shown) map[string]string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page.body))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for n := range root.Descendants() {
		if name := attr(n, "property") + attr(n, "name") + attr(n, "media"); n.DataAtom == atom.Meta && name != "" {
			if _, twice := found[name]; twice {
				t.Errorf("%s stands there twice", name)
			}
			found[name] = attr(n, "content")
		}
	}
	return found
}

// linkedData is the one block of JSON-LD on a page, as a parser of HTML finds it.
func linkedData(t *testing.T, page shown) map[string]any {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page.body))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for n := range root.Descendants() {
		if n.DataAtom == atom.Script && attr(n, "type") == "application/ld+json" {
			blocks = append(blocks, textOf(n))
		}
	}
	if len(blocks) != 1 {
		t.Fatalf("there are %d blocks of JSON-LD", len(blocks))
	}
	var data map[string]any
	if err := json.Unmarshal([]byte(blocks[0]), &data); err != nil {
		t.Fatalf("%v in %s", err, blocks[0])
	}
	return data
}

const picture = `<p>Look:</p><p><img src="http://example.com/plain.png" alt="not for others"></p><p><img src="https://example.com/a.png?x=1&amp;y=2" alt="dough"></p>`

func TestPublishedPageHasOpenGraphTags(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	stranger := &person{h: h}
	s := h.publish(t, h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>", "Bake", picture))
	meta := metaOf(t, stranger.get(t, publicAt(s)))
	want := map[string]string{
		"og:type": "article", "og:site_name": "Stepsies", "og:title": "Bake bread", "og:description": "2 steps: Mix · Bake",
		"og:url": "http://stepsies.test/@sarah/bake-bread", "og:image": "https://example.com/a.png?x=1&y=2", "twitter:card": "summary_large_image",
		"article:published_time": s.PublishedAt.Format(time.RFC3339), "article:author": "http://stepsies.test/@sarah", "article:section": "Other",
	}
	for name, value := range want {
		if meta[name] != value {
			t.Errorf("%s is %q, want %q", name, meta[name], value)
		}
	}
	description := strings.Repeat("Crusty bread,\nevery day. ", 40)
	s = h.change(t, h.publish(t, h.newStepsy(t, h.sarah, "Plain", "Mix", "<p>Flour</p>")), stepsies.StepsyChange{Description: &description})
	meta = metaOf(t, stranger.get(t, publicAt(s)))
	if got := meta["og:description"]; !strings.HasPrefix(got, "Crusty bread, every day. Crusty") || !strings.HasSuffix(got, "…") || len([]rune(got)) > 301 {
		t.Errorf("og:description is %q", got)
	}
	u, err := url.Parse(meta["og:image"])
	if err != nil {
		t.Fatal(err)
	}
	card := stranger.get(t, u.Path)
	wantStatus(t, card, http.StatusOK)
	if card.header.Get("Content-Type") != "image/png" || !strings.HasPrefix(card.body, "\x89PNG") || meta["twitter:card"] != "summary" {
		t.Errorf("the card is %s, %s", card.header.Get("Content-Type"), meta["twitter:card"])
	}
	// Its size stands at bytes 16 to 23 (PNG, §11.2.2).
	if size := fmt.Sprintf("%dx%d", int(card.body[18])<<8|int(card.body[19]), int(card.body[22])<<8|int(card.body[23])); size != meta["og:image:width"]+"x"+meta["og:image:height"] {
		t.Errorf("the card has %s pixels", size)
	}
}

func TestHowToHoldsTheWholeStepsyInSchemaOrgsWords(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	stranger := &person{h: h}
	s := h.publish(t, h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour &amp; <strong>water</strong></p><ul><li>salt</li></ul>", "Rest", "", "Bake", picture))
	data := linkedData(t, stranger.get(t, publicAt(s)))
	steps := data["step"].([]any)
	for i, want := range []map[string]any{
		{"@type": "HowToStep", "position": 1.0, "name": "Mix", "text": "Flour & water salt", "url": "http://stepsies.test/@sarah/bake-bread#s-1"},
		{"name": "Rest", "text": "Rest"}, {"name": "Bake", "text": "Look:", "image": "https://example.com/a.png?x=1&y=2"},
	} {
		for name, value := range want {
			if got := steps[i].(map[string]any)[name]; got != value {
				t.Errorf("step %d: %s is %v, want %v", i+1, name, got, value)
			}
		}
	}
	if len(steps) != 3 || data["aggregateRating"] != nil || data["timeRequired"] != "PT1M" {
		t.Errorf("the data is %v", data)
	}
	if err := h.Store().AddCounts(t.Context(), []store.Counts{{StepsyID: s.ID, Ratings: 4, Stars: 18}}); err != nil {
		t.Fatal(err)
	}
	data = linkedData(t, stranger.get(t, publicAt(s)))
	if rating := data["aggregateRating"].(map[string]any); rating["ratingValue"] != 4.5 || rating["ratingCount"] != 4.0 {
		t.Errorf("the rating is %v", rating)
	}
}

// TestHowToStaysSmall has a stepsy of the most steps, each with much text.
func TestHowToStaysSmall(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	var steps []string
	for i := range stepsies.MaxSteps {
		steps = append(steps, fmt.Sprintf("Step %d", i+1), "<p>"+strings.Repeat("knead the dough ", 300)+"</p>")
	}
	s := h.publish(t, h.newStepsy(t, h.sarah, "Bake bread", steps...))
	data := linkedData(t, (&person{h: h}).get(t, publicAt(s)))
	text, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	if len(data["step"].([]any)) != stepsies.MaxSteps || len(text) > 60_000 {
		t.Errorf("there are %d steps in %d bytes", len(data["step"].([]any)), len(text))
	}
}

// TestWhatOtherSitesAreToldIsNeverMarkup has an attacker type into everything that the
// head, the share part, the embedded page and the oEmbed answer repeat.
func TestWhatOtherSitesAreToldIsNeverMarkup(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	stranger := &person{h: h}
	for _, payload := range append(typed, `</script><script>payload()</script>`, `<!--<script>payload()`, `"}</script>`, "x\u2028\u2029y", `](javascript:payload())`) {
		if _, err := h.Store().UpdateUser(t.Context(), operator, "sarah", stepsies.UserChange{DisplayName: &payload}); err != nil {
			t.Fatal(err)
		}
		s := h.newStepsy(t, h.sarah, payload, payload, "<p>"+htmlOf(payload)+"</p>")
		s = h.publish(t, h.change(t, s, stepsies.StepsyChange{Description: &payload}))
		page := stranger.get(t, publicAt(s))
		wantTame(t, payload, page)
		data := linkedData(t, page)
		if step := data["step"].([]any)[0].(map[string]any); data["name"] != s.Title || step["name"] != s.Steps[0].Title {
			t.Errorf("%q: the data is %v", payload, data)
		}
		if meta := metaOf(t, page); meta["og:title"] != s.Title {
			t.Errorf("%q: og:title is %q", payload, meta["og:title"])
		}
		wantTame(t, payload+" embedded", stranger.get(t, publicAt(s)+"/embed"))
		var answer struct{ HTML string }
		if err := json.Unmarshal([]byte(stranger.askOEmbed(t, "http://stepsies.test"+publicAt(s)).body), &answer); err != nil {
			t.Fatal(err)
		}
		if frame := frameIn(t, answer.HTML); attr(frame, "title") != s.Title || len(frame.Attr) != 7 {
			t.Errorf("%q: the frame is %v", payload, frame.Attr)
		}
	}
}
