package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/server"
	"github.com/stepsies/stepsies/internal/store"
)

// typed is what someone might type to have it run in another's browser. Each
// holds the word that marks it.
var typed = []string{
	`<script>payload()</script>`, `"><img src=x onerror=payload()>`, `'><svg onload=payload()>`, `</textarea><script>payload()</script>`,
	`</title><script>payload()</script>`, `javascript:payload()`, `" autofocus onfocus="payload()`, `{{payload}}${payload}<%payload%>`,
	`<a href="javascript:payload()">x</a>`, "x\u2028<payload>y",
}

// dangers are what a browser would run, or take for markup, in a page: it is parsed
// as a browser parses it, whatever its text looks like.
func dangers(t *testing.T, body string) []string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		has := map[string]string{}
		for _, a := range n.Attr {
			has[a.Key] = a.Val
		}
		authored := has["rel"] == "nofollow ugc noopener" && strings.HasPrefix(has["href"], "https://") // a link in a step
		for _, a := range n.Attr {
			value := strings.ToLower(strings.TrimSpace(a.Val))
			switch {
			case strings.HasPrefix(a.Key, "on"), a.Key == "style":
				found = append(found, n.Data+" with "+a.Key)
			case (a.Key == "href" || a.Key == "src" || a.Key == "action" || a.Key == "formaction") && !authored && !strings.HasPrefix(value, "/") && !strings.HasPrefix(value, "#") && !strings.HasPrefix(value, "http://stepsies.test/"):
				found = append(found, n.Data+" to "+a.Val)
			}
		}
		switch n.Data {
		case "script":
			isData := has["type"] == "application/ld+json" && json.Valid([]byte(textOf(n))) // nothing runs it
			if !isData && (!strings.HasPrefix(has["src"], "/assets/") || n.FirstChild != nil) {
				found = append(found, "a script of its own")
			}
		case "base":
			if has["href"] != "" {
				found = append(found, "another base")
			}
		case "style", "img", "iframe", "object", "embed", "payload":
			found = append(found, "an element "+n.Data)
		}
	}
	return found
}

func wantTame(t *testing.T, where string, page shown) {
	t.Helper()
	if page.status >= 500 {
		t.Errorf("%s answers %d", where, page.status)
	}
	if found := dangers(t, page.body); len(found) > 0 {
		t.Errorf("%s holds %q", where, found)
	}
	csp := page.header.Get("Content-Security-Policy")
	onlyOurs := strings.Contains(csp, "script-src 'self';") || strings.HasPrefix(csp, "default-src 'none';") && !strings.Contains(csp, "script-src")
	if !onlyOurs || strings.Contains(csp, "unsafe") || strings.Contains(csp, "nonce") {
		t.Errorf("%s has the policy %q", where, csp)
	}
}

