package users

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// userForm is what an admin says about a user, as it was typed.
type userForm struct {
	Username           string // of a new user
	DisplayName, Email string
	Role, Plan         string
	Minute, Hour       string
	Month              string
	Problems           map[string]string
}

func userFormOf(u stepsies.User) userForm {
	limit := func(n int64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatInt(n, 10)
	}
	return userForm{
		DisplayName: u.DisplayName, Email: u.Email, Role: string(u.Role), Plan: string(u.Plan),
		Minute: limit(u.OwnLimits.Minute), Hour: limit(u.OwnLimits.Hour), Month: limit(u.OwnLimits.Month),
	}
}

func readUserForm(q *page.Request) userForm {
	text := func(name string) string { return strings.TrimSpace(q.PostFormValue(name)) }
	return userForm{
		DisplayName: text("display_name"), Email: text("email"), Role: text("role"), Plan: text("plan"),
		Minute: text("limit_minute"), Hour: text("limit_hour"), Month: text("limit_month"),
	}
}

// change is what the form asks of the user.
func (f userForm) change() stepsies.UserChange {
	return stepsies.UserChange{DisplayName: &f.DisplayName, Email: &f.Email, Role: &f.Role}
}

// accountChange is what the form asks of the account. Limits count on the enterprise
// plan alone, and go with it.
func (f userForm) accountChange() (stepsies.AccountChange, map[string]string) {
	var problems map[string]string
	var limits stepsies.Limits
	if f.Plan == string(stepsies.PlanEnterprise) {
		for _, l := range []struct {
			field, text string
			to          *int64
		}{{"limit_minute", f.Minute, &limits.Minute}, {"limit_hour", f.Hour, &limits.Hour}, {"limit_month", f.Month, &limits.Month}} {
			if l.text == "" {
				continue
			}
			n, err := strconv.ParseInt(strings.ReplaceAll(l.text, ",", ""), 10, 64)
			if err != nil || n < 1 || n > stepsies.MaxLimit {
				problems = withProblem(problems, l.field, "This must be a whole number from 1 to "+page.Number(stepsies.MaxLimit)+", or empty for no limit.")
			}
			*l.to = n
		}
	}
	if problems != nil {
		limits = stepsies.Limits{} // said already
	}
	return stepsies.AccountChange{Plan: &f.Plan, Limits: &limits}, problems
}

// userView is a user's page, as admins see it.
type userView struct {
	User     stepsies.User
	Self     bool // the admin's own
	Owns     store.Belongings
	Sessions int
	LastSeen time.Time // zero where nobody is signed in
	Form     userForm
	Link     *page.Link
}

// User is a user's page, as admins see it.
func (p *Admin) User(q *page.Request) error {
	u, err := p.userOfPath(q)
	if err != nil {
		return err
	}
	return p.showUser(q, http.StatusOK, u, userFormOf(u), nil)
}

func (p *Admin) showUser(q *page.Request, status int, u stepsies.User, f userForm, l *page.Link) error {
	v, err := p.userView(q, u)
	if err != nil {
		return err
	}
	v.Form, v.Link = f, l
	return q.Render(status, userPageOf(q.Page(u.DisplayName, "Users"), v))
}

func (p *Admin) userView(q *page.Request, u stepsies.User) (userView, error) {
	v := userView{User: u, Self: u.ID == q.Session.User.ID}
	var err error
	if v.Owns, err = p.Store.Belongings(q.Context(), u.ID); err != nil {
		return v, err
	}
	sessions, err := p.Store.ListSessions(q.Context(), u.ID)
	v.Sessions = len(sessions)
	for _, s := range sessions {
		if s.LastSeenAt.After(v.LastSeen) {
			v.LastSeen = s.LastSeenAt
		}
	}
	return v, err
}

