package writing

import (
	"net/http"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/web/page"
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

// New shows the form of a new stepsy.
func (p *Pages) New(q *page.Request) error {
	author, err := q.Whose(p.Store, q.FormValue("user"))
	if err != nil {
		return err
	}
	f := newStepsyForm{Author: author, Foreign: author.ID != q.Session.User.ID, Category: stepsies.DefaultCategory, Once: page.NewOnce(p.Now())}
	return q.Render(http.StatusOK, newStepsyPageOf(q.Page("New stepsy", "Stepsies"), f))
}

// Create makes a draft and opens it in the editor. The form can be sent twice
// and makes one all the same.
func (p *Pages) Create(q *page.Request) error {
	author, err := q.Whose(p.Store, q.FormValue("user"))
	if err != nil {
		return err
	}
	f := newStepsyForm{
		Author: author, Foreign: author.ID != q.Session.User.ID, Once: q.PostFormValue(page.OnceField),
		Title: q.PostFormValue("title"), Description: page.LineBreaks(q.PostFormValue("description")), Category: q.PostFormValue("category"),
	}
	w := q.Write()
	if w.Once, err = q.Once("new stepsy of " + author.Username); err != nil {
		return err
	}
	out, err := p.Store.CreateStepsy(q.Context(), w, author.Username, stepsies.StepsyChange{
		Title: &f.Title, Description: &f.Description, Category: &f.Category,
	})
	if f.Problems = page.FieldErrors(err); f.Problems != nil {
		return q.Render(http.StatusUnprocessableEntity, newStepsyPageOf(q.Page("New stepsy", "Stepsies"), f))
	}
	if err != nil {
		return err
	}
	return q.Redirect(page.StepsyPath(out.Value, ""))
}
