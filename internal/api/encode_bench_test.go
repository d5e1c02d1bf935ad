package api

import (
	"io"
	"strings"
	"testing"
)

// BenchmarkEncodeList writes a list of twenty stepsies as JSON, without and with
// their steps.
func BenchmarkEncodeList(b *testing.B) {
	content := "<p>" + strings.Repeat("Before writing a single email, decide what it is for. ", 6) + "</p>"
	steps := make([]step, 5)
	for i := range steps {
		steps[i] = step{ID: int64(i + 1), Position: i + 1, Title: "Define Your Sequence Goal", Content: content}
	}
	for _, c := range []struct {
		name  string
		steps *[]step
	}{{"heads", nil}, {"withSteps", &steps}} {
		b.Run(c.name, func(b *testing.B) {
			page := list[listedStepsy]{Meta: examplePage}
			for range 20 {
				page.Data = append(page.Data, listedStepsy{StepsyHead: exampleHead, Steps: c.steps, StepsyTail: exampleTail})
			}
			var size counter
			if err := writeJSON(&size, page); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := writeJSON(io.Discard, page); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// counter counts what is written.
type counter int

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}
