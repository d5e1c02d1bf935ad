package mcp

import (
	"context"

	"github.com/stepsies/stepsies/client"
)

// maxDescriptionInList cuts descriptions in lists, which are there to choose by.
const maxDescriptionInList = 300

type listIn struct {
	Status   client.Status `json:"status,omitempty" jsonschema:"only drafts, or only what is published"`
	Category string        `json:"category,omitempty" jsonschema:"only stepsies of this category"`
	Featured *bool         `json:"featured,omitempty" jsonschema:"only those pinned to the top of their author's page, or only the others"`
	Author   string        `json:"author,omitempty" jsonschema:"username of another person, whose published stepsies are listed instead of the user's own"`
	Sort     client.Sort   `json:"sort,omitempty" jsonschema:"a minus sorts downwards; -created_at where it is left out"`
	Limit    int           `json:"limit,omitempty" jsonschema:"how many to return at most; 20 where it is left out"`
	Cursor   string        `json:"cursor,omitempty" jsonschema:"next_cursor of the page before"`
}

type searchIn struct {
	Query    string        `json:"query" jsonschema:"words to find"`
	Status   client.Status `json:"status,omitempty" jsonschema:"only drafts, or only what is published"`
	Category string        `json:"category,omitempty" jsonschema:"only stepsies of this category"`
	Author   string        `json:"author,omitempty" jsonschema:"username of another person, whose published stepsies are searched instead of the user's own"`
	Limit    int           `json:"limit,omitempty" jsonschema:"how many to return at most; 20 where it is left out"`
	Cursor   string        `json:"cursor,omitempty" jsonschema:"next_cursor of the page before"`
}

type listOut struct {
	Stepsies   []listed `json:"stepsies"`
	NextCursor string   `json:"next_cursor,omitempty" jsonschema:"there are more; give it back as cursor"`
}

// listed is a stepsy in a list.
type listed struct {
	ID          int64         `json:"id"`
	Title       string        `json:"title"`
	Description string        `json:"description,omitempty" jsonschema:"cut where it is long"`
	Category    string        `json:"category"`
	Status      client.Status `json:"status"`
	Featured    bool          `json:"featured,omitempty"`
	Author      string        `json:"author" jsonschema:"username"`
	StepsCount  int           `json:"steps_count"`
	UpdatedAt   string        `json:"updated_at"`
	URL         string        `json:"url" jsonschema:"of the public page, once it is published"`
}

func (s *Server) list(ctx context.Context, in listIn) (listOut, error) {
	return s.page(ctx, client.StepsyQuery{
		Status: in.Status, Category: in.Category, Featured: in.Featured, UserID: in.Author, Sort: in.Sort, Limit: in.Limit, Cursor: in.Cursor,
	})
}

func (s *Server) search(ctx context.Context, in searchIn) (listOut, error) {
	return s.page(ctx, client.StepsyQuery{
		Q: in.Query, Status: in.Status, Category: in.Category, UserID: in.Author, Limit: in.Limit, Cursor: in.Cursor,
	})
}

func (s *Server) page(ctx context.Context, q client.StepsyQuery) (listOut, error) {
	page, err := s.client.ListStepsies(ctx, q)
	if err != nil {
		return listOut{}, err
	}
	out := listOut{Stepsies: make([]listed, len(page.Data)), NextCursor: page.Meta.NextCursor}
	for i, s := range page.Data {
		out.Stepsies[i] = listed{
			ID: s.ID, Title: s.Title, Description: cut(s.Description, maxDescriptionInList), Category: s.Category, Status: s.Status,
			Featured: s.Featured, Author: s.User.Username, StepsCount: s.StepsCount, UpdatedAt: stamp(s.UpdatedAt), URL: s.URL,
		}
	}
	return out, nil
}

// cut returns at most limit characters of a text, and a mark where there were more.
func cut(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return text
}

type readIn struct {
	ID        int64 `json:"id" jsonschema:"of the stepsy, as list_stepsies and search_stepsies give it"`
	FirstStep int   `json:"first_step,omitempty" jsonschema:"position of the step to begin with: next_step of the answer before"`
}

type readOut struct {
	ID            int64         `json:"id"`
	Version       string        `json:"version" jsonschema:"names what was read; update_stepsy wants it"`
	Title         string        `json:"title"`
	Slug          string        `json:"slug" jsonschema:"its name in its url"`
	Description   string        `json:"description,omitempty"`
	Category      string        `json:"category"`
	Status        client.Status `json:"status"`
	Featured      bool          `json:"featured,omitempty" jsonschema:"pinned to the top of its author's page"`
	Author        string        `json:"author" jsonschema:"username"`
	URL           string        `json:"url" jsonschema:"of the public page, once it is published"`
	CreatedAt     string        `json:"created_at"`
	UpdatedAt     string        `json:"updated_at"`
	PublishedAt   string        `json:"published_at,omitempty"`
	Views         int64         `json:"views_count"`
	Completions   int64         `json:"completions_count" jsonschema:"readers who reached the end"`
	AverageRating float64       `json:"average_rating,omitempty" jsonschema:"1 to 5; left out without ratings"`
	StepsCount    int           `json:"steps_count"`
	Steps         []readStep    `json:"steps"`
	NextStep      int           `json:"next_step,omitempty" jsonschema:"there are more steps: read on with it as first_step"`
}

type readStep struct {
	ID       int64  `json:"id" jsonschema:"stays the same when the step is changed or moved"`
	Position int    `json:"position"`
	Title    string `json:"title"`
	Content  string `json:"content,omitempty"`
	Format   format `json:"format,omitempty" jsonschema:"html where the content cannot be written as Markdown without losing something; else Markdown"`
}

func (s *Server) read(ctx context.Context, in readIn) (readOut, error) {
	got, err := s.client.GetStepsy(ctx, in.ID)
	if err != nil {
		return readOut{}, err
	}
	out := readOut{
		ID: got.ID, Version: versionOf(got), Title: got.Title, Slug: got.Slug, Description: got.Description, Category: got.Category, Status: got.Status,
		Featured: got.Featured, Author: got.User.Username, URL: got.URL, CreatedAt: stamp(got.CreatedAt), UpdatedAt: stamp(got.UpdatedAt),
		Views: got.ViewsCount, Completions: got.CompletionsCount, StepsCount: got.StepsCount, Steps: []readStep{},
	}
	if got.PublishedAt != nil {
		out.PublishedAt = stamp(*got.PublishedAt)
	}
	if got.AverageRating != nil {
		out.AverageRating = *got.AverageRating
	}
	first := max(in.FirstStep, 1)
	if first > max(len(got.Steps), 1) {
		return readOut{}, refuse("There is no step %d: the stepsy has %d.", first, len(got.Steps))
	}
	out.Steps, out.NextStep = s.texts(ctx).readable(got.Steps, first)
	return out, nil
}

// maxRead is how many bytes of content one answer has, give or take a step.
const maxRead = 100_000

// readable returns the steps from a position on as Markdown, and the position of
// the first one that has no room: 0 where all have.
func (t texts) readable(steps []client.Step, first int) (out []readStep, next int) {
	out = []readStep{}
	size := 0
	for i := first - 1; i < len(steps); i++ {
		step := readStep{ID: steps[i].ID, Position: i + 1, Title: steps[i].Title}
		step.Content, step.Format = t.toMarkdown(steps[i].Content)
		if size += len(step.Title) + len(step.Content); size > maxRead && len(out) > 0 {
			return out, i + 1
		}
		out = append(out, step)
	}
	return out, 0
}
