package web

import (
	"net/http"
	"strings"

	"github.com/stepsies/stepsies"
)

func (web *Web) signInPage(q *request) error {
	if q.signedIn() {
		return q.redirect(safeNext(q.FormValue("next")))
	}
	return q.render(http.StatusOK, signInForm(q.page("Sign in", ""), signInView{Next: q.FormValue("next"), CanSignUp: web.SignUp == SignUpOpen}))
}

// signInView is what the sign-in form shows.
type signInView struct {
	Login     string
	Next      string
	Error     string
	CanSignUp bool
}

func (web *Web) signIn(q *request) error {
	v := signInView{Login: q.PostFormValue("login"), Next: q.PostFormValue("next"), CanSignUp: web.SignUp == SignUpOpen}
	err := web.attempts.take(q.Context(), q.ip, v.Login)
	if err == nil {
		_, err = web.Sessions.SignIn(q.Context(), q.w, q.Request, v.Login, q.PostFormValue("password"), q.ip)
	}
	status := http.StatusOK
	switch stepsies.CodeOf(err) {
	case "":
		web.attempts.forget(q.Context(), v.Login)
		return q.redirect(safeNext(v.Next))
	case stepsies.CodeUnauthorized:
		status, v.Error = http.StatusUnauthorized, "The username or the password is not right."
	case stepsies.CodeRateLimit:
		status, v.Error = http.StatusTooManyRequests, "Too many tries. Wait a few minutes and try again."
	default:
		return err
	}
	return q.render(status, signInForm(q.page("Sign in", ""), v))
}

func (web *Web) signOut(q *request) error {
	if err := web.Sessions.SignOut(q.Context(), q.w, q.session, q.ip); err != nil {
		return err
	}
	q.notice(signedOutNotice)
	return q.redirect(signInPath)
}

// safeNext returns the page to go on to: one of ours, never another site.
func safeNext(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") || strings.HasPrefix(next, "/sign-") {
		return dashboardPath
	}
	return next
}
