package web

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
)

// stepsiesPerPage is how many stepsies the list shows at once, and the trash.
const stepsiesPerPage = 50

// listSorts are the orders that the list can be shown in, the first one being what it
// is shown in when nothing is asked.
var listSorts = []choice{
	{Value: "-updated_at", Label: "Last changed"}, {Value: "-created_at", Label: "Newest"}, {Value: "created_at", Label: "Oldest"},
	{Value: "-published_at", Label: "Last published"}, {Value: "title", Label: "Title"},
}

// stepsiesView is the tab Stepsies: the stepsies of one author.
type stepsiesView struct {
	Author    stepsies.User
	Foreign   bool // the stepsies are another user's, shown to an admin
	Query     string
	Status    string
	Category  string
	Sort      string
	Items     []stepsies.Stepsy
	Continued bool   // not the first part of the list
	Next      string // address of the part that follows, "" for the last one
}

// filtered reports whether the list leaves anything out on purpose.
func (v stepsiesView) filtered() bool { return v.Query != "" || v.Status != "" || v.Category != "" }

// address is that of the list as it is asked for, from the cursor on.
func (v stepsiesView) address(cursor string) string {
	values := url.Values{}
	for name, value := range map[string]string{"q": v.Query, "status": v.Status, "category": v.Category, "cursor": cursor} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if v.Sort != listSorts[0].Value {
		values.Set("sort", v.Sort)
	}
	if v.Foreign {
		values.Set("user", v.Author.Username)
	}
	if len(values) == 0 {
		return stepsiesPath
	}
	return stepsiesPath + "?" + values.Encode()
}

// stepsiesPage lists the stepsies of whoever is signed in, or for an admin those of
// ?user=NAME.
func (web *Web) stepsiesPage(q *request) error {
	author, err := q.whose(web.Store, q.FormValue("user"))
	if err != nil {
		return err
	}
	v := stepsiesView{
		Author: author, Foreign: author.ID != q.session.User.ID,
		Query: cleanQuery(q.FormValue("q")), Status: q.FormValue("status"), Category: q.FormValue("category"), Sort: q.FormValue("sort"),
		Continued: q.FormValue("cursor") != "",
	}
	v.forgetUnknown()
	found, err := web.Store.ListStepsies(q.Context(), store.StepsyFilter{
		Author: author.Username, Access: q.session.Access(), Status: stepsies.Status(v.Status), Category: v.Category,
		Query: v.Query, Sort: v.Sort, Page: store.Page{Limit: stepsiesPerPage, Cursor: q.FormValue("cursor")},
	})
	if err != nil {
		return ofThisList(err)
	}
	v.Items = found.Items
	if found.Next != "" {
		v.Next = v.address(found.Next)
	}
	return q.render(http.StatusOK, stepsiesTab(q.page("Stepsies", "Stepsies"), v))
}

// forgetUnknown drops from the address what no link or form of ours puts there.
func (v *stepsiesView) forgetUnknown() {
	if _, err := stepsies.ParseStatus(v.Status); err != nil {
		v.Status = ""
	}
	if stepsies.CheckCategory(v.Category) != nil {
		v.Category = ""
	}
	if !slices.ContainsFunc(listSorts, func(c choice) bool { return c.Value == v.Sort }) {
		v.Sort = listSorts[0].Value
	}
}

func categoryChoices() []choice {
	choices := make([]choice, len(stepsies.Categories))
	for i, name := range stepsies.Categories {
		choices[i] = choice{Value: name, Label: categoryName(name)}
	}
	return choices
}

// stepsyOfPath is the stepsy that the address names, if it may be changed: another's
// does not exist here but for admins, published or not.
func (q *request) stepsyOfPath() (stepsies.Stepsy, error) {
	id, err := q.id()
	if err != nil {
		return stepsies.Stepsy{}, err
	}
	s, err := q.web.Store.Stepsy(q.Context(), id, q.session.Access())
	if err == nil && !s.ChangeableBy(q.session.Access()) {
		err = errNoPage
	}
	return s, err
}

// foreign reports whether a stepsy is another's than the reader's.
func (q *request) foreign(s stepsies.Stepsy) bool { return s.UserID != q.session.User.ID }

// listPath is the address of the list that a stepsy stands in.
func (q *request) listPath(s stepsies.Stepsy) string {
	return ofUser(stepsiesPath, authorOf(s), q.foreign(s))
}
