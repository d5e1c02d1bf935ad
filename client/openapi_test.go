package client_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies/client"
)

// document is what these tests want to know of an OpenAPI document.
type document struct {
	Paths      map[string]map[string]documented
	Components struct{ Schemas map[string]*schema }
}

type documented struct {
	OperationID string
	Servers     []struct{ URL string }
	Parameters  []struct {
		Name, In string
		Schema   *schema
	}
	RequestBody struct{ Content map[string]media }
	Responses   map[string]struct{ Content map[string]media }
}

type media struct{ Schema *schema }

type schema struct {
	Ref        string `json:"$ref"`
	Type       any    // a string or a list of them
	Format     string
	Pattern    string
	Enum       []any
	Properties map[string]*schema
	Required   []string
	Items      *schema
}

func readDocument(t *testing.T) *document {
	t.Helper()
	text, err := os.ReadFile("../internal/api/testdata/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc document
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	return &doc
}

// follow returns the schema that a reference means.
func (doc *document) follow(t *testing.T, s *schema) *schema {
	t.Helper()
	for s != nil && s.Ref != "" {
		name := strings.TrimPrefix(s.Ref, "#/components/schemas/")
		if s = doc.Components.Schemas[name]; s == nil {
			t.Fatalf("the document has no schema %s", name)
		}
	}
	if s == nil {
		t.Fatal("the document has no schema where one is due")
	}
	return s
}

// kind returns the type of a schema and whether it may be null.
func (s *schema) kind() (name string, null bool) {
	switch v := s.Type.(type) {
	case string:
		return v, false
	case []any:
		for _, one := range v {
			if one == "null" {
				null = true
				continue
			}
			name += fmt.Sprint(one)
		}
	}
	return name, null
}

// TestOperationsAreThoseOfTheDocument compares the operations one by one: what
// there is, what it is sent and what comes back.
func TestOperationsAreThoseOfTheDocument(t *testing.T) {
	doc := readDocument(t)
	constants := declaredConstants(t)
	left := map[string]documented{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			base := "/v1" // of the document's servers
			if len(op.Servers) > 0 {
				base = ""
			}
			left[strings.ToUpper(method)+" "+base+path] = op
		}
	}
	cases := stepsyCalls()
	maps.Copy(cases, keyCalls())
	maps.Copy(cases, userCalls())
	for _, op := range client.Operations() {
		t.Run(op.Name, func(t *testing.T) {
			in, ok := left[op.Method+" "+op.Path]
			if !ok {
				t.Fatalf("%s %s is not in the document", op.Method, op.Path)
			}
			delete(left, op.Method+" "+op.Path)
			c := comparison{t, doc, constants, true}
			c.parameters(op, in, cases[op.Name])
			c.bodies(op, in, cases[op.Name])
		})
	}
	for name, op := range left {
		t.Errorf("the SDK has no %s (%s)", name, op.OperationID)
	}
}

// comparison compares types of the SDK with schemas of the document.
type comparison struct {
	t         *testing.T
	doc       *document
	constants map[string][]string // of each type, their values
	answer    bool                // what the server sends, and not what it is sent
}

// parameters compares what the operation can be sent beside its body. The cases
// of TestEveryOperation give every parameter that there is, and there they are
// compared with what was sent.
func (c comparison) parameters(op client.Operation, in documented, sent operationCase) {
	method, _ := reflect.TypeFor[*client.Client]().MethodByName(op.Name)
	options := method.Type.IsVariadic() && method.Type.In(method.Type.NumIn()-1) == reflect.TypeFor[[]client.CallOption]()
	query, err := url.ParseQuery(sent.query)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, p := range in.Parameters {
		switch p.In {
		case "query":
			if !query.Has(p.Name) {
				c.t.Errorf("the parameter %s cannot be sent, or has no case", p.Name)
			}
			query.Del(p.Name)
			if typ, ok := map[string]reflect.Type{"status": reflect.TypeFor[client.Status](), "sort": reflect.TypeFor[client.Sort]()}[p.Name]; ok {
				c.text(p.Name, typ, p.Schema)
			}
		case "path":
			if !strings.Contains(op.Path, "{"+p.Name+"}") {
				c.t.Errorf("the path has no %s", p.Name)
			}
		case "header": // TestConditionalRequests and others see them sent
			if !options || !slices.Contains([]string{"Idempotency-Key", "If-Match", "If-None-Match"}, p.Name) {
				c.t.Errorf("the header %s cannot be sent", p.Name)
			}
		}
	}
	if len(query) > 0 {
		c.t.Errorf("these parameters are sent and not in the document: %v", query)
	}
}

