package api_test

import (
	"regexp"
	"strings"
	"time"
)

// works and fails ask with a key that stands in the world or in an answer.
func (w *world) works(secret string) bool {
	w.tb.Helper()
	a := w.in.ask("GET", "/v1/stepsies", "", "Authorization: Bearer "+secret)
	if a.status == 403 { // a key without read is alive as well
		return true
	}
	if a.status != 200 && a.status != 401 {
		w.tb.Fatalf("GET /v1/stepsies: %d %s", a.status, a.body)
	}
	return a.status == 200
}

// newKeyWorks checks the one answer that holds a key.
func newKeyWorks(w *world, a answer) {
	secret := at(w.tb, a.body, "key").(string)
	if !regexp.MustCompile(`^sk_[0-9a-f]{48}$`).MatchString(secret) {
		w.tb.Error("the key does not have the form of one")
	}
	if !w.works(secret) {
		w.tb.Error("the new key does not work")
	}
	if hint := secret[:7] + "…" + secret[47:]; at(w.tb, a.body, "hint") != hint {
		w.tb.Errorf("hint %s", at(w.tb, a.body, "hint"))
	}
	again := w.in.ask("GET", strings.TrimPrefix(a.header.Get("Location"), publicURL), "", w.bearer("admin"))
	if again.status != 200 || strings.Contains(again.body, secret) || strings.Contains(again.body, `"key"`) {
		w.tb.Errorf("read again: %d, and the key must not be there", again.status)
	}
}

func (w *world) spareIs(status string) {
	w.tb.Helper()
	if got := at(w.tb, w.read("/v1/api-keys/{spare}"), "status"); got != status {
		w.tb.Errorf("the key is %s, want %s", got, status)
	}
}

func revokeSpare(w *world) {
	if a := w.in.ask("POST", w.fill("/v1/api-keys/{spare}/revoke"), "", w.bearer("admin")); a.status != 200 {
		w.tb.Fatalf("revoke: %d %s", a.status, a.body)
	}
}

