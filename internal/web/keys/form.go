package keys

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/web/page"
)

// expiryChoice is a preset of when a key ends.
type expiryChoice struct {
	Value string
	Label string
	Note  string // the day that it comes to
}

// Choices of the form beside the presets in days.
const (
	expiryKeep  = "keep"
	expiryNever = "never"
	expiryYear  = "1y"
	expiryDate  = "date"
)

// expiryDays are the presets in days.
var expiryDays = []int{7, 30, 90}

// keyForm is the form that makes a key, or edits one.
type keyForm struct {
	Owner   stepsies.User
	Foreign bool             // the key is another user's, and the form an admin's
	Key     *stepsies.APIKey // the key that is edited, nil for a new one
	Once    string
	Now     time.Time

	Name        string
	Description string
	Scopes      []string
	Expiry      string
	Date        string
	Problems    map[string]string
}

// Choices lists the presets, and what the key has now.
func (f keyForm) Choices() []expiryChoice {
	var list []expiryChoice
	if f.Key != nil {
		note := "it never expires"
		if end := f.Key.ExpiresAt; !end.IsZero() {
			verb := "it expires "
			if !end.After(f.Now) {
				verb = "it expired "
			}
			note = verb + endOf(f.Now, end)
		}
		list = append(list, expiryChoice{expiryKeep, "As it is", note})
	} else {
		list = append(list, expiryChoice{expiryNever, "Never", ""})
	}
	for _, days := range expiryDays {
		list = append(list, expiryChoice{strconv.Itoa(days) + "d", page.Plural(days, "day"), "until " + page.DayOf(f.Now, f.Now.AddDate(0, 0, days))})
	}
	list = append(list, expiryChoice{expiryYear, "1 year", "until " + page.DayOf(f.Now, f.Now.AddDate(1, 0, 0))})
	if f.Key != nil {
		list = append(list, expiryChoice{expiryNever, "Never", ""})
	}
	return list
}

// Offered lists the scopes that the owner can hold.
func (f keyForm) Offered(s stepsies.Scope) bool {
	return s != stepsies.ScopeAdmin || f.Owner.Role == stepsies.RoleAdmin
}

// LosesAdmin reports whether saving takes away a scope that stopped counting when
// the owner stopped being an admin.
func (f keyForm) LosesAdmin() bool {
	return f.Key != nil && f.Key.Scopes.Allow(stepsies.ScopeAdmin) && !f.Offered(stepsies.ScopeAdmin)
}

func (f keyForm) has(s stepsies.Scope) bool { return slices.Contains(f.Scopes, string(s)) }

// title names the form.
func (f keyForm) title() string {
	if f.Key != nil {
		return "Edit " + f.Key.Name
	}
	return "Create API Key"
}

// read takes over what was typed.
func (f *keyForm) read(q *page.Request) {
	f.Name, f.Date = q.PostFormValue("name"), q.PostFormValue("date")
	f.Description = page.LineBreaks(q.PostFormValue("description"))
	f.Scopes, f.Expiry, f.Once = q.PostForm["scopes"], q.PostFormValue("expiry"), q.PostFormValue(page.OnceField)
}

// change is what the form asks for. What is wrong with the expiry is told beside
// what the domain finds wrong with the rest.
func (f *keyForm) change() (stepsies.KeyChange, error) {
	want := stepsies.KeyChange{Name: &f.Name, Description: &f.Description, Scopes: &f.Scopes}
	end, err := f.expiresAt()
	if err != nil {
		return want, err
	}
	want.ExpiresAt = end
	return want, nil
}

func (f *keyForm) expiresAt() (*time.Time, error) {
	if f.Expiry != expiryDate && f.Date != "" {
		return nil, stepsies.Invalid("expires_at", "A date is filled in, but not chosen. Choose “On a date”, or empty it.")
	}
	switch f.Expiry {
	case expiryKeep:
		if f.Key == nil {
			break
		}
		return nil, nil
	case expiryNever:
		return &time.Time{}, nil
	case expiryYear:
		end := f.Now.AddDate(1, 0, 0)
		return &end, nil
	case expiryDate:
		day, err := time.Parse(time.DateOnly, f.Date)
		if err != nil {
			return nil, stepsies.Invalid("expires_at", "Fill in a date, such as %s.", f.Now.AddDate(0, 6, 0).Format(time.DateOnly))
		}
		end := day.AddDate(0, 0, 1)
		if !end.After(f.Now) {
			return nil, stepsies.Invalid("expires_at", "This day is over. Choose today or a later one; to end a key now, revoke it.")
		}
		return &end, nil
	}
	for _, days := range expiryDays {
		if f.Expiry == strconv.Itoa(days)+"d" {
			end := f.Now.AddDate(0, 0, days)
			return &end, nil
		}
	}
	return nil, stepsies.Invalid("expires_at", "Choose when the key expires.")
}