func (c comparison) bodies(op client.Operation, in documented, sent operationCase) {
	method, _ := reflect.TypeFor[*client.Client]().MethodByName(op.Name)
	if body, ok := in.RequestBody.Content["application/json"]; ok {
		given := method.Type.In(method.Type.NumIn() - 2) // before the options
		switch op.Name {
		case "RotateAPIKey", "ReportLeakedKeys": // their bodies are no types of the SDK
			c.sentFields(sent.body, body.Schema)
		default:
			in := c
			in.answer = false
			in.compare(given.Name(), given, body.Schema)
		}
	} else if sent.body != "" {
		c.t.Errorf("a body is sent where the document has none: %s", sent.body)
	}
	for status, response := range in.Responses {
		body, ok := response.Content["application/json"]
		if status[0] != '2' || !ok || op.Name == "ReportLeakedKeys" {
			continue
		}
		returned := method.Type.Out(0).Elem()
		c.compare(returned.Name(), returned, body.Schema)
	}
}

// sentFields compares the names in a body with those of its schema.
func (c comparison) sentFields(body string, s *schema) {
	var fields map[string]any
	if err := json.Unmarshal([]byte(body), &fields); err != nil {
		c.t.Fatal(err)
	}
	got, want := slices.Sorted(maps.Keys(fields)), slices.Sorted(maps.Keys(c.doc.follow(c.t, s).Properties))
	if !slices.Equal(got, want) {
		c.t.Errorf("the body has the fields %v, the document %v", got, want)
	}
}

// field is one field of a struct as JSON sees it.
type field struct {
	typ      reflect.Type
	omitzero bool
}

func jsonFields(typ reflect.Type) map[string]field {
	fields := map[string]field{}
	for _, f := range reflect.VisibleFields(typ) {
		tag := f.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		if tag == "" || name == "-" || !f.IsExported() {
			continue
		}
		fields[name] = field{f.Type, options == "omitzero"}
	}
	return fields
}

// optional returns what an Optional holds.
func optional(typ reflect.Type) (reflect.Type, bool) {
	get, ok := typ.MethodByName("Get")
	if !ok || !strings.HasPrefix(typ.Name(), "Optional[") {
		return typ, false
	}
	return get.Type.Out(0), true
}

// nullAsZero are the fields that are null in the document and not a pointer in
// the SDK, since their zero value says the same.
var nullAsZero = []string{"PageMeta.next_cursor"}

// compare compares a type with a schema, field by field and down to the leaves.
func (c comparison) compare(where string, typ reflect.Type, s *schema) {
	s = c.doc.follow(c.t, s)
	kind, null := s.kind()
	if inner, ok := optional(typ); ok {
		if !null || c.answer {
			c.t.Errorf("%s is Optional, and not null in the document", where)
		}
		typ = inner
	} else if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	} else if null && c.answer && !slices.ContainsFunc(nullAsZero, func(end string) bool { return strings.HasSuffix(where, end) }) {
		c.t.Errorf("%s may be null and is %s", where, typ)
	}
	switch kind {
	case "object":
		c.object(where, typ, s)
	case "array":
		if typ.Kind() != reflect.Slice {
			c.t.Errorf("%s is %s and not a slice", where, typ)
			return
		}
		c.compare(where+"[]", typ.Elem(), s.Items)
	case "string":
		c.text(where, typ, s)
	default:
		kinds := map[string][]reflect.Kind{"integer": {reflect.Int64, reflect.Int}, "number": {reflect.Float64}, "boolean": {reflect.Bool}}
		if !slices.Contains(kinds[kind], typ.Kind()) {
			c.t.Errorf("%s is %s, in the document %s", where, typ, kind)
		}
	}
}

