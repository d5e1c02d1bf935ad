package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/richtext"
	"github.com/stepsies/stepsies/internal/store"
)

type newStep struct {
	Title   string           `json:"title" doc:"1 to 200 characters." example:"Define Your Sequence Goal"`
	Content optional[string] `json:"content,omitempty" doc:"HTML of at most 100,000 characters, sanitised before it is stored." example:"<p>Before writing a single email...</p>"`
}

type newStepsy struct {
	Title       string              `json:"title" doc:"1 to 200 characters, trimmed before they are counted." example:"Email Welcome Sequence Blueprint"`
	Description optional[string]    `json:"description,omitempty" doc:"At most 2,000 characters."`
	Category    optional[string]    `json:"category,omitempty" enum:"business,marketing,sales,technology,design,productivity,education,health,finance,lifestyle,other" doc:"Default: other." example:"marketing"`
	Slug        optional[string]    `json:"slug,omitempty" pattern:"^[a-z0-9-]{1,100}$" patternDescription:"1 to 100 characters of a-z, 0-9 and hyphen" doc:"1 to 100 of a-z, 0-9 and hyphen, unique among the author's. Default: made from the title."`
	Featured    optional[bool]      `json:"featured,omitempty" doc:"Pin it to the top of the author's page. Default: false."`
	Status      optional[string]    `json:"status,omitempty" enum:"draft,published" doc:"draft (the default), or published to publish at once."`
	Steps       optional[[]newStep] `json:"steps,omitempty" maxItems:"200" doc:"At most 200 steps, in order."`
	User        optional[string]    `json:"user_id,omitempty" doc:"A username: make the stepsy for that author. With the scope admin only. Default: yourself."`
}

type createStepsyInput struct {
	OnceParams
	Body newStepsy
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
			steps[i] = stepOf(&bad, i, 0, s.Title, s.Content)
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

// stepOf sanitises the content of a step. What HTML cannot hold is refused
// before the sanitiser would drop it.
func stepOf(bad *stepsies.Problems, i int, id int64, title string, content optional[string]) stepsies.StepChange {
	raw := *content.orEmpty()
	bad.AddErr(fmt.Sprintf("steps[%d].content", i), stepsies.CheckText(raw, true))
	return stepsies.StepChange{ID: id, Title: title, Content: richtext.Sanitise(raw)}
}

var createStepsy = serve((*API).createStepsy, operation{
	id: "create-stepsy", route: "POST /stepsies", scope: stepsies.ScopeWrite, tag: tagStepsies,
	summary:     "Create a stepsy",
	description: "All of it is stored or none of it. A slug that is made from the title gets a number where it is taken.",
	status:      http.StatusCreated, answer: answersMade,
	request: map[string]any{
		"title":       "Email Welcome Sequence Blueprint",
		"description": "Create a 5-email welcome sequence that converts.",
		"category":    "marketing",
		"steps": []any{
			map[string]any{"title": "Define Your Sequence Goal", "content": "<p>Before writing a single email...</p>"},
			map[string]any{"title": "Write the First Email", "content": "<p>Say hello, and keep your promise.</p>"},
		},
	},
	response: exampleStepsy("draft"),
	fails:    []stepsies.Code{stepsies.CodeNotFound}, // the author
})

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

type stepsyChange struct {
	Title       optional[string]       `json:"title,omitempty" doc:"1 to 200 characters."`
	Description optional[string]       `json:"description,omitempty" doc:"At most 2,000 characters; null empties it."`
	Category    optional[string]       `json:"category,omitempty" enum:"business,marketing,sales,technology,design,productivity,education,health,finance,lifestyle,other" doc:"null: other."`
	Slug        optional[string]       `json:"slug,omitempty" pattern:"^[a-z0-9-]{1,100}$" patternDescription:"1 to 100 characters of a-z, 0-9 and hyphen" doc:"The old one redirects. null: made from the title anew."`
	Featured    optional[bool]         `json:"featured,omitempty" doc:"null: false."`
	Steps       optional[[]stepChange] `json:"steps,omitempty" maxItems:"200" doc:"Replaces the whole list, in the order given. null empties it."`
}

type updateStepsyInput struct {
	StepsyID
	OnceParams
	MatchParams
	Body stepsyChange
	want stepsies.StepsyChange
}

type stepChange struct {
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
			steps[i] = stepOf(&bad, i, id, s.Title, s.Content)
			stored.Steps = append(stored.Steps, stepsies.Step{ID: id})
		}
		in.want.Steps = &steps
	}
	return append(problems(bad.Err()), problems(stored.Change(in.want, someTime))...)
}

