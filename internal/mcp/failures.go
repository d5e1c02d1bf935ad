package mcp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/stepsies/stepsies/client"
)

// refusal is a call that makes no sense, found before the API is asked.
type refusal string

func (r refusal) Error() string { return string(r) }

func refuse(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

// errStale is refused by us as the API refuses it.
var errStale = &client.Error{Code: client.ErrPreconditionFailed, Message: "Somebody has changed the stepsy since that version."}

// sentence is what an assistant is told about a failure: what the API says, and
// what to do.
func sentence(err error) string {
	e, ok := errors.AsType[*client.Error](err)
	if !ok {
		return err.Error()
	}
	said := []string{strings.TrimRight(e.Message, ".") + "."}
	for _, d := range e.Details {
		said = append(said, strings.TrimSpace(d.Field+" "+d.Message)+".")
	}
	if advice := e.Advice(); advice != "" {
		said = append(said, advice)
	}
	switch e.Code {
	case client.ErrUnauthorized:
		said = append(said, "The key stands in the configuration of this server ("+client.EnvAPIKey+"), which reads it when it starts.")
	case client.ErrPreconditionFailed:
		said = append(said, "Call read_stepsy, and make the change on the version that it returns.")
	}
	if e.RequestID != "" && e.Status >= 500 {
		said = append(said, "Request "+e.RequestID+".")
	}
	return strings.Join(said, " ")
}

// logFailure notes a failure without what the assistant wrote, which may come back
// in messages of the API.
func (s *Server) logFailure(tool string, err error) {
	if e, ok := errors.AsType[*client.Error](err); ok {
		level := slog.LevelInfo
		if e.Status >= http.StatusInternalServerError {
			level = slog.LevelWarn
		}
		s.log.Log(context.Background(), level, "a tool failed", "tool", tool, "status", e.Status, "code", string(e.Code), "request_id", e.RequestID)
		return
	}
	if _, ok := errors.AsType[refusal](err); ok {
		s.log.Info("a tool was called wrongly", "tool", tool)
		return
	}
	s.log.Warn("a tool failed", "tool", tool, "error", err)
}
