package docs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// operationTable lists every operation with its scope.
func (d *document) operationTable() string {
	var t strings.Builder
	for i, g := range d.Tags {
		if i > 0 {
			t.WriteString("\n")
		}
		fmt.Fprintf(&t, "## %s\n\n%s [%[1]s in detail](%[3]s)\n\n| Operation | Scope | What it does |\n|---|---|---|\n", g.Name, g.Description, tagPath(g))
		for _, op := range d.of(g) {
			fmt.Fprintf(&t, "| `%s %s` | %s | [%s](%s#%s) |\n", op.method, op.path, scopeWords(op), op.Summary, tagPath(g), op.OperationID)
		}
	}
	return t.String()
}

func tagPath(g tag) string { return Root + "/reference/" + slug(g.Name) }

// slug is a name as it stands in an address.
func slug(name string) string { return strings.ReplaceAll(strings.ToLower(name), " ", "-") }

func scopeWords(op *operation) string {
	if s := op.scope(); s != "" {
		return "`" + s + "`"
	}
	return "none"
}

// of lists the operations of a group, in reading order.
func (d *document) of(g tag) []*operation {
	var list []*operation
	for _, op := range d.operations {
		if slices.Contains(op.Tags, g.Name) {
			list = append(list, op)
		}
	}
	return list
}

// tagPage writes the reference of a group of operations.
func (d *document) tagPage(g tag) string {
	w := &referenceWriter{document: d, examples: map[string]json.RawMessage{}}
	fmt.Fprintf(w, "# %s\n\n%s\n", g.Name, g.Description)
	for _, op := range d.of(g) {
		w.operation(op)
	}
	w.objects()
	return w.String()
}

// referenceWriter writes a page of the reference. It notes the objects that
// answers name, and describes them once at the end.
type referenceWriter struct {
	*document
	strings.Builder
	noted    []string
	examples map[string]json.RawMessage // of objects, where an answer shows one
}

func (w *referenceWriter) operation(op *operation) {
	fmt.Fprintf(w, "\n## %s {#%s}\n\n```operation\n%s %s\n", op.Summary, op.OperationID, op.method, w.route(op))
	description := op.Description
	if scope := op.scope(); scope != "" {
		fmt.Fprintf(w, "scope: %s\n", scope)
		description = strings.TrimPrefix(description, "Needs the scope `"+scope+"`.")
	}
	w.WriteString("```\n")
	if description = strings.TrimSpace(description); description != "" {
		fmt.Fprintf(w, "\n%s\n", description)
	}
	w.parameters(op)
	if op.RequestBody != nil {
		fmt.Fprintf(w, "\n### Body {#%s-body}\n\n| Field | Type | Meaning |\n|---|---|---|\n", op.OperationID)
		w.fieldRows("", op.RequestBody.Content[jsonType].Schema, true, 0)
	}
	fmt.Fprintf(w, "\n### Example {#%s-example}\n\n%s", op.OperationID, w.curl(op))
	w.answers(op)
}

func (w *referenceWriter) parameters(op *operation) {
	if len(op.Parameters) == 0 {
		return
	}
	fmt.Fprintf(w, "\n### Parameters {#%s-parameters}\n\n| Parameter | In | Type | Meaning |\n|---|---|---|---|\n", op.OperationID)
	for _, p := range op.Parameters {
		about := sentences(p.Description, values(p.Schema, p.Description))
		if p.Example != nil && len(p.Schema.Enum) == 0 && p.In != "path" {
			about = sentences(about, fmt.Sprintf("For example `%v`.", p.Example))
		}
		fmt.Fprintf(w, "| `%s` | %s | %s | %s |\n", p.Name, p.In, w.typeOf(p.Schema), cell(about))
	}
}

// maxDepth bounds how deep the fields of a body are followed.
const maxDepth = 4

