package api_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/server"
	"github.com/stepsies/stepsies/internal/store"
)

// toolCall is a message that calls a tool.
func toolCall(tool, arguments string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, tool, arguments)
}

// assist sends a message of an assistant with the key of that name.
func (w *world) assist(as, message string, headers ...string) answer {
	return w.in.ask("POST", "/mcp", message, append(headers, w.bearer(as))...)
}

// tool calls a tool and returns what it says, and whether it failed.
func (w *world) tool(as, tool, arguments string) (text string, failed bool) {
	w.tb.Helper()
	a := w.assist(as, toolCall(tool, arguments))
	var got struct {
		Result struct {
			Content []struct{ Text string }
			IsError bool
		}
	}
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != 200 || len(got.Result.Content) != 1 {
		w.tb.Fatalf("%s %s: %d %s", tool, arguments, a.status, a.body)
	}
	return got.Result.Content[0].Text, got.Result.IsError
}

// metric returns the value of a metric, as it is shown to this machine.
func (in *installation) metric(tb testing.TB, name string) string {
	tb.Helper()
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.RemoteAddr = "127.0.0.1:1"
	w := httptest.NewRecorder()
	in.handle.ServeHTTP(w, r)
	for line := range strings.Lines(w.Body.String()) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	tb.Errorf("there is no metric %s", name)
	return ""
}

