package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stepsies/stepsies/client"
)

// TestEnvironmentGoesBeforeTheSavedLogin and a saved key goes to no other server
// than its own.
func TestEnvironmentGoesBeforeTheSavedLogin(t *testing.T) {
	const (
		savedURL = "https://saved.example.com"
		savedKey = "saved key"
	)
	for _, row := range []struct {
		saved            bool
		key, address     string
		wantKey, wantURL string
		refused          string
	}{
		{false, "", "", "", "", "stepsies login"},
		{false, "", "https://env.example.com", "", "", "stepsies login"},
		{false, "env key", "", "env key", client.DefaultBaseURL, ""},
		{false, "env key\n", "https://env.example.com", "env key", "https://env.example.com", ""},
		{true, "", "", savedKey, savedURL, ""},
		{true, "env key", "", "env key", savedURL, ""},
		{true, "env key", "https://env.example.com", "env key", "https://env.example.com", ""},
		{true, "", savedURL + "/v1/", savedKey, savedURL, ""},
		{true, "", "https://env.example.com", "", "", savedURL},
	} {
		folder := t.TempDir()
		t.Setenv("XDG_CONFIG_HOME", folder)
		t.Setenv("HOME", folder)
		t.Setenv(client.EnvAPIKey, row.key)
		t.Setenv(client.EnvBaseURL, row.address)
		if row.saved {
			if _, err := (savedLogin{URL: savedURL, Key: client.NewSecret(savedKey)}).save(); err != nil {
				t.Fatal(err)
			}
		}
		l, err := findLogin()
		if row.refused != "" {
			if err == nil || !strings.Contains(err.Error(), row.refused) {
				t.Errorf("%+v: %v", row, err)
			}
			continue
		}
		if err != nil || l.Key.Reveal() != row.wantKey || l.URL != row.wantURL {
			t.Errorf("%+v: %s, %d characters of a key, %v", row, l.URL, len(l.Key.Reveal()), err)
		}
	}
}

// TestDamagedLoginIsNotQuoted: what is in the file may be a key.
func TestDamagedLoginIsNotQuoted(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", folder)
	t.Setenv("HOME", folder)
	path, err := loginPath()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "{", `{"url":"https://h"}`, "secretive"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := loadLogin(); err == nil || !strings.Contains(err.Error(), "stepsies login") || strings.Contains(err.Error(), "secretive") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestKeysOnTheCommandLineAreNotRepeated, whatever part of them was given.
func TestKeysOnTheCommandLineAreNotRepeated(t *testing.T) {
	for _, key := range []string{"sk_" + strings.Repeat("0a", 24), "sk_0123ABCD"} {
		text := withoutKeys(errors.New("unexpected argument " + key).Error())
		if strings.Contains(text, key) || !strings.Contains(text, "standard input") {
			t.Error(text)
		}
	}
	if text := withoutKeys("unknown flag --x"); text != "unknown flag --x" {
		t.Error(text)
	}
}
