package stepsies

import (
	"net/url"
	"strings"
	"testing"
)

func TestNoSecretIsKeptOfWhereAKeyWasFound(t *testing.T) {
	key := NewSecret().Reveal()
	twice := url.QueryEscape(strings.ReplaceAll(url.QueryEscape(strings.ReplaceAll(key, "sk_", "%73k_")), "%25", "%"))
	for given, want := range map[string]string{
		"https://user:password@example.com/a":                      "https://example.com/a",
		"https://" + key + "@example.com":                          "https://example.com",
		"https://user:p%40ss@example.com:8443/a?b=c#d":             "https://example.com:8443/a?b=c#d",
		"https://@example.com/":                                    "https://example.com/",
		"https://example.com/" + key + "/b":                        "https://example.com/redacted/b",
		"https://example.com/x" + strings.ToUpper(key) + ".txt":    "https://example.com/xredacted.txt",
		"https://example.com/a/%73%6b_" + key[3:] + "/b":           "https://example.com/a/redacted/b",
		"https://example.com/a/" + twice + "/b":                    "https://example.com/a/redacted/b",
		"https://example.com/?q=" + key + "&page=2":                "https://example.com/?q=redacted&page=2",
		"https://example.com/?" + key:                              "https://example.com/?redacted",
		"https://example.com/?q=%73k_" + key[3:]:                   "https://example.com/?q=redacted",
		"https://example.com/#" + key:                              "https://example.com/#redacted",
		"https://example.com/#line-3:" + key[:30]:                  "https://example.com/#line-3:redacted",
		"https://" + key + ".example.com/":                         "https://redacted.example.com/",
		"https://raw.example.com/o/r/main/.env?token=AB12CD&x=1":   "https://raw.example.com/o/r/main/.env?token=redacted&x=1",
		"https://example.com/?X-Amz-Signature=0aff&access%5Fkey=b": "https://example.com/?X-Amz-Signature=redacted&access%5Fkey=redacted",
		"https://example.com/#access_token=abc&state=1":            "https://example.com/#access_token=redacted&state=1",
		"https://example.com/ghp_" + strings.Repeat("a1", 18):      "https://example.com/redacted",
	} {
		if got, err := ParseSourceURL(given); err != nil || got != want {
			t.Errorf("%q becomes %q (%v), want %q", given, got, err, want)
		}
	}
	for _, harmless := range []string{
		"https://github.com/octocat/Hello-World/blob/12345600b9cbe38a219f39a9941c9319b600c002/foo/bar.txt#L3-L9",
		"https://example.com/?keyword=bread&tokenless&page=2&x=", "https://example.com/task_abc/%2Fa%25zz", "https://例え.jp/パン?q=%E3%81%82",
		"https://example.com/disk_0001/a", "https://example.com?", "https://example.com/a+b?c=d+e",
	} {
		if got, err := ParseSourceURL(harmless); err != nil || got != harmless {
			t.Errorf("%q becomes %q (%v)", harmless, got, err)
		}
	}
}

func FuzzSourceURL(f *testing.F) {
	f.Add("https://user:password@example.com/a?b=c#d")
	f.Fuzz(func(t *testing.T, s string) {
		key := NewSecret().Reveal()
		for _, given := range []string{s, s + key, strings.ReplaceAll(s, "a", key)} {
			got, err := ParseSourceURL(given)
			if err != nil {
				continue
			}
			if plain, _ := url.QueryUnescape(got); strings.Contains(got, key) || strings.Contains(plain, key) {
				t.Errorf("%q keeps the key: %q", given, got)
			}
			u, err := url.Parse(got)
			if err != nil || u.User != nil {
				t.Errorf("%q became %q (%v)", given, got, err)
			}
			if again, err := ParseSourceURL(got); err != nil && len(got) <= 2000 || err == nil && again != got {
				t.Errorf("%q became %q and then %q (%v)", given, got, again, err)
			}
		}
	})
}
