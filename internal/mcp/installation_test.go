package mcp_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/stepsies/stepsies/client"
	"github.com/stepsies/stepsies/internal/mcp"
	"github.com/stepsies/stepsies/internal/server"
)

// installation is the real server, in this process and on SQLite, with the user
// sarahchen and the admin root.
type installation struct {
	url      string
	operator *client.Client
	clock    atomic.Pointer[time.Time] // where it is not nil, the server's time, which stands still
}

func open(t *testing.T) *installation {
	t.Helper()
	in := &installation{}
	s, err := server.Open(t.Context(), server.Config{
		DataDir: t.TempDir(), PublicURL: "https://stepsies.test", Log: slog.New(slog.DiscardHandler), RateLimits: true,
		Now: func() time.Time {
			if stands := in.clock.Load(); stands != nil {
				return *stands
			}
			return time.Now()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	in.url = listen(t, s.Handler())
	in.operator = connect(t, client.WithBaseURL(listen(t, s.OperatorHandler())), client.WithoutAPIKey())
	for name, role := range map[string]client.Role{"sarahchen": client.RoleMember, "root": client.RoleAdmin} {
		if _, err := in.operator.CreateUser(t.Context(), client.NewUser{Username: name, Email: name + "@example.com", Role: role, Plan: client.PlanEnterprise}); err != nil {
			t.Fatal(err)
		}
	}
	return in
}

func listen(t *testing.T, h http.Handler) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

func connect(t *testing.T, opts ...client.Option) *client.Client {
	t.Helper()
	c, err := client.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// key makes a key: root's for scope admin, and else sarahchen's.
func (in *installation) key(t *testing.T, scopes ...client.Scope) *client.CreatedKey {
	t.Helper()
	user := "sarahchen"
	for _, s := range scopes {
		if s == client.ScopeAdmin {
			user = "root"
		}
	}
	k, err := in.operator.CreateAPIKey(t.Context(), client.NewAPIKey{Name: "Assistant", Scopes: scopes, UserID: user})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// assistant is a client of the protocol that speaks with a server of ours over two
// pipes, as over standard input and output.
type assistant struct {
	*testing.T
	session *sdk.ClientSession
	log     *record
	ended   chan error // what Run returned
}

// record keeps a log.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// assistant starts an assistant with a key.
func (in *installation) assistant(t *testing.T, k *client.CreatedKey, opts ...client.Option) *assistant {
	t.Helper()
	key := k.Key.Reveal()
	a := &assistant{T: t, log: &record{}, ended: make(chan error, 1)}
	opts = append([]client.Option{client.WithBaseURL(in.url), client.WithAPIKey(key), client.WithMaxWait(time.Millisecond)}, opts...)
	s := mcp.New(mcp.Config{Client: connect(t, opts...), Version: "v0", Log: slog.New(slog.NewTextHandler(a.log, nil))})
	fromHere, toThere := io.Pipe()
	fromThere, toHere := io.Pipe()
	go func() {
		a.ended <- s.Run(t.Context(), fromHere, toHere)
		_ = toHere.Close()
	}()
	var err error
	a.session, err = sdk.NewClient(&sdk.Implementation{Name: "test", Version: "v0"}, nil).
		Connect(t.Context(), &sdk.IOTransport{Reader: fromThere, Writer: toThere}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = a.session.Close() // which may have ended with the test
		<-a.ended
		if text := a.log.String(); strings.Contains(text, key[:12]) || strings.Contains(text, "Confidential") {
			t.Errorf("the log holds what is nobody's business: %s", text)
		}
	})
	return a
}

// tools returns the names of the tools that the assistant is offered.
func (a *assistant) tools() map[string]*sdk.Tool {
	a.Helper()
	tools := map[string]*sdk.Tool{}
	for tool, err := range a.session.Tools(a.Context(), nil) {
		if err != nil {
			a.Fatal(err)
		}
		tools[tool.Name] = tool
	}
	return tools
}

// result is what our tools return, all of them together.
type result struct {
	Text       string `json:"-"` // for assistants
	ID         int64
	Version    string
	Title      string
	Slug       string
	Status     string
	URL        string
	Category   string
	Steps      []resultStep
	NextStep   int    `json:"next_step"`
	StepsCount int    `json:"steps_count"`
	NextCursor string `json:"next_cursor"`
	Stepsies   []struct {
		ID                         int64
		Title, Description, Status string
	}
}

type resultStep struct {
	ID                     int64
	Position               int
	Title, Content, Format string
}

// try calls a tool and returns what it says of a failure, "" where there is none.
func (a *assistant) try(tool, arguments string) (out result, failure string) {
	a.Helper()
	res, err := a.session.CallTool(a.Context(), &sdk.CallToolParams{Name: tool, Arguments: json.RawMessage(arguments)})
	if err != nil {
		a.Fatalf("%s %s: %v", tool, arguments, err)
	}
	if len(res.Content) != 1 {
		a.Fatalf("%s returned %d pieces of content", tool, len(res.Content))
	}
	text := res.Content[0].(*sdk.TextContent).Text
	if res.IsError {
		return out, text
	}
	fields, err := json.Marshal(res.StructuredContent)
	if err == nil {
		err = json.Unmarshal(fields, &out)
	}
	if err != nil {
		a.Fatalf("%s returned %s: %v", tool, fields, err)
	}
	out.Text = text
	return out, ""
}

// call calls a tool that has to succeed.
func (a *assistant) call(tool, arguments string) result {
	a.Helper()
	out, failure := a.try(tool, arguments)
	if failure != "" {
		a.Fatalf("%s %s: %s", tool, arguments, failure)
	}
	return out
}

// fails calls a tool that has to fail and to say all of that.
func (a *assistant) fails(tool, arguments string, says ...string) {
	a.Helper()
	_, failure := a.try(tool, arguments)
	if failure == "" {
		a.Errorf("%s %s did not fail", tool, arguments)
		return
	}
	for _, want := range says {
		if !strings.Contains(failure, want) {
			a.Errorf("%s %s says %q, not %q", tool, arguments, failure, want)
		}
	}
}
