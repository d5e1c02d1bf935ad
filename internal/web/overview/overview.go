package overview

import (
	"net/http"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/keys"
	"github.com/stepsies/stepsies/internal/web/page"
)

// How much of each kind the overview shows.
const (
	overviewStepsies = 5
	overviewDeeds    = 6
	overviewKeys     = 10
	latelyDays       = 7
)

// view is the tab Overview: what happened lately, and what needs an eye.
type view struct {
	Totals store.Totals
	Lately store.ReadingDay // of the last latelyDays
	Owns   store.Belongings
	Month  *keys.Share // of the plan; nil where limits are off
	Keys   []keyNotice
	Latest []stepsies.Stepsy
	Deeds  []page.Deed
}

// fresh reports whether there is nothing to look back on yet.
func (v view) fresh() bool { return v.Owns.Stepsies == 0 }

// rating is the mean of all ratings, "" without any.
func (v view) rating() string { return page.MeanOf(v.Totals.Ratings, v.Totals.Stars) }

// keyNotice says why a key's owner should look at it, and what to do.
type keyNotice struct {
	stepsies.APIKey
	Chip   string
	Kind   string // of the chip: "warn", "bad" or ""
	Advice string
	Act    string // form of the key's page where that is done, "" for the page itself
	Verb   string // what the link to it says
}

// Overview is the tab Overview.
func (p *Pages) Overview(q *page.Request) error {
	ctx, st, u, now := q.Context(), p.Store, q.Session.User, p.Now()
	var v view
	var err error
	if v.Totals, err = st.Totals(ctx, u.ID); err != nil {
		return err
	}
	if v.Lately, err = st.Lately(ctx, u.ID, store.Day(now)-latelyDays+1); err != nil {
		return err
	}
	if v.Owns, err = st.Belongings(ctx, u.ID); err != nil {
		return err
	}
	keys, err := st.KeysToMind(ctx, u.ID, now.Add(-keys.UnusedAfter), overviewKeys)
	if err != nil {
		return err
	}
	for _, k := range keys {
		v.Keys = append(v.Keys, noticeOf(k, now))
	}
	own := stepsies.Access{UserID: u.ID} // an admin's too: everyone's is under Activity
	latest, err := st.ListStepsies(ctx, store.StepsyFilter{Access: own, Sort: "-updated_at", Page: store.Page{Limit: overviewStepsies}})
	if err != nil {
		return err
	}
	v.Latest = latest.Items
	lately, err := st.ListActivity(ctx, store.ActivityFilter{Access: own, Page: store.Page{Limit: overviewDeeds}})
	if err != nil {
		return err
	}
	v.Deeds = q.Deeds(lately.Items)
	for _, share := range p.Keys.UsageOf(q, u) {
		v.Month = &share // the last one
	}
	return q.Render(http.StatusOK, overviewTab(q.Page("Overview", "Overview"), v))
}

// noticeOf says what is the matter with a key: the most pressing thing first.
func noticeOf(k stepsies.APIKey, now time.Time) keyNotice {
	n := keyNotice{APIKey: k}
	status := k.Status(now)
	dead := status == stepsies.KeyRevoked || status == stepsies.KeyExpired
	switch {
	case dead && keys.StillCalled(now, k):
		n.Chip, n.Kind = string(status)+", still called", "bad"
		n.Advice, n.Verb = "Something goes on to use it and gets a 401, last "+page.Ago(now, k.LastRefusedAt)+". Give that program a new key.", "Look at it"
	case status == stepsies.KeyExpired:
		n.Chip, n.Kind = "expired "+page.Ago(now, k.ExpiresAt), "warn"
		n.Advice, n.Act, n.Verb = "A later date brings it back.", "edit", "Edit"
	case status == stepsies.KeyExpiring:
		n.Chip, n.Kind = keys.ExpiresIn(now, k), "warn"
		n.Advice, n.Act, n.Verb = "Rotate it, or move the date, before programs stop.", "rotate", "Rotate"
	default:
		n.Chip = "unused for " + keys.WholeDays(keys.UnusedFor(k, now))
		n.Advice, n.Act, n.Verb = "Revoke it if nothing needs it any more.", "revoke", "Revoke"
	}
	return n
}
