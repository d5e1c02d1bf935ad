package testenv

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Caller calls the API at an address with a key.
type Caller struct {
	URL, Key string // "" is no key
	HTTP     *http.Client
	Header   http.Header // of every request
}

// Answer is a whole answer.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Send sends a request and reads its answer; body is nil, a string or what is to
// be encoded as JSON.
func (c *Caller) Send(method, path string, body any) (Answer, error) {
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			return Answer{}, err
		}
		reader = bytes.NewReader(text)
	}
	req, err := http.NewRequest(method, c.URL+path, reader)
	if err != nil {
		return Answer{}, err
	}
	for name, values := range c.Header {
		req.Header[name] = values
	}
	if c.Key != "" {
		req.Header.Set("Authorization", "Bearer "+c.Key)
	}
	if reader != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return Answer{resp.StatusCode, resp.Header, text}, err
}

// Want sends a request that has to be answered with this status, and decodes the
// answer into each of into.
func (c *Caller) Want(status int, method, path string, body any, into ...any) error {
	a, err := c.Send(method, path, body)
	if err != nil {
		return err
	}
	if a.Status != status {
		return fmt.Errorf("%s %s: status %d, want %d: %.500s", method, path, a.Status, status, a.Body)
	}
	for _, v := range into {
		if err := json.Unmarshal(a.Body, v); err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
	}
	return nil
}

// Must is Want for the goroutine of the test, which it ends.
func (c *Caller) Must(t *testing.T, status int, method, path string, body any, into ...any) {
	t.Helper()
	if err := c.Want(status, method, path, body, into...); err != nil {
		t.Fatal(err)
	}
}

// Status is the status of a GET.
func (c *Caller) Status(t *testing.T, path string) int {
	t.Helper()
	a, err := c.Send(http.MethodGet, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a.Status
}

// With returns the caller with another key.
func (c *Caller) With(key string) *Caller {
	other := *c
	other.Key = key
	return &other
}

// At returns the caller at another address.
func (c *Caller) At(url string) *Caller {
	other := *c
	other.URL = url
	return &other
}
