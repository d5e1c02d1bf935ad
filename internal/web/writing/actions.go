package writing

import (
	"net/http"
	"strconv"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/web/page"
)

// stepsyAction is a page about one stepsy.
type stepsyAction struct {
	Stepsy  stepsies.Stepsy
	Foreign bool
	Back    string // to the list it stands in
	Typed   bool   // the stepsy is as it was typed, not as it is stored
	Link    previewLink
}

func actionOn(q *page.Request, s stepsies.Stepsy) stepsyAction {
	return stepsyAction{Stepsy: s, Foreign: foreign(q, s), Back: listPath(q, s)}
}

// Preview shows a stepsy as its readers will see it.
func (p *Pages) Preview(q *page.Request) error {
	s, err := p.stepsyOfPath(q)
	if err != nil {
		return err
	}
	made, err := p.Store.PreviewLinkMade(q.Context(), s.ID)
	if err != nil {
		return err
	}
	return showPreview(q, s, previewLink{MadeAt: made})
}

// Publish makes public what is stored. Doing it twice changes nothing.
func (p *Pages) Publish(q *page.Request) error {
	s, err := p.stepsyOfPath(q)
	if err != nil {
		return err
	}
	if _, err = p.Store.PublishStepsy(q.Context(), q.Write(), s.ID); page.FieldErrors(err) != nil {
		return p.showEditor(q, http.StatusUnprocessableEntity, s, stepsyFormOf(s).withProblems(err))
	}
	if err != nil {
		return err
	}
	q.Notice(page.ShortName(s.Title) + " is published. Everyone can read it now.")
	return q.Redirect(page.StepsyPath(s, ""))
}

// Unpublish makes a draft of a stepsy again.
func (p *Pages) Unpublish(q *page.Request) error {
	s, err := p.stepsyOfPath(q)
	if err != nil {
		return err
	}
	if _, err := p.Store.UnpublishStepsy(q.Context(), q.Write(), s.ID); err != nil {
		return err
	}
	q.Notice(page.ShortName(s.Title) + " is a draft again. Its public page is gone.")
	return q.Redirect(page.StepsyPath(s, ""))
}

// Duplicate makes a draft of the same content, of the same author.
func (p *Pages) Duplicate(q *page.Request) error {
	s, err := p.stepsyOfPath(q)
	if err != nil {
		return err
	}
	w := q.Write()
	if w.Once, err = q.Once("duplicate stepsy " + strconv.FormatInt(s.ID, 10)); err != nil {
		return err
	}
	title, steps := copyTitle(s.Title), make([]stepsies.StepChange, len(s.Steps))
	for i, step := range s.Steps {
		steps[i] = stepsies.StepChange{Title: step.Title, Content: step.Content}
	}
	out, err := p.Store.CreateStepsy(q.Context(), w, s.Username, stepsies.StepsyChange{
		Title: &title, Description: &s.Description, Category: &s.Category, Steps: &steps,
	})
	if err != nil {
		return err
	}
	q.Notice("This is the copy, a draft. " + page.ShortName(s.Title) + " stays as it is.")
	return q.Redirect(page.StepsyPath(out.Value, ""))
}

// copyTitle is the title of a copy, shortened where it would grow too long.
func copyTitle(title string) string {
	const tail = " (copy)"
	runes := []rune(title)
	return string(runes[:min(len(runes), stepsies.MaxTitle-len(tail))]) + tail
}

// DeleteForm asks before a stepsy goes to the trash.
func (p *Pages) DeleteForm(q *page.Request) error {
	s, err := p.stepsyOfPath(q)
	if err != nil {
		return err
	}
	return q.Render(http.StatusOK, deleteStepsyPageOf(q.Page("Delete "+s.Title, "Stepsies"), actionOn(q, s)))
}

// Delete moves a stepsy to the trash.
func (p *Pages) Delete(q *page.Request) error {
	s, err := p.stepsyOfPath(q)
	if err != nil {
		return err
	}
	if err := p.Store.DeleteStepsy(q.Context(), q.Write(), s.ID); err != nil {
		return err
	}
	q.Notice(page.ShortName(s.Title) + " is in the trash, where it stays for 30 days.")
	return q.Redirect(listPath(q, s))
}
