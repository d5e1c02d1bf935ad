package users

import (
	"context"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/mail"
)

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

// sendInvitation mails an invitation, which the admin who made it sees as well.
func (c *core) sendInvitation(ctx context.Context, from stepsies.User, to, link string) {
	if c.Mail == nil || to == "" {
		return
	}
	c.later(ctx, from.ID, func(ctx context.Context) error {
		return c.Mail.Send(ctx, mail.Invitation(from, to, c.PublicURL, link))
	})
}

// tellOldAddress tells whoever reads the old address that it is no longer the one of
// the account: the one sign that they would have of a thief.
func (c *core) tellOldAddress(ctx context.Context, before stepsies.User) {
	if c.Mail == nil {
		return
	}
	c.later(ctx, before.ID, func(ctx context.Context) error {
		return c.Mail.Send(ctx, mail.AddressChanged(before, c.PublicURL))
	})
}

// maxSending bounds the e-mails that are sent at the same time.
const maxSending = 8
