package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/stepsies/stepsies/client"
)

// savedLogin is what stepsies login keeps for the commands that talk to a server:
// an address and a key for it.
type savedLogin struct {
	URL string
	Key client.Secret
}

// loginJSON is a savedLogin as its file holds it. It is apart from savedLogin, whose
// key redacts itself when it is encoded.
type loginJSON struct {
	URL string `json:"url"`
	Key string `json:"key"`
}

// maxLoginFile bounds the file, in bytes.
const maxLoginFile = 8 << 10

// loginPath is where the login is kept: in the user's configuration folder.
func loginPath() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find the configuration folder: %w; set %s instead of logging in", err, client.EnvAPIKey)
	}
	return filepath.Join(dir, "stepsies", "login.json"), nil
}

// loadLogin returns the saved login, and whether there is one. One that others
// could have read is refused.
func loadLogin() (savedLogin, bool, error) {
	path, err := loginPath()
	if err != nil {
		return savedLogin{}, false, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return savedLogin{}, false, nil
	}
	if err != nil {
		return savedLogin{}, false, fmt.Errorf("read the saved login: %w", err)
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return savedLogin{}, false, fmt.Errorf("%s holds a key and can be read by other users of this machine: run chmod 600 %s, and rotate the key if any of them is not trusted", path, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxLoginFile))
	if err != nil {
		return savedLogin{}, false, fmt.Errorf("read the saved login: %w", err)
	}
	var l loginJSON
	// The cause is not told: it may quote what was read.
	if json.Unmarshal(text, &l) != nil || l.URL == "" || l.Key == "" {
		return savedLogin{}, false, fmt.Errorf("%s is damaged; run stepsies login again", path)
	}
	return savedLogin{URL: l.URL, Key: client.NewSecret(l.Key)}, true, nil
}

// save keeps the login, in a folder and a file that only its user may open. The
// file appears whole or not at all.
func (l savedLogin) save() (path string, err error) {
	if path, err = loginPath(); err != nil {
		return "", err
	}
	text, err := json.MarshalIndent(loginJSON{URL: l.URL, Key: l.Key.Reveal()}, "", "  ")
	if err != nil {
		return "", errors.New("encode the login")
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("save the login: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil { // it may have been there
		return "", fmt.Errorf("save the login: %w", err)
	}
	part, err := os.CreateTemp(dir, ".login-") // made with mode 0600
	if err != nil {
		return "", fmt.Errorf("save the login: %w", err)
	}
	defer func() { _ = os.Remove(part.Name()) }()
	_, err = part.Write(append(text, '\n'))
	if err = errors.Join(err, part.Sync(), part.Close()); err == nil {
		err = os.Rename(part.Name(), path)
	}
	if err != nil {
		return "", fmt.Errorf("save the login: %w", err)
	}
	return path, nil
}

// removeLogin forgets the saved login, and reports whether there was one.
func removeLogin() (bool, error) {
	path, err := loginPath()
	if err != nil {
		return false, err
	}
	if err := os.Remove(path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("remove the saved login: %w", err)
	}
	return true, nil
}

// errNoLogin is what commands say that nobody has told about a server.
var errNoLogin = fmt.Errorf("no API key: run stepsies login, or set %s (and %s for the server's address)", client.EnvAPIKey, client.EnvBaseURL)

// findLogin returns address and key for the commands that talk to a server: from
// the environment, and what is not there from the saved login. A saved key is sent
// to no other address than the one that it was saved for.
func findLogin() (savedLogin, error) {
	key, address := strings.TrimSpace(os.Getenv(client.EnvAPIKey)), strings.TrimSpace(os.Getenv(client.EnvBaseURL))
	if key != "" && address != "" {
		return savedLogin{URL: address, Key: client.NewSecret(key)}, nil
	}
	saved, ok, err := loadLogin()
	switch {
	case key != "":
		if err != nil || !ok {
			saved.URL = client.DefaultBaseURL
		}
		return savedLogin{URL: saved.URL, Key: client.NewSecret(key)}, nil
	case err != nil:
		return savedLogin{}, err
	case !ok:
		return savedLogin{}, errNoLogin
	case address == "" || sameAddress(address, saved.URL):
		return saved, nil
	}
	return savedLogin{}, fmt.Errorf("%s names another server than the saved login, whose key is for %s: set %s too, or run stepsies login", client.EnvBaseURL, saved.URL, client.EnvAPIKey)
}

// sameAddress reports whether two addresses lead the SDK to the same base.
func sameAddress(a, b string) bool {
	x, errX := client.New(client.WithoutAPIKey(), client.WithBaseURL(a))
	y, errY := client.New(client.WithoutAPIKey(), client.WithBaseURL(b))
	return errX == nil && errY == nil && x.BaseURL() == y.BaseURL()
}
