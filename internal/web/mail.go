package web

import "context"

// Mailer sends an e-mail of plain text.
type Mailer interface {
	Send(ctx context.Context, to, subject, text string) error
}
