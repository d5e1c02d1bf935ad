package users

import (
	"net/http"
	"strings"

	"github.com/stepsies/stepsies"
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
	CanSignUp bool
}

// SignIn starts a session, and leads to the page that was asked for.
func (p *Pages) SignIn(q *page.Request) error {
	v := signInView{Login: q.PostFormValue("login"), Next: q.PostFormValue("next"), CanSignUp: p.SignUp == page.SignUpOpen}
	err := p.attempts.Take(q.Context(), q.IP, v.Login)
	if err == nil {
		_, err = p.Sessions.SignIn(q.Context(), q.W, q.Request, v.Login, q.PostFormValue("password"), q.IP)
	}
	status := http.StatusOK
	switch stepsies.CodeOf(err) {
	case "":
		p.attempts.Forget(q.Context(), v.Login)
		return q.Redirect(safeNext(v.Next))
	case stepsies.CodeUnauthorized:
		status, v.Error = http.StatusUnauthorized, "The username or the password is not right."
	case stepsies.CodeRateLimit:
		status, v.Error = http.StatusTooManyRequests, "Too many tries. Wait a few minutes and try again."
	default:
		return err
	}
	return q.Render(status, signInForm(q.Page("Sign in", ""), v))
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
