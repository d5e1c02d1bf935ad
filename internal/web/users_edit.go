package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
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

func readUserForm(q *request) userForm {
	text := func(name string) string { return strings.TrimSpace(q.PostFormValue(name)) }
	return userForm{
		DisplayName: text("display_name"), Email: text("email"), Role: text("role"), Plan: text("plan"),
		Minute: text("limit_minute"), Hour: text("limit_hour"), Month: text("limit_month"),
	}
}

// change is what the form asks for. Limits count on the enterprise plan alone, and
// go with it.
func (f userForm) change() (stepsies.UserChange, map[string]string) {
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
				problems = withProblem(problems, l.field, "This must be a whole number from 1 to "+number(stepsies.MaxLimit)+", or empty for no limit.")
			}
			*l.to = n
		}
	}
	if problems != nil {
		limits = stepsies.Limits{} // said already
	}
	return stepsies.UserChange{DisplayName: &f.DisplayName, Email: &f.Email, Role: &f.Role, Plan: &f.Plan, Limits: &limits}, problems
}

// userView is a user's page, as admins see it.
type userView struct {
	User     stepsies.User
	Self     bool // the admin's own
	Owns     store.Belongings
	Sessions int
	LastSeen time.Time // zero where nobody is signed in
	Form     userForm
	Link     *linkView
}

func (web *Web) userPage(q *request) error {
	u, err := q.userOfPath()
	if err != nil {
		return err
	}
	return web.showUser(q, http.StatusOK, u, userFormOf(u), nil)
}

func (web *Web) showUser(q *request, status int, u stepsies.User, f userForm, l *linkView) error {
	v, err := web.userView(q, u)
	if err != nil {
		return err
	}
	v.Form, v.Link = f, l
	return q.render(status, userPageOf(q.page(u.DisplayName, "Users"), v))
}

func (web *Web) userView(q *request, u stepsies.User) (userView, error) {
	v := userView{User: u, Self: u.ID == q.session.User.ID}
	var err error
	if v.Owns, err = web.Store.Belongings(q.Context(), u.ID); err != nil {
		return v, err
	}
	sessions, err := web.Store.ListSessions(q.Context(), u.ID)
	v.Sessions = len(sessions)
	for _, s := range sessions {
		if s.LastSeenAt.After(v.LastSeen) {
			v.LastSeen = s.LastSeenAt
		}
	}
	return v, err
}

// editUser changes a user.
func (web *Web) editUser(q *request) error {
	u, err := q.userOfPath()
	if err != nil {
		return err
	}
	f := readUserForm(q)
	want, problems := f.change()
	trial := u
	for field, sentence := range fieldErrors(trial.Change(want, web.Now())) {
		problems = withProblem(problems, field, sentence)
	}
	if problems != nil {
		f.Problems = problems
		return web.showUser(q, http.StatusUnprocessableEntity, u, f, nil)
	}
	out, err := web.Store.UpdateUser(q.Context(), q.write(), u.Username, want)
	switch {
	case errors.Is(err, stepsies.ErrLastAdmin):
		f.Problems = map[string]string{"role": shownOf(err)}
	case stepsies.CodeOf(err) == stepsies.CodeConflict:
		f.Problems = map[string]string{"email": shownOf(err)}
	case err != nil:
		return err
	}
	if f.Problems != nil {
		return web.showUser(q, http.StatusConflict, u, f, nil)
	}
	if !strings.EqualFold(u.Email, out.Value.Email) {
		web.tellOldAddress(q.Context(), u)
	}
	q.notice(u.Username + " is changed.")
	if u.ID == q.session.User.ID && out.Value.Role != stepsies.RoleAdmin {
		return q.redirect(dashboardPath) // the page is not theirs to see any more
	}
	return q.redirect(userPath(u.Username, ""))
}

func (web *Web) suspendUserPage(q *request) error {
	return web.confirmUser(q, func(p page, v userView) error { return q.render(http.StatusOK, suspendUserPageOf(p, v, "")) })
}

func (web *Web) deleteUserPage(q *request) error {
	return web.confirmUser(q, func(p page, v userView) error { return q.render(http.StatusOK, deleteUserPageOf(p, v, "")) })
}

// confirmUser shows what is about to be done to a user.
func (web *Web) confirmUser(q *request, show func(page, userView) error) error {
	u, err := q.userOfPath()
	if err != nil {
		return err
	}
	v, err := web.userView(q, u)
	if err != nil {
		return err
	}
	return show(q.page(u.DisplayName, "Users"), v)
}

// suspendUser ends every use of a user's keys and sessions, for as long as it lasts.
func (web *Web) suspendUser(q *request) error { return web.setSuspended(q, true) }

func (web *Web) unsuspendUser(q *request) error { return web.setSuspended(q, false) }

func (web *Web) setSuspended(q *request, suspended bool) error {
	u, err := q.userOfPath()
	if err != nil {
		return err
	}
	_, err = web.Store.UpdateUser(q.Context(), q.write(), u.Username, stepsies.UserChange{Suspended: &suspended})
	if errors.Is(err, stepsies.ErrLastAdmin) {
		return web.confirmUser(q, func(p page, v userView) error {
			return q.render(http.StatusConflict, suspendUserPageOf(p, v, stepsies.ErrLastAdmin.Message))
		})
	}
	if err != nil {
		return err
	}
	if suspended {
		q.notice(u.Username + " is suspended. Sessions have ended, and no key works.")
	} else {
		q.notice(u.Username + " may go on. Keys work again; signing in takes the password.")
	}
	return q.redirect(userPath(u.Username, ""))
}

// deleteUser removes a user and all that they own, for good.
func (web *Web) deleteUser(q *request) error {
	u, err := q.userOfPath()
	if err != nil {
		return err
	}
	err = web.Store.DeleteUser(q.Context(), q.write(), u.Username)
	if errors.Is(err, stepsies.ErrLastAdmin) {
		return web.confirmUser(q, func(p page, v userView) error {
			return q.render(http.StatusConflict, deleteUserPageOf(p, v, stepsies.ErrLastAdmin.Message))
		})
	}
	if err != nil {
		return err
	}
	q.notice(u.Username + " is deleted.")
	return q.redirect(usersPath)
}

// belongingsWords says what goes with a user: "12 stepsies, 1 in the trash, 3 keys".
func belongingsWords(b store.Belongings) string {
	var words []string
	switch b.Stepsies {
	case 0:
	case 1:
		words = append(words, "1 stepsy")
	default:
		words = append(words, number(b.Stepsies)+" stepsies")
	}
	if b.Trash > 0 {
		words = append(words, number(b.Trash)+" in the trash")
	}
	if b.LiveKeys > 0 {
		words = append(words, plural(int(b.LiveKeys), "key")+" in use")
	}
	if b.DeadKeys > 0 {
		words = append(words, plural(int(b.DeadKeys), "ended key"))
	}
	return strings.Join(words, ", ")
}
