package web_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/auth"
	"github.com/stepsies/stepsies/internal/mail"
	"github.com/stepsies/stepsies/internal/server"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/testenv"
)

// sessionEnds are the ways in which what a person may do ends. After a demotion they are
// still signed in.
var sessionEnds = map[string]func(h *keyHouse, t *testing.T, u stepsies.User) error{
	"signed out": func(h *keyHouse, t *testing.T, u stepsies.User) error {
		return h.Store().EndSessions(t.Context(), operator, u, 0)
	},
	"suspended": func(h *keyHouse, t *testing.T, u stepsies.User) error {
		yes := true
		_, err := h.Store().UpdateUser(t.Context(), operator, u.Username, stepsies.UserChange{Suspended: &yes})
		return err
	},
	"demoted": func(h *keyHouse, t *testing.T, u stepsies.User) error {
		role := string(stepsies.RoleMember)
		_, err := h.Store().UpdateUser(t.Context(), operator, u.Username, stepsies.UserChange{Role: &role})
		return err
	},
	"deleted": func(h *keyHouse, t *testing.T, u stepsies.User) error {
		return h.Store().DeleteUser(t.Context(), operator, u.Username)
	},
	"given another password": func(h *keyHouse, t *testing.T, u stepsies.User) error {
		return h.Store().SetPassword(t.Context(), operator, u.Username, "another hash", 0)
	},
}

// typedWords are in every form, to see that they are kept.
const typedWords = `what "was" <typed>`

// underwayHouse has something of each kind for an admin to change, which is sarahchen's.
type underwayHouse struct {
	*furnished
	trashed stepsies.Stepsy
	hash    string // of goodPassword
	rows    func(t *testing.T) []string
}

