package docs

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/stepsies/stepsies"
)

// filler fills in what pages leave open between {% and %}: the address of the
// installation, and facts that the program has in one place already.
type filler struct {
	base string
	api  *document
}

func (f filler) page(name string) (string, error) {
	if name == "" {
		name = "index"
	}
	file := "pages/" + name + ".md"
	text, err := files.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("documentation: %w", err)
	}
	t, err := template.New(file).Delims("{%", "%}").Option("missingkey=error").Funcs(template.FuncMap{
		"base":       func() string { return f.base },
		"plans":      plans,
		"sizes":      sizes,
		"version":    func() string { return f.api.Info.Version },
		"operations": f.api.operationTable,
		"about":      func() string { return f.api.Info.Description },
		"rateLimit":  func() (string, error) { return body(stepsies.TooManyRequests(45)) },
		"quota":      func() (string, error) { return body(stepsies.QuotaExceeded(864000, month)) },
		"error":      f.api.errorExample,
	}).Parse(string(text))
	if err != nil {
		return "", fmt.Errorf("documentation: %w", err)
	}
	var out strings.Builder
	if err := t.Execute(&out, nil); err != nil {
		return "", fmt.Errorf("documentation: %w", err)
	}
	return out.String(), nil
}

// month is when the month of the sample ends.
var month = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// plans is the table of what each plan may do.
func plans() string {
	var t strings.Builder
	t.WriteString("| Plan | Each minute | Each hour | Each month |\n|---|---|---|---|\n")
	for _, p := range stepsies.Plans {
		if p == stepsies.PlanEnterprise {
			t.WriteString("| " + string(p) + " | own limit | own limit | own limit |\n")
			continue
		}
		l := stepsies.LimitsOf(p, stepsies.Limits{})
		fmt.Fprintf(&t, "| %s | %s | %s | %s |\n", p, grouped(l.Minute), grouped(l.Hour), grouped(l.Month))
	}
	return strings.TrimSuffix(t.String(), "\n")
}

// sizes are the rows of a table of what each thing may have at most.
func sizes() string {
	var t strings.Builder
	for _, row := range []struct {
		what string
		most int64
		unit string
	}{
		{"Title of a stepsy, and of a step", stepsies.MaxTitle, "characters"},
		{"Description", stepsies.MaxDescription, "characters"},
		{"Slug", stepsies.MaxSlugLength, "characters"},
		{"Steps of a stepsy", stepsies.MaxSteps, ""},
		{"Content of a step", stepsies.MaxContent, "characters of HTML"},
		{"Body of a request", 2, "MiB"},
		{"Items of a page", 100, ""},
		{"Idempotency key", 255, "characters"},
	} {
		fmt.Fprintf(&t, "| %s | %s |\n", row.what, strings.TrimSpace(grouped(row.most)+" "+row.unit))
	}
	return strings.TrimSuffix(t.String(), "\n")
}

// grouped writes a number with a comma after each thousand.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// body is the answer that a refusal over a limit has.
func body(e *stepsies.Error) (string, error) {
	text, err := json.MarshalIndent(map[string]any{"error": struct {
		Code       stepsies.Code `json:"code"`
		Message    string        `json:"message"`
		RetryAfter int64         `json:"retry_after"`
	}{e.Code, e.Message, e.RetryAfter}}, "", "  ")
	return string(text), err
}
