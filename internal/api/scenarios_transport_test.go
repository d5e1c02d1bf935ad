package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stepsies/stepsies/internal/api"
)

const twoMiB = 2 << 20

// padded makes a body longer by spaces, which JSON allows at its end.
func padded(body string, n int) string { return body + strings.Repeat(" ", n-len(body)) }

// transportScenarios are about what holds for every operation: paths, methods,
// bodies, ids of requests.
var transportScenarios = []scenario{
	{name: "an unknown route", request: "GET /v1/nothing", status: 404, code: "not_found", headers: []string{"Allow:", "WWW-Authenticate:"}},
	{name: "an unknown route with a key", as: "key", request: "POST /v1/stepsies/{draft}/explode", body: `{}`, status: 404, code: "not_found"},
	{name: "the base path itself", request: "GET /v1", status: 404, code: "not_found"},
	{name: "the base path with a slash", request: "GET /v1/", status: 404, code: "not_found"},
	{name: "the other base path", request: "GET /api/v1", status: 404, code: "not_found"},
	{name: "a slash at the end", as: "key", request: "GET /v1/stepsies/", status: 404, code: "not_found"},
	{name: "a slash at the end of an id", as: "key", request: "GET /v1/stepsies/{draft}/", status: 404, code: "not_found"},
	{name: "two slashes", as: "key", request: "GET /v1//stepsies", status: 404, code: "not_found", headers: []string{"Location:"}},
	{name: "dots that lead out", as: "key", request: "GET /v1/../healthz", status: 404, code: "not_found", headers: []string{"Location:"}},
	{name: "a dot", as: "key", request: "GET /v1/./stepsies", status: 404, code: "not_found", headers: []string{"Location:"}},
	{name: "two dots", as: "key", request: "GET /v1/me/../stepsies", status: 404, code: "not_found", headers: []string{"Location:"}},
	{name: "two dots under the other base path", as: "key", request: "GET /api/v1/me/../stepsies", status: 404, code: "not_found", headers: []string{"Location:"}},
	{name: "an encoded slash is part of a name", as: "key", request: "GET /v1/stepsies%2F{draft}", status: 404, code: "not_found"},
	{name: "an encoded slash under the other base path", as: "key", request: "GET /api/v1/stepsies%2F{draft}", status: 404, code: "not_found"},
	{name: "other letters in a path", as: "key", request: "GET /v1/Stepsies", status: 404, code: "not_found"},

	{name: "the other base path answers alike", as: "reader", request: "GET /api/v1/stepsies/{draft}", status: 200, want: []string{`"id":{draft},`}},
	{name: "the other base path writes", as: "writer", request: "POST /api/v1/stepsies", body: `{"title":"Alias"}`, status: 201, headers: []string{"Location: *"},
		then: func(w *world, a answer) {
			if got := a.header.Get("Location"); !strings.HasPrefix(got, publicURL+"/v1/stepsies/") {
				w.tb.Errorf("Location %s", got)
			}
		}},
	{name: "the other base path without a key", request: "GET /api/v1/me", status: 401, exact: `{"error":{"code":"unauthorized","message":"Missing or invalid API key"}}`},

	{name: "an id of the client's", as: "reader", request: "GET /v1/me", header: []string{"X-Request-Id: Trace_1.2-3"}, status: 200, headers: []string{"X-Request-Id: Trace_1.2-3"}},
	{name: "an id of 128 characters", request: "GET /v1/me", header: []string{"X-Request-Id: " + strings.Repeat("a", 128)}, status: 401, headers: []string{"X-Request-Id: " + strings.Repeat("a", 128)}},
	{name: "an id that is too long", request: "GET /v1/me", header: []string{"X-Request-Id: " + strings.Repeat("a", 129)}, status: 401, then: ownRequestID},
	{name: "an id with a space", request: "GET /v1/me", header: []string{"X-Request-Id: a b"}, status: 401, then: ownRequestID},
	{name: "an id with markup", request: "GET /v1/nothing", header: []string{"X-Request-Id: <script>"}, status: 404, then: ownRequestID},
	{name: "an empty id", request: "GET /v1/me", header: []string{"X-Request-Id: "}, status: 401, then: ownRequestID},

	{name: "an answer in HTML is not to be had", as: "reader", request: "GET /v1/me", header: []string{"Accept: text/html"}, status: 200},
	{name: "a session is no key", request: "GET /v1/me", header: []string{"Cookie: stepsies_session=abc"}, status: 401, code: "unauthorized"},
	{name: "a key in the query is none", request: "GET /v1/me?api_key={reader}", status: 401, code: "unauthorized"},
	{name: "a key in the body is none", request: "POST /v1/stepsies", body: `{"title":"x","key":"{key}"}`, status: 401, code: "unauthorized"},
	{name: "a key as a password is none", request: "GET /v1/me", header: []string{"Authorization: Basic {reader}"}, status: 401, code: "unauthorized"},
	{name: "the scheme in capitals", request: "GET /v1/me", header: []string{"Authorization: BEARER {reader}"}, status: 200},
	{name: "the scheme in small letters", request: "GET /v1/me", header: []string{"Authorization: bearer   {reader}"}, status: 200},

	{name: "a body that is not JSON", as: "writer", request: "POST /v1/stepsies", body: `{"title":`, status: 400, code: "bad_request"},
	{name: "a body with something behind", as: "writer", request: "POST /v1/stepsies", body: `{"title":"x"} {}`, status: 400, code: "bad_request"},
	{name: "a body with a comma too many", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"title":"x",}`, status: 400, code: "bad_request"},
	{name: "a body with a byte order mark", as: "writer", request: "POST /v1/stepsies", body: "\ufeff{\"title\":\"x\"}", status: 400, code: "bad_request", want: []string{"byte order mark"}},
	{name: "a body that is not UTF-8", as: "writer", request: "POST /v1/stepsies", body: "{\"title\":\"caf\xe9\"}", status: 400, code: "bad_request", want: []string{"UTF-8"}},
	{name: "a body of half a character", as: "writer", request: "PATCH /v1/me", body: "{\"bio\":\"\xf0\x9f\x98\"}", status: 400, code: "bad_request"},
	{name: "a body that is nested too deep", as: "writer", request: "POST /v1/stepsies", body: strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), status: 400, code: "bad_request"},
	{name: "no body where one is needed", as: "writer", request: "POST /v1/stepsies", status: 400, code: "bad_request", want: []string{"needs a body"}},
	{name: "no body for a patch", as: "writer", request: "PATCH /v1/stepsies/{draft}", status: 400, code: "bad_request"},
	{name: "a list as the body", as: "writer", request: "POST /v1/stepsies", body: `[]`, status: 422, code: "validation_failed"},
	{name: "a text as the body", as: "writer", request: "PATCH /v1/me", body: `"bio"`, status: 422, code: "validation_failed"},
	{name: "null as the body", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `null`, status: 422, code: "validation_failed"},
	{name: "a number as the body", as: "admin", request: "POST /v1/api-keys", body: `7`, status: 422, code: "validation_failed"},
	{name: "broken JSON where no body is needed", as: "writer", request: "POST /v1/stepsies/{draft}/publish", body: `{`, status: 400, code: "bad_request"},
	{name: "a field where no body is needed", as: "writer", request: "POST /v1/stepsies/{draft}/publish", body: `{"notify":true}`, status: 422, fields: []string{"notify"}},
	{name: "an empty object where no body is needed", as: "writer", request: "POST /v1/stepsies/{draft}/publish", body: `{}`, status: 200},

	{name: "a form", as: "writer", request: "POST /v1/stepsies", header: []string{"Content-Type: application/x-www-form-urlencoded"}, body: `title=x`, status: 415, code: "unsupported_media_type"},
	{name: "JSON called text", as: "writer", request: "POST /v1/stepsies", header: []string{"Content-Type: text/plain"}, body: `{"title":"x"}`, status: 415, code: "unsupported_media_type"},
	{name: "a broken media type", as: "writer", request: "POST /v1/stepsies", header: []string{"Content-Type: application/json; charset"}, body: `{"title":"x"}`, status: 415, code: "unsupported_media_type"},
	{name: "a merge patch to create", as: "writer", request: "POST /v1/stepsies", header: []string{"Content-Type: application/merge-patch+json"}, body: `{"title":"x"}`, status: 415, code: "unsupported_media_type"},
	{name: "a JSON patch", as: "writer", request: "PATCH /v1/stepsies/{draft}", header: []string{"Content-Type: application/json-patch+json"}, body: `[{"op":"remove","path":"/title"}]`, status: 415, code: "unsupported_media_type"},
	{name: "a compressed body", as: "writer", request: "POST /v1/stepsies", header: []string{"Content-Encoding: gzip"}, body: `{"title":"x"}`, status: 415, code: "unsupported_media_type"},
	{name: "a body whose encoding is none", as: "writer", request: "POST /v1/stepsies", header: []string{"Content-Encoding: identity"}, body: `{"title":"x"}`, status: 201},
	{name: "no media type", as: "writer", request: "POST /v1/stepsies", header: []string{"Content-Type: "}, body: `{"title":"x"}`, status: 201},
	{name: "JSON with a charset", as: "writer", request: "POST /v1/stepsies", header: []string{"Content-Type: Application/JSON; charset=UTF-8"}, body: `{"title":"x"}`, status: 201},
	{name: "a merge patch called so", as: "writer", request: "PATCH /v1/stepsies/{draft}", header: []string{"Content-Type: application/merge-patch+json"}, body: `{"title":"Patched"}`, status: 200, want: []string{`"title":"Patched"`}},
	{name: "a media type without a body", as: "reader", request: "GET /v1/stepsies", header: []string{"Content-Type: application/json"}, status: 200},

	{name: "a number beyond all numbers", as: "writer", request: "POST /v1/stepsies", body: `{"title":1e999}`, status: 422, fields: []string{""}, want: []string{"must not hold the number 1e999, which is too large"}},
	{name: "a number beyond all numbers in a patch", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"steps":[{"id":` + strings.Repeat("9", 400) + `,"title":"a"}]}`, status: 422, fields: []string{""}, not: []string{strings.Repeat("9", 41)}},
	{name: "a list that is written twice", as: "writer", request: "PATCH /v1/stepsies/{draft}", body: `{"steps":[{"id":1,"title":"a","content":"<p>first</p>"}],"steps":[{"title":"b"}]}`, status: 200, want: []string{`"title":"b","content":""`}, not: []string{`"id":1,"position"`, "first"}},
	{name: "an object that is written twice", as: "admin", request: "PATCH /v1/users/{other}", body: `{"plan":"enterprise","limits":{"minute":5},"limits":{"hour":7}}`, status: 200, want: []string{`"limits":{"minute":null,"hour":7,"month":null}`}},

	{name: "a body of 2 MiB", as: "writer", request: "POST /v1/stepsies", body: padded(`{"title":"x"}`, twoMiB), status: 201},
	{name: "a byte over 2 MiB", as: "writer", request: "POST /v1/stepsies", body: padded(`{"title":"x"}`, twoMiB+1), status: 413, code: "payload_too_large"},
	{name: "a byte over 2 MiB without a key", request: "POST /v1/stepsies", body: padded(`{"title":"x"}`, twoMiB+1), status: 401, code: "unauthorized"},
	{name: "a byte over 2 MiB with too little scope", as: "reader", request: "POST /v1/stepsies", body: padded(`{"title":"x"}`, twoMiB+1), status: 403, code: "forbidden"},
	{name: "a byte over 2 MiB where no body is needed", as: "writer", request: "POST /v1/stepsies/{draft}/publish", body: padded(`{}`, twoMiB+1), status: 413, code: "payload_too_large"},
	{name: "broken JSON with too little scope", as: "reader", request: "POST /v1/stepsies", body: `{`, status: 403, code: "forbidden"},

	{name: "a preflight while no origin is allowed", request: "OPTIONS /v1/stepsies", header: []string{"Origin: https://app.example", "Access-Control-Request-Method: GET"},
		status: 405, code: "method_not_allowed", headers: []string{"Access-Control-Allow-Origin:", "Vary: Authorization", "Allow: GET, HEAD, POST"}},
	{name: "an origin while none is allowed", as: "reader", request: "GET /v1/me", header: []string{"Origin: https://app.example"}, status: 200, headers: []string{"Access-Control-Allow-Origin:", "Vary: Authorization"}},

	{name: "a parameter that no operation knows", as: "reader", request: "GET /v1/me?verbose=1", status: 400, code: "bad_request", want: []string{"verbose"}},
	{name: "a parameter of another operation", as: "writer", request: "DELETE /v1/stepsies/{draft}?limit=3", status: 400, code: "bad_request",
		then: func(w *world, _ answer) { w.read("/v1/stepsies/{draft}") }},
	{name: "a parameter where a body is expected", as: "writer", request: "POST /v1/stepsies?title=x", body: `{"title":"x"}`, status: 400, code: "bad_request"},
	{name: "a parameter for publishing", as: "writer", request: "POST /v1/stepsies/{draft}/publish?force=1", status: 400, code: "bad_request"},
	{name: "a broken query", as: "reader", request: "GET /v1/stepsies?q=%zz", status: 400, code: "bad_request"},
	{name: "a semicolon in a query", as: "reader", request: "GET /v1/stepsies?limit=2;limit=3", status: 400, code: "bad_request"},
}

