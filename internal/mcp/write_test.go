package mcp_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stepsies/stepsies/client"
)

// TestNothingNewerIsOverwritten, whichever way a change is asked for.
func TestNothingNewerIsOverwritten(t *testing.T) {
	in := open(t)
	s, _ := in.stepsies(t)
	a := in.assistant(t, in.key(t, read, write))
	old := a.call("read_stepsy", fmt.Sprintf(`{"id":%d}`, s.ID))
	if _, err := in.operator.UpdateStepsy(t.Context(), s.ID, client.StepsyChange{Title: client.Set("Theirs")}); err != nil {
		t.Fatal(err)
	}
	before := in.everything(t)
	for _, change := range []string{`"title":"Mine"`, `"remove_steps":[1]`, `"steps":[{"id":1},{"id":2},{"id":3},{"title":"New"}]`} {
		a.fails("update_stepsy", fmt.Sprintf(`{"id":%d,"version":%q,%s}`, s.ID, old.Version, change), "version", "Call read_stepsy")
	}
	a.fails("update_stepsy", fmt.Sprintf(`{"id":%d,"title":"Mine"}`, s.ID), "version")
	a.fails("update_stepsy", fmt.Sprintf(`{"id":%d,"version":"*","title":"Mine"}`, s.ID), "Call read_stepsy")
	if after := in.everything(t); after != before {
		t.Errorf("something changed: %s", after)
	}
	now := a.call("read_stepsy", fmt.Sprintf(`{"id":%d}`, s.ID))
	a.call("update_stepsy", fmt.Sprintf(`{"id":%d,"version":%q,"title":"Mine"}`, s.ID, now.Version))
}

// TestStepsGoOnlyWhenTheyAreNamed: an assistant that has read a part, or forgotten
// one, loses nothing.
func TestStepsGoOnlyWhenTheyAreNamed(t *testing.T) {
	in := open(t)
	s, _ := in.stepsies(t)
	a := in.assistant(t, in.key(t, read, write))
	version := strings.Trim(s.ETag, `"`)
	update := func(rest string) string { return fmt.Sprintf(`{"id":%d,"version":%q,%s}`, s.ID, version, rest) }
	before := in.everything(t)
	a.fails("update_stepsy", update(`"steps":[{"id":1}]`), "Nothing was changed", `2 "Steep", 3 "Drink"`, "remove_steps")
	a.fails("update_stepsy", update(`"steps":[]`), "Nothing was changed", `1 "Boil"`)
	a.fails("update_stepsy", update(`"steps":[{"id":1},{"id":1},{"id":2},{"id":3}]`), "Item 2", "twice")
	a.fails("update_stepsy", update(`"steps":[{"id":1},{"id":2},{"id":3},{"id":99}]`), "Item 4 of steps has the id 99", `3 "Drink"`)
	a.fails("update_stepsy", update(`"steps":[{"id":1},{"id":2},{"id":3},{"content":"x"}]`), "Item 4", "needs a title")
	a.fails("update_stepsy", update(`"remove_steps":[7]`), "does not have", `1 "Boil"`)
	a.fails("update_stepsy", update(`"steps":[{"id":1},{"id":2}],"remove_steps":[1,3]`), "remove_steps as well")
	if after := in.everything(t); after != before {
		t.Errorf("something changed: %s", after)
	}
	out := a.call("update_stepsy", update(`"remove_steps":[3]`))
	if len(out.Steps) != 2 {
		t.Errorf("left are %+v", out.Steps)
	}
	version = out.Version
	out = a.call("update_stepsy", update(`"steps":[{"id":2},{"title":"Cool"}],"remove_steps":[1]`))
	if len(out.Steps) != 2 || out.Steps[0].ID != 2 || out.Steps[1].ID != 4 {
		t.Errorf("left are %+v", out.Steps)
	}
}

// TestUntouchedStepsStayToTheLetter: HTML that Markdown has no words for survives a
// change of its neighbours, and being sent back as it was read.
func TestUntouchedStepsStayToTheLetter(t *testing.T) {
	in := open(t)
	content := `<p>Fill the <u>kettle</u> or:</p><ul><li><p>a pot</p></li></ul><table><tbody><tr><td colspan="2">wide</td></tr><tr><td>a</td><td>b</td></tr></tbody></table>`
	s, err := in.operator.CreateStepsy(t.Context(), client.NewStepsy{Title: "Tea", UserID: "sarahchen", Steps: []client.StepInput{{Title: "Boil", Content: content}, {Title: "Steep"}}})
	if err != nil {
		t.Fatal(err)
	}
	was := s.Steps[0].Content
	a := in.assistant(t, in.key(t, read, write))
	got := a.call("read_stepsy", fmt.Sprintf(`{"id":%d}`, s.ID))
	text, err := json.Marshal(got.Steps[0].Content)
	if err != nil {
		t.Fatal(err)
	}
	for _, steps := range []string{
		`[{"id":2,"content":"Four minutes"},{"id":1}]`,
		fmt.Sprintf(`[{"id":1,"title":"Boil it","content":%s},{"id":2}]`, text),
	} {
		got = a.call("update_stepsy", fmt.Sprintf(`{"id":%d,"version":%q,"steps":%s}`, s.ID, got.Version, steps))
		now, err := in.operator.GetStepsy(t.Context(), s.ID)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(now.Steps, func(step client.Step) bool { return step.ID == 1 && step.Content == was }) {
			t.Errorf("after %s the steps are %+v", steps, now.Steps)
		}
	}
}
