package mcp_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/client"
)

const (
	read  = client.ScopeRead
	write = client.ScopeWrite
	admin = client.ScopeAdmin
)

var (
	readers = []string{"list_stepsies", "read_stepsy", "search_stepsies"}
	writers = []string{"draft_stepsy", "publish_stepsy", "unpublish_stepsy", "update_stepsy"}
)

// TestToolsAreThoseOfTheKeysScopes: an assistant is offered what its key may do.
func TestToolsAreThoseOfTheKeysScopes(t *testing.T) {
	in := open(t)
	all := slices.Concat(readers, writers)
	for _, test := range []struct {
		scopes []client.Scope
		want   []string
	}{
		{[]client.Scope{read}, readers}, {[]client.Scope{write}, writers}, {[]client.Scope{read, write}, all}, {[]client.Scope{admin}, all},
	} {
		k := in.key(t, test.scopes...)
		a := in.assistant(t, k)
		slices.Sort(test.want)
		if got := slices.Sorted(maps.Keys(a.tools())); !slices.Equal(got, test.want) {
			t.Errorf("with %v: %v", test.scopes, got)
		}
		// "Upgrade your existing key" shows without starting anew.
		if _, err := in.operator.UpdateAPIKey(t.Context(), k.ID, client.APIKeyChange{Scopes: client.Set([]client.Scope{read})}); err != nil {
			t.Fatal(err)
		}
		if got := slices.Sorted(maps.Keys(a.tools())); !slices.Equal(got, readers) {
			t.Errorf("with %v made %v: %v", test.scopes, read, got)
		}
		if _, err := in.operator.RevokeAPIKey(t.Context(), k.ID); err != nil {
			t.Fatal(err)
		}
		if got := a.tools(); len(got) != len(readers)+len(writers) {
			t.Errorf("with a revoked key %d tools are offered: nothing says that it is revoked", len(got))
		}
	}
}

// TestToolsDescribeThemselves for people, for assistants, and for programs that ask
// before something is done.
func TestToolsDescribeThemselves(t *testing.T) {
	in := open(t)
	a := in.assistant(t, in.key(t, admin))
	if got := a.session.InitializeResult(); got.ServerInfo.Name != "stepsies" || !strings.Contains(got.Instructions, "read_stepsy") {
		t.Errorf("the server says of itself %+v", got)
	}
	if list, err := a.session.ListTools(t.Context(), nil); err != nil || list.CacheScope != "private" {
		t.Errorf("what one key may do is told to others: %+v, %v", list, err)
	}
	for name, tool := range a.tools() {
		hints := tool.Annotations
		if tool.Title == "" || len(tool.Description) < 60 || hints == nil || hints.DestructiveHint == nil || hints.OpenWorldHint == nil {
			t.Errorf("%s is %+v", name, tool)
			continue
		}
		if hints.ReadOnlyHint != slices.Contains(readers, name) {
			t.Errorf("%s says that it only reads: %t", name, hints.ReadOnlyHint)
		}
		if takes := name == "update_stepsy" || name == "unpublish_stepsy"; *hints.DestructiveHint != takes {
			t.Errorf("%s says that it takes something away: %t", name, *hints.DestructiveHint)
		}
		if hints.IdempotentHint == (name == "draft_stepsy") {
			t.Errorf("%s says that it can be repeated: %t", name, hints.IdempotentHint)
		}
		for which, schema := range map[string]any{"input": tool.InputSchema, "output": tool.OutputSchema} {
			text, err := json.Marshal(schema)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), `"properties"`) || strings.Contains(string(text), "null") {
				t.Errorf("the %s of %s is %s", which, name, text)
			}
		}
	}
}

// life are calls of every tool, as one goes with another: the stepsy %[1]d, its
// version %[2]s.
var life = map[string]string{
	"list_stepsies":    `{"status":"draft","limit":5}`,
	"search_stepsies":  `{"query":"kettle"}`,
	"read_stepsy":      `{"id":%[1]d}`,
	"draft_stepsy":     `{"title":"Confidential coffee","steps":[{"title":"Grind","content":"*Fresh* beans."}]}`,
	"update_stepsy":    `{"id":%[1]d,"version":"%[2]s","title":"Confidential cocoa","steps":[{"id":2},{"id":1,"content":"Milk"},{"title":"New"}],"remove_steps":[3]}`,
	"publish_stepsy":   `{"id":%[1]d}`,
	"unpublish_stepsy": `{"id":%[1]d}`,
}

func lifeOf(tool string, s *client.Stepsy) string {
	if !strings.Contains(life[tool], "%") {
		return life[tool]
	}
	return fmt.Sprintf(life[tool]+"%.0[2]s", s.ID, strings.Trim(s.ETag, `"`))
}

