package users

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// SignInForm asks for a name and a password.
func (p *Pages) SignInForm(q *page.Request) error {
	if q.SignedIn() {
		return q.Redirect(safeNext(q.FormValue("next")))
	}
	return q.Render(http.StatusOK, signInForm(q.Page("Sign in", ""), signInView{Next: q.FormValue("next"), CanSignUp: p.SignUp == page.SignUpOpen}))
}

// signInView is what the sign-in form shows.
type signInView struct {
	Login     string
	Next      string
	Error     string
	Wait      time.Duration // until another try is looked at; 0 where it may be now
	Mail      bool          // e-mail is sent, so that one can set a new password
	CanSignUp bool
}

// SignIn starts a session, and leads to the page that was asked for.
func (p *Pages) SignIn(q *page.Request) error {
	v := signInView{Login: q.PostFormValue("login"), Next: q.PostFormValue("next"), CanSignUp: p.SignUp == page.SignUpOpen}
	v.Mail = p.Mail != nil
	err := p.trySignIn(q, v.Login)
	status := http.StatusOK
	switch stepsies.CodeOf(err) {
	case "":
		return q.Redirect(safeNext(v.Next))
	case stepsies.CodeUnauthorized:
		status, v.Error = http.StatusUnauthorized, "The username or the password is not right."
	case stepsies.CodeRateLimit:
		status, v.Error = http.StatusTooManyRequests, "Too many wrong tries. This one was not looked at."
		if e, ok := errors.AsType[*stepsies.Error](err); ok {
			v.Wait = time.Duration(e.RetryAfter) * time.Second
			q.RetryAfter(e.RetryAfter)
		}
	default:
		return err
	}
	return q.Render(status, signInForm(q.Page("Sign in", ""), v))
}

// trySignIn signs in whom the form names, if the password is right and there were not
// too many wrong ones.
func (p *Pages) trySignIn(q *page.Request, login string) error {
	who, err := p.Store.SignInOf(q.Context(), login)
	if err != nil {
		return err
	}
	try, err := p.wrong.signIn(q.Context(), q.IP, login, who, p.Sessions.Browser(q.Request, who.PasswordHash))
	if err != nil {
		return err
	}
	if try.refused {
		who = store.SignIn{} // whose password is never right, after the same work
	}
	err = p.Sessions.SignIn(q.Context(), q.W, q.Request, who, q.PostFormValue("password"), q.IP)
	if !errors.Is(err, auth.ErrSignIn) {
		try.giveBack(q.Context(), 0)
	}
	return err
}

// SignOut ends the session of this browser.
func (c *core) SignOut(q *page.Request) error {
	if err := c.Sessions.SignOut(q.Context(), q.W, q.Session, q.IP); err != nil {
		return err
	}
	q.Notice(page.SignedOutNotice)
	return q.Redirect(page.SignInPath)
}

// safeNext returns the page to go on to: one of ours, never another site.
func safeNext(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") || strings.HasPrefix(next, "/sign-") {
		return page.DashboardPath
	}
	return next
}
