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

	"github.com/stepsies/stepsies"
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
			Schemas: huma.NewMapRegistry("#/components/schemas/", schemaName),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				bearerAuth: {
					Type: "http", Scheme: "bearer", BearerFormat: "sk_ and 48 hexadecimal digits",
					Description: "An API key. Scopes: `read`, `write`, `admin`; admin includes the other two, write does not include read.",
				},
			},
		},
	}
}

// schemaNames are what generated clients will call the types that have no name of
// their own.
var schemaNames = map[string]string{
	"ApiError": "Error", "Problem": "ErrorProblem", "Me": "Profile", "UsedKey": "KeyInUse", "Meta": "PageMeta", "ChangedStep": "StepChange",
	"ListStepsiesAnswerBody": "StepsyList", "CreateStepsyInputBody": "NewStepsy", "UpdateStepsyInputBody": "StepsyChange",
	"UpdateMeInputBody": "ProfileChange", "CreatedKey": "CreatedAPIKey",
	"ListKeysAnswerBody": "APIKeyList", "CreateKeyInputBody": "NewAPIKey", "UpdateKeyInputBody": "APIKeyChange", "RotateKeyInputBody": "Rotation",
	"ListUsersAnswerBody": "UserList", "CreateUserInputBody": "NewUser", "UpdateUserInputBody": "UserChange",
	"LeakedKeysInputBody": "LeakReport", "LeakedKeysAnswerBody": "LeakReceipt",
}

// schemaDescriptions say what a type's fields cannot.
var schemaDescriptions = map[string]string{
	"Author":        "Who wrote it.",
	"Error":         "Every answer that is not a success.",
	"ErrorProblem":  "What is wrong with one field, named as you wrote it: `steps[2].title`.",
	"KeyInUse":      "The key that this request was made with.",
	"ListedStepsy":  "A stepsy in a list: without its steps, unless `include=steps` asks for them.",
	"Limits":        "How the account stands in each window; null where it has no limit.",
	"PageMeta":      "What a list says about itself.",
	"CreatedAPIKey": "A key with its secret, which is shown this once.",
}

func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	if better, ok := schemaNames[name]; ok {
		return better
	}
	return name
}

