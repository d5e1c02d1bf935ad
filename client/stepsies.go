package client

import (
	"context"
	"iter"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Status says who may see a stepsy.
type Status string

// The states: a draft is its author's alone, what is published is everyone's.
const (
	StatusDraft     Status = "draft"
	StatusPublished Status = "published"
)

// Stepsy is one step-by-step guide.
type Stepsy struct {
	ID               int64      `json:"id"`
	Slug             string     `json:"slug"` // unique among its author's
	Title            string     `json:"title"`
	Description      string     `json:"description"`
	Category         string     `json:"category"`
	Status           Status     `json:"status"`
	PublishedAt      *time.Time `json:"published_at"` // nil as a draft
	Featured         bool       `json:"featured"`     // on top of its author's page
	FeaturedAt       *time.Time `json:"featured_at"`  // nil unless featured
	ViewsCount       int64      `json:"views_count"`
	CompletionsCount int64      `json:"completions_count"`
	AverageRating    *float64   `json:"average_rating"` // 1 to 5 with one decimal; nil without ratings
	URL              string     `json:"url"`            // of its public page
	User             Author     `json:"user"`
	Steps            []Step     `json:"steps,omitzero"` // nil in a list, unless StepsyQuery.IncludeSteps
	StepsCount       int        `json:"steps_count"`
	CreatedAt        time.Time  `json:"created_at"`
	UpdatedAt        time.Time  `json:"updated_at"`

	// ETag names the version that was read or written, for IfMatch and
	// IfNoneMatch; "" where the server gave none, as in lists. It is the same
	// through proxies that compress, which write tags of their own.
	ETag string `json:"-"`
}

// Author is the user who wrote a stepsy.
type Author struct {
	Username    string `json:"username"`
	DisplayName string `json:"display_name"`
}

// Step is one stage of a stepsy.
type Step struct {
	ID       int64  `json:"id"`       // unique in its stepsy, never used again
	Position int    `json:"position"` // from 1
	Title    string `json:"title"`
	Content  string `json:"content"` // sanitised HTML
}

// StepInput is a step as its author wants it.
type StepInput struct {
	// ID says which present step this is, in a change. 0 makes a new one.
	ID      int64  `json:"id,omitzero"`
	Title   string `json:"title"`   // 1 to 200 characters
	Content string `json:"content"` // HTML of at most 100,000 characters, sanitised by the server
}

// StepInputs returns the steps of the stepsy as input, so that they can be
// edited, moved, added to and written back without losing their identity.
func (s Stepsy) StepInputs() []StepInput {
	inputs := make([]StepInput, len(s.Steps))
	for i, step := range s.Steps {
		inputs[i] = StepInput{ID: step.ID, Title: step.Title, Content: step.Content}
	}
	return inputs
}

// NewStepsy is a stepsy to be made. Only the title is required.
type NewStepsy struct {
	Title       string      `json:"title"`                // 1 to 200 characters
	Description string      `json:"description,omitzero"` // at most 2,000 characters
	Category    string      `json:"category,omitzero"`    // "other" where empty
	Slug        string      `json:"slug,omitzero"`        // made from the title where empty
	Featured    bool        `json:"featured,omitzero"`
	Status      Status      `json:"status,omitzero"`  // StatusPublished publishes at once; a draft where empty
	Steps       []StepInput `json:"steps,omitzero"`   // at most 200
	UserID      string      `json:"user_id,omitzero"` // username of the author; the caller where empty; others need the scope admin
}

// StepsyChange is a change of a stepsy. Its status is changed by PublishStepsy
// and UnpublishStepsy.
type StepsyChange struct {
	Title       Optional[string] `json:"title,omitzero"`
	Description Optional[string] `json:"description,omitzero"`
	Category    Optional[string] `json:"category,omitzero"`
	Slug        Optional[string] `json:"slug,omitzero"` // the old one redirects
	Featured    Optional[bool]   `json:"featured,omitzero"`

	// Steps replaces the whole list, in the order given. A step with an ID stays
	// who it is, one without is new, one left out is gone.
	Steps Optional[[]StepInput] `json:"steps,omitzero"`
}

// Sort is an order of stepsies.
type Sort string

// The orders. The first is the default.
const (
	SortNewest            Sort = "-created_at"
	SortOldest            Sort = "created_at"
	SortRecentlyUpdated   Sort = "-updated_at"
	SortRecentlyPublished Sort = "-published_at"
	SortTitle             Sort = "title"
)

// StepsyQuery says which stepsies to list; what is left zero does not filter.
type StepsyQuery struct {
	Limit        int    // page size, 1 to MaxPageSize; 0: 20 for ListStepsies, MaxPageSize for AllStepsies
	Cursor       string // where to begin; "" at the beginning
	Status       Status
	Category     string
	Featured     *bool
	Q            string // words in title, description and steps
	Sort         Sort
	UserID       string // username of the author; the caller where empty
	IncludeSteps bool   // have Stepsy.Steps in the list
}

// ListStepsies returns a page of the caller's own stepsies, or of another
// user's published ones.
func (c *Client) ListStepsies(ctx context.Context, q StepsyQuery, opts ...CallOption) (*Page[Stepsy], error) {
	parameters := map[string]string{
		"status": string(q.Status), "category": q.Category, "q": q.Q, "sort": string(q.Sort), "user_id": q.UserID,
	}
	if q.Featured != nil {
		parameters["featured"] = strconv.FormatBool(*q.Featured)
	}
	if q.IncludeSteps {
		parameters["include"] = "steps"
	}
	return result[Page[Stepsy]](ctx, c, listStepsies.to().paged(q.Limit, q.Cursor, parameters), nil, opts)
}

// AllStepsies returns what ListStepsies returns, over all pages.
func (c *Client) AllStepsies(ctx context.Context, q StepsyQuery) iter.Seq2[Stepsy, error] {
	q.Limit = pageSize(q.Limit)
	return pages(q.Cursor, func(cursor string) (*Page[Stepsy], error) {
		q.Cursor = cursor
		return c.ListStepsies(ctx, q)
	})
}

// GetStepsy returns a stepsy with its steps and its ETag. With IfNoneMatch it
// fails with ErrNotModified while that version is the present one.
func (c *Client) GetStepsy(ctx context.Context, id int64, opts ...CallOption) (*Stepsy, error) {
	return c.oneStepsy(ctx, getStepsy.on(id), nil, opts)
}

// CreateStepsy makes a stepsy.
func (c *Client) CreateStepsy(ctx context.Context, s NewStepsy, opts ...CallOption) (*Stepsy, error) {
	return c.oneStepsy(ctx, createStepsy.to(), s, opts)
}

// UpdateStepsy changes a stepsy. With IfMatch it fails with ErrPreconditionFailed
// when someone else wrote meanwhile.
func (c *Client) UpdateStepsy(ctx context.Context, id int64, change StepsyChange, opts ...CallOption) (*Stepsy, error) {
	return c.oneStepsy(ctx, updateStepsy.on(id), change, opts)
}

// DeleteStepsy deletes a stepsy. Its author can put it back from the dashboard's
// trash for 30 days.
func (c *Client) DeleteStepsy(ctx context.Context, id int64, opts ...CallOption) error {
	_, err := c.call(ctx, deleteStepsy.on(id), nil, nil, opts)
	return err
}

// PublishStepsy makes a stepsy public. One that is public already stays as it
// is; one without steps is refused with ErrValidation.
func (c *Client) PublishStepsy(ctx context.Context, id int64, opts ...CallOption) (*Stepsy, error) {
	return c.oneStepsy(ctx, publishStepsy.on(id), nil, opts)
}

// UnpublishStepsy makes a stepsy a draft again. One that is a draft already stays
// as it is.
func (c *Client) UnpublishStepsy(ctx context.Context, id int64, opts ...CallOption) (*Stepsy, error) {
	return c.oneStepsy(ctx, unpublishStepsy.on(id), nil, opts)
}

func (c *Client) oneStepsy(ctx context.Context, r *request, in any, opts []CallOption) (*Stepsy, error) {
	var s Stepsy
	a, err := c.call(ctx, r, in, &s, opts)
	if err != nil {
		return nil, err
	}
	s.ETag = identityTag(a.header.Get("ETag"))
	return &s, nil
}

// codingOf recognises what proxies put before the closing quote of the tag of an answer
// that they compress.
var codingOf = regexp.MustCompile(`[-;:_.+]{1,2}(?:x-)?(?:gzip|br|zstd|deflate|compress|identity)"$`)

// identityTag is the tag as the server gave it: the same version has one name, whether
// this answer or that one was compressed on its way.
func identityTag(tag string) string {
	tag = strings.TrimPrefix(tag, "W/")
	if at := codingOf.FindStringIndex(tag); at != nil {
		return tag[:at[0]] + `"`
	}
	return tag
}

// result calls and returns the decoded answer.
func result[T any](ctx context.Context, c *Client, r *request, in any, opts []CallOption) (*T, error) {
	var out T
	if _, err := c.call(ctx, r, in, &out, opts); err != nil {
		return nil, err
	}
	return &out, nil
}
