package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestKeyIsCreatedShownOnceUsedAndRevoked(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, true)
	sarah := h.signIn(t, h.sarah)

	empty := sarah.get(t, developer)
	wantText(t, empty, "No keys yet", "Create API Key", h.now().UTC().Month().String()+" · Free plan")
	form := sarah.get(t, developer+"/new")
	wantText(t, form, "Name", "Description", "Scopes", "Expiration date", "Create Key")
	fields := withHidden(form, fill("Production Backend", "read", "write"))
	fields.Set("description", "Publishes from the CMS")
	made := sarah.post(t, developer, fields)
	wantStatus(t, made, http.StatusOK)
	key := secretForm.FindString(made.body)
	wantText(t, made, "Production Backend is ready", "will not be shown again", `curl http://stepsies.test/v1/stepsies -H "Authorization: Bearer `+key+`"`,
		"Publishes from the CMS", "Never used", "never expires")
	if got := made.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control of the page with the key is %q", got)
	}
	if status := h.call(key); status != http.StatusOK {
		t.Fatalf("the new key gets %d", status)
	}

	list := sarah.get(t, developer)
	wantText(t, list, "Production Backend", key[:7]+"…"+key[len(key)-4:])
	id := h.keys(t, h.sarah)[0].ID
	for _, path := range []string{developer, keyAt(id, ""), keyAt(id, "/edit"), keyAt(id, "/rotate"), keyAt(id, "/revoke")} {
		if page := sarah.get(t, path); secretForm.MatchString(page.body) {
			t.Errorf("%s shows a key", path)
		}
	}

	ask := sarah.get(t, keyAt(id, "/revoke"))
	wantText(t, ask, "Revoke “Production Backend”?", "cannot be brought back", "Last used")
	gone := sarah.submit(t, keyAt(id, "/revoke"), keyAt(id, "/revoke"), nil)
	if gone.status != http.StatusSeeOther || gone.location != developer {
		t.Fatalf("revoking answers %d and leads to %q", gone.status, gone.location)
	}
	wantText(t, sarah.get(t, developer), "Production Backend is revoked.", "1 revoked key", "No key works now")
	if status := h.call(key); status != http.StatusUnauthorized {
		t.Errorf("the revoked key gets %d", status)
	}
}

func keyAt(id int64, form string) string { return fmt.Sprintf("%s/keys/%d%s", developer, id, form) }

func TestFormSentTwiceMakesOneKey(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	fields := withHidden(sarah.get(t, developer+"/new"), fill("Zapier Integration", "write"))
	if first := sarah.post(t, developer, fields); !secretForm.MatchString(first.body) {
		t.Fatalf("no key is shown:\n%s", first.text())
	}
	fields.Set("name", "Typed over after going back")
	again := sarah.post(t, developer, fields)
	id := h.keys(t, h.sarah)[0].ID
	if again.status != http.StatusSeeOther || again.location != keyAt(id, "") {
		t.Fatalf("the form sent again answers %d and leads to %q", again.status, again.location)
	}
	page := sarah.get(t, again.location)
	wantText(t, page, "Zapier Integration exists already", "cannot be shown again")
	if secretForm.MatchString(page.body) {
		t.Error("the key is shown a second time")
	}
	if n := len(h.keys(t, h.sarah)); n != 1 {
		t.Errorf("there are %d keys, want 1", n)
	}

	// The record of a form is kept for a day; an older form is refused, not carried out.
	h.forward(25 * time.Hour)
	if late := sarah.post(t, developer, fields); late.status != http.StatusBadRequest {
		t.Errorf("a form of yesterday answers %d", late.status)
	}
	fields.Set("once", "made up")
	if forged := sarah.post(t, developer, fields); forged.status != http.StatusBadRequest {
		t.Errorf("a form with a made-up token answers %d", forged.status)
	}
	if n := len(h.keys(t, h.sarah)); n != 1 {
		t.Errorf("there are %d keys afterwards, want 1", n)
	}
}

func TestBadKeyFormKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	tomorrow := h.now().UTC().AddDate(0, 0, 1).Format(time.DateOnly)
	for _, c := range []struct {
		name   string
		change func(url.Values)
		says   string
		keeps  string
	}{
		{"no name", func(f url.Values) { f.Set("name", "  ") }, "This must not be empty.", "What it is for"},
		{"a long name", func(f url.Values) { f.Set("name", strings.Repeat("é", 101)) }, "This must have at most 100 characters; it has 101.", strings.Repeat("é", 101)},
		{"a control character", func(f url.Values) { f.Set("name", "bell\a") }, "control character", "What it is for"},
		{"a long description", func(f url.Values) { f.Set("description", strings.Repeat("x", 501)) }, "This must have at most 500 characters", "CI Pipeline"},
		{"no scope", func(f url.Values) { f.Del("scopes") }, "Choose at least one scope.", "CI Pipeline"},
		{"an unknown scope", func(f url.Values) { f.Set("scopes", "root") }, "one or more of read, write, admin", "CI Pipeline"},
		{"admin for a member", func(f url.Values) { f["scopes"] = []string{"read", "admin"} }, "only a user with the role admin can hold", "CI Pipeline"},
		{"no choice of expiry", func(f url.Values) { f.Del("expiry") }, "Choose when the key expires.", "CI Pipeline"},
		{"as it is, of a new key", func(f url.Values) { f.Set("expiry", "keep") }, "Choose when the key expires.", "CI Pipeline"},
		{"no date", func(f url.Values) { f.Set("expiry", "date") }, "Fill in a date", "CI Pipeline"},
		{"not a date", func(f url.Values) { f.Set("expiry", "date"); f.Set("date", "soon") }, "Fill in a date", "soon"},
		{"a day that is over", func(f url.Values) { f.Set("expiry", "date"); f.Set("date", "2020-01-31") }, "This day is over.", "2020-01-31"},
		{"a date that is not chosen", func(f url.Values) { f.Set("date", tomorrow) }, "A date is filled in, but not chosen.", tomorrow},
	} {
		fields := fill("CI Pipeline", "read")
		fields.Set("description", "What it is for")
		c.change(fields)
		got := sarah.createKey(t, fields)
		if got.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: the answer is %d", c.name, got.status)
			continue
		}
		wantText(t, got, c.says)
		if !strings.Contains(got.body, c.keeps) {
			t.Errorf("%s: what was typed is gone:\n%s", c.name, got.body)
		}
	}
	if n := len(h.keys(t, h.sarah)); n != 0 {
		t.Errorf("%d keys were made", n)
	}

	// The form that was refused can be put right and sent.
	form := sarah.createKey(t, fill("", "read"))
	if made := sarah.post(t, developer, withHidden(form, fill("CI Pipeline", "read"))); !secretForm.MatchString(made.body) {
		t.Errorf("the form put right makes no key:\n%s", made.text())
	}
}

func TestAllProblemsOfAKeyAreSaidAtOnce(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	got := h.signIn(t, h.sarah).createKey(t, url.Values{"expiry": {"date"}, "description": {strings.Repeat("x", 501)}})
	wantStatus(t, got, http.StatusUnprocessableEntity)
	wantText(t, got, "This must not be empty.", "at most 500", "Choose at least one scope.", "Fill in a date")
}

func TestExpiryPresetsEndWhenTheySay(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	today := h.now().UTC().Truncate(24 * time.Hour)
	for _, c := range []struct {
		choice, date string
		want         func(made time.Time) time.Time
	}{
		{"never", "", func(time.Time) time.Time { return time.Time{} }},
		{"7d", "", func(made time.Time) time.Time { return made.AddDate(0, 0, 7) }},
		{"30d", "", func(made time.Time) time.Time { return made.AddDate(0, 0, 30) }},
		{"90d", "", func(made time.Time) time.Time { return made.AddDate(0, 0, 90) }},
		{"1y", "", func(made time.Time) time.Time { return made.AddDate(1, 0, 0) }},
		{"date", today.Format(time.DateOnly), func(time.Time) time.Time { return today.AddDate(0, 0, 1) }},
		{"date", "2999-12-31", func(time.Time) time.Time { return time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC) }},
	} {
		fields := fill("expires "+c.choice, "read")
		fields.Set("expiry", c.choice)
		fields.Set("date", c.date)
		wantStatus(t, sarah.createKey(t, fields), http.StatusOK)
		k := h.keys(t, h.sarah)[0]
		if want := c.want(k.CreatedAt); k.ExpiresAt.Sub(want).Abs() > time.Minute {
			t.Errorf("%s %s: the key ends at %s, want %s", c.choice, c.date, k.ExpiresAt, want)
		}
	}
	wantText(t, sarah.get(t, keyAt(h.keys(t, h.sarah)[0].ID, "")), "At the end of 31 Dec 2999 (UTC)")
}

func TestAdminScopeIsOfferedToAdminsOnly(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	if form := h.signIn(t, h.sarah).get(t, developer+"/new"); strings.Contains(form.body, `value="admin"`) {
		t.Error("a member is offered the scope admin")
	}
	boss := h.signIn(t, h.admin)
	if form := boss.get(t, developer+"/new"); !strings.Contains(form.body, `value="admin"`) {
		t.Error("an admin is not offered the scope admin")
	}
	if form := boss.get(t, developer+"/new?user=sarah"); strings.Contains(form.body, `value="admin"`) {
		t.Error("a member's key is offered the scope admin")
	}
}

func TestWriteOnlyKeyGetsACommandThatWorks(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	made := h.signIn(t, h.sarah).createKey(t, fill("Zapier", "write"))
	wantText(t, made, "this key cannot read", `-d '{"title":"My first stepsy"}'`)
}

func TestNoSecretIsStored(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, false)
	sarah := h.signIn(t, h.sarah)
	key := secretForm.FindString(sarah.createKey(t, fill("CI Pipeline", "read")).body)
	k := h.keys(t, h.sarah)[0]
	rotated := sarah.submit(t, keyAt(k.ID, "/rotate"), keyAt(k.ID, "/rotate"), url.Values{"grace": {"0"}})
	secrets := []string{key, secretForm.FindString(rotated.body)}
	_, db := h.Store().Pools()
	for _, query := range []string{
		`select result from idempotency_records`, `select detail from activity`, `select name || description || hint from api_keys`,
	} {
		rows, err := db.QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(secrets, func(s string) bool { return s == "" || strings.Contains(text, s[3:]) }) {
				t.Errorf("%s holds a key", query)
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
