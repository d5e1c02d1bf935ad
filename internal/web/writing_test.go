package web_test

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// TestStepsyIsShownInItsOwnDirectionAndLanguage looks at every place that shows a stepsy.
func TestStepsyIsShownInItsOwnDirectionAndLanguage(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]struct{ dir, lang string }{
		"Bake bread":               {"", ""},
		"Brot backen für Anfänger": {"", ""},
		"כך אופים לחם עם Go 1.26":  {"rtl", "he"},
		"كيف تخبز الخبز":           {"rtl", "und"},
		"自宅でパンを焼く":                 {"", "ja"},
		"在家烘焙面包":                   {"", "zh"},
		"집에서 빵 굽기":                 {"", "ko"},
		"Ψωμί στο σπίτι":           {"", "el"},
		"Испечь хлеб дома":         {"", "und"},
		"42 ¿!":                    {"", ""},
	} {
		h := openKeyHouse(t, false)
		nobody := &person{h: h}
		s := h.everyones(t, h.sarah, title, "Mix zeppelin", "<p>Flour</p>")
		for _, path := range []string{"/", "/newest", "/search?q=zeppelin", "/@sarah", publicAt(s), publicAt(s) + "/follow", publicAt(s) + "/embed"} {
			page := nobody.get(t, path)
			root, err := html.Parse(strings.NewReader(page.body))
			if err != nil {
				t.Fatal(err)
			}
			dirs, langs := map[string]bool{}, map[string]bool{}
			for n := range root.Descendants() {
				if n.Type == html.ElementNode && n.DataAtom != atom.Html {
					dirs[attr(n, "dir")] = true
					langs[attr(n, "lang")] = true
				}
			}
			if dirs["rtl"] != (want.dir == "rtl") {
				t.Errorf("%s, %s: from right to left is %v", title, path, dirs["rtl"])
			}
			if delete(langs, ""); len(langs) > 1 || (want.lang == "") != (len(langs) == 0) || want.lang != "" && !langs[want.lang] {
				t.Errorf("%s, %s: the languages are %v, want %q", title, path, langs, want.lang)
			}
		}
	}
}

// TestReadingTimeCountsWhatIsWrittenWithoutSpaces compares texts that take about as long.
func TestReadingTimeCountsWhatIsWrittenWithoutSpaces(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	for text, want := range map[string]string{
		"":                             "1 min",
		strings.Repeat("knead ", 1000): "5 min",
		strings.Repeat("生地をこねる", 2000/6):       "5 min",
		strings.Repeat("揉面团。", 500):            "4 min", // a full stop is none
		strings.Repeat("นวดแป้ง", 4500/7):      "5 min",
		strings.Repeat("반죽을 치댄다 ", 1000/2):     "5 min",
		strings.Repeat("زمان العجين ", 1000/2): "5 min",
	} {
		s := h.everyones(t, h.sarah, "Bake bread", "Mix", "<p>"+text+"</p>")
		wantText(t, (&person{h: h}).get(t, publicAt(s)), "1 step · "+want)
	}
}
