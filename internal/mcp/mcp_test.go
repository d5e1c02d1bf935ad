package mcp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/client"
	"github.com/stepsies/stepsies/internal/mcp"
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

func TestFailuresSayWhatToDo(t *testing.T) {
	in := open(t)
	s, _ := in.stepsies(t)
	k := in.key(t, read, write)
	a := in.assistant(t, k)
	one := fmt.Sprintf(`{"id":%d}`, s.ID)

	a.fails("read_stepsy", `{"id":99999}`, "stepsy")
	a.fails("read_stepsy", `{"id":0}`, "id", "minimum")
	a.fails("read_stepsy", `{"id":1,"unknown":2}`, "unknown")
	a.fails("list_stepsies", `{"category":"cooking"}`, "must be one of business")
	a.fails("list_stepsies", `{"limit":1000}`, "limit", "maximum")
	a.fails("draft_stepsy", `{"title":"Tea","slug":"brew-draft-tea"}`, "slug")
	a.fails("draft_stepsy", `{"title":"Tea","steps":[{"title":" "}]}`, "steps[0].title must not be empty")
	a.fails("draft_stepsy", fmt.Sprintf(`{"title":"Tea","steps":[{"title":"Boil","content":%q}]}`, strings.Repeat("> ", 300)), "step 1", "nest them less")
	a.fails("draft_stepsy", fmt.Sprintf(`{"title":"Tea","steps":[{"title":"Boil","content":%q}]}`, strings.Repeat("x", 100_001)), "maxLength")
	empty := a.call("draft_stepsy", `{"title":"Empty"}`)
	a.fails("publish_stepsy", fmt.Sprintf(`{"id":%d}`, empty.ID), "step")

	now := time.Now().Truncate(time.Minute).Add(15 * time.Second)
	in.clock.Store(&now)
	if _, err := in.operator.UpdateUser(t.Context(), "sarahchen", client.UserChange{Limits: client.Set(client.LimitsChange{Minute: client.Set[int64](1)})}); err != nil {
		t.Fatal(err)
	}
	_, _ = a.try("read_stepsy", one)
	a.fails("read_stepsy", one, "Too many requests", "Try again in 45s.")
	if _, err := in.operator.UpdateUser(t.Context(), "sarahchen", client.UserChange{Limits: client.Null[client.LimitsChange]()}); err != nil {
		t.Fatal(err)
	}

	if _, err := in.operator.RevokeAPIKey(t.Context(), k.ID); err != nil {
		t.Fatal(err)
	}
	for tool := range life {
		a.fails(tool, lifeOf(tool, s), "Missing or invalid API key.", "revoked or expired: create a new one in the dashboard's Developer tab", "STEPSIES_API_KEY")
	}
}

// broken is a network that is down, and says too much.
type broken struct{}

func (broken) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, errors.New("no route for " + r.Header.Get("Authorization"))
}

func TestNetworkThatIsDown(t *testing.T) {
	in := open(t)
	s, _ := in.stepsies(t)
	a := in.assistant(t, in.key(t, read), client.WithTransport(broken{}), client.WithRetries(1))
	if n := len(a.tools()); n != len(life) {
		t.Errorf("%d tools are offered", n)
	}
	for tool := range life {
		if _, failure := a.try(tool, lifeOf(tool, s)); !strings.Contains(failure, "no route for Bearer sk_[redacted]") {
			t.Errorf("%s says %q", tool, failure)
		}
	}
}

// TestConversationEnds when the assistant closes its side, when the program is told
// to end, and when what comes is no protocol; what runs is given up.
func TestConversationEnds(t *testing.T) {
	in := open(t)
	k := in.key(t, read)
	a := in.assistant(t, k)
	a.call("list_stepsies", `{}`)
	if err := a.session.Close(); err != nil {
		t.Error(err)
	}
	if err := <-a.ended; err != nil {
		t.Errorf("after the end of input: %v", err)
	}
	a.ended <- nil // for the cleanup

	asked := make(chan struct{}, 1)
	slow := listen(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	for name, input := range map[string]string{
		"told to end": `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"0"}}}
{"jsonrpc":"2.0","method":"notifications/initialized"}
{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"list_stepsies","arguments":{}}}
`,
		"no protocol": "Hello?\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := mcp.New(mcp.Config{Client: connect(t, client.WithBaseURL(slow), client.WithAPIKey(k.Key.Reveal())), Log: slog.New(slog.DiscardHandler)})
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			from, to := io.Pipe()
			ended := make(chan error, 1)
			go func() { ended <- s.Run(ctx, from, io.Discard) }()
			if _, err := io.WriteString(to, input); err != nil {
				t.Fatal(err)
			}
			if name == "told to end" {
				<-asked
				stop()
			}
			if err := <-ended; (err == nil) != (name == "told to end") {
				t.Errorf("it ended with %v", err)
			}
		})
	}
}

func TestMessageThatIsTooLongEndsTheConversation(t *testing.T) {
	in := open(t)
	s := mcp.New(mcp.Config{Client: connect(t, client.WithBaseURL(in.url), client.WithAPIKey(in.key(t, read).Key.Reveal())), Log: slog.New(slog.DiscardHandler)})
	from, to := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(t.Context(), from, io.Discard); _ = from.Close() }()
	go func() {
		chunk := strings.Repeat("x", 1<<16)
		_, _ = io.WriteString(to, `{"jsonrpc":"2.0","id":1,"method":"`)
		for range 1 << 10 { // 64 MiB
			if _, err := io.WriteString(to, chunk); err != nil {
				return
			}
		}
	}()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "maximum line length") {
		t.Errorf("it ended with %v", err)
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
