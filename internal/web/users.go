package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/store"
)

// How much the tab shows at once.
const (
	usersPerPage   = 50
	maxInvitations = 100 // open ones
)

var (
	roleChoices = []choice{{Value: string(stepsies.RoleMember), Label: "Member"}, {Value: string(stepsies.RoleAdmin), Label: "Admin"}}
	planChoices = []choice{
		{Value: string(stepsies.PlanFree), Label: "Free"}, {Value: string(stepsies.PlanPro), Label: "Pro"},
		{Value: string(stepsies.PlanTeam), Label: "Team"}, {Value: string(stepsies.PlanEnterprise), Label: "Enterprise"},
	}
)

// usersView is the tab Users.
type usersView struct {
	Query       string
	Items       []stepsies.User
	Invitations []store.Link
	SignUp      SignUp
	Continued   bool   // not the first part of the list
	Next        string // address of the part that follows, "" for the last one
}

func (v usersView) address(cursor string) string {
	values := url.Values{}
	for name, value := range map[string]string{"q": v.Query, "cursor": cursor} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if len(values) == 0 {
		return usersPath
	}
	return usersPath + "?" + values.Encode()
}

// usersPage lists the users, newest first, and the invitations that still work.
func (web *Web) usersPage(q *request) error {
	v := usersView{Query: cleanQuery(q.FormValue("q")), SignUp: web.SignUp, Continued: q.FormValue("cursor") != ""}
	found, err := web.Store.ListUsers(q.Context(), v.Query, store.Page{Limit: usersPerPage, Cursor: q.FormValue("cursor")})
	if err != nil {
		return ofThisList(err)
	}
	v.Items = found.Items
	if found.Next != "" {
		v.Next = v.address(found.Next)
	}
	if v.Query == "" && !v.Continued {
		if v.Invitations, err = web.Store.ListInvitations(q.Context(), maxInvitations); err != nil {
			return err
		}
	}
	return q.render(http.StatusOK, usersTab(q.page("Users", "Users"), v))
}

// userOfPath is the user whom the address names.
func (q *request) userOfPath() (stepsies.User, error) {
	name, ok := strings.CutPrefix(q.PathValue("user"), "@")
	if !ok {
		return stepsies.User{}, errNoPage
	}
	return q.web.Store.User(q.Context(), name)
}

func (web *Web) newUserPage(q *request) error {
	f := userForm{Role: string(stepsies.RoleMember), Plan: string(stepsies.PlanFree)}
	return q.render(http.StatusOK, newUserPageOf(q.page("New user", "Users"), f))
}

// createUser makes a user and a link by which they set their password.
func (web *Web) createUser(q *request) error {
	f := readUserForm(q)
	f.Username = strings.TrimSpace(q.PostFormValue("username"))
	want, problems := f.change()
	want.Username = &f.Username
	_, err := stepsies.NewUser(want, web.Now())
	for field, sentence := range fieldErrors(err) {
		problems = withProblem(problems, field, sentence)
	}
	if problems != nil {
		f.Problems = problems
		return q.render(http.StatusUnprocessableEntity, newUserPageOf(q.page("New user", "Users"), f))
	}
	out, err := web.Store.CreateUser(q.Context(), q.write(), want)
	if stepsies.CodeOf(err) == stepsies.CodeConflict {
		f.Problems = map[string]string{takenField(err): shownOf(err)}
		return q.render(http.StatusConflict, newUserPageOf(q.page("New user", "Users"), f))
	}
	if err != nil {
		return err
	}
	return web.showPasswordLink(q, out.Value, out.Value.DisplayName+" is a user now")
}

// makePasswordLink makes a link by which a user sets a new password, for the admin
// to pass on.
func (web *Web) makePasswordLink(q *request) error {
	u, err := q.userOfPath()
	if err != nil {
		return err
	}
	return web.showPasswordLink(q, u, "A link for "+u.DisplayName)
}

// showPasswordLink makes the link and shows it, the only time that anybody sees it.
func (web *Web) showPasswordLink(q *request, u stepsies.User, title string) error {
	address, err := web.newPasswordLink(q.Context(), q.write(), u, "")
	if err != nil {
		return err
	}
	l := &linkView{Title: title, Address: address,
		Sentence: "Pass this link on to " + u.Username + " by a way that you trust: whoever opens it sets the password. It works once, for an hour, and will not be shown again."}
	return web.showUser(q, http.StatusOK, u, userFormOf(u), l)
}

func (web *Web) invitePage(q *request) error {
	return q.render(http.StatusOK, invitePageOf(q.page("Invite", "Users"), web.inviteView()))
}

// inviteView is the form that invites someone, or what came of it.
type inviteView struct {
	Email, Role string
	Mail        bool // the invitation is mailed where there is an address
	Problems    map[string]string
	Link        *linkView
}

func (web *Web) inviteView() inviteView {
	return inviteView{Role: string(stepsies.RoleMember), Mail: web.Mail != nil}
}

// invite makes an invitation. Its link is shown once, and mailed where there is an
// address and a way.
func (web *Web) invite(q *request) error {
	v := web.inviteView()
	v.Email, v.Role = strings.TrimSpace(q.PostFormValue("email")), q.PostFormValue("role")
	if v.Email != "" {
		if _, err := stepsies.ParseEmail(v.Email); err != nil {
			v.Problems = withProblem(v.Problems, "email", sentenceOf(err.Error()))
		}
	}
	role, err := stepsies.ParseRole(v.Role)
	if err != nil {
		v.Problems = withProblem(v.Problems, "role", sentenceOf(err.Error()))
	}
	if v.Problems != nil {
		return q.render(http.StatusUnprocessableEntity, invitePageOf(q.page("Invite", "Users"), v))
	}
	token, hash := auth.NewToken()
	l := store.Link{Kind: store.LinkInvitation, Email: v.Email, Role: role}
	err = web.Store.CreateLink(q.Context(), q.write(), l, hash, auth.InvitationLink)
	if stepsies.CodeOf(err) == stepsies.CodeConflict {
		v.Problems = map[string]string{"email": shownOf(err)}
		return q.render(http.StatusConflict, invitePageOf(q.page("Invite", "Users"), v))
	}
	if err != nil {
		return err
	}
	v.Link = &linkView{Title: "The invitation is ready", Address: web.PublicURL + invitationPath + token,
		Sentence: "Whoever opens this link chooses a name and a password. It works once, for a week, and will not be shown again."}
	if v.Email != "" {
		v.Link.Title = "The invitation of " + v.Email + " is ready"
	}
	if v.Mail && v.Email != "" {
		web.sendInvitation(q.Context(), q.session.User, v.Email, v.Link.Address)
		v.Link.Sentence += " It is on its way by e-mail, too."
	}
	return q.render(http.StatusOK, invitePageOf(q.page("Invite", "Users"), v))
}

// endInvitation takes an invitation back.
func (web *Web) endInvitation(q *request) error {
	id, err := q.id()
	if err != nil {
		return err
	}
	if err := web.Store.EndInvitation(q.Context(), q.write(), id); err != nil {
		return err
	}
	q.notice("The invitation does not work any more.")
	return q.redirect(usersPath)
}
