package mcp

import (
	"fmt"
	"strings"
	"time"
)

// text is a line for each stepsy.
func (out listOut) text() string {
	if len(out.Stepsies) == 0 {
		return "There are none.\n"
	}
	var b strings.Builder
	for _, s := range out.Stepsies {
		about := []string{string(s.Status), s.Category, plural(s.StepsCount, "step"), "by " + s.Author, "updated " + s.UpdatedAt}
		if s.Featured {
			about = append(about, "featured")
		}
		fmt.Fprintf(&b, "- %s (id %d): %s. %s", s.Title, s.ID, strings.Join(about, ", "), s.URL)
		if s.Description != "" {
			b.WriteString(" " + strings.Join(strings.Fields(s.Description), " "))
		}
		b.WriteByte('\n')
	}
	if out.NextCursor != "" {
		fmt.Fprintf(&b, "\nThere are more: cursor %s\n", out.NextCursor)
	}
	return b.String()
}

// text is the stepsy as a document, with all that update_stepsy wants to be told.
func (out readOut) text() string {
	var b strings.Builder
	about := []string{
		fmt.Sprintf("id %d", out.ID), "version " + out.Version, string(out.Status), "category " + out.Category, "slug " + out.Slug, "by " + out.Author,
		plural(out.StepsCount, "step"), "updated " + out.UpdatedAt,
	}
	if out.Featured {
		about = append(about, "featured")
	}
	if out.PublishedAt != "" {
		about = append(about, "published "+out.PublishedAt, plural(int(out.Views), "view"), plural(int(out.Completions), "completion"))
	}
	if out.AverageRating > 0 {
		about = append(about, fmt.Sprintf("rated %.1f of 5", out.AverageRating))
	}
	fmt.Fprintf(&b, "# %s\n\n%s. %s\n", out.Title, strings.Join(about, ", "), out.URL)
	if out.Description != "" {
		fmt.Fprintf(&b, "\n%s\n", out.Description)
	}
	for _, step := range out.Steps {
		remark := fmt.Sprintf(" (step id %d)", step.ID)
		if step.Format == formatHTML {
			remark = fmt.Sprintf(" (step id %d, format html)", step.ID)
		}
		step.write(&b, remark)
	}
	if out.NextStep > 0 {
		fmt.Fprintf(&b, "\nThere are more steps: first_step %d\n", out.NextStep)
	}
	return b.String()
}

// text says what there is now.
func (out written) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: id %d, version %s, %s. %s\n", out.Title, out.ID, out.Version, out.Status, out.URL)
	for _, step := range out.Steps {
		fmt.Fprintf(&b, "%d. %s (step id %d)\n", step.Position, step.Title, step.ID)
	}
	return b.String()
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// stamp is a time as the API writes it.
func stamp(at time.Time) string { return at.Format(time.RFC3339) }
