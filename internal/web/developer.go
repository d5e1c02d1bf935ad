package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
)

// keysPerPage is how many keys the Developer tab shows at once, of each kind.
const keysPerPage = 50

// unusedAfter is how long a key may lie idle before the list says so.
const unusedAfter = 90 * 24 * time.Hour

// developerView is the Developer tab: the keys of one user.
type developerView struct {
	Owner   stepsies.User
	Foreign bool         // the keys are another user's, shown to an admin
	Shown   *shownKey    // the key that was made just now
	Usage   []usageShare // of the plan; empty where limits are off

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

// developerPage lists the keys of whoever is signed in, or for an admin those of
// ?user=NAME.
func (web *Web) developerPage(q *request) error {
	owner, err := q.whose(web.Store, q.FormValue("user"))
	if err != nil {
		return err
	}
	return q.showKeys(http.StatusOK, owner, nil)
}

// showKeys answers with the list of keys, below the one that was made just now
// where there is one.
func (q *request) showKeys(status int, owner stepsies.User, shown *shownKey) error {
	v := developerView{Owner: owner, Foreign: owner.ID != q.session.User.ID, Shown: shown}
	var liveCursor, deadCursor string
	if q.Method == http.MethodGet {
		liveCursor, deadCursor = q.FormValue("live"), q.FormValue("dead")
	}
	v.Continued, v.DeadOpen = liveCursor != "", deadCursor != ""
	ctx, st, now := q.Context(), q.web.Store, q.web.Now()

	live, err := st.ListKeysByEnd(ctx, owner.ID, true, store.Page{Limit: keysPerPage, Cursor: liveCursor})
	if err != nil {
		return ofThisList(err)
	}
	dead, err := st.ListKeysByEnd(ctx, owner.ID, false, store.Page{Limit: keysPerPage, Cursor: deadCursor})
	if err != nil {
		return ofThisList(err)
	}
	if v.Ended, err = st.CountEndedKeys(ctx, owner.ID); err != nil {
		return err
	}
	if v.Live, err = q.keyRows(live.Items); err != nil {
		return err
	}
	for _, k := range dead.Items {
		v.Dead = append(v.Dead, keyRow{APIKey: k, Status: k.Status(now)})
	}
	v.NextLive, v.NextDead = olderKeys(v, "live", live.Next), olderKeys(v, "dead", dead.Next)
	v.Usage = q.usageOf(owner)
	return q.render(status, developerTab(q.page("Developer", "Developer"), v))
}

// olderKeys is the address of the next part of a list.
func olderKeys(v developerView, list, cursor string) string {
	if cursor == "" {
		return ""
	}
	address := url.Values{list: {cursor}}
	if v.Foreign {
		address.Set("user", v.Owner.Username)
	}
	return developerPath + "?" + address.Encode()
}

// keyRows adds to keys that are ordered newest first what their rows show.
func (q *request) keyRows(keys []stepsies.APIKey) ([]keyRow, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	now := q.web.Now()
	first := store.Day(now) - chartDays + 1
	days, err := q.web.Store.KeyDaysBetween(q.Context(), keys[0].UserID, keys[len(keys)-1].ID, keys[0].ID, first)
	if err != nil {
		return nil, err
	}
	replaced := map[int64]bool{}
	for _, k := range keys {
		replaced[k.RotatedFrom] = true
	}
	rows := make([]keyRow, len(keys))
	for i, k := range keys {
		rows[i] = keyRow{APIKey: k, Status: k.Status(now), Unused: unusedFor(k, now), Days: newDayCounts(first, days[k.ID]), Replaced: replaced[k.ID]}
	}
	return rows, nil
}

// unusedFor is how long a key has lain idle, 0 where that is not worth a word.
func unusedFor(k stepsies.APIKey, now time.Time) time.Duration {
	since := k.LastUsedAt
	if since.IsZero() {
		since = k.CreatedAt
	}
	if idle := now.Sub(since); idle >= unusedAfter {
		return idle
	}
	return 0
}

// usageShare is how much of one window of the plan is used.
type usageShare struct {
	Label string
	Used  int64
	Limit int64 // 0: none
	Reset time.Time
}

// percent is the part that is used, for the length of a bar.
func (u usageShare) percent() string {
	if u.Limit <= 0 {
		return "0"
	}
	return strconv.FormatFloat(100*float64(min(u.Used, u.Limit))/float64(u.Limit), 'f', 1, 64)
}

// tight reports whether little is left.
func (u usageShare) tight() bool { return u.Limit > 0 && u.Used*10 >= u.Limit*9 }

// usageOf is how the account of a user stands, empty where limits are off.
func (q *request) usageOf(u stepsies.User) []usageShare {
	if q.web.Limiter == nil {
		return nil
	}
	limits := u.Limits()
	d := q.web.Limiter.Peek(q.Context(), u.AccountID, limits)
	share := func(label string, limit, remaining, reset int64) usageShare {
		return usageShare{Label: label, Limit: limit, Used: max(limit-remaining, 0), Reset: time.Unix(reset, 0).UTC()}
	}
	month := fmt.Sprintf("%s · %s plan", q.web.Now().UTC().Month(), planName(u.Plan))
	return []usageShare{
		share("This minute", limits.Minute, d.Minute.Remaining, d.Minute.Reset),
		share("This hour", limits.Hour, d.Hour.Remaining, d.Hour.Reset),
		share(month, limits.Month, d.Month.Remaining, d.Month.Reset),
	}
}

// ofUser is an address of the Developer tab, for the keys of the owner.
func (v developerView) ofUser(path string) string { return ofUser(path, v.Owner, v.Foreign) }

// keyOfPath is the key that the address names, and its owner.
func (q *request) keyOfPath() (k stepsies.APIKey, owner stepsies.User, err error) {
	id, err := q.id()
	if err != nil {
		return k, owner, err
	}
	if k, err = q.web.Store.APIKey(q.Context(), id, q.session.Access()); err != nil {
		return k, owner, err
	}
	if k.UserID == q.session.User.ID {
		return k, q.session.User, nil
	}
	owner, err = q.web.Store.UserByID(q.Context(), k.UserID)
	return k, owner, err
}
