package stepsies

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Bounds of a stepsy, in characters where not said otherwise.
const (
	MaxTitle       = 200
	MaxDescription = 2_000
	MaxSteps       = 200
	MaxContent     = 100_000
)

// Categories lists what a stepsy can be about. The last one is the default.
var Categories = []string{
	"business", "marketing", "sales", "technology", "design", "productivity",
	"education", "health", "finance", "lifestyle", "other",
}

// DefaultCategory is the category of a stepsy that names none.
const DefaultCategory = "other"

// Status says who may see a stepsy.
type Status string

// The states: a draft is its author's alone, what is published is everyone's.
const (
	StatusDraft     Status = "draft"
	StatusPublished Status = "published"
)

// ParseStatus returns the status of that name.
func ParseStatus(name string) (Status, error) {
	switch s := Status(name); s {
	case StatusDraft, StatusPublished:
		return s, nil
	}
	return "", errors.New("must be draft or published")
}

// Step is one stage of a stepsy.
type Step struct {
	ID      int64 // unique in its stepsy, never used again
	Title   string
	Content Content
}

// Stepsy is one step-by-step guide.
type Stepsy struct {
	ID, UserID         int64
	Username           string // of the author
	DisplayName        string // of the author
	AuthorSuspended    bool
	Slug               string // unique among its author's
	Title              string
	Description        string
	Category           string
	Status             Status
	PublishedAt        time.Time // zero as a draft
	FeaturedAt         time.Time // zero when not pinned to the top of its author's page
	Steps              []Step    // nil where only the head was read
	StepsCount         int
	NextStepID         int64
	Version            int64 // grows with every change by the author
	Views, Completions int64
	Ratings, Stars     int64 // how many ratings, and the sum of their stars
	CreatedAt          time.Time
	UpdatedAt          time.Time
	DeletedAt          time.Time // zero unless in the trash
}

// AverageRating returns the mean of the ratings from 1 to 5 with one decimal,
// and whether there are any.
func (s Stepsy) AverageRating() (float64, bool) {
	if s.Ratings == 0 {
		return 0, false
	}
	return math.Round(float64(s.Stars)/float64(s.Ratings)*10) / 10, true
}

// VisibleTo reports whether the access reaches the stepsy for reading: its
// author's and an admin's always, everyone's once it is published and while its
// author is in good standing.
func (s Stepsy) VisibleTo(a Access) bool {
	return s.Status == StatusPublished && !s.AuthorSuspended || s.ChangeableBy(a)
}

// ChangeableBy reports whether the access reaches the stepsy for writing.
func (s Stepsy) ChangeableBy(a Access) bool { return a.Everyone || a.UserID == s.UserID }

// StepChange is a step as an author wants it. An ID of 0 makes a new one.
type StepChange struct {
	ID      int64
	Title   string
	Content Content
}

// StepsyChange says what becomes of a stepsy; nil leaves a field as it is.
type StepsyChange struct {
	Title       *string
	Description *string
	Category    *string
	Slug        *string // empty: made from the title
	Featured    *bool
	Publish     bool // publish what comes of it
	Steps       *[]StepChange
}

