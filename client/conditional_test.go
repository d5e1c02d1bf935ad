package client_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stepsies/stepsies/client"
)

func TestConditionalRequests(t *testing.T) {
	rec := record(
		respond(200, stepsyJSON, "ETag", `"v1"`),
		respond(304, "", "ETag", `"v1"`),
		respond(200, stepsyJSON, "ETag", `"v2"`),
		fail(412, client.ErrPreconditionFailed),
	)
	c := connect(t, rec)
	first, err := c.GetStepsy(t.Context(), 123)
	if err != nil || first.ETag != `"v1"` {
		t.Fatalf("read %v, %v", first, err)
	}
	if s, err := c.GetStepsy(t.Context(), 123, client.IfNoneMatch(first.ETag)); !errors.Is(err, client.ErrNotModified) || s != nil {
		t.Errorf("an unchanged stepsy gave %v, %v", s, err)
	}
	change := client.StepsyChange{Title: client.Set("Tea")}
	second, err := c.UpdateStepsy(t.Context(), 123, change, client.IfMatch(first.ETag))
	if err != nil || second.ETag != `"v2"` {
		t.Errorf("the write gave %v, %v", second, err)
	}
	if _, err := c.UpdateStepsy(t.Context(), 123, change, client.IfMatch(first.ETag)); !errors.Is(err, client.ErrPreconditionFailed) {
		t.Errorf("a stale write gave %v", err)
	}
	got := rec.requests()
	if len(got) != 4 || got[1].Header.Get("If-None-Match") != `"v1"` || got[2].Header.Get("If-Match") != `"v1"` {
		t.Errorf("sent %+v", got)
	}
	if got[2].Header.Get("Idempotency-Key") == got[3].Header.Get("Idempotency-Key") {
		t.Error("two writes share an idempotency key")
	}
}

// TestVersionHasOneNameThroughEveryProxy: programs compare tags with those that they
// kept, and each proxy rewrites the tag of what it compresses in its own way.
func TestVersionHasOneNameThroughEveryProxy(t *testing.T) {
	for sent, want := range map[string]string{
		`"7.2"`: `"7.2"`, `W/"7.2"`: `"7.2"`, `"7.2-gzip"`: `"7.2"`, `"7.2-br"`: `"7.2"`, `"7.2-zstd"`: `"7.2"`,
		`W/"7.2-gzip"`: `"7.2"`, `"7.2;gzip"`: `"7.2"`, `"7.2--gzip"`: `"7.2"`, `"gzip"`: `"gzip"`, `"7.2-new"`: `"7.2-new"`, "": "",
	} {
		s, err := connect(t, record(respond(200, stepsyJSON, "ETag", sent))).GetStepsy(t.Context(), 123)
		if err != nil || s.ETag != want {
			t.Errorf("%s reads as %v, %v; want %s", sent, s, err, want)
		}
	}
}