// fieldRows lists the fields of an object, and those of the objects in it that have
// no description of their own on the page: a field of each step is steps[].title.
// Of a body it says what is required, of an answer what is not always there.
func (w *referenceWriter) fieldRows(prefix string, s *schema, isBody bool, depth int) {
	s = w.follow(s)
	for _, name := range s.fields() {
		f := s.Properties[name]
		required := slices.Contains(s.Required, name)
		about := sentences(f.Description, values(f, f.Description))
		switch {
		case required && isBody:
			about = sentences("Required.", about)
		case !required && !isBody:
			about = sentences(about, "Not always there.")
		}
		if about == "" {
			about = w.follow(f).Description
		}
		fmt.Fprintf(w, "| `%s%s` | %s | %s |\n", prefix, name, w.typeOf(f), cell(about))
		within, path := f, prefix+name+"."
		if f.Items != nil {
			within, path = f.Items, prefix+name+"[]."
		}
		if slices.Contains(w.noted, named(within)) {
			continue
		}
		if within = w.follow(within); len(within.Properties) > 0 && depth < maxDepth {
			w.fieldRows(path, within, isBody, depth+1)
		}
	}
}

// typeOf says in words what a value is. An object has a link to its description
// where the page has one.
func (w *referenceWriter) typeOf(s *schema) string {
	if name := named(s); name != "" {
		if slices.Contains(w.noted, name) {
			return "[" + name + "](#" + objectID(name) + ")"
		}
		s = w.follow(s)
	}
	var words []string
	for _, t := range s.Type {
		switch {
		case t == "array" && s.Items != nil:
			t = "list of " + w.typeOf(s.Items)
		case s.Format == "date-time" && t == "string":
			t = "time"
		}
		words = append(words, t)
	}
	return strings.Join(words, " or ")
}

// values says which values fit, as far as the description leaves that open.
func values(s *schema, described string) string {
	var said []string
	enum := s.Enum
	if s.Items != nil {
		enum = s.Items.Enum
	}
	var options []string
	open := false
	for _, v := range enum {
		if v == nil {
			continue // stands in the type
		}
		options = append(options, fmt.Sprintf("`%v`", v))
		open = open || !strings.Contains(described, fmt.Sprint(v))
	}
	if open {
		said = append(said, "One of "+strings.Join(options, ", ")+".")
	}
	if s.Maximum != nil && !strings.Contains(described, grouped(int64(*s.Maximum))) {
		said = append(said, "At most "+grouped(int64(*s.Maximum))+".")
	}
	if s.MaxLength != nil && !strings.Contains(described, strconv.Itoa(*s.MaxLength)) {
		said = append(said, "At most "+strconv.Itoa(*s.MaxLength)+" characters.")
	}
	if s.Default != nil {
		said = append(said, fmt.Sprintf("Default: `%v`.", s.Default))
	}
	return strings.Join(said, " ")
}

// curl is the operation as a line to paste. What follows the language of the block
// says which scope suffices, and is checked by running it.
func (w *referenceWriter) curl(op *operation) string {
	var t strings.Builder
	scope := op.scope()
	if scope == "" {
		scope = "none"
	}
	fmt.Fprintf(&t, "```bash scope=%s\ncurl ", scope)
	if op.method != "GET" {
		t.WriteString("-X " + op.method + " ")
	}
	t.WriteString(w.address(op))
	if scope != "none" {
		t.WriteString(" \\\n  -H \"Authorization: Bearer $STEPSIES_API_KEY\"")
	}
	if op.RequestBody != nil {
		t.WriteString(" \\\n  -H \"Content-Type: application/json\" \\\n  -d '" + w.ordered(op.RequestBody.Content[jsonType]) + "'")
	}
	t.WriteString("\n```\n")
	return t.String()
}

// ordered is the example of a body with its fields in the order in which they are
// described.
func (w *referenceWriter) ordered(m media) string {
	var example any
	if json.Unmarshal(m.Example, &example) != nil {
		return string(m.Example)
	}
	var b strings.Builder
	w.write(&b, example, m.Schema)
	return indented(json.RawMessage(b.String()))
}

