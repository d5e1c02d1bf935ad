package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/store"
)

// errNoMail refuses what only an e-mail could finish.
var errNoMail = stepsies.Conflict("This installation sends no e-mail, so your address is changed by an admin or the operator. Ask one of them.")

// changeEmail asks for another address, which counts once it is confirmed: a typo must
// not hand the account to a stranger. It asks for the password, since an open browser
// must not be enough to take an account over.
func (web *Web) changeEmail(q *request) error {
	if web.Mail == nil {
		return errNoMail
	}
	v := web.profileView(q)
	v.Email = strings.TrimSpace(q.PostFormValue("email"))
	u := q.session.User
	if v.Email == u.Email {
		q.notice("That is your address already.")
		return q.redirect(profilePath)
	}
	problem, err := web.checkOwnPassword(q, q.PostFormValue("email_password"))
	if err != nil {
		return err
	}
	address, bad := stepsies.ParseEmail(v.Email)
	if bad != nil {
		v.Problems = map[string]string{"email": sentenceOf(bad.Error())}
	}
	if problem != "" {
		v.Problems = withProblem(v.Problems, "email_password", problem)
	}
	if v.Problems != nil {
		return web.showProfile(q, http.StatusUnprocessableEntity, v)
	}
	err = web.Store.AskEmailChange(q.Context(), q.write(), u.Username, address)
	switch stepsies.CodeOf(err) {
	case "":
	case stepsies.CodeConflict:
		v.Problems = map[string]string{"email": shownOf(err)}
		return web.showProfile(q, http.StatusConflict, v)
	case stepsies.CodeRateLimit:
		v.Problems = map[string]string{"email": fmt.Sprintf("You have asked for %d addresses within a day, and that is as many as may be. Try again tomorrow, or ask an admin to change it.", store.MaxEmailChanges)}
		return web.showProfile(q, http.StatusTooManyRequests, v)
	default:
		return err
	}
	web.sendVerification(q.Context(), u, address)
	q.notice("An e-mail is on its way to " + address + ". Your address changes when you confirm it there.")
	return q.redirect(profilePath)
}

// endEmailChange takes back an address that waits to be confirmed.
func (web *Web) endEmailChange(q *request) error {
	err := web.Store.EndEmailChange(q.Context(), q.write(), q.session.User.Username)
	switch stepsies.CodeOf(err) {
	case "":
		q.notice("Your address stays " + q.session.User.Email + ". The link in the e-mail does not work any more.")
	case stepsies.CodeNotFound:
		q.notice("No address waits to be confirmed.")
	default:
		return err
	}
	return q.redirect(profilePath)
}

// verifyAgain sends the e-mail once more by which one proves an address: the one that
// waits, or else the present one.
func (web *Web) verifyAgain(q *request) error {
	if web.Mail == nil {
		return errNoPage
	}
	u := q.session.User
	to := u.Email
	switch c, err := web.Store.EmailChange(q.Context(), u.ID); {
	case err == nil && c.Taken:
		return errTakenMeanwhile
	case err == nil:
		to = c.Email
	case stepsies.CodeOf(err) != stepsies.CodeNotFound:
		return err
	case !u.EmailVerifiedAt.IsZero():
		q.notice("Your address is confirmed already.")
		return q.redirect(profilePath)
	}
	if v := web.verifications.TakeName(q.Context(), fmt.Sprint("user ", u.ID)); !v.Allowed {
		q.retryAfter(v.RetryAfter)
		q.notice("The e-mail was sent several times today. Look among the junk mail, or try again tomorrow.")
		return q.redirect(profilePath)
	}
	web.sendVerification(q.Context(), u, to)
	q.notice("An e-mail is on its way to " + to + ".")
	return q.redirect(profilePath)
}

var errTakenMeanwhile = stepsies.Conflict("Another account has this address by now, so it cannot become yours. Take it back, or choose another one.")

// sendVerification asks whoever reads an address to confirm it: the present one of a
// user, or one that they want. That it could not be sent is for the log: the user can
// ask again under Profile.
func (web *Web) sendVerification(ctx context.Context, u stepsies.User, to string) {
	if web.Mail == nil {
		return
	}
	web.later(ctx, u.ID, func(ctx context.Context) error {
		token, hash := auth.NewToken()
		w := store.Write{Actor: stepsies.Actor{Kind: stepsies.ActorAnonymous}}
		if err := web.Store.CreateLink(ctx, w, store.Link{Kind: store.LinkEmail, UserID: u.ID, Email: to}, hash, auth.EmailLink); err != nil {
			return err
		}
		asks := "has this address. Please confirm that it is yours."
		if to != u.Email {
			asks = "is to have this address from now on. Please confirm that it is yours."
		}
		return web.Mail.Send(ctx, to, "Is this your address?", fmt.Sprintf(
			"Hello,\n\nthe account %s at %s %s The link works for a day:\n\n%[2]s/verify-email/%[4]s\n\nIf you do not know this account, do nothing.\n",
			u.Username, web.PublicURL, asks, token))
	})
}

// confirmView is what the page shows by which an address is confirmed.
type confirmView struct {
	Username, Email string
	New             bool // it takes the place of another one
	Token           string
}

func (web *Web) verifyEmailPage(q *request) error {
	return web.linkPage(q, store.LinkEmail, func(l store.Link) error {
		u, err := web.Store.UserByID(q.Context(), l.UserID)
		if stepsies.CodeOf(err) == stepsies.CodeNotFound {
			return errDeadLink // it is to sign up with
		}
		if err != nil {
			return err
		}
		v := confirmView{Username: u.Username, Email: l.Email, New: l.Email != u.Email, Token: q.PathValue("token")}
		return q.render(http.StatusOK, verifyEmailForm(q.page("Confirm your address", ""), v))
	})
}

func (web *Web) verifyEmail(q *request) error {
	hash, ok := auth.ParseToken(q.PathValue("token"))
	if !ok {
		return errDeadLink
	}
	u, before, err := web.Store.VerifyEmail(q.Context(), q.ip, hash)
	if stepsies.CodeOf(err) == stepsies.CodeNotFound {
		return errDeadLink
	}
	if err != nil {
		return err
	}
	if u.Email == before.Email {
		q.notice(confirmedNotice)
		return q.redirect(profilePath)
	}
	if !strings.EqualFold(u.Email, before.Email) {
		web.tellOldAddress(q.Context(), before)
	}
	q.notice(newAddressNotice)
	return q.redirect(profilePath)
}

const verificationsPerUser = 5 // sent again, beside the first one of each address

const verificationWindow = 24 * time.Hour
