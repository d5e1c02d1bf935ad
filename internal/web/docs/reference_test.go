package docs_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stepsies/stepsies/internal/web/docs"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// wire is the OpenAPI document as a tree, read without the code that is tested.
type wire map[string]any

func (w wire) at(path ...string) wire {
	for _, key := range path {
		w, _ = w[key].(map[string]any)
	}
	return w
}

func (w wire) follow(s wire) wire {
	ref, _ := s["$ref"].(string)
	if name, ok := strings.CutPrefix(ref, "#/components/schemas/"); ok {
		return w.at("components", "schemas", name)
	}
	return s
}

func readWire(t *testing.T) wire {
	t.Helper()
	var w wire
	if err := json.Unmarshal(openAPI(t), &w); err != nil {
		t.Fatal(err)
	}
	return w
}

// fieldsOf are the fields of a body, those of objects within it too.
func (w wire) fieldsOf(s wire, prefix string) []string {
	var all []string
	for name, v := range w.follow(s).at("properties") {
		f := wire(v.(map[string]any))
		all = append(all, prefix+name)
		if items := f.at("items"); items != nil {
			all = append(all, w.fieldsOf(items, prefix+name+"[].")...)
		} else {
			all = append(all, w.fieldsOf(f, prefix+name+".")...)
		}
	}
	return all
}

// operationPart is what the reference says about an operation.
func operationPart(t *testing.T, book *docs.Book, tag, id string) string {
	t.Helper()
	p := book.Page("/docs/reference/" + strings.ReplaceAll(strings.ToLower(tag), " ", "-"))
	if p == nil {
		t.Fatalf("there is no page for %s", tag)
	}
	_, part, found := strings.Cut(p.Source, " {#"+id+"}\n")
	if !found {
		t.Fatalf("%s does not describe %s", p.Path, id)
	}
	part, _, _ = strings.Cut(part, "\n## ")
	return part
}

// TestReferenceTellsAllOfTheDocument compares every operation with the document.
func TestReferenceTellsAllOfTheDocument(t *testing.T) {
	t.Parallel()
	w, book := readWire(t), newBook(t)
	index := book.Page("/docs/reference").Source
	operations := 0
	for path, item := range w.at("paths") {
		for method, v := range item.(map[string]any) {
			operations++
			op := wire(v.(map[string]any))
			id, tag := op["operationId"].(string), op["tags"].([]any)[0].(string)
			part := operationPart(t, book, tag, id)
			wanted := []string{op["summary"].(string)}
			scope := ""
			if security := op["security"].([]any); len(security) > 0 {
				scope = security[0].(map[string]any)["bearerAuth"].([]any)[0].(string)
				wanted = append(wanted, fmt.Sprintf("```operation\n%s /v1%s\nscope: %s\n```", strings.ToUpper(method), path, scope), "```bash scope="+scope+"\n", "$STEPSIES_API_KEY")
			} else {
				wanted = append(wanted, fmt.Sprintf("```operation\n%s /v1%s\n```", strings.ToUpper(method), path))
			}
			description := strings.TrimSpace(strings.TrimPrefix(op["description"].(string), "Needs the scope `"+scope+"`."))
			wanted = append(wanted, description)
			parameters, _ := op["parameters"].([]any)
			for _, v := range parameters {
				p := wire(v.(map[string]any))
				wanted = append(wanted, fmt.Sprintf("| `%s` | %s |", p["name"], p["in"]), strings.ReplaceAll(p["description"].(string), "|", `\|`))
				wanted = append(wanted, enumOf(p.at("schema"))...)
			}
			if body := op.at("requestBody", "content", "application/json", "schema"); body != nil {
				for _, field := range w.fieldsOf(body, "") {
					wanted = append(wanted, "| `"+field+"` |")
				}
				required, _ := w.follow(body)["required"].([]any)
				for _, field := range required {
					if !strings.Contains(lineWith(part, "| `"+field.(string)+"` |"), "Required.") {
						t.Errorf("%s does not say that %s is required", id, field)
					}
				}
			}
			for status, v := range op.at("responses") {
				r := wire(v.(map[string]any))
				if ref, ok := r["$ref"].(string); ok {
					shared := w.at("components", "responses", strings.TrimPrefix(ref, "#/components/responses/"))
					code := shared.at("content", "application/json", "example", "error")["code"]
					wanted = append(wanted, fmt.Sprintf("[%s %s](/docs/errors#%[2]s)", status, code))
					continue
				}
				wanted = append(wanted, "`"+status+"` "+r["description"].(string))
			}
			for _, want := range wanted {
				if !strings.Contains(part, want) && !strings.Contains(index, want) {
					t.Errorf("%s: the reference does not say %q", id, want)
				}
			}
			row := lineWith(index, "#"+id+")")
			if !strings.Contains(row, "`"+strings.ToUpper(method)+" "+path+"`") || scope != "" && !strings.Contains(row, "| `"+scope+"` |") {
				t.Errorf("%s has the row %q in the list", id, row)
			}
		}
	}
	told := 0
	for _, p := range book.Pages {
		told += strings.Count(p.Source, "\n```operation\n")
	}
	if told != operations || operations < 20 {
		t.Errorf("the reference tells of %d operations, the document of %d", told, operations)
	}
}

