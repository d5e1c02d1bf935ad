package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
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
			Description: "Read and write step-by-step guides. Every request carries an API key: `Authorization: Bearer sk_…`. " +
				"Within v1 fields and operations are added, never renamed, removed or given another type.",
			License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		Tags: []*huma.Tag{
			{Name: tagStepsies, Description: "Step-by-step guides."},
			{Name: tagProfile, Description: "Whoever the key belongs to."},
			{Name: tagKeys, Description: "Keys let programs act as a user, limited to their scopes."},
			{Name: tagUsers, Description: "User management, for the scope admin."},
		},
		Components: &huma.Components{
			Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				bearerAuth: {
					Type: "http", Scheme: "bearer", BearerFormat: "sk_ and 48 hexadecimal digits",
					Description: "An API key. Scopes: `read`, `write`, `admin`; admin includes the other two, write does not include read.",
				},
			},
		},
	}
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

// errorStatuses are the failures that an operation documents.
func errorStatuses(method, path string, scope stepsies.Scope) []int {
	statuses := []int{http.StatusBadRequest}
	if scope != noScope {
		statuses = append(statuses, http.StatusUnauthorized, http.StatusForbidden)
	}
	if strings.Contains(path, "{") || method == http.MethodGet || strings.HasPrefix(path, "/me") || method == http.MethodPost && scope != noScope {
		statuses = append(statuses, http.StatusNotFound)
	}
	if method == http.MethodPost || method == http.MethodPatch {
		statuses = append(statuses, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity)
		if scope != noScope {
			statuses = append(statuses, http.StatusConflict)
		}
	}
	if method == http.MethodDelete && strings.HasPrefix(path, "/users") {
		statuses = append(statuses, http.StatusConflict)
	}
	if path == "/stepsies/{id}" && method == http.MethodPatch {
		statuses = append(statuses, http.StatusPreconditionFailed)
	}
	return append(statuses, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable)
}

// describe finishes the document with what huma cannot derive, and keeps it as it
// will be served.
func (a *API) describe() error {
	doc := a.huma.OpenAPI()
	doc.Servers = []*huma.Server{{URL: a.PublicURL + basePath}}
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Patch, item.Delete} {
			if op != nil {
				a.describeOperation(op)
			}
		}
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("write the OpenAPI document: %w", err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, text, "", "  "); err != nil {
		return fmt.Errorf("write the OpenAPI document: %w", err)
	}
	a.json = append(indented.Bytes(), '\n')
	if a.yaml, err = doc.YAML(); err != nil {
		return fmt.Errorf("write the OpenAPI document: %w", err)
	}
	return nil
}

func (a *API) describeOperation(op *huma.Operation) {
	if op.OperationID == "report-leaked-keys" {
		op.Servers = []*huma.Server{{URL: a.PublicURL}}
	}
	if scope := scopeOf(op); scope != noScope {
		op.Description = "Needs the scope `" + string(scope) + "`. " + op.Description
	}
	if op.OperationID == "get-stepsy" {
		op.Responses["304"] = &huma.Response{Description: "Not Modified"}
	}
	for status, response := range op.Responses {
		code, _ := strconv.Atoi(status)
		if code >= 400 {
			describeError(code, response)
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

// describeError shows what an answer of the status looks like.
func describeError(status int, response *huma.Response) {
	detail := errorDetail{}
	switch status {
	case http.StatusUnauthorized:
		detail = errorDetail{Code: stepsies.CodeUnauthorized, Message: stepsies.Unauthorized().Message}
	case http.StatusForbidden:
		detail = errorDetail{Code: stepsies.CodeForbidden, Message: stepsies.Forbidden().Message}
	case http.StatusNotFound:
		detail = errorDetail{Code: stepsies.CodeNotFound, Message: stepsies.NotFound("stepsy").Message}
	case http.StatusUnprocessableEntity:
		detail = errorDetail{Code: stepsies.CodeValidation, Message: "The request does not fit. See details.",
			Details: []stepsies.Problem{{Field: "title", Message: "must not be empty"}}}
	case http.StatusTooManyRequests:
		detail = errorDetail{Code: stepsies.CodeRateLimit, Message: "Too many requests. Please slow down.", RetryAfter: 45}
	default:
		return
	}
	for _, media := range response.Content {
		media.Example = apiError{Detail: detail}
	}
}

func (a *API) serveDocument(mediaType string, text *[]byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		w.Header().Set("Access-Control-Allow-Origin", "*") // public, and read by tools in browsers
		_, _ = w.Write(*text)
	}
}
