package writing

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// stepsiesPerPage is how many stepsies the list shows at once, and the trash.
const stepsiesPerPage = 50

// listSorts are the orders that the list can be shown in, the first one being what it
// is shown in when nothing is asked.
var listSorts = []page.Choice{
	{Value: "-updated_at", Label: "Last changed"}, {Value: "-created_at", Label: "Newest"}, {Value: "created_at", Label: "Oldest"},
	{Value: "-published_at", Label: "Last published"}, {Value: "title", Label: "Title"},
}

// listView is the tab Stepsies: the stepsies of one author.
type listView struct {
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
func (v listView) filtered() bool { return v.Query != "" || v.Status != "" || v.Category != "" }

// address is that of the list as it is asked for, from the cursor on.
func (v listView) address(cursor string) string {
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
		return page.StepsiesPath
	}
	return page.StepsiesPath + "?" + values.Encode()
}

// List lists the stepsies of whoever is signed in, or for an admin those of
// ?user=NAME.
func (p *Pages) List(q *page.Request) error {
	author, err := q.Whose(p.Store, q.FormValue("user"))
	if err != nil {
		return err
	}
	v := listView{
		Author: author, Foreign: author.ID != q.Session.User.ID,
		Query: page.CleanQuery(q.FormValue("q")), Status: q.FormValue("status"), Category: q.FormValue("category"), Sort: q.FormValue("sort"),
		Continued: q.FormValue("cursor") != "",
	}
	v.forgetUnknown()
	found, err := p.Store.ListStepsies(q.Context(), store.StepsyFilter{
		Author: author.Username, Access: q.Session.Access(), Status: stepsies.Status(v.Status), Category: v.Category,
		Query: v.Query, Sort: v.Sort, Page: store.Page{Limit: stepsiesPerPage, Cursor: q.FormValue("cursor")},
	})
	if err != nil {
		return page.OfThisList(err)
	}
	v.Items = found.Items
	if found.Next != "" {
		v.Next = v.address(found.Next)
	}
	return q.Render(http.StatusOK, listPage(q.Page("Stepsies", "Stepsies"), v))
}

// forgetUnknown drops from the address what no link or form of ours puts there.
func (v *listView) forgetUnknown() {
	if _, err := stepsies.ParseStatus(v.Status); err != nil {
		v.Status = ""
	}
	if stepsies.CheckCategory(v.Category) != nil {
		v.Category = ""
	}
	if !slices.ContainsFunc(listSorts, func(c page.Choice) bool { return c.Value == v.Sort }) {
		v.Sort = listSorts[0].Value
	}
}

func categoryChoices() []page.Choice {
	choices := make([]page.Choice, len(stepsies.Categories))
	for i, name := range stepsies.Categories {
		choices[i] = page.Choice{Value: name, Label: page.CategoryName(name)}
	}
	return choices
}

// stepsyOfPath is the stepsy that the address names, if it may be changed: another's
// does not exist here but for admins, published or not.
func (p *Pages) stepsyOfPath(q *page.Request) (stepsies.Stepsy, error) {
	id, err := q.ID()
	if err != nil {
		return stepsies.Stepsy{}, err
	}
	s, err := p.Store.Stepsy(q.Context(), id, q.Session.Access())
	if err == nil && !s.ChangeableBy(q.Session.Access()) {
		err = page.ErrNoPage
	}
	return s, err
}

// foreign reports whether a stepsy is another's than the reader's.
func foreign(q *page.Request, s stepsies.Stepsy) bool { return s.UserID != q.Session.User.ID }

// listPath is the address of the list that a stepsy stands in.
func listPath(q *page.Request, s stepsies.Stepsy) string {
	return page.OfUser(page.StepsiesPath, page.AuthorOf(s), foreign(q, s))
}
