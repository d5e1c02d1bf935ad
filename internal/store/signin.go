package store

import (
	"context"
	"strings"

	"github.com/stepsies/stepsies"
)

// SignIn is what a try to sign in is judged by.
type SignIn struct {
	User         stepsies.User // zero where nobody is called so
	PasswordHash string        // "" where there is none
	// Round is the one in which wrong passwords are counted. A new password begins
	// another one, and so does [Store.UnlockSignIn].
	Round int64
}

// SignInOf returns whom a username or e-mail address names, the zero SignIn where
// nobody: it asks as much of the database either way.
func (s *Store) SignInOf(ctx context.Context, login string) (SignIn, error) {
	var found SignIn
	if stepsies.CheckText(login, false) != nil {
		login = ""
	}
	u, err := readUser(ctx, s.read, `(u.username = $1 or u.email_key = $1)`, "", strings.ToLower(strings.TrimSpace(login)))
	if err != nil && stepsies.CodeOf(err) != stepsies.CodeNotFound {
		return found, err
	}
	err = s.read.one(ctx, `select coalesce(password_hash, ''), sign_in_round from users where id = $1`, []any{u.ID}, &found.PasswordHash, &found.Round)
	if err == errNoRow {
		return SignIn{}, nil
	}
	found.User = u
	return found, wrap(err, "read how user %d signs in", u.ID)
}

// UnlockSignIn begins a new round of wrong passwords for a user, on every node.
func (s *Store) UnlockSignIn(ctx context.Context, w Write, username string) error {
	return s.transact(ctx, w.onUser(username), func(t *tx) error {
		u, err := t.lockUser(ctx, username)
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, `update users set sign_in_round = sign_in_round + 1 where id = $1`, u.ID); err != nil {
			return wrap(err, "unlock user %d", u.ID)
		}
		return t.recordUser(ctx, w, stepsies.ActionUnlockUser, u, "")
	})
}
