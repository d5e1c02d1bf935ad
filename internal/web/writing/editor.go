package writing

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

//go:generate go run ../../tools/bundle editor ../page/assets editor.js=richtext writing.js=writing versions.js=versions

// editorView is the page on which a stepsy is written.
type editorView struct {
	stepsyAction
	Form   stepsyForm
	Origin string // the address of the author's page, which the stepsy's begins with
	Once   string // of the copy that can be made here
}

// Editor shows a stepsy as it is stored.
func (p *Pages) Editor(q *page.Request) error {
	s, err := p.stepsyOfPath(q)
	if err != nil {
		return err
	}
	return p.showEditor(q, http.StatusOK, s, stepsyFormOf(s))
}

func (p *Pages) showEditor(q *page.Request, status int, s stepsies.Stepsy, f stepsyForm) error {
	v := editorView{stepsyAction: actionOn(q, s), Form: f, Once: page.NewOnce(p.Now()), Origin: p.PublicURL + page.AuthorPath(s.Username) + "/"}
	return q.Render(status, editorPageOf(q.Page("Edit "+s.Title, "Stepsies"), v))
}

// Edit does what the button that sent the form says. Only saving and publishing
// store anything; the others show the form again with what was typed.
func (p *Pages) Edit(q *page.Request) error {
	s, err := p.stepsyOfPath(q)
	if err != nil {
		return err
	}
	f, err := readStepsyForm(q.Request)
	if err != nil {
		return err
	}
	switch act, position, _ := strings.Cut(q.PostFormValue("do"), "-"); act {
	case "add", "up", "down", "remove":
		n, _ := strconv.Atoi(position)
		f.rearrange(act, n)
		f.Unsaved = true
		return p.showEditor(q, http.StatusOK, s, f)
	case "preview":
		return p.previewTyped(q, s, f)
	case "compare":
		return p.showVersions(q, http.StatusOK, s, f)
	case "keep":
		f.Unsaved = true
		return p.showEditor(q, http.StatusOK, s, f)
	case "publish":
		return p.save(q, s, f, true)
	default:
		return p.save(q, s, f, false)
	}
}

// previewTyped shows what was typed as its readers would see it, and stores nothing.
func (p *Pages) previewTyped(q *page.Request, s stepsies.Stepsy, f stepsyForm) error {
	want, err := f.change()
	if err != nil {
		return p.showEditor(q, http.StatusUnprocessableEntity, s, f.withProblems(err))
	}
	v := actionOn(q, s)
	v.Typed = true
	v.Stepsy.Title, v.Stepsy.Description, v.Stepsy.Category, v.Stepsy.Steps = f.Title, f.Description, f.Category, nil
	for _, step := range *want.Steps {
		v.Stepsy.Steps = append(v.Stepsy.Steps, stepsies.Step{Title: step.Title, Content: step.Content})
	}
	v.Stepsy.StepsCount = len(v.Stepsy.Steps)
	return q.Render(http.StatusOK, stepsyPreview(q.Page("Preview of "+f.Title, "Stepsies"), v))
}

// save stores the form, if it was made of the version that is stored still, and publishes
// it by the same write: what cannot be published is not stored either.
func (p *Pages) save(q *page.Request, s stepsies.Stepsy, f stepsyForm, publish bool) error {
	saved, err := p.update(q, s.ID, f, publish, false)
	switch {
	case err == nil && publish:
		q.Notice(page.ShortName(saved.Title) + " is published. Everyone can read it now.")
	case err == nil && saved.Version == f.Version:
		q.Notice("Nothing had changed, so there was nothing to save.")
	case err == nil:
		q.Notice("Saved.")
	case stepsies.CodeOf(err) == stepsies.CodePreconditionFailed:
		latest, err := p.stepsyOfPath(q)
		if err != nil {
			return err
		}
		return p.showVersions(q, http.StatusConflict, latest, f)
	case formProblem(err):
		f = f.withProblems(err)
		f.Unsaved = true
		return p.showEditor(q, http.StatusUnprocessableEntity, s, f)
	default:
		return err
	}
	return q.Redirect(page.StepsyPath(saved, ""))
}

// update stores a form. Quiet is for what is saved while someone types.
func (p *Pages) update(q *page.Request, id int64, f stepsyForm, publish, quiet bool) (stepsies.Stepsy, error) {
	want, err := f.change()
	if err != nil {
		return stepsies.Stepsy{}, err
	}
	want.Publish = publish
	w := q.Write()
	w.Quiet = quiet
	w.Match = func(s stepsies.Stepsy) error {
		if s.Version != f.Version {
			return stepsies.PreconditionFailed()
		}
		return nil
	}
	out, err := p.Store.UpdateStepsy(q.Context(), w, id, want)
	return out.Value, err
}

// formProblem reports whether an error is about what was typed, so that the form can
// say it: a field that does not fit, or a slug that is taken.
func formProblem(err error) bool {
	code := stepsies.CodeOf(err)
	return code == stepsies.CodeValidation || code == stepsies.CodeConflict
}

// problemsOf says what is wrong with each field of the form.
func problemsOf(err error) map[string]string {
	if e, ok := errors.AsType[*stepsies.Error](err); ok && e.Code == stepsies.CodeConflict {
		return map[string]string{"slug": e.Message}
	}
	return page.FieldErrors(err)
}

// showVersions shows what was typed beside what was stored meanwhile, to choose from.
func (p *Pages) showVersions(q *page.Request, status int, stored stepsies.Stepsy, f stepsyForm) error {
	if err := f.checkText(); err != nil {
		return p.showEditor(q, http.StatusUnprocessableEntity, stored, f.withProblems(err))
	}
	v := versionsOf(actionOn(q, stored), f)
	v.By = p.lastEditor(q, stored)
	return q.Render(status, versionsPage(q.Page("Two versions of "+stored.Title, "Stepsies"), v))
}

// lastEditor names who changed a stepsy last, "" where that is not known.
func (p *Pages) lastEditor(q *page.Request, s stepsies.Stepsy) string {
	found, err := p.Store.ListActivity(q.Context(), store.ActivityFilter{
		Access: q.Session.Access(), Target: stepsies.TargetStepsy, TargetID: s.ID, Page: store.Page{Limit: 1},
	})
	if err != nil || len(found.Items) == 0 {
		return ""
	}
	return page.DoneBy(q.Session.User, found.Items[0].Actor)
}