// TestAssistantsOverHTTPReachWhatTheirKeyReaches: tools are offered and refused by the
// scopes of the key, and reach its user's things alone.
func TestAssistantsOverHTTPReachWhatTheirKeyReaches(t *testing.T) {
	onEachEngine(t, func(t *testing.T, in *installation) {
		w := in.world(t)
		readers := []string{"list_stepsies", "read_stepsy", "search_stepsies"}
		writers := []string{"draft_stepsy", "publish_stepsy", "unpublish_stepsy", "update_stepsy"}
		all := slices.Sorted(slices.Values(slices.Concat(readers, writers)))
		for as, want := range map[string][]string{"reader": readers, "writer": writers, "key": all, "admin": all} {
			a := w.assist(as, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
			var names []string
			for _, tool := range at(t, a.body, "result.tools").([]any) {
				names = append(names, tool.(map[string]any)["name"].(string))
			}
			if slices.Sort(names); !slices.Equal(names, want) {
				t.Errorf("%s is offered %v", as, names)
			}
		}
		for _, c := range []struct{ as, tool, arguments, says string }{
			{"reader", "draft_stepsy", `{"title":"Tea"}`, "a key with the scope write"},
			{"reader", "publish_stepsy", `{"id":{draft}}`, "a key with the scope write"},
			{"writer", "list_stepsies", `{}`, "a key with the scope read"},
			{"key", "read_stepsy", `{"id":{theirs}}`, "There is no such stepsy"},
			{"key", "update_stepsy", `{"id":{shown},"version":"{shown}.1","title":"Mine"}`, "There is no such stepsy"},
		} {
			if text, failed := w.tool(c.as, c.tool, w.fill(c.arguments)); !failed || !strings.Contains(text, c.says) {
				t.Errorf("%s %s %s says %q", c.as, c.tool, c.arguments, text)
			}
		}
		for _, c := range []struct{ as, tool, arguments, says string }{
			{"reader", "read_stepsy", `{"id":{draft}}`, "## 2. Second"},
			{"admin", "read_stepsy", `{"id":{theirs}}`, "Their draft"},
			{"writer", "publish_stepsy", `{"id":{draft}}`, "published"},
			{"key", "draft_stepsy", `{"title":"Tea","steps":[{"title":"Boil","content":"**Water**"}]}`, "Tea: id "},
			{"key", "search_stepsies", `{"query":"tea"}`, "- Tea"},
		} {
			if text, failed := w.tool(c.as, c.tool, w.fill(c.arguments)); failed || !strings.Contains(text, c.says) {
				t.Errorf("%s %s %s says %q", c.as, c.tool, c.arguments, text)
			}
		}
	})
}

// TestAssistantsAreToldOfDeadKeysAsEverybodyIs: the same bytes for every key that does
// not work, whatever the message.
func TestAssistantsAreToldOfDeadKeysAsEverybodyIs(t *testing.T) {
	onEachEngine(t, func(t *testing.T, in *installation) {
		dead := deadKeys(t, in)
		want := http.Header{"Content-Type": {"application/json"}, "Www-Authenticate": {`Bearer realm="stepsies"`},
			"Cache-Control": {"private, no-cache"}, "Vary": {"Authorization"}}
		for cause, headers := range dead {
			for _, message := range []string{toolCall("list_stepsies", `{}`), `{`, ""} {
				a := in.ask("POST", "/mcp?key=x", message, append([]string{"Origin: https://evil.example"}, headers...)...)
				a.header.Del("X-Request-Id")
				if a.status != 401 || a.body != `{"error":{"code":"unauthorized","message":"Missing or invalid API key"}}` || !maps.EqualFunc(a.header, want, slices.Equal) {
					t.Errorf("%s: %d %v %s", cause, a.status, a.header, a.body)
				}
			}
		}
		if n := in.metric(t, `stepsies_http_requests_total{method="POST",route="/mcp",status="401"}`); n != fmt.Sprint(3*len(dead)) {
			t.Errorf("metrics count %s of %d", n, 3*len(dead))
		}
		if n := in.metric(t, `stepsies_admissions_total{outcome="unauthorized"}`); n != fmt.Sprint(3*len(dead)) {
			t.Errorf("metrics count %s of %d", n, 3*len(dead))
		}
	})
}

// TestAssistantsMessageCountsOnce whatever its tool asks for, and a batch as often as it
// holds requests.
func TestAssistantsMessageCountsOnce(t *testing.T) {
	in := open(t, "", func(c *server.Config) { c.RateLimits = true })
	w := in.world(t)
	plan, own := "enterprise", stepsies.Limits{Minute: 7}
	w.get("draft")
	w.get("admin")
	version := strings.Trim(w.get("draft.etag"), `"`)
	w.get("key")
	w.changeAccount("author", stepsies.AccountChange{Plan: &plan, Limits: &own})
	left := func(a answer, status int, remaining string) {
		t.Helper()
		if a.status != status || a.header.Get("X-RateLimit-Remaining") != remaining || a.header.Get("X-RateLimit-Limit") != "7" {
			t.Errorf("%d %v %s, want %d with %s left", a.status, a.header, a.body, status, remaining)
		}
	}
	left(w.assist("key", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`), 200, "6") // asks for /me
	// Reads the stepsy and writes it.
	changed := w.assist("key", toolCall("update_stepsy", w.fill(fmt.Sprintf(`{"id":{draft},"version":%q,"remove_steps":[2]}`, version))))
	if left(changed, 200, "5"); strings.Contains(changed.body, `"isError"`) {
		t.Error(changed.body)
	}
	left(w.assist("key", `{"jsonrpc":"2.0","method":"notifications/initialized"}`), 202, "4")
	left(w.assist("key", `nothing`), 400, "3")
	left(w.assist("key", `[`+toolCall("list_stepsies", "{}")+`,{"jsonrpc":"2.0","method":"notifications/initialized"},{"jsonrpc":"2.0","id":2,"method":"ping"}]`), 200, "1")
	draft := strings.Replace(toolCall("draft_stepsy", `{"title":"Over the limit"}`), `"id":1`, `"id":2`, 1)
	over := w.assist("key", `[`+toolCall("draft_stepsy", `{"title":"Over the limit"}`)+`,`+draft+`]`)
	left(over, 429, "0")
	again := w.assist("key", toolCall("list_stepsies", "{}"))
	left(again, 429, "0")
	for _, a := range []answer{over, again} {
		if a.body != `{"error":{"code":"rate_limit_exceeded","message":"Too many requests. Please slow down.","retry_after":34}}` || a.header.Get("Retry-After") != "34" {
			t.Errorf("%v %s", a.header, a.body)
		}
	}
	if strings.Contains(w.read("/v1/stepsies?user_id={author}"), "Over the limit") {
		t.Error("a batch over the limit was begun")
	}

	w.must(in.Flush(t.Context()))
	days, err := in.Store().KeyDays(t.Context(), w.id("key_id"), 0)
	if err != nil || len(days) != 1 || days[0].Requests != 7 {
		t.Errorf("the key was used %+v (%v), not 7 times", days, err)
	}
	for line, want := range map[string]string{
		`stepsies_http_requests_total{method="POST",route="/mcp",status="200"}`: "3", `stepsies_http_requests_total{method="POST",route="/mcp",status="429"}`: "2",
		`stepsies_admissions_total{outcome="rate_limit_exceeded"}`: "1", // the batch was admitted first
	} {
		if n := in.metric(t, line); n != want {
			t.Errorf("%s is %s, want %s", line, n, want)
		}
	}
	for line := range strings.Lines(in.logs.String()) {
		if strings.Contains(line, "sk_") || strings.Contains(line, " key_id="+w.get("key_id")) != strings.Contains(line, " route=/mcp ") {
			t.Errorf("the log says %s", line)
		}
	}
}

// TestPagesOfOtherSitesReachNoTools: an Origin must be the installation's own, or one
// that may call the API.
func TestPagesOfOtherSitesReachNoTools(t *testing.T) {
	in := open(t, "", withOrigins("https://app.example"))
	w := in.world(t)
	for origin, status := range map[string]int{
		publicURL: 200, "https://app.example": 200,
		"https://evil.example": 403, "null": 403, "http://stepsies.example": 403, publicURL + ".evil": 403, publicURL + ":444": 403, "https://app.example.evil": 403,
		"http://localhost": 403, "": 403,
	} {
		a := w.assist("key", toolCall("draft_stepsy", `{"title":"Tea"}`), "Origin: "+origin)
		if a.status != status || status == 403 && (at(t, a.body, "error.code") != "forbidden" || a.header.Get("WWW-Authenticate") != "") {
			t.Errorf("%q: %d %v %s", origin, a.status, a.header, a.body)
		}
	}
	if n := strings.Count(w.read("/v1/stepsies?user_id={author}"), `"title":"Tea"`); n != 2 {
		t.Errorf("%d drafts were made", n)
	}
	a := in.ask("OPTIONS", "/mcp", "", "Origin: https://app.example", "Access-Control-Request-Method: POST")
	if a.status != 204 || a.header.Get("Access-Control-Allow-Methods") != "POST" || !strings.Contains(a.header.Get("Access-Control-Allow-Headers"), "Mcp-Protocol-Version") {
		t.Errorf("a preflight: %d %v", a.status, a.header)
	}
}

// TestEveryRevisionOfTheProtocolIsSpoken over HTTP, without sessions.
func TestEveryRevisionOfTheProtocolIsSpoken(t *testing.T) {
	w := open(t, "").world(t)
	for _, version := range []string{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"} {
		a := w.assist("key", fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":%q,"capabilities":{},"clientInfo":{"name":"t","version":"0"}}}`, version))
		if a.status != 200 || at(t, a.body, "result.protocolVersion") != version || a.header.Get("Mcp-Session-Id") != "" || a.header.Get("Content-Type") != "application/json" {
			t.Errorf("initialize %s: %d %v %s", version, a.status, a.header, a.body)
		}
		a = w.assist("key", toolCall("list_stepsies", `{}`), "Mcp-Protocol-Version: "+version, "Mcp-Session-Id: of-another-server", "Accept: application/json")
		if a.status != 200 || !strings.Contains(a.body, "There are none.") {
			t.Errorf("a tool by %s: %d %s", version, a.status, a.body)
		}
	}
	const newest = "2026-07-28"
	meta := `"_meta":{"io.modelcontextprotocol/protocolVersion":"` + newest + `","io.modelcontextprotocol/clientInfo":{"name":"t","version":"0"},"io.modelcontextprotocol/clientCapabilities":{}}`
	a := w.assist("key", `{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{`+meta+`}}`, "Mcp-Protocol-Version: "+newest, "Mcp-Method: server/discover")
	if a.status != 200 || !slices.Contains(at(t, a.body, "result.supportedVersions").([]any), any(newest)) || at(t, a.body, "result.cacheScope") != "private" {
		t.Errorf("server/discover: %d %s", a.status, a.body)
	}
	a = w.assist("key", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_stepsies","arguments":{},`+meta+`}}`,
		"Mcp-Protocol-Version: "+newest, "Mcp-Method: tools/call", "Mcp-Name: list_stepsies")
	if a.status != 200 || !strings.Contains(a.body, "There are none.") {
		t.Errorf("a tool by %s: %d %s", newest, a.status, a.body)
	}
	// Nothing is held open: there is nothing to be told of later.
	a = w.assist("key", `{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},`+meta+`}}`,
		"Mcp-Protocol-Version: "+newest, "Mcp-Method: subscriptions/listen")
	if a.status != 404 || fmt.Sprint(at(t, a.body, "error.code")) != "-32601" {
		t.Errorf("subscriptions/listen: %d %s", a.status, a.body)
	}
}

