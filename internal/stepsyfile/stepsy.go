package stepsyfile

import "github.com/stepsies/stepsies"

// FileOf is the file of a stepsy that was read with its steps.
func FileOf(s stepsies.Stepsy) File {
	f := File{
		Title: s.Title, Slug: s.Slug, Description: s.Description, Category: s.Category, Status: string(s.Status),
		Featured: !s.FeaturedAt.IsZero(), Steps: make([]Step, len(s.Steps)),
	}
	for i, step := range s.Steps {
		f.Steps[i] = Step{Title: step.Title, HTML: step.Content.HTML()}
	}
	return f
}