func (c comparison) object(where string, typ reflect.Type, s *schema) {
	if typ.Kind() != reflect.Struct {
		c.t.Errorf("%s is %s and not a struct", where, typ)
		return
	}
	fields := jsonFields(typ)
	for name, property := range s.Properties {
		f, ok := fields[name]
		if !ok {
			c.t.Errorf("%s has no field for %s", where, name)
			continue
		}
		delete(fields, name)
		if required := slices.Contains(s.Required, name); !c.answer && !required && !f.omitzero && !c.sameAsAbsent(f, property) {
			c.t.Errorf("%s.%s is sent even when it is not given", where, name)
		} else if !c.answer && required && f.omitzero && f.typ.Kind() != reflect.Slice { // nil would be null
			c.t.Errorf("%s.%s is required and left out when it is zero", where, name)
		}
		c.compare(typ.Name()+"."+name, f.typ, property)
	}
	// A Stepsy is a Stepsy in lists, too; StepInput is one in a new and in a changed
	// stepsy, where alone a step has an id.
	if !c.answer && where == "NewStepsy.steps[]" {
		delete(fields, "id")
	}
	for name := range fields {
		c.t.Errorf("%s.%s is not in the document", where, name)
	}
}

// sameAsAbsent reports whether the zero value of a field says what its absence
// does: null of a pointer, and the empty text of a step.
func (c comparison) sameAsAbsent(f field, s *schema) bool {
	_, null := c.doc.follow(c.t, s).kind()
	return null && (f.typ.Kind() == reflect.Pointer || f.typ.Kind() == reflect.String)
}

// openText are the fields that are one of a list of values in the document and a
// plain string in the SDK.
var openText = []string{".category", "APIKey.revoked_reason", "CreatedKey.revoked_reason"}

func (c comparison) text(where string, typ reflect.Type, s *schema) {
	want := reflect.TypeFor[string]()
	switch {
	case s.Format == "date-time":
		want = reflect.TypeFor[time.Time]()
	case strings.HasPrefix(s.Pattern, "^sk_"):
		want = reflect.TypeFor[client.Secret]()
	case len(s.Enum) > 0 && !slices.ContainsFunc(openText, func(end string) bool { return strings.HasSuffix(where, end) }):
		var values []string
		for _, v := range s.Enum {
			if v != nil {
				values = append(values, fmt.Sprint(v))
			}
		}
		slices.Sort(values)
		if got := c.constants[typ.Name()]; !slices.Equal(got, values) {
			c.t.Errorf("%s is %s with the constants %v, in the document one of %v", where, typ, got, values)
		}
		return
	}
	if typ != want {
		c.t.Errorf("%s is %s and not %s", where, typ, want)
	}
}

// declaredConstants returns the string constants of each type, in order.
func declaredConstants(t *testing.T) map[string][]string {
	t.Helper()
	values := map[string][]string{}
	for _, name := range []string{"apikeys.go", "errors.go", "stepsies.go", "users.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || spec.Type == nil || len(spec.Values) != 1 {
				return true
			}
			typ, isName := spec.Type.(*ast.Ident)
			literal, isText := spec.Values[0].(*ast.BasicLit)
			if isName && isText && literal.Kind == token.STRING {
				value, _ := strconv.Unquote(literal.Value)
				values[typ.Name] = append(values[typ.Name], value)
			}
			return true
		})
	}
	for _, list := range values {
		slices.Sort(list)
	}
	return values
}

// TestErrorsAreThoseOfTheDocument compares the codes and the fields of an error.
func TestErrorsAreThoseOfTheDocument(t *testing.T) {
	doc := readDocument(t)
	detail := doc.Components.Schemas["ErrorDetail"]
	codes := []string{string(client.ErrUnexpectedAnswer)} // is the SDK's own
	for _, code := range detail.Properties["code"].Enum {
		codes = append(codes, fmt.Sprint(code))
	}
	slices.Sort(codes)
	if got := declaredConstants(t)["Code"]; !slices.Equal(got, codes) {
		t.Errorf("the codes are %v, in the document %v", got, codes)
	}
	// TestErrorFields sees each of them read.
	if got := slices.Sorted(maps.Keys(detail.Properties)); !slices.Equal(got, []string{"code", "details", "message", "request_id", "retry_after"}) {
		t.Errorf("an error of the document has the fields %v", got)
	}
	c := comparison{t, doc, nil, true}
	c.compare("Detail", reflect.TypeFor[client.Detail](), detail.Properties["details"].Items)
}
