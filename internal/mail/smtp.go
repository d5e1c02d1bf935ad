// Package mail is the e-mail that the program sends: what it says, and how it goes out.
package mail

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// mailStep bounds each step of talking to a mail server: the connection, the
// greeting, the message.
const mailStep = 15 * time.Second

// Mailer sends e-mail by SMTP (RFC 5321). It keeps no connection open.
type Mailer struct {
	host, username, password string
	port                     int
	from                     *netmail.Address
	security                 mailSecurity
	tls                      *tls.Config
}

// mailSecurity says how the connection to the mail server is encrypted.
type mailSecurity int

const (
	startTLS    mailSecurity = iota // RFC 3207, and nothing is sent without it
	implicitTLS                     // RFC 8314 §3
	plainText
)

// New returns a mailer for an address such as
// smtp://user:password@gomail.example.com:587, which must offer STARTTLS, or
// smtps://…:465, which is encrypted from the first byte. smtp://localhost:25?tls=off
// is for a relay on the same machine, without a password. From is an address, with a
// name or without one. Errors never hold the address, since a password is in it.
func New(address, from string) (*Mailer, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" || strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("--smtp must be an address such as smtp://user:password@gomail.example.com:587, with special characters of the password escaped as in URLs")
	}
	m := &Mailer{host: u.Hostname(), port: gomail.DefaultPortTLS}
	m.username = u.User.Username()
	m.password, _ = u.User.Password()
	if u.Scheme == "smtps" {
		m.security, m.port = implicitTLS, gomail.DefaultPortSSL
	}
	switch q := u.Query(); {
	case len(q) == 0:
	case len(q) == 1 && q.Get("tls") == "off" && u.Scheme == "smtp":
		m.security, m.port = plainText, gomail.DefaultPort
	default:
		return nil, errors.New("--smtp may end in ?tls=off, for a relay on the same machine, and in nothing else")
	}
	if m.security == plainText && u.User != nil {
		return nil, errors.New("--smtp must not hold a password where encryption is off")
	}
	if u.Port() != "" {
		if m.port, err = strconv.Atoi(u.Port()); err != nil || m.port < 1 || m.port > 65535 {
			return nil, errors.New("--smtp must have a port from 1 to 65535")
		}
	}
	if m.from, err = netmail.ParseAddress(from); err != nil {
		return nil, errors.New("--mail-from must be an address such as Stepsies <stepsies@example.com>")
	}
	m.tls = &tls.Config{ServerName: m.host, MinVersion: tls.VersionTLS12}
	return m, nil
}

// Send sends an e-mail. It gives up when ctx ends.
func (m *Mailer) Send(ctx context.Context, e Message) error {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := msg.FromFormat(m.from.Name, m.from.Address); err != nil {
		return fmt.Errorf("write the sender: %w", err)
	}
	if err := msg.To(e.To); err != nil {
		return fmt.Errorf("write the recipient: %w", err)
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails: crypto/rand says so
	_, domain, _ := strings.Cut(m.from.Address, "@")
	msg.SetMessageIDWithValue(hex.EncodeToString(id[:]) + "@" + domain)
	msg.SetDate()
	msg.Subject(e.Subject)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 §5: nobody's holidays answer
	msg.SetBodyString(gomail.TypeTextPlain, e.Text)
	c, done, err := m.client(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := c.DialAndSendWithContext(ctx, msg); err != nil {
		return fmt.Errorf("send by SMTP: %w", err)
	}
	return nil
}

// client prepares a connection, which ends with ctx whatever the library waits for
// then. The caller calls done: the library leaves a connection open where the
// greeting, the encryption or the sign-in failed.
func (m *Mailer) client(ctx context.Context) (c *gomail.Client, done func(), err error) {
	var conn net.Conn
	stop := func() bool { return true }
	dial := func(dialCtx context.Context, network, address string) (net.Conn, error) {
		var err error
		d := &net.Dialer{}
		if m.security == implicitTLS {
			conn, err = (&tls.Dialer{NetDialer: d, Config: m.tls}).DialContext(dialCtx, network, address)
		} else {
			conn, err = d.DialContext(dialCtx, network, address)
		}
		if err == nil {
			c := conn
			stop = context.AfterFunc(ctx, func() { _ = c.Close() })
		}
		return conn, err
	}
	options := []gomail.Option{gomail.WithPort(m.port), gomail.WithTimeout(mailStep), gomail.WithTLSConfig(m.tls), gomail.WithDialContextFunc(dial)}
	switch m.security {
	case implicitTLS:
		options = append(options, gomail.WithSSL())
	case plainText:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if m.username != "" {
		options = append(options, gomail.WithUsername(m.username), gomail.WithPassword(m.password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin)) // the connection is encrypted, always
	}
	c, err = gomail.NewClient(m.host, options...)
	if err != nil {
		return nil, nil, fmt.Errorf("prepare SMTP: %w", err)
	}
	return c, func() {
		stop()
		if conn != nil {
			_ = conn.Close()
		}
	}, nil
}
