package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/store"
)

// payloads would run, or break out of where they stand, if any page forgot to
// escape them.
var payloads = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `</title><svg onload=alert(1)>`,
	`</textarea><script>alert(1)</script>`, `javascript:alert(1)`, `&lt;script&gt;alert(1)&lt;/script&gt;`, `{{7*7}}${7*7}`, `<a href="javascript:alert(1)">x</a>`,
}

func TestKeyTextNeverBecomesMarkup(t *testing.T) {
	t.Parallel()
	h := openKeyHouse(t, true)
	sarah, boss := h.signIn(t, h.sarah), h.signIn(t, h.admin)
	for _, payload := range payloads {
		fields := fill(payload, "read")
		fields.Set("description", payload)
		pages := []shown{sarah.createKey(t, fields)}
		fields.Set("date", payload)
		pages = append(pages, sarah.createKey(t, fields))
		k := h.keys(t, h.sarah)[0]
		pages = append(pages,
			sarah.get(t, developer), boss.get(t, developer+"?user=sarah"), sarah.get(t, keyAt(k.ID, "")), boss.get(t, keyAt(k.ID, "")),
			sarah.get(t, keyAt(k.ID, "/edit")), sarah.get(t, keyAt(k.ID, "/rotate")), sarah.get(t, keyAt(k.ID, "/revoke")),
			sarah.submit(t, keyAt(k.ID, "/rotate"), keyAt(k.ID, "/rotate"), url.Values{"grace": {"3600"}}))
		sarah.post(t, keyAt(k.ID, "/revoke"), nil)
		pages = append(pages, sarah.get(t, developer), sarah.get(t, keyAt(k.ID, "")))
		for _, page := range pages {
			wantHarmless(t, page, payload)
		}
	}
	secret := stepsies.NewSecret()
	name, scopes := "leaked", []string{"read"}
	out, err := h.Store().CreateAPIKey(t.Context(), operator, "sarah", stepsies.KeyChange{Name: &name, Scopes: &scopes}, secret)
	if err != nil {
		t.Fatal(err)
	}
	source := `https://evil.example/"><script>alert(1)</script>`
	if _, err := h.Store().RevokeLeaked(t.Context(), store.Write{Actor: stepsies.Actor{Kind: stepsies.ActorAnonymous, IP: "203.0.113.9"}}, []stepsies.KeyHash{secret.Hash()}, source); err != nil {
		t.Fatal(err)
	}
	page := sarah.get(t, keyAt(out.Value.ID, ""))
	wantText(t, page, "reported it as leaked", source, "by someone who held the key")
	wantHarmless(t, page, source)
	if strings.Contains(page.body, `href="https://evil.example`) {
		t.Error("an address from a stranger is a link")
	}
}

// wantHarmless fails where the payload stands on a page as it was typed, but for
// letters that mean nothing to a browser.
func wantHarmless(t *testing.T, page shown, payload string) {
	t.Helper()
	if page.status >= 500 {
		t.Errorf("%q: the page answers %d", payload, page.status)
	}
	if strings.ContainsAny(payload, `<"'`) && strings.Contains(page.body, payload) {
		t.Errorf("%q stands on the page as it was typed", payload)
	}
	if strings.Contains(page.body, `href="javascript:`) || strings.Contains(page.body, "<script>") {
		t.Errorf("%q became markup", payload)
	}
	if csp := page.header.Get("Content-Security-Policy"); page.status == http.StatusOK && !strings.Contains(csp, "script-src 'self'") {
		t.Errorf("the policy is %q", csp)
	}
}
