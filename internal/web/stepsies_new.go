package web

import (
	"net/http"

	"github.com/stepsies/stepsies"
)

// newStepsyForm is what the form of a new stepsy shows.
type newStepsyForm struct {
	Author      stepsies.User
	Foreign     bool
	Title       string
	Description string
	Category    string
	Once        string
	Problems    map[string]string
}

func (web *Web) newStepsyPage(q *request) error {
	author, err := q.whose(web.Store, q.FormValue("user"))
	if err != nil {
		return err
	}
	f := newStepsyForm{Author: author, Foreign: author.ID != q.session.User.ID, Category: stepsies.DefaultCategory, Once: newOnce(web.Now())}
	return q.render(http.StatusOK, newStepsyPageOf(q.page("New stepsy", "Stepsies"), f))
}

// createStepsy makes a draft and opens it in the editor. The form can be sent twice
// and makes one all the same.
func (web *Web) createStepsy(q *request) error {
	author, err := q.whose(web.Store, q.FormValue("user"))
	if err != nil {
		return err
	}
	f := newStepsyForm{
		Author: author, Foreign: author.ID != q.session.User.ID, Once: q.PostFormValue(onceField),
		Title: q.PostFormValue("title"), Description: lineBreaks(q.PostFormValue("description")), Category: q.PostFormValue("category"),
	}
	w := q.write()
	if w.Once, err = q.once("new stepsy of " + author.Username); err != nil {
		return err
	}
	out, err := web.Store.CreateStepsy(q.Context(), w, author.Username, stepsies.StepsyChange{
		Title: &f.Title, Description: &f.Description, Category: &f.Category,
	})
	if f.Problems = fieldErrors(err); f.Problems != nil {
		return q.render(http.StatusUnprocessableEntity, newStepsyPageOf(q.page("New stepsy", "Stepsies"), f))
	}
	if err != nil {
		return err
	}
	return q.redirect(stepsyPath(out.Value, ""))
}
