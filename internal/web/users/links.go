package users

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/mail"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// signUpView is what the forms show by which someone becomes a user.
type signUpView struct {
	Title, Sentence, Action string
	Username, Email         string
	DisplayName             string
	Proved                  bool // the address is, and stays as it is
	Problems                map[string]string
}

// WelcomeForm is where the operator becomes the first admin.
func (p *Pages) WelcomeForm(q *page.Request) error {
	return p.linkPage(q, store.LinkFirstAdmin, func(l store.Link) error {
		return q.Render(http.StatusOK, signUpForm(q.Page("Welcome", ""), p.welcomeView(q)))
	})
}

func (p *Pages) welcomeView(q *page.Request) signUpView {
	return signUpView{
		Title: "Welcome to Stepsies", Action: page.WelcomePath + q.PathValue("token"),
		Sentence: "You are the first one here, so you become the admin. This link works once.",
	}
}

// Welcome makes the first admin.
func (p *Pages) Welcome(q *page.Request) error {
	return p.makeUserByLink(q, store.LinkFirstAdmin, p.welcomeView(q))
}

// InvitationForm is where who was invited chooses a name and a password.
func (p *Pages) InvitationForm(q *page.Request) error {
	return p.linkPage(q, store.LinkInvitation, func(l store.Link) error {
		v := p.invitationView(q)
		v.Email = l.Email
		return q.Render(http.StatusOK, signUpForm(q.Page("Invitation", ""), v))
	})
}

func (p *Pages) invitationView(q *page.Request) signUpView {
	return signUpView{
		Title: "You are invited", Action: page.InvitationPath + q.PathValue("token"),
		Sentence: "Choose a name and a password. This invitation works once.",
	}
}

// Invitation makes a user of who was invited.
func (p *Pages) Invitation(q *page.Request) error {
	return p.makeUserByLink(q, store.LinkInvitation, p.invitationView(q))
}

// linkPage shows a page to who has a link that works.
func (c *core) linkPage(q *page.Request, kind store.LinkKind, show func(store.Link) error) error {
	hash, ok := auth.ParseToken(q.PathValue("token"))
	if !ok {
		return page.ErrDeadLink
	}
	l, err := c.Store.LinkByToken(q.Context(), kind, hash)
	if stepsies.CodeOf(err) == stepsies.CodeNotFound {
		return page.ErrDeadLink
	}
	if err != nil {
		return err
	}
	return show(l)
}

func (p *Pages) makeUserByLink(q *page.Request, kind store.LinkKind, v signUpView) error {
	hash, ok := auth.ParseToken(q.PathValue("token"))
	if !ok {
		return page.ErrDeadLink
	}
	return p.makeUser(q, v, kind, hash)
}

// makeUser makes a user of the form's values and signs them in.
func (p *Pages) makeUser(q *page.Request, v signUpView, kind store.LinkKind, hash store.TokenHash) error {
	v.Username, v.DisplayName = strings.TrimSpace(q.PostFormValue("username")), q.PostFormValue("display_name")
	if !v.Proved {
		v.Email = q.PostFormValue("email")
	}
	password := q.PostFormValue("password")
	if v := p.forms.Take(q.Context(), q.IP); !v.Allowed {
		return stepsies.TooManyRequests(v.RetryAfter)
	}
	want := stepsies.UserChange{Username: &v.Username, Email: &v.Email, DisplayName: &v.DisplayName}
	_, err := stepsies.NewUser(want, stepsies.AccountChange{}, p.Now())
	v.Problems = page.FieldErrors(err)
	if problem := auth.CheckPassword(password); problem != nil {
		if v.Problems == nil {
			v.Problems = map[string]string{}
		}
		v.Problems["password"] = page.Sentence(problem.Error())
	}
	if v.Problems != nil {
		return q.Render(http.StatusUnprocessableEntity, signUpForm(q.Page(v.Title, ""), v))
	}
	passwordHash, err := auth.HashPassword(q.Context(), password)
	if err != nil {
		return err
	}
	u, err := p.Store.SignUp(q.Context(), q.IP, want, passwordHash, kind, hash)
	switch stepsies.CodeOf(err) {
	case "":
	case stepsies.CodeNotFound:
		return page.ErrDeadLink
	case stepsies.CodeConflict:
		v.Problems = map[string]string{takenField(err): page.Shown(err)}
		return q.Render(http.StatusConflict, signUpForm(q.Page(v.Title, ""), v))
	default:
		return err
	}
	session, err := p.Sessions.Start(q.Context(), q.W, q.Request, u, passwordHash, q.IP)
	if errors.Is(err, auth.ErrSignIn) {
		return q.Redirect(page.SignInPath) // suspended or given another password between the two
	}
	if err != nil {
		return err
	}
	q.Session = session
	if u.EmailVerifiedAt.IsZero() {
		p.sendVerification(q.Context(), u, u.Email)
	}
	q.Notice("Welcome, " + u.DisplayName + ".")
	return q.Redirect(page.DashboardPath)
}

