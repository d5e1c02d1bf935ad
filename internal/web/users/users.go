package users

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// How much the tab shows at once.
const (
	usersPerPage   = 50
	maxInvitations = 100 // open ones
)

var (
	roleChoices = []page.Choice{{Value: string(stepsies.RoleMember), Label: "Member"}, {Value: string(stepsies.RoleAdmin), Label: "Admin"}}
	planChoices = []page.Choice{
		{Value: string(stepsies.PlanFree), Label: "Free"}, {Value: string(stepsies.PlanPro), Label: "Pro"},
		{Value: string(stepsies.PlanTeam), Label: "Team"}, {Value: string(stepsies.PlanEnterprise), Label: "Enterprise"},
	}
)

// usersView is the tab Users.
type usersView struct {
	Query       string
	Items       []stepsies.User
	Invitations []store.Link
	SignUp      page.SignUp
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
		return page.UsersPath
	}
	return page.UsersPath + "?" + values.Encode()
}

// List lists the users, newest first, and the invitations that still work.
func (p *Admin) List(q *page.Request) error {
	v := usersView{Query: page.CleanQuery(q.FormValue("q")), SignUp: p.SignUp, Continued: q.FormValue("cursor") != ""}
	found, err := p.Store.ListUsers(q.Context(), v.Query, store.Page{Limit: usersPerPage, Cursor: q.FormValue("cursor")})
	if err != nil {
		return page.OfThisList(err)
	}
	v.Items = found.Items
	if found.Next != "" {
		v.Next = v.address(found.Next)
	}
	if v.Query == "" && !v.Continued {
		if v.Invitations, err = p.Store.ListInvitations(q.Context(), maxInvitations); err != nil {
			return err
		}
	}
	return q.Render(http.StatusOK, usersTab(q.Page("Users", "Users"), v))
}

// userOfPath is the user whom the address names.
func (p *Admin) userOfPath(q *page.Request) (stepsies.User, error) {
	name, ok := strings.CutPrefix(q.PathValue("user"), "@")
	if !ok {
		return stepsies.User{}, page.ErrNoPage
	}
	return p.Store.User(q.Context(), name)
}

// New shows the form for a new user.
func (p *Admin) New(q *page.Request) error {
	f := userForm{Role: string(stepsies.RoleMember), Plan: string(stepsies.PlanFree)}
	return q.Render(http.StatusOK, newUserPageOf(q.Page("New user", "Users"), f))
}

// Create makes a user and a link by which they set their password.
func (p *Admin) Create(q *page.Request) error {
	f := readUserForm(q)
	f.Username = strings.TrimSpace(q.PostFormValue("username"))
	want := f.change()
	want.Username = &f.Username
	account, problems := f.accountChange()
	_, err := stepsies.NewUser(want, account, p.Now())
	for field, sentence := range page.FieldErrors(err) {
		problems = withProblem(problems, field, sentence)
	}
	if problems != nil {
		f.Problems = problems
		return q.Render(http.StatusUnprocessableEntity, newUserPageOf(q.Page("New user", "Users"), f))
	}
	out, err := p.Store.CreateUser(q.Context(), q.Write(), want, account)
	if stepsies.CodeOf(err) == stepsies.CodeConflict {
		f.Problems = map[string]string{takenField(err): page.Shown(err)}
		return q.Render(http.StatusConflict, newUserPageOf(q.Page("New user", "Users"), f))
	}
	if err != nil {
		return err
	}
	return p.showPasswordLink(q, out.Value, out.Value.DisplayName+" is a user now")
}

// MakePasswordLink makes a link by which a user sets a new password, for the admin
// to pass on.
func (p *Admin) MakePasswordLink(q *page.Request) error {
	u, err := p.userOfPath(q)
	if err != nil {
		return err
	}
	return p.showPasswordLink(q, u, "A link for "+u.DisplayName)
}

// showPasswordLink makes the link and shows it, the only time that anybody sees it.
func (p *Admin) showPasswordLink(q *page.Request, u stepsies.User, title string) error {
	address, err := p.newPasswordLink(q.Context(), q.Write(), u, "")
	if err != nil {
		return err
	}
	l := &page.Link{Title: title, Address: address,
		Sentence: "Pass this link on to " + u.Username + " by a way that you trust: whoever opens it sets the password. It works once, for an hour, and will not be shown again."}
	return p.showUser(q, http.StatusOK, u, userFormOf(u), l)
}

// InviteForm shows the form that invites someone.
func (p *Admin) InviteForm(q *page.Request) error {
	return q.Render(http.StatusOK, invitePageOf(q.Page("Invite", "Users"), p.inviteView()))
}

// inviteView is the form that invites someone, or what came of it.
type inviteView struct {
	Email, Role string
	Mail        bool // the invitation is mailed where there is an address
	Problems    map[string]string
	Link        *page.Link
}

func (p *Admin) inviteView() inviteView {
	return inviteView{Role: string(stepsies.RoleMember), Mail: p.Mail != nil}
}

// Invite makes an invitation. Its link is shown once, and mailed where there is an
// address and a way.
func (p *Admin) Invite(q *page.Request) error {
	v := p.inviteView()
	v.Email, v.Role = strings.TrimSpace(q.PostFormValue("email")), q.PostFormValue("role")
	if v.Email != "" {
		if _, err := stepsies.ParseEmail(v.Email); err != nil {
			v.Problems = withProblem(v.Problems, "email", page.Sentence(err.Error()))
		}
	}
	role, err := stepsies.ParseRole(v.Role)
	if err != nil {
		v.Problems = withProblem(v.Problems, "role", page.Sentence(err.Error()))
	}
	if v.Problems != nil {
		return q.Render(http.StatusUnprocessableEntity, invitePageOf(q.Page("Invite", "Users"), v))
	}
	token, hash := auth.NewToken()
	l := store.Link{Kind: store.LinkInvitation, Email: v.Email, Role: role}
	err = p.Store.CreateLink(q.Context(), q.Write(), l, hash, auth.InvitationLink)
	if stepsies.CodeOf(err) == stepsies.CodeConflict {
		v.Problems = map[string]string{"email": page.Shown(err)}
		return q.Render(http.StatusConflict, invitePageOf(q.Page("Invite", "Users"), v))
	}
	if err != nil {
		return err
	}
	v.Link = &page.Link{Title: "The invitation is ready", Address: p.PublicURL + page.InvitationPath + token,
		Sentence: "Whoever opens this link chooses a name and a password. It works once, for a week, and will not be shown again."}
	if v.Email != "" {
		v.Link.Title = "The invitation of " + v.Email + " is ready"
	}
	if v.Mail && v.Email != "" {
		p.sendInvitation(q.Context(), q.Session.User, v.Email, v.Link.Address)
		v.Link.Sentence += " It is on its way by e-mail, too."
	}
	return q.Render(http.StatusOK, invitePageOf(q.Page("Invite", "Users"), v))
}

// EndInvitation takes an invitation back.
func (p *Admin) EndInvitation(q *page.Request) error {
	id, err := q.ID()
	if err != nil {
		return err
	}
	if err := p.Store.EndInvitation(q.Context(), q.Write(), id); err != nil {
		return err
	}
	q.Notice("The invitation does not work any more.")
	return q.Redirect(page.UsersPath)
}
