package mail

import (
	"fmt"

	"github.com/stepsies/stepsies"
)

// Message is an e-mail of plain text to one address.
type Message struct{ To, Subject, Text string }

// greeting begins an e-mail to a user. Their name as others see it is anybody's words,
// and goes to an address only once its reader has said that the account is theirs.
func greeting(u stepsies.User) string {
	if u.EmailVerifiedAt.IsZero() {
		return "Hello,"
	}
	return "Hello " + u.DisplayName + ","
}

// SignUp leads who wants to become a user on to a name and a password.
func SignUp(to, link string) Message {
	return Message{to, "Welcome to Stepsies", fmt.Sprintf(
		"Hello,\n\nchoose a name and a password within a day:\n\n%s\n\nIf you expected nothing of the kind, do nothing.\n", link)}
}

// HasAccount is for who wants to become a user and is one. Site is the public URL.
func HasAccount(u stepsies.User, site, signIn, forgotPassword string) Message {
	return Message{u.Email, "You have an account already", fmt.Sprintf(
		"%s\n\nsomeone, hopefully you, wants to sign up at %s with this address, which has an account already: %s.\n"+
			"Sign in, or set a new password:\n\n%s\n%s\n\nIf it was not you, do nothing.\n",
		greeting(u), site, u.Username, signIn, forgotPassword)}
}

// Invitation is from an admin. Site is the public URL.
func Invitation(from stepsies.User, to, site, link string) Message {
	return Message{to, "You are invited to Stepsies", fmt.Sprintf(
		"Hello,\n\nthe admin %s invites you to write step-by-step guides at %s.\nChoose a name and a password within a week:\n\n%s\n\nIf you expected nothing of the kind, do nothing.\n",
		from.Username, site, link)}
}

// NewPassword leads a user on to a new password.
func NewPassword(u stepsies.User, link string) Message {
	return Message{u.Email, "Set a new password", fmt.Sprintf(
		"%s\n\nsomeone, hopefully you, asks to set a new password for the account %s. Do it within an hour:\n\n%s\n\nIf it was not you, do nothing: your password stays as it is.\n",
		greeting(u), u.Username, link)}
}

// AddressChanged tells whoever reads the old address of a user that it is no longer the
// one of the account. Site is the public URL.
func AddressChanged(before stepsies.User, site string) Message {
	return Message{before.Email, "Your e-mail address was changed", fmt.Sprintf(
		"%s\n\nthe e-mail address of the account %s at %s is no longer this one.\n\nIf it was not you who changed it, ask an admin for help at once.\n",
		greeting(before), before.Username, site)}
}

// ConfirmAddress asks whoever reads an address to confirm it: the present one of a user, or
// one that they want. Site is the public URL.
func ConfirmAddress(u stepsies.User, to, site, link string) Message {
	asks := "has this address. Please confirm that it is yours."
	if to != u.Email {
		asks = "is to have this address from now on. Please confirm that it is yours."
	}
	return Message{to, "Is this your address?", fmt.Sprintf(
		"Hello,\n\nthe account %s at %s %s The link works for a day:\n\n%s\n\nIf you do not know this account, do nothing.\n",
		u.Username, site, asks, link)}
}
