package main

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/examples"
	"github.com/stepsies/stepsies/internal/richtext"
	"github.com/stepsies/stepsies/internal/stepsyfile"
)

// sampleAuthor is one of the authors in authors.yaml.
type sampleAuthor struct {
	Username    string   `yaml:"username"`
	DisplayName string   `yaml:"display_name"`
	Email       string   `yaml:"email"`
	Bio         string   `yaml:"bio"`
	Files       []sample `yaml:"files"`
}

// sample is a stepsy of an author, with what readers did.
type sample struct {
	File        string   `yaml:"file"`
	DaysOld     int      `yaml:"days_old"`
	Views       int64    `yaml:"views"`
	Completions int64    `yaml:"completions"`
	Ratings     [5]int64 `yaml:"ratings"` // how many gave 1 to 5 stars

	Words map[int][]string `yaml:"words"` // to the author, by stars

	change stepsies.StepsyChange
}

// readSamples reads the sample stepsies that are built into the program.
func readSamples() ([]sampleAuthor, error) {
	text, err := examples.Stepsies.ReadFile("stepsies/authors.yaml")
	if err != nil {
		return nil, err
	}
	var authors []sampleAuthor
	if err := yaml.Unmarshal(text, &authors); err != nil {
		return nil, fmt.Errorf("authors.yaml: %w", err)
	}
	for _, a := range authors {
		for i := range a.Files {
			if err := a.Files[i].read(); err != nil {
				return nil, fmt.Errorf("%s: %w", a.Files[i].File, err)
			}
		}
	}
	return authors, nil
}

func (s *sample) read() error {
	text, err := examples.Stepsies.ReadFile("stepsies/" + s.File)
	if err != nil {
		return err
	}
	f, err := stepsyfile.Parse(text)
	if err != nil {
		return err
	}
	steps := make([]stepsies.StepChange, len(f.Steps))
	for i, step := range f.Steps {
		steps[i] = stepsies.StepChange{Title: step.Title, Content: richtext.Sanitise(step.HTML)}
	}
	s.change = stepsies.StepsyChange{
		Title: &f.Title, Slug: &f.Slug, Description: &f.Description, Category: &f.Category,
		Featured: &f.Featured, Publish: f.Status == string(stepsies.StatusPublished), Steps: &steps,
	}
	return nil
}
