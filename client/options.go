package client

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// DefaultBaseURL is the address of the hosted Stepsies.
const DefaultBaseURL = "https://api.stepsies.com"

// What New uses where no option says otherwise.
const (
	DefaultRetries = 3
	DefaultMaxWait = time.Minute // as long as the shortest window of the rate limits
	DefaultTimeout = time.Minute
)

// MaxRetries is the most that WithRetries takes.
const MaxRetries = 20

// The environment variables that New reads where no option gives the value.
const (
	EnvAPIKey  = "STEPSIES_API_KEY"
	EnvBaseURL = "STEPSIES_URL"
)

// ErrUnencrypted is why New refuses an address with plain http on another machine.
var ErrUnencrypted = errors.New("an API key would travel unencrypted")

// Option sets something about a Client.
type Option func(*options)

type options struct {
	key, baseURL *string
	withoutKey   bool
	insecure     bool
	http         *http.Client
	transport    http.RoundTripper
	userAgent    string
	retries      int
	maxWait      time.Duration
	timeout      time.Duration
	onRetry      func(Retry)
}

// WithAPIKey gives the API key. Without it the environment variable
// STEPSIES_API_KEY is used.
func WithAPIKey(key string) Option {
	return func(o *options) { o.key, o.withoutKey = &key, false }
}

// WithoutAPIKey makes a client that sends no key at all, whatever the environment
// says: for a transport that is trusted by itself, such as the operator's socket
// of an installation, or for ReportLeakedKeys.
func WithoutAPIKey() Option {
	return func(o *options) { o.key, o.withoutKey = nil, true }
}

// WithBaseURL gives the address of the installation without the /v1, such as
// https://stepsies.example.com. Without it the environment variable STEPSIES_URL
// is used, and without that DefaultBaseURL.
func WithBaseURL(address string) Option {
	return func(o *options) { o.baseURL = &address }
}

// WithInsecureHTTP lets the key travel over plain http to other machines, where
// everyone on the way can read it. Without it New refuses such an address.
func WithInsecureHTTP() Option {
	return func(o *options) { o.insecure = true }
}

// WithHTTPClient gives the HTTP client to send by, which is copied. Its
// CheckRedirect is not used: redirects are never followed.
func WithHTTPClient(h *http.Client) Option {
	return func(o *options) { o.http = h }
}

// WithTransport gives what carries the requests, for example one that dials a
// unix socket or calls a handler in the same process.
func WithTransport(t http.RoundTripper) Option {
	return func(o *options) { o.transport = t }
}

// WithUserAgent puts the name of a program, such as "importer/1.2", in front of
// the SDK's own in the User-Agent header.
func WithUserAgent(name string) Option {
	return func(o *options) { o.userAgent = name }
}

// WithRetries sets how often a failed request is repeated, from 0 (never) to
// MaxRetries. The default is DefaultRetries.
func WithRetries(most int) Option {
	return func(o *options) { o.retries = most }
}

// WithMaxWait sets the longest wait before a repetition. Where the server asks
// for a longer one (Retry-After), the failure is returned at once, with
// Error.RetryAfter; where it asks for one, up to a second is added, so that not
// all who wait come back at once. The default is DefaultMaxWait.
func WithMaxWait(d time.Duration) Option {
	return func(o *options) { o.maxWait = d }
}

// WithTimeout sets how long each attempt may take, from dialling to the last byte
// of the answer; 0 is no limit but that of the context. The default is
// DefaultTimeout.
func WithTimeout(d time.Duration) Option {
	return func(o *options) { o.timeout = d }
}

// WithRetryNotice has f called before each wait for a repetition, for example to
// tell a person why nothing seems to happen. f may be called from several
// goroutines, and the request waits for it.
func WithRetryNotice(f func(Retry)) Option {
	return func(o *options) { o.onRetry = f }
}

