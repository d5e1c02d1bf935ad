package api

import (
	"bytes"
	"context"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/richtext"
	"github.com/stepsies/stepsies/internal/store"
)

// StepsyHead are the fields of a stepsy up to its steps.
type StepsyHead struct {
	ID            int64    `json:"id" example:"123" doc:"Names the stepsy for good."`
	Slug          string   `json:"slug" example:"email-welcome-sequence" doc:"Unique among its author's stepsies; part of its address."`
	Title         string   `json:"title" example:"Email Welcome Sequence Blueprint" doc:"What it is called."`
	Description   string   `json:"description" example:"Create a 5-email welcome sequence that converts." doc:"What it is about; may be empty."`
	Category      string   `json:"category" enum:"business,marketing,sales,technology,design,productivity,education,health,finance,lifestyle,other" example:"marketing" doc:"What kind of thing it is about."`
	Status        string   `json:"status" enum:"draft,published" example:"published" doc:"draft: its author alone sees it. published: everyone does."`
	PublishedAt   *string  `json:"published_at" format:"date-time" example:"2024-12-04T10:30:00Z" doc:"null as a draft."`
	Featured      bool     `json:"featured" example:"false" doc:"Pinned to the top of its author's page."`
	FeaturedAt    *string  `json:"featured_at" format:"date-time" doc:"null unless it is featured."`
	Views         int64    `json:"views_count" example:"150" doc:"How many readers opened it, each once a day."`
	Completions   int64    `json:"completions_count" example:"42" doc:"How many readers came to the end."`
	AverageRating *float64 `json:"average_rating" minimum:"1" maximum:"5" example:"4.5" doc:"1 to 5 with one decimal, null without ratings."`
	URL           string   `json:"url" format:"uri" example:"https://stepsies.com/@sarahchen/email-welcome-sequence" doc:"Its public page."`
	User          author   `json:"user"`
}

// StepsyTail are the fields behind its steps.
type StepsyTail struct {
	StepsCount int    `json:"steps_count" example:"5" doc:"How many steps it has."`
	CreatedAt  string `json:"created_at" format:"date-time" example:"2024-12-04T10:00:00Z" doc:"When it was made."`
	UpdatedAt  string `json:"updated_at" format:"date-time" example:"2024-12-04T10:30:00Z" doc:"When it was last changed."`
}

type author struct {
	Username    string `json:"username" example:"sarahchen" doc:"The author's."`
	DisplayName string `json:"display_name" example:"Sarah Chen" doc:"The author's name, as pages show it."`
}

type step struct {
	ID       int64  `json:"id" example:"1" doc:"Unique in its stepsy and never used again."`
	Position int    `json:"position" example:"1" doc:"From 1."`
	Title    string `json:"title" example:"Define Your Sequence Goal" doc:"What it is called."`
	Content  string `json:"content" example:"<p>Before writing a single email...</p>" doc:"Sanitised HTML."`
}

// stepsy is the whole object. The three parts keep the order of its fields.
type stepsy struct {
	StepsyHead
	Steps []step `json:"steps" doc:"In order."`
	StepsyTail
}

// listedStepsy has its steps only where include=steps asks for them.
type listedStepsy struct {
	StepsyHead
	Steps *[]step `json:"steps,omitempty" doc:"With include=steps only."`
	StepsyTail
}

func (a *API) head(s stepsies.Stepsy) (StepsyHead, StepsyTail) {
	h := StepsyHead{
		ID: s.ID, Slug: s.Slug, Title: s.Title, Description: s.Description, Category: s.Category, Status: string(s.Status),
		PublishedAt: secondsOrNull(s.PublishedAt), Featured: !s.FeaturedAt.IsZero(), FeaturedAt: secondsOrNull(s.FeaturedAt),
		Views: s.Views, Completions: s.Completions,
		URL:  a.PublicURL + "/@" + s.Username + "/" + s.Slug,
		User: author{Username: s.Username, DisplayName: s.DisplayName},
	}
	if rating, ok := s.AverageRating(); ok {
		h.AverageRating = &rating
	}
	return h, StepsyTail{StepsCount: s.StepsCount, CreatedAt: seconds(s.CreatedAt), UpdatedAt: seconds(s.UpdatedAt)}
}

func stepsOf(s stepsies.Stepsy) []step {
	steps := make([]step, len(s.Steps))
	for i, st := range s.Steps {
		steps[i] = step{ID: st.ID, Position: i + 1, Title: st.Title, Content: st.Content.HTML()}
	}
	return steps
}

