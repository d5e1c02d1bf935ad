package reqlog

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks whose word about a client's address is taken.
type Proxies []netip.Prefix

// maxForwarded bounds how many addresses of a header are looked at.
const maxForwarded = 32

// ParseProxies reads networks (10.0.0.0/8) and single addresses.
func ParseProxies(texts []string) (Proxies, error) {
	var p Proxies
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			addr, addrErr := netip.ParseAddr(text)
			if addrErr != nil {
				return nil, fmt.Errorf("%q is not a network such as 10.0.0.0/8 or an address", text)
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		if prefix.Addr().Is4In6() && prefix.Bits() >= 96 { // addresses are compared as IPv4
			prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
		}
		p = append(p, prefix.Masked())
	}
	return p, nil
}

// ClientAddress returns where a request comes from: the connection's address, or,
// while that is a trusted proxy, the one before it in X-Forwarded-For, from the
// right. It is "" where there is no network, on the socket.
func (p Proxies) ClientAddress(r *http.Request) string {
	addr, ok := parseAddress(r.RemoteAddr)
	if !ok {
		return ""
	}
	if !p.trusts(addr) {
		return addr.String()
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && i >= len(hops)-maxForwarded; i-- {
		hop, ok := parseAddress(strings.TrimSpace(hops[i]))
		if !ok {
			break // whoever wrote this is not to be believed further
		}
		addr = hop
		if !p.trusts(addr) {
			break
		}
	}
	return addr.String()
}

// ClientScheme returns "http" or "https", as the client came to the proxy nearest to it
// that a trusted one vouches for, and "" where no trusted proxy tells. In a list of
// several (X-Forwarded-Proto: https, http) each proxy has added its own behind.
func (p Proxies) ClientScheme(r *http.Request) string {
	addr, ok := parseAddress(r.RemoteAddr)
	if !ok || !p.trusts(addr) {
		return ""
	}
	told := strings.ToLower(strings.Join(r.Header.Values("X-Forwarded-Proto"), ","))
	if first, _, _ := strings.Cut(told, ","); strings.TrimSpace(first) == "https" || strings.TrimSpace(first) == "http" {
		return strings.TrimSpace(first)
	}
	return ""
}

func (p Proxies) trusts(a netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}

func parseAddress(s string) (netip.Addr, bool) {
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return a.Unmap().WithZone(""), err == nil
}
