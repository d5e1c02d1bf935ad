package api_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// scenario is one request and what must come back. In request, headers, body and
// wants, {names} stand for the things of the scenario's world.
type scenario struct {
	name    string
	as      string         // whose key is sent; "" sends none
	given   func(w *world) // what there is before
	request string         // "GET /v1/me"
	header  []string       // "If-Match: {draft.etag}"
	body    string

	status  int
	code    string   // of the error
	fields  []string // of the error's details, all of them, in any order
	exact   string   // the whole body
	want    []string // in the body
	not     []string // nowhere in the body
	headers []string // "Name: value"; "Name:" must be missing, "Name: *" there with any value
	then    func(w *world, a answer)

	repeats bool // may be asked any number of times: it is also a benchmark
}

// run asks once and judges the answer.
func (s scenario) run(t *testing.T, in *installation) {
	t.Helper()
	w := in.world(t)
	if s.given != nil {
		s.given(w)
	}
	method, target, headers, body := s.prepare(w)
	a := in.ask(method, target, body, headers...)
	s.judge(t, w, method, a)
	if s.then != nil && !t.Failed() {
		s.then(w, a)
	}
}

func (s scenario) prepare(w *world) (method, target string, headers []string, body string) {
	method, target, _ = strings.Cut(w.fill(s.request), " ")
	if s.as != "" {
		headers = append(headers, w.bearer(s.as))
	}
	for _, h := range s.header {
		headers = append(headers, w.fill(h))
	}
	return method, target, headers, w.fill(s.body)
}

func (s scenario) judge(t *testing.T, w *world, method string, a answer) {
	t.Helper()
	if a.status != s.status {
		t.Fatalf("status %d, want %d\n%.2000s", a.status, s.status, a.body)
	}
	checkForm(t, method, a)
	if s.code != "" {
		if got := at(t, a.body, "error.code"); got != s.code {
			t.Errorf("code %s, want %s", got, s.code)
		}
	}
	if s.fields != nil {
		wantFields(t, a, s.fields)
	}
	if want := w.fill(s.exact); want != "" && a.body != want {
		t.Errorf("body\n%s\nwant\n%s", a.body, want)
	}
	for _, text := range s.want {
		if !strings.Contains(a.body, w.fill(text)) {
			t.Errorf("the body does not contain %s\n%.2000s", w.fill(text), a.body)
		}
	}
	for _, text := range s.not {
		if strings.Contains(a.body, w.fill(text)) {
			t.Errorf("the body contains %s\n%.2000s", w.fill(text), a.body)
		}
	}
	for _, h := range s.headers {
		name, want, _ := strings.Cut(w.fill(h), ":")
		want = strings.TrimSpace(want)
		got, there := a.header[http.CanonicalHeaderKey(name)]
		switch {
		case want == "" && there:
			t.Errorf("header %s: %q, want none", name, got)
		case want == "*" && !there:
			t.Errorf("header %s is missing", name)
		case want != "" && want != "*" && strings.Join(got, ", ") != want:
			t.Errorf("header %s: %q, want %q", name, got, want)
		}
	}
}

// wantFields compares the fields that an error complains about.
func wantFields(t *testing.T, a answer, want []string) {
	t.Helper()
	var got []string
	for _, d := range at(t, a.body, "error.details").([]any) {
		got = append(got, d.(map[string]any)["field"].(string))
	}
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Errorf("details about %q, want %q\n%s", got, want, a.body)
	}
}

var (
	moment     = regexp.MustCompile(`"([a-z_]+_at)":("[^"]*"|[^",}]+)`)
	wholeTime  = regexp.MustCompile(`^(null|"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")$`)
	aSecret    = regexp.MustCompile(`sk_[0-9a-f]{48}`)
	ourMistake = regexp.MustCompile(`(?i)goroutine|\.go:|select |insert |sqlite|postgres|pgx|sql:|panic`)
)

// checkForm holds for every answer, whatever was asked.
func checkForm(t *testing.T, method string, a answer) {
	t.Helper()
	if a.header.Get("X-Request-Id") == "" {
		t.Error("no X-Request-Id")
	}
	if a.status == http.StatusNoContent || a.status == http.StatusNotModified || method == http.MethodHead {
		if a.status != http.StatusOK && a.body != "" {
			t.Errorf("a body with %d: %s", a.status, a.body)
		}
		return
	}
	if got := a.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q", got)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(a.body)); err != nil {
		t.Fatalf("the body is not JSON: %v\n%.2000s", err, a.body)
	}
	if compact.String() != a.body {
		t.Errorf("the body is not compact: %.200q", a.body)
	}
	for _, m := range moment.FindAllStringSubmatch(a.body, -1) {
		if !wholeTime.MatchString(m[2]) {
			t.Errorf("%s is %s, want whole seconds in UTC", m[1], m[2])
		}
	}
	if a.status < 400 {
		return
	}
	if aSecret.MatchString(a.body) {
		t.Error("a key stands in an error")
	}
	whole := at(t, a.body, "").(map[string]any)
	detail, ok := whole["error"].(map[string]any)
	if !ok || len(whole) != 1 {
		t.Fatalf("not the form of an error: %s", a.body)
	}
	known := map[string]bool{"code": true, "message": true}
	switch a.status {
	case http.StatusUnprocessableEntity:
		known["details"] = true
	case http.StatusTooManyRequests:
		known["retry_after"] = true
	}
	if a.status >= 500 {
		known["request_id"] = true
		if ourMistake.MatchString(a.body) {
			t.Errorf("the error tells what is ours: %s", a.body)
		}
	}
	if !maps.EqualFunc(detail, known, func(v any, _ bool) bool { return v != nil && v != "" }) {
		t.Errorf("fields of a %d: %s", a.status, a.body)
	}
	if len(known) == 2 && !strings.HasPrefix(a.body, `{"error":{"code":"`) {
		t.Errorf("order of an error: %s", a.body)
	}
}

// scenarios are all of them; each of their files says what it is about.
func scenarios() []scenario {
	return slices.Concat(transportScenarios, createScenarios, readScenarios, listScenarios, updateScenarios, conditionalScenarios(), wrongTypes(), publishScenarios,
		keyScenarios, changeKeyScenarios, onceScenarios, userScenarios, profileScenarios)
}

// TestScenarios drives every operation over HTTP on both engines.
func TestScenarios(t *testing.T) {
	onEachEngine(t, func(t *testing.T, in *installation) {
		seen := map[string]bool{}
		for _, s := range scenarios() {
			if seen[s.name] {
				t.Errorf("two scenarios are called %q", s.name)
			}
			seen[s.name] = true
			t.Run(s.name, func(t *testing.T) { s.run(t, in) })
		}
		log := in.logs.String()
		if aSecret.MatchString(log) {
			t.Error("the log holds a key")
		}
		for _, text := range []string{"nobody-at-all", "example.com", "Spare", "/stepsies/1"} { // of a query, of a body, of a path
			if strings.Contains(log, text) {
				t.Errorf("the log holds %q", text)
			}
		}
	})
}

// BenchmarkScenarios asks those scenarios again and again that can be repeated.
func BenchmarkScenarios(b *testing.B) {
	in := open(b, "")
	for _, s := range scenarios() {
		if !s.repeats {
			continue
		}
		b.Run(s.name, func(b *testing.B) {
			w := in.world(b)
			if s.given != nil {
				s.given(w)
			}
			method, target, headers, body := s.prepare(w)
			for b.Loop() {
				if a := in.ask(method, target, body, headers...); a.status != s.status {
					b.Fatalf("status %d, want %d: %s", a.status, s.status, a.body)
				}
			}
		})
	}
}
