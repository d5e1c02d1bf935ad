package docs_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/richtext"
	"github.com/stepsies/stepsies/internal/web/docs"
)

const base = "https://stepsies.test"

func openAPI(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../../api/testdata/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	// The installation's own address stands in its document.
	return []byte(strings.ReplaceAll(string(text), "https://api.stepsies.com", base))
}

func newBook(t *testing.T) *docs.Book {
	t.Helper()
	book, err := docs.New(base, openAPI(t))
	if err != nil {
		t.Fatal(err)
	}
	return book
}

func page(t *testing.T, path string) *docs.Page {
	t.Helper()
	p := newBook(t).Page(path)
	if p == nil {
		t.Fatalf("there is no page %s", path)
	}
	return p
}

// rows are the cells of every table of a page, without the marks of code and bold.
func rows(markdown string) [][]string {
	var all [][]string
	for line := range strings.Lines(markdown) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.NewReplacer("`", "", "**", "").Replace(strings.TrimSpace(cells[i]))
		}
		all = append(all, cells)
	}
	return all
}

// fence is a block of code.
type fence struct{ language, info, code string }

var fencePattern = regexp.MustCompile("(?ms)^```([a-z]+)([^\n]*)\n(.*?)\n?^```$")

func fences(markdown string) []fence {
	var all []fence
	for _, m := range fencePattern.FindAllStringSubmatch(markdown, -1) {
		all = append(all, fence{m[1], strings.TrimSpace(m[2]), m[3]})
	}
	return all
}

// inOrder fails the test unless a text holds all of these, one behind the other.
func inOrder(t *testing.T, text string, wanted ...string) {
	t.Helper()
	rest := text
	for _, w := range wanted {
		_, after, found := strings.Cut(rest, w)
		if !found {
			t.Errorf("there is no %q where it belongs", w)
			continue
		}
		rest = after
	}
}

// TestAuthenticationSaysAllThereIsToSay holds the page to what a reader was
// promised, in this order.
func TestAuthenticationSaysAllThereIsToSay(t *testing.T) {
	t.Parallel()
	text := page(t, "/docs/authentication").Source
	inOrder(t, text,
		"# Authentication", "authenticated by an API key", "create keys", "use them", "look after them",
		"## Overview", "bearer token", "`Authorization` header of each request", "\nAuthorization: Bearer sk_"+strings.Repeat("x", 48)+"\n",
		"Keep your API keys secure", "runs in a browser", "public repository", "version control", "environment variables", "secrets manager",
		"## Creating an API key",
		"1. Go to your [Dashboard](/dashboard)", "**Developer** tab", "2. Click **Create API Key**", "3. Give the key a name", "“Production Backend”", "“CI/CD Pipeline”",
		"4. Select the scopes that your program needs", "5. Set an expiration date", "leave it out", "6. Click **Create Key**",
		"shown once", "Copy it at once and store it safely", "if you lose a key, create a new one",
		"## API key format", "\nsk_"+strings.Repeat("x", 48)+"\n", "**Prefix:** `sk_`", "Stepsies API key", "**Token:** 48 random hexadecimal characters", "51 characters in all",
		"## Scopes", "one scope or several", "limit what it can do", "| `read` |", "| `write` |", "| `admin` |",
		"### Scope hierarchy", "`admin` includes all that `read` and `write` allow",
		"## Scope requirements by endpoint", "/stepsies/:id/unpublish",
		"## Making authenticated requests", "cURL", "JavaScript (fetch)", "Ruby", "Python",
		"```bash", "```js", "await fetch(", "```ruby", "Net::HTTP", "```python", "requests.get(", "```go",
		"## Authentication errors",
		"### 401 Unauthorized", "no API key", "not valid", `"code": "unauthorized",`, `"message": "Missing or invalid API key"`,
		"Common causes", "`Authorization` header is missing", "typo in the key", "has been revoked", "has expired",
		"### 403 Forbidden", "does not have the scope", `"code": "forbidden",`, `"message": "Insufficient scope for this action"`,
		"create a new key that has the scope", "upgrade the one you have",
		"## Managing API keys",
		"### Viewing keys", "**Dashboard › Developer** lists all your keys", "name and description", "scopes that it was granted", "when it was created", "when it was last used", "when it expires, if that is set",
		"### Revoking keys", "compromised, revoke it at once", "1. Go to **Dashboard › Developer**", "2. Find the key", "3. Click **Revoke**", "4. Confirm it",
		"stops working immediately", "`401 Unauthorized`", "immediate and permanent", "cannot be reinstated", "Create a new one and put it into your integrations",
		"## Best practices",
		"descriptive names", "“Zapier Integration”, “Mobile App”, “CI Pipeline”", "least privilege", "only the scopes", "expiration dates", "temporary integrations", "expire by themselves",
		"Rotate keys regularly", "retire old ones", "Monitor usage", "“Last used”", "environment variables", "`STEPSIES_API_KEY`", "One key per integration", "separate programs",
		"## Next steps", "[Rate limits and quotas](/docs/rate-limits)", "[API reference](/docs/reference)",
	)
	table := rows(text)
	for _, want := range [][]string{
		{"Scope", "Description", "Use case"},
		{"read", "Read your stepsies and your profile, and change nothing", "Analytics dashboards, public displays"},
		{"write", "Create, update and delete stepsies", "Content management, automation"},
		{"admin", "Everything, user management included", "Administrative tools, migrations"},
		{"Endpoint", "Required scope"},
		{"GET /stepsies", "read"}, {"GET /stepsies/:id", "read"}, {"POST /stepsies", "write"}, {"PATCH /stepsies/:id", "write"}, {"DELETE /stepsies/:id", "write"},
		{"POST /stepsies/:id/publish", "write"}, {"POST /stepsies/:id/unpublish", "write"},
	} {
		if len(table) == 0 || !slices.Equal(table[0], want) {
			t.Fatalf("the next row of the tables is %q, want %q", table[0], want)
		}
		table = table[1:]
	}
	if len(table) > 0 {
		t.Errorf("there are more rows: %q", table)
	}
}

