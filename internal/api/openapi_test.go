package api_test

import (
	"flag"
	"fmt"
	"maps"
	"net/http"
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

	"github.com/stepsies/stepsies"
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

// TestHeadersOfRefusalsAreDocumented asks as an account with limits, whose every
// answer says how it stands.
func TestHeadersOfRefusalsAreDocumented(t *testing.T) {
	in := open(t, "", func(c *server.Config) { c.PublicURL, c.RateLimits = api.DefaultPublicURL, true })
	w := in.world(t)
	w.get("draft")
	plan := "pro"
	w.changeAccount("author", stepsies.AccountChange{Plan: &plan})
	all := in.document(t).operations()
	for _, c := range []struct{ operation, as, body, header string }{
		{"get-me", "", "", ""},
		{"get-me", "writer", "", ""},
		{"get-me", "reader", "", ""},
		{"list-stepsies", "reader", "", ""},
		{"create-stepsy", "writer", `{"title":""}`, ""},
		{"create-stepsy", "writer", `{`, ""},
		{"create-stepsy", "writer", `{}`, "Content-Type: text/plain"},
		{"create-stepsy", "writer", padded(`{}`, twoMiB+1), ""},
		{"delete-stepsy", "writer", "", `If-Match: "0.0"`},
		{"get-stepsy", "reader", "", "If-None-Match: " + w.get("draft.etag")},
		{"get-stepsy", "reader", "", ""},
	} {
		op := all[c.operation]
		header := []string{"Authorization: Bearer none"}
		if c.as != "" {
			header[0] = w.bearer(c.as)
		}
		if c.header != "" {
			header = append(header, c.header)
		}
		a := in.ask(op.method, strings.ReplaceAll(op.path, "{id}", w.get("draft")), c.body, header...)
		response := op.Responses.Codes.GetOrZero(strconv.Itoa(a.status))
		if response == nil {
			t.Errorf("%s: %d is not documented", c.operation, a.status)
			continue
		}
		// For every answer alike, and for HTTP's own software to read.
		documented := []string{"Content-Type", "Content-Length", "Cache-Control", "Vary"}
		for name := range response.Headers.FromOldest() {
			documented = append(documented, http.CanonicalHeaderKey(name))
		}
		for name := range a.header {
			if !slices.Contains(documented, name) {
				t.Errorf("%s: %d came with %s, which is not documented", c.operation, a.status, name)
			}
		}
		if limited := a.header.Get("X-Ratelimit-Limit") != ""; limited != (a.status != http.StatusUnauthorized) {
			t.Errorf("%s: %d has a limit: %v", c.operation, a.status, limited)
		}
	}
}