// TestWhatIsNoMessageIsAnsweredInTheFormOfTheAPI, and nothing at /mcp is HTML or plain text.
func TestWhatIsNoMessageIsAnsweredInTheFormOfTheAPI(t *testing.T) {
	in := open(t, "")
	w := in.world(t)
	list := toolCall("list_stepsies", `{}`)
	many := "[" + strings.TrimSuffix(strings.Repeat(`{"jsonrpc":"2.0","id":1,"method":"ping"},`, 21), ",") + "]"
	for name, c := range map[string]struct {
		method, target, body string
		headers              []string
		status               int
		says                 string
	}{
		"GET":                    {"GET", "/mcp", "", nil, 405, "takes POST"},
		"GET of a stream":        {"GET", "/mcp", "", []string{"Accept: text/event-stream"}, 405, "takes POST"},
		"DELETE of a session":    {"DELETE", "/mcp", "", []string{"Mcp-Session-Id: x"}, 405, "takes POST"},
		"below":                  {"POST", "/mcp/", list, nil, 404, ""},
		"another base path":      {"POST", "/v1/mcp", list, nil, 404, ""},
		"a parameter":            {"POST", "/mcp?limit=1", list, nil, 400, "no parameters"},
		"no body":                {"POST", "/mcp", "", nil, 400, "empty"},
		"half a message":         {"POST", "/mcp", `{"jsonrpc":"2.0"`, nil, 400, "not JSON"},
		"not UTF-8":              {"POST", "/mcp", "\"\xff\"", nil, 400, "UTF-8"},
		"a number":               {"POST", "/mcp", `1`, nil, 400, "no message"},
		"a list of numbers":      {"POST", "/mcp", `[1]`, nil, 400, "no message"},
		"an empty list":          {"POST", "/mcp", `[]`, nil, 400, "empty batch"},
		"another JSON-RPC":       {"POST", "/mcp", `{"id":1,"method":"ping"}`, nil, 400, "2.0"},
		"a form":                 {"POST", "/mcp", "a=b", []string{"Content-Type: application/x-www-form-urlencoded"}, 415, "application/json"},
		"an unknown revision":    {"POST", "/mcp", list, []string{"Mcp-Protocol-Version: 1999-01-01"}, 400, "2024-11-05"},
		"a batch of a later one": {"POST", "/mcp", "[" + list + "]", []string{"Mcp-Protocol-Version: 2025-06-18"}, 400, "batching"},
		"a large batch":          {"POST", "/mcp", many, nil, 400, "at most 20"},
		"a resumption":           {"POST", "/mcp", list, []string{"Last-Event-Id: 1"}, 400, "Last-Event-ID"},
		"a byte over 4 MiB":      {"POST", "/mcp", padded(list, 4<<20+1), nil, 413, "4 MiB"},
	} {
		a := in.ask(c.method, c.target, c.body, append(c.headers, w.bearer("key"))...)
		if a.status != c.status || a.header.Get("Content-Type") != "application/json" || !strings.Contains(at(t, a.body, "error.message").(string), c.says) {
			t.Errorf("%s: %d %v %s", name, a.status, a.header, a.body)
		}
		if c.status == 405 && a.header.Get("Allow") != "POST" {
			t.Errorf("%s: Allow is %q", name, a.header.Get("Allow"))
		}
	}
	if a := w.assist("key", padded(list, 4<<20)); a.status != 200 {
		t.Errorf("a message of 4 MiB: %d %s", a.status, a.body)
	}
}

