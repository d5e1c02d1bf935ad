package client

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Operation is one operation of the API and the method of Client that calls it.
type Operation struct {
	Name   string // of the method: "GetStepsy"
	Method string // "GET"
	Path   string // "/v1/stepsies/{id}"
}

// The methods of Client take method and path from here, so that the table cannot
// say anything else than they do.
var (
	listStepsies    = Operation{"ListStepsies", http.MethodGet, "/v1/stepsies"}
	getStepsy       = Operation{"GetStepsy", http.MethodGet, "/v1/stepsies/{id}"}
	createStepsy    = Operation{"CreateStepsy", http.MethodPost, "/v1/stepsies"}
	updateStepsy    = Operation{"UpdateStepsy", http.MethodPatch, "/v1/stepsies/{id}"}
	deleteStepsy    = Operation{"DeleteStepsy", http.MethodDelete, "/v1/stepsies/{id}"}
	publishStepsy   = Operation{"PublishStepsy", http.MethodPost, "/v1/stepsies/{id}/publish"}
	unpublishStepsy = Operation{"UnpublishStepsy", http.MethodPost, "/v1/stepsies/{id}/unpublish"}

	getMe    = Operation{"Me", http.MethodGet, "/v1/me"}
	updateMe = Operation{"UpdateMe", http.MethodPatch, "/v1/me"}

	listAPIKeys  = Operation{"ListAPIKeys", http.MethodGet, "/v1/api-keys"}
	getAPIKey    = Operation{"GetAPIKey", http.MethodGet, "/v1/api-keys/{id}"}
	createAPIKey = Operation{"CreateAPIKey", http.MethodPost, "/v1/api-keys"}
	updateAPIKey = Operation{"UpdateAPIKey", http.MethodPatch, "/v1/api-keys/{id}"}
	revokeAPIKey = Operation{"RevokeAPIKey", http.MethodPost, "/v1/api-keys/{id}/revoke"}
	rotateAPIKey = Operation{"RotateAPIKey", http.MethodPost, "/v1/api-keys/{id}/rotate"}

	listUsers  = Operation{"ListUsers", http.MethodGet, "/v1/users"}
	getUser    = Operation{"GetUser", http.MethodGet, "/v1/users/{username}"}
	createUser = Operation{"CreateUser", http.MethodPost, "/v1/users"}
	updateUser = Operation{"UpdateUser", http.MethodPatch, "/v1/users/{username}"}
	deleteUser = Operation{"DeleteUser", http.MethodDelete, "/v1/users/{username}"}

	reportLeakedKeys = Operation{"ReportLeakedKeys", http.MethodPost, "/v1/leaked-keys"}

	operations = []Operation{
		listStepsies, getStepsy, createStepsy, updateStepsy, deleteStepsy, publishStepsy, unpublishStepsy,
		getMe, updateMe,
		listAPIKeys, getAPIKey, createAPIKey, updateAPIKey, revokeAPIKey, rotateAPIKey,
		listUsers, getUser, createUser, updateUser, deleteUser,
		reportLeakedKeys,
	}
)

// Operations returns every operation that has a method, for comparing the SDK
// with the OpenAPI document of a server.
func Operations() []Operation { return slices.Clone(operations) }

// to returns a request for the operation.
func (op Operation) to() *request { return newRequest(op.Method, op.Path) }

// on returns a request for the operation on the thing of that number.
func (op Operation) on(id int64) *request {
	return newRequest(op.Method, strings.Replace(op.Path, "{id}", strconv.FormatInt(id, 10), 1))
}

// onUser returns a request for the operation on the user of that name.
func (op Operation) onUser(username string) *request {
	r := newRequest(op.Method, strings.Replace(op.Path, "{username}", url.PathEscape(username), 1))
	if username == "" || username == "." || username == ".." {
		r.refuse(errors.New("a username must be given")) // the path would be that of another operation
	}
	return r
}

// with returns the request with the parameters that are not empty.
func (r *request) with(parameters map[string]string) *request {
	r.query = url.Values{}
	for name, value := range parameters {
		if value != "" {
			r.query.Set(name, value)
		}
	}
	return r
}

// paged returns the request with the parameters and those of a page.
func (r *request) paged(limit int, cursor string, parameters map[string]string) *request {
	r.with(parameters)
	if limit != 0 {
		r.query.Set("limit", fmt.Sprint(limit))
	}
	if cursor != "" {
		r.query.Set("cursor", cursor)
	}
	return r
}
