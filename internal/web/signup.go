package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/store"
)

// signUpPage is where anyone becomes a user, where the installation lets them. Where it
// sends e-mail, it asks for the address alone and goes on in the e-mail, so that nobody
// learns whose addresses have an account.
func (web *Web) signUpPage(q *request) error {
	if web.SignUp != SignUpOpen {
		return web.showNoSignUp(q)
	}
	if web.Mail != nil {
		return q.render(http.StatusOK, signUpAddressForm(q.page("Sign up", ""), "", "", false))
	}
	return q.render(http.StatusOK, signUpForm(q.page("Sign up", ""), openView()))
}

// showNoSignUp says by what other way one becomes a user here.
func (web *Web) showNoSignUp(q *request) error {
	title, sentence := "Sign-up is by invitation", "Ask an admin here for an invitation: a link with which you choose a name and a password."
	if web.SignUp == SignUpClosed {
		title, sentence = "Nobody can sign up here", "If you should have an account here, ask an admin for one."
	}
	return q.render(http.StatusNotFound, errorPage(q.page(title, ""), title, sentence, "", false))
}

func openView() signUpView {
	return signUpView{Title: "Sign up", Action: signUpPath, Sentence: "Write guides, publish them, and give your programs a key to do the same."}
}

func (web *Web) signUp(q *request) error {
	if web.SignUp != SignUpOpen {
		return web.showNoSignUp(q)
	}
	if web.Mail == nil {
		return web.makeUser(q, openView(), "", store.TokenHash{})
	}
	email := strings.TrimSpace(q.PostFormValue("email"))
	if err := web.attempts.take(q.Context(), q.ip, email); err != nil {
		return err
	}
	address, err := stepsies.ParseEmail(email)
	if err != nil {
		return q.render(http.StatusUnprocessableEntity, signUpAddressForm(q.page("Sign up", ""), email, sentenceOf(err.Error()), false))
	}
	web.later(q.Context(), 0, func(ctx context.Context) error { return web.sendSignUpLink(ctx, address) })
	return q.render(http.StatusOK, signUpAddressForm(q.page("Sign up", ""), address, "", true))
}

// sendSignUpLink mails the way to go on, or, to who has an account, how to get into it.
func (web *Web) sendSignUpLink(ctx context.Context, email string) error {
	u, _, err := web.Store.PasswordHash(ctx, email)
	if err == nil {
		return web.Mail.Send(ctx, u.Email, "You have an account already", fmt.Sprintf(
			"%s\n\nsomeone, hopefully you, wants to sign up at %s with this address, which has an account already: %s.\n"+
				"Sign in, or set a new password:\n\n%[2]s/sign-in\n%[2]s/forgot-password\n\nIf it was not you, do nothing.\n",
			greeting(u), web.PublicURL, u.Username))
	}
	if stepsies.CodeOf(err) != stepsies.CodeNotFound {
		return err
	}
	token, hash := auth.NewToken()
	w := store.Write{Actor: stepsies.Actor{Kind: stepsies.ActorAnonymous}}
	if err := web.Store.CreateLink(ctx, w, store.Link{Kind: store.LinkEmail, Email: email, Role: stepsies.RoleMember}, hash, auth.EmailLink); err != nil {
		return err
	}
	return web.Mail.Send(ctx, email, "Welcome to Stepsies", fmt.Sprintf(
		"Hello,\n\nchoose a name and a password within a day:\n\n%s/sign-up/%s\n\nIf you expected nothing of the kind, do nothing.\n", web.PublicURL, token))
}

// signUpLinkPage goes on with the sign-up of who has got the e-mail.
func (web *Web) signUpLinkPage(q *request) error {
	return web.provedAddress(q, func(v signUpView, _ store.TokenHash) error {
		return q.render(http.StatusOK, signUpForm(q.page("Sign up", ""), v))
	})
}

func (web *Web) signUpByAddress(q *request) error {
	return web.provedAddress(q, func(v signUpView, hash store.TokenHash) error { return web.makeUser(q, v, store.LinkEmail, hash) })
}

// provedAddress calls next with the form of who has a link to sign up with.
func (web *Web) provedAddress(q *request, next func(signUpView, store.TokenHash) error) error {
	if web.SignUp != SignUpOpen {
		return errNoPage
	}
	return web.linkPage(q, store.LinkEmail, func(l store.Link) error {
		hash, ok := auth.ParseToken(q.PathValue("token"))
		if !ok || l.UserID != 0 {
			return errDeadLink
		}
		v := openView()
		v.Action, v.Email, v.Proved = signUpPath+"/"+q.PathValue("token"), l.Email, true
		v.Sentence = "Choose a name and a password. This link works once."
		return next(v, hash)
	})
}