// NewStepsy returns a stepsy of the author, or all that is wrong with what is
// wanted. Where no slug is wanted it is made from the title, and the store finds
// one that is free.
func NewStepsy(author User, want StepsyChange, now time.Time) (Stepsy, error) {
	s := Stepsy{
		UserID: author.ID, Username: author.Username, DisplayName: author.DisplayName,
		Category: DefaultCategory, Status: StatusDraft, Steps: []Step{}, NextStepID: 1,
		Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	var bad Problems
	if want.Title == nil {
		bad.Add("title", "is required")
	}
	s.apply(want, now, &bad)
	if want.Slug == nil || *want.Slug == "" {
		s.Slug = SlugFromTitle(s.Title)
	}
	if want.Publish {
		s.publish(now, &bad)
	}
	return s, bad.Err()
}

// Change applies an author's change, or reports all that is wrong with it and
// leaves the stepsy as it was. A change that changes nothing makes no version.
func (s *Stepsy) Change(want StepsyChange, now time.Time) error {
	changed := *s
	var bad Problems
	changed.apply(want, now, &bad)
	if want.Slug != nil && *want.Slug == "" {
		changed.Slug = SlugFromTitle(changed.Title)
	}
	if s.Status == StatusPublished && changed.StepsCount == 0 {
		bad.Add("steps", "must not be empty while the stepsy is published; unpublish it first")
	}
	if want.Publish && s.Status == StatusDraft {
		changed.publish(now, &bad)
	}
	if err := bad.Err(); err != nil {
		return err
	}
	if !changed.SameText(*s) || changed.Status != s.Status {
		changed.Version++
		changed.UpdatedAt = now
	}
	*s = changed
	return nil
}

// SameText reports whether two versions of a stepsy say the same, whoever may read them.
func (s Stepsy) SameText(o Stepsy) bool {
	return s.Title == o.Title && s.Description == o.Description && s.Category == o.Category && s.Slug == o.Slug &&
		s.FeaturedAt.Equal(o.FeaturedAt) && slices.EqualFunc(s.Steps, o.Steps, func(a, b Step) bool {
		return a.ID == b.ID && a.Title == b.Title && a.Content.html == b.Content.html
	})
}

func (s *Stepsy) apply(want StepsyChange, now time.Time, bad *Problems) {
	var err error
	if want.Title != nil {
		s.Title, err = line(*want.Title, 1, MaxTitle)
		bad.AddErr("title", err)
	}
	if want.Description != nil {
		s.Description, err = prose(*want.Description, MaxDescription)
		bad.AddErr("description", err)
	}
	if want.Category != nil {
		s.Category = *want.Category
		bad.AddErr("category", CheckCategory(s.Category))
	}
	if want.Slug != nil && *want.Slug != "" {
		s.Slug, err = ParseSlug(*want.Slug)
		bad.AddErr("slug", err)
	}
	if want.Featured != nil && *want.Featured != !s.FeaturedAt.IsZero() {
		s.FeaturedAt = time.Time{}
		if *want.Featured {
			s.FeaturedAt = now
		}
	}
	if want.Steps != nil {
		s.replaceSteps(*want.Steps, bad)
	}
}

// CheckCategory refuses what is not a category.
func CheckCategory(name string) error {
	if !slices.Contains(Categories, name) {
		return errors.New("must be one of " + strings.Join(Categories, ", "))
	}
	return nil
}

// replaceSteps puts the wanted steps in place of the present ones, in their
// order. A step with an ID stays who it is; one without gets a number that no
// step of this stepsy ever had, since "where readers stop" refers to them.
func (s *Stepsy) replaceSteps(want []StepChange, bad *Problems) {
	if len(want) > MaxSteps {
		bad.Add("steps", "must have at most %d items, has %d", MaxSteps, len(want))
		return
	}
	known := map[int64]bool{}
	for _, step := range s.Steps {
		known[step.ID] = true
	}
	steps := make([]Step, 0, len(want))
	for i, w := range want {
		field := fmt.Sprintf("steps[%d].", i)
		title, err := line(w.Title, 1, MaxTitle)
		bad.AddErr(field+"title", err)
		if err := CheckText(w.Content.html, true); err != nil {
			bad.AddErr(field+"content", err)
		} else if n := w.Content.Length(); n > MaxContent {
			bad.Add(field+"content", "must have at most %d characters, has %d", MaxContent, n)
		}
		switch {
		case w.ID == 0:
			w.ID = s.NextStepID
			s.NextStepID++
		case !known[w.ID]:
			bad.Add(field+"id", "is not a step of this stepsy, or is named twice; leave the id out for a new step")
		}
		delete(known, w.ID)
		steps = append(steps, Step{ID: w.ID, Title: title, Content: w.Content})
	}
	s.Steps, s.StepsCount = steps, len(steps)
}

// Publish makes the stepsy public. It reports whether that changed anything, and
// refuses a stepsy without a step.
func (s *Stepsy) Publish(now time.Time) (bool, error) {
	if s.Status == StatusPublished {
		return false, nil
	}
	var bad Problems
	s.publish(now, &bad)
	if err := bad.Err(); err != nil {
		return false, err
	}
	s.Version++
	s.UpdatedAt = now
	return true, nil
}

func (s *Stepsy) publish(now time.Time, bad *Problems) {
	if s.StepsCount == 0 {
		bad.Add("steps", "must not be empty: a stepsy needs at least one step before it is published")
		return
	}
	s.Status, s.PublishedAt = StatusPublished, now
}

// Unpublish makes the stepsy a draft again. It reports whether that changed
// anything.
func (s *Stepsy) Unpublish(now time.Time) bool {
	if s.Status == StatusDraft {
		return false
	}
	s.Status, s.PublishedAt = StatusDraft, time.Time{}
	s.Version++
	s.UpdatedAt = now
	return true
}

// SearchText returns the words under which the stepsy is found, with spaces
// between them.
func (s Stepsy) SearchText() string {
	texts := []string{s.Title, s.Description}
	for _, step := range s.Steps {
		texts = append(texts, step.Title, step.Content.Text())
	}
	return strings.Join(Words(texts...), " ")
}

// TrashLifetime is how long a deleted stepsy can be put back by its author.
const TrashLifetime = 30 * 24 * time.Hour
