package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/term"
	"golang.org/x/text/width"
)

// Colours, as a terminal takes them.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
	faint  = "2"
	bold   = "1"
)

// isScreen reports whether what is written is read by a person on a terminal that
// can move its cursor.
func isScreen(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isTerminal(f) && os.Getenv("TERM") != "dumb"
}

// colour returns the text in a colour where w is a terminal, and as it is elsewhere
// and for those who want none (no-color.org).
func colour(w io.Writer, code, text string) string {
	if code == "" || os.Getenv("NO_COLOR") != "" || !isScreen(w) {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// columns returns how many characters fit into a line of the terminal.
func columns(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return n
		}
	}
	return 80
}

// printable returns text from a server or a file as one line that does nothing to a
// terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
}

// table is what is printed with a heading and aligned columns on a terminal, and as
// lines with tabs elsewhere.
type table struct {
	heading []string
	rows    [][]string
	paint   func(row, column int) string // colour of a cell, "" for none
}

// write writes the table. The last column is cut where the terminal ends.
func (tb table) write(w io.Writer) error {
	var b strings.Builder
	if !isScreen(w) {
		for _, row := range tb.rows {
			b.WriteString(strings.Join(row, "\t") + "\n")
		}
		_, err := io.WriteString(w, b.String())
		return err
	}
	widths := make([]int, len(tb.heading))
	for _, row := range append([][]string{tb.heading}, tb.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], columnsOf(cell))
		}
	}
	line := func(row []string, colourOf func(column int) string) {
		left := columns(w)
		for i, cell := range row {
			if i == len(row)-1 {
				b.WriteString(colour(w, colourOf(i), cut(cell, left)) + "\n")
				return
			}
			pad := strings.Repeat(" ", widths[i]-columnsOf(cell)+2)
			b.WriteString(colour(w, colourOf(i), cell) + pad)
			left -= widths[i] + 2
		}
	}
	line(tb.heading, func(int) string { return bold })
	for n, row := range tb.rows {
		line(row, func(column int) string { return tb.paint(n, column) })
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// cut shortens a text to so many columns, but never to nothing.
func cut(text string, most int) string {
	if most = max(most, 10); columnsOf(text) <= most {
		return text
	}
	taken := 0
	for i, r := range text {
		if taken += columnsOfRune(r); taken > most-1 { // the last one is for the dots
			return text[:i] + "…"
		}
	}
	return text
}

// columnsOf returns how many columns of a terminal a printable text takes: letters of
// East Asia and pictures take two, accents that stand on a letter none.
func columnsOf(text string) int {
	n := 0
	for _, r := range text {
		n += columnsOfRune(r)
	}
	return n
}

func columnsOfRune(r rune) int {
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	return 1
}

// progress shows on a terminal how far something has come. Elsewhere it is silent.
type progress struct {
	w           io.Writer
	done, total int
	shown       bool
}

const barWidth = 24

// step shows that another one is done.
func (p *progress) step(what string) {
	p.done++
	if !isScreen(p.w) {
		return
	}
	full := barWidth * p.done / max(p.total, 1)
	bar := strings.Repeat("█", full) + strings.Repeat("░", barWidth-full)
	head := fmt.Sprintf(" %d/%d ", p.done, p.total)
	_, _ = fmt.Fprintf(p.w, "\r\x1b[K%s%s%s", colour(p.w, cyan, bar), head, cut(what, columns(p.w)-barWidth-len(head)-1))
	p.shown = true
}

// clear takes the bar away, so that something else can be written.
func (p *progress) clear() {
	if p != nil && p.shown {
		_, _ = fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}
