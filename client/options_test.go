package client_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies/client"
)

func TestNewRefusesWhatCannotWork(t *testing.T) {
	key := newKey()
	for _, test := range []struct {
		name string
		opts []client.Option
		says string
	}{
		{"no key", nil, "set STEPSIES_API_KEY or pass client.WithAPIKey"},
		{"empty key", []client.Option{client.WithAPIKey("")}, "51 characters in all; this has 0"},
		{"short key", []client.Option{client.WithAPIKey(key[:50])}, "this has 50"},
		{"upper-case key", []client.Option{client.WithAPIKey("sk_" + strings.Repeat("AB", 24))}, "lower-case"},
		{"key of another service", []client.Option{client.WithAPIKey("pk_" + key[3:])}, "sk_"},
		{"empty address", []client.Option{client.WithBaseURL("")}, "does not begin with https://"},
		{"no scheme", []client.Option{client.WithBaseURL("stepsies.example.com")}, "does not begin with https://"},
		{"other scheme", []client.Option{client.WithBaseURL("ftp://stepsies.example.com")}, "does not begin with https://"},
		{"no host", []client.Option{client.WithBaseURL("https:///v1")}, "names no host"},
		{"not a URL", []client.Option{client.WithBaseURL("https://exa mple")}, "is not a URL"},
		{"key in address", []client.Option{client.WithBaseURL("https://" + key + "@stepsies.example.com")}, "user name or password"},
		{"query", []client.Option{client.WithBaseURL("https://stepsies.example.com/?key=" + key)}, "query"},
		{"plain http", []client.Option{client.WithBaseURL("http://stepsies.example.com")}, "use https://, or pass client.WithInsecureHTTP()"},
		{"plain http to an address", []client.Option{client.WithBaseURL("http://192.0.2.1:8080")}, "unencrypted to 192.0.2.1:8080"},
		{"name that looks local", []client.Option{client.WithBaseURL("http://localhost.example.com")}, "unencrypted"},
		{"negative retries", []client.Option{client.WithRetries(-1)}, "WithRetries"},
		{"endless retries", []client.Option{client.WithRetries(1000)}, "0 to 20"},
		{"negative wait", []client.Option{client.WithMaxWait(-1)}, "negative"},
		{"negative timeout", []client.Option{client.WithTimeout(-time.Second)}, "negative"},
		{"user agent", []client.Option{client.WithUserAgent("a\r\nX-Evil: 1")}, "printable"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv(client.EnvAPIKey, "")
			t.Setenv(client.EnvBaseURL, "")
			opts := test.opts
			if test.name != "no key" {
				opts = append([]client.Option{client.WithAPIKey(key)}, opts...)
			}
			c, err := client.New(opts...)
			if err == nil || c != nil {
				t.Fatalf("New gave %v, %v", c, err)
			}
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("%q does not say %q", err, test.says)
			}
			if strings.Contains(err.Error(), key[3:20]) {
				t.Errorf("the error holds the key: %v", err)
			}
		})
	}
}

