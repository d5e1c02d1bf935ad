package api_test

import (
	"strings"
)

// userScenarios are about /v1/users.
var userScenarios = []scenario{
	{name: "create a user", as: "admin", given: func(w *world) { w.set("new", "new-"+strings.TrimPrefix(w.get("boss"), "boss-")) }, request: "POST /v1/users",
		body: `{"username":"{new}","email":" {new}@Example.com ","display_name":" Sarah Chen ","bio":"Line\nline","role":"admin","plan":"enterprise","limits":{"minute":1200,"hour":null}}`, status: 201,
		exact:   `{"username":"{new}","display_name":"Sarah Chen","email":"{new}@Example.com","bio":"Line\nline","role":"admin","plan":"enterprise","limits":{"minute":1200,"hour":null,"month":null},"suspended":false,"suspended_at":null,"created_at":"2026-03-14T15:09:26Z"}`,
		headers: []string{"Location: " + publicURL + "/v1/users/{new}"},
		then: func(w *world, a answer) {
			if read := w.read("/v1/users/{new}"); read != a.body {
				w.tb.Errorf("what was answered is not what is read:\n%s\n%s", a.body, read)
			}
		}},
	{name: "create a user by name and address alone", as: "admin", given: func(w *world) { w.set("new", "new-"+strings.TrimPrefix(w.get("boss"), "boss-")) }, request: "POST /v1/users",
		body: `{"username":"{new}","email":"{new}@example.com","display_name":null,"bio":null,"role":null,"plan":null,"limits":null,"suspended":null}`, status: 201,
		want: []string{`"display_name":"{new}"`, `"bio":""`, `"role":"member","plan":"free","limits":null,"suspended":false`}},
	{name: "a username of 3 characters", as: "admin", given: func(w *world) { w.set("new", "x"+base36(w.number)) }, request: "POST /v1/users", body: `{"username":"{new}","email":"{new}@example.com"}`, status: 201},
	{name: "a username of 30 characters", as: "admin", given: func(w *world) { w.set("new", (base36(w.number) + strings.Repeat("_", 30))[:30]) }, request: "POST /v1/users", body: `{"username":"{new}","email":"{new}@example.com"}`, status: 201},
	{name: "a username of 2 characters", as: "admin", request: "POST /v1/users", body: `{"username":"ab","email":"ab@example.com"}`, status: 422, fields: []string{"username"}},
	{name: "a username of 31 characters", as: "admin", request: "POST /v1/users", body: `{"username":"` + strings.Repeat("a", 31) + `","email":"a31@example.com"}`, status: 422, fields: []string{"username"}},
	{name: "a username in capitals", as: "admin", request: "POST /v1/users", body: `{"username":"Sarah","email":"s@example.com"}`, status: 422, fields: []string{"username"}},
	{name: "a username with an accent", as: "admin", request: "POST /v1/users", body: `{"username":"zoë","email":"z@example.com"}`, status: 422, fields: []string{"username"}},
	{name: "a username that is taken", as: "admin", request: "POST /v1/users", body: `{"username":"{author}","email":"another@example.com"}`, status: 409, code: "conflict", want: []string{"username"}},
	{name: "an e-mail address that is taken", as: "admin", given: func(w *world) { w.set("loud", strings.ToUpper(w.get("author"))) }, request: "POST /v1/users", body: `{"username":"unused-name","email":"{loud}@EXAMPLE.com"}`, status: 409, code: "conflict", want: []string{"e-mail"},
		then: func(w *world, _ answer) {
			if a := w.in.ask("GET", "/v1/users/unused-name", "", w.bearer("admin")); a.status != 404 {
				w.tb.Errorf("half of a user is there: %d", a.status)
			}
		}},
	{name: "an e-mail address that is none", as: "admin", request: "POST /v1/users", body: `{"username":"unused-name","email":"sarah"}`, status: 422, fields: []string{"email"}},
	{name: "an e-mail address with a name", as: "admin", request: "POST /v1/users", body: `{"username":"unused-name","email":"Sarah <sarah@example.com>"}`, status: 422, fields: []string{"email"}},
	{name: "an e-mail address with a line break", as: "admin", request: "POST /v1/users", body: `{"username":"unused-name","email":"a@example.com\nBcc: b@example.com"}`, status: 422, fields: []string{"email"}},
	{name: "a user of nothing", as: "admin", request: "POST /v1/users", body: `{}`, status: 422, fields: []string{"username", "email"}},
	{name: "all that is wrong with a user", as: "admin", request: "POST /v1/users",
		body: `{"username":"A B","email":1,"display_name":"` + strings.Repeat("x", 101) + `","bio":"` + strings.Repeat("x", 1001) + `","role":"root","plan":"gold","limits":{"minute":0,"hour":-5,"month":1000000001,"second":1},"suspended":"no","password":"x","created_at":null}`, status: 422,
		fields: []string{"username", "email", "display_name", "bio", "role", "plan", "limits.minute", "limits.hour", "limits.month", "limits.second", "suspended", "password", "created_at", "limits"}},
	{name: "limits without the plan for them", as: "admin", request: "POST /v1/users", body: `{"username":"unused-name","email":"unused@example.com","plan":"pro","limits":{"minute":5}}`, status: 422, fields: []string{"limits"}},
	{name: "limits beyond all numbers", as: "admin", request: "POST /v1/users", body: `{"username":"unused-name","email":"unused@example.com","plan":"enterprise","limits":{"minute":1e30,"hour":1.5,"month":"9"}}`, status: 422, fields: []string{"limits.minute", "limits.hour", "limits.month"}},
	{name: "a NUL in a bio", as: "admin", request: "POST /v1/users", body: `{"username":"unused-name","email":"unused@example.com","bio":"\u0000","display_name":"\u0000"}`, status: 422, fields: []string{"bio", "display_name"}},
	{name: "a user in broken JSON", as: "admin", request: "POST /v1/users", body: `{`, status: 400, code: "bad_request"},
	{name: "a user too large", as: "admin", request: "POST /v1/users", body: padded(`{}`, twoMiB+1), status: 413, code: "payload_too_large"},
	{name: "a user in a form", as: "admin", request: "POST /v1/users", header: []string{"Content-Type: text/plain"}, body: "x", status: 415, code: "unsupported_media_type"},

	{name: "read a user", as: "admin", request: "GET /v1/users/{author}", status: 200, repeats: true,
		exact: `{"username":"{author}","display_name":"Name of {author}","email":"{author}@example.com","bio":"","role":"member","plan":"pro","limits":null,"suspended":false,"suspended_at":null,"created_at":"2026-03-14T15:09:26Z"}`},
	{name: "read a user by capitals", as: "admin", given: func(w *world) { w.set("loud", strings.ToUpper(w.get("author"))) }, request: "GET /v1/users/{loud}", status: 200, want: []string{`"username":"{author}"`}},
	{name: "read a user with an unknown parameter", as: "admin", request: "GET /v1/users/{author}?fields=email", status: 400, code: "bad_request"},
	{name: "list users", as: "admin", given: func(w *world) { w.get("author"); w.get("boss") }, request: "GET /v1/users?limit=2", status: 200, want: []string{`{"data":[{"username":"{boss}"`, `{"username":"{author}"`}},
	{name: "find users by name", as: "admin", given: func(w *world) { w.get("author"); w.get("other") }, request: "GET /v1/users?q={author}&limit=100", status: 200, want: []string{`"username":"{author}"`}, not: []string{"{other}"}},
	{name: "find users by what people call them", as: "admin", given: func(w *world) { w.get("author") }, request: "GET /v1/users?q=N%C3%82ME%20of%20{author}", status: 200, want: []string{`"username":"{author}"`}},
	{name: "find users by their address", as: "admin", given: func(w *world) { w.get("author") }, request: "GET /v1/users?q={author}%40EXAMPLE", status: 200, want: []string{`"username":"{author}"`}},
	{name: "find users by what SQL would read", as: "admin", given: func(w *world) { w.get("author") }, request: "GET /v1/users?q=%25", status: 200, exact: emptyPage},
	{name: "find nobody", as: "admin", request: "GET /v1/users?q=zzzzzzzz", status: 200, exact: emptyPage},
	{name: "find users by a NUL", as: "admin", request: "GET /v1/users?q=a%00", status: 200, exact: emptyPage},
	{name: "users with an unknown parameter", as: "admin", request: "GET /v1/users?role=admin", status: 400, code: "bad_request"},
	{name: "users with a cursor that is none", as: "admin", request: "GET /v1/users?cursor=x", status: 400, code: "bad_request"},

	{name: "change a user", as: "admin", request: "PATCH /v1/users/{author}", body: `{"display_name":"New","email":"new-{author}@example.com","role":"admin","plan":"enterprise","limits":{"month":7},"bio":"b"}`, status: 200,
		exact: `{"username":"{author}","display_name":"New","email":"new-{author}@example.com","bio":"b","role":"admin","plan":"enterprise","limits":{"minute":null,"hour":null,"month":7},"suspended":false,"suspended_at":null,"created_at":"2026-03-14T15:09:26Z"}`},
	{name: "one of a user's limits", as: "admin", given: ownLimits("enterprise"), request: "PATCH /v1/users/{author}", body: `{"limits":{"hour":null,"month":7}}`, status: 200, want: []string{`"limits":{"minute":5,"hour":null,"month":7}`}},
	{name: "none of a user's limits", as: "admin", given: ownLimits("enterprise"), request: "PATCH /v1/users/{author}", body: `{"limits":{}}`, status: 200, want: []string{`"limits":{"minute":5,"hour":50,"month":null}`}},
	{name: "no more limits for a user", as: "admin", given: ownLimits("enterprise"), request: "PATCH /v1/users/{author}", body: `{"limits":null}`, status: 200, want: []string{`"limits":{"minute":null,"hour":null,"month":null}`}},
	{name: "a limit for a user who had others before", as: "admin", given: ownLimits("pro"), request: "PATCH /v1/users/{author}", body: `{"plan":"enterprise","limits":{"month":7}}`, status: 200, want: []string{`"limits":{"minute":null,"hour":null,"month":7}`}},
	{name: "an empty change of a user", as: "admin", request: "PATCH /v1/users/{author}", body: `{}`, status: 200, want: []string{`"display_name":"Name of {author}"`, `"plan":"pro"`}},
	{name: "nulls in a change of a user", as: "admin", request: "PATCH /v1/users/{author}", body: `{"display_name":null,"bio":null,"role":null,"plan":null,"limits":null,"suspended":null}`, status: 200, want: []string{`"display_name":"{author}"`, `"role":"member","plan":"free","limits":null,"suspended":false`}},
	{name: "null for an address", as: "admin", request: "PATCH /v1/users/{author}", body: `{"email":null}`, status: 422, fields: []string{"email"}},
	{name: "suspend a user", as: "admin", given: func(w *world) { w.get("key") }, request: "PATCH /v1/users/{author}", body: `{"suspended":true}`, status: 200, want: []string{`"suspended":true,"suspended_at":"2026-03-14T15:09:26Z"`},
		then: func(w *world, _ answer) {
			if w.works(w.get("key")) {
				w.tb.Error("a suspended user's key works")
			}
		}},
	{name: "let a suspended user go on", as: "admin", given: func(w *world) { w.get("key"); w.suspend("author") }, request: "PATCH /v1/users/{author}", body: `{"suspended":false}`, status: 200, want: []string{`"suspended":false,"suspended_at":null`},
		then: func(w *world, _ answer) {
			if !w.works(w.get("key")) {
				w.tb.Error("the key does not work")
			}
		}},
	{name: "limits for a plan without them", as: "admin", request: "PATCH /v1/users/{author}", body: `{"limits":{"minute":5}}`, status: 422, fields: []string{"limits"}},
	{name: "a username in a change", as: "admin", request: "PATCH /v1/users/{author}", body: `{"username":"renamed","created_at":null,"suspended_at":null}`, status: 422, fields: []string{"username", "created_at", "suspended_at"}},
	{name: "an address of another in a change", as: "admin", request: "PATCH /v1/users/{author}", body: `{"email":"{other}@example.com"}`, status: 409, code: "conflict"},
	{name: "all that is wrong with a change of a user", as: "admin", request: "PATCH /v1/users/{author}", body: `{"email":"x","role":"root","plan":1,"limits":[],"suspended":0,"display_name":"\u0000"}`, status: 422, fields: []string{"email", "role", "plan", "limits", "suspended", "display_name"}},
	{name: "a change of a user over 2 MiB", as: "admin", request: "PATCH /v1/users/{author}", body: padded(`{}`, twoMiB+1), status: 413, code: "payload_too_large"},
	{name: "a change of a user in a form", as: "admin", request: "PATCH /v1/users/{author}", header: []string{"Content-Type: text/plain"}, body: "x", status: 415, code: "unsupported_media_type"},
	{name: "a change of a user without a body", as: "admin", request: "PATCH /v1/users/{author}", status: 400, code: "bad_request"},

	{name: "delete a user", as: "admin", given: func(w *world) { w.get("key"); w.get("spare"); w.get("public") }, request: "DELETE /v1/users/{author}", status: 204,
		then: func(w *world, _ answer) {
			for _, path := range []string{"/v1/users/{author}", "/v1/stepsies/{public}", "/v1/api-keys/{spare}"} {
				if a := w.in.ask("GET", w.fill(path), "", w.bearer("admin")); a.status != 404 {
					w.tb.Errorf("GET %s: %d", path, a.status)
				}
			}
			if w.works(w.get("key")) {
				w.tb.Error("a deleted user's key works")
			}
		}},
	{name: "delete a user with an unknown parameter", as: "admin", request: "DELETE /v1/users/{author}?force=true", status: 400, code: "bad_request", then: func(w *world, _ answer) { w.read("/v1/users/{author}") }},
	{name: "delete a user by capitals", as: "admin", given: func(w *world) { w.set("loud", strings.ToUpper(w.get("author"))) }, request: "DELETE /v1/users/{loud}", status: 204},
}

