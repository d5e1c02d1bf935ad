package docs

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// document is what the reference needs of an OpenAPI 3.1 document.
type document struct {
	Info       struct{ Description, Version string }
	Servers    []server
	Tags       []tag
	Paths      map[string]map[string]*operation
	Components struct {
		Schemas   map[string]*schema
		Responses map[string]*response
	}
	operations []*operation // of Paths, in reading order
}

type server struct{ URL string }

type tag struct{ Name, Description string }

type operation struct {
	OperationID string
	Summary     string
	Description string
	Tags        []string
	Parameters  []parameter
	RequestBody *struct {
		Content map[string]media
	}
	Responses map[string]*response
	Security  []map[string][]string
	Servers   []server

	method, path string
}

type parameter struct {
	Name, In, Description string
	Required              bool
	Schema                *schema
	Example               any
}

type response struct {
	Ref         string `json:"$ref"`
	Description string
	Content     map[string]media
	Headers     map[string]json.RawMessage
}

type media struct {
	Schema  *schema
	Example json.RawMessage
}

type schema struct {
	Ref         string `json:"$ref"`
	Type        types
	Format      string
	Description string
	Enum        []any
	Default     any
	Minimum     *float64
	Maximum     *float64
	MaxLength   *int
	Items       *schema
	Properties  map[string]*schema
	Required    []string
}

// types is one type or several, as JSON Schema allows.
type types []string

func (t *types) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*t = types{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(t))
}

const jsonType = "application/json"

// methods in reading order.
var methods = []string{"get", "post", "patch", "delete"}

func parseDocument(text []byte) (*document, error) {
	d := &document{}
	if err := json.Unmarshal(text, d); err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	if len(d.Servers) == 0 || len(d.Tags) == 0 {
		return nil, fmt.Errorf("the OpenAPI document names no server or no groups of operations")
	}
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for _, m := range methods {
			if op := d.Paths[path][m]; op != nil {
				op.method, op.path = strings.ToUpper(m), path
				d.operations = append(d.operations, op)
			}
		}
	}
	return d, nil
}

// scope is what a key needs for the operation, "" where it needs no key.
func (op *operation) scope() string {
	for _, s := range op.Security {
		for _, scopes := range s {
			if len(scopes) > 0 {
				return scopes[0]
			}
		}
	}
	return ""
}

// address is where the operation answers, with an example in the place of each
// parameter of its path.
func (d *document) address(op *operation) string {
	path := op.path
	for _, p := range op.Parameters {
		if p.In == "path" {
			path = strings.ReplaceAll(path, "{"+p.Name+"}", fmt.Sprint(p.Example))
		}
	}
	return d.server(op) + path
}

func (d *document) server(op *operation) string {
	if len(op.Servers) > 0 {
		return op.Servers[0].URL
	}
	return d.Servers[0].URL
}

// route is the operation as its path is served, without the host.
func (d *document) route(op *operation) string {
	rest := d.server(op)
	if _, after, ok := strings.Cut(rest, "://"); ok {
		rest = after
	}
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		return rest[i:] + op.path
	}
	return op.path
}

// named returns the name of the schema that a reference leads to, "" for none.
func named(s *schema) string {
	if s == nil {
		return ""
	}
	return strings.TrimPrefix(s.Ref, "#/components/schemas/")
}

// follow returns the schema itself where s is a reference to it.
func (d *document) follow(s *schema) *schema {
	if name := named(s); name != "" && d.Components.Schemas[name] != nil {
		return d.Components.Schemas[name]
	}
	return s
}

// fields lists the properties of an object: the required ones first, in the order
// in which the document names them.
func (s *schema) fields() []string {
	var names []string
	for _, n := range s.Required {
		if s.Properties[n] != nil {
			names = append(names, n)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(s.Properties)) {
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

// errorOf is the failure that a response stands for.
func (d *document) errorOf(r *response) (name, code string) {
	name = strings.TrimPrefix(r.Ref, "#/components/responses/")
	shared := d.Components.Responses[name]
	if shared == nil {
		return "", ""
	}
	var example struct{ Error struct{ Code string } }
	if json.Unmarshal(shared.Content[jsonType].Example, &example) != nil {
		return "", ""
	}
	return name, example.Error.Code
}

// errorExample is the body of a failure by its code.
func (d *document) errorExample(code string) (string, error) {
	for _, r := range d.Components.Responses {
		example := r.Content[jsonType].Example
		var e struct{ Error struct{ Code string } }
		if json.Unmarshal(example, &e) == nil && e.Error.Code == code {
			return indented(example), nil
		}
	}
	return "", fmt.Errorf("the OpenAPI document has no example of %s", code)
}