func (w *referenceWriter) write(b *strings.Builder, v any, s *schema) {
	s = w.follow(s)
	separator := ""
	switch v := v.(type) {
	case map[string]any:
		b.WriteString("{")
		for _, name := range s.fields() {
			if _, ok := v[name]; ok {
				fmt.Fprintf(b, "%s%q:", separator, name)
				w.write(b, v[name], s.Properties[name])
				separator = ","
			}
		}
		b.WriteString("}")
	case []any:
		b.WriteString("[")
		for _, item := range v {
			b.WriteString(separator)
			w.write(b, item, s.Items)
			separator = ","
		}
		b.WriteString("]")
	default:
		e := json.NewEncoder(b)
		e.SetEscapeHTML(false)
		_ = e.Encode(v) // it was decoded from JSON
	}
}

func indented(text json.RawMessage) string {
	var b bytes.Buffer
	if json.Indent(&b, text, "", "  ") != nil {
		return string(text)
	}
	return b.String()
}

// common are headers that every answer has; the first page of the reference
// describes them.
var common = []string{"X-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}

func (w *referenceWriter) answers(op *operation) {
	fmt.Fprintf(w, "\n### Answer {#%s-answer}\n", op.OperationID)
	var refusals []string
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		r := op.Responses[status]
		if name, code := w.errorOf(r); name != "" {
			refusals = append(refusals, fmt.Sprintf("[%s %s](%s/errors#%[2]s)", status, code, Root))
			if status == "429" && op.scope() != "" { // what asks for no key has no quota
				refusals = append(refusals, "[429 quota_exceeded]("+Root+"/errors#quota_exceeded)")
			}
			continue
		}
		fmt.Fprintf(w, "\n`%s` %s", status, r.Description)
		content, ok := r.Content[jsonType]
		if ok {
			w.note(content.Schema)
			w.examples[named(content.Schema)] = content.Example
			fmt.Fprintf(w, " The body is %s.", w.typeOf(content.Schema))
		}
		var headers []string
		for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
			if !slices.Contains(common, name) {
				headers = append(headers, "`"+name+"`")
			}
		}
		if len(headers) > 0 {
			fmt.Fprintf(w, " Headers: %s.", strings.Join(headers, ", "))
		}
		w.WriteString("\n")
		if ok && content.Example != nil {
			fmt.Fprintf(w, "\n```json\n%s\n```\n", indented(content.Example))
		}
	}
	fmt.Fprintf(w, "\nRefusals: %s.\n", strings.Join(refusals, ", "))
}

// note has an object of an answer described at the end of the page, and those that
// it holds.
func (w *referenceWriter) note(s *schema) {
	if s == nil {
		return
	}
	if name := named(s); name != "" {
		if slices.Contains(w.noted, name) || w.Components.Schemas[name] == nil {
			return
		}
		w.noted = append(w.noted, name)
		s = w.Components.Schemas[name]
	}
	w.note(s.Items)
	for _, name := range s.fields() {
		w.note(s.Properties[name])
	}
}

func objectID(name string) string { return "object-" + strings.ToLower(name) }

func (w *referenceWriter) objects() {
	if len(w.noted) == 0 {
		return
	}
	w.WriteString("\n## Objects {#objects}\n\nWhat the answers hold. Every field is always there, unless it says otherwise; where there is no value, it is null.\n")
	for _, name := range w.noted {
		s := w.Components.Schemas[name]
		fmt.Fprintf(w, "\n### %s {#%s}\n\n", name, objectID(name))
		if s.Description != "" {
			fmt.Fprintf(w, "%s\n\n", s.Description)
		}
		w.WriteString("| Field | Type | Meaning |\n|---|---|---|\n")
		w.fieldRows("", s.inOrderOf(w.examples[name]), false, 0)
	}
}

// inOrderOf returns the schema with its required fields in the order in which an
// example has them, which is the order on the wire.
func (s *schema) inOrderOf(example json.RawMessage) *schema {
	place := func(field string) int { return bytes.Index(example, []byte(`"`+field+`":`)) }
	ordered := *s
	ordered.Required = slices.Clone(s.Required)
	slices.SortStableFunc(ordered.Required, func(a, b string) int { return place(a) - place(b) })
	return &ordered
}

// sentences puts those that are not empty one behind the other.
func sentences(parts ...string) string {
	var said []string
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			said = append(said, p)
		}
	}
	return strings.Join(said, " ")
}

// cell escapes a text for a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(text)
}
