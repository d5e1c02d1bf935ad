package web

import (
	"net/http"
	"strconv"

	"github.com/stepsies/stepsies"
)

// stepsyAction is a page about one stepsy.
type stepsyAction struct {
	Stepsy  stepsies.Stepsy
	Foreign bool
	Back    string // to the list it stands in
	Typed   bool   // the stepsy is as it was typed, not as it is stored
	Link    previewLink
}

func (q *request) actionOn(s stepsies.Stepsy) stepsyAction {
	return stepsyAction{Stepsy: s, Foreign: q.foreign(s), Back: q.listPath(s)}
}

// previewPage shows a stepsy as its readers will see it.
func (web *Web) previewPage(q *request) error {
	s, err := q.stepsyOfPath()
	if err != nil {
		return err
	}
	made, err := web.Store.PreviewLinkMade(q.Context(), s.ID)
	if err != nil {
		return err
	}
	return q.showPreview(s, previewLink{MadeAt: made})
}

// publishStepsy makes public what is stored. Doing it twice changes nothing.
func (web *Web) publishStepsy(q *request) error {
	s, err := q.stepsyOfPath()
	if err != nil {
		return err
	}
	if _, err = web.Store.PublishStepsy(q.Context(), q.write(), s.ID); fieldErrors(err) != nil {
		return q.showEditor(http.StatusUnprocessableEntity, s, stepsyFormOf(s).withProblems(err))
	}
	if err != nil {
		return err
	}
	q.notice(shortName(s.Title) + " is published. Everyone can read it now.")
	return q.redirect(stepsyPath(s, ""))
}

func (web *Web) unpublishStepsy(q *request) error {
	s, err := q.stepsyOfPath()
	if err != nil {
		return err
	}
	if _, err := web.Store.UnpublishStepsy(q.Context(), q.write(), s.ID); err != nil {
		return err
	}
	q.notice(shortName(s.Title) + " is a draft again. Its public page is gone.")
	return q.redirect(stepsyPath(s, ""))
}

// duplicateStepsy makes a draft of the same content, of the same author.
func (web *Web) duplicateStepsy(q *request) error {
	s, err := q.stepsyOfPath()
	if err != nil {
		return err
	}
	w := q.write()
	if w.Once, err = q.once("duplicate stepsy " + strconv.FormatInt(s.ID, 10)); err != nil {
		return err
	}
	title, steps := copyTitle(s.Title), make([]stepsies.StepChange, len(s.Steps))
	for i, step := range s.Steps {
		steps[i] = stepsies.StepChange{Title: step.Title, Content: step.Content}
	}
	out, err := web.Store.CreateStepsy(q.Context(), w, s.Username, stepsies.StepsyChange{
		Title: &title, Description: &s.Description, Category: &s.Category, Steps: &steps,
	})
	if err != nil {
		return err
	}
	q.notice("This is the copy, a draft. " + shortName(s.Title) + " stays as it is.")
	return q.redirect(stepsyPath(out.Value, ""))
}

// copyTitle is the title of a copy, shortened where it would grow too long.
func copyTitle(title string) string {
	const tail = " (copy)"
	runes := []rune(title)
	return string(runes[:min(len(runes), stepsies.MaxTitle-len(tail))]) + tail
}

func (web *Web) deleteStepsyPage(q *request) error {
	s, err := q.stepsyOfPath()
	if err != nil {
		return err
	}
	return q.render(http.StatusOK, deleteStepsyPageOf(q.page("Delete "+s.Title, "Stepsies"), q.actionOn(s)))
}

// deleteStepsy moves a stepsy to the trash.
func (web *Web) deleteStepsy(q *request) error {
	s, err := q.stepsyOfPath()
	if err != nil {
		return err
	}
	if err := web.Store.DeleteStepsy(q.Context(), q.write(), s.ID); err != nil {
		return err
	}
	q.notice(shortName(s.Title) + " is in the trash, where it stays for 30 days.")
	return q.redirect(q.listPath(s))
}
