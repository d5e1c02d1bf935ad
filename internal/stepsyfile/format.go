package stepsyfile

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/stepsies/stepsies/internal/richtext"
)

// Format writes a file. The same stepsy always gives the same bytes: what Parse
// makes of them is formatted to them again. Empty fields are left out. It
// refuses what would not be read back as it was, saying which part it is.
func Format(f File) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("---\n")
	for _, field := range []struct{ name, value string }{
		{"title", strings.TrimSpace(f.Title)}, {"slug", f.Slug}, {"description", f.Description}, {"category", f.Category}, {"status", f.Status},
	} {
		if field.value != "" {
			b.WriteString(pair(field.name, field.value))
		}
	}
	fmt.Fprintf(&b, "featured: %t\n---\n", f.Featured)
	for i, s := range f.Steps {
		title := strings.TrimSpace(s.Title)
		if title == "" || strings.ContainsAny(title, "\n\r") {
			return nil, fmt.Errorf("step %d: the title must be one line of text", i+1)
		}
		content, err := richtext.ToSection(s.HTML)
		if err != nil {
			return nil, fmt.Errorf("step %d, %q: %w", i+1, title, err)
		}
		b.WriteString("\n## " + title + "\n")
		if content != "" {
			b.WriteString("\n" + content)
		}
	}
	if err := check(f, b.Bytes()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// check refuses a file that Parse does not read as f. Each step's content has
// been read back on its own.
func check(f File, data []byte) error {
	back, err := Parse(data)
	if err != nil {
		return fmt.Errorf("the stepsy cannot be kept in a file: %w", err)
	}
	if back.Title != strings.TrimSpace(f.Title) || back.Slug != f.Slug || back.Description != f.Description ||
		back.Category != f.Category || back.Status != f.Status || back.Featured != f.Featured {
		return errors.New("the stepsy cannot be kept in a file: a field would change; change its text a little")
	}
	if len(back.Steps) != len(f.Steps) {
		return errors.New("the stepsy cannot be kept in a file: its steps would run into each other")
	}
	for i, s := range f.Steps {
		if richtext.Settled(s.HTML) != richtext.Settled(back.Steps[i].HTML) || back.Steps[i].Title != strings.TrimSpace(s.Title) {
			return fmt.Errorf("step %d, %q, cannot be kept in a file: it would change; change its text a little", i+1, s.Title)
		}
	}
	return nil
}

// readElsewhere is text that our YAML library leaves bare and others do not read as
// that text: Ruby's takes 1,000 for the number 1000, and Python's refuses a document
// with a bare "=" or "<<".
var readElsewhere = regexp.MustCompile(`^([-+]?[0-9][0-9,_.]*|=|<<)$`)

// pair writes a name and a text in YAML: the text as it is where every reader takes
// it for that, else quoted.
func pair(name, value string) string {
	back := map[string]string{}
	out, err := yaml.Marshal(map[string]string{name: value})
	if err == nil && !readElsewhere.MatchString(value) && !bytes.ContainsAny(out, "\t\r") && yaml.Unmarshal(out, &back) == nil && back[name] == value {
		return string(out)
	}
	return name + ": " + quoted(value) + "\n"
}

// quoted writes text between double quotes (YAML 1.2, section 5.7).
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			fmt.Fprintf(&b, `\U%08X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