func ownRequestID(w *world, a answer) {
	if got := a.header.Get("X-Request-Id"); !strings.HasPrefix(got, "req_") || len(got) != 20 {
		w.tb.Errorf("X-Request-Id %q, want one of the server's own", got)
	}
}

// TestOriginsOnTheListMayCall is about CORS with a list of origins.
func TestOriginsOnTheListMayCall(t *testing.T) {
	in := open(t, "", withOrigins("https://app.example"))
	for _, s := range []scenario{
		{name: "an origin on the list", as: "reader", request: "GET /v1/me", header: []string{"Origin: https://app.example"}, status: 200,
			headers: []string{"Access-Control-Allow-Origin: https://app.example", "Vary: Origin, Authorization", "Access-Control-Expose-Headers: *", "Access-Control-Allow-Credentials:"}},
		{name: "an error for an origin on the list", request: "GET /v1/me", header: []string{"Origin: https://app.example"}, status: 401,
			headers: []string{"Access-Control-Allow-Origin: https://app.example", "Vary: Origin, Authorization"}},
		{name: "another origin", as: "reader", request: "GET /v1/me", header: []string{"Origin: https://evil.example"}, status: 200,
			headers: []string{"Access-Control-Allow-Origin:", "Vary: Origin, Authorization", "Access-Control-Expose-Headers:"}},
		{name: "no origin", as: "reader", request: "GET /v1/me", status: 200, headers: []string{"Access-Control-Allow-Origin:", "Vary: Origin, Authorization"}},
		{name: "an origin that begins alike", as: "reader", request: "GET /v1/me", header: []string{"Origin: https://app.example.evil"}, status: 200, headers: []string{"Access-Control-Allow-Origin:"}},
		{name: "a preflight", request: "OPTIONS /v1/stepsies/1", header: []string{"Origin: https://app.example", "Access-Control-Request-Method: PATCH", "Access-Control-Request-Headers: authorization"}, status: 204,
			headers: []string{"Access-Control-Allow-Origin: https://app.example", "Access-Control-Allow-Methods: GET, HEAD, PATCH, DELETE",
				"Access-Control-Allow-Headers: Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-Id", "Access-Control-Max-Age: 600", "WWW-Authenticate:"}},
		{name: "a preflight under the other base path", request: "OPTIONS /api/v1/me", header: []string{"Origin: https://app.example", "Access-Control-Request-Method: GET"}, status: 204,
			headers: []string{"Access-Control-Allow-Methods: GET, HEAD, PATCH"}},
		{name: "a preflight from another origin", request: "OPTIONS /v1/stepsies", header: []string{"Origin: https://evil.example", "Access-Control-Request-Method: GET"}, status: 405, code: "method_not_allowed",
			headers: []string{"Access-Control-Allow-Origin:", "Access-Control-Allow-Methods:"}},
		{name: "a preflight to nowhere", request: "OPTIONS /v1/nothing", header: []string{"Origin: https://app.example", "Access-Control-Request-Method: GET"}, status: 404, code: "not_found"},
		{name: "OPTIONS that is no preflight", request: "OPTIONS /v1/stepsies", header: []string{"Origin: https://app.example"}, status: 405, code: "method_not_allowed"},
	} {
		t.Run(s.name, func(t *testing.T) { s.run(t, in) })
	}
}

