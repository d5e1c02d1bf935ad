package auth

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/alexedwards/argon2id"
)

func TestPasswordMatchesItsOwnHashOnly(t *testing.T) {
	t.Parallel()
	for _, password := range []string{"correct horse", "пароль 日本 😀", strings.Repeat("a", MaxPassword), "with\x00NUL and space "} {
		hash, err := HashPassword(t.Context(), password)
		if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(hash, password) {
			t.Fatalf("the hash is %q (%v)", hash, err)
		}
		for try, want := range map[string]bool{password: true, password + "x": false, "": false, password[1:]: false} {
			if ok, err := PasswordMatches(t.Context(), try, hash); err != nil || ok != want {
				t.Errorf("%.20q against the hash of %.20q: %v (%v)", try, password, ok, err)
			}
		}
		if other, err := HashPassword(t.Context(), password); err != nil || other == hash {
			t.Errorf("two hashes of one password are the same (%v)", err)
		}
	}
}

func TestPasswordsHaveBounds(t *testing.T) {
	t.Parallel()
	for password, ok := range map[string]bool{
		"": false, "1234567": false, "12345678": true, "ééééééé": false, "éééééééé": true, strings.Repeat("a", MaxPassword): true, strings.Repeat("a", MaxPassword+1): false,
	} {
		if err := CheckPassword(password); (err == nil) != ok {
			t.Errorf("%.20q: %v", password, err)
		}
		if _, err := HashPassword(t.Context(), password); !ok && err == nil {
			t.Errorf("%.20q was hashed", password)
		}
	}
}

func TestNobodySignsInWithoutAPassword(t *testing.T) {
	t.Parallel()
	for _, password := range []string{"", "x", "12345678", noPassword} {
		if ok, err := PasswordMatches(t.Context(), password, ""); ok || err != nil {
			t.Errorf("%q matches no password at all (%v)", password, err)
		}
	}
	// The work is the same as for a real hash: the same parameters.
	params, salt, key, err := argon2id.DecodeHash(noPassword)
	if err != nil || *params != *passwordParams || len(salt) != int(passwordParams.SaltLength) || len(key) != int(passwordParams.KeyLength) {
		t.Errorf("no password is checked with %+v (%v), a real one with %+v", params, err, passwordParams)
	}
}

func TestOverlongPasswordIsNotHashed(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if ok, err := PasswordMatches(ctx, strings.Repeat("a", MaxPassword+1), "$argon2id$broken"); ok || err != nil {
		t.Errorf("it was looked at: %v (%v)", ok, err)
	}
}

func TestBrokenHashIsAnErrorThatDoesNotShowIt(t *testing.T) {
	t.Parallel()
	if ok, err := PasswordMatches(t.Context(), "12345678", "$argon2id$broken"); ok || err == nil || strings.Contains(err.Error(), "broken") {
		t.Errorf("a broken hash: %v (%v)", ok, err)
	}
}

// TestHashingHasABound is not parallel: it takes every slot for itself.
func TestHashingHasABound(t *testing.T) {
	for range cap(passwordSlots) {
		passwordSlots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, hashErr := HashPassword(ctx, "12345678")
	_, matchErr := PasswordMatches(ctx, "12345678", "")
	if !errors.Is(hashErr, context.Canceled) || !errors.Is(matchErr, context.Canceled) {
		t.Errorf("with every slot taken: %v and %v", hashErr, matchErr)
	}
	for range cap(passwordSlots) {
		<-passwordSlots
	}
	if _, err := HashPassword(t.Context(), "12345678"); err != nil || len(passwordSlots) != 0 {
		t.Errorf("with slots again: %v, %d are taken", err, len(passwordSlots))
	}
}
