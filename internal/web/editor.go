package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
)

//go:generate go run ../tools/bundle editor assets editor.js=richtext writing.js=writing versions.js=versions

// editorView is the page on which a stepsy is written.
type editorView struct {
	stepsyAction
	Form   stepsyForm
	Origin string // the address of the author's page, which the stepsy's begins with
	Once   string // of the copy that can be made here
}

// editorPage shows a stepsy as it is stored.
func (web *Web) editorPage(q *request) error {
	s, err := q.stepsyOfPath()
	if err != nil {
		return err
	}
	return q.showEditor(http.StatusOK, s, stepsyFormOf(s))
}

func (q *request) showEditor(status int, s stepsies.Stepsy, f stepsyForm) error {
	v := editorView{stepsyAction: q.actionOn(s), Form: f, Once: newOnce(q.web.Now()), Origin: q.web.PublicURL + authorPath(s.Username) + "/"}
	return q.render(status, editorPageOf(q.page("Edit "+s.Title, "Stepsies"), v))
}

// editStepsy does what the button that sent the form says. Only saving and publishing
// store anything; the others show the form again with what was typed.
func (web *Web) editStepsy(q *request) error {
	s, err := q.stepsyOfPath()
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
		return q.showEditor(http.StatusOK, s, f)
	case "preview":
		return q.previewTyped(s, f)
	case "compare":
		return q.showVersions(http.StatusOK, s, f)
	case "keep":
		f.Unsaved = true
		return q.showEditor(http.StatusOK, s, f)
	case "publish":
		return q.save(s, f, true)
	default:
		return q.save(s, f, false)
	}
}

// previewTyped shows what was typed as its readers would see it, and stores nothing.
func (q *request) previewTyped(s stepsies.Stepsy, f stepsyForm) error {
	want, err := f.change()
	if err != nil {
		return q.showEditor(http.StatusUnprocessableEntity, s, f.withProblems(err))
	}
	v := q.actionOn(s)
	v.Typed = true
	v.Stepsy.Title, v.Stepsy.Description, v.Stepsy.Category, v.Stepsy.Steps = f.Title, f.Description, f.Category, nil
	for _, step := range *want.Steps {
		v.Stepsy.Steps = append(v.Stepsy.Steps, stepsies.Step{Title: step.Title, Content: step.Content})
	}
	v.Stepsy.StepsCount = len(v.Stepsy.Steps)
	return q.render(http.StatusOK, stepsyPreview(q.page("Preview of "+f.Title, "Stepsies"), v))
}

// save stores the form, if it was made of the version that is stored still, and publishes
// it by the same write: what cannot be published is not stored either.
func (q *request) save(s stepsies.Stepsy, f stepsyForm, publish bool) error {
	saved, err := q.update(s.ID, f, publish, false)
	switch {
	case err == nil && publish:
		q.notice(shortName(saved.Title) + " is published. Everyone can read it now.")
	case err == nil && saved.Version == f.Version:
		q.notice("Nothing had changed, so there was nothing to save.")
	case err == nil:
		q.notice("Saved.")
	case stepsies.CodeOf(err) == stepsies.CodePreconditionFailed:
		latest, err := q.stepsyOfPath()
		if err != nil {
			return err
		}
		return q.showVersions(http.StatusConflict, latest, f)
	case formProblem(err):
		f = f.withProblems(err)
		f.Unsaved = true
		return q.showEditor(http.StatusUnprocessableEntity, s, f)
	default:
		return err
	}
	return q.redirect(stepsyPath(saved, ""))
}

// update stores a form. Quiet is for what is saved while someone types.
func (q *request) update(id int64, f stepsyForm, publish, quiet bool) (stepsies.Stepsy, error) {
	want, err := f.change()
	if err != nil {
		return stepsies.Stepsy{}, err
	}
	want.Publish = publish
	w := q.write()
	w.Quiet = quiet
	w.Match = func(s stepsies.Stepsy) error {
		if s.Version != f.Version {
			return stepsies.PreconditionFailed()
		}
		return nil
	}
	out, err := q.web.Store.UpdateStepsy(q.Context(), w, id, want)
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
	return fieldErrors(err)
}

// showVersions shows what was typed beside what was stored meanwhile, to choose from.
func (q *request) showVersions(status int, stored stepsies.Stepsy, f stepsyForm) error {
	if err := f.checkText(); err != nil {
		return q.showEditor(http.StatusUnprocessableEntity, stored, f.withProblems(err))
	}
	v := versionsOf(q.actionOn(stored), f)
	v.By = q.lastEditor(stored)
	return q.render(status, versionsPage(q.page("Two versions of "+stored.Title, "Stepsies"), v))
}

// lastEditor names who changed a stepsy last, "" where that is not known.
func (q *request) lastEditor(s stepsies.Stepsy) string {
	found, err := q.web.Store.ListActivity(q.Context(), store.ActivityFilter{
		Access: q.session.Access(), Target: stepsies.TargetStepsy, TargetID: s.ID, Page: store.Page{Limit: 1},
	})
	if err != nil || len(found.Items) == 0 {
		return ""
	}
	return doneBy(q.session.User, found.Items[0].Actor)
}