// base36 is a number in two characters that no other world has.
func base36(n int) string {
	const digits = "0123456789abcdefghijklmnopqrstuvwxyz"
	return string([]byte{digits[n/36%36], digits[n%36]})
}

// profileScenarios are about /v1/me.
var profileScenarios = []scenario{
	{name: "read one's profile", as: "reader", request: "GET /v1/me", status: 200, repeats: true,
		want: []string{`{"username":"{author}","display_name":"Name of {author}","email":"{author}@example.com","bio":"","role":"member","plan":"pro","created_at":"2026-03-14T15:09:26Z",` +
			`"limits":{"minute":null,"hour":null,"month":null},"key":{"id":{reader_id},"name":"Key reader","scopes":["read"],"hint":"sk_`, `"expires_at":null}}`}, not: []string{"{reader}"}},
	{name: "read one's profile with the scope write", as: "writer", request: "GET /v1/me", status: 403, code: "forbidden"},
	{name: "read one's profile with the scope admin", as: "admin", request: "GET /v1/me", status: 200, want: []string{`"role":"admin"`, `"scopes":["admin"]`}},
	{name: "change one's profile", as: "writer", request: "PATCH /v1/me", body: `{"display_name":" Cafe\u0301 ","bio":"One\n\ttwo"}`, status: 200, want: []string{`"display_name":"Café"`, `"bio":"One\n\ttwo"`, `"name":"Key writer"`}},
	{name: "an empty change of one's profile", as: "writer", request: "PATCH /v1/me", body: `{}`, status: 200, want: []string{`"display_name":"Name of {author}"`}, repeats: true},
	{name: "nulls in a change of one's profile", as: "writer", request: "PATCH /v1/me", body: `{"display_name":null,"bio":null}`, status: 200, want: []string{`"display_name":"{author}"`, `"bio":""`}},
	{name: "a display name of 100 characters", as: "writer", request: "PATCH /v1/me", body: `{"display_name":"` + strings.Repeat("ñ", 100) + `"}`, status: 200},
	{name: "a display name of 101 characters", as: "writer", request: "PATCH /v1/me", body: `{"display_name":"` + strings.Repeat("ñ", 101) + `"}`, status: 422, fields: []string{"display_name"}},
	{name: "a bio of 1,000 characters", as: "writer", request: "PATCH /v1/me", body: `{"bio":"` + strings.Repeat("ñ", 1000) + `"}`, status: 200},
	{name: "a bio of 1,001 characters", as: "writer", request: "PATCH /v1/me", body: `{"bio":"` + strings.Repeat("ñ", 1001) + `"}`, status: 422, fields: []string{"bio"}},
	{name: "a line break in a display name", as: "writer", request: "PATCH /v1/me", body: `{"display_name":"a\nb"}`, status: 422, fields: []string{"display_name"}},
	{name: "a NUL in one's bio", as: "writer", request: "PATCH /v1/me", body: `{"bio":"a\u0000"}`, status: 422, fields: []string{"bio"}},
	{name: "what is not one's own to change", as: "writer", request: "PATCH /v1/me", body: `{"username":"root","email":"me@example.com","role":"admin","plan":"enterprise","limits":null,"suspended":false,"created_at":"2020-01-01T00:00:00Z","key":{}}`, status: 422,
		fields: []string{"username", "email", "role", "plan", "limits", "suspended", "created_at", "key"}, want: []string{`{"field":"email","message":"is read-only here"}`, `{"field":"key","message":"is read-only here"}`}},
	{name: "change one's profile with the scope read", as: "reader", request: "PATCH /v1/me", body: `{"bio":"x"}`, status: 403, code: "forbidden"},
	{name: "change one's profile with an unknown parameter", as: "writer", request: "PATCH /v1/me?bio=x", body: `{}`, status: 400, code: "bad_request"},
	{name: "change one's profile by too much", as: "writer", request: "PATCH /v1/me", body: padded(`{}`, twoMiB+1), status: 413, code: "payload_too_large"},
	{name: "change one's profile by a form", as: "writer", request: "PATCH /v1/me", header: []string{"Content-Type: text/plain"}, body: "x", status: 415, code: "unsupported_media_type"},
}
