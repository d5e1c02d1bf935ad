package page

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stepsies/stepsies/internal/auth"
)

// signedOutView is a form whose sender was signed out meanwhile.
type signedOutView struct {
	Action    string
	Multipart bool
	Fields    []typedField
}

// typedField is a value of a form that is kept until it can be sent again.
type typedField struct{ Name, Value string }

// askToSignIn answers who is not signed in. A page leads to the sign-in and back; what
// was typed into a form is kept on the page that says so, for nothing holds it but its
// sender.
func (q *Request) askToSignIn() error {
	q.Session = auth.Session{} // which may have ended while the form was on its way
	v := q.signedOutView()
	if len(v.Fields) == 0 {
		return q.Redirect(SignInPath + "?next=" + url.QueryEscape(q.returnPath()))
	}
	return q.Render(http.StatusUnauthorized, signedOutPage(q.Page("You are signed out", ""), v))
}

// signedOutView reads the form. Passwords are not handed back: they are typed again. What
// scripts send is none, and they keep it themselves.
func (q *Request) signedOutView() signedOutView {
	v := signedOutView{Action: q.URL.RequestURI(), Multipart: true}
	if q.Method != http.MethodPost {
		return v
	}
	switch err := q.ParseMultipartForm(MaxForm); {
	case errors.Is(err, http.ErrNotMultipart):
		v.Multipart = false
	case err != nil:
		return v
	}
	names := make([]string, 0, len(q.PostForm))
	for name := range q.PostForm {
		names = append(names, name)
	}
	slices.Sort(names) // values of one name keep their order, and more is not asked of a form
	for _, name := range names {
		if strings.Contains(name, "password") {
			continue
		}
		for _, value := range q.PostForm[name] {
			v.Fields = append(v.Fields, typedField{name, value})
		}
	}
	return v
}
