package stepsies

import "testing"

func BenchmarkParseSecret(b *testing.B) {
	text := NewSecret().Reveal()
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := ParseSecret(text); !ok {
			b.Fatal("it is no key")
		}
	}
}

// BenchmarkParseAndHashSecret is all that a key costs before it is looked up.
func BenchmarkParseAndHashSecret(b *testing.B) {
	text := NewSecret().Reveal()
	var hash KeyHash
	b.ReportAllocs()
	for b.Loop() {
		s, _ := ParseSecret(text)
		hash = s.Hash()
	}
	if hash == (KeyHash{}) {
		b.Fatal("no hash")
	}
}

func BenchmarkNewSecret(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		NewSecret()
	}
}