// TestAssistantsKeyThatEndsMeanwhileEndsTheMessage: what takes a right away while a
// message is on its way is found by the tool, reading or writing.
func TestAssistantsKeyThatEndsMeanwhileEndsTheMessage(t *testing.T) {
	onEachEngine(t, func(t *testing.T, in *installation) {
		for name, end := range map[string]func(w *world){
			"revoked": func(w *world) {
				_, err := in.Store().RevokeAPIKey(t.Context(), operator, w.id("key_id"))
				w.must(err)
			},
			"suspended": func(w *world) { w.suspend("author") },
			"narrowed": func(w *world) {
				_, err := in.Store().UpdateAPIKey(t.Context(), operator, w.id("key_id"), stepsies.KeyChange{Scopes: &[]string{"admin"}})
				if err == nil {
					t.Error("a member's key was given the scope admin")
				}
				_, err = in.Store().UpdateAPIKey(t.Context(), operator, w.id("key_id"), stepsies.KeyChange{Scopes: &[]string{"write"}})
				w.must(err)
			},
		} {
			for _, message := range []string{toolCall("read_stepsy", `{"id":{draft}}`), toolCall("publish_stepsy", `{"id":{draft}}`), `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"stepsy://{draft}"}}`} {
				w := in.world(t)
				w.get("key")
				message = w.fill(message)
				from, to := io.Pipe()
				r := httptest.NewRequest("POST", publicURL+"/mcp", from)
				r.Header.Set("Authorization", "Bearer "+w.get("key"))
				r.Header.Set("Content-Type", "application/json")
				rec := httptest.NewRecorder()
				done := make(chan struct{})
				go func() { defer close(done); in.handle.ServeHTTP(rec, r) }()
				_, _ = io.WriteString(to, message[:10]) // returns when it is read, and so after the key was judged
				end(w)
				_, _ = io.WriteString(to, message[10:])
				_ = to.Close()
				<-done
				switch body := rec.Body.String(); {
				case name == "narrowed" && strings.Contains(message, "publish"):
					if rec.Code != 200 || strings.Contains(body, "isError") {
						t.Errorf("%s, %s: %d %s", name, message, rec.Code, body)
					}
				case name == "narrowed":
					if rec.Code != 200 || !strings.Contains(body, "scope read") {
						t.Errorf("%s, %s: %d %s", name, message, rec.Code, body)
					}
				case rec.Code != 401 || body != `{"error":{"code":"unauthorized","message":"Missing or invalid API key"}}` || rec.Header().Get("WWW-Authenticate") != `Bearer realm="stepsies"`:
					t.Errorf("%s, %s: %d %v %s", name, message, rec.Code, rec.Header(), body)
				}
				if name != "narrowed" && !strings.Contains(w.read("/v1/stepsies/{draft}"), `"status":"draft"`) {
					t.Errorf("%s: the draft was published", name)
				}
			}
		}
	})
}

