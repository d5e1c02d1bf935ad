package reading

import (
	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// How many stepsies the parts of the front page show.
const (
	frontNewest = 6
	frontRanked = 5
)

// frontView is the front page.
type frontView struct {
	Newest, BestRated, Lately []stepsies.Stepsy
	Categories                []string
	Unused                    bool // there is no user yet
	CanSignUp                 bool
}

// Front is what everyone sees first.
func (p *Pages) Front(q *page.Request) error {
	v := frontView{CanSignUp: p.SignUp == page.SignUpOpen}
	for _, part := range []struct {
		order store.PublicOrder
		n     int
		list  *[]stepsies.Stepsy
	}{{store.Newest, frontNewest, &v.Newest}, {store.BestRated, frontRanked, &v.BestRated}, {store.CompletedLately, frontRanked, &v.Lately}} {
		found, err := p.Store.PublicStepsies(q.Context(), part.order, store.Page{Limit: part.n})
		if err != nil {
			return err
		}
		*part.list = found.Items
	}
	var err error
	if len(v.Newest) > 0 {
		v.Categories, err = p.Store.PublicCategories(q.Context())
	} else if !q.SignedIn() {
		var users int64
		users, err = p.Store.CountUsers(q.Context())
		v.Unused = users == 0
	}
	if err != nil {
		return err
	}
	about := q.Page("Step-by-step guides that get things done", "")
	about.Description = "Step-by-step guides by people who have done it before: find one, follow it one step at a time, and get it done."
	about.Canonical, about.Head = p.PublicURL+"/", publicHead("", "", false)
	return q.RenderPublic(frontPage(about, v))
}
