package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/stepsies/stepsies"
)

// askOEmbed asks how to embed an address; params are names and values in turn.
func (p *person) askOEmbed(t *testing.T, address string, params ...string) shown {
	t.Helper()
	q := formOf(append(params, "url", address)...)
	return p.get(t, "/oembed?"+q.Encode())
}

// TestOEmbedAnswersAsItsSpecificationSays goes through oembed.com, version 1.0: §2.3.4
// for every answer, §2.3.4.4 for the type rich.
func TestOEmbedAnswersAsItsSpecificationSays(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	stranger := &person{h: h}
	s := h.publish(t, h.newStepsy(t, h.sarah, `Bread "& butter" <b>`, "Mix", "<p>Flour</p>"))
	address := "http://stepsies.test" + publicAt(s)
	for _, params := range [][]string{nil, {"format", "json"}, {"maxwidth", "320"}, {"maxheight", "200", "maxwidth", "99999999999999999999"}, {"maxwidth", "1", "maxheight", "1"}, {"unknown", "x"}} {
		got := stranger.askOEmbed(t, address, params...)
		wantStatus(t, got, http.StatusOK)
		if kind := got.header.Get("Content-Type"); kind != "application/json" {
			t.Errorf("the media type is %s", kind)
		}
		var a map[string]any
		if err := json.Unmarshal([]byte(got.body), &a); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]any{
			"type": "rich", "version": "1.0", "title": s.Title, "provider_name": "Stepsies", "provider_url": "http://stepsies.test",
			"author_name": s.DisplayName, "author_url": "http://stepsies.test/@sarah", "cache_age": 3600.0,
		} {
			if a[name] != want {
				t.Errorf("%v: %s is %v, want %v", params, name, a[name], want)
			}
		}
		asked := formOf(params...)
		for name, own := range map[string]float64{"width": 600, "height": 480} {
			want := own
			if bound := asked.Get("max" + name); bound != "" {
				var n float64
				if err := json.Unmarshal([]byte(bound), &n); err != nil {
					t.Fatal(err)
				}
				want = min(own, n)
			}
			if a[name] != want {
				t.Errorf("%v: %s is %v, want %v", params, name, a[name], want)
			}
		}
		frame := frameIn(t, a["html"].(string))
		if attr(frame, "src") != address+"/embed" || attr(frame, "title") != s.Title || attr(frame, "sandbox") != "allow-popups allow-popups-to-escape-sandbox" {
			t.Errorf("the frame is %v", frame.Attr)
		}
	}
}

// frameIn parses what another site would put into its page: one frame and nothing else.
func frameIn(t *testing.T, code string) *html.Node {
	t.Helper()
	nodes, err := html.ParseFragment(strings.NewReader(code), &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body})
	if err != nil || len(nodes) != 1 || nodes[0].DataAtom != atom.Iframe {
		t.Fatalf("%s is not one frame (%v)", code, err)
	}
	return nodes[0]
}

func TestOEmbedRefusesWithTheStatusOfItsSpecification(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	stranger := &person{h: h}
	s := h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>")
	address := "http://stepsies.test" + publicAt(s)
	wantStatus(t, h.signIn(t, h.sarah).askOEmbed(t, address), http.StatusNotFound) // a draft
	h.publish(t, s)
	slug := "bread"
	h.change(t, s, stepsies.StepsyChange{Slug: &slug})
	for _, known := range []string{address, "http://stepsies.test/@sarah/bread", "http://STEPSIES.test/@Sarah/bread#step-1", "http://stepsies.test/@sarah/bread/embed", "http://stepsies.test/@sarah/bread?from=mail"} {
		got := stranger.askOEmbed(t, known)
		wantStatus(t, got, http.StatusOK)
		if !strings.Contains(got.body, "http://stepsies.test/@sarah/bread/embed") {
			t.Errorf("%s is answered with %s", known, got.body)
		}
	}
	for _, unknown := range []string{
		"http://stepsies.test/@sarah/none", "http://stepsies.test/@sarah", "http://stepsies.test/", "http://stepsies.test/dashboard", "http://evil.example/@sarah/bread",
		"http://stepsies.test.evil.example/@sarah/bread", "http://stepsies.test:8080/@sarah/bread", "https://stepsies.test/@sarah/bread", "http://stepsies.test@evil.example/@sarah/bread",
		"http://stepsies.test/@sarah/bread/more", "ftp://stepsies.test/@sarah/bread", "http://stepsies.test/@sarah/bread.json",
	} {
		wantStatus(t, stranger.askOEmbed(t, unknown), http.StatusNotFound)
	}
	for _, bad := range []string{"", "bread", "/@sarah/bread", "http://%zz", "javascript:alert(1)", "http://"} {
		got := stranger.askOEmbed(t, bad)
		wantStatus(t, got, http.StatusBadRequest)
		wantText(t, got, "Give the address of a stepsy as url")
	}
	for _, bound := range []string{"0", "-1", "wide", "1.5", " 3"} {
		wantStatus(t, stranger.askOEmbed(t, address, "maxwidth", bound), http.StatusBadRequest)
		wantStatus(t, stranger.askOEmbed(t, address, "maxheight", bound), http.StatusBadRequest)
	}
	for _, format := range []string{"xml", "html"} {
		got := stranger.askOEmbed(t, address, "format", format)
		wantStatus(t, got, http.StatusNotImplemented)
		if kind := got.header.Get("Content-Type"); kind != "text/plain; charset=utf-8" || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("the refusal is %s, %s", kind, got.header.Get("Cache-Control"))
		}
	}
	suspended := true
	if _, err := h.Store().UpdateUser(t.Context(), operator, "sarah", stepsies.UserChange{Suspended: &suspended}); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, stranger.askOEmbed(t, address), http.StatusNotFound)
}

// TestPublishedPageLeadsToItsOtherForms follows every alternate link of its head.
func TestPublishedPageLeadsToItsOtherForms(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	stranger := &person{h: h}
	s := h.publish(t, h.newStepsy(t, h.sarah, "Bake bread", "Mix", "<p>Flour</p>"))
	root, err := html.Parse(strings.NewReader(stranger.get(t, publicAt(s)).body))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for n := range root.Descendants() {
		if n.DataAtom != atom.Link || attr(n, "rel") != "alternate" {
			continue
		}
		u, err := url.Parse(attr(n, "href"))
		if err != nil || u.Host != "stepsies.test" {
			t.Fatalf("the alternate is %s (%v)", attr(n, "href"), err)
		}
		got := stranger.get(t, u.RequestURI())
		wantStatus(t, got, http.StatusOK)
		kind, _, _ := strings.Cut(got.header.Get("Content-Type"), ";")
		found[attr(n, "type")] = kind == strings.TrimSuffix(attr(n, "type"), "+oembed")
	}
	for _, kind := range []string{"text/markdown", "application/json", "application/json+oembed"} {
		if !found[kind] {
			t.Errorf("there is no alternate of type %s, or it is something else", kind)
		}
	}
	if body := h.signIn(t, h.sarah).get(t, publicAt(h.newStepsy(t, h.sarah, "A draft", "Mix", ""))).body; strings.Contains(body, `rel="alternate"`) || strings.Contains(body, "ld+json") {
		t.Error("a draft tells other sites of itself")
	}
}
