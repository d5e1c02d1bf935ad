package richtext

import (
	"strings"
	"testing"
)

// TestShortMarkdownIsNoHugeTable: rows are filled up to the number of columns, by which
// a short text can become millions of cells. These are just over the bound.
func TestShortMarkdownIsNoHugeTable(t *testing.T) {
	wide := "|" + strings.Repeat("a|", 150) + "\n|" + strings.Repeat("-|", 150) + "\n"
	for name, md := range map[string]string{
		"rows":              wide + strings.Repeat("|\n", 100),
		"rows of words":     wide + strings.Repeat("a\n", 100),
		"in a quote":        "> " + strings.ReplaceAll(strings.TrimSuffix(wide, "\n"), "\n", "\n> ") + "\n" + strings.Repeat("> |\n", 100),
		"in a list":         "- " + strings.ReplaceAll(strings.TrimSuffix(wide, "\n"), "\n", "\n  ") + "\n" + strings.Repeat("  |\n", 100),
		"with line returns": strings.ReplaceAll(wide+strings.Repeat("|\n", 100), "\n", "\r\n"),
	} {
		if _, err := FromMarkdown(md); err == nil || !strings.Contains(err.Error(), "give each row its cells") {
			t.Errorf("%s: %v", name, err)
		}
	}
	full := "|" + strings.Repeat("a|", 150) + "\n|" + strings.Repeat("-|", 150) + "\n" + strings.Repeat("|"+strings.Repeat("a|", 150)+"\n", 300)
	for name, md := range map[string]string{
		"a table of 45,000 cells": full, "one with gaps": wide + strings.Repeat("|\n", 60),
		"many small ones": strings.Repeat("|a|b|\n|-|-|\n|1|\n\n", 5_000), "rules and words": strings.Repeat("a | b\n---\nc\n", 5_000),
	} {
		if _, err := FromMarkdown(md); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