// TestAssistantsSurviveFailuresOfOurs: a database that is gone and a panic are told in
// words, logged with their cause, and end nothing else.
func TestAssistantsSurviveFailuresOfOurs(t *testing.T) {
	in := open(t, "")
	w := in.world(t)
	w.get("key")
	in.dead = true
	w.must(in.Store().Close())
	a := w.assist("key", toolCall("list_stepsies", `{}`), "X-Request-Id: mine")
	if a.status != 503 || at(t, a.body, "error.code") != "unavailable" || at(t, a.body, "error.request_id") != "mine" {
		t.Errorf("without a database: %d %s", a.status, a.body)
	}
}

// TestToolsWriteInTheNameOfTheKey: the record of what was done names key and address as
// that of any other call.
func TestToolsWriteInTheNameOfTheKey(t *testing.T) {
	in := open(t, "")
	w := in.world(t)
	if text, failed := w.tool("key", "publish_stepsy", w.fill(`{"id":{draft}}`)); failed {
		t.Fatal(text)
	}
	page, err := in.Store().ListActivity(t.Context(), store.ActivityFilter{Access: stepsies.Access{Everyone: true}, Target: "stepsy", TargetID: w.id("draft"), Page: store.Page{Limit: 1}})
	rows := page.Items
	if err != nil || len(rows) != 1 {
		t.Fatalf("%+v (%v)", rows, err)
	}
	want := stepsies.Actor{Kind: stepsies.ActorKey, UserID: rows[0].OwnerID, Username: w.get("author"), KeyID: w.id("key_id"), KeyName: "Key key", IP: "192.0.2.1"}
	if rows[0].Actor != want || rows[0].Action != "stepsy.publish" {
		t.Errorf("%+v", rows[0])
	}
}
