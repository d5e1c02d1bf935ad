package auth

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/testenv"
)

func BenchmarkParseBearer(b *testing.B) {
	h := newHouse(b, store.Config{Path: filepath.Join(b.TempDir(), "stepsies.db")})
	h.user(b, "sarah", "member")
	_, header := h.key(b, "sarah", "read")
	headers := []string{header}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := ParseBearer(headers); !ok {
			b.Fatal("it is no key")
		}
	}
}

// BenchmarkAuthenticate is all that a request pays to know who calls: parsing,
// hashing, the shared look-up and the note of its use.
func BenchmarkAuthenticate(b *testing.B) {
	for _, engine := range []struct {
		name string
		open func(b *testing.B) store.Config
	}{
		{"sqlite", func(b *testing.B) store.Config {
			return store.Config{Path: filepath.Join(b.TempDir(), "stepsies.db")}
		}},
		{"postgres", func(b *testing.B) store.Config { return store.Config{URL: testenv.Postgres(b)} }},
	} {
		b.Run("engine="+engine.name, func(b *testing.B) {
			h := newHouse(b, engine.open(b))
			h.user(b, "sarah", "member")
			var headers [][]string
			for range 100 {
				_, header := h.key(b, "sarah", "read", "write")
				headers = append(headers, []string{header})
			}
			for _, callers := range []int{1, 16} {
				b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
					asked := h.asked()
					b.ReportAllocs()
					b.ResetTimer()
					var wg sync.WaitGroup
					for c := range callers {
						wg.Go(func() {
							for i := c; i < b.N; i += callers {
								if _, err := h.Authenticate(b.Context(), headers[i%len(headers)], "192.0.2.1"); err != nil {
									b.Error(err)
									return
								}
							}
						})
					}
					wg.Wait()
					b.ReportMetric(float64(h.asked()-asked)/float64(b.N), "look-ups/op")
				})
			}
		})
	}
}