// keyScenarios are about making, reading and listing API keys, and leak reports.
var keyScenarios = []scenario{
	{name: "create a key", as: "admin", request: "POST /v1/api-keys", body: `{"name":" CI Pipeline ","description":"Publishes\nthe handbook","scopes":["write","read","read"],"expires_at":"2027-01-31T12:00:00.999+02:00"}`, status: 201,
		want: []string{`"name":"CI Pipeline","description":"Publishes\nthe handbook","scopes":["read","write"],"hint":"sk_`, `"status":"active","created_at":"2026-03-14T15:09:26Z","last_used_at":null,"last_used_ip":null,"expires_at":"2027-01-31T10:00:00Z","revoked_at":null`,
			`"user_id":"{boss}"`, `"refused_count":0,"last_refused_at":null,"revoked_reason":null,"leak_source_url":null`},
		headers: []string{"Cache-Control: no-store", "Location: *"}, then: newKeyWorks},
	{name: "create a key for another", as: "admin", request: "POST /v1/api-keys", body: `{"name":"x","scopes":["read"],"user_id":"{other}"}`, status: 201, want: []string{`"user_id":"{other}"`, `"expires_at":null`}, then: newKeyWorks},
	{name: "create an admin key for an admin", as: "admin", request: "POST /v1/api-keys", body: `{"name":"x","scopes":["admin"]}`, status: 201, want: []string{`"scopes":["admin"]`}, then: newKeyWorks},
	{name: "create a key for nobody", as: "admin", request: "POST /v1/api-keys", body: `{"name":"x","scopes":["read"],"user_id":"nobody-at-all"}`, status: 404, code: "not_found"},
	{name: "a key that expires soon", as: "admin", request: "POST /v1/api-keys", body: `{"name":"x","scopes":["read"],"expires_at":"2026-03-21T15:09:26Z"}`, status: 201, want: []string{`"status":"expiring"`}},
	{name: "a key that expires a little later", as: "admin", request: "POST /v1/api-keys", body: `{"name":"x","scopes":["read"],"expires_at":"2026-03-21T15:09:27Z"}`, status: 201, want: []string{`"status":"active"`}},
	{name: "a key that has expired before it is made", as: "admin", request: "POST /v1/api-keys", body: `{"name":"x","scopes":["read"],"expires_at":"2026-03-14T15:09:26Z"}`, status: 422, fields: []string{"expires_at"}},
	{name: "an expiry cut down to this very second", as: "admin", request: "POST /v1/api-keys", body: `{"name":"x","scopes":["read"],"expires_at":"2026-03-14T15:09:26.9Z"}`, status: 422, fields: []string{"expires_at"}},
	{name: "an expiry in small letters", as: "admin", request: "POST /v1/api-keys", body: `{"name":"x","scopes":["read"],"expires_at":"2030-01-31t12:00:00.5z"}`, status: 201, want: []string{`"expires_at":"2030-01-31T12:00:00Z"`}},
	{name: "an expiry of a zone in small letters", as: "admin", request: "POST /v1/api-keys", body: `{"name":"x","scopes":["read"],"expires_at":"2030-01-31t12:00:00+02:00"}`, status: 201, want: []string{`"expires_at":"2030-01-31T10:00:00Z"`}},
	{name: "an expiry that is no time", as: "admin", request: "POST /v1/api-keys", body: `{"name":"x","scopes":["read"],"expires_at":"tomorrow"}`, status: 422, fields: []string{"expires_at"}},
	{name: "an expiry without a zone", as: "admin", request: "POST /v1/api-keys", body: `{"name":"x","scopes":["read"],"expires_at":"2030-01-31T12:00:00"}`, status: 422, fields: []string{"expires_at"}},
	{name: "an empty expiry", as: "admin", request: "POST /v1/api-keys", body: `{"name":"x","scopes":["read"],"expires_at":""}`, status: 422, fields: []string{"expires_at"}},
	{name: "an expiry beyond the year 9999", as: "admin", request: "POST /v1/api-keys", body: `{"name":"x","scopes":["read"],"expires_at":"9999-12-31T23:59:59-12:00"}`, status: 422, fields: []string{"expires_at"}},
	{name: "the last expiry of all", as: "admin", request: "POST /v1/api-keys", body: `{"name":"x","scopes":["read"],"expires_at":"9999-12-31T23:59:59Z"}`, status: 201, want: []string{`"expires_at":"9999-12-31T23:59:59Z"`}},
	{name: "a key without anything", as: "admin", request: "POST /v1/api-keys", body: `{}`, status: 422, fields: []string{"name", "scopes"}},
	{name: "a key without scopes", as: "admin", request: "POST /v1/api-keys", body: `{"name":"x","scopes":[]}`, status: 422, fields: []string{"scopes"}},
	{name: "a scope that is none", as: "admin", request: "POST /v1/api-keys", body: `{"name":"x","scopes":["read","root"]}`, status: 422, fields: []string{"scopes[1]"}},
	{name: "a scope in capitals", as: "admin", request: "POST /v1/api-keys", body: `{"name":"x","scopes":["READ"]}`, status: 422, fields: []string{"scopes[0]"}},
	{name: "scopes in one text", as: "admin", request: "POST /v1/api-keys", body: `{"name":"x","scopes":"read write"}`, status: 422, fields: []string{"scopes"}},
	{name: "a name of 100 characters", as: "admin", request: "POST /v1/api-keys", body: `{"name":"` + strings.Repeat("ö", 100) + `","scopes":["read"]}`, status: 201},
	{name: "a name of 101 characters", as: "admin", request: "POST /v1/api-keys", body: `{"name":"` + strings.Repeat("ö", 101) + `","scopes":["read"]}`, status: 422, fields: []string{"name"}},
	{name: "an empty name", as: "admin", request: "POST /v1/api-keys", body: `{"name":"  ","scopes":["read"]}`, status: 422, fields: []string{"name"}},
	{name: "a description of 500 characters", as: "admin", request: "POST /v1/api-keys", body: `{"name":"x","description":"` + strings.Repeat("ö", 500) + `","scopes":["read"]}`, status: 201},
	{name: "a description of 501 characters", as: "admin", request: "POST /v1/api-keys", body: `{"name":"x","description":"` + strings.Repeat("ö", 501) + `","scopes":["read"]}`, status: 422, fields: []string{"description"}},
	{name: "a secret of one's own choice", as: "admin", request: "POST /v1/api-keys", body: `{"name":"x","scopes":["read"],"key":"sk_mine"}`, status: 422, fields: []string{"key"}},
	{name: "all that is wrong with a key", as: "admin", request: "POST /v1/api-keys", body: `{"name":"\u0000","description":"\u0000","scopes":["none"],"expires_at":"never","status":"active","hint":1}`, status: 422,
		fields: []string{"name", "description", "scopes[0]", "expires_at", "status", "hint"}, not: []string{"publish"}},
	{name: "a key that is broken JSON", as: "admin", request: "POST /v1/api-keys", body: `{"name":`, status: 400, code: "bad_request"},
	{name: "a key that is too large", as: "admin", request: "POST /v1/api-keys", body: padded(`{}`, twoMiB+1), status: 413, code: "payload_too_large"},
	{name: "a key in a form", as: "admin", request: "POST /v1/api-keys", header: []string{"Content-Type: text/plain"}, body: "x", status: 415, code: "unsupported_media_type"},

	{name: "read a key", as: "admin", request: "GET /v1/api-keys/{spare}", status: 200, want: []string{`"id":{spare},"name":"Spare"`, `"user_id":"{author}"`}, not: []string{"{spare_secret}", `"key"`}, headers: []string{"Cache-Control: private, no-cache"}, repeats: true},
	{name: "a key of the author's for its owner", as: "key", request: "GET /v1/api-keys/{spare}", status: 403, code: "forbidden"},
	{name: "list everyone's keys", as: "admin", given: func(w *world) { w.get("spare"); w.get("other_key") }, request: "GET /v1/api-keys?limit=3", status: 200, want: []string{`"user_id":"{author}"`, `"user_id":"{other}"`, `"user_id":"{boss}"`}, not: []string{`"key"`}},
	{name: "list someone's keys", as: "admin", given: func(w *world) { w.get("spare"); w.get("reader"); w.get("other_key"); revokeSpare(w) }, request: "GET /v1/api-keys?user_id={author}", status: 200,
		want: []string{`{"data":[{"id":{reader_id},`, `{"id":{spare},`, `"status":"revoked"`, `"meta":{"limit":20,"has_more":false,"next_cursor":null}}`}, not: []string{"{other}", "{boss}"}},
	{name: "an id of a key that is no number", as: "admin", request: "POST /v1/api-keys/first/revoke", status: 404, exact: `{"error":{"code":"not_found","message":"There is no such API key, or it is not yours."}}`},
	{name: "a user that is none", as: "admin", request: "GET /v1/users/nobody-at-all", status: 404, exact: `{"error":{"code":"not_found","message":"There is no such user."}}`},
	{name: "list nobody's keys", as: "admin", request: "GET /v1/api-keys?user_id=nobody-at-all", status: 404, code: "not_found"},
	{name: "keys with an unknown parameter", as: "admin", request: "GET /v1/api-keys?status=revoked", status: 400, code: "bad_request"},
	{name: "keys with an empty owner", as: "admin", request: "GET /v1/api-keys?user_id=", status: 400, code: "bad_request"},
	{name: "keys over the limit", as: "admin", request: "GET /v1/api-keys?limit=101", status: 400, code: "bad_request"},
	{name: "a key with an unknown parameter", as: "admin", request: "GET /v1/api-keys/{spare}?reveal=1", status: 400, code: "bad_request"},

	{name: "report a leaked key", request: "POST /v1/leaked-keys", body: `{"keys":["{spare_secret}","sk_not_a_key"],"source_url":"https://user:password@example.com/config.js?key={spare_secret}"}`, status: 202, exact: `{"received":2}`,
		then: func(w *world, _ answer) {
			if w.works(w.get("spare_secret")) {
				w.tb.Error("a reported key works")
			}
			body := w.read("/v1/api-keys/{spare}")
			for _, text := range []string{`"status":"revoked"`, `"revoked_at":"2026-03-14T15:09:26Z"`, `"revoked_reason":"leaked","leak_source_url":"https://example.com/config.js?key=redacted"`} {
				if !strings.Contains(body, text) {
					w.tb.Errorf("no %s in %s", text, body)
				}
			}
		}},
	{name: "report a key that does not exist", request: "POST /v1/leaked-keys", body: `{"keys":["sk_` + strings.Repeat("0", 48) + `"]}`, status: 202, exact: `{"received":1}`},
	{name: "report a key that was revoked before", given: revokeSpare, request: "POST /v1/leaked-keys", body: `{"keys":["{spare_secret}"]}`, status: 202, exact: `{"received":1}`,
		then: func(w *world, _ answer) {
			if got := at(w.tb, w.read("/v1/api-keys/{spare}"), "revoked_reason"); got != "revoked" {
				w.tb.Errorf("reason %s", got)
			}
		}},
	{name: "report with a key is as good", as: "reader", request: "POST /v1/leaked-keys", body: `{"keys":["x"]}`, status: 202, exact: `{"received":1}`, headers: []string{"X-RateLimit-Limit:"}},
	{name: "report 100 keys", request: "POST /v1/leaked-keys", body: `{"keys":[` + strings.Repeat(`"x",`, 99) + `"{spare_secret}"]}`, status: 202, exact: `{"received":100}`, then: func(w *world, _ answer) { w.spareIs("revoked") }},
	{name: "report 101 keys", request: "POST /v1/leaked-keys", body: `{"keys":[` + strings.Repeat(`"x",`, 100) + `"{spare_secret}"]}`, status: 422, fields: []string{"keys"}, then: func(w *world, _ answer) { w.spareIs("active") }},
	{name: "report no keys", request: "POST /v1/leaked-keys", body: `{"keys":[]}`, status: 422, fields: []string{"keys"}},
	{name: "report nothing", request: "POST /v1/leaked-keys", body: `{}`, status: 422, fields: []string{"keys"}},
	{name: "report a number", request: "POST /v1/leaked-keys", body: `{"keys":[7]}`, status: 422, fields: []string{"keys[0]"}},
	{name: "report with a script as its source", request: "POST /v1/leaked-keys", body: `{"keys":["{spare_secret}"],"source_url":"javascript:alert(1)"}`, status: 422, fields: []string{"source_url"}, then: func(w *world, _ answer) { w.spareIs("active") }},
	{name: "report with a source too long", request: "POST /v1/leaked-keys", body: `{"keys":["x"],"source_url":"https://example.com/` + strings.Repeat("a", 2000) + `"}`, status: 422, fields: []string{"source_url"}},
	{name: "report with null for a source", request: "POST /v1/leaked-keys", body: `{"keys":["x"],"source_url":null}`, status: 202},
	{name: "report with an unknown field", request: "POST /v1/leaked-keys", body: `{"keys":["x"],"reward":1}`, status: 422, fields: []string{"reward"}},
	{name: "report with an unknown parameter", request: "POST /v1/leaked-keys?keys=x", body: `{"keys":["x"]}`, status: 400, code: "bad_request"},
	{name: "report broken JSON", request: "POST /v1/leaked-keys", body: `{"keys":`, status: 400, code: "bad_request"},
	{name: "report too much", request: "POST /v1/leaked-keys", body: padded(`{"keys":["x"]}`, twoMiB+1), status: 413, code: "payload_too_large"},
	{name: "report in a form", request: "POST /v1/leaked-keys", header: []string{"Content-Type: text/plain"}, body: "x", status: 415, code: "unsupported_media_type"},
	{name: "reports are not read", request: "GET /v1/leaked-keys", status: 405, code: "method_not_allowed", headers: []string{"Allow: POST"}},
	{name: "report outside of the base path", request: "POST /leaked-keys", body: `{"keys":["{spare_secret}"]}`, status: 202, exact: `{"received":1}`,
		headers: []string{"X-RateLimit-Limit:", "WWW-Authenticate:"}, then: func(w *world, _ answer) { w.spareIs("revoked") }},
	{name: "reports outside of the base path are not read", request: "GET /leaked-keys", status: 405, code: "method_not_allowed", headers: []string{"Allow: POST"}},
}

