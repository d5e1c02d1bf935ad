package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/stepsies/stepsies/client"
)

// exampleServer stands in for an installation: every example names the answers
// that it gets.
func exampleServer(answers map[string]http.HandlerFunc) *httptest.Server {
	mux := http.NewServeMux()
	for pattern, answer := range answers {
		mux.HandleFunc(pattern, answer)
	}
	return httptest.NewServer(mux)
}

func Example() {
	srv := exampleServer(map[string]http.HandlerFunc{
		"POST /v1/stepsies":              respond(201, `{"id":7,"status":"draft","title":"Brew a cup of tea"}`),
		"POST /v1/stepsies/{id}/publish": respond(200, `{"id":7,"status":"published","url":"https://stepsies.example.com/@sarahchen/brew-a-cup-of-tea"}`),
	})
	defer srv.Close()
	_ = os.Setenv("STEPSIES_API_KEY", newKey())
	_ = os.Setenv("STEPSIES_URL", srv.URL)
	defer func() { _, _ = os.Unsetenv("STEPSIES_API_KEY"), os.Unsetenv("STEPSIES_URL") }()

	ctx := context.Background()
	c, err := client.New()
	if err != nil {
		log.Fatal(err)
	}
	stepsy, err := c.CreateStepsy(ctx, client.NewStepsy{
		Title: "Brew a cup of tea",
		Steps: []client.StepInput{
			{Title: "Boil water", Content: "<p>Fresh water, 95 °C.</p>"},
			{Title: "Steep", Content: "<p>Three minutes.</p>"},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	if stepsy, err = c.PublishStepsy(ctx, stepsy.ID); err != nil {
		log.Fatal(err)
	}
	fmt.Println(stepsy.Status, stepsy.URL)
	// Output: published https://stepsies.example.com/@sarahchen/brew-a-cup-of-tea
}

func ExampleClient_AllStepsies() {
	srv := exampleServer(map[string]http.HandlerFunc{
		"GET /v1/stepsies": func(w http.ResponseWriter, r *http.Request) {
			if r.FormValue("cursor") == "" {
				respond(200, `{"data":[{"title":"Tea"},{"title":"Coffee"}],"meta":{"limit":2,"has_more":true,"next_cursor":"n2"}}`)(w, r)
				return
			}
			respond(200, `{"data":[{"title":"Cocoa"}],"meta":{"limit":2,"has_more":false,"next_cursor":null}}`)(w, r)
		},
	})
	defer srv.Close()
	c, err := client.New(client.WithAPIKey(newKey()), client.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}

	for stepsy, err := range c.AllStepsies(context.Background(), client.StepsyQuery{Status: client.StatusPublished}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(stepsy.Title)
	}
	// Output:
	// Tea
	// Coffee
	// Cocoa
}

func ExampleClient_UpdateStepsy() {
	srv := exampleServer(map[string]http.HandlerFunc{
		"GET /v1/stepsies/{id}": respond(200, `{"id":7,"title":"Tea","steps":[{"id":1,"position":1,"title":"Boil water","content":""}]}`, "ETag", `"3"`),
		"PATCH /v1/stepsies/{id}": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("If-Match") != `"4"` {
				fail(412, client.ErrPreconditionFailed)(w, r)
			}
		},
	})
	defer srv.Close()
	c, err := client.New(client.WithAPIKey(newKey()), client.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	stepsy, err := c.GetStepsy(ctx, 7)
	if err != nil {
		log.Fatal(err)
	}
	_, err = c.UpdateStepsy(ctx, stepsy.ID, client.StepsyChange{
		Description: client.Null[string](), // back to none
		Steps:       client.Set(append(stepsy.StepInputs(), client.StepInput{Title: "Steep"})),
	}, client.IfMatch(stepsy.ETag))
	if errors.Is(err, client.ErrPreconditionFailed) {
		fmt.Println("someone else changed it meanwhile: read it again")
	}
	// Output: someone else changed it meanwhile: read it again
}

func ExampleClient_CreateAPIKey() {
	srv := exampleServer(map[string]http.HandlerFunc{
		"POST /v1/api-keys": respond(201, `{"id":12,"name":"CI Pipeline","scopes":["read"],"hint":"sk_1a2b…9f0e","key":"`+newKey()+`"}`),
	})
	defer srv.Close()
	c, err := client.New(client.WithAPIKey(newKey()), client.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}

	key, err := c.CreateAPIKey(context.Background(), client.NewAPIKey{Name: "CI Pipeline", Scopes: []client.Scope{client.ScopeRead}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("printed:", key.Key)
	fmt.Println("revealed:", len(key.Key.Reveal()), "characters")
	// Output:
	// printed: sk_[redacted]
	// revealed: 51 characters
}

func ExampleError() {
	srv := exampleServer(map[string]http.HandlerFunc{
		"POST /v1/stepsies": respond(422, `{"error":{"code":"validation_failed","message":"The request does not fit. See details.","details":[{"field":"title","message":"must not be empty"}]}}`),
		"GET /v1/stepsies":  respond(403, `{"error":{"code":"forbidden","message":"Insufficient scope for this action"}}`, "WWW-Authenticate", `Bearer realm="stepsies", error="insufficient_scope", scope="read"`),
		"GET /v1/me":        respond(429, `{"error":{"code":"quota_exceeded","message":"The month is used up.","retry_after":86400}}`, "Retry-After", "86400"),
	})
	defer srv.Close()
	c, err := client.New(client.WithAPIKey(newKey()), client.WithBaseURL(srv.URL))
	if err != nil {
		log.Fatal(err)
	}

	_, err = c.CreateStepsy(context.Background(), client.NewStepsy{})
	if e, ok := errors.AsType[*client.Error](err); ok && e.Code == client.ErrValidation {
		for _, d := range e.Details {
			fmt.Println(d.Field, d.Message)
		}
	}
	_, err = c.Me(context.Background())
	if e, ok := errors.AsType[*client.Error](err); ok && errors.Is(err, client.ErrQuota) {
		fmt.Println("again in", e.RetryAfter)
	}
	_, err = c.ListStepsies(context.Background(), client.StepsyQuery{})
	if e, ok := errors.AsType[*client.Error](err); ok {
		fmt.Println("missing scope:", e.Scope)
	}
	// Output:
	// title must not be empty
	// again in 24h0m0s
	// missing scope: read
}

// A transport that dials a unix socket: there the file's permissions say who may
// call, and no key is sent.
func ExampleWithTransport() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	socket := filepath.Join(folder, "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		log.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		respond(200, `{"username":"sarahchen","bio":"`+strings.TrimSpace("key: "+r.Header.Get("Authorization"))+`"}`)(w, r)
	})}
	go func() { _ = srv.Serve(listener) }()
	defer func() { _ = srv.Close() }()

	c, err := client.New(client.WithoutAPIKey(), client.WithBaseURL("http://localhost"), client.WithTransport(&http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}))
	if err != nil {
		log.Fatal(err)
	}
	user, err := c.GetUser(context.Background(), "sarahchen")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(user.Username, user.Bio)
	// Output: sarahchen key:
}
