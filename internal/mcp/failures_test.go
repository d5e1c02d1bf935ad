package mcp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stepsies/stepsies/client"
	"github.com/stepsies/stepsies/internal/mcp"
)

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
	for format, content := range map[string]string{"markdown": "See\n\n## More\n\n![Pot](pot.png)", "html": `<p><img src="pot.png"></p>`} {
		a.fails("draft_stepsy", fmt.Sprintf(`{"title":"Tea","steps":[{"title":"Boil","format":%q,"content":%q}]}`, format, content), "step 1", "pot.png", "https://")
	}
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

// TestWhatWasAskedBeforeTheEndIsAnswered pipes requests in, as a script does.
func TestWhatWasAskedBeforeTheEndIsAnswered(t *testing.T) {
	in := open(t)
	s := mcp.New(mcp.Config{Client: connect(t, client.WithBaseURL(in.url), client.WithAPIKey(in.key(t, read).Key.Reveal())), Log: slog.New(slog.DiscardHandler)})
	var out bytes.Buffer
	err := s.Run(t.Context(), io.NopCloser(strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"0"}}}
{"jsonrpc":"2.0","method":"notifications/initialized"}
{"jsonrpc":"2.0","id":2,"method":"tools/list"}
{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"list_stepsies","arguments":{}}}
`)), &out)
	if err != nil {
		t.Error(err)
	}
	for _, want := range []string{`"id":1`, `"id":2`, `"read_stepsy"`, `"id":3`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("there is no %s in the answers:\n%s", want, out.String())
		}
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
