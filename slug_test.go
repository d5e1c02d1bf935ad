package stepsies

import (
	"fmt"
	"strings"
	"testing"
)

func TestSlugIsMadeOfTheTitle(t *testing.T) {
	for title, want := range map[string]string{
		"Email Welcome Sequence Blueprint": "email-welcome-sequence-blueprint", "  Crème -- brûlée!! ": "creme-brulee", "C++ & C#": "c-c", "setup.md": "setup-md",
		"Don't": "don-t", "100 %": "100", "-17 °C": "17-c", "": "stepsy", "---": "stepsy", "😀": "stepsy", "Straße": "strasse", "KØBENHAVN": "kobenhavn",
		strings.Repeat("a", 150): strings.Repeat("a", 100), strings.Repeat("a", 99) + " b": strings.Repeat("a", 99), strings.Repeat("😀a", 100): strings.Repeat("a-", 49) + "a",
	} {
		if got := SlugFromTitle(title); got != want {
			t.Errorf("%q gives %q, want %q", title, got, want)
		}
	}
}

func TestSlugOfATitleInAnotherAlphabetIsReadable(t *testing.T) {
	for title, want := range map[string]string{
		"Как испечь хлеб": "kak-ispech-khleb", "Щука, ёж, объявление": "shchuka-iozh-obiavlenie", "за\u0301мок": "zamok", "ПРИВЕТ": "privet", "Хлеб-2": "khleb-2",
		"Їжак і ґанок": "yizhak-i-ganok", "Ђорђе": "djordje",
		"Πώς να φτιάξετε ψωμί": "pos-na-phtiaxete-psomi", "ΨΩΜΙ": "psomi",
		"ქართული": "kartuli", "Հայերեն": "hayeren", "नमस्ते दुनिया": "nmste-duniyaa", "หุงข้าว": "hungkhaaw", "שלום": "shlvm", "مرحبا": "mrhb", "٣": "3",
		"한국어 안내": "hangugeo-annae", "如何做面包": "ru-he-zuo-mian-bao", "面包 guide": "mian-bao-guide",
		"コーヒー ガイド": "kohi-gaido", "日本語のガイド": "stepsy", "日本語のガイド 2024": "2024", // its Chinese characters are not read as in Chinese
		// Latin letters keep the spelling that they had.
		"Cách nấu phở đặc biệt": "cach-nau-pho-dac-biet", "Çay İstanbul ığdır": "cay-istanbul-igdir", "Größe über Öl": "grosse-uber-ol", "Łódź": "lodz", "１２": "12",
		strings.Repeat("щ", 100): strings.Repeat("shch", 25),
	} {
		if got := SlugFromTitle(title); got != want {
			t.Errorf("%q gives %q, want %q", title, got, want)
		}
	}
}

func TestTakenSlugsAreNumberedWithinTheirLength(t *testing.T) {
	long := strings.Repeat("a", MaxSlugLength)
	for _, c := range []struct {
		slug string
		n    int
		want string
	}{{"a", 1, "a"}, {"a", 0, "a"}, {"a", 2, "a-2"}, {"a", 10, "a-10"}, {long, 1, long}, {long, 2, long[:98] + "-2"}, {long, 12345, long[:94] + "-12345"}, {long[:98], 2, long[:98] + "-2"}} {
		if got := NumberedSlug(c.slug, c.n); got != c.want {
			t.Errorf("choice %d of %.10s…: %q, want %q", c.n, c.slug, got, c.want)
		}
	}
	seen := map[string]bool{}
	for n := 1; n <= 20_000; n++ {
		slug := NumberedSlug(long, n)
		if _, err := ParseSlug(slug); err != nil || seen[slug] {
			t.Fatalf("choice %d is %q: %v, seen before %v", n, slug, err, seen[slug])
		}
		seen[slug] = true
	}
}

func TestSlugsAreLowerCaseLettersDigitsAndHyphens(t *testing.T) {
	for _, good := range []string{"a", "-", "a--b", "2024", strings.Repeat("z", 100)} {
		if got, err := ParseSlug(good); err != nil || got != good {
			t.Errorf("%q: %q (%v)", good, got, err)
		}
	}
	for _, bad := range []string{"", "A", "a b", "a_b", "a.b", "a/b", "é", "a\x00", "a\n", "\xff", "ａ", strings.Repeat("z", 101)} {
		if got, err := ParseSlug(bad); err == nil || got != "" {
			t.Errorf("%q is taken as %q", bad, got)
		}
	}
}

// FuzzSlugFromTitle: every title gives a slug, and a slug gives itself, but for the
// hyphens at its ends and those that follow each other.
func FuzzSlugFromTitle(f *testing.F) {
	for _, title := range []string{"", "Crème Brûlée -17", "日本語", "日本語のガイド", "Щука ёж", "ﷺ٣ー", "ẞ\u0345\u0301İ", strings.Repeat("é-", 100), "\xff\xfe", "a\x00b"} {
		f.Add(title)
	}
	f.Fuzz(func(t *testing.T, title string) {
		slug := SlugFromTitle(title)
		if _, err := ParseSlug(slug); err != nil {
			t.Fatalf("%q gives %q: %v", title, slug, err)
		}
		if strings.Contains(slug, "--") || strings.HasPrefix(slug, "-") || strings.HasSuffix(slug, "-") {
			t.Errorf("%q gives %q", title, slug)
		}
		if again := SlugFromTitle(slug); again != slug {
			t.Errorf("%q gives %q, which gives %q", title, slug, again)
		}
		for _, n := range []int{2, 10, 9_999} {
			if numbered, err := ParseSlug(NumberedSlug(slug, n)); err != nil || !strings.HasSuffix(numbered, fmt.Sprint("-", n)) {
				t.Errorf("choice %d is %q (%v)", n, numbered, err)
			}
		}
	})
}

// FuzzParseSlug: what is taken is taken as it is, and is safe in a path.
func FuzzParseSlug(f *testing.F) {
	for _, s := range []string{"email-welcome", "-", "A", "a/b", "", "é", "a\x00", strings.Repeat("a", 101)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseSlug(s)
		safe := len(s) >= 1 && len(s) <= MaxSlugLength && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
		if (err == nil) != safe || err == nil && got != s || err != nil && got != "" {
			t.Errorf("%q is taken as %q (%v)", s, got, err)
		}
	})
}