func openUnderwayHouse(t *testing.T, engine string) *underwayHouse {
	t.Helper()
	mailer, err := mail.New("smtp://127.0.0.1:1", "Stepsies <stepsies@example.com>") // nothing is sent there
	if err != nil {
		t.Fatal(err)
	}
	var source string
	now := time.Now()
	h := openHouse(t, func(c *server.Config) {
		c.Mail, c.Now = mailer, func() time.Time { return now }
		source = filepath.Join(c.DataDir, "stepsies.db")
		if engine == "pgx" {
			source = testenv.Postgres(t)
			c.DatabaseURL = source
		}
	})
	f := &underwayHouse{furnished: &furnished{keyHouse: h, keys: map[string]stepsies.APIKey{}}}
	f.rows = func(t *testing.T) []string {
		return testenv.Rows(t, engine, source, "key_usage", "key_usage_days", "account_usage_days")
	}
	f.sarah = h.newUser(t, "sarahchen", "member")
	f.signIn(t, f.sarah)
	f.keys["rotated"], _ = h.newKey(t, f.sarah, "Back end", "read")
	f.draft, f.trashed = h.newStepsy(t, f.sarah, "Bake bread", "Mix", "<p>Flour</p>"), h.newStepsy(t, f.sarah, "In the trash")
	_, link := auth.NewToken()
	for _, err := range []error{
		h.Store().DeleteStepsy(t.Context(), operator, f.trashed.ID),
		h.Store().CreateLink(t.Context(), operator, store.Link{Kind: store.LinkInvitation, Role: stepsies.RoleMember}, link, auth.InvitationLink),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if f.hash, err = auth.HashPassword(t.Context(), goodPassword); err != nil {
		t.Fatal(err)
	}
	return f
}

// formsUnderWay are forms that would be taken, by route; the others need no fields.
func (f *underwayHouse) formsUnderWay(t *testing.T) map[string]url.Values {
	t.Helper()
	editor := formOn(t, f.signIn(t, f.sarah).get(t, stepsyAt(f.draft, "")), stepsyAt(f.draft, ""))
	editor.Set("title", "Bake more bread")
	profile := formOf("display_name", "Another", "bio", "Another", "time_zone", "UTC")
	user := formOf("username", "newcomer", "display_name", "New", "email", "new@example.com", "role", "admin", "plan", "pro")
	return map[string]url.Values{
		"POST /dashboard/developer":                  formOf("user", "sarahchen", "name", "New", "description", "", "scopes", "read", "expiry", "never", "date", ""),
		"POST /dashboard/developer/keys/{id}/edit":   formOf("name", "New", "description", "", "scopes", "read", "expiry", "never", "date", ""),
		"POST /dashboard/developer/keys/{id}/rotate": formOf("grace", "0"),
		"POST /dashboard/stepsies":                   formOf("user", "sarahchen", "title", "New", "description", "", "category", "other"),
		"POST /dashboard/stepsies/{id}":              editor,
		"POST /dashboard/profile":                    profile,
		"POST /dashboard/profile/email":              formOf("email", "another@example.com", "email_password", goodPassword),
		"POST /dashboard/profile/password":           formOf("old_password", goodPassword, "new_password", otherPassword),
		"POST /dashboard/users":                      user,
		"POST /dashboard/users/invite":               formOf("email", "guest@example.com", "role", "admin"),
		"POST /dashboard/users/{user}":               formOf("display_name", "New", "email", "sarahchen@example.com", "role", "admin", "plan", "pro"),
	}
}

// formUnderWay is a form that is half sent when its sender's right ends.
type formUnderWay struct {
	route, end, path string
	script           bool // sent by the editor's script
	person           *person
	user             stepsies.User
	own              bool // asks for nothing that is for admins
	sent             *testenv.Underway
	got              shown
	err              error
}

// TestWhatEndsASessionEndsItsFormsUnderWay sends half of every form behind the sign-in,
// has what its sender may do end in every way, and sends the rest: they are asked to sign
// in and keep what they typed, or find that the page is not theirs, and nothing changes.
func TestWhatEndsASessionEndsItsFormsUnderWay(t *testing.T) {
	t.Parallel()
	pages, _ := openPages(t)
	for _, engine := range []string{"sqlite", "pgx"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			f := openUnderwayHouse(t, engine)
			network := httptest.NewServer(f.Handler())
			defer network.Close()
			forms := f.formsUnderWay(t)
			var all []*formUnderWay
			for _, r := range pages.Routes() {
				if r.Public || !strings.HasPrefix(r.Pattern, "POST ") {
					continue
				}
				for _, end := range slices.Sorted(maps.Keys(sessionEnds)) {
					u := &formUnderWay{route: r.Pattern, end: end, own: isOwn(r.Pattern)}
					f.begin(t, u, forms[r.Pattern], network.Listener.Addr().String(), len(all))
					all = append(all, u)
				}
			}
			if len(all) < 30*len(sessionEnds) {
				t.Errorf("only %d forms are under way", len(all))
			}
			for _, u := range all {
				if err := sessionEnds[u.end](f.keyHouse, t, u.user); err != nil {
					t.Fatalf("%s is %s: %v", u.user.Username, u.end, err)
				}
			}
			goesOn := func(u *formUnderWay) bool { return u.own && u.end == "demoted" }
			before := f.rows(t)
			finishForms(t, all, func(u *formUnderWay) bool { return !goesOn(u) })
			if after := f.rows(t); !slices.Equal(after, before) {
				for _, row := range after {
					if _, there := slices.BinarySearch(before, row); !there {
						t.Errorf("changed or new: %s", row)
					}
				}
				t.Errorf("there are %d rows, were %d", len(after), len(before))
			}
			finishForms(t, all, goesOn)
		})
	}
}

// isOwn reports whether a form is about whoever sends it.
func isOwn(route string) bool {
	return strings.HasPrefix(route, "POST /dashboard/profile") || route == "POST /sign-out"
}

