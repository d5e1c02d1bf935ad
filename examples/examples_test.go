package examples_test

import (
	"bytes"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/examples"
	"github.com/stepsies/stepsies/internal/richtext"
	"github.com/stepsies/stepsies/internal/stepsyfile"
)

type author struct {
	Username    string `yaml:"username"`
	DisplayName string `yaml:"display_name"`
	Email       string `yaml:"email"`
	Bio         string `yaml:"bio"`
	Files       []struct {
		File        string `yaml:"file"`
		Views       int64  `yaml:"views"`
		Completions int64  `yaml:"completions"`
		Ratings     []int  `yaml:"ratings"`
		DaysOld     int    `yaml:"days_old"`

		Words map[int][]string `yaml:"words"`
	} `yaml:"files"`
}

func authors(t *testing.T) []author {
	t.Helper()
	data, err := examples.Stepsies.ReadFile("stepsies/authors.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	var list []author
	if err := dec.Decode(&list); err != nil {
		t.Fatal(err)
	}
	return list
}

func read(t *testing.T, name string) (stepsyfile.File, []byte) {
	t.Helper()
	data, err := examples.Stepsies.ReadFile(path.Join("stepsies", name))
	if err != nil {
		t.Fatal(err)
	}
	f, err := stepsyfile.Parse(data)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return f, data
}

func samples(t *testing.T) []string {
	t.Helper()
	paths, err := fs.Glob(examples.Stepsies, "stepsies/*.md")
	if err != nil || len(paths) < 14 {
		t.Fatalf("%d samples, %v", len(paths), err)
	}
	names := make([]string, len(paths))
	for i, p := range paths {
		names[i] = path.Base(p)
	}
	return names
}

// A pull after a push of the samples must leave a clean working tree.
func TestSamplesAreWrittenAsPullWritesThem(t *testing.T) {
	for _, name := range samples(t) {
		f, data := read(t, name)
		got, err := stepsyfile.Format(f)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if bytes.Equal(got, data) {
			continue
		}
		have, want := strings.Split(string(data), "\n"), strings.Split(string(got), "\n")
		for i, line := range have {
			if i >= len(want) || line != want[i] {
				t.Errorf("%s:%d: reads\n  %q, would be written\n  %q", name, i+1, line, want[min(i, len(want)-1)])
				break
			}
		}
	}
}

func TestSamplesAreGuidesOfOneShape(t *testing.T) {
	categories := map[string]bool{}
	for _, name := range samples(t) {
		f, _ := read(t, name)
		categories[f.Category] = true
		if f.Slug+".md" != name {
			t.Errorf("%s has slug %q", name, f.Slug)
		}
		if f.Description == "" || f.Status == "" {
			t.Errorf("%s lacks a description or a status", name)
		}
		if n := len(f.Steps); n < 4 || n > 9 {
			t.Errorf("%s has %d steps", name, n)
		}
		change := stepsies.StepsyChange{
			Title: &f.Title, Slug: &f.Slug, Description: &f.Description, Category: &f.Category,
			Featured: &f.Featured, Publish: f.Status == "published", Steps: new([]stepsies.StepChange),
		}
		for i, s := range f.Steps {
			content := richtext.Sanitise(s.HTML)
			*change.Steps = append(*change.Steps, stepsies.StepChange{Title: s.Title, Content: content})
			if words := len(strings.Fields(content.Text())); words < 60 || words > 250 {
				t.Errorf("%s: step %d has %d words", name, i+1, words)
			}
			if html := content.HTML(); strings.Contains(html, "<h1") || strings.Contains(html, "<h2") {
				t.Errorf("%s: step %d has a heading as large as a step's", name, i+1)
			}
		}
		if _, err := stepsies.NewStepsy(stepsies.User{ID: 1}, change, time.Unix(0, 0)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, c := range stepsies.Categories {
		if !categories[c] {
			t.Errorf("no sample of category %s", c)
		}
	}
}

func TestEverySampleHasOneAuthorAndCountersThatCanBe(t *testing.T) {
	var claimed []string
	for _, a := range authors(t) {
		want := stepsies.UserChange{Username: &a.Username, DisplayName: &a.DisplayName, Email: &a.Email, Bio: &a.Bio}
		if _, err := stepsies.NewUser(want, stepsies.AccountChange{}, time.Unix(0, 0)); err != nil {
			t.Errorf("%s: %v", a.Username, err)
		}
		for _, s := range a.Files {
			claimed = append(claimed, s.File)
			f, _ := read(t, s.File)
			ratings := 0
			for _, n := range s.Ratings {
				if n < 0 {
					t.Errorf("%s has %d ratings of one kind", s.File, n)
				}
				ratings += n
			}
			for stars, words := range s.Words {
				for _, said := range words {
					if _, err := stepsies.NewRating(stars, said); err != nil || len(words) > s.Ratings[stars-1] {
						t.Errorf("%s: nobody can say %q with %d stars: %v", s.File, said, stars, err)
					}
				}
			}
			switch {
			case len(s.Ratings) != 5 || s.DaysOld < 0:
				t.Errorf("%s: ratings %v, %d days old", s.File, s.Ratings, s.DaysOld)
			case s.Completions < 0 || s.Completions > s.Views || int64(ratings) > s.Completions:
				t.Errorf("%s: %d views, %d completions, %d ratings", s.File, s.Views, s.Completions, ratings)
			case f.Status == "draft" && s.Views > 0:
				t.Errorf("%s is a draft that %d readers saw", s.File, s.Views)
			}
		}
	}
	slices.Sort(claimed)
	if got := samples(t); !slices.Equal(claimed, got) {
		t.Errorf("authors.yaml names %q, the folder holds %q", claimed, got)
	}
}

// The API's documentation shows this stepsy.
func TestTheDocumentedSampleIsThere(t *testing.T) {
	f, _ := read(t, "email-welcome-sequence.md")
	if f.Title != "Email Welcome Sequence Blueprint" || f.Description != "Create a 5-email welcome sequence that converts." ||
		f.Category != "marketing" || f.Status != "published" || len(f.Steps) != 5 {
		t.Errorf("%+v", f)
	}
	if s := f.Steps[0]; s.Title != "Define Your Sequence Goal" || !strings.HasPrefix(s.HTML, "<p>Before writing a single email") {
		t.Errorf("first step: %s: %s", s.Title, s.HTML)
	}
	if a := authors(t)[0]; a.Username != "sarahchen" || a.DisplayName != "Sarah Chen" || a.Files[0].File != "email-welcome-sequence.md" {
		t.Errorf("author: %+v", a)
	}
}
