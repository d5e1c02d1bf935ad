package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stepsies/stepsies/internal/testenv"
)

//go:generate go run ../internal/tools/bundle testdata/assistants testdata mcpfirst.js=first mcpnewer.js=newer

// conversation is what a client of the protocol saw.
type conversation struct {
	Session                              *string
	Server                               struct{ Name string }
	Revision                             string
	Tools, Templates                     []string
	Draft, Changed, Stale, Read, Missing toolAnswer
	Document                             string
	Error                                struct {
		Message string
		Code    any
	}
}

type toolAnswer struct {
	Failed bool
	Text   string
}

// converse has a script of testdata speak with the server at an address.
func converse(t *testing.T, in *installation, address, script, key string, env ...string) (seen conversation) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), testenv.Need(t, "node"), "testdata/"+script)
	cmd.Env = append(cmd.Environ(), append(env, "MCP_URL="+address+"/mcp", "STEPSIES_API_KEY="+key)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", script, err, stderr.String())
	}
	in.holdsNoSecret(t, out)
	if err := json.Unmarshal(out, &seen); err != nil {
		t.Fatalf("%s printed %s: %v", script, out, err)
	}
	return seen
}

// TestExampleOverHTTPIsWhatWorks compares the example with how the clients connect.
func TestExampleOverHTTPIsWhatWorks(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../examples/mcp/http.json")
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Servers map[string]struct {
			Type, URL string
			Headers   map[string]string
		} `json:"mcpServers"`
	}
	if err := json.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	e := config.Servers["stepsies"]
	if e.Type != "http" || e.URL != "https://stepsies.example.com/mcp" || len(e.Headers) != 1 || e.Headers["Authorization"] != "Bearer sk_your_api_key_here" {
		t.Errorf("the example is %+v", e)
	}
}

// TestAssistantsOfBothGenerationsWorkOverHTTP has the clients that most assistants are
// made with find the tools, write a stepsy and read it back.
func TestAssistantsOfBothGenerationsWorkOverHTTP(t *testing.T) {
	t.Parallel()
	in := sqliteInstallation(t)
	in.makeUser(t, "sarahchen")
	s := in.serve(t)
	readers := []string{"list_stepsies", "read_stepsy", "search_stepsies"}
	all := []string{"draft_stepsy", "list_stepsies", "publish_stepsy", "read_stepsy", "search_stepsies", "unpublish_stepsy", "update_stepsy"}
	both, reads := in.makeKey(t, "sarahchen", "read", "write"), in.makeKey(t, "sarahchen", "read")
	ended := "sk_" + strings.Repeat("0", 48)
	for _, client := range []struct {
		script, revision string
		env              []string
		unauthorized     any // the code of its error
	}{
		{"mcpfirst.js", "2025-11-25", nil, 401.0},
		{"mcpnewer.js", "2025-11-25", nil, "CLIENT_HTTP_NOT_IMPLEMENTED"}, // so it calls a 401
		{"mcpnewer.js", "2026-07-28", []string{"REVISION=2026-07-28"}, "CLIENT_HTTP_AUTHENTICATION"},
	} {
		t.Run(client.script+" "+client.revision, func(t *testing.T) {
			seen := converse(t, in, s.url, client.script, both, client.env...)
			if seen.Error.Message != "" || seen.Session != nil || seen.Server.Name != "stepsies" || seen.Revision != client.revision ||
				!slices.Equal(seen.Tools, all) || !slices.Equal(seen.Templates, []string{"stepsy://{id}"}) {
				t.Errorf("it saw %+v", seen)
			}
			for what, ok := range map[string]bool{
				"draft":    !seen.Draft.Failed && strings.HasPrefix(seen.Draft.Text, "Tea: id "),
				"changed":  !seen.Changed.Failed && strings.Contains(seen.Changed.Text, "2. Steep"),
				"stale":    seen.Stale.Failed && strings.Contains(seen.Stale.Text, "Call read_stepsy"),
				"read":     !seen.Read.Failed && strings.Contains(seen.Read.Text, "**Water**"),
				"document": seen.Document == "# Tea\n\n## 1. Boil\n\n**Water**\n\n## 2. Steep\n",
				"missing":  seen.Missing.Failed && strings.Contains(seen.Missing.Text, "There is no such stepsy"),
			} {
				if !ok {
					t.Errorf("%s: %+v", what, seen)
				}
			}
			seen = converse(t, in, s.url, client.script, reads, client.env...)
			if !slices.Equal(seen.Tools, readers) || !seen.Draft.Failed || !strings.Contains(seen.Draft.Text, "a key with the scope write") || !seen.Missing.Failed {
				t.Errorf("with the scope read it saw %+v", seen)
			}
			seen = converse(t, in, s.url, client.script, ended, client.env...)
			if fmt.Sprint(seen.Error.Code) != fmt.Sprint(client.unauthorized) || !strings.Contains(seen.Error.Message, "uthoriz") {
				t.Errorf("with a key that does not work it saw %+v", seen)
			}
		})
	}
}