// endAt gives the spare key an expiry.
func endAt(text string) func(w *world) {
	return func(w *world) {
		if a := w.in.ask("PATCH", w.fill("/v1/api-keys/{spare}"), `{"expires_at":"`+text+`"}`, w.bearer("admin")); a.status != 200 {
			w.tb.Fatalf("PATCH: %d %s", a.status, a.body)
		}
	}
}

// changeKeyScenarios are about editing, revoking and rotating keys.
var changeKeyScenarios = []scenario{
	{name: "edit a key", as: "admin", request: "PATCH /v1/api-keys/{spare}", body: `{"name":" New ","description":"Text","scopes":["write"],"expires_at":"2030-01-01T00:00:00Z"}`, status: 200,
		want: []string{`"name":"New","description":"Text","scopes":["write"]`, `"expires_at":"2030-01-01T00:00:00Z"`}, not: []string{`"key"`},
		then: func(w *world, _ answer) {
			if a := w.in.ask("GET", "/v1/stepsies", "", w.bearer("spare_secret")); a.status != 403 {
				w.tb.Errorf("a scope that was taken away still works: %d", a.status)
			}
		}},
	{name: "an empty edit", as: "admin", request: "PATCH /v1/api-keys/{spare}", body: `{}`, status: 200, want: []string{`"name":"Spare","description":"","scopes":["read"]`}},
	{name: "nulls in an edit", as: "admin", given: endAt("2030-01-01T00:00:00Z"), request: "PATCH /v1/api-keys/{spare}", body: `{"description":null,"expires_at":null}`, status: 200, want: []string{`"description":""`, `"expires_at":null`}},
	{name: "null for the name of a key", as: "admin", request: "PATCH /v1/api-keys/{spare}", body: `{"name":null}`, status: 422, fields: []string{"name"}},
	{name: "null for the scopes of a key", as: "admin", request: "PATCH /v1/api-keys/{spare}", body: `{"scopes":null}`, status: 422, fields: []string{"scopes"}},
	{name: "no scopes in an edit", as: "admin", request: "PATCH /v1/api-keys/{spare}", body: `{"scopes":[]}`, status: 422, fields: []string{"scopes"}, then: func(w *world, _ answer) { w.spareIs("active") }},
	{name: "an expiry in the past ends a key", as: "admin", request: "PATCH /v1/api-keys/{spare}", body: `{"expires_at":"2026-03-14T15:09:26Z"}`, status: 200, want: []string{`"status":"expired"`},
		then: func(w *world, _ answer) {
			if w.works(w.get("spare_secret")) {
				w.tb.Error("an expired key works")
			}
		}},
	{name: "an expiry in the future brings an expired key back", as: "admin", given: endAt("2026-01-01T00:00:00Z"), request: "PATCH /v1/api-keys/{spare}", body: `{"expires_at":"2030-01-01T00:00:00Z"}`, status: 200, want: []string{`"status":"active"`},
		then: func(w *world, _ answer) {
			if !w.works(w.get("spare_secret")) {
				w.tb.Error("the key does not work")
			}
		}},
	{name: "a revoked key is not edited", as: "admin", given: revokeSpare, request: "PATCH /v1/api-keys/{spare}", body: `{"expires_at":"2030-01-01T00:00:00Z"}`, status: 409, code: "conflict", then: func(w *world, _ answer) { w.spareIs("revoked") }},
	{name: "a revoked key is not edited by an empty edit either", as: "admin", given: revokeSpare, request: "PATCH /v1/api-keys/{spare}", body: `{}`, status: 409, code: "conflict"},
	{name: "what is read-only of a key", as: "admin", request: "PATCH /v1/api-keys/{spare}", body: `{"id":1,"key":"sk_x","hint":"x","status":"active","created_at":"2020-01-01T00:00:00Z","last_used_at":null,"last_used_ip":null,"revoked_at":null,"user_id":"{boss}"}`, status: 422,
		fields: []string{"id", "key", "hint", "status", "created_at", "last_used_at", "last_used_ip", "revoked_at", "user_id"}, not: []string{"publish"}},
	{name: "a name too long in an edit", as: "admin", request: "PATCH /v1/api-keys/{spare}", body: `{"name":"` + strings.Repeat("x", 101) + `","description":"` + strings.Repeat("x", 501) + `"}`, status: 422, fields: []string{"name", "description"}},
	{name: "edit a key without a body", as: "admin", request: "PATCH /v1/api-keys/{spare}", status: 400, code: "bad_request"},
	{name: "edit a key by too much", as: "admin", request: "PATCH /v1/api-keys/{spare}", body: padded(`{}`, twoMiB+1), status: 413, code: "payload_too_large"},
	{name: "edit a key by a form", as: "admin", request: "PATCH /v1/api-keys/{spare}", header: []string{"Content-Type: text/plain"}, body: "x", status: 415, code: "unsupported_media_type"},

	{name: "revoke a key", as: "admin", request: "POST /v1/api-keys/{spare}/revoke", status: 200, want: []string{`"status":"revoked"`, `"revoked_at":"2026-03-14T15:09:26Z"`, `"revoked_reason":"revoked"`},
		then: func(w *world, _ answer) {
			if w.works(w.get("spare_secret")) {
				w.tb.Error("a revoked key works")
			}
		}},
	{name: "revoke a key twice", as: "admin", given: func(w *world) { w.get("admin"); revokeSpare(w); w.moveClock(time.Hour) }, request: "POST /v1/api-keys/{spare}/revoke", status: 200, want: []string{`"revoked_at":"2026-03-14T15:09:26Z"`}, repeats: true},
	{name: "a key that revokes itself", as: "admin", request: "POST /v1/api-keys/{admin_id}/revoke", status: 200, want: []string{`"status":"revoked"`},
		then: func(w *world, _ answer) {
			if w.works(w.get("admin")) {
				w.tb.Error("it works on")
			}
		}},
	{name: "revoke with an unknown parameter", as: "admin", request: "POST /v1/api-keys/{spare}/revoke?now=1", status: 400, code: "bad_request", then: func(w *world, _ answer) { w.spareIs("active") }},
	{name: "revoke with a reason", as: "admin", request: "POST /v1/api-keys/{spare}/revoke", body: `{"reason":"x"}`, status: 422, fields: []string{"reason"}, then: func(w *world, _ answer) { w.spareIs("active") }},
	{name: "revoke with too much", as: "admin", request: "POST /v1/api-keys/{spare}/revoke", body: padded(`{}`, twoMiB+1), status: 413, code: "payload_too_large"},
	{name: "revoke with a form", as: "admin", request: "POST /v1/api-keys/{spare}/revoke", header: []string{"Content-Type: text/plain"}, body: "x", status: 415, code: "unsupported_media_type"},

	{name: "rotate a key", as: "admin", given: endAt("2026-04-13T15:09:26Z"), request: "POST /v1/api-keys/{spare}/rotate", status: 201,
		want:    []string{`"name":"Spare","description":"","scopes":["read"]`, `"user_id":"{author}"`, `"expires_at":"2026-04-13T15:09:26Z"`},
		headers: []string{"Cache-Control: no-store", "Location: *"},
		then: func(w *world, a answer) {
			newKeyWorks(w, a)
			if !w.works(w.get("spare_secret")) {
				w.tb.Error("the old key does not work in its grace period")
			}
			if got := at(w.tb, w.read("/v1/api-keys/{spare}"), "expires_at"); got != "2026-03-15T15:09:27Z" {
				w.tb.Errorf("the old key ends at %s", got)
			}
		}},
	{name: "rotate at once", as: "admin", request: "POST /v1/api-keys/{spare}/rotate", body: `{"grace_period_seconds":0}`, status: 201, then: func(w *world, a answer) {
		newKeyWorks(w, a)
		if w.works(w.get("spare_secret")) {
			w.tb.Error("the old key works")
		}
	}},
	{name: "rotate with the longest grace", as: "admin", request: "POST /v1/api-keys/{spare}/rotate", body: `{"grace_period_seconds":2592000}`, status: 201, then: func(w *world, _ answer) { w.spareEnds("2026-04-13T15:09:27Z") }},
	{name: "rotate with a grace in another spelling", as: "admin", request: "POST /v1/api-keys/{spare}/rotate", body: `{"grace_period_seconds":3.6e3}`, status: 201, then: func(w *world, _ answer) { w.spareEnds("2026-03-14T16:09:27Z") }},
	{name: "rotate with null for the grace", as: "admin", request: "POST /v1/api-keys/{spare}/rotate", body: `{"grace_period_seconds":null}`, status: 201, then: func(w *world, _ answer) { w.spareEnds("2026-03-15T15:09:27Z") }},
	{name: "rotate with an empty object", as: "admin", request: "POST /v1/api-keys/{spare}/rotate", body: `{}`, status: 201, then: func(w *world, _ answer) { w.spareEnds("2026-03-15T15:09:27Z") }},
	{name: "a grace never makes a key live longer", as: "admin", given: endAt("2026-03-14T15:10:00Z"), request: "POST /v1/api-keys/{spare}/rotate", status: 201, then: func(w *world, _ answer) { w.spareEnds("2026-03-14T15:10:00Z") }},
	{name: "rotate a key that has expired", as: "admin", given: endAt("2026-03-14T15:00:00Z"), request: "POST /v1/api-keys/{spare}/rotate", status: 201, then: func(w *world, a answer) {
		newKeyWorks(w, a)
		w.spareEnds("2026-03-14T15:00:00Z")
	}},
	{name: "a grace too long", as: "admin", request: "POST /v1/api-keys/{spare}/rotate", body: `{"grace_period_seconds":2592001}`, status: 422, fields: []string{"grace_period_seconds"}, want: []string{"must be at most 2592000"}, then: func(w *world, _ answer) { w.spareEnds("") }},
	{name: "a grace beyond all numbers", as: "admin", request: "POST /v1/api-keys/{spare}/rotate", body: `{"grace_period_seconds":18446744073709551617}`, status: 422, fields: []string{"grace_period_seconds"}, then: func(w *world, _ answer) { w.spareEnds("") }},
	{name: "a negative grace", as: "admin", request: "POST /v1/api-keys/{spare}/rotate", body: `{"grace_period_seconds":-1}`, status: 422, fields: []string{"grace_period_seconds"}},
	{name: "half a second of grace", as: "admin", request: "POST /v1/api-keys/{spare}/rotate", body: `{"grace_period_seconds":0.5}`, status: 422, fields: []string{"grace_period_seconds"}, then: func(w *world, _ answer) { w.spareEnds("") }},
	{name: "a grace in words", as: "admin", request: "POST /v1/api-keys/{spare}/rotate", body: `{"grace_period_seconds":"3600"}`, status: 422, fields: []string{"grace_period_seconds"}},
	{name: "rotate with other scopes", as: "admin", request: "POST /v1/api-keys/{spare}/rotate", body: `{"scopes":["admin"]}`, status: 422, fields: []string{"scopes"}},
	{name: "a revoked key is not rotated", as: "admin", given: revokeSpare, request: "POST /v1/api-keys/{spare}/rotate", status: 409, code: "conflict"},
	{name: "rotate with broken JSON", as: "admin", request: "POST /v1/api-keys/{spare}/rotate", body: `{`, status: 400, code: "bad_request", then: func(w *world, _ answer) { w.spareEnds("") }},
	{name: "rotate with too much", as: "admin", request: "POST /v1/api-keys/{spare}/rotate", body: padded(`{}`, twoMiB+1), status: 413, code: "payload_too_large"},
	{name: "rotate with a form", as: "admin", request: "POST /v1/api-keys/{spare}/rotate", header: []string{"Content-Type: text/plain"}, body: "x", status: 415, code: "unsupported_media_type"},
}

// spareEnds checks when the spare key expires, "" for never.
func (w *world) spareEnds(want string) {
	w.tb.Helper()
	got := at(w.tb, w.read("/v1/api-keys/{spare}"), "expires_at")
	if want == "" && got != nil || want != "" && got != any(want) {
		w.tb.Errorf("the key ends at %v, want %s", got, want)
	}
}
