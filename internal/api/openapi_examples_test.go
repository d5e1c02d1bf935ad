package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// example is the JSON of an example.
func example(t *testing.T, node interface{ Decode(any) error }) string {
	t.Helper()
	var v any
	if err := node.Decode(&v); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestEveryAnswerThatIsShownFitsItsSchema judges the examples of answers.
func TestEveryAnswerThatIsShownFitsItsSchema(t *testing.T) {
	d := documented(t).document(t)
	for id, op := range d.operations() {
		for status, response := range op.Responses.Codes.FromOldest() {
			if response.Content == nil {
				continue
			}
			media := response.Content.GetOrZero("application/json")
			text := example(t, media.Example)
			if ok, errs := d.schemas.ValidateSchemaString(media.Schema.Schema(), text); !ok {
				t.Errorf("%s: the example of %s does not fit: %s%s", id, status, text, said(errs))
			}
			if code := toInt(status); code >= 400 && !strings.Contains(text, `"code":`) {
				t.Errorf("%s: the example of %s is %s", id, status, text)
			}
		}
	}
}

// TestEveryExampleWorks sends every example of a body and of a parameter to the
// server, and judges request and answer by the document.
func TestEveryExampleWorks(t *testing.T) {
	in := documented(t)
	d := in.document(t)
	for id, op := range d.operations() {
		t.Run(id, func(t *testing.T) {
			for _, try := range tries(t, op) {
				in := in
				if op.OperationId == "create-user" || op.OperationId == "delete-user" {
					in = documented(t) // nobody is called as somebody was
				}
				in.try(t, d, op, try)
			}
		})
	}
}

// try is one request made of examples.
type try struct {
	name, mediaType, body string
	query                 url.Values
	headers               []string
}

// tries are the requests that the examples of an operation make: each parameter
// alone, all of them together, the body in each media type.
func tries(t *testing.T, op operation) []try {
	plain := []try{{name: "no body"}}
	if op.RequestBody != nil {
		plain = nil
		for mediaType, media := range op.RequestBody.Content.FromOldest() {
			plain = append(plain, try{name: mediaType, mediaType: mediaType, body: example(t, media.Example)})
		}
	}
	all := slices.Clone(plain)
	everything := plain[0]
	everything.name, everything.query = "all parameters", url.Values{}
	for _, p := range op.Parameters {
		one := plain[0]
		one.name = p.Name
		if p.Example == nil {
			continue
		}
		switch p.In {
		case "query":
			one.query = url.Values{p.Name: {p.Example.Value}}
			everything.query.Set(p.Name, p.Example.Value)
		case "header":
			one.headers = []string{p.Name + ": " + p.Example.Value}
		default:
			continue
		}
		all = append(all, one)
	}
	if len(everything.query) > 0 {
		all = append(all, everything)
	}
	return all
}

// try sends a request to a world in which the names of the examples stand for
// something.
func (in *installation) try(t *testing.T, d document, op operation, what try) {
	t.Helper()
	w := in.world(t)
	secret := w.get("admin")
	sarah := in.sarah(t, w)
	id := w.get("draft")
	if strings.Contains(op.path, "api-keys") {
		id = w.get("spare")
	}
	path := strings.NewReplacer("{id}", id, "{username}", sarah).Replace(op.path)
	if len(what.query) > 0 {
		path += "?" + what.query.Encode()
	}
	headers := []string{"Authorization: Bearer " + secret}
	if what.mediaType != "" {
		headers = append(headers, "Content-Type: "+what.mediaType)
	}
	for _, h := range what.headers {
		headers = append(headers, strings.Replace(h, `"123.4"`, w.get("draft.etag"), 1))
	}
	in.watch = func(r *http.Request, a answer) { d.judge(t, op.OperationId+" with "+what.name, r, a, true) }
	defer func() { in.watch = nil }()
	a := in.ask(op.method, path, what.body, headers...)
	in.watch = nil
	want := 0
	for status := range op.Responses.Codes.FromOldest() {
		if code := toInt(status); code < 300 {
			want = code
		}
	}
	if strings.HasPrefix(strings.Join(what.headers, ""), "If-None-Match") {
		want = http.StatusNotModified
	}
	if a.status != want {
		t.Errorf("%s: %d %s, want %d", what.name, a.status, a.body, want)
	}
}

// sarah makes the user of the examples, if she is not there.
func (in *installation) sarah(t *testing.T, w *world) string {
	t.Helper()
	if a := in.ask("GET", "/v1/users/sarahchen", "", w.bearer("admin")); a.status == 404 {
		w.user("sarahchen", false)
	}
	return "sarahchen"
}

// judge compares a request and its answer with the document. A request that was
// answered by a success has to fit as well.
func (d document) judge(t *testing.T, name string, r *http.Request, a answer, requestToo bool) {
	t.Helper()
	if requestToo {
		if ok, errs := d.requests.ValidateHttpRequestSync(r); !ok {
			t.Errorf("%s: the request does not fit:%s", name, said(errs))
		}
	}
	response := &http.Response{StatusCode: a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader([]byte(a.body))), Request: r}
	if a.body == "" {
		response.Body = http.NoBody
	}
	if ok, errs := d.answers.ValidateHttpResponse(r, response); !ok {
		t.Errorf("%s: the answer does not fit: %.500s%s", name, a.body, said(errs))
	}
}

// TestScenariosFitTheDocument runs all scenarios again and judges them by the
// document. Each failure that an operation documents has a scenario, but for those
// that are tried on every route by other tests, and conflicts, which every write
// documents for an idempotent request that still runs.
func TestScenariosFitTheDocument(t *testing.T) {
	in := documented(t)
	d := in.document(t)
	all := d.operations()
	seen := map[string]map[int]bool{}
	for id := range all {
		seen[id] = map[int]bool{}
	}
	for _, s := range scenarios() {
		method, target, _ := strings.Cut(s.request, " ")
		id := routeOf(in, method, target)
		if id == "" {
			continue
		}
		seen[id][s.status] = true
		t.Run(s.name, func(t *testing.T) {
			w := in.world(t)
			if s.given != nil {
				s.given(w)
			}
			method, target, headers, body := s.prepare(w)
			in.watch = func(r *http.Request, a answer) {
				r.URL.Path = strings.TrimPrefix(r.URL.Path, "/api")
				d.judge(t, s.name, r, a, a.status < 300)
			}
			defer func() { in.watch = nil }()
			in.ask(method, target, body, headers...)
		})
	}
	for id, op := range all {
		for status := range op.Responses.Codes.FromOldest() {
			code := toInt(status)
			elsewhere := code == 401 || code == 403 || code == 404 && strings.Contains(op.path, "{") || code == 409 || code == 429 || code >= 500
			if !elsewhere && !seen[id][code] {
				t.Errorf("no scenario makes %s answer %s", id, status)
			}
		}
		for code := range seen[id] {
			if _, ok := op.Responses.Codes.Get(strconv.Itoa(code)); !ok {
				t.Errorf("%s does not document %d", id, code)
			}
		}
	}
}

// routeOf returns the id of the operation that a scenario asks for, "" for none.
func routeOf(in *installation, method, target string) string {
	path, _, _ := strings.Cut(strings.TrimPrefix(target, "/api"), "?")
	got := strings.Split(path, "/")
	for _, r := range in.API().Routes() {
		want := strings.Split(r.Path, "/")
		if r.Method == method && slices.EqualFunc(want, got, func(a, b string) bool { return a == b || strings.HasPrefix(a, "{") && b != "" }) {
			return r.ID
		}
	}
	return ""
}
