package mail

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/testenv"
)

const mailFrom = "Stepsies <stepsies@example.com>"

// mailerFor returns a mailer that knows the server's certificate.
func mailerFor(t *testing.T, s *testenv.MailServer) *Mailer {
	t.Helper()
	m, err := New(s.URL(), mailFrom)
	if err != nil {
		t.Fatal(err)
	}
	m.tls.RootCAs = s.Roots
	return m
}

func TestMailIsSentByEachWayOfEncrypting(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]testenv.MailServerConfig{
		"STARTTLS":            {STARTTLS: true},
		"STARTTLS, signed in": {STARTTLS: true, Username: "user", Password: "pass-word"},
		"implicit TLS":        {ImplicitTLS: true, Username: "user", Password: "pass-word"},
		"off":                 {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testenv.NewMailServer(t, config)
			text := "Hello Zoë,\n\nhttps://stepsies.test/reset-password/" + strings.Repeat("x", 200) + "\n.\nend\n"
			if err := mailerFor(t, s).Send(t.Context(), Message{"zoe@example.org", "Grüße", text}); err != nil {
				t.Fatal(err)
			}
			m := s.Next(t)
			if m.From != "stepsies@example.com" || m.To != "zoe@example.org" || m.Encrypted != (config.STARTTLS || config.ImplicitTLS) {
				t.Errorf("the envelope is from %q to %q, encrypted %v", m.From, m.To, m.Encrypted)
			}
			if strings.TrimRight(m.Text, "\n") != strings.TrimRight(text, "\n") {
				t.Errorf("the text came as %q", m.Text)
			}
			for name, want := range map[string]string{
				"From": `"Stepsies" <stepsies@example.com>`, "To": "<zoe@example.org>", "Subject": "=?UTF-8?q?Gr=C3=BC=C3=9Fe?=",
				"Auto-Submitted": "auto-generated", "Content-Type": "text/plain; charset=UTF-8", "User-Agent": "", "X-Mailer": "",
			} {
				if got := m.Header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			if id := m.Header.Get("Message-ID"); !strings.HasSuffix(id, "@example.com>") {
				t.Errorf("Message-ID is %q", id)
			}
		})
	}
}

func TestMailIsNotSentWithoutTheEncryptionThatIsAskedFor(t *testing.T) {
	t.Parallel()
	s := testenv.NewMailServer(t, testenv.MailServerConfig{})
	m, err := New("smtp://user:pass-word@"+s.Host+":"+s.Port, mailFrom)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Send(t.Context(), Message{"zoe@example.org", "Subject", "Text"}); err == nil || s.Waiting() != 0 {
		t.Errorf("a server without STARTTLS got the e-mail (%v)", err)
	}
	// A certificate of nobody known is none.
	s = testenv.NewMailServer(t, testenv.MailServerConfig{STARTTLS: true})
	if m, err = New(s.URL(), mailFrom); err != nil {
		t.Fatal(err)
	}
	if err := m.Send(t.Context(), Message{"zoe@example.org", "Subject", "Text"}); err == nil || s.Waiting() != 0 {
		t.Errorf("a server with a strange certificate got the e-mail (%v)", err)
	}
}

func TestFailedMailTellsNoPasswordAndLeavesNoConnection(t *testing.T) {
	t.Parallel()
	s := testenv.NewMailServer(t, testenv.MailServerConfig{STARTTLS: true, Username: "user", Password: "right"})
	m, err := New(strings.Replace(s.URL(), ":right@", ":wrong-one@", 1), mailFrom)
	if err != nil {
		t.Fatal(err)
	}
	m.tls.RootCAs = s.Roots
	err = m.Send(t.Context(), Message{"zoe@example.org", "Subject", "Text"})
	if err == nil || strings.Contains(err.Error(), "wrong-one") {
		t.Errorf("the error is %v", err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for s.Connections() > 0 {
		if time.Now().After(deadline) {
			t.Fatal("a connection is left open")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestMailServerThatSaysNothingIsGivenUp(t *testing.T) {
	t.Parallel()
	s := testenv.NewMailServer(t, testenv.MailServerConfig{Silent: true})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	m := mailerFor(t, s)
	go func() { ended <- m.Send(ctx, Message{"zoe@example.org", "Subject", "Text"}) }()
	for s.Connections() == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("it was sent to a server that says nothing")
		}
	case <-time.After(mailStep / 2):
		t.Error("the end of the context ends nothing")
	}
}

func TestMailSettingsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ address, from string }{
		{"", mailFrom}, {"mail.example.com", mailFrom}, {"http://mail.example.com", mailFrom}, {"smtp://", mailFrom},
		{"smtp://user:secret-%zz@mail.example.com", mailFrom}, {"smtp://user:secret@mail.example.com:0", mailFrom},
		{"smtp://user:secret@mail.example.com:99999", mailFrom}, {"smtp://mail.example.com/path", mailFrom},
		{"smtp://mail.example.com?tls=maybe", mailFrom}, {"smtps://mail.example.com?tls=off", mailFrom},
		{"smtp://user:secret@localhost?tls=off", mailFrom}, {"smtp://mail.example.com", ""}, {"smtp://mail.example.com", "nobody"},
	} {
		_, err := New(c.address, c.from)
		if err == nil {
			t.Errorf("%s from %q is accepted", c.address, c.from)
			continue
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error tells the password: %v", c.address, err)
		}
		if strings.Contains(err.Error(), "--smtp") == strings.Contains(err.Error(), "--mail-from") {
			t.Errorf("%s from %q: the error names no setting: %v", c.address, c.from, err)
		}
	}
	m, err := New("smtp://us%40er:p%2Fw@mail.example.com", mailFrom)
	if err != nil || m.port != 587 || m.username != "us@er" || m.password != "p/w" {
		t.Errorf("%+v, %v", m, err)
	}
}