func (a *API) whole(s stepsies.Stepsy) stepsy {
	head, tail := a.head(s)
	return stepsy{StepsyHead: head, Steps: stepsOf(s), StepsyTail: tail}
}

// StepsyJSON is a stepsy, read with its steps, to the byte as its operations answer
// with it.
func (a *API) StepsyJSON(s stepsies.Stepsy) ([]byte, error) {
	var b bytes.Buffer
	err := writeJSON(&b, a.whole(s))
	return b.Bytes(), err
}

// etag names the author's version; counters move without it.
func etag(s stepsies.Stepsy) string { return fmt.Sprintf(`"%d.%d"`, s.ID, s.Version) }

type stepsyAnswer struct {
	ReplayedHeader
	ETag     string `header:"ETag" doc:"Names the author's version, for If-Match and If-None-Match."`
	Location string `header:"Location" format:"uri" doc:"Where the new stepsy is."`
	Body     stepsy
}

func (a *API) answer(out store.Outcome[stepsies.Stepsy]) *stepsyAnswer {
	return &stepsyAnswer{ReplayedHeader: replayedIf(out.Replayed), ETag: etag(out.Value), Body: a.whole(out.Value)}
}

type listStepsiesInput struct {
	PageParams
	Status   string `query:"status" enum:"draft,published" example:"published" doc:"Only stepsies in this state."`
	Category string `query:"category" enum:"business,marketing,sales,technology,design,productivity,education,health,finance,lifestyle,other" example:"marketing" doc:"Only stepsies of this category."`
	Featured string `query:"featured" enum:"true,false" example:"false" doc:"Only featured stepsies, or only others."`
	Query    string `query:"q" maxLength:"500" example:"welcome seq" doc:"Words that must all begin a word of the title, the description or the steps, whatever their case and accents."`
	Sort     string `query:"sort" enum:"-created_at,created_at,-updated_at,-published_at,title" default:"-created_at" example:"-published_at" doc:"A minus sorts downwards."`
	User     string `query:"user_id" example:"sarahchen" doc:"A username: that author's stepsies instead of your own, only published ones unless the key has the scope admin."`
	Include  string `query:"include" enum:"steps" example:"steps" doc:"The value steps gives every item of the list its steps too."`
}

type listStepsiesAnswer struct {
	Link string `header:"Link" doc:"The next page, rel=\"next\" (RFC 8288)."`
	Body struct {
		Data []listedStepsy `json:"data" doc:"The items of this page."`
		Meta meta           `json:"meta"`
	}
}

func (a *API) listStepsies(ctx context.Context, in *listStepsiesInput) (*listStepsiesAnswer, error) {
	c := callOf(ctx)
	filter := store.StepsyFilter{
		Author: in.User, Access: c.principal.Access(), Status: stepsies.Status(in.Status), Category: in.Category,
		Query: in.Query, Sort: in.Sort, Page: in.store(), WithSteps: in.Include == "steps",
	}
	if filter.Author == "" && c.principal.IsOperator() {
		return nil, stepsies.BadRequest("The operator has no stepsies. Say whose to list with user_id.")
	}
	if in.Featured != "" {
		yes := in.Featured == "true"
		filter.Featured = &yes
	}
	found, err := a.Store.ListStepsies(ctx, filter)
	if err != nil {
		return nil, err
	}
	out := &listStepsiesAnswer{}
	out.Link, out.Body.Meta = a.listHead(c, in.Limit, found.Next)
	out.Body.Data = make([]listedStepsy, len(found.Items))
	for i, s := range found.Items {
		item := &out.Body.Data[i]
		item.StepsyHead, item.StepsyTail = a.head(s)
		if filter.WithSteps {
			steps := stepsOf(s)
			item.Steps = &steps
		}
	}
	return out, nil
}

type StepsyID struct {
	ID int64 `path:"id" doc:"The id of the stepsy." example:"123"`
}

type getStepsyInput struct {
	StepsyID
	IfNoneMatch string `header:"If-None-Match" example:"\"123.4\"" doc:"ETags that you have: the answer is 304 if one of them is the present one."`
}

