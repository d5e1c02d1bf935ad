package reqlog

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestClientAddressIsTakenFromTrustedProxiesOnly(t *testing.T) {
	t.Parallel()
	proxies, err := ParseProxies([]string{"10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "::1", "::ffff:172.16.0.0/108"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, remote string
		forwarded    []string
		want         string
	}{
		{"no proxy", "203.0.113.7:1234", nil, "203.0.113.7"},
		{"a stranger who claims another address", "203.0.113.7:1234", []string{"198.51.100.1"}, "203.0.113.7"},
		{"one proxy", "10.1.2.3:1234", []string{"198.51.100.1"}, "198.51.100.1"},
		{"a single address as proxy", "192.0.2.1:80", []string{"198.51.100.1"}, "198.51.100.1"},
		{"not that address", "192.0.2.2:80", []string{"198.51.100.1"}, "192.0.2.2"},
		{"two proxies", "10.1.2.3:1234", []string{"198.51.100.1, 10.9.9.9"}, "198.51.100.1"},
		{"a client who writes the header too", "10.1.2.3:1234", []string{"6.6.6.6, 198.51.100.1, 10.9.9.9"}, "198.51.100.1"},
		{"several headers", "10.1.2.3:1234", []string{"6.6.6.6", "198.51.100.1", "10.9.9.9"}, "198.51.100.1"},
		{"proxies all the way", "10.1.2.3:1234", []string{"10.0.0.1, 10.0.0.2"}, "10.0.0.1"},
		{"a proxy without the header", "10.1.2.3:1234", nil, "10.1.2.3"},
		{"an empty header", "10.1.2.3:1234", []string{""}, "10.1.2.3"},
		{"words", "10.1.2.3:1234", []string{"unknown"}, "10.1.2.3"},
		{"words behind an address", "10.1.2.3:1234", []string{"198.51.100.1, unknown, 10.9.9.9"}, "10.9.9.9"},
		{"with a port", "10.1.2.3:1234", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{"IPv6", "[2001:db8::5]:1234", []string{"2a00::1"}, "2a00::1"},
		{"IPv6 in brackets with a port", "[::1]:1234", []string{"[2a00::1]:99"}, "2a00::1"},
		{"IPv6 with a zone", "[fe80::1%eth0]:1234", nil, "fe80::1"},
		{"IPv4 in IPv6", "[::ffff:10.1.2.3]:1234", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"a network of IPv4 in IPv6", "172.16.5.5:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"the socket", "@", []string{"198.51.100.1"}, ""},
		{"nothing", "", nil, ""},
		{"a very long header", "10.1.2.3:1234", []string{"198.51.100.1" + strings.Repeat(", 10.0.0.1", 1000)}, "10.0.0.1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		r.Header["X-Forwarded-For"] = c.forwarded
		if got := proxies.ClientAddress(r); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("X-Forwarded-For", "198.51.100.1")
	r.Header.Set("Forwarded", "for=198.51.100.2")
	r.Header.Set("X-Real-IP", "198.51.100.3")
	if got := (Proxies)(nil).ClientAddress(r); got != "192.0.2.1" {
		t.Errorf("without proxies a header is believed: %q", got)
	}
}

func TestProxiesAreNetworksAndAddresses(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "localhost", "10.0.0.0/33", "10.0.0", "10.0.0.0/8,192.0.2.1", "0.0.0.0/-1", "example.com/8"} {
		if p, err := ParseProxies([]string{"10.0.0.0/8", bad}); err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("%q is taken as %v (%v)", bad, p, err)
		}
	}
	if p, err := ParseProxies(nil); err != nil || p != nil {
		t.Errorf("no proxies are %v (%v)", p, err)
	}
	if p, err := ParseProxies([]string{"10.1.2.3/8"}); err != nil || p[0].String() != "10.0.0.0/8" {
		t.Errorf("a network with host bits is %v (%v)", p, err)
	}
}
