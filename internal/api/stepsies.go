package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/stepsies/stepsies"
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

func (author) about() string { return "Who wrote it." }

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

func (listedStepsy) about() string {
	return "A stepsy in a list: without its steps, unless `include=steps` asks for them."
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

type stepsyList list[listedStepsy]

var listStepsies = serve((*API).listStepsies, operation{
	id: "list-stepsies", route: "GET /stepsies", scope: stepsies.ScopeRead, tag: tagStepsies,
	summary:     "List stepsies",
	description: "Your own stepsies, newest first, without their steps. A page costs the same at any depth.",
	status:      http.StatusOK, answer: answersPage,
	response: stepsyList{Data: []listedStepsy{{StepsyHead: exampleHead, StepsyTail: exampleTail}}, Meta: examplePage},
	fails:    []stepsies.Code{stepsies.CodeNotFound}, // the author
})

func (a *API) listStepsies(ctx context.Context, in *listStepsiesInput) (*listAnswer[stepsyList], error) {
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
	link, body := page(a, c, in.Limit, found, func(s stepsies.Stepsy) (item listedStepsy) {
		item.StepsyHead, item.StepsyTail = a.head(s)
		if filter.WithSteps {
			steps := stepsOf(s)
			item.Steps = &steps
		}
		return item
	})
	return &listAnswer[stepsyList]{Link: link, Body: stepsyList(body)}, nil
}

type StepsyID struct {
	ID int64 `path:"id" doc:"The id of the stepsy." example:"123"`
}

type getStepsyInput struct {
	StepsyID
	IfNoneMatch string `header:"If-None-Match" example:"\"123.4\"" doc:"ETags that you have: the answer is 304 if one of them is the present one."`
}

var getStepsy = serve((*API).getStepsy, operation{
	id: "get-stepsy", route: "GET /stepsies/{id}", scope: stepsies.ScopeRead, tag: tagStepsies, thing: "stepsy",
	summary:     "Get a stepsy",
	description: "Your own stepsies, and what others have published. Another user's draft does not exist for you.",
	status:      http.StatusOK, answer: answersNow, notModified: true,
	response: exampleStepsy("published"),
	fails:    []stepsies.Code{stepsies.CodeNotFound},
})

func (a *API) getStepsy(ctx context.Context, in *getStepsyInput) (*stepsyAnswer, error) {
	s, err := a.Store.Stepsy(ctx, in.ID, callOf(ctx).principal.Access())
	if err != nil {
		return nil, err
	}
	if tags, given := callOf(ctx).tags("If-None-Match"); given && matches(tags, etag(s)) {
		return nil, notModified{etag(s)}
	}
	return a.answer(store.Outcome[stepsies.Stepsy]{Value: s}), nil
}
