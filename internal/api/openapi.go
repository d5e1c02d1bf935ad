package api

//go:generate go test -count=1 -run ^TestOpenAPIGolden$ . -update

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const bearerAuth = "bearerAuth"

// Tags group the operations of the documentation.
const (
	tagStepsies = "Stepsies"
	tagProfile  = "Profile"
	tagKeys     = "API keys"
	tagUsers    = "Users"
)

// DefaultPublicURL is the address in the document where no other is configured.
const DefaultPublicURL = "https://api.stepsies.com"

func openAPI() *huma.OpenAPI {
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title:   "Stepsies API",
			Version: "1.0.0",
			Description: "Read and write step-by-step guides.\n\n" +
				"- Every request carries an API key: `Authorization: Bearer sk_…`.\n" +
				"- Within v1 fields and operations are added, never renamed, removed or given another type: ignore what you don't know.\n" +
				"- The server refuses what it doesn't know, in the query and in bodies.\n" +
				"- Times are RFC 3339 in UTC with whole seconds. Bodies have at most 2 MiB.\n" +
				"- Send an `X-Request-Id` of 1 to 128 letters, digits, dots, hyphens and underscores to find your request in the log; every answer carries one.",
			License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		Tags: []*huma.Tag{
			{Name: tagStepsies, Description: "Step-by-step guides: list, read, write and publish them."},
			{Name: tagProfile, Description: "The user whose key it is, and how their account stands against its limits."},
			{Name: tagKeys, Description: "Keys let programs act as a user, within their scopes. An admin makes, changes, rotates and revokes everyone's; anyone reports keys that leaked."},
			{Name: tagUsers, Description: "Those who write stepsies and hold keys, with their plan and their limits."},
		},
		Components: &huma.Components{
			Schemas: huma.NewMapRegistry(schemaRef, huma.DefaultSchemaNamer),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				bearerAuth: {
					Type: "http", Scheme: "bearer", BearerFormat: "sk_ and 48 hexadecimal digits",
					Description: "An API key. Scopes: `read`, `write`, `admin`; admin includes the other two, write does not include read.",
				},
			},
		},
	}
}

// describe finishes the document with what huma cannot derive, and keeps it as it
// will be served.
func (a *API) describe() error {
	doc := a.huma.OpenAPI()
	doc.Servers = []*huma.Server{{URL: a.PublicURL + basePath}}
	doc.Components.Headers = answerHeaders
	doc.Components.Responses = errorResponses()
	a.allowMore(&huma.Schema{Ref: errorRef})
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Patch, item.Delete} {
			if op != nil {
				a.describeOperation(op)
			}
		}
	}
	for name, s := range doc.Components.Schemas.Map() {
		t := doc.Components.Schemas.TypeFromRef(schemaRef + name)
		if d, ok := reflect.Zero(t).Interface().(described); ok {
			s.Description = d.about()
		}
		allowNull(s)
		for _, field := range s.Properties {
			if said := field.PatternDescription; said != "" { // no keyword of JSON Schema
				field.PatternDescription = ""
				defer func() { field.PatternDescription = said }()
			}
		}
	}
	text, err := documentJSON(doc)
	if err != nil {
		return fmt.Errorf("write the OpenAPI document: %w", err)
	}
	a.document["/openapi.json"] = newDocument(text)
	if text, err = doc.YAML(); err != nil {
		return fmt.Errorf("write the OpenAPI document: %w", err)
	}
	a.document["/openapi.yaml"] = newDocument(text)
	for _, s := range doc.Components.Schemas.Map() {
		for _, field := range s.Properties {
			if field.Format == "date-time" {
				field.Format = "" // huma refuses times in small letters, see stepsies.ParseTime
			}
		}
	}
	return nil
}

// described is a type whose fields do not say all that a schema should.
type described interface{ about() string }

func documentJSON(doc *huma.OpenAPI) ([]byte, error) {
	text, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, text, "", "  "); err != nil {
		return nil, err
	}
	// People read it, and it holds HTML.
	plain := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(indented.String())
	return []byte(plain + "\n"), nil
}

// allowNull puts null among the values of every enum that may be null: JSON Schema
// wants a value to fit both.
func allowNull(s *huma.Schema) {
	if s.Nullable && len(s.Enum) > 0 && !slices.Contains(s.Enum, nil) {
		s.Enum = append(s.Enum, nil)
	}
	for _, p := range s.Properties {
		allowNull(p)
	}
}

// allowMore says that an answer may have fields that are not described yet: within
// v1 they are added, and clients must not stumble over them.
func (a *API) allowMore(s *huma.Schema) {
	if s == nil {
		return
	}
	if s.Ref != "" {
		s = a.huma.OpenAPI().Components.Schemas.SchemaFromRef(s.Ref)
	}
	if closed, ok := s.AdditionalProperties.(bool); ok && !closed {
		s.AdditionalProperties = nil
	}
	a.allowMore(s.Items)
	for _, p := range s.Properties {
		a.allowMore(p)
	}
}

func (a *API) describeOperation(op *huma.Operation) {
	o := operationOf(op)
	if o.scope != "" {
		op.Description = "Needs the scope `" + string(o.scope) + "`. " + op.Description
	}
	for _, p := range op.Parameters {
		p.Schema.Description = "" // stands in the parameter already
		if len(p.Schema.Examples) > 0 {
			p.Example, p.Schema.Examples = p.Schema.Examples[0], nil
		}
	}
	failures := o.failures()
	for status, response := range op.Responses {
		code, _ := strconv.Atoi(status)
		if code < http.StatusBadRequest {
			a.describeSuccess(o, response)
		} else if slices.Contains(failures, code) {
			op.Responses[status] = &huma.Response{Ref: "#/components/responses/" + errorNames[code]}
		} else {
			delete(op.Responses, status) // huma's own idea
		}
	}
	if o.notModified {
		op.Responses["304"] = &huma.Response{
			Description: "It has not changed since the version that `If-None-Match` names.",
			Headers:     op.Responses[strconv.Itoa(o.status)].Headers,
		}
	}
	if op.RequestBody != nil {
		media := op.RequestBody.Content["application/json"]
		media.Example = o.request
		if op.Method == http.MethodPatch {
			op.RequestBody.Content["application/merge-patch+json"] = media
		}
		o.missing = missingFields(a.huma.OpenAPI().Components.Schemas, media.Schema)
	}
}

func (a *API) describeSuccess(o *operation, response *huma.Response) {
	response.Description = o.answer
	if media := response.Content["application/json"]; media != nil {
		a.allowMore(media.Schema)
		media.Example = o.response
	}
	described := map[string]*huma.Header{"X-Request-Id": {Ref: headerRef + "X-Request-Id"}}
	if o.scope != "" {
		for _, name := range limitHeaders {
			described[name] = &huma.Header{Ref: headerRef + name}
		}
	}
	for name, h := range response.Headers {
		if name == "Idempotency-Replayed" && !o.writes() || name == "Location" && o.status != http.StatusCreated {
			continue // a type of answer that several operations share
		}
		if h.Schema != nil && h.Schema.Description != "" {
			h.Description = h.Schema.Description
			h.Schema = &huma.Schema{Type: h.Schema.Type, Format: h.Schema.Format}
		}
		described[name] = h
	}
	response.Headers = described
}
