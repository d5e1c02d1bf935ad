package users

import (
	"context"
	"fmt"
	"time"

	"github.com/stepsies/stepsies"
)

// Mailer sends an e-mail of plain text. It gives up when ctx ends.
type Mailer interface {
	Send(ctx context.Context, to, subject, text string) error
}

// mailTimeout bounds the making and sending of one e-mail.
const mailTimeout = 30 * time.Second

// later makes and sends an e-mail after the answer, so that no page waits for a mail
// server and the time that an answer takes tells nothing. Beyond maxSending at once
// nothing is sent, and the log says so.
func (c *core) later(ctx context.Context, userID int64, send func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), mailTimeout)
	select {
	case c.sending <- struct{}{}:
	default:
		cancel()
		c.Log.Warn("too many e-mails are on their way; one was not sent", "user_id", userID)
		return
	}
	go func() {
		defer func() { <-c.sending }()
		defer cancel()
		if err := send(ctx); err != nil {
			c.Log.Warn("an e-mail could not be sent", "user_id", userID, "error", err)
		}
	}()
}

// Finish lets the e-mails go out that are on their way, until ctx ends. None is sent
// afterwards.
func (c *core) Finish(ctx context.Context) {
	for range cap(c.sending) {
		select {
		case c.sending <- struct{}{}:
		case <-ctx.Done():
			return
		}
	}
}

// greeting begins an e-mail to a user. Their name as others see it is anybody's words,
// and goes to an address only once its reader has said that the account is theirs.
func greeting(u stepsies.User) string {
	if u.EmailVerifiedAt.IsZero() {
		return "Hello,"
	}
	return "Hello " + u.DisplayName + ","
}

// sendInvitation mails an invitation, which the admin who made it sees as well.
func (c *core) sendInvitation(ctx context.Context, from stepsies.User, to, link string) {
	if c.Mail == nil || to == "" {
		return
	}
	c.later(ctx, from.ID, func(ctx context.Context) error {
		return c.Mail.Send(ctx, to, "You are invited to Stepsies", fmt.Sprintf(
			"Hello,\n\nthe admin %s invites you to write step-by-step guides at %s.\nChoose a name and a password within a week:\n\n%s\n\nIf you expected nothing of the kind, do nothing.\n",
			from.Username, c.PublicURL, link))
	})
}

// tellOldAddress tells whoever reads the old address that it is no longer the one of
// the account: the one sign that they would have of a thief.
func (c *core) tellOldAddress(ctx context.Context, before stepsies.User) {
	if c.Mail == nil {
		return
	}
	c.later(ctx, before.ID, func(ctx context.Context) error {
		return c.Mail.Send(ctx, before.Email, "Your e-mail address was changed", fmt.Sprintf(
			"%s\n\nthe e-mail address of the account %s at %s is no longer this one.\n\nIf it was not you who changed it, ask an admin for help at once.\n",
			greeting(before), before.Username, c.PublicURL))
	})
}

// maxSending bounds the e-mails that are sent at the same time.
const maxSending = 8
