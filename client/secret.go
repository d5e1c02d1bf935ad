package client

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"regexp"
)

const (
	keyPrefix = "sk_"
	keyLength = len(keyPrefix) + 48
	redacted  = "sk_[redacted]"
)

// Secret is an API key. However it is printed, logged or encoded, it shows
// "sk_[redacted]"; only Reveal gives the key. The zero Secret is no key.
type Secret struct {
	// A pointer, since fmt looks into unexported fields of a struct without
	// asking for methods: there it shows an address and not what is behind it.
	text *string
}

// NewSecret returns the key of that text, which is not checked.
func NewSecret(key string) Secret {
	if key == "" {
		return Secret{}
	}
	return Secret{&key}
}

// Reveal returns the key itself, "" for the zero Secret. Hand it to its owner
// or to a secrets manager, and to nothing else.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether there is no key.
func (s Secret) IsZero() bool { return s.text == nil }

// String redacts the key.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// Format redacts the key under every verb, of which some would look past String.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue redacts the key.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText redacts the key, in JSON too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalJSON reads a key as a server sends it: a string, or null for none.
func (s *Secret) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		// The cause may quote what was read.
		return fmt.Errorf("an API key is not a JSON string")
	}
	*s = NewSecret(text)
	return nil
}

// keyLike matches an API key, whole or cut short. Hints such as sk_1a2b…9f0e are
// shorter and stay readable.
var keyLike = regexp.MustCompile(keyPrefix + `[0-9a-fA-F]{8,}`)

// redact takes everything that looks like an API key out of a text that was
// written by someone else.
func redact(text string) string { return keyLike.ReplaceAllLiteralString(text, redacted) }

// hasKeyForm reports whether the text is "sk_" and 48 lower-case hexadecimal digits.
func hasKeyForm(text string) bool {
	if len(text) != keyLength || text[:len(keyPrefix)] != keyPrefix {
		return false
	}
	for _, c := range []byte(text[len(keyPrefix):]) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
