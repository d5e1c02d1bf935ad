package stepsies

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretIsRedactedHoweverItIsPrinted(t *testing.T) {
	secret := NewSecret()
	digits := strings.TrimPrefix(secret.Reveal(), SecretPrefix)
	type inside struct {
		Exported Secret
		hidden   Secret
		deep     map[string][]*Secret
	}
	holder := inside{secret, secret, map[string][]*Secret{"k": {&secret}}}
	values := map[string]any{
		"value": secret, "pointer": &secret, "struct": holder, "pointer to struct": &holder,
		"slice": []Secret{secret}, "map": map[string]Secret{"k": secret}, "any": any(secret), "error": errors.Join(fmt.Errorf("%v", secret), fmt.Errorf("%+v", holder)),
	}
	for name, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p"} {
			checkRedacted(t, name+" "+verb, fmt.Sprintf(verb, v), digits)
		}
		if text, err := json.Marshal(v); err == nil {
			checkRedacted(t, name+" as JSON", string(text), digits)
		}
		for _, handler := range []func(*bytes.Buffer) slog.Handler{
			func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
			func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
		} {
			var b bytes.Buffer
			slog.New(handler(&b)).Info("made", "it", v, slog.Group("group", "it", v))
			checkRedacted(t, name+" in a log", b.String(), digits)
		}
	}
	if got := fmt.Sprint(secret); got != "sk_[redacted]" {
		t.Errorf("a printed key is %q", got)
	}
	if got, err := json.Marshal(map[string]Secret{"key": secret}); err != nil || string(got) != `{"key":"sk_[redacted]"}` {
		t.Errorf("a key in JSON is %s (%v)", got, err)
	}
}

// checkRedacted looks for any eight digits of the key, also as hexadecimal of their
// own as %x would print them.
func checkRedacted(t *testing.T, what, text, digits string) {
	t.Helper()
	text = strings.ToLower(text)
	for i := 0; i+8 <= len(digits); i++ {
		part := digits[i : i+8]
		if strings.Contains(text, part) || strings.Contains(text, hex.EncodeToString([]byte(part))) {
			t.Errorf("%s shows a part of the key", what)
			return
		}
	}
}

func TestNewSecretsHaveTheFormAndDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		s := NewSecret()
		text := s.Reveal()
		parsed, ok := ParseSecret(text)
		if !ok || parsed.Reveal() != text || len(text) != 51 || seen[text] {
			t.Fatal("a new key has not the form of one, or came twice")
		}
		seen[text] = true
		if s.Hash() != sha256.Sum256([]byte(text)) || parsed.Hash() != s.Hash() {
			t.Fatal("the hash is not the SHA-256 of the 51 characters")
		}
		if hint := s.Hint(); hint != text[:7]+"…"+text[47:] {
			t.Fatal("the hint is not the first and the last four digits")
		}
	}
}

func TestParseSecretTakesNothingButTheForm(t *testing.T) {
	good := NewSecret().Reveal()
	upper := SecretPrefix + strings.Repeat("A", 48)
	for name, bad := range map[string]string{
		"empty": "", "prefix only": SecretPrefix, "one short": good[:50], "one long": good + "0", "without prefix": good[3:] + "000",
		"other prefix": "pk_" + good[3:], "upper-case prefix": "SK_" + good[3:], "upper-case digits": upper, "not hexadecimal": good[:50] + "g",
		"space before": " " + good[:50], "space behind": good[:50] + " ", "line break": good[:50] + "\n", "NUL": good[:50] + "\x00",
		"wide digits": SecretPrefix + strings.Repeat("０", 16), "bytes that are not UTF-8": good[:50] + "\xff",
		"between 9 and a": good[:50] + ":", "before 0": good[:50] + "/", "before a": good[:50] + "`",
	} {
		if s, ok := ParseSecret(bad); ok || s.Reveal() != "" {
			t.Errorf("%s is taken for a key", name)
		}
	}
}

func TestZeroSecretIsNoKey(t *testing.T) {
	var s Secret
	if s.Reveal() != "" || s.Hint() != "" || s.String() != "sk_[redacted]" {
		t.Errorf("the zero secret shows %q, %q, %q", s.Reveal(), s.Hint(), s.String())
	}
}
