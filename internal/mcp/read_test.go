package mcp_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/stepsies/stepsies/client"
)

// TestTextSaysWhatAnAssistantNeeds to go on with, since many show an assistant the
// text alone.
func TestTextSaysWhatAnAssistantNeeds(t *testing.T) {
	in := open(t)
	s, _ := in.stepsies(t)
	in.clock.Store(&s.CreatedAt)
	a := in.assistant(t, in.key(t, read, write))
	made := s.CreatedAt.Format(time.RFC3339)
	for _, test := range []struct{ tool, arguments, want string }{
		{"read_stepsy", `{"id":1}`, "# Brew draft tea\n\nid 1, version 1.1, draft, category other, slug brew-draft-tea, by sarahchen, 3 steps, updated " + made +
			". https://stepsies.test/@sarahchen/brew-draft-tea\n\nHot.\n\n## 1. Boil (step id 1)\n\nFill the <u>kettle</u>.\n\n" +
			"## 2. Steep (step id 2)\n\nFor **three** minutes.\n\n## 3. Drink (step id 3)\n"},
		{"list_stepsies", `{"status":"draft"}`, "- Brew draft tea (id 1): draft, other, 3 steps, by sarahchen, updated " + made + ". https://stepsies.test/@sarahchen/brew-draft-tea Hot.\n"},
		{"search_stepsies", `{"query":"coffee"}`, "There are none.\n"},
		{"update_stepsy", `{"id":1,"version":"1.1","title":"Tea","description":null,"steps":null,"featured":true}`,
			"Tea: id 1, version 1.2, draft. https://stepsies.test/@sarahchen/brew-draft-tea\n1. Boil (step id 1)\n2. Steep (step id 2)\n3. Drink (step id 3)\n"},
	} {
		if got := a.call(test.tool, test.arguments).Text; got != test.want {
			t.Errorf("%s says %q\nnot %q", test.tool, got, test.want)
		}
	}
	if got := a.call("list_stepsies", `{"limit":1,"status":null}`); !strings.HasSuffix(got.Text, "There are more: cursor "+got.NextCursor+"\n") {
		t.Errorf("a page says %q", got.Text)
	}
}

func TestListIsPaged(t *testing.T) {
	in := open(t)
	in.stepsies(t)
	a := in.assistant(t, in.key(t, read))
	first := a.call("list_stepsies", `{"limit":1}`)
	second := a.call("list_stepsies", fmt.Sprintf(`{"limit":1,"cursor":%q}`, first.NextCursor))
	if len(first.Stepsies) != 1 || len(second.Stepsies) != 1 || first.Stepsies[0].ID == second.Stepsies[0].ID || second.NextCursor != "" {
		t.Errorf("the pages are %+v and %+v", first, second)
	}
	other := in.assistant(t, in.key(t, admin))
	if page := other.call("list_stepsies", `{}`); len(page.Stepsies) != 0 {
		t.Errorf("root has %+v", page)
	}
	if page := other.call("list_stepsies", `{"author":"sarahchen","status":"published"}`); len(page.Stepsies) != 1 {
		t.Errorf("of sarahchen: %+v", page)
	}
}

func TestLongStepsyIsReadInParts(t *testing.T) {
	in := open(t)
	const steps = 30
	want := client.NewStepsy{Title: "Tea", UserID: "sarahchen"}
	for i := range steps {
		want.Steps = append(want.Steps, client.StepInput{Title: fmt.Sprint("Step ", i+1), Content: "<p>" + strings.Repeat("tea ", 4000) + "</p>"})
	}
	s, err := in.operator.CreateStepsy(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	a := in.assistant(t, in.key(t, read))
	first, parts, seen := 1, 0, 0
	for first > 0 {
		got := a.call("read_stepsy", fmt.Sprintf(`{"id":%d,"first_step":%d}`, s.ID, first))
		size := 0
		for _, step := range got.Steps {
			if seen++; step.Position != seen {
				t.Fatalf("step %d comes as number %d", step.Position, seen)
			}
			size += len(step.Content)
		}
		if got.NextStep > 0 && !strings.HasSuffix(got.Text, fmt.Sprintf("There are more steps: first_step %d\n", got.NextStep)) {
			t.Errorf("part %d ends with %q", parts, got.Text[len(got.Text)-100:])
		}
		if parts++; size > 110_000 || parts > steps {
			t.Fatalf("part %d has %d bytes", parts, size)
		}
		first = got.NextStep
	}
	if seen != steps || parts < 4 {
		t.Errorf("%d steps in %d parts", seen, parts)
	}
	a.fails("read_stepsy", fmt.Sprintf(`{"id":%d,"first_step":31}`, s.ID), "There is no step 31")
	res, err := a.session.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: fmt.Sprint("stepsy://", s.ID)})
	if err != nil || len(res.Contents[0].Text) > 120_000 || !strings.Contains(res.Contents[0].Text, "of 30. The tool read_stepsy gives the others.") {
		t.Errorf("the document: %v", err)
	}
}

func TestResource(t *testing.T) {
	in := open(t)
	s, _ := in.stepsies(t)
	a := in.assistant(t, in.key(t, read))
	templates := 0
	for tmpl, err := range a.session.ResourceTemplates(t.Context(), nil) {
		if err != nil || tmpl.URITemplate != "stepsy://{id}" || tmpl.MIMEType != "text/markdown" {
			t.Errorf("%+v, %v", tmpl, err)
		}
		templates++
	}
	res, err := a.session.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: fmt.Sprint("stepsy://", s.ID)})
	if err != nil {
		t.Fatal(err)
	}
	const want = "# Brew draft tea\n\nHot.\n\n## 1. Boil\n\nFill the <u>kettle</u>.\n\n## 2. Steep\n\nFor **three** minutes.\n\n## 3. Drink\n"
	if c := res.Contents; templates != 1 || len(c) != 1 || c[0].Text != want || c[0].MIMEType != "text/markdown" {
		t.Errorf("got %q", c[0].Text)
	}
	for _, uri := range []string{"stepsy://0", "stepsy://-1", "stepsy://x", "stepsy://99999", "stepsy://1%2f2"} {
		if _, err := a.session.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: uri}); err == nil {
			t.Errorf("%s was read", uri)
		}
	}
	w := in.assistant(t, in.key(t, write))
	if _, err := w.session.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: fmt.Sprint("stepsy://", s.ID)}); err == nil || !strings.Contains(err.Error(), "the scope read") {
		t.Errorf("with the scope write: %v", err)
	}
}