// TestWorkflowIsTheExample compares the page with the file for repositories.
func TestWorkflowIsTheExample(t *testing.T) {
	t.Parallel()
	example, err := os.ReadFile("../../../examples/github-actions/push-guides.yml")
	if err != nil {
		t.Fatal(err)
	}
	_, workflow, _ := strings.Cut("\n"+string(example), "\nname: ")
	if text := page(t, "/docs/recipes").Markdown; !strings.Contains(text, "\n```yaml\nname: "+strings.TrimSpace(workflow)+"\n```\n") {
		t.Errorf("the page has another workflow than examples/github-actions:\n%s", workflow)
	}
}

func TestPlansAreThoseOfTheDomain(t *testing.T) {
	t.Parallel()
	table := rows(page(t, "/docs/rate-limits").Markdown)
	for i, plan := range stepsies.Plans {
		row := table[i+1]
		if row[0] != string(plan) {
			t.Fatalf("row %d is of %s, want %s", i+1, row[0], plan)
		}
		l := stepsies.LimitsOf(plan, stepsies.Limits{})
		for j, n := range []int64{l.Minute, l.Hour, l.Month} {
			want := "own limit"
			if n > 0 {
				want = regexp.MustCompile(`(\d)(\d{3})$`).ReplaceAllString(itoa(n), "$1,$2")
			}
			if row[j+1] != want {
				t.Errorf("%s: %q, want %q", plan, row[j+1], want)
			}
		}
	}
}

func TestLimitsPageShowsTheAnswersThatAreGiven(t *testing.T) {
	t.Parallel()
	inOrder(t, page(t, "/docs/rate-limits").Markdown,
		"fixed", "UTC", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Unix seconds", "`429`", "`Retry-After`",
		`"code": "rate_limit_exceeded",`, `"message": "Too many requests. Please slow down.",`, `"retry_after": 45`,
		`"code": "quota_exceeded",`, `"message": "The quota of this month is used up. The next one begins on 1 January 2025 (UTC); a larger plan lifts it at once.",`, `"retry_after": 864000`)
}

