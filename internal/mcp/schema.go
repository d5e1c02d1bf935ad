package mcp

import (
	"github.com/google/jsonschema-go/jsonschema"

	"github.com/stepsies/stepsies/client"
)

// Bounds of the API that an assistant should know before it calls.
const (
	maxTitle       = 200
	maxDescription = 2000
	maxContent     = 100_000
	maxSteps       = 200
	maxQuery       = 500
)

// bounds are those of input fields, by name.
var bounds = map[string]func(*jsonschema.Schema){
	"id":          func(s *jsonschema.Schema) { s.Minimum = new(1.0) },
	"limit":       func(s *jsonschema.Schema) { s.Minimum, s.Maximum = new(1.0), new(float64(client.MaxPageSize)) },
	"first_step":  func(s *jsonschema.Schema) { s.Minimum, s.Maximum = new(1.0), new(float64(maxSteps)) },
	"query":       func(s *jsonschema.Schema) { s.MinLength, s.MaxLength = new(1), new(maxQuery) },
	"title":       func(s *jsonschema.Schema) { s.MinLength, s.MaxLength = new(1), new(maxTitle) },
	"description": func(s *jsonschema.Schema) { s.MaxLength = new(maxDescription) },
	"content":     func(s *jsonschema.Schema) { s.MaxLength = new(maxContent) },
	"version":     func(s *jsonschema.Schema) { s.MinLength, s.MaxLength = new(1), new(100) },
	"steps":       func(s *jsonschema.Schema) { s.MaxItems = new(maxSteps) },
	"slug":        func(s *jsonschema.Schema) { s.Pattern = "^[a-z0-9-]{1,100}$" },
	"status":      oneOf(client.StatusDraft, client.StatusPublished),
	"sort":        oneOf(client.SortNewest, client.SortOldest, client.SortRecentlyUpdated, client.SortRecentlyPublished, client.SortTitle),
	"format":      oneOf(formatMarkdown, formatHTML),
}

func oneOf[T ~string](values ...T) func(*jsonschema.Schema) {
	return func(s *jsonschema.Schema) {
		for _, v := range values {
			s.Enum = append(s.Enum, string(v))
		}
	}
}

func inputSchema[T any]() *jsonschema.Schema {
	s := outputSchema[T]()
	walk(s, func(name string, s *jsonschema.Schema) {
		if bound := bounds[name]; bound != nil {
			bound(s)
		}
	})
	return s
}

// outputSchema describes a type of ours. Each field has one type: what is not
// there is left out and never null, and not every assistant reads lists of types.
func outputSchema[T any]() *jsonschema.Schema {
	s, err := jsonschema.For[T](nil)
	if err != nil {
		panic("mcp: " + err.Error()) // of a type in this package
	}
	walk(s, func(_ string, s *jsonschema.Schema) {
		if len(s.Types) == 2 && s.Types[0] == "null" {
			s.Type, s.Types = s.Types[1], nil
		}
	})
	return s
}

// walk calls f with every property of a schema, at any depth.
func walk(s *jsonschema.Schema, f func(name string, s *jsonschema.Schema)) {
	for name, property := range s.Properties {
		f(name, property)
		walk(property, f)
	}
	if s.Items != nil {
		walk(s.Items, f)
	}
}