// New returns a client. It fails where there is no API key, where the key or the
// address has the wrong form, and where the key would travel unencrypted. It does
// not connect: to check a key, call Me.
func New(opts ...Option) (*Client, error) {
	o := options{retries: DefaultRetries, maxWait: DefaultMaxWait, timeout: DefaultTimeout}
	for _, opt := range opts {
		opt(&o)
	}
	key, err := o.apiKey()
	if err != nil {
		return nil, err
	}
	base, err := o.address()
	if err != nil {
		return nil, err
	}
	if !key.IsZero() && !o.insecure {
		if err := refusePlain(base); err != nil {
			return nil, err
		}
	}
	switch {
	case o.retries < 0 || o.retries > MaxRetries:
		return nil, fmt.Errorf("WithRetries takes 0 to %d, not %d", MaxRetries, o.retries)
	case o.maxWait < 0 || o.timeout < 0:
		return nil, errors.New("WithMaxWait and WithTimeout take no negative durations")
	case strings.ContainsFunc(o.userAgent, notPrintable):
		return nil, errors.New("WithUserAgent takes printable ASCII characters only")
	}
	return &Client{
		base: base, key: key, insecure: o.insecure, http: o.client(),
		userAgent: strings.TrimSpace(o.userAgent + " " + sdkUserAgent),
		retries:   o.retries, maxWait: o.maxWait, timeout: o.timeout, onRetry: o.onRetry,
	}, nil
}

func (o options) apiKey() (Secret, error) {
	if o.withoutKey {
		return Secret{}, nil
	}
	text := os.Getenv(EnvAPIKey)
	if o.key != nil {
		text = *o.key
	} else if text == "" {
		return Secret{}, errors.New("no API key: set " + EnvAPIKey + " or pass client.WithAPIKey; keys are made in the dashboard's Developer tab")
	}
	// A key read from a file or a variable often brings its line break along.
	text = strings.TrimSpace(text)
	if !hasKeyForm(text) {
		return Secret{}, fmt.Errorf("the API key does not have the form of one (%s and 48 lower-case hexadecimal digits, %d characters in all; this has %d): copy it again, whole",
			keyPrefix, keyLength, len(text))
	}
	return NewSecret(text), nil
}

func (o options) address() (*url.URL, error) {
	text := DefaultBaseURL
	if o.baseURL != nil {
		text = *o.baseURL
	} else if env := os.Getenv(EnvBaseURL); env != "" {
		text = env
	}
	wrong := func(why string) error {
		return errors.New("the base address " + why + "; it looks like https://stepsies.example.com")
	}
	// A URL that is wrong is not shown: people paste passwords and keys into them.
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil:
		return nil, wrong("is not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, wrong("does not begin with https:// or http://")
	case u.Hostname() == "":
		return nil, wrong("names no host")
	case u.User != nil:
		return nil, wrong("holds a user name or password, which must not stand in an address")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, wrong("has a query or fragment")
	}
	// People paste the address with the /v1 of the documentation.
	path := strings.TrimRight(strings.TrimSuffix(strings.TrimRight(u.EscapedPath(), "/"), "/v1"), "/")
	return url.Parse(u.Scheme + "://" + u.Host + path)
}

func (o options) client() *http.Client {
	var h http.Client
	if o.http != nil {
		h = *o.http
	}
	if o.transport != nil {
		h.Transport = o.transport
	}
	// net/http keeps the Authorization header on a redirect from https to http of
	// the same host, and turns a redirected POST into a GET. The API redirects
	// nowhere, so that whoever does is not it.
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &h
}

// refusePlain refuses an address where keys would travel readable.
func refusePlain(base *url.URL) error {
	if base.Scheme == "https" || isLoopback(base.Hostname()) {
		return nil
	}
	return fmt.Errorf("%w to %s: use https://, or pass client.WithInsecureHTTP() if the way there is trusted", ErrUnencrypted, base.Host)
}

func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") { // RFC 6761 §6.3
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func notPrintable(r rune) bool { return r < ' ' || r > '~' }