// TestNoPlaceholderIsLeft looks for what templates leave behind, in every page.
func TestNoPlaceholderIsLeft(t *testing.T) {
	t.Parallel()
	for _, p := range newBook(t).Pages {
		for _, text := range []string{p.Markdown, p.HTML(true), p.HTML(false)} {
			for _, mark := range []string{"{%", "%}", "<no value>", "<!--", "api.stepsies.com", "raw HTML omitted", "%!"} {
				if strings.Contains(text, mark) {
					t.Errorf("%s holds %q", p.Path, mark)
				}
			}
		}
		for _, f := range fences(p.Source) {
			if !slices.Contains([]string{"bash", "js", "ruby", "python", "go", "json", "http", "yaml", "crontab", "markdown", "html", "text", "operation"}, f.language) {
				t.Errorf("%s has code in %q", p.Path, f.language)
			}
		}
	}
}

// TestMarkdownIsPlain: what is served holds nothing that only the program reads, and
// loses nothing of the page.
func TestMarkdownIsPlain(t *testing.T) {
	t.Parallel()
	marks, operations := 0, 0
	for _, p := range newBook(t).Pages {
		for line := range strings.Lines(p.Markdown) {
			if opens := strings.HasPrefix(line, "```"); opens && strings.Contains(strings.TrimSpace(line), " ") || strings.HasPrefix(line, "#") && strings.HasSuffix(line, "}\n") || line == "```operation\n" {
				t.Errorf("%s: %q", p.Path, line)
			}
		}
		marks += strings.Count(p.Source, " {#") + strings.Count(p.Source, " shows=")
		operations += strings.Count(p.Markdown, ", with the scope `")
		was, is := fences(p.Source), fences(p.Markdown)
		was = slices.DeleteFunc(was, func(f fence) bool { return f.language == "operation" })
		if len(was) != len(is) {
			t.Fatalf("%s: %d blocks of code, want %d", p.Path, len(is), len(was))
		}
		for i := range is {
			if is[i].language != was[i].language || is[i].code != was[i].code {
				t.Errorf("%s: %q, want %q", p.Path, is[i], was[i])
			}
		}
	}
	if marks < 100 || operations < 15 {
		t.Errorf("there were %d marks to take out, and %d operations have a scope", marks, operations)
	}
	inOrder(t, page(t, "/docs/reference/stepsies").Markdown, "\n## List stepsies\n", "\n`GET /v1/stepsies`, with the scope `read`\n", "\n```bash\ncurl ", "[429 quota_exceeded](/docs/errors#quota_exceeded)")
	_, leaked, _ := strings.Cut(page(t, "/docs/reference/api-keys").Markdown, "\n`POST /v1/leaked-keys`, without a key\n")
	if !strings.Contains(leaked, "[429 rate_limit_exceeded](") || strings.Contains(leaked, "quota_exceeded") {
		t.Errorf("what asks for no key says of its refusals: %s", leaked)
	}
}

// TestContentPageTellsWhatIsKept holds its table to the allow-list.
func TestContentPageTellsWhatIsKept(t *testing.T) {
	t.Parallel()
	const all = `<p>a<br></p><hr><pre><code class="language-js">c</code></pre><blockquote><p>q</p></blockquote>
<h1>1</h1><h2>2</h2><h3>3</h3><h4>4</h4><h5>5</h5><h6>6</h6><ul><li>x</li></ul><ol start="3"><li>x</li></ol>
<table><thead><tr><th scope="col" colspan="2" rowspan="2">x</th></tr></thead><tbody><tr><td>x</td></tr></tbody></table>
<p><strong>x</strong><b>x</b><em>x</em><i>x</i><u>x</u><s>x</s><del>x</del><mark>x</mark><sub>x</sub><sup>x</sup>
<a href="https://h/" title="t">x</a><a href="mailto:a@example.com">x</a><img src="http://h/p.png" alt="a" title="t" width="3" height="4"></p>`
	kept := richtext.Sanitise(all + `<div style="x" id="x" onclick="x"><script>x</script><kbd>x</kbd><a href="x.html">x</a><img src="data:x"></div>`).HTML()
	table := rows(page(t, "/docs/content").Markdown)
	var told, found []string
	for _, row := range table[1:] {
		for _, name := range strings.Split(row[0], ", ") {
			told = append(told, "<"+name)
		}
		for _, name := range regexp.MustCompile(`[a-z]+`).FindAllString(strings.NewReplacer(" of ol", "", " of th", "", ", such as language-js", "").Replace(row[1]), -1) {
			told = append(told, " "+name+"=")
		}
	}
	for _, m := range regexp.MustCompile(`<[a-z0-9]+| [a-z]+=`).FindAllString(kept, -1) {
		if m != " rel=" {
			found = append(found, m)
		}
	}
	for _, list := range []*[]string{&told, &found} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	if !slices.Equal(told, found) {
		t.Errorf("the page tells of %q, and kept is %q", told, found)
	}
}