// descriptions say what an operation's summary cannot.
var descriptions = map[string]string{
	"list-stepsies":      "Your own stepsies, newest first, without their steps. A page costs the same at any depth.",
	"get-stepsy":         "Your own stepsies, and what others have published. Another user's draft does not exist for you.",
	"create-stepsy":      "All of it is stored or none of it. A slug that is made from the title gets a number where it is taken.",
	"update-stepsy":      "A JSON Merge Patch (RFC 7396): what is absent stays, null goes back to the default. `steps` replaces the whole list; a step with its `id` stays who it is. `status` is changed by publish and unpublish.",
	"delete-stepsy":      "Gone for the API and the public at once. It stays in its author's trash for 30 days.",
	"publish-stepsy":     "Needs at least one step. Doing it twice changes nothing.",
	"unpublish-stepsy":   "Makes it a draft again. Doing it twice changes nothing.",
	"get-me":             "Who you are, what your account may do, and which key this is.",
	"update-me":          "A JSON Merge Patch of your display name and bio.",
	"list-api-keys":      "Everyone's keys, newest first, the revoked ones too: a key is never removed from the list.",
	"create-api-key":     "The answer holds the key itself, this once. It is stored only as a hash, so nobody can show it again.",
	"update-api-key":     "Name, description, scopes and expiry. The secret never changes; a revoked key cannot be edited.",
	"revoke-api-key":     "The key is dead on every node when this returns, for good. Doing it twice changes nothing.",
	"rotate-api-key":     "Makes a successor with the same name, description, scopes and lifetime. The old key lives on for the grace period, so that nothing breaks while the new one is rolled out.",
	"list-users":         "Newest first.",
	"create-user":        "With an account of their own. A user made here has no password until one is set.",
	"update-user":        "A JSON Merge Patch. Suspending a user ends their keys and sessions at once. The last admin stays.",
	"delete-user":        "With all that the user owns, for good. The last admin stays.",
	"report-leaked-keys": "Asks for no key of its own: whoever holds a key can end it. Each reported key that is live is revoked at once, and its owner is told why and where it was found. The answer does not say which of them existed.",
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
		s.Description = schemaDescriptions[name]
		allowNull(s)
	}
	var err error
	if a.json, err = documentJSON(doc); err != nil {
		return fmt.Errorf("write the OpenAPI document: %w", err)
	}
	if a.yaml, err = doc.YAML(); err != nil {
		return fmt.Errorf("write the OpenAPI document: %w", err)
	}
	return nil
}

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
	if op.OperationID == "report-leaked-keys" {
		op.Servers = []*huma.Server{{URL: a.PublicURL}}
	}
	scope := scopeOf(op)
	if scope != noScope {
		op.Description = "Needs the scope `" + string(scope) + "`. " + op.Description
	}
	for _, p := range op.Parameters {
		p.Schema.Description = "" // stands in the parameter already
		if len(p.Schema.Examples) > 0 {
			p.Example, p.Schema.Examples = p.Schema.Examples[0], nil
		}
	}
	if op.OperationID == "get-stepsy" {
		op.Responses["304"] = &huma.Response{
			Headers: map[string]*huma.Header{"ETag": op.Responses["200"].Headers["ETag"]},
		}
	}
	for status, response := range op.Responses {
		code, _ := strconv.Atoi(status)
		if code < http.StatusBadRequest {
			response.Description = successDescription(op, code)
			a.describeSuccess(op, scope, response)
		} else if name := errorNames[code]; slices.Contains(errorStatuses(op.Method, op.Path, scope), code) {
			op.Responses[status] = &huma.Response{Ref: "#/components/responses/" + name}
		} else {
			delete(op.Responses, status) // huma's own idea
		}
	}
	if op.RequestBody != nil {
		media := op.RequestBody.Content["application/json"]
		media.Example = requestExamples[op.OperationID]
		if op.Method == http.MethodPatch {
			op.RequestBody.Content["application/merge-patch+json"] = media
		}
	}
}

func successDescription(op *huma.Operation, code int) string {
	switch {
	case code == http.StatusNotModified:
		return "It has not changed since the version that `If-None-Match` names."
	case code == http.StatusCreated:
		return "It is made. `Location` says where it is."
	case code == http.StatusAccepted:
		return "The report is received, and those of the keys that were live are dead."
	case code == http.StatusNoContent:
		return "It is gone."
	case strings.HasPrefix(op.OperationID, "list-"):
		return "A page of the list. Follow `Link`, or give `next_cursor` as `cursor`, to get the next one."
	}
	return "The thing as it is now."
}

func (a *API) describeSuccess(op *huma.Operation, scope stepsies.Scope, response *huma.Response) {
	if media := response.Content["application/json"]; media != nil {
		a.allowMore(media.Schema)
		media.Example = responseExamples[op.OperationID]
	}
	described := map[string]*huma.Header{"X-Request-Id": {Ref: headerRef + "X-Request-Id"}}
	if scope != noScope {
		for _, name := range limitHeaders {
			described[name] = &huma.Header{Ref: headerRef + name}
		}
	}
	writes := op.Method == http.MethodPost || op.Method == http.MethodPatch
	for name, h := range response.Headers {
		if name == "Idempotency-Replayed" && !writes || name == "Location" && op.DefaultStatus != http.StatusCreated {
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

// Document is the OpenAPI document in JSON, which the pages of the documentation
// are made of. It is not to be changed.
func (a *API) Document() []byte { return a.json }

func (a *API) serveDocument(mediaType string, text *[]byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		w.Header().Set("Access-Control-Allow-Origin", "*") // public, and read by tools in browsers
		_, _ = w.Write(*text)
	}
}