func (a *API) getStepsy(ctx context.Context, in *getStepsyInput) (*stepsyAnswer, error) {
	s, err := a.Store.Stepsy(ctx, in.ID, callOf(ctx).principal.Access())
	if err != nil {
		return nil, err
	}
	if tags, given := callOf(ctx).tags("If-None-Match"); given && matches(tags, etag(s), true) {
		return nil, notModified{etag(s)}
	}
	return a.answer(store.Outcome[stepsies.Stepsy]{Value: s}), nil
}

type newStep struct {
	Title   string           `json:"title" doc:"1 to 200 characters." example:"Define Your Sequence Goal"`
	Content optional[string] `json:"content,omitempty" doc:"HTML of at most 100,000 characters, sanitised before it is stored." example:"<p>Before writing a single email...</p>"`
}

type createStepsyInput struct {
	OnceParams
	Body struct {
		Title       string              `json:"title" doc:"1 to 200 characters, trimmed before they are counted." example:"Email Welcome Sequence Blueprint"`
		Description optional[string]    `json:"description,omitempty" doc:"At most 2,000 characters."`
		Category    optional[string]    `json:"category,omitempty" enum:"business,marketing,sales,technology,design,productivity,education,health,finance,lifestyle,other" doc:"Default: other." example:"marketing"`
		Slug        optional[string]    `json:"slug,omitempty" pattern:"^[a-z0-9-]{1,100}$" patternDescription:"1 to 100 characters of a-z, 0-9 and hyphen" doc:"1 to 100 of a-z, 0-9 and hyphen, unique among the author's. Default: made from the title."`
		Featured    optional[bool]      `json:"featured,omitempty" doc:"Pin it to the top of the author's page. Default: false."`
		Status      optional[string]    `json:"status,omitempty" enum:"draft,published" doc:"draft (the default), or published to publish at once."`
		Steps       optional[[]newStep] `json:"steps,omitempty" maxItems:"200" doc:"At most 200 steps, in order."`
		User        optional[string]    `json:"user_id,omitempty" doc:"A username: make the stepsy for that author. With the scope admin only. Default: yourself."`
	}
	want stepsies.StepsyChange
}

// Resolve applies the rules of the domain.
func (in *createStepsyInput) Resolve(huma.Context) []error {
	b := &in.Body
	in.want = stepsies.StepsyChange{
		Title: &b.Title, Description: b.Description.or(""), Category: b.Category.or(stepsies.DefaultCategory),
		Slug: b.Slug.or(""), Featured: b.Featured.or(false),
	}
	var bad stepsies.Problems
	bad = append(bad, emptySlug(b.Slug)...)
	if status := b.Status.or(string(stepsies.StatusDraft)); status != nil {
		s, err := stepsies.ParseStatus(*status)
		bad.AddErr("status", err)
		in.want.Publish = s == stepsies.StatusPublished
	}
	if b.Steps.set {
		steps := make([]stepsies.StepChange, len(b.Steps.value))
		for i, s := range b.Steps.value {
			steps[i] = stepChange(&bad, i, 0, s.Title, s.Content)
		}
		in.want.Steps = &steps
	}
	_, err := stepsies.NewStepsy(stepsies.User{}, in.want, someTime)
	return append(problems(bad.Err()), problems(err)...)
}

// emptySlug refuses "", which the domain takes for "made from the title".
func emptySlug(slug optional[string]) (bad stepsies.Problems) {
	if slug.set && !slug.null && slug.value == "" {
		bad.Add("slug", "must not be empty; leave it out to have it made from the title")
	}
	return bad
}

// stepChange sanitises the content of a step. What HTML cannot hold is refused
// before the sanitiser would drop it.
func stepChange(bad *stepsies.Problems, i int, id int64, title string, content optional[string]) stepsies.StepChange {
	raw := *content.orEmpty()
	bad.AddErr(fmt.Sprintf("steps[%d].content", i), stepsies.CheckText(raw, true))
	return stepsies.StepChange{ID: id, Title: title, Content: richtext.Sanitise(raw)}
}

func (o optional[T]) orEmpty() *T {
	var zero T
	if v := o.or(zero); v != nil {
		return v
	}
	return &zero
}

func (a *API) createStepsy(ctx context.Context, in *createStepsyInput) (*stepsyAnswer, error) {
	c := callOf(ctx)
	author, err := c.owner(in.Body.User)
	if err != nil {
		return nil, err
	}
	w, err := c.write()
	if err != nil {
		return nil, err
	}
	out, err := a.Store.CreateStepsy(ctx, w, author, in.want)
	if err != nil {
		return nil, err
	}
	answer := a.answer(out)
	answer.Location = fmt.Sprintf("%s%s/stepsies/%d", a.PublicURL, basePath, out.Value.ID)
	return answer, nil
}