// TestBodiesOverTheNetwork sends what only a connection can carry: bodies of
// unknown length, and requests for the head of an answer.
func TestBodiesOverTheNetwork(t *testing.T) {
	in := open(t, "")
	network := in.listen(t)
	w := in.world(t)
	ask := func(method, path string, body string, headers ...string) (*http.Response, string) {
		t.Helper()
		// A reader of a type that net/http does not know has no length: it is sent in chunks.
		r, err := http.NewRequestWithContext(t.Context(), method, network.URL+w.fill(path), chunked{strings.NewReader(body)})
		if err != nil {
			t.Fatal(err)
		}
		if body == "" {
			r.Body = nil
		}
		r.Header.Set("Authorization", "Bearer "+w.get("key"))
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			r.Header.Set(name, value)
		}
		return do(t, network.Client(), r)
	}

	for _, c := range []struct {
		name, method, path, body string
		status                   int
	}{
		{"in chunks", "POST", "/v1/stepsies", `{"title":"In chunks"}`, 201},
		{"in chunks of 2 MiB", "POST", "/v1/stepsies", padded(`{"title":"Large"}`, api.MaxBody), 201},
		{"in chunks over 2 MiB", "POST", "/v1/stepsies", padded(`{"title":"Too large"}`, api.MaxBody+1), 413},
		{"in chunks, far over 2 MiB", "PATCH", "/v1/stepsies/{draft}", padded(`{"title":"Too large"}`, 3*api.MaxBody), 413},
		{"in chunks where none is needed", "POST", "/v1/stepsies/{draft}/publish", `{}`, 200},
	} {
		r, body := ask(c.method, c.path, c.body)
		if r.StatusCode != c.status {
			t.Errorf("%s: %d, want %d: %.300s", c.name, r.StatusCode, c.status, body)
		}
		checkForm(t, c.method, answer{r.StatusCode, r.Header, body})
	}

	for _, path := range []string{"/v1/stepsies", "/v1/stepsies/{draft}", "/v1/me", "/v1/nothing", "/openapi.json"} {
		const plain = "Accept-Encoding: identity" // of itself net/http asks for gzip by GET, and by HEAD does not
		get, body := ask("GET", path, "", plain)
		head, nothing := ask("HEAD", path, "", plain)
		if head.StatusCode != get.StatusCode || nothing != "" || head.Header.Get("Content-Type") != get.Header.Get("Content-Type") || head.Header.Get("ETag") != get.Header.Get("ETag") {
			t.Errorf("HEAD %s: %d with %q, but GET: %d", path, head.StatusCode, nothing, get.StatusCode)
		}
		if n := head.ContentLength; n >= 0 && n != int64(len(body)) {
			t.Errorf("HEAD %s: Content-Length %d, but GET sent %d bytes", path, n, len(body))
		}
	}
	same, nothing := ask("GET", "/v1/stepsies/{draft}", "", "If-None-Match: "+w.get("draft.etag"))
	if _, typed := same.Header["Content-Type"]; same.StatusCode != 304 || nothing != "" || typed || same.Header.Get("ETag") != w.get("draft.etag") {
		t.Errorf("what has not changed: %d %v %q", same.StatusCode, same.Header, nothing)
	}
	if r, _ := ask("HEAD", "/v1/stepsies/{draft}", "", "Authorization: Bearer nothing"); r.StatusCode != 401 || r.Header.Get("WWW-Authenticate") != `Bearer realm="stepsies"` {
		t.Errorf("HEAD without a key: %d %v", r.StatusCode, r.Header)
	}
}
