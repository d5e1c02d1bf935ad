package stepsies

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
)

// SecretPrefix begins every API key.
const SecretPrefix = "sk_"

// SecretLength is the number of characters of an API key: the prefix and 48
// hexadecimal digits, which carry 192 random bits.
const SecretLength = len(SecretPrefix) + 48

const redacted = "sk_[redacted]"

// Secret is an API key as its bearer knows it. Every way of printing it shows
// "sk_[redacted]"; only Reveal gives the key.
type Secret struct {
	// A pointer, since fmt looks into unexported fields without asking for methods:
	// there it finds an address.
	text *string
}

// KeyHash is the SHA-256 of the 51 ASCII characters of a key, the only form in
// which a key is stored.
type KeyHash [sha256.Size]byte

// NewSecret makes a key from the system's random number generator and nothing
// else. crypto/rand ends the program rather than hand out weak randomness.
func NewSecret() Secret {
	var random [24]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand says so
	text := SecretPrefix + hex.EncodeToString(random[:])
	return Secret{&text}
}

// ParseSecret returns s as a key, and whether it has the form of one: "sk_" and
// 48 lower-case hexadecimal digits.
func ParseSecret(s string) (Secret, bool) {
	if len(s) != SecretLength || s[:len(SecretPrefix)] != SecretPrefix {
		return Secret{}, false
	}
	for _, c := range []byte(s[len(SecretPrefix):]) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return Secret{}, false
		}
	}
	return Secret{&s}, true
}

// Reveal returns the key itself. Its one rightful use is to hand it to its owner.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Hash returns the form in which the key is stored and looked up.
func (s Secret) Hash() KeyHash { return sha256.Sum256([]byte(s.Reveal())) }

// Hint returns enough of the key to recognise it and too little to use it:
// "sk_" and its first four digits, an ellipsis, and its last four.
func (s Secret) Hint() string {
	text := s.Reveal()
	if len(text) != SecretLength {
		return ""
	}
	return text[:len(SecretPrefix)+4] + "…" + text[SecretLength-4:]
}

// String redacts the key.
func (s Secret) String() string { return redacted }

// GoString redacts the key.
func (s Secret) GoString() string { return redacted }

// MarshalText redacts the key, in JSON too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue redacts the key.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