func TestTypedPayloadsAreShownAsText(t *testing.T) {
	t.Parallel()
	for _, payload := range typed {
		t.Run(payload, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t, func(c *server.Config) { c.SignUp = "open" })
			h.withPassword(t, "boss", "admin")
			u := h.withPassword(t, "sarah", "member")
			b := h.browser()
			b.agent = payload
			b.signIn(t, "sarah", goodPassword)
			b.post(t, "/dashboard/profile", "display_name", payload, "bio", payload, "time_zone", "")
			if got, _ := h.Store().UserByID(t.Context(), u.ID); got.DisplayName != payload {
				t.Fatalf("the name is %q, so nothing is tried", got.DisplayName)
			}
			_, secret := h.newKey(t, u, payload, "read")
			h.addStepsy(t, "sarah", payload, true)
			// A leak report's source is what a stranger says.
			source := "https://example.com/" + url.PathEscape(payload)
			by := store.Write{Actor: stepsies.Actor{Kind: stepsies.ActorAnonymous, IP: payload}}
			if _, err := h.Store().RevokeLeaked(t.Context(), by, []stepsies.KeyHash{secret.Hash()}, source+"?"+payload); err != nil {
				t.Fatal(err)
			}
			boss := h.signedIn(t, "boss")
			boss.agent = payload
			l := store.Link{Kind: store.LinkInvitation, Email: payload, Role: stepsies.RoleMember}
			if err := h.Store().CreateLink(t.Context(), operator, l, store.TokenHash{1}, 1e12); err != nil {
				t.Fatal(err)
			}
			q := url.QueryEscape(payload)
			for _, path := range []string{"/dashboard", "/dashboard/activity", "/dashboard/activity?kind=" + q, "/dashboard/profile"} {
				wantTame(t, path, b.get(t, path))
			}
			for _, path := range []string{"", "?q=" + q, "/@sarah", "/@sarah/suspend", "/@sarah/delete", "/@" + url.PathEscape(payload), "/new", "/invite"} {
				wantTame(t, "users "+path, boss.get(t, usersAt+path))
			}
			for _, path := range []string{"/dashboard/activity", "/dashboard/activity?user=" + q, "/sign-in?next=" + q, "/" + url.PathEscape(payload), "/invitation/" + url.PathEscape(payload)} {
				wantTame(t, path, boss.get(t, path))
			}
			wantTame(t, "the link of a user", boss.post(t, usersAt+"/@sarah/password-link"))
			// Forms give back what was typed.
			all := func(names ...string) url.Values {
				form := url.Values{}
				for _, n := range names {
					form.Set(n, payload)
				}
				return form
			}
			wantTame(t, "sign in", h.browser().send(t, http.MethodPost, "/sign-in", all("login", "password", "next")))
			wantTame(t, "sign up", h.browser().send(t, http.MethodPost, "/sign-up", all("username", "display_name", "email", "password")))
			wantTame(t, "profile", b.send(t, http.MethodPost, "/dashboard/profile", all("display_name", "bio", "time_zone")))
			wantTame(t, "e-mail", b.send(t, http.MethodPost, "/dashboard/profile/email", all("email", "email_password")))
			wantTame(t, "new user", boss.send(t, http.MethodPost, usersAt, all("username", "display_name", "email", "role", "plan", "limit_minute")))
			wantTame(t, "user", boss.send(t, http.MethodPost, usersAt+"/@sarah", all("display_name", "email", "role", "plan", "limit_minute")))
			wantTame(t, "invite", boss.send(t, http.MethodPost, usersAt+"/invite", all("email", "role")))
			// A sentence that the server has not said is not said at all.
			for _, value := range []string{q, "." + q} {
				b.cookies["stepsies_notice"] = &http.Cookie{Name: "stepsies_notice", Value: value}
				wantTame(t, "notice", b.get(t, "/dashboard/profile"))
			}
		})
	}
}

// fields are all texts that people give and pages show; furnish asks for each.
var fields = []string{
	"display name", "bio", "key name", "key description", "leak source", "stepsy title", "stepsy description", "step title", "step content",
	"invited address", "user agent", "rating comment",
}

// TestNoFieldBecomesMarkupOnAnyPage has attackers type into every field and opens every
// page as everyone who may.
func TestNoFieldBecomesMarkupOnAnyPage(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{`"></textarea></title><script>payload()</script>`, `' onfocus=payload() autofocus x='<payload>`, `<img src=x onerror=payload()>{{payload}}`} {
		t.Run(payload, func(t *testing.T) {
			t.Parallel()
			mark := func(field string) string { return "zz" + strings.ReplaceAll(field, " ", "") }
			typedInto := map[string]bool{}
			f := furnish(t, func(field, _ string) string {
				typedInto[field] = true
				return payload + mark(field)
			})
			var all strings.Builder
			for _, l := range f.looks() {
				for _, v := range l.as {
					page := f.open(t, l, v)
					wantTame(t, l.path+" as "+string(v), page)
					all.WriteString(page.body)
				}
			}
			for _, field := range fields {
				if !typedInto[field] || !strings.Contains(all.String(), mark(field)) {
					t.Errorf("no page shows the %s, so nothing is tried", field)
				}
				delete(typedInto, field)
			}
			for field := range typedInto {
				t.Errorf("%s is not among the fields of this test", field)
			}
		})
	}
}

func TestDangersAreRecognised(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		`<p><script>payload()</script></p>`, `<input value=""><img src=x onerror=payload()>">`, `<svg onload=payload()>`,
		`<input value="" autofocus onfocus="payload()">`, `<a href=" javascript:payload()">`, `<payload>`, `<form action="javascript:payload()">`,
		`<p style="color: red">`, `<script src="https://evil.example/x.js"></script>`, `<base href="https://evil.example/">`,
		`<script type="application/ld+json">{"name":"</script><script>payload()</script>"}</script>`, `<script type="application/ld+json">payload()</script>`,
	} {
		if len(dangers(t, bad)) == 0 {
			t.Errorf("%s would not be noticed", bad)
		}
	}
	if found := dangers(t, `<input value="&#34; onfocus=&#34;payload()"><p>&lt;script&gt;<a href="/x">javascript:payload()</a>`); len(found) > 0 {
		t.Errorf("harmless text is taken for %q", found)
	}
}
