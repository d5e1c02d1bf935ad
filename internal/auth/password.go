package auth

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
)

// Bounds of a password. The least is that of NIST SP 800-63B §5.1.1.2.
const (
	MinPassword = 8     // characters
	MaxPassword = 1_000 // bytes
)

// passwordParams is OWASP's first choice for argon2id: 19 MiB, two passes, about
// 34 ms on one core.
var passwordParams = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// passwordSlots bounds how many passwords are hashed at once, and so the memory
// that it takes: others wait until they get a slot or their request ends.
var passwordSlots = make(chan struct{}, 4)

// CheckPassword returns an error that says what a new password lacks.
func CheckPassword(password string) error {
	switch {
	case utf8.RuneCountInString(password) < MinPassword:
		return fmt.Errorf("must have at least %d characters", MinPassword)
	case len(password) > MaxPassword:
		return fmt.Errorf("must have at most %d bytes", MaxPassword)
	}
	return nil
}

// HashPassword returns the argon2id hash of a password in PHC format.
func HashPassword(ctx context.Context, password string) (string, error) {
	if err := CheckPassword(password); err != nil {
		return "", err
	}
	if err := takePasswordSlot(ctx); err != nil {
		return "", err
	}
	defer func() { <-passwordSlots }()
	return argon2id.CreateHash(password, passwordParams)
}

// noPassword is the hash of nothing anyone can type. Checking against it takes as
// long as checking a real one, so that a name without a password looks the same.
const noPassword = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// PasswordMatches reports whether the password is the one of the hash. With an
// empty hash it is never, after the same work.
func PasswordMatches(ctx context.Context, password, hash string) (bool, error) {
	if len(password) > MaxPassword {
		return false, nil
	}
	if err := takePasswordSlot(ctx); err != nil {
		return false, err
	}
	defer func() { <-passwordSlots }()
	known := hash != ""
	if !known {
		hash = noPassword
	}
	ok, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, errors.New("the stored password hash cannot be read")
	}
	return ok && known, nil
}

func takePasswordSlot(ctx context.Context) error {
	select {
	case passwordSlots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
