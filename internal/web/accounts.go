package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/store"
)

// signUpView is what the forms show by which someone becomes a user.
type signUpView struct {
	Title, Sentence, Action string
	Username, Email         string
	DisplayName             string
	Proved                  bool // the address is, and stays as it is
	Problems                map[string]string
}

// welcomePage is where the operator becomes the first admin.
func (web *Web) welcomePage(q *request) error {
	return web.linkPage(q, store.LinkFirstAdmin, func(l store.Link) error {
		return q.render(http.StatusOK, signUpForm(q.page("Welcome", ""), web.welcomeView(q)))
	})
}

func (web *Web) welcomeView(q *request) signUpView {
	return signUpView{
		Title: "Welcome to Stepsies", Action: welcomePath + q.PathValue("token"),
		Sentence: "You are the first one here, so you become the admin. This link works once.",
	}
}

func (web *Web) welcome(q *request) error {
	return web.signUpByLink(q, store.LinkFirstAdmin, web.welcomeView(q))
}

func (web *Web) invitationPage(q *request) error {
	return web.linkPage(q, store.LinkInvitation, func(l store.Link) error {
		v := web.invitationView(q)
		v.Email = l.Email
		return q.render(http.StatusOK, signUpForm(q.page("Invitation", ""), v))
	})
}

func (web *Web) invitationView(q *request) signUpView {
	return signUpView{
		Title: "You are invited", Action: invitationPath + q.PathValue("token"),
		Sentence: "Choose a name and a password. This invitation works once.",
	}
}

func (web *Web) invitation(q *request) error {
	return web.signUpByLink(q, store.LinkInvitation, web.invitationView(q))
}

// linkPage shows a page to who has a link that works.
func (web *Web) linkPage(q *request, kind store.LinkKind, show func(store.Link) error) error {
	hash, ok := auth.ParseToken(q.PathValue("token"))
	if !ok {
		return errDeadLink
	}
	l, err := web.Store.LinkByToken(q.Context(), kind, hash)
	if stepsies.CodeOf(err) == stepsies.CodeNotFound {
		return errDeadLink
	}
	if err != nil {
		return err
	}
	return show(l)
}

func (web *Web) signUpByLink(q *request, kind store.LinkKind, v signUpView) error {
	hash, ok := auth.ParseToken(q.PathValue("token"))
	if !ok {
		return errDeadLink
	}
	return web.makeUser(q, v, kind, hash)
}

// makeUser makes a user of the form's values and signs them in.
func (web *Web) makeUser(q *request, v signUpView, kind store.LinkKind, hash store.TokenHash) error {
	v.Username, v.DisplayName = strings.TrimSpace(q.PostFormValue("username")), q.PostFormValue("display_name")
	if !v.Proved {
		v.Email = q.PostFormValue("email")
	}
	password := q.PostFormValue("password")
	if err := web.attempts.take(q.Context(), q.ip, ""); err != nil {
		return err
	}
	want := stepsies.UserChange{Username: &v.Username, Email: &v.Email, DisplayName: &v.DisplayName}
	_, err := stepsies.NewUser(want, web.Now())
	v.Problems = fieldErrors(err)
	if problem := auth.CheckPassword(password); problem != nil {
		if v.Problems == nil {
			v.Problems = map[string]string{}
		}
		v.Problems["password"] = sentenceOf(problem.Error())
	}
	if v.Problems != nil {
		return q.render(http.StatusUnprocessableEntity, signUpForm(q.page(v.Title, ""), v))
	}
	passwordHash, err := auth.HashPassword(q.Context(), password)
	if err != nil {
		return err
	}
	u, err := web.Store.SignUp(q.Context(), q.ip, want, passwordHash, kind, hash)
	switch stepsies.CodeOf(err) {
	case "":
	case stepsies.CodeNotFound:
		return errDeadLink
	case stepsies.CodeConflict:
		v.Problems = map[string]string{takenField(err): shownOf(err)}
		return q.render(http.StatusConflict, signUpForm(q.page(v.Title, ""), v))
	default:
		return err
	}
	session, err := web.Sessions.Start(q.Context(), q.w, q.Request, u, passwordHash, q.ip)
	if errors.Is(err, auth.ErrSignIn) {
		return q.redirect(signInPath) // suspended or given another password between the two
	}
	if err != nil {
		return err
	}
	q.session = session
	if u.EmailVerifiedAt.IsZero() {
		web.sendVerification(q.Context(), u, u.Email)
	}
	q.notice("Welcome, " + u.DisplayName + ".")
	return q.redirect(dashboardPath)
}

