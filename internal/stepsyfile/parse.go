package stepsyfile

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/richtext"
)

// maxHeader is how much front matter a file may have, in bytes.
const maxHeader = 64 << 10

// Error is what is wrong with a file, and where.
type Error struct {
	Line    int // counted from 1
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Message) }

func fail(line int, format string, args ...any) error {
	return &Error{Line: line, Message: fmt.Sprintf(format, args...)}
}

// Parse reads a file. What it does not understand it refuses with an *Error that
// says what to do, rather than lose it. A byte order mark and the line ends of
// Windows do not matter. HTML in the steps is sanitised.
func Parse(data []byte) (File, error) {
	if len(data) > MaxSize {
		return File{}, fail(1, "the file has %d bytes; the most is %d, so split it into several stepsies", len(data), MaxSize)
	}
	text := strings.TrimPrefix(strings.ReplaceAll(string(data), "\r\n", "\n"), "\uFEFF")
	if err := stepsies.CheckText(text, true); err != nil {
		if !utf8.ValidString(text) {
			return File{}, fail(badLine(text), "the text is not UTF-8; have your editor save the file in this encoding")
		}
		return File{}, fail(badLine(text), "the text %v; remove it", err)
	}
	header, body, err := split(text)
	if err != nil {
		return File{}, err
	}
	f, err := parseHeader(header)
	if err != nil {
		return File{}, err
	}
	first := 3 + strings.Count(header, "\n") // the line on which the body begins
	f.Steps, err = parseSteps(body, first)
	return f, err
}

// badLine returns the line of the first character that CheckText refuses.
func badLine(text string) int {
	number := 0
	for line := range strings.Lines(text) {
		number++
		if stepsies.CheckText(line, true) != nil {
			return number
		}
	}
	return number
}

// split returns what stands between the lines --- and what follows them.
func split(text string) (header, body string, err error) {
	number, start := 0, 0
	for line := range strings.Lines(text) {
		number++
		start += len(line)
		isRule := strings.TrimRight(line, " \t\n") == "---"
		switch {
		case number == 1 && !isRule:
			return "", "", fail(1, "a file begins with front matter: a line ---, a line such as \"title: How to tie a knot\", and a line ---")
		case number == 1:
			continue
		case isRule:
			return header, text[start:], nil
		}
		if header += line; len(header) > maxHeader {
			return "", "", fail(number, "the front matter is longer than %d bytes; end it with a line ---", maxHeader)
		}
	}
	if number == 0 {
		return "", "", fail(1, "the file is empty; begin it with a line ---, a line such as \"title: How to tie a knot\", and a line ---")
	}
	return "", "", fail(1, "the front matter that begins here does not end; put a line --- behind it")
}

var yamlLine = regexp.MustCompile(`line ([0-9]+): `)

// fields are the names that front matter knows, in the order in which they are
// written.
var fields = []string{"title", "slug", "description", "category", "status", "featured"}

func parseHeader(header string) (File, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(header), &doc); err != nil {
		line, message := 2, strings.TrimPrefix(err.Error(), "yaml: ")
		if m := yamlLine.FindStringSubmatch(message); m != nil {
			n, _ := strconv.Atoi(m[1])
			line, message = n+1, strings.Replace(message, m[0], "", 1)
		}
		return File{}, fail(line, "the front matter is not YAML (%s); a value with a colon or quotes in it must itself stand in quotes", message)
	}
	var f File
	if len(doc.Content) == 0 {
		return f, fail(1, "the front matter is empty; add a line such as \"title: How to tie a knot\"")
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return f, fail(root.Line+1, "the front matter is not a list of names and values such as \"title: How to tie a knot\"")
	}
	var seen []string
	for i := 0; i+1 < len(root.Content); i += 2 {
		name, value := root.Content[i], root.Content[i+1]
		if !slices.Contains(fields, name.Value) {
			return f, fail(name.Line+1, "%q is not a field of a stepsy; remove it, or use one of %s", name.Value, strings.Join(fields, ", "))
		}
		if slices.Contains(seen, name.Value) {
			return f, fail(name.Line+1, "%s stands here a second time; remove one", name.Value)
		}
		seen = append(seen, name.Value)
		if err := f.set(name.Value, value); err != nil {
			return f, err
		}
	}
	if strings.TrimSpace(f.Title) == "" {
		return f, fail(1, "the front matter has no title; add a line such as \"title: How to tie a knot\"")
	}
	return f, nil
}

func (f *File) set(name string, value *yaml.Node) error {
	line := value.Line + 1
	if value.Kind != yaml.ScalarNode || value.Anchor != "" {
		return fail(line, "%s must be one value; if it is text, put it in quotes", name)
	}
	s := value.Value
	if value.ShortTag() == "!!null" {
		s = ""
	}
	if err := stepsies.CheckText(s, true); err != nil {
		return fail(line, "%s %v; remove it", name, err)
	}
	switch name {
	case "title":
		f.Title = strings.TrimSpace(s)
		if strings.ContainsAny(f.Title, "\n\r\t") {
			return fail(line, "title must be one line of text without tabs")
		}
	case "slug":
		f.Slug = s
	case "description":
		f.Description = s
	case "category":
		f.Category = s
	case "status":
		if _, err := stepsies.ParseStatus(s); err != nil && s != "" {
			return fail(line, "status %v, not %q", err, s)
		}
		f.Status = s
	case "featured":
		if s == "" {
			return nil
		}
		if err := value.Decode(&f.Featured); err != nil {
			return fail(line, "featured must be true or false, not %q", s)
		}
	}
	return nil
}

// parseSteps reads the steps of a body that begins on the line first.
func parseSteps(body string, first int) ([]Step, error) {
	before, sections, err := richtext.Sections(body)
	if err != nil {
		return nil, fail(first, "in the steps, %v", err)
	}
	if err := loses(before, first); err != nil {
		return nil, err
	}
	if strings.TrimSpace(before.Content.HTML()) != "" {
		blank := len(body) - len(bytes.TrimLeft([]byte(body), " \t\n\r"))
		return nil, fail(first+strings.Count(body[:blank], "\n"),
			"text stands before the first step; put a heading such as \"## First step\" above it, or move it into the description")
	}
	var steps []Step
	for _, s := range sections {
		if s.Title == "" {
			return nil, fail(first+s.Line-1, "the step has no title; write it behind ##")
		}
		if err := loses(s, first+s.Line-1); err != nil {
			return nil, err
		}
		steps = append(steps, Step{Title: s.Title, HTML: s.Content.HTML()})
	}
	return steps, nil
}

// loses refuses a section with links or images that would vanish on the way to the
// server: content is shown at many addresses, where a relative one leads nowhere.
func loses(s richtext.Section, line int) error {
	if len(s.Lost) == 0 {
		return nil
	}
	address := []rune(s.Lost[0])
	if len(address) > maxQuoted {
		address = append(address[:maxQuoted], '…')
	}
	return fail(line, "in the part that begins here, %q is not an address that a link or a picture can have on a server; write a whole one, such as https://example.com/picture.png", string(address))
}

// maxQuoted is how many characters of an address a message repeats.
const maxQuoted = 100
