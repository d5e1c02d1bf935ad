package overview

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// activityPerPage is how much of the record is shown at once.
const activityPerPage = 50

// activityKinds are what the record can be narrowed to.
var activityKinds = []page.Choice{
	{Value: string(store.ActivityKeys), Label: "API keys"}, {Value: string(store.ActivityStepsies), Label: "Stepsies"},
	{Value: string(store.ActivityUsers), Label: "Users"}, {Value: string(store.ActivitySignIns), Label: "Signing in and out"},
}

// activityView is the tab Activity: who did what.
type activityView struct {
	All       bool   // everyone's, for an admin
	User      string // only that user's
	Unknown   bool   // there is no such user
	Kind      string
	Deeds     []page.Deed
	Continued bool   // not the first part
	Next      string // address of the part that follows, "" for the last one
}

// filtered reports whether anything is left out on purpose.
func (v activityView) filtered() bool { return v.User != "" || v.Kind != "" }

// address is that of the record as it is asked for, from the cursor on.
func (v activityView) address(cursor string) string {
	values := url.Values{}
	for name, value := range map[string]string{"user": v.User, "kind": v.Kind, "cursor": cursor} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if len(values) == 0 {
		return page.ActivityPath
	}
	return page.ActivityPath + "?" + values.Encode()
}

// Activity shows what happened to what is one's own, and to everything for an
// admin.
func (p *Pages) Activity(q *page.Request) error {
	access := q.Session.Access()
	v := activityView{All: access.Everyone, Continued: q.FormValue("cursor") != ""}
	for _, k := range activityKinds {
		if q.FormValue("kind") == k.Value {
			v.Kind = k.Value
		}
	}
	filter := store.ActivityFilter{
		Access: access, Kind: store.ActivityKind(v.Kind), Page: store.Page{Limit: activityPerPage, Cursor: q.FormValue("cursor")},
	}
	if name := strings.TrimPrefix(strings.TrimSpace(q.FormValue("user")), "@"); v.All && name != "" {
		v.User = page.CleanQuery(name)
		u, err := p.Store.User(q.Context(), name)
		v.Unknown = stepsies.CodeOf(err) == stepsies.CodeNotFound
		if err != nil && !v.Unknown {
			return err
		}
		filter.UserID = u.ID
	}
	if !v.Unknown {
		found, err := p.Store.ListActivity(q.Context(), filter)
		if err != nil {
			return page.OfThisList(err)
		}
		v.Deeds = q.Deeds(found.Items)
		if found.Next != "" {
			v.Next = v.address(found.Next)
		}
	}
	return q.Render(http.StatusOK, activityTab(q.Page("Activity", "Activity"), v))
}
