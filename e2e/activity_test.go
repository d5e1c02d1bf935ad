package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies/internal/testenv"
)

// activityLine is a line of stepsies activity.
type activityLine struct {
	ID         int64     `json:"id"`
	At         time.Time `json:"at"`
	Actor      string    `json:"actor"`
	Username   string    `json:"username"`
	KeyName    string    `json:"key_name"`
	IP         string    `json:"ip"`
	Action     string    `json:"action"`
	TargetName string    `json:"target_name"`
}

// activity runs the command and decodes each line for itself.
func (in *installation) activity(t *testing.T, args ...string) []activityLine {
	t.Helper()
	var list []activityLine
	for _, line := range lines(in.must(t, append([]string{"activity"}, args...)...)) {
		var a activityLine
		d := json.NewDecoder(strings.NewReader(line))
		if err := d.Decode(&a); err != nil || d.More() {
			t.Fatalf("%q is no JSON value of one line: %v", line, err)
		}
		list = append(list, a)
	}
	return list
}

// TestActivityIsPrintedAsJSONLines reads the record beside a server and without
// one, on each engine.
func TestActivityIsPrintedAsJSONLines(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, in *installation) {
		in.must(t, "migrate")
		key := in.makeAdmin(t)
		s := in.serve(t)
		const many = 520 // more than one part of an answer
		c := s.as(t, key)
		for i := range many {
			c.Must(t, http.StatusCreated, "POST", "/v1/stepsies", map[string]any{"title": fmt.Sprint("stepsy ", i)})
		}
		beside := in.activity(t)
		s.stop(t)
		alone := in.activity(t)
		if !slices.Equal(beside, alone) {
			t.Errorf("beside a server there are %d lines, alone %d", len(beside), len(alone))
		}
		if !slices.IsSortedFunc(alone, func(a, b activityLine) int { return int(a.ID - b.ID) }) {
			t.Error("the lines are not in order")
		}
		var created int
		for _, a := range alone {
			if a.Action == "stepsy.create" {
				if want := fmt.Sprint("stepsy ", created); a.TargetName != want || a.Actor != "key" || a.IP != "127.0.0.1" || a.KeyName == "" || time.Since(a.At).Abs() > time.Hour {
					t.Errorf("%+v, want %s", a, want)
				}
				created++
			}
		}
		if created != many {
			t.Errorf("%d of %d stepsies are in the record", created, many)
		}
		if alone[0].Action != "user.create" || alone[0].Actor != "operator" {
			t.Errorf("the first line is %+v", alone[0])
		}
		if got := in.activity(t, "--limit", "3"); !slices.Equal(got, alone[len(alone)-3:]) {
			t.Errorf("--limit 3 prints %+v", got)
		}
		if got := in.activity(t, "--limit", "510"); !slices.Equal(got, alone[len(alone)-510:]) {
			t.Errorf("--limit 510 prints %d lines", len(got))
		}
		if got := in.activity(t, "--since", "1h"); !slices.Equal(got, alone) {
			t.Errorf("--since 1h prints %d lines", len(got))
		}
		if got := in.activity(t, "--since", "2999-12-31"); len(got) != 0 {
			t.Errorf("the future has %+v", got)
		}
		in.run(t, "activity", "--since", "yesterday").failure(t, 2, "--since", "90d")
		in.run(t, "activity", "--limit", "-1").failure(t, 2, "--limit")
	})
}

// TestForgottenPasswordIsMailed asks a server for a link by which a password is set.
func TestForgottenPasswordIsMailed(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	mails := testenv.NewMailServer(t, testenv.MailServerConfig{})
	secret := filepath.Join(t.TempDir(), "smtp")
	if err := os.WriteFile(secret, []byte(mails.URL()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in.env = append(in.env, "STEPSIES_SMTP_FILE="+secret, "STEPSIES_MAIL_FROM=Stepsies <stepsies@example.com>")
	in.makeUser(t, "sarah")
	s := in.serve(t)
	answer, err := http.PostForm(s.url+"/forgot-password", url.Values{"login": {"sarah"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	m := mails.Next(t)
	_, link, found := strings.Cut(m.Text, publicURL+"/reset-password/")
	if answer.StatusCode != http.StatusOK || m.To != "sarah@example.com" || !found {
		t.Fatalf("%d; the e-mail to %s says %q", answer.StatusCode, m.To, m.Text)
	}
	token, _, _ := strings.Cut(link, "\n")
	page, err := http.Get(s.url + "/reset-password/" + token)
	if err != nil {
		t.Fatal(err)
	}
	_ = page.Body.Close()
	if page.StatusCode != http.StatusOK {
		t.Errorf("the link answers %d", page.StatusCode)
	}
	if log := string(s.log(t)); strings.Contains(log, token) {
		t.Error("the log holds the link")
	}
	s.stop(t)
}

func TestMailSettingsThatMakeNoSenseEndServe(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	for _, c := range []struct {
		args []string
		word string
	}{
		{[]string{"--smtp", "mail.example.com", "--mail-from", "a@example.com"}, "--smtp"},
		{[]string{"--smtp", "smtp://user:a-secret@mail.example.com"}, "--mail-from"},
		{[]string{"--mail-from", "a@example.com"}, "--smtp"},
	} {
		r := in.run(t, append([]string{"serve", "--listen", "127.0.0.1:0"}, c.args...)...)
		r.failure(t, 2, c.word)
		if strings.Contains(r.stderr, "a-secret") {
			t.Errorf("the password is printed: %s", r.stderr)
		}
	}
}
