package web

import (
	"net/http"
	"strings"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/store"
)

// profileView is the tab Profile, with what was typed into the form that was sent.
type profileView struct {
	DisplayName, Bio, TimeZone string
	Email                      string
	Mail                       bool              // e-mail is sent, so that an address can be proved
	Waiting                    store.EmailChange // zero where none does
	Problems                   map[string]string
	Sessions                   []store.Session
	Current                    int64 // of this browser
}

func (web *Web) profileView(q *request) profileView {
	u := q.session.User
	return profileView{DisplayName: u.DisplayName, Bio: u.Bio, TimeZone: u.TimeZone, Email: u.Email, Mail: web.Mail != nil, Current: q.session.Session.ID}
}

func (web *Web) profilePage(q *request) error {
	return web.showProfile(q, http.StatusOK, web.profileView(q))
}

func (web *Web) showProfile(q *request, status int, v profileView) error {
	var err error
	if v.Sessions, err = web.Store.ListSessions(q.Context(), q.session.User.ID); err != nil {
		return err
	}
	if v.Waiting, err = web.Store.EmailChange(q.Context(), q.session.User.ID); err != nil && stepsies.CodeOf(err) != stepsies.CodeNotFound {
		return err
	}
	return q.render(status, profileTab(q.page("Profile", "Profile"), v))
}

// editProfile changes how others see one, and the time zone.
func (web *Web) editProfile(q *request) error {
	v := web.profileView(q)
	if !q.PostForm.Has("display_name") || !q.PostForm.Has("bio") || !q.PostForm.Has("time_zone") {
		return errHalfForm // what is missing is not meant to be emptied
	}
	v.DisplayName, v.TimeZone = q.PostFormValue("display_name"), strings.TrimSpace(q.PostFormValue("time_zone"))
	v.Bio = lineBreaks(q.PostFormValue("bio"))
	_, err := web.Store.UpdateUser(q.Context(), q.write(), q.session.User.Username,
		stepsies.UserChange{DisplayName: &v.DisplayName, Bio: &v.Bio, TimeZone: &v.TimeZone})
	if v.Problems = fieldErrors(err); v.Problems != nil {
		return web.showProfile(q, http.StatusUnprocessableEntity, v)
	}
	if err != nil {
		return err
	}
	q.notice("Your profile is saved.")
	return q.redirect(profilePath)
}

// changePassword sets a new password and signs out everywhere else.
func (web *Web) changePassword(q *request) error {
	v := web.profileView(q)
	password := q.PostFormValue("new_password")
	problem, err := web.checkOwnPassword(q, q.PostFormValue("old_password"))
	if err != nil {
		return err
	}
	if problem != "" {
		v.Problems = withProblem(v.Problems, "old_password", problem)
	}
	if bad := auth.CheckPassword(password); bad != nil {
		v.Problems = withProblem(v.Problems, "new_password", sentenceOf(bad.Error()))
	}
	if v.Problems != nil {
		return web.showProfile(q, http.StatusUnprocessableEntity, v)
	}
	hash, err := auth.HashPassword(q.Context(), password)
	if err != nil {
		return err
	}
	if q.session, err = web.Sessions.ChangePassword(q.Context(), q.w, q.write(), q.session, hash); err != nil {
		return err
	}
	q.notice("Your password is changed. Every other browser is signed out.")
	return q.redirect(profilePath)
}

// checkOwnPassword returns what is wrong with the password of whoever is signed in.
// Whoever found an open browser has as few tries as at the sign-in.
func (web *Web) checkOwnPassword(q *request, password string) (problem string, err error) {
	username := q.session.User.Username
	if err := web.attempts.take(q.Context(), q.ip, username); err != nil {
		return "Too many tries. Wait a few minutes and try again.", nil
	}
	_, hash, err := web.Store.PasswordHash(q.Context(), username)
	if err != nil {
		return "", err
	}
	ok, err := auth.PasswordMatches(q.Context(), password, hash)
	if err != nil {
		return "", err
	}
	if !ok {
		return "This is not your password.", nil
	}
	web.attempts.forget(q.Context(), username)
	return "", nil
}

// endSession signs one of one's own browsers out. Another's session does not exist.
func (web *Web) endSession(q *request) error {
	id, err := q.id()
	if err != nil {
		return err
	}
	if id == q.session.Session.ID {
		return web.signOut(q)
	}
	list, err := web.Store.ListSessions(q.Context(), q.session.User.ID)
	if err != nil {
		return err
	}
	for _, s := range list {
		if s.ID != id {
			continue
		}
		if err := web.Store.EndSession(q.Context(), q.write(), q.session.User, id); err != nil {
			return err
		}
		q.notice(browserName(s.UserAgent) + " is signed out.")
		return q.redirect(profilePath + "#sessions")
	}
	return errNoPage
}

// endSessions signs out everywhere, here too.
func (web *Web) endSessions(q *request) error {
	if err := web.Store.EndSessions(q.Context(), q.write(), q.session.User, 0); err != nil {
		return err
	}
	q.notice(signedOutEverywhereNotice)
	return q.redirect(signInPath)
}

// withProblem adds a problem of a field.
func withProblem(problems map[string]string, field, sentence string) map[string]string {
	if problems == nil {
		problems = map[string]string{}
	}
	problems[field] = sentence
	return problems
}

// changed is what was typed, or nothing where it is what there is already: the form
// asks for something new.
func changed(typed, present string) string {
	if typed == present {
		return ""
	}
	return typed
}