var updateStepsy = serve((*API).updateStepsy, operation{
	id: "update-stepsy", route: "PATCH /stepsies/{id}", scope: stepsies.ScopeWrite, tag: tagStepsies, thing: "stepsy",
	summary:     "Update a stepsy",
	description: "A JSON Merge Patch (RFC 7396): what is absent stays, null goes back to the default. `steps` replaces the whole list; a step with its `id` stays who it is. `status` is changed by publish and unpublish.",
	status:      http.StatusOK, answer: answersNow,
	request: map[string]any{
		"description": "Create a welcome sequence that people look forward to.",
		"steps": []any{
			map[string]any{"id": 1, "title": "Define Your Sequence Goal", "content": "<p>Before writing a single email...</p>"},
			map[string]any{"title": "Send It to Yourself First", "content": "<p>Read it on your phone.</p>"},
		},
	},
	response: exampleStepsy("published"),
	fails:    []stepsies.Code{stepsies.CodeNotFound, stepsies.CodePreconditionFailed},
	refuses:  map[string]string{"status": "is read-only here; use publish or unpublish"},
})

func (a *API) updateStepsy(ctx context.Context, in *updateStepsyInput) (*stepsyAnswer, error) {
	c := callOf(ctx)
	w, err := c.write()
	if err != nil {
		return nil, err
	}
	out, err := a.Store.UpdateStepsy(ctx, w, in.ID, in.want)
	if err != nil {
		return nil, err
	}
	return a.answer(out), nil
}

type deleteStepsyInput struct {
	StepsyID
	MatchParams
}

var deleteStepsy = serve((*API).deleteStepsy, operation{
	id: "delete-stepsy", route: "DELETE /stepsies/{id}", scope: stepsies.ScopeWrite, tag: tagStepsies, thing: "stepsy",
	summary:     "Delete a stepsy",
	description: "Gone for the API and the public at once. It stays in its author's trash for 30 days.",
	status:      http.StatusNoContent, answer: answersGone,
	fails: []stepsies.Code{stepsies.CodeNotFound, stepsies.CodePreconditionFailed},
})

func (a *API) deleteStepsy(ctx context.Context, in *deleteStepsyInput) (*struct{}, error) {
	c := callOf(ctx)
	return nil, a.Store.DeleteStepsy(ctx, c.plainWrite(), in.ID)
}

type stepsyActionInput struct {
	StepsyID
	OnceParams
	MatchParams
}

var publishStepsy = serve((*API).publishStepsy, operation{
	id: "publish-stepsy", route: "POST /stepsies/{id}/publish", scope: stepsies.ScopeWrite, tag: tagStepsies, thing: "stepsy",
	summary:     "Publish a stepsy",
	description: "Needs at least one step. Doing it twice changes nothing.",
	status:      http.StatusOK, answer: answersNow,
	response: exampleStepsy("published"),
	fails:    []stepsies.Code{stepsies.CodeNotFound, stepsies.CodePreconditionFailed},
})

func (a *API) publishStepsy(ctx context.Context, in *stepsyActionInput) (*stepsyAnswer, error) {
	return a.moveStepsy(ctx, in.ID, a.Store.PublishStepsy)
}

var unpublishStepsy = serve((*API).unpublishStepsy, operation{
	id: "unpublish-stepsy", route: "POST /stepsies/{id}/unpublish", scope: stepsies.ScopeWrite, tag: tagStepsies, thing: "stepsy",
	summary:     "Unpublish a stepsy",
	description: "Makes it a draft again. Doing it twice changes nothing.",
	status:      http.StatusOK, answer: answersNow,
	response: exampleStepsy("draft"),
	fails:    []stepsies.Code{stepsies.CodeNotFound, stepsies.CodePreconditionFailed},
})

func (a *API) unpublishStepsy(ctx context.Context, in *stepsyActionInput) (*stepsyAnswer, error) {
	return a.moveStepsy(ctx, in.ID, a.Store.UnpublishStepsy)
}

func (a *API) moveStepsy(ctx context.Context, id int64,
	move func(context.Context, store.Write, int64) (store.Outcome[stepsies.Stepsy], error)) (*stepsyAnswer, error) {
	c := callOf(ctx)
	w, err := c.write()
	if err != nil {
		return nil, err
	}
	out, err := move(ctx, w, id)
	if err != nil {
		return nil, err
	}
	return a.answer(out), nil
}
