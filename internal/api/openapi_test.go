package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/errors"
	"github.com/pb33f/libopenapi-validator/schema_validation"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
	"go.yaml.in/yaml/v3"

	"github.com/stepsies/stepsies/internal/api"
	"github.com/stepsies/stepsies/internal/server"
)

var update = flag.Bool("update", false, "write the golden files again")

// documented starts an installation at the address that the golden document names.
func documented(tb testing.TB) *installation {
	return open(tb, "", func(c *server.Config) { c.PublicURL = api.DefaultPublicURL })
}

// TestOpenAPIGolden compares the document with the one in the repository, so that
// every change of the API is seen in a diff.
func TestOpenAPIGolden(t *testing.T) {
	in := documented(t)
	for path, mediaType := range map[string]string{"openapi.json": "application/json", "openapi.yaml": "application/yaml"} {
		a := in.ask("GET", "/"+path, "")
		if a.status != 200 || a.header.Get("Content-Type") != mediaType || a.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Fatalf("GET /%s: %d %v", path, a.status, a.header)
		}
		golden := filepath.Join("testdata", path)
		if *update {
			if err := os.WriteFile(golden, []byte(a.body), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if a.body != string(want) {
			t.Errorf("/%s is not what %s holds; look at what changed, then: go generate ./internal/api", path, golden)
		}
	}
}

// TestBothFormsOfTheDocumentSayTheSame reads the document as JSON and as YAML.
func TestBothFormsOfTheDocumentSayTheSame(t *testing.T) {
	in := documented(t)
	var fromJSON, fromYAML any
	if err := yaml.Unmarshal([]byte(in.ask("GET", "/openapi.json", "").body), &fromJSON); err != nil { // JSON is YAML
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(in.ask("GET", "/openapi.yaml", "").body), &fromYAML); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(fromJSON, fromYAML) {
		t.Error("they differ")
	}
}

// document is the OpenAPI document of an installation, and what judges by it.
type document struct {
	model    *v3.Document
	requests validator.Validator
	answers  validator.Validator
	schemas  schema_validation.SchemaValidator
}

func (in *installation) document(tb testing.TB) document {
	tb.Helper()
	parsed, err := libopenapi.NewDocument([]byte(in.ask("GET", "/openapi.json", "").body))
	if err != nil {
		tb.Fatal(err)
	}
	model, err := parsed.BuildV3Model()
	if err != nil {
		tb.Fatal(err)
	}
	requests, errs := validator.NewValidator(parsed)
	if len(errs) > 0 {
		tb.Fatal(errs)
	}
	// Strict: what the document does not describe is an error in our own answers,
	// though clients are to bear it.
	strict := []config.Option{config.WithStrictMode(), config.WithFormatAssertions()}
	answers, errs := validator.NewValidator(parsed, strict...)
	if len(errs) > 0 {
		tb.Fatal(errs)
	}
	return document{&model.Model, requests, answers, schema_validation.NewSchemaValidator(strict...)}
}

// operation is one operation as the document describes it.
type operation struct {
	*v3.Operation
	method, path string // path as it is served
}

func (d document) operations() map[string]operation {
	all := map[string]operation{}
	for path, item := range d.model.Paths.PathItems.FromOldest() {
		for method, op := range item.GetOperations().FromOldest() {
			served := "/v1" + path
			if len(op.Servers) > 0 {
				served = strings.TrimPrefix(op.Servers[0].URL, api.DefaultPublicURL) + path
			}
			all[op.OperationId] = operation{op, strings.ToUpper(method), served}
		}
	}
	return all
}

func said(errs []*errors.ValidationError) string {
	var b strings.Builder
	for _, e := range errs {
		fmt.Fprintf(&b, "\n\t%s: %s", e.Message, e.Reason)
		for _, s := range e.SchemaValidationErrors {
			fmt.Fprintf(&b, "\n\t\t%s at %s", s.Reason, s.FieldPath)
		}
	}
	return b.String()
}

// TestTheDocumentIsValidOpenAPI asks a library that knows the specification.
func TestTheDocumentIsValidOpenAPI(t *testing.T) {
	d := documented(t).document(t)
	if d.model.Version != "3.1.0" {
		t.Errorf("version %s", d.model.Version)
	}
	if ok, errs := d.answers.ValidateDocument(); !ok {
		t.Error(said(errs))
	}
}

// TestEveryOperationIsDocumented compares the document with the routes.
func TestEveryOperationIsDocumented(t *testing.T) {
	in := documented(t)
	d := in.document(t)
	all := d.operations()
	for _, r := range in.API().Routes() {
		op, ok := all[r.ID]
		if !ok || op.method != r.Method || op.path != r.Path {
			t.Errorf("%s %s is documented as %s %s", r.Method, r.Path, op.method, op.path)
			continue
		}
		delete(all, r.ID)
		if op.Summary == "" || op.Description == "" || len(op.Tags) != 1 {
			t.Errorf("%s: summary %q, description %q, tags %q", r.ID, op.Summary, op.Description, op.Tags)
		}
		var scopes []string
		for _, s := range op.Security {
			scopes = append(scopes, s.Requirements.GetOrZero("bearerAuth")...)
		}
		want := []string{string(r.Scope)}
		if r.Scope == "" {
			want = nil
		} else if !strings.Contains(op.Description, "`"+string(r.Scope)+"`") {
			t.Errorf("%s: the description does not name the scope: %s", r.ID, op.Description)
		}
		if !slices.Equal(scopes, want) {
			t.Errorf("%s: security %q, want %q", r.ID, scopes, want)
		}
		for _, p := range op.Parameters {
			if p.Description == "" || p.Example == nil && p.Name != "cursor" {
				t.Errorf("%s: parameter %s has no description or no example", r.ID, p.Name)
			}
		}
		if body := op.RequestBody; body != nil {
			for mediaType, media := range body.Content.FromOldest() {
				if media.Example == nil {
					t.Errorf("%s: the body has no example as %s", r.ID, mediaType)
				}
			}
			if merge := body.Content.GetOrZero("application/merge-patch+json"); (merge != nil) != (r.Method == "PATCH") {
				t.Errorf("%s: merge patch: %v", r.ID, merge != nil)
			}
		}
		in.checkResponses(t, r, op)
	}
	for id := range all {
		t.Errorf("%s is documented and not served", id)
	}
}

func (in *installation) checkResponses(t *testing.T, r api.Route, op operation) {
	t.Helper()
	for status, response := range op.Responses.Codes.FromOldest() {
		if response.Description == "" || response.Description == http.StatusText(toInt(status)) {
			t.Errorf("%s: %s is described as %q", r.ID, status, response.Description)
		}
		for name, h := range response.Headers.FromOldest() {
			if h.Description == "" || h.Schema == nil {
				t.Errorf("%s: header %s of %s has no description or schema", r.ID, name, status)
			}
		}
		if _, ok := response.Headers.Get("X-Request-Id"); !ok && status != "304" {
			t.Errorf("%s: %s has no X-Request-Id", r.ID, status)
		}
		if response.Content == nil {
			if status != "204" && status != "304" {
				t.Errorf("%s: %s has no content", r.ID, status)
			}
			continue
		}
		if response.Content.GetOrZero("application/json").Example == nil {
			t.Errorf("%s: %s has no example", r.ID, status)
		}
	}
	for _, status := range []string{"401", "403"} {
		if _, ok := op.Responses.Codes.Get(status); ok != (r.Scope != "") {
			t.Errorf("%s: %s is documented: %v", r.ID, status, ok)
		}
	}
}

func toInt(status string) int {
	n, _ := strconv.Atoi(status)
	return n
}

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
	if a := in.ask("DELETE", "/v1/users/omar", "", "Authorization: Bearer "+secret); a.status != 204 && a.status != 404 {
		t.Fatal(a.status, a.body)
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

// TestAnswersMayGrow looks for what would keep fields from being added to an
// answer: a schema that is closed.
func TestAnswersMayGrow(t *testing.T) {
	d := documented(t).document(t)
	requests := map[string]bool{
		"NewStepsy": true, "NewStep": true, "StepsyChange": true, "StepChange": true, "ProfileChange": true, "NewAPIKey": true, "APIKeyChange": true,
		"Rotation": true, "NewUser": true, "UserChange": true, "LeakReport": true,
	}
	closed := map[string]bool{}
	for name, s := range d.model.Components.Schemas.FromOldest() {
		if more := s.Schema().AdditionalProperties; more != nil && more.IsB() && !more.B {
			closed[name] = true
		}
	}
	if !maps.Equal(closed, requests) {
		t.Errorf("closed are %v, want those of requests alone: %v", slices.Sorted(maps.Keys(closed)), slices.Sorted(maps.Keys(requests)))
	}
}
