package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/stepsies/stepsies/client"
)

// addTools lists every tool with the scope that the API asks for.
func (s *Server) addTools() {
	add(s, client.ScopeRead, s.list, &sdk.Tool{
		Name: "list_stepsies", Title: "List stepsies", Annotations: reads(),
		Description: "Lists the stepsies of the user, drafts too, newest first and without their steps. " +
			"With author it lists what that person has published. Give next_cursor back as cursor for the next page.",
	})
	add(s, client.ScopeRead, s.search, &sdk.Tool{
		Name: "search_stepsies", Title: "Search stepsies", Annotations: reads(),
		Description: "Finds stepsies by words in their title, description and steps. Every word must begin a word of the stepsy, " +
			"whatever its case and accents, so give few and distinctive words.",
	})
	add(s, client.ScopeRead, s.read, &sdk.Tool{
		Name: "read_stepsy", Title: "Read a stepsy", Annotations: reads(),
		Description: "Returns one stepsy with its steps, as Markdown, and the version that update_stepsy wants. " +
			"Of a long one it returns the first steps and next_step: call it again with that as first_step to read on.",
	})
	add(s, client.ScopeWrite, s.draft, &sdk.Tool{
		Name: "draft_stepsy", Title: "Draft a stepsy", Annotations: writes(additive, once),
		Description: "Makes a new stepsy as a draft, which its author alone can see. " +
			"Give each step a short title that says what to do and content that says how. Calling it twice makes two drafts.",
	})
	add(s, client.ScopeWrite, s.update, &sdk.Tool{
		Name: "update_stepsy", Title: "Change a stepsy", Annotations: writes(destructive, repeatable),
		Description: "Changes a stepsy; what is left out stays as it is. It takes the version that was read, and is refused if somebody has changed the stepsy since. " +
			"steps is the whole list in its new order: a step that stays as it is needs its id alone, one without id is new. " +
			"Steps go only when remove_steps names them. Changing the steps needs the scope read as well. A change of a published stepsy is public at once.",
	})
	add(s, client.ScopeWrite, s.publish, &sdk.Tool{
		Name: "publish_stepsy", Title: "Publish a stepsy", Annotations: writes(additive, repeatable),
		Description: "Makes a draft public, for everyone to see at its url. Ask the user first. It needs at least one step. A public stepsy stays as it is.",
	})
	add(s, client.ScopeWrite, s.unpublish, &sdk.Tool{
		Name: "unpublish_stepsy", Title: "Take a stepsy back", Annotations: writes(destructive, repeatable),
		Description: "Makes a published stepsy a draft again: its page is gone for readers until it is published anew. Ask the user first. A draft stays as it is.",
	})
}

// What a tool that writes does, for its annotations.
const (
	additive    = false // takes nothing away
	destructive = true
	once        = false // each call does something more
	repeatable  = true
)

func reads() *sdk.ToolAnnotations {
	no := false
	return &sdk.ToolAnnotations{ReadOnlyHint: true, IdempotentHint: true, DestructiveHint: &no, OpenWorldHint: &no}
}

func writes(takesAway, repeatable bool) *sdk.ToolAnnotations {
	no := false
	return &sdk.ToolAnnotations{DestructiveHint: &takesAway, IdempotentHint: repeatable, OpenWorldHint: &no}
}

// answer is what a tool returns: its fields for programs, its text for assistants.
type answer interface{ text() string }

// add adds a tool. A failure is the result of the tool and not one of the protocol,
// so that the assistant reads it and can do something about it.
func add[In any, Out answer](s *Server, needs client.Scope, do func(context.Context, In) (Out, error), t *sdk.Tool) {
	s.needs[t.Name] = needs
	t.InputSchema, t.OutputSchema = inputSchema[In](), outputSchema[Out]()
	sdk.AddTool(s.sdk, t, func(ctx context.Context, _ *sdk.CallToolRequest, in In) (*sdk.CallToolResult, Out, error) {
		out, err := do(ctx, in)
		if err != nil {
			s.logFailure(t.Name, err)
			return nil, out, errors.New(sentence(err))
		}
		return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: out.text()}}}, out, nil
	})
}

// withoutNulls takes fields that are null out of the arguments of a tool. Many
// assistants send them for what they leave out.
func withoutNulls(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
		if call, ok := req.(*sdk.CallToolRequest); ok && bytes.Contains(call.Params.Arguments, []byte("null")) {
			dec := json.NewDecoder(bytes.NewReader(call.Params.Arguments))
			dec.UseNumber() // ids have 64 bits
			var v any
			if dec.Decode(&v) == nil {
				dropNulls(v)
				if text, err := json.Marshal(v); err == nil {
					call.Params.Arguments = text
				}
			}
		}
		return next(ctx, method, req)
	}
}

func dropNulls(v any) {
	switch v := v.(type) {
	case map[string]any:
		maps.DeleteFunc(v, func(_ string, field any) bool { return field == nil })
		for _, field := range v {
			dropNulls(field)
		}
	case []any:
		for _, item := range v {
			dropNulls(item)
		}
	}
}
