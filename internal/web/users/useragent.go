package users

import "strings"

// browsers and systems are looked for in this order in what a browser calls itself:
// nearly all of them pretend to be others too.
var (
	browsers = []struct{ mark, name string }{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Vivaldi/", "Vivaldi"}, {"SamsungBrowser/", "Samsung Internet"},
		{"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Chromium/", "Chromium"},
		{"Safari/", "Safari"}, {"curl/", "curl"},
	}
	systems = []struct{ mark, name string }{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"CrOS", "ChromeOS"},
		{"Mac OS X", "a Mac"}, {"Macintosh", "a Mac"}, {"Linux", "Linux"},
	}
)

// browserName says which browser it was, in words: "Firefox on Linux".
func browserName(userAgent string) string {
	name := "A browser"
	for _, b := range browsers {
		if strings.Contains(userAgent, b.mark) {
			name = b.name
			break
		}
	}
	for _, s := range systems {
		if strings.Contains(userAgent, s.mark) {
			return name + " on " + s.name
		}
	}
	if name == "A browser" {
		return "An unknown browser"
	}
	return name
}
