package main

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/stepsies/stepsies/internal/server"
)

// check refuses addresses that cannot be read, before anything is opened. Whether
// somebody answers there is seen later.
func (in *Installation) check() error {
	if err := server.CheckDatabaseURL(in.Database); err != nil {
		return usagef("--database: %w", err)
	}
	if err := server.CheckRedisURL(in.Redis); err != nil {
		return usagef("--redis: %w", err)
	}
	return nil
}

// checkListen refuses what is no address to listen on, whatever the machine has.
func checkListen(address, flag string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil && port != "" {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil || port == "" {
		return usagef("%s must be an address and a port such as 127.0.0.1:8080 or :8080, not %q", flag, address)
	}
	return nil
}

// checkOrigins refuses what no browser sends as an Origin (RFC 6454 §6.1) and would
// allow nobody, silently. There is no wildcard: whoever is allowed is named.
func checkOrigins(origins []string) error {
	for _, o := range origins {
		u, err := url.Parse(o)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || o != u.Scheme+"://"+strings.ToLower(u.Host) ||
			u.Port() == map[string]string{"http": "80", "https": "443"}[u.Scheme] {
			return usagef("--allowed-origins takes origins as browsers send them, such as https://app.example.com or http://localhost:3000, not %q", o)
		}
	}
	return nil
}

// publicURL is the configured address, checked; "" where it is the one listened on.
func (cmd *serveCmd) publicURL() (string, error) {
	if cmd.PublicURL == "" {
		return "", nil
	}
	u, err := url.Parse(cmd.PublicURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return "", usagef("--public-url must be an address such as https://stepsies.example.com, without a path")
	}
	return u.Scheme + "://" + u.Host, nil
}

// localAddress is an address that reaches the listener from this machine.
func localAddress(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("localhost:%d", tcp.Port)
	}
	return addr.String()
}
