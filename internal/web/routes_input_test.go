package web_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stepsies/stepsies/internal/store"
)

// addressIn fills in a route's path with things of sarah, of which there are some in the
// house. What is still in braces afterwards is a kind of thing that it does not know.
func (f *furnished) addressIn(t *testing.T, pattern string) (method, path string) {
	t.Helper()
	method, path, _ = strings.Cut(pattern, " ")
	sessions, err := f.Store().ListSessions(t.Context(), f.sarah.ID)
	if err != nil {
		t.Fatal(err)
	}
	invitations, err := f.Store().ListInvitations(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	var session, invitation int64 = 1, 1 // what has gone by now
	if len(sessions) > 0 {
		session = sessions[0].ID
	}
	if len(invitations) > 0 {
		invitation = invitations[0].ID
	}
	token := f.links[map[string]store.LinkKind{
		"/invitation/{token}": store.LinkInvitation, "/verify-email/{token}": store.LinkEmail, "/reset-password/{token}": store.LinkPassword,
	}[path]]
	if path == "/sign-up/{token}" {
		token = f.signUp
	}
	return method, strings.NewReplacer(
		"/keys/{id}", "/keys/"+itoa(f.keys["rotated"].ID), "/stepsies/{id}", "/stepsies/"+itoa(f.draft.ID),
		"/sessions/{id}", "/sessions/"+itoa(session), "/invitations/{id}", "/invitations/"+itoa(invitation),
		"{user}", "@sarahchen", "@{author}", "@sarahchen", "{slug}", f.published.Slug, "{token}", token, "{$}", "",
	).Replace(path)
}

// TestWhatIsAnothersDoesNotExist walks through the table of routes as a member to whom
// nothing of it belongs.
func TestWhatIsAnothersDoesNotExist(t *testing.T) {
	t.Parallel()
	f := furnish(t, nil)
	pages, _ := openPages(t)
	p := f.signIn(t, f.newcomer)
	walked := 0
	for _, r := range pages.Routes() {
		method, path := f.addressIn(t, r.Pattern)
		if r.Public || !r.Admin && !strings.Contains(r.Pattern, "{id}") {
			continue
		}
		walked++
		if strings.Contains(path, "{") {
			t.Errorf("%s is of a thing that addressIn does not know", r.Pattern)
		}
		if got := p.send(t, method, path, nil); got.status != http.StatusNotFound {
			t.Errorf("%s %s answers %d to another", method, path, got.status)
		}
	}
	if walked < 30 {
		t.Errorf("only %d routes are of someone's things", walked)
	}
	if got := f.stored(t, f.draft); got.Version != f.draft.Version {
		t.Error("the draft was changed")
	}
}

// names are those of the fields of all forms.
var names = strings.Fields(`username display_name email password login next name description scopes expiry date once grace user title category slug
	featured step_id step_title step_content version end do bio time_zone email_password old_password new_password role plan limit_minute limit_hour limit_month
	rating stars comment cursor kind q`)

// badBodies are what a form may be sent by whoever means no good, with their media types.
func badBodies(t *testing.T) map[string][2]string {
	t.Helper()
	const urlencoded = "application/x-www-form-urlencoded"
	all := func(values ...string) string {
		form := url.Values{}
		for _, n := range names {
			form[n] = values
		}
		return form.Encode()
	}
	var parts bytes.Buffer
	w := multipart.NewWriter(&parts)
	for _, n := range names {
		for range 3 {
			if err := w.WriteField(n, "\x00\xff"); err != nil {
				t.Fatal(err)
			}
		}
	}
	return map[string][2]string{
		"nothing":            {urlencoded, ""},
		"no form":            {urlencoded, "%zz=%zz;&&=="},
		"blanks":             {urlencoded, all(" \t\r\n")},
		"long texts":         {urlencoded, all(strings.Repeat("x", 60_000))},
		"control characters": {urlencoded, all("a\x00b\x1b[2J")},
		"no UTF-8":           {urlencoded, all("\xff\xfe\xc0\xaf")},
		"negative numbers":   {urlencoded, all("-1")},
		"large numbers":      {urlencoded, all("99999999999999999999")},
		"many of each":       {urlencoded, all(strings.Split(strings.Repeat("1,", 50), ",")...)},
		"markup":             {urlencoded, all(`"><script>payload()</script>`)},
		"half a multipart":   {w.FormDataContentType(), parts.String()},
		"a multipart of 0":   {"multipart/form-data", "--"},
		"JSON":               {"application/json", `{"version":"x","steps":[{"id":-1,"title":5}],"title":null}`},
		"deep JSON":          {"application/json", strings.Repeat("[", 100_000)},
		"plain text":         {"text/plain", "title=x"},
	}
}

// TestEveryFormBearsBadInput sends nonsense to every form as who may send it: the answer is
// a refusal with a sentence, or the act where it needs nothing, and never a failure of ours.
func TestEveryFormBearsBadInput(t *testing.T) {
	t.Parallel()
	pages, _ := openPages(t)
	for kind, body := range badBodies(t) {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			f := furnish(t, nil)
			for _, r := range pages.Routes() {
				method, path := f.addressIn(t, r.Pattern)
				if method == http.MethodGet {
					continue
				}
				p := &person{h: f.keyHouse}
				if r.Admin {
					p = f.signIn(t, f.admin)
				} else if !r.Public {
					p = f.signIn(t, f.sarah)
				}
				got := p.sendAs(t, method, path, body[0], body[1])
				switch {
				case got.status >= 500 || got.status < 200:
					t.Errorf("%s answers %d:\n%s", r.Pattern, got.status, got.text())
				case got.status >= 400 && len(got.text()) < 20:
					t.Errorf("%s answers %d without a sentence: %q", r.Pattern, got.status, got.body)
				case strings.HasPrefix(got.header.Get("Content-Type"), "text/html"):
					wantTame(t, r.Pattern, got)
				}
			}
		})
	}
}

// sendAs sends a body of some media type.
func (p *person) sendAs(t *testing.T, method, path, contentType, body string) shown {
	t.Helper()
	r := httptest.NewRequest(method, "http://stepsies.test"+path, strings.NewReader(body))
	r.RemoteAddr = fmt.Sprintf("192.0.2.%d:1234", len(path)%250)
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if p.cookie != nil {
		r.AddCookie(p.cookie)
	}
	w := httptest.NewRecorder()
	p.h.Handler().ServeHTTP(w, r)
	return shown{w.Code, w.Header(), w.Header().Get("Location"), w.Body.String()}
}
