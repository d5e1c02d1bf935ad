package mcp

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stepsies/stepsies/client"
)

type draftIn struct {
	Title       string    `json:"title"`
	Description string    `json:"description,omitempty" jsonschema:"what it is about, in a sentence or two of plain text"`
	Category    string    `json:"category,omitempty" jsonschema:"one of business, marketing, sales, technology, design, productivity, education, health, finance, lifestyle, other; other where it is left out"`
	Slug        string    `json:"slug,omitempty" jsonschema:"its name in its url; made from the title where it is left out"`
	Steps       []newStep `json:"steps,omitempty" jsonschema:"the steps in order"`
}

type newStep struct {
	Title   string `json:"title" jsonschema:"what to do, in a few words"`
	Content string `json:"content,omitempty" jsonschema:"how to do it: Markdown (CommonMark with tables), without the title; headings of it begin with ###"`
	Format  format `json:"format,omitempty" jsonschema:"of the content; markdown where it is left out"`
}

// written is what a tool that writes returns: enough to go on with, and not what
// was just sent.
type written struct {
	ID      int64         `json:"id"`
	Version string        `json:"version" jsonschema:"of what there is now, for the next update_stepsy"`
	Title   string        `json:"title"`
	Status  client.Status `json:"status"`
	URL     string        `json:"url" jsonschema:"of the public page, once it is published"`
	Steps   []writtenStep `json:"steps"`
}

type writtenStep struct {
	ID       int64  `json:"id"`
	Position int    `json:"position"`
	Title    string `json:"title"`
}

func (s *Server) draft(ctx context.Context, in draftIn) (written, error) {
	want := client.NewStepsy{Title: in.Title, Description: in.Description, Category: in.Category, Slug: in.Slug, Status: client.StatusDraft}
	texts := s.texts(ctx)
	for i, step := range in.Steps {
		html, err := texts.toHTML(step.Content, step.Format)
		if err != nil {
			return written{}, refuse("The content of step %d cannot be read: %v.", i+1, err)
		}
		want.Steps = append(want.Steps, client.StepInput{Title: step.Title, Content: html})
	}
	return wrote(s.client.CreateStepsy(ctx, want))
}

type updateIn struct {
	ID          int64         `json:"id" jsonschema:"of the stepsy"`
	Version     string        `json:"version" jsonschema:"as read_stepsy, or the tool that wrote last, gave it"`
	Title       *string       `json:"title,omitempty"`
	Description *string       `json:"description,omitempty" jsonschema:"plain text; empty takes it away"`
	Category    *string       `json:"category,omitempty"`
	Slug        *string       `json:"slug,omitempty" jsonschema:"the old one redirects"`
	Featured    *bool         `json:"featured,omitempty" jsonschema:"pin it to the top of its author's page, or take it from there"`
	Steps       []changedStep `json:"steps,omitempty" jsonschema:"the whole list in its new order; leave it out to leave all steps as they are"`
	RemoveSteps []int64       `json:"remove_steps,omitempty" jsonschema:"ids of the steps that are to go"`
}

type changedStep struct {
	ID      int64   `json:"id,omitempty" jsonschema:"of a step that there is; left out for a new one"`
	Title   *string `json:"title,omitempty" jsonschema:"stays as it is where it is left out; a new step needs one"`
	Content *string `json:"content,omitempty" jsonschema:"Markdown, as for draft_stepsy; stays as it is where it is left out"`
	Format  format  `json:"format,omitempty" jsonschema:"of the content; markdown where it is left out"`
}

func (s *Server) update(ctx context.Context, in updateIn) (written, error) {
	change := client.StepsyChange{
		Title: given(in.Title), Description: given(in.Description), Category: given(in.Category), Slug: given(in.Slug), Featured: given(in.Featured),
	}
	version := client.IfMatch(`"` + strings.Trim(in.Version, `"`) + `"`)
	if in.Steps != nil || in.RemoveSteps != nil {
		now, err := s.client.GetStepsy(ctx, in.ID)
		if err != nil {
			return written{}, err
		}
		if versionOf(now) != strings.Trim(in.Version, `"`) {
			return written{}, errStale
		}
		steps, err := s.texts(ctx).newOrder(now.Steps, in)
		if err != nil {
			return written{}, err
		}
		change.Steps = client.Set(steps)
	}
	return wrote(s.client.UpdateStepsy(ctx, in.ID, change, version))
}

