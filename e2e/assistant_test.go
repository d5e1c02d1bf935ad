package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// assistantConfig is the example that people copy into their assistant.
type assistantConfig struct {
	Servers map[string]struct {
		Command string
		Args    []string
		Env     map[string]string
	} `json:"mcpServers"`
}

// assistant prepares the command of the example, with a key and this server's address
// in the place of the example's own.
func (s *server) assistant(t *testing.T, key string) *exec.Cmd {
	t.Helper()
	text, err := os.ReadFile("../examples/mcp/mcp.json")
	if err != nil {
		t.Fatal(err)
	}
	var config assistantConfig
	if err := json.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	entry := config.Servers["stepsies"]
	if names := slices.Sorted(maps.Keys(entry.Env)); entry.Command != "stepsies" || !slices.Equal(names, []string{"STEPSIES_API_KEY", "STEPSIES_URL"}) {
		t.Fatalf("the example is %+v", entry)
	}
	cmd := s.in.command(t.Context(), entry.Args...)
	cmd.Env = append(cmd.Env, "STEPSIES_API_KEY="+key, "STEPSIES_URL="+s.url)
	return cmd
}

// TestAssistantOverStandardInputAndOutput starts the built program as the example
// says, lists the tools with keys of each scope and calls them.
func TestAssistantOverStandardInputAndOutput(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	in.makeAdmin(t)
	in.makeUser(t, "sarahchen")
	s := in.serve(t)
	readers := []string{"list_stepsies", "read_stepsy", "search_stepsies"}
	writers := []string{"draft_stepsy", "publish_stepsy", "unpublish_stepsy", "update_stepsy"}
	all := slices.Sorted(slices.Values(slices.Concat(readers, writers)))
	for scopes, want := range map[string][]string{"read": readers, "write": writers, "read,write": all, "admin": all} {
		t.Run(scopes, func(t *testing.T) {
			user := "sarahchen"
			if scopes == "admin" {
				user = "root"
			}
			key := in.makeKey(t, user, strings.Split(scopes, ",")...)
			cmd := s.assistant(t, key)
			var log strings.Builder
			cmd.Stderr = &log
			session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "v0"}, nil).Connect(t.Context(), &mcp.CommandTransport{Command: cmd}, nil)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for tool, err := range session.Tools(t.Context(), nil) {
				if err != nil {
					t.Fatal(err)
				}
				names = append(names, tool.Name)
			}
			if slices.Sort(names); !slices.Equal(names, want) {
				t.Errorf("the tools are %v", names)
			}
			call := func(tool, arguments string) (text string, failed bool) {
				t.Helper()
				res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: json.RawMessage(arguments)})
				if err != nil {
					t.Fatalf("%s: %v", tool, err)
				}
				return res.Content[0].(*mcp.TextContent).Text, res.IsError
			}
			text, failed := call("draft_stepsy", `{"title":"Tea","steps":[{"title":"Boil","content":"**Water**"}]}`)
			switch {
			case scopes == "read":
				if !failed || !strings.Contains(text, "a key with the scope write") {
					t.Errorf("a draft with the scope read: %s", text)
				}
			case failed:
				t.Errorf("a draft: %s", text)
			case scopes != "write":
				var id int64
				if _, err := fmt.Sscanf(text, "Tea: id %d,", &id); err != nil {
					t.Fatalf("a draft: %s: %v", text, err)
				}
				if text, failed = call("read_stepsy", fmt.Sprintf(`{"id":%d}`, id)); failed || !strings.Contains(text, `**Water**`) {
					t.Errorf("read: %s", text)
				}
			}
			if text, failed = call("list_stepsies", `{}`); failed != (scopes == "write") {
				t.Errorf("the list: %s", text)
			}
			if err := session.Close(); err != nil { // closes standard input, and waits
				t.Error(err)
			}
			if code := cmd.ProcessState.ExitCode(); code != 0 {
				t.Errorf("it ended with code %d: %s", code, log.String())
			}
			in.holdsNoSecret(t, []byte(log.String()))
		})
	}
}

// TestAssistantIsToldToEnd: SIGTERM ends the program at once and cleanly, and all
// that it ever wrote to standard output was the protocol.
func TestAssistantIsToldToEnd(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	in.makeUser(t, "sarahchen")
	s := in.serve(t)
	cmd := s.assistant(t, in.makeKey(t, "sarahchen", "read"))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := in.start(t, cmd)
	_, err = io.WriteString(stdin, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"0"}}}
{"jsonrpc":"2.0","method":"notifications/initialized"}
{"jsonrpc":"2.0","id":2,"method":"tools/list"}
{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"read_stepsy","arguments":{"id":1}}}
`)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "all requests were answered", func() bool { return strings.Count(p.output(t), "\n") == 3 })
	p.stop(t)
	lines := bufio.NewScanner(strings.NewReader(p.output(t)))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var message struct {
			JSONRPC string
			ID      int
		}
		if err := json.Unmarshal(lines.Bytes(), &message); err != nil || message.JSONRPC != "2.0" || message.ID == 0 {
			t.Errorf("standard output holds %q", lines.Text())
		}
	}
}

func TestAssistantWithoutKeyIsToldWhatToDo(t *testing.T) {
	t.Parallel()
	newDesk(t).do(t, "mcp").failure(t, 1, "no API key", "stepsies login", "STEPSIES_API_KEY")
	newDesk(t, "STEPSIES_API_KEY=sk_your_api_key_here").do(t, "mcp").failure(t, 1, "does not have the form of one")
	newDesk(t).do(t, "mcp", "--data", "x").failure(t, 2, "--data")
}

// TestAssistantTakesTheSavedLogin, which spares a key in the assistant's own file.
func TestAssistantTakesTheSavedLogin(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	in.makeUser(t, "sarahchen")
	s := in.serve(t)
	d := newDesk(t)
	if r := d.doWith(t, in.makeKey(t, "sarahchen", "read"), "login", "--url", s.url); r.code != 0 {
		t.Fatalf("login: %s", r.stderr)
	}
	cmd := d.command(t.Context(), "mcp")
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "v0"}, nil).Connect(t.Context(), &mcp.CommandTransport{Command: cmd}, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "list_stepsies"})
	if err != nil || res.IsError {
		t.Errorf("the list: %+v, %v", res, err)
	}
	if err := session.Close(); err != nil {
		t.Error(err)
	}
}
