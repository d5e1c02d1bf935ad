package web

import "strconv"

// chartDays is how far back charts go, today included.
const chartDays = 30

// bar is a rectangle of a chart, in the units of its view box.
type bar struct{ X, Y, Width, Height string }

// newBar is a bar whose foot stands at y+height.
func newBar(x, y, width, height float64) bar {
	return bar{decimal(x), decimal(y), decimal(width), decimal(height)}
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) }