// check finds all that is wrong at once, also where the expiry alone would have
// stopped the domain from looking.
func (f *keyForm) check() (want stepsies.KeyChange, ok bool) {
	want, expiryErr := f.change()
	_, err := stepsies.NewAPIKey(f.Owner, want, f.Now)
	f.Problems = map[string]string{}
	maps.Copy(f.Problems, page.FieldErrors(err))
	maps.Copy(f.Problems, page.FieldErrors(expiryErr))
	if len(f.Scopes) == 0 {
		f.Problems["scopes"] = "Choose at least one scope."
	}
	return want, len(f.Problems) == 0
}

// New shows the form for a new key.
func (p *Pages) New(q *page.Request) error {
	owner, err := q.Whose(p.Store, q.FormValue("user"))
	if err != nil {
		return err
	}
	f := keyForm{Owner: owner, Foreign: owner.ID != q.Session.User.ID, Now: p.Now(), Once: page.NewOnce(p.Now()), Expiry: expiryNever}
	return showKeyForm(q, http.StatusOK, f)
}

func showKeyForm(q *page.Request, status int, f keyForm) error {
	return q.Render(status, keyFormPage(q.Page(f.title(), "Developer"), f))
}

// shownKey is a key just made, with its secret, which is shown this once. It lives
// for one answer and is stored nowhere.
type shownKey struct {
	Key         stepsies.APIKey
	Secret      stepsies.Secret
	Predecessor *stepsies.APIKey // the key that it succeeds, nil for a new one
	Recent      int64            // requests with the predecessor in the last 7 days
	Curl        string
}

// Create makes a key and shows it.
func (p *Pages) Create(q *page.Request) error {
	owner, err := q.Whose(p.Store, q.PostFormValue("user"))
	if err != nil {
		return err
	}
	f := keyForm{Owner: owner, Foreign: owner.ID != q.Session.User.ID, Now: p.Now()}
	f.read(q)
	w := q.Write()
	if w.Once, err = q.Once("create key"); err != nil {
		return err
	}
	want, ok := f.check()
	if !ok {
		return showKeyForm(q, http.StatusUnprocessableEntity, f)
	}
	secret := stepsies.NewSecret()
	out, err := p.Store.CreateAPIKey(q.Context(), w, owner.Username, want, secret)
	if f.Problems = page.FieldErrors(err); f.Problems != nil {
		return showKeyForm(q, http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	if out.Replayed {
		return existsAlready(q, out.Value)
	}
	return p.showOnce(q, owner, shownKey{Key: out.Value, Secret: secret})
}

// existsAlready answers a form that was sent a second time.
func existsAlready(q *page.Request, k stepsies.APIKey) error {
	q.Notice(fmt.Sprintf("%s exists already, and its key cannot be shown again. If you did not copy it, rotate this key to get a new one.", page.ShortName(k.Name)))
	return q.Redirect(page.KeyPath(k, ""))
}

// showOnce answers with the key itself, above the list.
func (p *Pages) showOnce(q *page.Request, owner stepsies.User, shown shownKey) error {
	shown.Curl = curlLine(p.PublicURL, shown.Secret.Reveal(), shown.Key.Scopes)
	q.W.Header().Set("Cache-Control", "no-store")
	return p.showKeys(q, http.StatusOK, owner, &shown)
}

// EditForm shows the form of a key.
func (p *Pages) EditForm(q *page.Request) error {
	k, owner, err := p.keyOfPath(q)
	if err != nil {
		return err
	}
	if !k.RevokedAt.IsZero() {
		return errEditRevoked
	}
	f := keyForm{
		Owner: owner, Foreign: owner.ID != q.Session.User.ID, Key: &k, Now: p.Now(), Once: page.NewOnce(p.Now()),
		Name: k.Name, Description: k.Description, Scopes: k.Scopes.Names(), Expiry: expiryKeep,
	}
	return showKeyForm(q, http.StatusOK, f)
}

var errEditRevoked = stepsies.Conflict("A revoked key cannot be edited. Create a new key.")

// Edit changes a key. Its secret stays as it is.
func (p *Pages) Edit(q *page.Request) error {
	k, owner, err := p.keyOfPath(q)
	if err != nil {
		return err
	}
	f := keyForm{Owner: owner, Foreign: owner.ID != q.Session.User.ID, Key: &k, Now: p.Now()}
	f.read(q)
	want, ok := f.check()
	if !ok {
		return showKeyForm(q, http.StatusUnprocessableEntity, f)
	}
	out, err := p.Store.UpdateAPIKey(q.Context(), q.Write(), k.ID, want)
	if f.Problems = page.FieldErrors(err); f.Problems != nil {
		return showKeyForm(q, http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	q.Notice(page.ShortName(out.Value.Name) + " is saved. What changed holds from now on.")
	return q.Redirect(page.KeyPath(k, ""))
}

// back is where the form was opened from.
func (f keyForm) back() string {
	if f.Key != nil {
		return page.KeyPath(*f.Key, "")
	}
	return page.OfUser(page.DeveloperPath, f.Owner, f.Foreign)
}

func (f keyForm) backWords() string {
	if f.Key != nil {
		return "← " + f.Key.Name
	}
	return "← API keys"
}

func (f keyForm) action() string {
	if f.Key != nil {
		return page.KeyPath(*f.Key, "edit")
	}
	return page.DeveloperPath
}
