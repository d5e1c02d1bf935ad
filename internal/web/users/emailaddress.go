package users

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/mail"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// errNoMail refuses what only an e-mail could finish.
var errNoMail = stepsies.Conflict("This installation sends no e-mail, so your address is changed by an admin or the operator. Ask one of them.")

// ChangeEmail asks for another address, which counts once it is confirmed: a typo must
// not hand the account to a stranger. It asks for the password, since an open browser
// must not be enough to take an account over.
func (p *Profile) ChangeEmail(q *page.Request) error {
	if p.Mail == nil {
		return errNoMail
	}
	v := p.profileView(q)
	v.Email = strings.TrimSpace(q.PostFormValue("email"))
	u := q.Session.User
	if v.Email == u.Email {
		q.Notice("That is your address already.")
		return q.Redirect(page.ProfilePath)
	}
	problem, err := p.checkOwnPassword(q, q.PostFormValue("email_password"))
	if err != nil {
		return err
	}
	address, bad := stepsies.ParseEmail(v.Email)
	if bad != nil {
		v.Problems = map[string]string{"email": page.Sentence(bad.Error())}
	}
	if problem != "" {
		v.Problems = withProblem(v.Problems, "email_password", problem)
	}
	if v.Problems != nil {
		return p.showProfile(q, http.StatusUnprocessableEntity, v)
	}
	err = p.Store.AskEmailChange(q.Context(), q.Write(), u.Username, address)
	switch stepsies.CodeOf(err) {
	case "":
	case stepsies.CodeConflict:
		v.Problems = map[string]string{"email": page.Shown(err)}
		return p.showProfile(q, http.StatusConflict, v)
	case stepsies.CodeRateLimit:
		v.Problems = map[string]string{"email": fmt.Sprintf("You have asked for %d addresses within a day, and that is as many as may be. Try again tomorrow, or ask an admin to change it.", store.MaxEmailChanges)}
		return p.showProfile(q, http.StatusTooManyRequests, v)
	default:
		return err
	}
	p.sendVerification(q.Context(), u, address)
	q.Notice("An e-mail is on its way to " + address + ". Your address changes when you confirm it there.")
	return q.Redirect(page.ProfilePath)
}

// EndEmailChange takes back an address that waits to be confirmed.
func (p *Profile) EndEmailChange(q *page.Request) error {
	err := p.Store.EndEmailChange(q.Context(), q.Write(), q.Session.User.Username)
	switch stepsies.CodeOf(err) {
	case "":
		q.Notice("Your address stays " + q.Session.User.Email + ". The link in the e-mail does not work any more.")
	case stepsies.CodeNotFound:
		q.Notice("No address waits to be confirmed.")
	default:
		return err
	}
	return q.Redirect(page.ProfilePath)
}

// VerifyAgain sends the e-mail once more by which one proves an address: the one that
// waits, or else the present one.
func (p *Profile) VerifyAgain(q *page.Request) error {
	if p.Mail == nil {
		return page.ErrNoPage
	}
	u := q.Session.User
	to := u.Email
	switch c, err := p.Store.EmailChange(q.Context(), u.ID); {
	case err == nil && c.Taken:
		return errTakenMeanwhile
	case err == nil:
		to = c.Email
	case stepsies.CodeOf(err) != stepsies.CodeNotFound:
		return err
	case !u.EmailVerifiedAt.IsZero():
		q.Notice("Your address is confirmed already.")
		return q.Redirect(page.ProfilePath)
	}
	if v := p.verifications.TakeName(q.Context(), fmt.Sprint("user ", u.ID)); !v.Allowed {
		q.RetryAfter(v.RetryAfter)
		q.Notice("The e-mail was sent several times today. Look among the junk mail, or try again tomorrow.")
		return q.Redirect(page.ProfilePath)
	}
	p.sendVerification(q.Context(), u, to)
	q.Notice("An e-mail is on its way to " + to + ".")
	return q.Redirect(page.ProfilePath)
}

var errTakenMeanwhile = stepsies.Conflict("Another account has this address by now, so it cannot become yours. Take it back, or choose another one.")

// sendVerification asks whoever reads an address to confirm it: the present one of a
// user, or one that they want. That it could not be sent is for the log: the user can
// ask again under Profile. The link gives nothing to who was suspended, deleted or signed
// out meanwhile: whoever reads the address confirms it, and is judged then.
func (c *core) sendVerification(ctx context.Context, u stepsies.User, to string) {
	if c.Mail == nil {
		return
	}
	c.later(ctx, u.ID, func(ctx context.Context) error {
		token, hash := auth.NewToken()
		w := store.Write{Actor: stepsies.Actor{Kind: stepsies.ActorAnonymous}}
		if err := c.Store.CreateLink(ctx, w, store.Link{Kind: store.LinkEmail, UserID: u.ID, Email: to}, hash, auth.EmailLink); err != nil {
			return err
		}
		return c.Mail.Send(ctx, mail.ConfirmAddress(u, to, c.PublicURL, c.PublicURL+page.VerifyEmailPath+token))
	})
}

// confirmView is what the page shows by which an address is confirmed.
type confirmView struct {
	Username, Email string
	New             bool // it takes the place of another one
	Token           string
}

// VerifyEmailForm asks whether an address is one's own.
func (p *Profile) VerifyEmailForm(q *page.Request) error {
	return p.linkPage(q, store.LinkEmail, func(l store.Link) error {
		u, err := p.Store.UserByID(q.Context(), l.UserID)
		if stepsies.CodeOf(err) == stepsies.CodeNotFound {
			return page.ErrDeadLink // it is to sign up with
		}
		if err != nil {
			return err
		}
		v := confirmView{Username: u.Username, Email: l.Email, New: l.Email != u.Email, Token: q.PathValue("token")}
		return q.Render(http.StatusOK, verifyEmailForm(q.Page("Confirm your address", ""), v))
	})
}

// VerifyEmail takes an address for proved.
func (p *Profile) VerifyEmail(q *page.Request) error {
	hash, ok := auth.ParseToken(q.PathValue("token"))
	if !ok {
		return page.ErrDeadLink
	}
	u, before, err := p.Store.VerifyEmail(q.Context(), q.IP, hash)
	if stepsies.CodeOf(err) == stepsies.CodeNotFound {
		return page.ErrDeadLink
	}
	if err != nil {
		return err
	}
	if u.Email == before.Email {
		q.Notice(page.ConfirmedNotice)
		return q.Redirect(page.ProfilePath)
	}
	if !strings.EqualFold(u.Email, before.Email) {
		p.tellOldAddress(q.Context(), before)
	}
	q.Notice(page.NewAddressNotice)
	return q.Redirect(page.ProfilePath)
}

const verificationsPerUser = 5 // sent again, beside the first one of each address

const verificationWindow = 24 * time.Hour