type updateStepsyInput struct {
	StepsyID
	OnceParams
	MatchParams
	Body struct {
		Title       optional[string]        `json:"title,omitempty" doc:"1 to 200 characters."`
		Description optional[string]        `json:"description,omitempty" doc:"At most 2,000 characters; null empties it."`
		Category    optional[string]        `json:"category,omitempty" enum:"business,marketing,sales,technology,design,productivity,education,health,finance,lifestyle,other" doc:"null: other."`
		Slug        optional[string]        `json:"slug,omitempty" pattern:"^[a-z0-9-]{1,100}$" patternDescription:"1 to 100 characters of a-z, 0-9 and hyphen" doc:"The old one redirects. null: made from the title anew."`
		Featured    optional[bool]          `json:"featured,omitempty" doc:"null: false."`
		Steps       optional[[]changedStep] `json:"steps,omitempty" maxItems:"200" doc:"Replaces the whole list, in the order given. null empties it."`
	}
	want stepsies.StepsyChange
}

type changedStep struct {
	ID      optional[int64]  `json:"id,omitempty" minimum:"1" doc:"Of a step that there is already; leave it out for a new one."`
	Title   string           `json:"title" doc:"1 to 200 characters."`
	Content optional[string] `json:"content,omitempty" doc:"HTML of at most 100,000 characters."`
}

// Resolve applies the rules of the domain that need not know the stored stepsy.
func (in *updateStepsyInput) Resolve(huma.Context) []error {
	b := &in.Body
	in.want = stepsies.StepsyChange{
		Title: b.Title.or(""), Description: b.Description.or(""), Category: b.Category.or(stepsies.DefaultCategory),
		Slug: b.Slug.or(""), Featured: b.Featured.or(false),
	}
	bad := emptySlug(b.Slug)
	stored := stepsies.Stepsy{Title: "t", Status: stepsies.StatusDraft}
	if b.Steps.set {
		steps := make([]stepsies.StepChange, len(b.Steps.value))
		for i, s := range b.Steps.value {
			id := *s.ID.orEmpty()
			if s.ID.set && !s.ID.null && id <= 0 {
				bad.Add(fmt.Sprintf("steps[%d].id", i), "must be the id of a step")
			}
			steps[i] = stepChange(&bad, i, id, s.Title, s.Content)
			stored.Steps = append(stored.Steps, stepsies.Step{ID: id})
		}
		in.want.Steps = &steps
	}
	return append(problems(bad.Err()), problems(stored.Change(in.want, someTime))...)
}

func (a *API) updateStepsy(ctx context.Context, in *updateStepsyInput) (*stepsyAnswer, error) {
	c := callOf(ctx)
	w, err := c.write()
	if err != nil {
		return nil, err
	}
	out, err := a.Store.UpdateStepsy(ctx, w, in.ID, c.principal.Access(), in.want)
	if err != nil {
		return nil, err
	}
	return a.answer(out), nil
}

type deleteStepsyInput struct {
	StepsyID
	MatchParams
}

func (a *API) deleteStepsy(ctx context.Context, in *deleteStepsyInput) (*struct{}, error) {
	c := callOf(ctx)
	return nil, a.Store.DeleteStepsy(ctx, store.Write{Actor: c.principal.Actor, Match: c.match()}, in.ID, c.principal.Access())
}

type stepsyActionInput struct {
	StepsyID
	OnceParams
	MatchParams
}

func (a *API) publishStepsy(ctx context.Context, in *stepsyActionInput) (*stepsyAnswer, error) {
	return a.moveStepsy(ctx, in.ID, a.Store.PublishStepsy)
}

func (a *API) unpublishStepsy(ctx context.Context, in *stepsyActionInput) (*stepsyAnswer, error) {
	return a.moveStepsy(ctx, in.ID, a.Store.UnpublishStepsy)
}

func (a *API) moveStepsy(ctx context.Context, id int64,
	move func(context.Context, store.Write, int64, stepsies.Access) (store.Outcome[stepsies.Stepsy], error)) (*stepsyAnswer, error) {
	c := callOf(ctx)
	w, err := c.write()
	if err != nil {
		return nil, err
	}
	out, err := move(ctx, w, id, c.principal.Access())
	if err != nil {
		return nil, err
	}
	return a.answer(out), nil
}
