package keys

import (
	"net/http"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// historyPage is how many changes of a key are shown at once.
const historyPage = 50

// keyView is a key's own page.
type keyView struct {
	keyAction
	Predecessor *stepsies.APIKey // that it was made from
	Successor   *stepsies.APIKey // that was made of it
	History     []stepsies.Activity
	NextHistory string // address of older changes
}

// Key shows everything about a key.
func (p *Pages) Key(q *page.Request) error {
	v := keyView{}
	var err error
	if v.keyAction, err = p.loadAction(q); err != nil {
		return err
	}
	ctx, access := q.Context(), q.Session.Access()
	if v.Successor, err = optionalKey(p.Store.Successor(ctx, v.Key)); err != nil {
		return err
	}
	if v.Predecessor, err = optionalKey(p.Store.APIKey(ctx, v.Key.RotatedFrom, access)); err != nil {
		return err
	}
	history, err := p.Store.ListActivity(ctx, store.ActivityFilter{
		Access: access, Target: stepsies.TargetKey, TargetID: v.Key.ID, Page: store.Page{Limit: historyPage, Cursor: q.FormValue("history")},
	})
	if err != nil {
		return page.OfThisList(err)
	}
	v.History = history.Items
	if history.Next != "" {
		v.NextHistory = page.KeyPath(v.Key, "") + "?history=" + history.Next + "#history" // base64url, which needs no escaping
	}
	return q.Render(http.StatusOK, keyPageOf(q.Page(v.Key.Name, "Developer"), v))
}

func optionalKey(k stepsies.APIKey, err error) (*stepsies.APIKey, error) {
	if stepsies.CodeOf(err) == stepsies.CodeNotFound {
		return nil, nil
	}
	return &k, err
}