func enumOf(s wire) (values []string) {
	list, _ := s["enum"].([]any)
	for _, v := range list {
		if v != nil {
			values = append(values, fmt.Sprint(v))
		}
	}
	return values
}

func lineWith(text, part string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			return line
		}
	}
	return ""
}

// TestReferenceDescribesEveryObjectOfAnswers looks for each field of each answer.
func TestReferenceDescribesEveryObjectOfAnswers(t *testing.T) {
	t.Parallel()
	w, book := readWire(t), newBook(t)
	all := ""
	for _, p := range book.Pages {
		all += p.Source
	}
	for _, name := range []string{"Stepsy", "ListedStepsy", "Step", "Author", "PageMeta", "Profile", "KeyInUse", "APIKey", "CreatedAPIKey", "User", "LeakReceipt"} {
		_, part, found := strings.Cut(all, "\n### "+name+" {#")
		if !found {
			t.Errorf("%s is not described", name)
			continue
		}
		part, _, _ = strings.Cut(part, "\n### ")
		for field, v := range w.at("components", "schemas", name, "properties") {
			f := wire(v.(map[string]any))
			row := lineWith(part, "| `"+field+"` |")
			if description, _ := f["description"].(string); row == "" || !strings.Contains(row, description) {
				t.Errorf("%s.%s has the row %q", name, field, row)
			}
			cells := strings.Split(row, "|")
			if len(cells) > 3 && strings.TrimSpace(cells[3]) == "" {
				t.Errorf("nobody knows what %s.%s means", name, field)
			}
		}
	}
}

// TestReferenceFollowsTheDocument changes the document and looks for it in the page.
func TestReferenceFollowsTheDocument(t *testing.T) {
	t.Parallel()
	w := readWire(t)
	post := w.at("paths", "/stepsies", "post")
	post["summary"] = "Bring forth a stepsy"
	post["security"] = []any{map[string]any{"bearerAuth": []any{"admin"}}}
	w.at("components", "schemas", "NewStepsy", "properties")["colour"] = map[string]any{"type": "string", "description": "What it looks like.", "enum": []any{"green", "blue"}}
	delete(w.at("components", "schemas", "NewStepsy", "properties"), "featured")
	delete(w.at("paths"), "/stepsies/{id}/publish")
	text, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	book, err := docs.New(base, text)
	if err != nil {
		t.Fatal(err)
	}
	part := operationPart(t, book, "Stepsies", "create-stepsy")
	for _, want := range []string{"scope: admin", "```bash scope=admin", "| `colour` | string | What it looks like. One of `green`, `blue`. |"} {
		if !strings.Contains(part, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(part, "`featured`") || strings.Contains(book.Page("/docs/reference/stepsies").Source, "{#publish-stepsy}") {
		t.Error("the page says what the document no longer does")
	}
	if !strings.Contains(book.Page("/docs/reference").Source, "| `POST /stepsies` | `admin` | [Bring forth a stepsy](/docs/reference/stepsies#create-stepsy) |") {
		t.Error("the list of operations did not follow")
	}
}

// TestEveryCodeIsExplained compares the page of errors with the document, which
// lists all codes.
func TestEveryCodeIsExplained(t *testing.T) {
	t.Parallel()
	w, text := readWire(t), page(t, "/docs/errors").Source
	status := map[string]string{"method_not_allowed": "405", "quota_exceeded": "429"} // no operation documents the first; the second shares its answer
	for _, item := range w.at("paths") {
		for _, op := range item.(map[string]any) {
			for code, v := range wire(op.(map[string]any)).at("responses") {
				if ref, ok := v.(map[string]any)["$ref"].(string); ok {
					shared := w.at("components", "responses", strings.TrimPrefix(ref, "#/components/responses/"))
					status[shared.at("content", "application/json", "example", "error")["code"].(string)] = code
				}
			}
		}
	}
	codes := enumOf(w.at("components", "schemas", "ErrorDetail", "properties", "code"))
	if missing := slices.Sorted(maps.Keys(status)); len(missing) != len(codes) || len(codes) < 14 {
		t.Fatalf("the document lists %q, its answers have %q", codes, missing)
	}
	for _, code := range codes {
		row := lineWith(text, "[`"+code+"`](#"+code+")")
		cells := strings.Split(row, "|")
		if len(cells) != 6 || strings.TrimSpace(cells[1]) != status[code] || strings.TrimSpace(cells[3]) == "" || strings.TrimSpace(cells[4]) == "" {
			t.Errorf("%s has the row %q, want status %s, when and what to do", code, row, status[code])
		}
		if !strings.Contains(text, "\n## "+status[code]+" "+code+" {#"+code+"}\n") {
			t.Errorf("%s has no part of its own", code)
		}
	}
}