// takenField is the field that a conflict speaks of.
func takenField(err error) string {
	if strings.Contains(shownOf(err), "e-mail") {
		return "email"
	}
	return "username"
}

func (web *Web) forgotPasswordPage(q *request) error {
	return q.render(http.StatusOK, forgotPasswordForm(q.page("Forgotten password", ""), web.Mail != nil, false))
}

// forgotPassword answers the same whether there is such a user. The link is made
// and sent afterwards, so that the time tells nothing either.
func (web *Web) forgotPassword(q *request) error {
	login := q.PostFormValue("login")
	if err := web.attempts.take(q.Context(), q.ip, login); err != nil {
		return err
	}
	if web.Mail != nil {
		web.later(q.Context(), 0, func(ctx context.Context) error { return web.sendPasswordLink(ctx, login) })
	}
	return q.render(http.StatusOK, forgotPasswordForm(q.page("Forgotten password", ""), web.Mail != nil, true))
}

func (web *Web) sendPasswordLink(ctx context.Context, login string) error {
	u, _, err := web.Store.PasswordHash(ctx, strings.TrimSpace(login))
	if stepsies.CodeOf(err) == stepsies.CodeNotFound || err == nil && u.Suspended() {
		return nil
	}
	if err != nil {
		return err
	}
	link, err := web.newPasswordLink(ctx, store.Write{Actor: stepsies.Actor{Kind: stepsies.ActorAnonymous}}, u, u.Email)
	if err != nil {
		return err
	}
	return web.Mail.Send(ctx, u.Email, "Set a new password", fmt.Sprintf(
		"%s\n\nsomeone, hopefully you, asks to set a new password for the account %s. Do it within an hour:\n\n%s\n\nIf it was not you, do nothing: your password stays as it is.\n",
		greeting(u), u.Username, link))
}

// newPasswordLink makes a link by which a user sets a new password. Where it is mailed,
// it proves the address; where an admin gives it to them, it proves nothing.
func (web *Web) newPasswordLink(ctx context.Context, w store.Write, u stepsies.User, mailedTo string) (string, error) {
	token, hash := auth.NewToken()
	err := web.Store.CreateLink(ctx, w, store.Link{Kind: store.LinkPassword, UserID: u.ID, Email: mailedTo}, hash, auth.PasswordLink)
	return web.PublicURL + resetPasswordPath + token, err
}

func (web *Web) resetPasswordPage(q *request) error {
	return web.linkPage(q, store.LinkPassword, func(store.Link) error {
		return q.render(http.StatusOK, resetPasswordForm(q.page("New password", ""), q.PathValue("token"), ""))
	})
}

func (web *Web) resetPassword(q *request) error {
	token := q.PathValue("token")
	hash, ok := auth.ParseToken(token)
	if !ok {
		return errDeadLink
	}
	if err := web.attempts.take(q.Context(), q.ip, ""); err != nil {
		return err
	}
	password := q.PostFormValue("password")
	if err := auth.CheckPassword(password); err != nil {
		return q.render(http.StatusUnprocessableEntity, resetPasswordForm(q.page("New password", ""), token, sentenceOf(err.Error())))
	}
	passwordHash, err := auth.HashPassword(q.Context(), password)
	if err != nil {
		return err
	}
	done, err := web.Store.ResetPassword(q.Context(), q.ip, hash, passwordHash)
	if stepsies.CodeOf(err) == stepsies.CodeNotFound {
		return errDeadLink
	}
	if err != nil {
		return err
	}
	if done.KeysEnded > 0 {
		q.notice(passwordSetKeysEndedNotice)
	} else {
		q.notice(passwordSetNotice)
	}
	return q.redirect(signInPath)
}

// FirstAdminLink makes the link by which the operator becomes the first admin.
// It takes the place of the one before, and is "" once there is a user.
func (web *Web) FirstAdminLink(ctx context.Context) (string, error) {
	n, err := web.Store.CountUsers(ctx)
	if err != nil || n > 0 {
		return "", err
	}
	token, hash := auth.NewToken()
	w := store.Write{Actor: auth.Operator().Actor}
	err = web.Store.CreateLink(ctx, w, store.Link{Kind: store.LinkFirstAdmin, Role: stepsies.RoleAdmin}, hash, auth.FirstAdminLink)
	return web.PublicURL + welcomePath + token, err
}
