package page

import "strconv"

// ChartDays is how far back charts go, today included.
const ChartDays = 30

// Bar is a rectangle of a chart, in the units of its view box.
type Bar struct{ X, Y, Width, Height string }

// NewBar is a bar whose foot stands at y+height.
func NewBar(x, y, width, height float64) Bar {
	return Bar{decimal(x), decimal(y), decimal(width), decimal(height)}
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) }
