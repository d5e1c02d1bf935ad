package api

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
)

// documented returns the operations as the document describes them.
func documented(t *testing.T) (schemas huma.Registry, all []*huma.Operation) {
	t.Helper()
	a, err := New(Config{PublicURL: DefaultPublicURL})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range a.huma.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Patch, item.Delete} {
			if op != nil {
				all = append(all, op)
			}
		}
	}
	return a.huma.OpenAPI().Components.Schemas, all
}

// TestNothingIsForgottenOfAnOperation looks at every operation for what it does not say.
func TestNothingIsForgottenOfAnOperation(t *testing.T) {
	_, all := documented(t)
	ids, routes := map[string]bool{}, map[string]bool{}
	for _, op := range all {
		o := operationOf(op)
		for what, missing := range map[string]bool{
			"an id of its own":         o.id == "" || ids[o.id],
			"a route of its own":       routes[o.route],
			"a tag":                    o.tag == "",
			"a summary":                o.summary == "",
			"a description":            o.description == "",
			"a status":                 http.StatusText(o.status) == "",
			"words for its answer":     o.answer == "",
			"either a scope or open":   (o.scope == "") == (o.open == nil),
			"a name for what {id} is":  o.thing == "" && strings.Contains(o.route, "{id}"),
			"an example of its answer": (o.response == nil) != (o.status == http.StatusNoContent),
			"an example of its body":   (o.request == nil) != (op.RequestBody == nil),
			"a 404 for what it names":  strings.Contains(o.route, "{") && op.Responses["404"] == nil,
		} {
			if missing {
				t.Errorf("%s (%s) lacks %s", o.id, o.route, what)
			}
		}
		ids[o.id], routes[o.route] = true, true
	}
	if len(all) != len(operations) {
		t.Errorf("%d operations are documented, %d listed", len(all), len(operations))
	}
}

// TestEveryOperationIsListed finds operations that nobody serves: values that have no
// line in operations.
func TestEveryOperationIsListed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var list, source strings.Builder
	for _, name := range files {
		text, err := os.ReadFile(name)
		switch {
		case err != nil:
			t.Fatal(err)
		case name == "api.go":
			list.Write(text)
		case !strings.HasSuffix(name, "_test.go"):
			source.Write(text)
		}
	}
	values := regexp.MustCompile(`(?m)^var (\w+) = serve\(`).FindAllStringSubmatch(source.String(), -1)
	for _, v := range values {
		if !strings.Contains(list.String(), "\n\t"+v[1]+",\n") {
			t.Errorf("%s has no line in operations", v[1])
		}
	}
	if len(values) != len(operations) {
		t.Errorf("found %d operations, %d are listed", len(values), len(operations))
	}
}

// kindsOf are huma's sentences that a schema can meet.
func kindsOf(t *testing.T, schemas huma.Registry, s *huma.Schema, kinds map[*string]bool) {
	t.Helper()
	if s.Ref != "" {
		s = schemas.SchemaFromRef(s.Ref)
	}
	typeKind, ok := map[string]*string{
		huma.TypeString: &validation.MsgExpectedString, huma.TypeBoolean: &validation.MsgExpectedBoolean, huma.TypeInteger: &validation.MsgExpectedInteger,
		huma.TypeArray: &validation.MsgExpectedArray, huma.TypeObject: &validation.MsgExpectedObject,
	}[s.Type]
	if !ok {
		t.Errorf("this test does not know the type %q", s.Type)
	}
	kinds[typeKind] = true
	for kind, there := range map[*string]bool{
		&validation.MsgExpectedOneOf:            len(s.Enum) > 0,
		&validation.MsgExpectedMinimumNumber:    s.Minimum != nil,
		&validation.MsgExpectedMaximumNumber:    s.Maximum != nil,
		&validation.MsgExpectedMaxLength:        s.MaxLength != nil,
		&validation.MsgExpectedMinItems:         s.MinItems != nil,
		&validation.MsgExpectedMaxItems:         s.MaxItems != nil,
		&validation.MsgExpectedBePattern:        s.PatternDescription != "",
		&validation.MsgExpectedRequiredProperty: len(s.Required) > 0,
		&validation.MsgUnexpectedProperty:       s.AdditionalProperties == false,
		&validation.MsgExpectedRFC3339DateTime:  s.Format == "date-time",
		&validation.MsgExpectedRFC5322Email:     s.Format == "email",
	} {
		if there {
			kinds[kind] = true
		}
	}
	known := map[string]bool{"": true, "date-time": true, "email": true, "int64": true}
	odd := s.ExclusiveMinimum != nil || s.ExclusiveMaximum != nil || s.MultipleOf != nil || s.MinLength != nil || s.UniqueItems || s.MinProperties != nil ||
		s.MaxProperties != nil || len(s.DependentRequired) > 0 || s.OneOf != nil || s.AnyOf != nil || s.AllOf != nil || s.Not != nil || s.Pattern != "" && s.PatternDescription == ""
	if odd || !known[s.Format] {
		t.Errorf("this test does not know what huma says of %+v", s)
	}
	if s.Items != nil {
		kindsOf(t, schemas, s.Items, kinds)
	}
	for _, p := range s.Properties {
		kindsOf(t, schemas, p, kinds)
	}
}

// TestEverySentenceOfASchemaIsOurs compares what the schemas of requests can have huma
// say with what has words of ours: neither more nor less.
func TestEverySentenceOfASchemaIsOurs(t *testing.T) {
	schemas, all := documented(t)
	kinds := map[*string]bool{}
	for _, op := range all {
		if op.RequestBody != nil {
			kindsOf(t, schemas, op.RequestBody.Content["application/json"].Schema, kinds)
		}
		for _, p := range op.Parameters {
			kindsOf(t, schemas, p.Schema, kinds)
		}
	}
	for _, s := range sayings {
		if !kinds[s.huma] {
			t.Errorf("no request can meet %q", s.words)
		}
		if *s.huma != s.words {
			t.Errorf("huma says %q, want %q", *s.huma, s.words)
		}
		delete(kinds, s.huma)
	}
	for kind := range kinds {
		t.Errorf("%q has no words of ours", *kind)
	}
}

// TestSentencesArePlain looks at what the table makes of numbers, and of what a parser
// of the library said.
func TestSentencesArePlain(t *testing.T) {
	for _, c := range []struct {
		format string
		arg    any
		want   string
	}{
		{"must be at most %v", 2592000.0, "must be at most 2592000"},
		{"must be at most %v", 0.5, "must be at most 0.5"},
		{"must be an e-mail address", http.ErrBodyNotAllowed, "must be an e-mail address"},
	} {
		if got := formatFinding(c.format, c.arg); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
