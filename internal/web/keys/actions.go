package keys

import (
	"net/http"
	"strconv"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
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
func (p *Pages) loadAction(q *page.Request) (keyAction, error) {
	k, owner, err := p.keyOfPath(q)
	if err != nil {
		return keyAction{}, err
	}
	v := keyAction{Key: k, Owner: owner, Foreign: owner.ID != q.Session.User.ID, Status: k.Status(p.Now())}
	v.Days, err = p.daysOf(q, k)
	return v, err
}

// daysOf is how a key was called in the last chartDays days.
func (p *Pages) daysOf(q *page.Request, k stepsies.APIKey) (dayCounts, error) {
	first := store.Day(p.Now()) - page.ChartDays + 1
	known, err := p.Store.KeyDays(q.Context(), k.ID, first)
	return newDayCounts(first, known), err
}

// RevokeForm asks before a key is revoked.
func (p *Pages) RevokeForm(q *page.Request) error {
	v, err := p.loadAction(q)
	if err != nil {
		return err
	}
	if v.Status == stepsies.KeyRevoked {
		return q.Redirect(page.KeyPath(v.Key, ""))
	}
	return q.Render(http.StatusOK, revokePage(q.Page("Revoke "+v.Key.Name, "Developer"), v))
}

// Revoke ends a key for good. Doing it twice changes nothing.
func (p *Pages) Revoke(q *page.Request) error {
	k, owner, err := p.keyOfPath(q)
	if err != nil {
		return err
	}
	if _, err := p.Store.RevokeAPIKey(q.Context(), q.Write(), k.ID); err != nil {
		return err
	}
	q.Notice(page.ShortName(k.Name) + " is revoked. Requests with it get 401 from now on.")
	return q.Redirect(page.OfUser(page.DeveloperPath, owner, owner.ID != q.Session.User.ID))
}

// RotateForm asks how long the old key lives on.
func (p *Pages) RotateForm(q *page.Request) error {
	v, err := p.loadAction(q)
	if err != nil {
		return err
	}
	if v.Status == stepsies.KeyRevoked {
		return errRotateRevoked
	}
	v.Once, v.Grace = page.NewOnce(p.Now()), seconds(stepsies.DefaultGrace)
	return q.Render(http.StatusOK, rotatePage(q.Page("Rotate "+v.Key.Name, "Developer"), v))
}

var errRotateRevoked = stepsies.Conflict("A revoked key cannot be rotated. Create a new key.")

// Rotate makes the successor of a key and shows it.
func (p *Pages) Rotate(q *page.Request) error {
	v, err := p.loadAction(q)
	if err != nil {
		return err
	}
	w := q.Write()
	if w.Once, err = q.Once("rotate key " + strconv.FormatInt(v.Key.ID, 10)); err != nil {
		return err
	}
	v.Once, v.Grace = w.Once.Key, q.PostFormValue("grace")
	grace, err := parseGrace(v.Grace)
	var out store.Outcome[stepsies.APIKey]
	secret := stepsies.NewSecret()
	if err == nil {
		out, err = p.Store.RotateAPIKey(q.Context(), w, v.Key.ID, grace, secret)
	}
	switch problems := page.FieldErrors(err); {
	case problems["scopes"] != "":
		v.Problem = "This key holds the scope admin, which " + v.Owner.Username + " can no longer hold. Edit its scopes first."
	case problems != nil:
		v.Problem = problems["grace_period_seconds"]
	case err != nil:
		return err
	case out.Replayed:
		return existsAlready(q, out.Value)
	}
	if v.Problem != "" {
		return q.Render(http.StatusUnprocessableEntity, rotatePage(q.Page("Rotate "+v.Key.Name, "Developer"), v))
	}
	old, err := p.Store.APIKey(q.Context(), v.Key.ID, q.Session.Access())
	if err != nil {
		return err
	}
	return p.showOnce(q, v.Owner, shownKey{Key: out.Value, Secret: secret, Predecessor: &old, Recent: v.Days.Last(7)})
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
