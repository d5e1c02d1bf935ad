package keys

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// keysPerPage is how many keys the Developer tab shows at once, of each kind.
const keysPerPage = 50

// UnusedAfter is how long a key may lie idle before the list says so.
const UnusedAfter = 90 * 24 * time.Hour

// listView is the Developer tab: the keys of one user.
type listView struct {
	Owner   stepsies.User
	Foreign bool      // the keys are another user's, shown to an admin
	Shown   *shownKey // the key that was made just now
	Usage   []Share   // of the plan; empty where limits are off

	Live      []keyRow
	Dead      []keyRow
	Ended     store.EndedKeys
	NextLive  string // address of older keys, "" where there are none
	NextDead  string
	DeadOpen  bool
	Continued bool // not the first part of the list
}

// keyRow is a key in the list.
type keyRow struct {
	stepsies.APIKey
	Status   stepsies.KeyStatus
	Unused   time.Duration // since it was last used, where that is long ago
	Days     dayCounts
	Replaced bool // by a rotation
}

// List lists the keys of whoever is signed in, or for an admin those of
// ?user=NAME.
func (p *Pages) List(q *page.Request) error {
	owner, err := q.Whose(p.Store, q.FormValue("user"))
	if err != nil {
		return err
	}
	return p.showKeys(q, http.StatusOK, owner, nil)
}

// showKeys answers with the list of keys, below the one that was made just now
// where there is one.
func (p *Pages) showKeys(q *page.Request, status int, owner stepsies.User, shown *shownKey) error {
	v := listView{Owner: owner, Foreign: owner.ID != q.Session.User.ID, Shown: shown}
	var liveCursor, deadCursor string
	if q.Method == http.MethodGet {
		liveCursor, deadCursor = q.FormValue("live"), q.FormValue("dead")
	}
	v.Continued, v.DeadOpen = liveCursor != "", deadCursor != ""
	ctx, st, now := q.Context(), p.Store, p.Now()

	live, err := st.ListKeysByEnd(ctx, owner.ID, true, store.Page{Limit: keysPerPage, Cursor: liveCursor})
	if err != nil {
		return page.OfThisList(err)
	}
	dead, err := st.ListKeysByEnd(ctx, owner.ID, false, store.Page{Limit: keysPerPage, Cursor: deadCursor})
	if err != nil {
		return page.OfThisList(err)
	}
	if v.Ended, err = st.CountEndedKeys(ctx, owner.ID); err != nil {
		return err
	}
	if v.Live, err = p.keyRows(q, live.Items); err != nil {
		return err
	}
	for _, k := range dead.Items {
		v.Dead = append(v.Dead, keyRow{APIKey: k, Status: k.Status(now)})
	}
	v.NextLive, v.NextDead = olderKeys(v, "live", live.Next), olderKeys(v, "dead", dead.Next)
	v.Usage = p.UsageOf(q, owner)
	return q.Render(status, listPage(q.Page("Developer", "Developer"), v))
}

// olderKeys is the address of the next part of a list.
func olderKeys(v listView, list, cursor string) string {
	if cursor == "" {
		return ""
	}
	address := url.Values{list: {cursor}}
	if v.Foreign {
		address.Set("user", v.Owner.Username)
	}
	return page.DeveloperPath + "?" + address.Encode()
}

// keyRows adds to keys that are ordered newest first what their rows show.
func (p *Pages) keyRows(q *page.Request, keys []stepsies.APIKey) ([]keyRow, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	now := p.Now()
	first := store.Day(now) - page.ChartDays + 1
	days, err := p.Store.KeyDaysBetween(q.Context(), keys[0].UserID, keys[len(keys)-1].ID, keys[0].ID, first)
	if err != nil {
		return nil, err
	}
	replaced := map[int64]bool{}
	for _, k := range keys {
		replaced[k.RotatedFrom] = true
	}
	rows := make([]keyRow, len(keys))
	for i, k := range keys {
		rows[i] = keyRow{APIKey: k, Status: k.Status(now), Unused: UnusedFor(k, now), Days: newDayCounts(first, days[k.ID]), Replaced: replaced[k.ID]}
	}
	return rows, nil
}

// UnusedFor is how long a key has lain idle, 0 where that is not worth a word.
func UnusedFor(k stepsies.APIKey, now time.Time) time.Duration {
	since := k.LastUsedAt
	if since.IsZero() {
		since = k.CreatedAt
	}
	if idle := now.Sub(since); idle >= UnusedAfter {
		return idle
	}
	return 0
}

// Share is how much of one window of the plan is used.
type Share struct {
	Label string
	Used  int64
	Limit int64 // 0: none
	Reset time.Time
}

// Percent is the part that is used, for the length of a bar.
func (u Share) Percent() string {
	if u.Limit <= 0 {
		return "0"
	}
	return strconv.FormatFloat(100*float64(min(u.Used, u.Limit))/float64(u.Limit), 'f', 1, 64)
}

// Tight reports whether little is left.
func (u Share) Tight() bool { return u.Limit > 0 && u.Used*10 >= u.Limit*9 }

// UsageOf is how the account of a user stands, empty where limits are off.
func (p *Pages) UsageOf(q *page.Request, u stepsies.User) []Share {
	if p.Limiter == nil {
		return nil
	}
	limits := u.Limits()
	d := p.Limiter.Peek(q.Context(), u.Account.ID, limits)
	share := func(label string, limit, remaining, reset int64) Share {
		return Share{Label: label, Limit: limit, Used: max(limit-remaining, 0), Reset: time.Unix(reset, 0).UTC()}
	}
	month := fmt.Sprintf("%s · %s plan", p.Now().UTC().Month(), page.PlanName(u.Plan))
	return []Share{
		share("This minute", limits.Minute, d.Minute.Remaining, d.Minute.Reset),
		share("This hour", limits.Hour, d.Hour.Remaining, d.Hour.Reset),
		share(month, limits.Month, d.Month.Remaining, d.Month.Reset),
	}
}

// ofUser is an address of the Developer tab, for the keys of the owner.
func (v listView) ofUser(path string) string { return page.OfUser(path, v.Owner, v.Foreign) }

// keyOfPath is the key that the address names, and its owner.
func (p *Pages) keyOfPath(q *page.Request) (k stepsies.APIKey, owner stepsies.User, err error) {
	id, err := q.ID()
	if err != nil {
		return k, owner, err
	}
	if k, err = p.Store.APIKey(q.Context(), id, q.Session.Access()); err != nil {
		return k, owner, err
	}
	if k.UserID == q.Session.User.ID {
		return k, q.Session.User, nil
	}
	owner, err = p.Store.UserByID(q.Context(), k.UserID)
	return k, owner, err
}
