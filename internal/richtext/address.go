package richtext

import (
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/text/unicode/norm"
)

// maxAddress is the longest address kept, in bytes.
const maxAddress = 4096

// linkURL accepts the address of a link: absolute, with http, https or mailto.
// Relative ones are refused, since content is shown at many addresses (page,
// embed, feed, file), and so are those of a part of the page, since content
// names no parts.
func linkURL(s string) (string, bool) { return address(s, "http", "https", "mailto") }

// imageURL accepts the address of an image.
func imageURL(s string) (string, bool) { return address(s, "http", "https") }

// LostAddresses returns the addresses of links and images in raw HTML that Sanitise
// takes out, as they were typed.
func LostAddresses(raw string) []string {
	var lost []string
	for z := html.NewTokenizer(strings.NewReader(raw)); z.Next() != html.ErrorToken; {
		t := z.Token()
		if t.Type != html.StartTagToken && t.Type != html.SelfClosingTagToken {
			continue
		}
		name, keep := "href", linkURL
		switch t.DataAtom {
		case atom.A:
		case atom.Img:
			name, keep = "src", imageURL
		default:
			continue
		}
		for _, a := range t.Attr {
			if _, kept := keep(a.Val); a.Key == name && !kept && !blank(a.Val) {
				lost = append(lost, a.Val)
			}
		}
	}
	return lost
}

// address returns s as it is written in an attribute: what browsers ignore is
// taken out, what they read in more than one way is percent-encoded, the rest
// stays as it was typed. It reports whether the scheme is one of schemes.
func address(s string, schemes ...string) (string, bool) {
	var b strings.Builder
	s = visible(s)
	plain := norm.NFC.IsNormalString(s)
	for _, r := range strings.Trim(s, " \t\n") {
		switch {
		case r == '\t', r == '\n': // browsers ignore them, wherever they stand
		case strings.ContainsRune(" \"'<>\\^`{|}", r), r == '\u00A0', r > 127 && !plain:
			for _, c := range []byte(string(r)) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
		default:
			b.WriteRune(r)
		}
	}
	s = b.String()
	scheme, rest, found := strings.Cut(s, ":")
	if !found || len(s) > maxAddress {
		return "", false
	}
	scheme = strings.ToLower(scheme)
	for _, allowed := range schemes {
		if scheme == allowed {
			s = scheme + ":" + rest
			return s, wellFormed(s)
		}
	}
	return "", false
}

// wellFormed refuses addresses without a host, which browsers complete in ways
// of their own, and those with a user name, which hide the host.
func wellFormed(s string) bool {
	u, err := url.Parse(s)
	if err != nil {
		return false
	}
	if u.Scheme == "mailto" {
		return u.Opaque != "" && !strings.HasPrefix(u.Opaque, "/")
	}
	return u.Hostname() != "" && u.User == nil
}