// TestEmptyETagIsNoUnconditionalWrite protects an edit from overwriting another
// when the ETag got lost on the way, for example because it came from a list.
func TestEmptyETagIsNoUnconditionalWrite(t *testing.T) {
	rec := record(respond(200, stepsyJSON))
	c := connect(t, rec)
	for name, opt := range map[string]client.CallOption{
		"IfMatch": client.IfMatch(""), "IfNoneMatch": client.IfNoneMatch(""), "IdempotencyKey": client.IdempotencyKey(""),
		"long key": client.IdempotencyKey(strings.Repeat("x", 256)), "key of two lines": client.IdempotencyKey("a\nb"),
	} {
		if _, err := c.UpdateStepsy(t.Context(), 123, client.StepsyChange{}, opt); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if n := len(rec.requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestOwnIdempotencyKey(t *testing.T) {
	rec := record(respond(201, stepsyJSON))
	if _, err := connect(t, rec).CreateStepsy(t.Context(), client.NewStepsy{Title: "Tea"}, client.IdempotencyKey("import-17")); err != nil {
		t.Fatal(err)
	}
	if got := rec.requests()[0].Header.Get("Idempotency-Key"); got != "import-17" {
		t.Errorf("sent %q", got)
	}
}

func TestOptionalTellsAbsentNullAndValueApart(t *testing.T) {
	type change struct {
		A client.Optional[string] `json:"a,omitzero"`
		B client.Optional[string] `json:"b,omitzero"`
		C client.Optional[string] `json:"c,omitzero"`
		D client.Optional[int]    `json:"d,omitzero"`
	}
	const text = `{"b":null,"c":"","d":0}`
	want := change{B: client.Null[string](), C: client.Set(""), D: client.Set(0)}
	written, err := json.Marshal(want)
	if err != nil || string(written) != text {
		t.Errorf("wrote %s, %v", written, err)
	}
	var read change
	if err := json.Unmarshal([]byte(text), &read); err != nil || read != want {
		t.Errorf("read %+v, %v", read, err)
	}
	if err := json.Unmarshal([]byte(`{"d":"x"}`), &read); err == nil {
		t.Error("a wrong type was read")
	}
	if v, ok := want.C.Get(); v != "" || !ok || want.C.IsNull() || want.C.IsZero() {
		t.Error("an empty value is not a value")
	}
	if _, ok := want.B.Get(); ok || !want.B.IsNull() || want.B.IsZero() {
		t.Error("null is not null")
	}
	if _, ok := want.A.Get(); ok || want.A.IsNull() || !want.A.IsZero() {
		t.Error("absent is not absent")
	}
}

func TestStepsKeepTheirIdentity(t *testing.T) {
	rec := record(respond(200, stepsyJSON))
	c := connect(t, rec)
	s, err := c.GetStepsy(t.Context(), 123)
	if err != nil {
		t.Fatal(err)
	}
	steps := append([]client.StepInput{{Title: "First"}}, s.StepInputs()...)
	if _, err := c.UpdateStepsy(t.Context(), s.ID, client.StepsyChange{Steps: client.Set(steps)}); err != nil {
		t.Fatal(err)
	}
	const want = `{"steps":[{"title":"First","content":""},{"id":1,"title":"Define Your Sequence Goal","content":"<p>Before writing a single email...</p>"}]}`
	if got := rec.requests()[1].Body; got != want {
		t.Errorf("sent %s", got)
	}
	if got := (client.Stepsy{}).StepInputs(); got == nil {
		t.Error("no steps are nil, which would be written as null")
	}
}

func TestRateLimitIsReadable(t *testing.T) {
	rec := record(
		fail(401, client.ErrUnauthorized),
		respond(200, meJSON, "X-RateLimit-Limit", "300", "X-RateLimit-Remaining", "295", "X-RateLimit-Reset", "1702500000"),
		respond(200, meJSON),
		respond(200, meJSON, "X-RateLimit-Limit", "a lot", "X-RateLimit-Remaining", "1", "X-RateLimit-Reset", "2"),
		fail(429, client.ErrRateLimit, "X-RateLimit-Limit", "300", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1702500060"),
	)
	c := connect(t, rec, client.WithRetries(0))
	last := client.Window{Limit: 300, Remaining: 295, Reset: 1702500000}
	for i, want := range []client.Window{{}, last, last, last, {Limit: 300, Remaining: 0, Reset: 1702500060}} {
		_, _ = c.Me(t.Context())
		got, ok := c.RateLimit()
		if got != want || ok != (i > 0) {
			t.Errorf("after answer %d: %+v, %t; want %+v", i, got, ok, want)
		}
	}
	if got := last.ResetTime().Format("2006-01-02T15:04:05Z07:00"); got != "2023-12-13T20:40:00Z" {
		t.Errorf("the window ends at %s", got)
	}
}

func TestDo(t *testing.T) {
	rec := record(respond(204, ""), respond(200, `{"path":"/tmp/x"}`), respond(200, `{"n":3}`), respond(200, "<html>", "Content-Type", "text/html"))
	c := connect(t, rec)
	if err := c.Do(t.Context(), http.MethodPut, "/operator/users/sarahchen/password", map[string]string{"password": "<&>"}, nil); err != nil {
		t.Fatal(err)
	}
	var out struct {
		Path string
		N    int
	}
	if err := c.Do(t.Context(), http.MethodPost, "/operator/backup", map[string]string{"path": "/tmp/x"}, &out); err != nil || out.Path != "/tmp/x" {
		t.Errorf("backup gave %+v, %v", out, err)
	}
	if err := c.Do(t.Context(), http.MethodGet, "/v1/things?q=a", nil, &out); err != nil || out.N != 3 {
		t.Errorf("GET gave %+v, %v", out, err)
	}
	if err := c.Do(t.Context(), http.MethodDelete, "/v1/things/1", nil, nil); !errors.Is(err, client.ErrUnexpectedAnswer) {
		t.Errorf("a page that says 200 was taken for a deletion: %v", err)
	}
	got := rec.requests()
	if got[0].Body != `{"password":"<&>"}` || got[0].Path != "/operator/users/sarahchen/password" || got[2].Query != "q=a" {
		t.Errorf("sent %+v", got)
	}
	for _, bad := range [][2]string{{"GET", "v1/me"}, {"GET", ""}, {"BAD METHOD", "/v1/me"}, {"GET", "/v1/%zz"}} {
		if err := c.Do(t.Context(), bad[0], bad[1], nil, nil); err == nil {
			t.Errorf("%s %q was sent", bad[0], bad[1])
		}
	}
	if err := c.Do(t.Context(), "POST", "/v1/x", func() {}, nil); err == nil {
		t.Error("a function was sent as JSON")
	}
	if len(rec.requests()) != len(got) {
		t.Error("a request that cannot be right was sent")
	}
}
