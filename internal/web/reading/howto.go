package reading

import (
	"fmt"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/web/page"
)

// howTo is a stepsy in the words of schema.org, for search engines.
type howTo struct {
	Context       string       `json:"@context"`
	Type          string       `json:"@type"`
	ID            string       `json:"@id"`
	URL           string       `json:"url"`
	Name          string       `json:"name"`
	Description   string       `json:"description"`
	Image         string       `json:"image"`
	Author        howToAuthor  `json:"author"`
	DatePublished string       `json:"datePublished"`
	DateModified  string       `json:"dateModified"`
	TimeRequired  string       `json:"timeRequired"` // to read it, in the form of ISO 8601
	Rating        *howToRating `json:"aggregateRating,omitempty"`
	Steps         []howToStep  `json:"step"`
}

type howToAuthor struct {
	Type string `json:"@type"`
	Name string `json:"name"`
	URL  string `json:"url"`
}

type howToRating struct {
	Type  string  `json:"@type"`
	Value float64 `json:"ratingValue"`
	Count int64   `json:"ratingCount"`
	Best  int     `json:"bestRating"`
	Worst int     `json:"worstRating"`
}

type howToStep struct {
	Type     string `json:"@type"`
	Position int    `json:"position"`
	Name     string `json:"name"`
	Text     string `json:"text"`
	URL      string `json:"url"`
	Image    string `json:"image,omitempty"`
}

// howToText bounds the text of all steps together, in characters: it stands on the
// page already, and search engines show the beginning of a step at most.
const howToText = 16_000

// howToOf tells of a stepsy. How long it takes to do (totalTime) is left out, since nobody
// has said it; how long it takes to read is known.
func howToOf(m metadata) howTo {
	s := m.Stepsy
	h := howTo{
		Context: "https://schema.org", Type: "HowTo", ID: m.URL + "#howto", URL: m.URL, Name: s.Title, Description: m.Description, Image: m.Image,
		Author:        howToAuthor{Type: "Person", Name: s.DisplayName, URL: m.AuthorURL},
		DatePublished: page.Machine(s.PublishedAt), DateModified: page.Machine(s.UpdatedAt), TimeRequired: fmt.Sprintf("PT%dM", page.MinutesToRead(s)),
		Steps: make([]howToStep, len(s.Steps)),
	}
	if h.Author.Name == "" {
		h.Author.Name = s.Username
	}
	if mean, ok := s.AverageRating(); ok {
		h.Rating = &howToRating{Type: "AggregateRating", Value: mean, Count: s.Ratings, Best: 5, Worst: 1}
	}
	for i, step := range s.Steps {
		most := min(500, howToText/len(s.Steps))
		text := page.Excerpt(step.Content.Beginning(8*most), most) // references such as &amp; take up to 8 bytes for a character
		if text == "" {
			text = step.Title
		}
		h.Steps[i] = howToStep{
			Type: "HowToStep", Position: i + 1, Name: step.Title, Text: text,
			URL: m.URL + "#" + page.StepAnchor(step), Image: firstImage([]stepsies.Step{step}),
		}
	}
	return h
}
