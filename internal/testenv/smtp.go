package testenv

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"
)

// MailServerConfig says how a mail server of a test behaves.
type MailServerConfig struct {
	STARTTLS    bool   // offered
	ImplicitTLS bool   // encrypted from the first byte
	Username    string // wanted, "" for nobody
	Password    string
	Silent      bool // takes connections and never says a word
}

// MailServer is a small SMTP server, which keeps what it is sent.
type MailServer struct {
	Host  string         // 127.0.0.1
	Port  string         // a free one
	Roots *x509.CertPool // its certificate

	config   MailServerConfig
	tls      *tls.Config
	messages chan Mail
	mu       sync.Mutex
	open     map[net.Conn]bool
}

// Mail is an e-mail that a MailServer took.
type Mail struct {
	From, To  string // of the envelope
	Header    mail.Header
	Text      string // decoded
	Encrypted bool
}

// maxMail bounds the e-mails that nobody has asked for, and the size of one.
const (
	maxMails    = 100
	maxMailSize = 1 << 20
)

// NewMailServer starts a mail server that ends with the test.
func NewMailServer(t testing.TB, config MailServerConfig) *MailServer {
	t.Helper()
	certified := httptest.NewTLSServer(nil) // has a certificate for 127.0.0.1
	defer certified.Close()
	s := &MailServer{
		config: config, tls: &tls.Config{Certificates: certified.TLS.Certificates}, Roots: x509.NewCertPool(),
		messages: make(chan Mail, maxMails), open: map[net.Conn]bool{},
	}
	s.Roots.AddCert(certified.Certificate())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Host, s.Port, _ = net.SplitHostPort(l.Addr().String())
	var running sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		s.mu.Lock()
		for c := range s.open {
			_ = c.Close()
		}
		s.mu.Unlock()
		running.Wait()
	})
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.open[c] = true
			s.mu.Unlock()
			running.Go(func() { s.serve(c) })
		}
	})
	return s
}

// URL is the address of the server for --smtp.
func (s *MailServer) URL() string {
	user := ""
	if s.config.Username != "" {
		user = s.config.Username + ":" + s.config.Password + "@"
	}
	switch {
	case s.config.ImplicitTLS:
		return "smtps://" + user + s.Host + ":" + s.Port
	case s.config.STARTTLS:
		return "smtp://" + user + s.Host + ":" + s.Port
	}
	return "smtp://" + user + s.Host + ":" + s.Port + "?tls=off"
}

// Next returns the next e-mail, and fails the test where none comes.
func (s *MailServer) Next(t testing.TB) Mail {
	t.Helper()
	select {
	case m := <-s.messages:
		return m
	case <-time.After(30 * time.Second):
		t.Fatal("no e-mail has come")
		return Mail{}
	}
}

// Waiting is how many e-mails have come that nobody has asked for.
func (s *MailServer) Waiting() int { return len(s.messages) }

// Connections is how many connections are open.
func (s *MailServer) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

func (s *MailServer) serve(c net.Conn) {
	raw := c
	defer func() {
		_ = raw.Close()
		s.mu.Lock()
		delete(s.open, raw)
		s.mu.Unlock()
	}()
	if s.config.Silent {
		_, _ = io.Copy(io.Discard, c)
		return
	}
	if s.config.ImplicitTLS {
		c = tls.Server(c, s.tls)
	}
	d := &dialogue{server: s, conn: c, in: bufio.NewReader(io.LimitReader(c, 2*maxMailSize)), encrypted: s.config.ImplicitTLS, known: s.config.Username == ""}
	d.say("220 mail.test ESMTP")
	for d.step() {
	}
}

// dialogue is a conversation with one client (RFC 5321 §4).
type dialogue struct {
	server           *MailServer
	conn             net.Conn
	in               *bufio.Reader
	encrypted, known bool
	from, to         string
}

func (d *dialogue) say(line string) { _, _ = fmt.Fprintf(d.conn, "%s\r\n", line) }

// step answers one command, and reports whether there may be another.
func (d *dialogue) step() bool {
	line, err := d.in.ReadString('\n')
	if err != nil {
		return false
	}
	line = strings.TrimRight(line, "\r\n")
	verb, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO", "HELO":
		d.hello()
	case "STARTTLS":
		d.say("220 go ahead")
		d.conn = tls.Server(d.conn, d.server.tls)
		d.in, d.encrypted = bufio.NewReader(io.LimitReader(d.conn, 2*maxMailSize)), true
	case "AUTH":
		d.signIn(rest)
	case "MAIL":
		if !d.known {
			d.say("530 authentication required")
			break
		}
		d.from = between(rest)
		d.say("250 ok")
	case "RCPT":
		d.to = between(rest)
		d.say("250 ok")
	case "DATA":
		d.say("354 go ahead")
		return d.take()
	case "QUIT":
		d.say("221 bye")
		return false
	default:
		d.say("250 ok")
	}
	return true
}

func (d *dialogue) hello() {
	d.say("250-mail.test")
	if d.server.config.STARTTLS && !d.encrypted {
		d.say("250-STARTTLS")
	}
	if d.server.config.Username != "" {
		d.say("250-AUTH PLAIN")
	}
	d.say("250 8BITMIME")
}

func (d *dialogue) signIn(how string) {
	want := "\x00" + d.server.config.Username + "\x00" + d.server.config.Password
	_, given, _ := strings.Cut(how, " ")
	text, err := base64.StdEncoding.DecodeString(given)
	if err != nil || string(text) != want {
		d.say("535 not you")
		return
	}
	d.known = true
	d.say("235 welcome")
}

// take reads a message up to the line with a single dot.
func (d *dialogue) take() bool {
	var text bytes.Buffer
	for {
		line, err := d.in.ReadString('\n')
		if err != nil || text.Len() > maxMailSize {
			return false
		}
		if line == ".\r\n" {
			break
		}
		text.WriteString(strings.TrimPrefix(line, "."))
	}
	msg, err := mail.ReadMessage(&text)
	if err != nil {
		d.say("554 not a message")
		return true
	}
	body, err := io.ReadAll(quotedprintable.NewReader(msg.Body))
	if err != nil {
		d.say("554 not quoted-printable")
		return true
	}
	m := Mail{From: d.from, To: d.to, Header: msg.Header, Text: strings.ReplaceAll(string(body), "\r\n", "\n"), Encrypted: d.encrypted}
	select {
	case d.server.messages <- m:
		d.say("250 taken")
	default:
		d.say("452 full")
	}
	return true
}

// between is what stands between angle brackets.
func between(s string) string {
	_, s, _ = strings.Cut(s, "<")
	s, _, _ = strings.Cut(s, ">")
	return s
}