func TestBaseURL(t *testing.T) {
	for given, want := range map[string]string{
		"https://stepsies.example.com":             "https://stepsies.example.com",
		" https://stepsies.example.com/ \n":        "https://stepsies.example.com",
		"https://stepsies.example.com/v1":          "https://stepsies.example.com",
		"https://stepsies.example.com/v1/":         "https://stepsies.example.com",
		"https://example.com:8443/guides/":         "https://example.com:8443/guides",
		"http://localhost:8080":                    "http://localhost:8080",
		"http://stepsies.localhost:8080":           "http://stepsies.localhost:8080",
		"http://127.0.0.1:8080":                    "http://127.0.0.1:8080",
		"http://[::1]:8080":                        "http://[::1]:8080",
		"https://example.com/with%20space%2Fslash": "https://example.com/with%20space%2Fslash",
	} {
		if got := newClient(t, client.WithBaseURL(given)).BaseURL(); got != want {
			t.Errorf("%q became %q, want %q", given, got, want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	rec := record(respond(200, `{}`))
	srv := httptest.NewServer(rec)
	defer srv.Close()
	fromEnv, given := newKey(), newKey()
	t.Setenv(client.EnvAPIKey, fromEnv+"\n")
	t.Setenv(client.EnvBaseURL, srv.URL)
	for i, test := range []struct {
		opts []client.Option
		want string
	}{
		{nil, "Bearer " + fromEnv},
		{[]client.Option{client.WithAPIKey(given)}, "Bearer " + given},
		{[]client.Option{client.WithoutAPIKey()}, ""},
		{[]client.Option{client.WithoutAPIKey(), client.WithAPIKey(given)}, "Bearer " + given},
		{[]client.Option{client.WithAPIKey(given), client.WithoutAPIKey()}, ""},
	} {
		c, err := client.New(test.opts...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Me(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := rec.requests()[i].Header.Get("Authorization"); got != test.want {
			t.Errorf("case %d: sent another key than wanted, or none", i)
		}
	}
	t.Setenv(client.EnvBaseURL, "")
	if got := newClient(t).BaseURL(); got != client.DefaultBaseURL {
		t.Errorf("the default address is %s", got)
	}
}

func TestPlainHTTPIsAllowedWhereNothingCanLeak(t *testing.T) {
	for name, opts := range map[string][]client.Option{
		"no key":  {client.WithoutAPIKey()},
		"allowed": {client.WithAPIKey(newKey()), client.WithInsecureHTTP()},
	} {
		if _, err := client.New(append(opts, client.WithBaseURL("http://stepsies.example.com"))...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A leak report carries keys even from a client without one.
	c, err := client.New(client.WithoutAPIKey(), client.WithBaseURL("http://stepsies.example.com"), client.WithTransport(boastful{}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReportLeakedKeys(t.Context(), []string{newKey()}, ""); err == nil || !strings.Contains(err.Error(), "unencrypted") {
		t.Errorf("reporting keys over plain http gave %v", err)
	}
}

func TestRequestHeaders(t *testing.T) {
	rec := record(respond(200, `{}`))
	c := connect(t, rec, client.WithUserAgent("importer/1.2"))
	if _, err := c.CreateStepsy(t.Context(), client.NewStepsy{Title: "Tea"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Me(t.Context()); err != nil {
		t.Fatal(err)
	}
	write, read := rec.requests()[0].Header, rec.requests()[1].Header
	if got := write.Get("User-Agent"); got != "importer/1.2 stepsies-go/1" {
		t.Errorf("User-Agent: %q", got)
	}
	if write.Get("Content-Type") != "application/json" || read.Get("Content-Type") != "" || read.Get("Accept") != "application/json" {
		t.Errorf("content types: %q, %q, %q", write.Get("Content-Type"), read.Get("Content-Type"), read.Get("Accept"))
	}
	if write.Get("Idempotency-Key") == "" || read.Get("Idempotency-Key") != "" {
		t.Errorf("idempotency keys: write %q, read %q", write.Get("Idempotency-Key"), read.Get("Idempotency-Key"))
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	target := record(respond(200, `{}`))
	elsewhere := httptest.NewServer(target)
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		rec := record(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+r.URL.Path, status)
		})
		// A client that follows redirects by itself does not when handed to us.
		own := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return nil }}
		c := connect(t, rec, client.WithHTTPClient(own))
		_, err := c.CreateStepsy(t.Context(), client.NewStepsy{Title: "Tea"})
		if err == nil || !strings.Contains(err.Error(), "give the right base address") || !strings.Contains(err.Error(), elsewhere.URL) {
			t.Errorf("%d: %v", status, err)
		}
		if own.CheckRedirect(nil, nil) != nil {
			t.Error("the caller's HTTP client was changed")
		}
	}
	if n := len(target.requests()); n != 0 {
		t.Errorf("%d redirects were followed", n)
	}
}
