package users

import (
	"net/http"
	"strings"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
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

func (p *Profile) profileView(q *page.Request) profileView {
	u := q.Session.User
	return profileView{DisplayName: u.DisplayName, Bio: u.Bio, TimeZone: u.TimeZone, Email: u.Email, Mail: p.Mail != nil, Current: q.Session.Session.ID}
}

// Show is the tab Profile.
func (p *Profile) Show(q *page.Request) error {
	return p.showProfile(q, http.StatusOK, p.profileView(q))
}

func (p *Profile) showProfile(q *page.Request, status int, v profileView) error {
	var err error
	if v.Sessions, err = p.Store.ListSessions(q.Context(), q.Session.User.ID); err != nil {
		return err
	}
	if v.Waiting, err = p.Store.EmailChange(q.Context(), q.Session.User.ID); err != nil && stepsies.CodeOf(err) != stepsies.CodeNotFound {
		return err
	}
	return q.Render(status, profileTab(q.Page("Profile", "Profile"), v))
}

// Edit changes how others see one, and the time zone.
func (p *Profile) Edit(q *page.Request) error {
	v := p.profileView(q)
	if !q.PostForm.Has("display_name") || !q.PostForm.Has("bio") || !q.PostForm.Has("time_zone") {
		return page.ErrHalfForm // what is missing is not meant to be emptied
	}
	v.DisplayName, v.TimeZone = q.PostFormValue("display_name"), strings.TrimSpace(q.PostFormValue("time_zone"))
	v.Bio = page.LineBreaks(q.PostFormValue("bio"))
	_, err := p.Store.UpdateUser(q.Context(), q.Write(), q.Session.User.Username,
		stepsies.UserChange{DisplayName: &v.DisplayName, Bio: &v.Bio, TimeZone: &v.TimeZone})
	if v.Problems = page.FieldErrors(err); v.Problems != nil {
		return p.showProfile(q, http.StatusUnprocessableEntity, v)
	}
	if err != nil {
		return err
	}
	q.Notice("Your profile is saved.")
	return q.Redirect(page.ProfilePath)
}

// ChangePassword sets a new password and signs out everywhere else.
func (p *Profile) ChangePassword(q *page.Request) error {
	v := p.profileView(q)
	password := q.PostFormValue("new_password")
	problem, err := p.checkOwnPassword(q, q.PostFormValue("old_password"))
	if err != nil {
		return err
	}
	if problem != "" {
		v.Problems = withProblem(v.Problems, "old_password", problem)
	}
	if bad := auth.CheckPassword(password); bad != nil {
		v.Problems = withProblem(v.Problems, "new_password", page.Sentence(bad.Error()))
	}
	if v.Problems != nil {
		return p.showProfile(q, http.StatusUnprocessableEntity, v)
	}
	hash, err := auth.HashPassword(q.Context(), password)
	if err != nil {
		return err
	}
	if q.Session, err = p.Sessions.ChangePassword(q.Context(), q.W, q.Write(), q.Session, hash); err != nil {
		return err
	}
	p.Sessions.Remember(q.W, q.Request, hash) // what it kept ended with the old one
	q.Notice("Your password is changed. Every other browser is signed out.")
	return q.Redirect(page.ProfilePath)
}

// checkOwnPassword returns what is wrong with the password of whoever is signed in.
// Whoever found an open browser has as few tries as at the sign-in.
func (p *Profile) checkOwnPassword(q *page.Request, password string) (problem string, err error) {
	username := q.Session.User.Username
	try, err := p.wrong.session(q.Context(), q.Session.Session.ID)
	if err != nil {
		return "Too many tries. Wait a few minutes and try again.", nil
	}
	_, hash, err := p.Store.PasswordHash(q.Context(), username)
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
	try.giveBack(q.Context(), 0)
	return "", nil
}

// EndSession signs one of one's own browsers out. Another's session does not exist.
func (p *Profile) EndSession(q *page.Request) error {
	id, err := q.ID()
	if err != nil {
		return err
	}
	if id == q.Session.Session.ID {
		return p.SignOut(q)
	}
	list, err := p.Store.ListSessions(q.Context(), q.Session.User.ID)
	if err != nil {
		return err
	}
	for _, s := range list {
		if s.ID != id {
			continue
		}
		if err := p.Store.EndSession(q.Context(), q.Write(), q.Session.User, id); err != nil {
			return err
		}
		q.Notice(browserName(s.UserAgent) + " is signed out.")
		return q.Redirect(page.ProfilePath + "#sessions")
	}
	return page.ErrNoPage
}

// EndSessions signs out everywhere, here too.
func (p *Profile) EndSessions(q *page.Request) error {
	if err := p.Store.EndSessions(q.Context(), q.Write(), q.Session.User, 0); err != nil {
		return err
	}
	q.Notice(page.SignedOutEverywhereNotice)
	return q.Redirect(page.SignInPath)
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
