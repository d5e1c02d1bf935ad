package auth

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stepsies/stepsies"
)

func TestBearerHeaderIsOneSchemeOneKeyAndNothingElse(t *testing.T) {
	t.Parallel()
	key := stepsies.NewSecret().Reveal()
	for name, good := range map[string]string{
		"as documented": "Bearer " + key, "lower case": "bearer " + key, "upper case": "BEARER " + key, "mixed": "bEaReR " + key, "several spaces": "Bearer    " + key,
	} {
		if s, ok := ParseBearer([]string{good}); !ok || s.Reveal() != key {
			t.Errorf("%s: the key is not taken", name)
		}
	}
	for name, bad := range map[string][]string{
		"no header": nil, "empty": {""}, "scheme only": {"Bearer"}, "scheme and a space": {"Bearer "}, "key only": {key}, "other scheme": {"Basic " + key},
		"token scheme": {"Token " + key}, "tab between": {"Bearer\t" + key}, "nothing between": {"Bearer" + key}, "colon": {"Bearer: " + key}, "quoted": {`Bearer "` + key + `"`},
		"space before": {" Bearer " + key}, "space behind": {"Bearer " + key + " "}, "line break behind": {"Bearer " + key + "\n"}, "two keys": {"Bearer " + key + " " + key},
		"comma": {"Bearer " + key + ", Bearer " + key}, "two headers": {"Bearer " + key, "Bearer " + key}, "a good and an empty one": {"Bearer " + key, ""},
		"upper-case key": {"Bearer " + strings.ToUpper(key)}, "short key": {"Bearer " + key[:50]}, "long key": {"Bearer " + key + "0"}, "very long": {"Bearer " + strings.Repeat(key, 10_000)},
		"parameter": {"Bearer token=" + key}, "non-breaking space": {"Bearer\u00a0" + key}, "NUL": {"Bearer " + key + "\x00"}, "long s in Bearer": {"Bearerſ " + key}, "Kelvin": {"\u212aearer " + key},
	} {
		if s, ok := ParseBearer(bad); ok || s.Reveal() != "" {
			t.Errorf("%s: it is taken for a key", name)
		}
	}
	// As it comes from a request, whatever the case of the field's name.
	h := http.Header{}
	h.Add("authorization", "Bearer "+key)
	if _, ok := ParseBearer(h["Authorization"]); !ok {
		t.Error("the key of a request is not taken")
	}
}

// FuzzParseBearer: what is taken is a scheme, spaces and a well-formed key, and puts
// together to the header that it came from.
func FuzzParseBearer(f *testing.F) {
	digits := strings.Repeat("0123456789abcdef", 3)
	f.Add("Bearer sk_" + digits)
	f.Add("bearer   sk_" + digits)
	f.Add("Bearer sk_" + strings.ToUpper(digits))
	f.Add("Basic c2s6")
	f.Add("")
	f.Fuzz(func(t *testing.T, header string) {
		s, ok := ParseBearer([]string{header})
		if !ok {
			if s.Reveal() != "" {
				t.Error("a refused header leaves a key")
			}
			return
		}
		key := s.Reveal()
		if _, again := stepsies.ParseSecret(key); !again {
			t.Errorf("%q is no key", key)
		}
		before, found := strings.CutSuffix(header, key)
		if scheme := strings.TrimRight(before, " "); !found || !strings.EqualFold(scheme, "bearer") || len(scheme) != 6 || len(before) == 6 {
			t.Errorf("the header %q was taken", header)
		}
		if _, two := ParseBearer([]string{header, header}); two {
			t.Error("two headers were taken")
		}
	})
}
