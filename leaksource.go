package stepsies

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
)

// cutOut stands in the place of a secret that stood in an address.
const cutOut = "redacted"

// ParseSourceURL returns the address at which a leaked key was found: empty, or
// an http or https address of at most 2,000 characters. It is stored, and shown to the
// owner and to admins, so what it holds of secrets is cut out of it: user and password,
// keys wherever they stand, and the values of parameters that are named for a secret.
func ParseSourceURL(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(s) > 2000 || CheckText(s, false) != nil {
		return "", errors.New("must be an address that begins with https:// or http://, of at most 2,000 characters")
	}
	return withoutSecrets(s, u), nil
}

// withoutSecrets returns s as it is where nothing in it is secret.
func withoutSecrets(s string, u *url.URL) string {
	host, path := cutKeys(u.Host), cutKeys(u.EscapedPath())
	query, fragment := cutParameters(u.RawQuery), cutParameters(u.EscapedFragment())
	if u.User == nil && host == u.Host && path == u.EscapedPath() && query == u.RawQuery && fragment == u.EscapedFragment() {
		return s
	}
	out := (&url.URL{Scheme: u.Scheme, Host: host}).String() + path
	if query != "" {
		out += "?" + query
	}
	if fragment != "" {
		out += "#" + fragment
	}
	return out
}

// keys are texts that open something: ours, also cut off or in capitals, and those of
// others that are known by how they begin.
var keys = regexp.MustCompile(`(?i:sk_[0-9a-f]{12,})` + // Stepsies
	`|(?i:\b[sr]k_(?:live|test)_[0-9a-z]{10,})` + // Stripe
	`|gh[opsur]_[0-9A-Za-z]{20,}|github_pat_[0-9A-Za-z_]{20,}|glpat-[0-9A-Za-z_-]{20,}` +
	`|xox[abeoprs]-[0-9A-Za-z-]{10,}|\bsk-[0-9A-Za-z_-]{20,}|AIza[0-9A-Za-z_-]{30,}|\b(?:AKIA|ASIA)[0-9A-Z]{16}` +
	`|eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}(?:\.[0-9A-Za-z_-]*)?`) // a JSON Web Token

// secretNames are parts of the names of parameters whose values open something.
var secretNames = regexp.MustCompile(`(?i)token|secret|passw|passphrase|pwd|credential|signature|session|api.?key|access.?key|auth|jwt|^(key|sig|pass|code|sid|pat)$`)

// maxEncodings is how often over a text may be percent-encoded.
const maxEncodings = 4

// cutKeys cuts keys out of a part of an address. One that shows only when it is decoded
// takes its whole segment with it.
func cutKeys(part string) string {
	segments := strings.Split(keys.ReplaceAllString(part, cutOut), "/")
	for i, segment := range segments {
		for n := 0; n < maxEncodings && strings.Contains(segment, "%"); n++ {
			plain, err := url.PathUnescape(segment)
			if err != nil {
				break
			}
			if segment = plain; keys.MatchString(segment) {
				segments[i] = cutOut
			}
		}
	}
	return strings.Join(segments, "/")
}

// cutParameters does it for a query, or a fragment, which may be written like one.
func cutParameters(query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, value, isPair := strings.Cut(pair, "=")
		plain, err := url.QueryUnescape(name)
		if isPair && value != "" && (err != nil || secretNames.MatchString(plain)) {
			value = cutOut
		}
		name, value = cutKeys(name), cutKeys(value)
		if pairs[i] = name; isPair {
			pairs[i] += "=" + value
		}
	}
	return strings.Join(pairs, "&")
}