// newOrder returns the list of steps that an update asks for. It refuses to lose a
// step that nobody named, for an assistant may have read, or remembered, a part.
func (t texts) newOrder(now []client.Step, in updateIn) ([]client.StepInput, error) {
	left := map[int64]client.Step{}
	for _, step := range now {
		left[step.ID] = step
	}
	for _, id := range in.RemoveSteps {
		if _, ok := left[id]; !ok {
			return nil, refuse("remove_steps names the step %d, which the stepsy does not have. Its steps are %s.", id, ids(now))
		}
		delete(left, id)
	}
	wanted := in.Steps
	if wanted == nil { // steps go, and the others stay as they are
		for _, step := range now {
			if _, stays := left[step.ID]; stays {
				wanted = append(wanted, changedStep{ID: step.ID})
			}
		}
	}
	steps := make([]client.StepInput, 0, len(wanted))
	for i, want := range wanted {
		was, known := left[want.ID]
		if want.ID != 0 && !known {
			return nil, refuse("Item %d of steps has the id %d, which is no step of the stepsy, stands in steps twice or in remove_steps as well. Its steps are %s.", i+1, want.ID, ids(now))
		}
		delete(left, want.ID)
		step, err := t.change(was, want)
		if err != nil {
			return nil, refuse("Item %d of steps: %v.", i+1, err)
		}
		steps = append(steps, step)
	}
	if len(left) > 0 {
		var lost []client.Step
		for _, step := range now {
			if _, ok := left[step.ID]; ok {
				lost = append(lost, step)
			}
		}
		return nil, refuse("Nothing was changed: steps leaves out %s. Add each as {\"id\": …} where it is to stand, or name it in remove_steps if it is to go.", ids(lost))
	}
	return steps, nil
}

// change returns the step with what is wanted changed. was is zero for a new one.
func (t texts) change(was client.Step, want changedStep) (client.StepInput, error) {
	step := client.StepInput{ID: was.ID, Title: was.Title, Content: was.Content}
	switch {
	case want.Title != nil:
		step.Title = *want.Title
	case was.ID == 0:
		return step, fmt.Errorf("a new step needs a title")
	}
	if want.Content == nil {
		return step, nil
	}
	if md, f := t.toMarkdown(was.Content); was.ID != 0 && md == *want.Content && (f == formatHTML) == (want.Format == formatHTML) {
		return step, nil // what was read and is sent back stays to the letter
	}
	var err error
	step.Content, err = t.toHTML(*want.Content, want.Format)
	return step, err
}

// ids names steps for an assistant: 4 "Boil water", 5 "Steep".
func ids(steps []client.Step) string {
	if len(steps) == 0 {
		return "none"
	}
	const most = 20
	var names []string
	for _, step := range steps[:min(len(steps), most)] {
		names = append(names, fmt.Sprintf("%d %q", step.ID, cut(step.Title, 60)))
	}
	if n := len(steps) - most; n > 0 {
		names = append(names, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(names, ", ")
}

func given[T any](v *T) client.Optional[T] {
	if v == nil {
		return client.Optional[T]{}
	}
	return client.Set(*v)
}

type oneIn struct {
	ID int64 `json:"id" jsonschema:"of the stepsy"`
}

func (s *Server) publish(ctx context.Context, in oneIn) (written, error) {
	return wrote(s.client.PublishStepsy(ctx, in.ID))
}

func (s *Server) unpublish(ctx context.Context, in oneIn) (written, error) {
	return wrote(s.client.UnpublishStepsy(ctx, in.ID))
}

func wrote(s *client.Stepsy, err error) (written, error) {
	if err != nil {
		return written{}, err
	}
	out := written{ID: s.ID, Version: versionOf(s), Title: s.Title, Status: s.Status, URL: s.URL, Steps: []writtenStep{}}
	for step := range slices.Values(s.Steps) {
		out.Steps = append(out.Steps, writtenStep{ID: step.ID, Position: step.Position, Title: step.Title})
	}
	return out, nil
}

// versionOf returns the ETag without its quotes, which assistants lose in JSON.
func versionOf(s *client.Stepsy) string { return strings.Trim(s.ETag, `"`) }
