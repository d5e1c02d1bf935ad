package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/server"
)

// TestAStepsyIsWrittenAsTheContractShowsIt compares whole answers, byte by byte,
// with the contract's sample.
func TestAStepsyIsWrittenAsTheContractShowsIt(t *testing.T) {
	onEachEngine(t, func(t *testing.T, in *installation) {
		w := in.world(t)
		w.set("author", w.user("sarahchen", false))
		name := "Sarah Chen"
		w.change("author", stepsies.UserChange{DisplayName: &name})
		a := in.ask("POST", "/v1/stepsies", `{"title":"Email Welcome Sequence Blueprint","slug":"email-welcome-sequence",
			"description":"Create a 5-email welcome sequence that converts.","category":"marketing",
			"steps":[{"title":"Define Your Sequence Goal","content":"<p>Before writing a single email...</p>"}]}`, w.bearer("key"))
		if a.status != 201 {
			t.Fatal(a.status, a.body)
		}
		w.set("draft", at(t, a.body, "id"))
		w.count("draft")
		w.moveClock(30 * time.Minute)
		if a = in.ask("POST", w.fill("/v1/stepsies/{draft}/publish"), "", w.bearer("key")); a.status != 200 {
			t.Fatal(a.status, a.body)
		}
		head := `{"id":{draft},"slug":"email-welcome-sequence","title":"Email Welcome Sequence Blueprint",` +
			`"description":"Create a 5-email welcome sequence that converts.","category":"marketing","status":"published",` +
			`"published_at":"2026-03-14T15:39:26Z","featured":false,"featured_at":null,"views_count":150,"completions_count":42,` +
			`"average_rating":4.5,"url":"` + publicURL + `/@sarahchen/email-welcome-sequence",` +
			`"user":{"username":"sarahchen","display_name":"Sarah Chen"},`
		stepsText := `"steps":[{"id":1,"position":1,"title":"Define Your Sequence Goal","content":"<p>Before writing a single email...</p>"}],`
		tail := `"steps_count":1,"created_at":"2026-03-14T15:09:26Z","updated_at":"2026-03-14T15:39:26Z"}`
		page := func(items string) string {
			return `{"data":[` + items + `],"meta":{"limit":20,"has_more":false,"next_cursor":null}}`
		}
		for path, want := range map[string]string{
			"/v1/stepsies/{draft}":        head + stepsText + tail,
			"/v1/stepsies":                page(head + tail),
			"/v1/stepsies?include=steps":  page(head + stepsText + tail),
			"/v1/stepsies?status=draft":   page(""),
			"/api/v1/stepsies?q=sequence": page(head + tail),
		} {
			a := in.ask("GET", w.fill(path), "", w.bearer("key"))
			if want := w.fill(want); a.status != 200 || a.body != want {
				t.Errorf("GET %s: %d\n%s\nwant\n%s", path, a.status, a.body, want)
			}
		}
	})
}

// TestAverageRatingsHaveOneDecimal rates stepsies and reads what becomes of it.
func TestAverageRatingsHaveOneDecimal(t *testing.T) {
	in := open(t, "")
	for _, c := range []struct {
		ratings, stars int64
		want           string
	}{{0, 0, "null"}, {1, 5, "5"}, {2, 9, "4.5"}, {3, 10, "3.3"}, {3, 14, "4.7"}, {1, 1, "1"}} {
		w := in.world(t)
		w.rate("draft", c.ratings, c.stars)
		if body := w.read("/v1/stepsies/{draft}"); !strings.Contains(body, `"average_rating":`+c.want+`,`) {
			t.Errorf("%d stars in %d ratings: %s", c.stars, c.ratings, body)
		}
	}
}

