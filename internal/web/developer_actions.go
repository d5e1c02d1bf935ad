package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
)

// graceChoices are how long a rotated key may live on.
var graceChoices = []struct {
	For   time.Duration
	Label string
	Note  string
}{
	{0, "It stops right now", "What still uses it gets 401 at once."},
	{time.Hour, "1 hour", ""},
	{24 * time.Hour, "1 day", ""},
	{7 * 24 * time.Hour, "7 days", ""},
	{30 * 24 * time.Hour, "30 days", ""},
}

// keyAction is the page that asks before a key is rotated or revoked.
type keyAction struct {
	Key     stepsies.APIKey
	Owner   stepsies.User
	Foreign bool
	Status  stepsies.KeyStatus
	Days    dayCounts
	Once    string
	Grace   string // seconds, as chosen
	Problem string
}

// loadAction reads what is asked about.
func (q *request) loadAction() (keyAction, error) {
	k, owner, err := q.keyOfPath()
	if err != nil {
		return keyAction{}, err
	}
	v := keyAction{Key: k, Owner: owner, Foreign: owner.ID != q.session.User.ID, Status: k.Status(q.web.Now())}
	v.Days, err = q.daysOf(k)
	return v, err
}

// daysOf is how a key was called in the last chartDays days.
func (q *request) daysOf(k stepsies.APIKey) (dayCounts, error) {
	first := store.Day(q.web.Now()) - chartDays + 1
	known, err := q.web.Store.KeyDays(q.Context(), k.ID, first)
	return newDayCounts(first, known), err
}

func (web *Web) revokeKeyPage(q *request) error {
	v, err := q.loadAction()
	if err != nil {
		return err
	}
	if v.Status == stepsies.KeyRevoked {
		return q.redirect(keyPath(v.Key, ""))
	}
	return q.render(http.StatusOK, revokePage(q.page("Revoke "+v.Key.Name, "Developer"), v))
}

// revokeKey ends a key for good. Doing it twice changes nothing.
func (web *Web) revokeKey(q *request) error {
	k, owner, err := q.keyOfPath()
	if err != nil {
		return err
	}
	if _, err := web.Store.RevokeAPIKey(q.Context(), q.write(), k.ID); err != nil {
		return err
	}
	q.notice(shortName(k.Name) + " is revoked. Requests with it get 401 from now on.")
	return q.redirect(ofUser(developerPath, owner, owner.ID != q.session.User.ID))
}

func (web *Web) rotateKeyPage(q *request) error {
	v, err := q.loadAction()
	if err != nil {
		return err
	}
	if v.Status == stepsies.KeyRevoked {
		return errRotateRevoked
	}
	v.Once, v.Grace = newOnce(web.Now()), seconds(stepsies.DefaultGrace)
	return q.render(http.StatusOK, rotatePage(q.page("Rotate "+v.Key.Name, "Developer"), v))
}

var errRotateRevoked = stepsies.Conflict("A revoked key cannot be rotated. Create a new key.")

// rotateKey makes the successor of a key and shows it.
func (web *Web) rotateKey(q *request) error {
	v, err := q.loadAction()
	if err != nil {
		return err
	}
	w := q.write()
	if w.Once, err = q.once("rotate key " + strconv.FormatInt(v.Key.ID, 10)); err != nil {
		return err
	}
	v.Once, v.Grace = w.Once.Key, q.PostFormValue("grace")
	grace, err := parseGrace(v.Grace)
	var out store.Outcome[stepsies.APIKey]
	secret := stepsies.NewSecret()
	if err == nil {
		out, err = web.Store.RotateAPIKey(q.Context(), w, v.Key.ID, grace, secret)
	}
	switch problems := fieldErrors(err); {
	case problems["scopes"] != "":
		v.Problem = "This key holds the scope admin, which " + v.Owner.Username + " can no longer hold. Edit its scopes first."
	case problems != nil:
		v.Problem = problems["grace_period_seconds"]
	case err != nil:
		return err
	case out.Replayed:
		return q.existsAlready(out.Value)
	}
	if v.Problem != "" {
		return q.render(http.StatusUnprocessableEntity, rotatePage(q.page("Rotate "+v.Key.Name, "Developer"), v))
	}
	old, err := web.Store.APIKey(q.Context(), v.Key.ID, q.session.Access())
	if err != nil {
		return err
	}
	return q.showOnce(v.Owner, shownKey{Key: out.Value, Secret: secret, Predecessor: &old, Recent: v.Days.Last(7)})
}

func parseGrace(chosen string) (time.Duration, error) {
	for _, c := range graceChoices {
		if chosen == seconds(c.For) {
			return c.For, nil
		}
	}
	return 0, stepsies.Invalid("grace_period_seconds", "Choose how long the old key lives on.")
}

// seconds writes a grace period as its form sends it.
func seconds(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) }