// TestSizesAndVersionAreThoseOfTheProgram compares what pages say with the domain and
// with the OpenAPI document.
func TestSizesAndVersionAreThoseOfTheProgram(t *testing.T) {
	t.Parallel()
	w := readWire(t)
	var limit string
	for _, v := range w.at("paths", "/stepsies", "get")["parameters"].([]any) {
		if p := wire(v.(map[string]any)); p["name"] == "limit" {
			limit = fmt.Sprint(p.at("schema")["maximum"])
		}
	}
	table := rows(page(t, "/docs/rate-limits").Markdown)
	for _, want := range [][]string{
		{"Title of a stepsy, and of a step", "200 characters"}, {"Description", "2,000 characters"}, {"Steps of a stepsy", "200"},
		{"Content of a step", "100,000 characters of HTML"}, {"Body of a request", "2 MiB"}, {"Items of a page", limit},
	} {
		if !slices.ContainsFunc(table, func(row []string) bool { return slices.Equal(row, want) }) {
			t.Errorf("there is no row %q", want)
		}
	}
	version := w.at("info")["version"]
	if changes := rows(page(t, "/docs/versions").Markdown); !slices.ContainsFunc(changes, func(row []string) bool { return row[0] == version }) {
		t.Errorf("the page about changes does not tell of version %v", version)
	}
	inOrder(t, page(t, "/docs/versions").Markdown, "`/v1`", "is renamed, removed or given another type", "Ignores those that it does not know", "**Webhooks.**", "**OAuth.**")
}

// TestExamplesStandInFiveLanguages looks at every page that shows requests.
func TestExamplesStandInFiveLanguages(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/docs", "/docs/authentication", "/docs/rate-limits", "/docs/errors", "/docs/pagination", "/docs/idempotency"} {
		p := page(t, path)
		labels := regexp.MustCompile(`<label for="sample-1-[a-z]+">([^<]+)</label>`).FindAllStringSubmatch(p.HTML(false), -1)
		var got []string
		for _, l := range labels {
			got = append(got, l[1])
		}
		if want := []string{"cURL", "JavaScript", "Ruby", "Python", "Go"}; !slices.Equal(got, want) {
			t.Errorf("%s: the languages are %q", path, got)
		}
		if !strings.Contains(p.HTML(true), `<a href="/dashboard/developer/new">Create an API Key</a>`) {
			t.Errorf("%s leads nobody to a key", path)
		}
		if out := p.HTML(false); strings.Contains(out, "Create an API Key</a>") || !strings.Contains(out, "Sign in to create an API key") {
			t.Errorf("%s does not ask to sign in", path)
		}
	}
}

func TestListForProgramsNamesEveryPage(t *testing.T) {
	t.Parallel()
	book := newBook(t)
	text := book.LLMs()
	if !strings.HasPrefix(text, "# Stepsies\n\n> ") {
		t.Errorf("it begins with %.60q", text)
	}
	for _, p := range book.Pages {
		if want := "- [" + p.Title + "](" + base + p.Path + ".md): " + p.Summary + "\n"; !strings.Contains(text, want) {
			t.Errorf("there is no line %q", want)
		}
	}
	if links := strings.Count(text, "\n- ["); links != len(book.Pages) {
		t.Errorf("it has %d links for %d pages", links, len(book.Pages))
	}
}

func TestDocumentThatCannotBeReadStopsTheBook(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "no JSON", "{}", `{"servers":[{"url":"x"}]}`} {
		if _, err := docs.New(base, []byte(text)); err == nil {
			t.Errorf("a book is made of %q", text)
		}
	}
}

// BenchmarkBook writes the whole documentation, as the first reader has it done.
func BenchmarkBook(b *testing.B) {
	text, err := os.ReadFile("../../api/testdata/openapi.json")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := docs.New(base, text); err != nil {
			b.Fatal(err)
		}
	}
}