// takenField is the field that a conflict speaks of.
func takenField(err error) string {
	if strings.Contains(page.Shown(err), "e-mail") {
		return "email"
	}
	return "username"
}

// ForgotPasswordForm asks whose password is forgotten.
func (p *Pages) ForgotPasswordForm(q *page.Request) error {
	return q.Render(http.StatusOK, forgotPasswordForm(q.Page("Forgotten password", ""), p.Mail != nil, false))
}

// ForgotPassword answers the same whether there is such a user. The link is made
// and sent afterwards, so that the time tells nothing either.
func (p *Pages) ForgotPassword(q *page.Request) error {
	login := q.PostFormValue("login")
	if err := p.resets.take(q.Context(), q.IP, strings.TrimSpace(login)); err != nil {
		return err
	}
	if p.Mail != nil {
		p.later(q.Context(), 0, func(ctx context.Context) error { return p.sendPasswordLink(ctx, login) })
	}
	return q.Render(http.StatusOK, forgotPasswordForm(q.Page("Forgotten password", ""), p.Mail != nil, true))
}

func (p *Pages) sendPasswordLink(ctx context.Context, login string) error {
	u, _, err := p.Store.PasswordHash(ctx, strings.TrimSpace(login))
	if stepsies.CodeOf(err) == stepsies.CodeNotFound || err == nil && u.Suspended() {
		return nil
	}
	if err != nil {
		return err
	}
	if !p.resets.maySend(ctx, u.ID) {
		return nil
	}
	link, err := p.newPasswordLink(ctx, store.Write{Actor: stepsies.Actor{Kind: stepsies.ActorAnonymous}}, u, u.Email)
	if err != nil {
		return err
	}
	return p.Mail.Send(ctx, mail.NewPassword(u, link))
}

// newPasswordLink makes a link by which a user sets a new password. Where it is mailed,
// it proves the address; where an admin gives it to them, it proves nothing.
func (c *core) newPasswordLink(ctx context.Context, w store.Write, u stepsies.User, mailedTo string) (string, error) {
	token, hash := auth.NewToken()
	err := c.Store.CreateLink(ctx, w, store.Link{Kind: store.LinkPassword, UserID: u.ID, Email: mailedTo}, hash, auth.PasswordLink)
	return c.PublicURL + page.ResetPasswordPath + token, err
}

// ResetPasswordForm asks for a new password.
func (p *Pages) ResetPasswordForm(q *page.Request) error {
	return p.linkPage(q, store.LinkPassword, func(store.Link) error {
		return q.Render(http.StatusOK, resetPasswordForm(q.Page("New password", ""), q.PathValue("token"), ""))
	})
}

// ResetPassword sets a new password, and signs out everywhere.
func (p *Pages) ResetPassword(q *page.Request) error {
	token := q.PathValue("token")
	hash, ok := auth.ParseToken(token)
	if !ok {
		return page.ErrDeadLink
	}
	if v := p.forms.Take(q.Context(), q.IP); !v.Allowed {
		return stepsies.TooManyRequests(v.RetryAfter)
	}
	password := q.PostFormValue("password")
	if err := auth.CheckPassword(password); err != nil {
		return q.Render(http.StatusUnprocessableEntity, resetPasswordForm(q.Page("New password", ""), token, page.Sentence(err.Error())))
	}
	passwordHash, err := auth.HashPassword(q.Context(), password)
	if err != nil {
		return err
	}
	done, err := p.Store.ResetPassword(q.Context(), q.IP, hash, passwordHash)
	if stepsies.CodeOf(err) == stepsies.CodeNotFound {
		return page.ErrDeadLink
	}
	if err != nil {
		return err
	}
	p.Sessions.Remember(q.W, q.Request, passwordHash) // whoever set it can sign in here, whatever others tried
	if done.KeysEnded > 0 {
		q.Notice(page.PasswordSetKeysEndedNotice)
	} else {
		q.Notice(page.PasswordSetNotice)
	}
	return q.Redirect(page.SignInPath)
}

// FirstAdminLink makes the link by which the operator becomes the first admin.
// It takes the place of the one before, and is "" once there is a user.
func (p *Pages) FirstAdminLink(ctx context.Context) (string, error) {
	n, err := p.Store.CountUsers(ctx)
	if err != nil || n > 0 {
		return "", err
	}
	token, hash := auth.NewToken()
	w := store.Write{Actor: auth.Operator().Actor}
	err = p.Store.CreateLink(ctx, w, store.Link{Kind: store.LinkFirstAdmin, Role: stepsies.RoleAdmin}, hash, auth.FirstAdminLink)
	return p.PublicURL + page.WelcomePath + token, err
}
