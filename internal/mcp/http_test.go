package mcp_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stepsies/stepsies/internal/mcp"
)

// panics is an API that breaks off in the worst way.
type panics struct{ with any }

func (p panics) RoundTrip(*http.Request) (*http.Response, error) { panic(p.with) }

// TestToolThatPanicsEndsNothingElse: the SDK calls tools in goroutines of its own, where
// a panic would be the end of the server.
func TestToolThatPanicsEndsNothingElse(t *testing.T) {
	for _, with := range []any{"index out of range", http.ErrAbortHandler} {
		log := &record{}
		h := mcp.NewHandler(panics{with}, mcp.Config{Version: "v0", Log: slog.New(slog.NewTextHandler(log, nil))})
		r := httptest.NewRequest("POST", "/mcp", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_stepsies","arguments":{}}}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 200 || !strings.Contains(w.Body.String(), `"code":-32603`) || !strings.Contains(w.Body.String(), "It has been logged.") || strings.Contains(w.Body.String(), "goroutine") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if text := log.String(); !strings.Contains(text, "a tool panicked") || !strings.Contains(text, fmt.Sprint(with)) {
			t.Errorf("the log: %s", text)
		}
	}
}