// Edit changes a user.
func (p *Admin) Edit(q *page.Request) error {
	u, err := p.userOfPath(q)
	if err != nil {
		return err
	}
	f := readUserForm(q)
	want := f.change()
	account, problems := f.accountChange()
	trial := u
	for field, sentence := range page.FieldErrors(trial.Change(want, account, p.Now())) {
		problems = withProblem(problems, field, sentence)
	}
	if problems != nil {
		f.Problems = problems
		return p.showUser(q, http.StatusUnprocessableEntity, u, f, nil)
	}
	out, err := p.Store.UpdateUserAndAccount(q.Context(), q.Write(), u.Username, want, account)
	switch {
	case errors.Is(err, stepsies.ErrLastAdmin):
		f.Problems = map[string]string{"role": page.Shown(err)}
	case stepsies.CodeOf(err) == stepsies.CodeConflict:
		f.Problems = map[string]string{"email": page.Shown(err)}
	case err != nil:
		return err
	}
	if f.Problems != nil {
		return p.showUser(q, http.StatusConflict, u, f, nil)
	}
	if !strings.EqualFold(u.Email, out.Value.Email) {
		p.tellOldAddress(q.Context(), u)
	}
	q.Notice(u.Username + " is changed.")
	if u.ID == q.Session.User.ID && out.Value.Role != stepsies.RoleAdmin {
		return q.Redirect(page.DashboardPath) // the page is not theirs to see any more
	}
	return q.Redirect(page.UserPath(u.Username, ""))
}

// SuspendForm asks before a user is suspended.
func (p *Admin) SuspendForm(q *page.Request) error {
	return p.confirmUser(q, func(p page.Page, v userView) error { return q.Render(http.StatusOK, suspendUserPageOf(p, v, "")) })
}

// DeleteForm asks before a user is deleted.
func (p *Admin) DeleteForm(q *page.Request) error {
	return p.confirmUser(q, func(p page.Page, v userView) error { return q.Render(http.StatusOK, deleteUserPageOf(p, v, "")) })
}

// confirmUser shows what is about to be done to a user.
func (p *Admin) confirmUser(q *page.Request, show func(page.Page, userView) error) error {
	u, err := p.userOfPath(q)
	if err != nil {
		return err
	}
	v, err := p.userView(q, u)
	if err != nil {
		return err
	}
	return show(q.Page(u.DisplayName, "Users"), v)
}

// Suspend ends every use of a user's keys and sessions, for as long as it lasts.
func (p *Admin) Suspend(q *page.Request) error { return p.setSuspended(q, true) }

// Unsuspend lets a user's keys work again.
func (p *Admin) Unsuspend(q *page.Request) error { return p.setSuspended(q, false) }

func (p *Admin) setSuspended(q *page.Request, suspended bool) error {
	u, err := p.userOfPath(q)
	if err != nil {
		return err
	}
	_, err = p.Store.UpdateUser(q.Context(), q.Write(), u.Username, stepsies.UserChange{Suspended: &suspended})
	if errors.Is(err, stepsies.ErrLastAdmin) {
		return p.confirmUser(q, func(p page.Page, v userView) error {
			return q.Render(http.StatusConflict, suspendUserPageOf(p, v, stepsies.ErrLastAdmin.Message))
		})
	}
	if err != nil {
		return err
	}
	if suspended {
		q.Notice(u.Username + " is suspended. Sessions have ended, and no key works.")
	} else {
		q.Notice(u.Username + " may go on. Keys work again; signing in takes the password.")
	}
	return q.Redirect(page.UserPath(u.Username, ""))
}

// Delete removes a user and all that they own, for good.
func (p *Admin) Delete(q *page.Request) error {
	u, err := p.userOfPath(q)
	if err != nil {
		return err
	}
	err = p.Store.DeleteUser(q.Context(), q.Write(), u.Username)
	if errors.Is(err, stepsies.ErrLastAdmin) {
		return p.confirmUser(q, func(p page.Page, v userView) error {
			return q.Render(http.StatusConflict, deleteUserPageOf(p, v, stepsies.ErrLastAdmin.Message))
		})
	}
	if err != nil {
		return err
	}
	q.Notice(u.Username + " is deleted.")
	return q.Redirect(page.UsersPath)
}

// belongingsWords says what goes with a user: "12 stepsies, 1 in the trash, 3 keys".
func belongingsWords(b store.Belongings) string {
	var words []string
	switch b.Stepsies {
	case 0:
	case 1:
		words = append(words, "1 stepsy")
	default:
		words = append(words, page.Number(b.Stepsies)+" stepsies")
	}
	if b.Trash > 0 {
		words = append(words, page.Number(b.Trash)+" in the trash")
	}
	if b.LiveKeys > 0 {
		words = append(words, page.Plural(int(b.LiveKeys), "key")+" in use")
	}
	if b.DeadKeys > 0 {
		words = append(words, page.Plural(int(b.DeadKeys), "ended key"))
	}
	return strings.Join(words, ", ")
}