// begin has a new admin send half of a form.
func (f *underwayHouse) begin(t *testing.T, u *formUnderWay, fields url.Values, address string, n int) {
	t.Helper()
	u.user = f.newUser(t, fmt.Sprintf("admin-%d", n), "admin")
	if err := f.Store().SetPassword(t.Context(), operator, u.user.Username, f.hash, 0); err != nil {
		t.Fatal(err)
	}
	u.person = f.signIn(t, u.user)
	_, u.path = f.addressIn(t, u.route)
	switch {
	case strings.HasSuffix(u.route, "/restore"):
		u.path = stepsyAt(f.trashed, "restore")
	case strings.HasSuffix(u.route, "/sessions/{id}/end"):
		f.signIn(t, u.user)
		sessions, err := f.Store().ListSessions(t.Context(), u.user.ID)
		if err != nil {
			t.Fatal(err)
		}
		u.path = "/dashboard/profile/sessions/" + itoa(sessions[0].ID) + "/end" // of the browser that came later
	}
	token, _ := auth.NewToken()
	form := url.Values{"typed": {typedWords}, "once": {fmt.Sprintf("%d.%s", time.Now().Unix(), token)}}
	maps.Copy(form, fields)
	body, mediaType := form.Encode(), "application/x-www-form-urlencoded"
	if u.script = strings.HasSuffix(u.route, "/save"); u.script {
		typed := typedOf(f.draft)
		typed.Title = "Saved"
		b, err := json.Marshal(typed)
		if err != nil {
			t.Fatal(err)
		}
		body, mediaType = string(b), "application/json"
	}
	if u.route == "POST /dashboard/stepsies/{id}" { // whose form is sent in parts
		var parts bytes.Buffer
		w := multipart.NewWriter(&parts)
		for name, values := range form {
			for _, value := range values {
				if err := w.WriteField(name, value); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		body, mediaType = parts.String(), w.FormDataContentType()
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+u.path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", mediaType)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.AddCookie(u.person.cookie)
	u.sent = testenv.Begin(t, r)
}

// finishForms finishes some of the forms at the same time, then judges their answers.
func finishForms(t *testing.T, all []*formUnderWay, which func(*formUnderWay) bool) {
	var wait sync.WaitGroup
	next := make(chan *formUnderWay)
	for range 8 {
		wait.Go(func() {
			for u := range next {
				u.finish()
			}
		})
	}
	for _, u := range all {
		if which(u) {
			next <- u
		}
	}
	close(next)
	wait.Wait()
	for _, u := range all {
		if which(u) {
			u.judge(t)
		}
	}
}

func (u *formUnderWay) finish() {
	answer, body, err := u.sent.Finish()
	if u.err = err; err == nil {
		u.got = shown{answer.StatusCode, answer.Header, answer.Header.Get("Location"), body}
	}
}

func (u *formUnderWay) judge(t *testing.T) {
	t.Helper()
	name, got := u.route+" by who is "+u.end, u.got
	switch {
	case u.err != nil:
		t.Errorf("%s: %v", name, u.err)
	case u.end == "demoted" && u.own:
		if got.status != http.StatusSeeOther || strings.HasPrefix(got.location, "/sign-in?") {
			t.Errorf("%s: %d to %q: %s", name, got.status, got.location, got.text())
		}
	case u.end == "demoted" && u.script:
		if got.status != http.StatusNotFound || !strings.Contains(got.body, "not yours any more") {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	case u.end == "demoted":
		if got.status != http.StatusNotFound || !strings.Contains(got.text(), "There is nothing here") {
			t.Errorf("%s: %d %s", name, got.status, got.text())
		}
	case u.script:
		if got.status != http.StatusSeeOther || got.location != "/sign-in?next=%2Fdashboard" {
			t.Errorf("%s: %d to %q", name, got.status, got.location)
		}
	case got.status != http.StatusUnauthorized:
		t.Errorf("%s: %d %s", name, got.status, got.text())
	default:
		kept := formOn(t, got, u.path)
		if !strings.Contains(got.text(), "You are signed out") || kept.Get("typed") != typedWords || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", name, got.status, got.text())
		}
		if strings.Contains(got.body, goodPassword) || strings.Contains(got.body, u.user.Username) {
			t.Errorf("%s: the page holds a password, or who was signed in", name)
		}
	}
}