// TestTextIsNotEscapedForHTML reads back every character that JSON writers like to
// escape.
func TestTextIsNotEscapedForHTML(t *testing.T) {
	onEachEngine(t, func(t *testing.T, in *installation) {
		w := in.world(t)
		a := in.ask("POST", "/v1/stepsies", `{"title":"<a> & 'b' \"c\" \\ / é 🦊","description":"\t\r\n"}`, w.bearer("key"))
		if want := `"title":"<a> & 'b' \"c\" \\ / é 🦊","description":"\t\r\n"`; a.status != 201 || !strings.Contains(a.body, want) {
			t.Errorf("%d %s\nwant %s", a.status, a.body, want)
		}
		a = in.ask("POST", "/v1/stepsies", `{"title":"<","slug":"<&>"}`, w.bearer("key"))
		if a.status != 422 || strings.Contains(a.body, `\u00`) {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
}

// TestAKeyIsWrittenAsTheContractShowsIt follows a key through its life, with what
// is known of its use.
func TestAKeyIsWrittenAsTheContractShowsIt(t *testing.T) {
	onEachEngine(t, func(t *testing.T, in *installation) {
		w := in.world(t)
		a := in.ask("POST", "/v1/api-keys", `{"name":"CI Pipeline","description":"Publishes","scopes":["read","write"],"expires_at":"2026-03-18T00:00:00Z","user_id":"`+w.get("author")+`"}`, w.bearer("admin"))
		if a.status != 201 {
			t.Fatal(a.status, a.body)
		}
		secret := at(t, a.body, "key").(string)
		w.set("made", at(t, a.body, "id"))
		w.set("hint", secret[:7]+"…"+secret[47:])
		object := func(status, used, ip, revoked, refusals, refused, reason string) string {
			return fmt.Sprintf(`{"id":{made},"name":"CI Pipeline","description":"Publishes","scopes":["read","write"],"hint":"{hint}","status":%q,`+
				`"created_at":"2026-03-14T15:09:26Z","last_used_at":%s,"last_used_ip":%s,"expires_at":"2026-03-18T00:00:00Z","revoked_at":%s,`+
				`"user_id":"{author}","refused_count":%s,"last_refused_at":%s,"revoked_reason":%s,"leak_source_url":null`,
				status, used, ip, revoked, refusals, refused, reason)
		}
		fresh := object("expiring", "null", "null", "null", "0", "null", "null")
		if want := w.fill(fresh) + `,"key":"` + secret + `"}`; a.body != want {
			t.Errorf("created\n%s\nwant\n%s", a.body, want)
		}
		see := func(want string) {
			t.Helper()
			if got := w.read("/v1/api-keys/{made}"); got != w.fill(want)+"}" {
				t.Errorf("\n%s\nwant\n%s}", got, w.fill(want))
			}
		}
		see(fresh)
		in.use(t, secret)
		in.restart(t)
		see(object("expiring", `"2026-03-14T15:09:26Z"`, `"192.0.2.1"`, "null", "0", "null", "null"))
		if a := in.ask("POST", w.fill("/v1/api-keys/{made}/revoke"), "", w.bearer("admin")); a.status != 200 {
			t.Fatal(a.status, a.body)
		}
		w.moveClock(time.Minute)
		in.use(t, secret)
		in.use(t, secret)
		in.restart(t)
		see(object("revoked", `"2026-03-14T15:09:26Z"`, `"192.0.2.1"`, `"2026-03-14T15:09:26Z"`, "2", `"2026-03-14T15:10:26Z"`, `"revoked"`))
	})
}

// use asks with a key, whatever comes of it. The address is that of
// net/http/httptest's requests.
func (in *installation) use(tb testing.TB, secret string) {
	tb.Helper()
	if a := in.ask("GET", "/v1/stepsies", "", "Authorization: Bearer "+secret); a.status != 200 && a.status != 401 {
		tb.Fatal(a.status, a.body)
	}
}

// TestAProfileShowsItsLimitsAndItsKey compares the whole of GET /v1/me on an
// installation with limits.
func TestAProfileShowsItsLimitsAndItsKey(t *testing.T) {
	onEachEngine(t, func(t *testing.T, limited *installation) {
		in := limited.again(t, func(c *server.Config) { c.RateLimits = true })
		w := in.world(t)
		expires := begin.Add(240 * time.Hour)
		id, secret := w.newKey("author", stepsies.KeyChange{Name: new("CI"), ExpiresAt: &expires}, "read", "write")
		w.set("hint", secret[:7]+"…"+secret[47:])
		me := func() answer { return in.ask("GET", "/v1/me", "", "Authorization: Bearer "+secret) }
		me()
		a := me()
		want := w.fill(`{"username":"{author}","display_name":"Name of {author}","email":"{author}@example.com","bio":"","role":"member","plan":"pro","created_at":"2026-03-14T15:09:26Z",`+
			`"limits":{"minute":{"limit":300,"remaining":298,"reset":1773500999},"hour":{"limit":10000,"remaining":9998,"reset":1773504000},"month":{"limit":50000,"remaining":49998,"reset":1775001600}},`) +
			fmt.Sprintf(`"key":{"id":%d,"name":"CI","scopes":["read","write"],"hint":"%s","expires_at":"2026-03-24T15:09:26Z"}}`, id, w.get("hint"))
		want = strings.Replace(want, "1773500999", fmt.Sprint(begin.Truncate(time.Minute).Add(time.Minute).Unix()), 1)
		if a.status != 200 || a.body != want {
			t.Errorf("%d\n%s\nwant\n%s", a.status, a.body, want)
		}

		plan, own := "enterprise", stepsies.Limits{Hour: 7}
		w.changeAccount("author", stepsies.AccountChange{Plan: &plan, Limits: &own})
		if a := me(); !strings.Contains(a.body, `"limits":{"minute":null,"hour":{"limit":7,"remaining":4,"reset":1773504000},"month":null}`) || a.header.Get("X-RateLimit-Limit") != "" {
			t.Errorf("with limits of its own: %v %s", a.header, a.body)
		}
	})
}
