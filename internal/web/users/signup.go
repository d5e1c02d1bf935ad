package users

import (
	"context"
	"net/http"
	"strings"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/mail"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// OpenSignUpForm is where anyone becomes a user, where the installation lets them. Where it
// sends e-mail, it asks for the address alone and goes on in the e-mail, so that nobody
// learns whose addresses have an account.
func (p *Pages) OpenSignUpForm(q *page.Request) error {
	if p.SignUp != page.SignUpOpen {
		return p.showNoSignUp(q)
	}
	if p.Mail != nil {
		return q.Render(http.StatusOK, signUpAddressForm(q.Page("Sign up", ""), "", "", false))
	}
	return q.Render(http.StatusOK, signUpForm(q.Page("Sign up", ""), openView()))
}

// showNoSignUp says by what other way one becomes a user here.
func (p *Pages) showNoSignUp(q *page.Request) error {
	title, sentence := "Sign-up is by invitation", "Ask an admin here for an invitation: a link with which you choose a name and a password."
	if p.SignUp == page.SignUpClosed {
		title, sentence = "Nobody can sign up here", "If you should have an account here, ask an admin for one."
	}
	return q.Render(http.StatusNotFound, page.ErrorPage(q.Page(title, ""), title, sentence, "", false))
}

func openView() signUpView {
	return signUpView{Title: "Sign up", Action: page.SignUpPath, Sentence: "Write guides, publish them, and give your programs a key to do the same."}
}

// OpenSignUp makes a user of anyone, or mails them the way to go on.
func (p *Pages) OpenSignUp(q *page.Request) error {
	if p.SignUp != page.SignUpOpen {
		return p.showNoSignUp(q)
	}
	if p.Mail == nil {
		return p.makeUser(q, openView(), "", store.TokenHash{})
	}
	email := strings.TrimSpace(q.PostFormValue("email"))
	if err := p.signUps.take(q.Context(), q.IP, email); err != nil {
		return err
	}
	address, err := stepsies.ParseEmail(email)
	if err != nil {
		return q.Render(http.StatusUnprocessableEntity, signUpAddressForm(q.Page("Sign up", ""), email, page.Sentence(err.Error()), false))
	}
	p.later(q.Context(), 0, func(ctx context.Context) error { return p.sendSignUpLink(ctx, address) })
	return q.Render(http.StatusOK, signUpAddressForm(q.Page("Sign up", ""), address, "", true))
}

// sendSignUpLink mails the way to go on, or, to who has an account, how to get into it.
func (p *Pages) sendSignUpLink(ctx context.Context, email string) error {
	if !p.signUps.maySend(ctx, email) {
		return nil
	}
	u, _, err := p.Store.PasswordHash(ctx, email)
	if err == nil {
		return p.Mail.Send(ctx, mail.HasAccount(u, p.PublicURL, p.PublicURL+page.SignInPath, p.PublicURL+page.ForgotPasswordPath))
	}
	if stepsies.CodeOf(err) != stepsies.CodeNotFound {
		return err
	}
	token, hash := auth.NewToken()
	w := store.Write{Actor: stepsies.Actor{Kind: stepsies.ActorAnonymous}}
	if err := p.Store.CreateLink(ctx, w, store.Link{Kind: store.LinkEmail, Email: email, Role: stepsies.RoleMember}, hash, auth.EmailLink); err != nil {
		return err
	}
	return p.Mail.Send(ctx, mail.SignUp(email, p.PublicURL+page.SignUpPath+"/"+token))
}

// SignUpLinkForm goes on with the sign-up of who has got the e-mail.
func (p *Pages) SignUpLinkForm(q *page.Request) error {
	return p.provedAddress(q, func(v signUpView, _ store.TokenHash) error {
		return q.Render(http.StatusOK, signUpForm(q.Page("Sign up", ""), v))
	})
}

// SignUpByLink makes a user of who has got the e-mail.
func (p *Pages) SignUpByLink(q *page.Request) error {
	return p.provedAddress(q, func(v signUpView, hash store.TokenHash) error { return p.makeUser(q, v, store.LinkEmail, hash) })
}

// provedAddress calls next with the form of who has a link to sign up with.
func (p *Pages) provedAddress(q *page.Request, next func(signUpView, store.TokenHash) error) error {
	if p.SignUp != page.SignUpOpen {
		return page.ErrNoPage
	}
	return p.linkPage(q, store.LinkEmail, func(l store.Link) error {
		hash, ok := auth.ParseToken(q.PathValue("token"))
		if !ok || l.UserID != 0 {
			return page.ErrDeadLink
		}
		v := openView()
		v.Action, v.Email, v.Proved = page.SignUpPath+"/"+q.PathValue("token"), l.Email, true
		v.Sentence = "Choose a name and a password. This link works once."
		return next(v, hash)
	})
}