// everything returns all that the installation keeps, as far as the operator sees.
func (in *installation) everything(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	note := func(v any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(text, '\n'))
	}
	for u, err := range in.operator.AllUsers(t.Context(), client.UserQuery{}) {
		note(u, err)
		for s, err := range in.operator.AllStepsies(t.Context(), client.StepsyQuery{UserID: u.Username, IncludeSteps: true}) {
			note(s, err)
			whole, err := in.operator.GetStepsy(t.Context(), s.ID)
			note(whole.ETag, err)
		}
	}
	for k, err := range in.operator.AllAPIKeys(t.Context(), client.APIKeyQuery{}) {
		k.LastUsedAt, k.LastUsedIP = nil, nil
		note(k, err)
	}
	return b.String()
}

// stepsies makes one draft and one published stepsy.
func (in *installation) stepsies(t *testing.T) (draft, published *client.Stepsy) {
	t.Helper()
	var made [2]*client.Stepsy
	for i, status := range []client.Status{client.StatusDraft, client.StatusPublished} {
		var err error
		made[i], err = in.operator.CreateStepsy(t.Context(), client.NewStepsy{
			Title: "Brew " + string(status) + " tea", Description: "Hot.", UserID: "sarahchen", Status: status,
			Steps: []client.StepInput{
				{Title: "Boil", Content: "<p>Fill the <u>kettle</u>.</p>"},
				{Title: "Steep", Content: "<p>For <strong>three</strong> minutes.</p>"},
				{Title: "Drink"},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return made[0], made[1]
}

// TestReadOnlyKeyCanDoNoHarm calls every tool there is, offered or not. The same
// calls with the scope write do what they say.
func TestReadOnlyKeyCanDoNoHarm(t *testing.T) {
	in := open(t)
	draft, published := in.stepsies(t)
	reader, writer := in.assistant(t, in.key(t, read)), in.assistant(t, in.key(t, read, write))
	tools := reader.everyTool(in)
	before := in.everything(t)
	for tool := range tools {
		for _, s := range []*client.Stepsy{draft, published} {
			switch arguments := lifeOf(tool, s); {
			case arguments == "":
				t.Errorf("%s is not tried", tool)
			case slices.Contains(readers, tool):
				reader.call(tool, arguments)
			default:
				reader.fails(tool, arguments, "Insufficient scope for this action.", "It needs a key with the scope write")
			}
		}
	}
	if after := in.everything(t); after != before {
		t.Errorf("something changed\nfrom %s\nto   %s", before, after)
	}
	for _, call := range []struct {
		tool string
		on   *client.Stepsy
	}{{"draft_stepsy", draft}, {"update_stepsy", draft}, {"publish_stepsy", draft}, {"unpublish_stepsy", published}} {
		writer.call(call.tool, lifeOf(call.tool, call.on))
		after := in.everything(t)
		if after == before {
			t.Errorf("%s changes nothing even with the scope write", call.tool)
		}
		before = after
	}
}

// everyTool returns the tools that an admin is offered.
func (a *assistant) everyTool(in *installation) map[string]*sdk.Tool {
	a.Helper()
	tools := in.assistant(a.T, in.key(a.T, admin)).tools()
	if len(tools) != len(readers)+len(writers) {
		a.Fatalf("there are %d tools", len(tools))
	}
	return tools
}

func TestWriteOnlyKeyReadsNothing(t *testing.T) {
	in := open(t)
	s, _ := in.stepsies(t)
	writer := in.assistant(t, in.key(t, write))
	for _, tool := range readers {
		writer.fails(tool, lifeOf(tool, s), "It needs a key with the scope read")
	}
	made := writer.call("draft_stepsy", lifeOf("draft_stepsy", s))
	changed := writer.call("update_stepsy", fmt.Sprintf(`{"id":%d,"version":%q,"title":"Tea"}`, made.ID, made.Version))
	if changed.Title != "Tea" || changed.Version == made.Version {
		t.Errorf("changed to %+v", changed)
	}
	writer.fails("update_stepsy", fmt.Sprintf(`{"id":%d,"version":%q,"remove_steps":[1]}`, made.ID, changed.Version), "the scope read")
	writer.call("publish_stepsy", fmt.Sprintf(`{"id":%d}`, made.ID))
	writer.call("unpublish_stepsy", fmt.Sprintf(`{"id":%d}`, made.ID))
}

// TestLifeOfAStepsy is what an assistant does all day.
func TestLifeOfAStepsy(t *testing.T) {
	in := open(t)
	for _, scopes := range [][]client.Scope{{read, write}, {admin}} {
		a := in.assistant(t, in.key(t, scopes...))
		made := a.call("draft_stepsy", `{"title":"Brew tea","description":"Hot & good.","category":"lifestyle","slug":"tea",
			"steps":[{"title":"Boil","content":"Take **fresh** water:\n\n- a kettle\n- a fire\n\n<script>alert(1)</script>"},
			{"title":"Steep","content":"<p>Three <strong>minutes</strong></p>","format":"html"}]}`)
		if made.ID == 0 || made.Status != "draft" || len(made.Steps) != 2 || made.Steps[1].Title != "Steep" || made.Version == "" {
			t.Fatalf("made %+v", made)
		}
		kept, err := in.operator.GetStepsy(t.Context(), made.ID)
		if err != nil || strings.ReplaceAll(kept.Steps[0].Content, "\n", "") != "<p>Take <strong>fresh</strong> water:</p><ul><li>a kettle</li><li>a fire</li></ul>" {
			t.Errorf("kept %+v, %v", kept, err)
		}
		got := a.call("read_stepsy", fmt.Sprintf(`{"id":%d}`, made.ID))
		if got.Version != made.Version || got.Steps[0].Content != "Take **fresh** water:\n\n- a kettle\n- a fire" || got.Steps[1].Content != "Three **minutes**" ||
			got.NextStep != 0 || got.StepsCount != 2 || got.Slug != "tea" || got.Category != "lifestyle" {
			t.Errorf("read %+v", got)
		}
		changed := a.call("update_stepsy", fmt.Sprintf(`{"id":%d,"version":%q,"title":"Brew good tea","description":"","featured":true,
			"steps":[{"title":"Think"},{"id":%d},{"id":%d,"content":"Four minutes"}]}`, got.ID, got.Version, got.Steps[1].ID, got.Steps[0].ID))
		if changed.Version == got.Version || len(changed.Steps) != 3 || changed.Steps[1].ID != got.Steps[1].ID || changed.Steps[2].ID != got.Steps[0].ID {
			t.Errorf("changed to %+v", changed)
		}
		if page := a.call("search_stepsies", `{"query":"brew GOOD","status":"draft"}`); len(page.Stepsies) != 1 || page.Stepsies[0].ID != made.ID {
			t.Errorf("found %+v", page)
		}
		public := a.call("publish_stepsy", fmt.Sprintf(`{"id":%d}`, made.ID))
		if public.Status != "published" || !strings.HasPrefix(public.URL, "https://stepsies.test/@") {
			t.Errorf("published %+v", public)
		}
		if page := a.call("list_stepsies", `{"status":"published","featured":true,"category":"lifestyle","sort":"title"}`); len(page.Stepsies) != 1 || page.Stepsies[0].Title != "Brew good tea" {
			t.Errorf("listed %+v", page)
		}
		if back := a.call("unpublish_stepsy", fmt.Sprintf(`{"id":%d}`, made.ID)); back.Status != "draft" {
			t.Errorf("taken back: %+v", back)
		}
	}
}

// TestCategoriesAreThoseOfTheDomain, which the tool names for assistants.
func TestCategoriesAreThoseOfTheDomain(t *testing.T) {
	in := open(t)
	tools := in.assistant(t, in.key(t, admin)).tools()
	text, err := json.Marshal(tools["draft_stepsy"].InputSchema)
	if err != nil {
		t.Fatal(err)
	}
	if want := "one of " + strings.Join(stepsies.Categories, ", ") + ";"; !strings.Contains(string(text), want) {
		t.Errorf("the schema does not say %q", want)
	}
}

// TestGuidesNameEveryTool with the scope that it needs, and show the configuration
// that the tests of the built program start.
func TestGuidesNameEveryTool(t *testing.T) {
	config, err := os.ReadFile("../../examples/mcp/mcp.json")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, tool := range readers {
		want = append(want, "| `"+tool+"` | `read` |")
	}
	for _, tool := range writers {
		want = append(want, "| `"+tool+"` | `write` |")
	}
	for path, shows := range map[string]string{
		"../../examples/mcp/README.md":    "[`mcp.json`](mcp.json)",
		"../web/docs/pages/assistants.md": strings.Replace(string(config), "https://stepsies.example.com", "{% base %}", 1),
	} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), shows) {
			t.Errorf("%s does not show %s", path, shows)
		}
		var rows []string
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "| `") {
				rows = append(rows, line)
			}
		}
		for _, start := range want {
			if !slices.ContainsFunc(rows, func(row string) bool { return strings.HasPrefix(row, start) }) {
				t.Errorf("%s: no row begins with %s", path, start)
			}
		}
		if len(rows) != len(want) {
			t.Errorf("%s: %d rows for %d tools", path, len(rows), len(want))
		}
	}
}
