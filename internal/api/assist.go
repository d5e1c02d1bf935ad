package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/reqlog"
)

// assistantsPath is where assistants find their tools: the Streamable HTTP of the Model
// Context Protocol, without sessions, so that any node answers any message.
const assistantsPath = "/mcp"

// Bounds of what assistants ask for there.
const (
	maxMessage    = 2 * MaxBody // bytes of a body: JSON can need two for one of ours
	maxBatch      = 20          // requests in a batch, which each count
	maxAssisted   = 100         // bodies that are being answered by this node at once
	assistTimeout = 60 * time.Second
	assistWait    = 5 * time.Second // for one of maxAssisted to end
)

var (
	errMessageTooLarge = &stepsies.Error{Code: stepsies.CodePayloadTooLarge, Message: "The message is larger than 4 MiB. Send less, for instance a long stepsy in several calls."}
	errForeignOrigin   = &stepsies.Error{Code: stepsies.CodeForbidden, Message: "A page of this origin may not call here. The operator can allow it with --allowed-origins."}
	errBusy            = stepsies.Unavailable(fmt.Errorf("%d messages of assistants are being answered", maxAssisted))
)

// assist admits a message of an assistant as any other request is admitted, and has the
// tools answer it. What they ask the API for meanwhile goes through inside.
func (a *API) assist(w http.ResponseWriter, r *http.Request) {
	entry := reqlog.From(r.Context())
	entry.Route = assistantsPath
	c := &call{request: r}
	err := a.recognise(c, w)
	if err == nil {
		err = a.checkOrigin(r)
	}
	a.observe(err)
	if err == nil && r.URL.RawQuery != "" {
		err = stepsies.BadRequest("This address takes no parameters. The key goes into the header Authorization, all else into the message.")
	}
	if err == nil {
		c.body, err = readJSON(r, maxMessage, errMessageTooLarge)
	}
	if err == nil {
		err = a.countBatch(c, w)
	}
	if err != nil {
		drain(r)
		writeRefusal(w, r, "", err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), assistTimeout)
	defer cancel()
	by := &admitted{call: c, ctx: ctx}
	err = a.answerAssistant(w, by)
	if entry.Err == nil {
		entry.Err = by.failure()
	}
	if err != nil {
		writeRefusal(w, r, "", err)
	}
}

// checkOrigin refuses pages of other sites (the protocol asks for that), but those that
// may call the API as well. Programs send no Origin.
func (a *API) checkOrigin(r *http.Request) error {
	for _, origin := range r.Header["Origin"] {
		if !strings.EqualFold(origin, a.ownOrigin) && !slices.Contains(a.Origins, origin) {
			return errForeignOrigin
		}
	}
	return nil
}

// countBatch counts what a batch holds beyond its first request: the limits are there for
// work, of which each request of a batch is as much as a request of its own. Revisions of
// the protocol before 2025-06-18 have batches.
func (a *API) countBatch(c *call, w http.ResponseWriter) error {
	if body := bytes.TrimLeft(c.body, " \t\r\n"); len(body) == 0 {
		return stepsies.BadRequest("The body is empty. Send one message of JSON-RPC 2.0.")
	} else if body[0] != '[' {
		return nil
	}
	var messages []struct{ ID json.RawMessage }
	if json.Unmarshal(c.body, &messages) != nil {
		return stepsies.BadRequest("The body is no message of JSON-RPC 2.0, nor a batch of them.")
	}
	requests := 0
	for _, m := range messages {
		if m.ID != nil {
			requests++
		}
	}
	if len(messages) > maxBatch {
		return stepsies.BadRequest("The batch holds %d messages, and at most %d are taken. Send each message by itself.", len(messages), maxBatch)
	}
	for range requests - 1 {
		if err := a.count(c, w); err != nil {
			return err
		}
	}
	return nil
}

// answerAssistant has the tools answer and passes their answer on whole. What is no answer
// of the protocol becomes an error like all others here: the key that ended meanwhile, and
// what is no message in the first place.
func (a *API) answerAssistant(w http.ResponseWriter, by *admitted) error {
	busy := time.NewTimer(assistWait)
	defer busy.Stop()
	select {
	case a.assisted <- struct{}{}:
		defer func() { <-a.assisted }()
	case <-by.ctx.Done():
		return errBusy
	case <-busy.C:
		return errBusy
	}
	r := by.request.Clone(context.WithValue(by.ctx, admittedKey{}, by))
	// All is answered by one piece of JSON, which no proxy holds back, whatever else
	// the client would take.
	r.Header.Set("Accept", "application/json, text/event-stream")
	var answer heldAnswer
	a.assistants.ServeHTTP(&answer, r)

	mediaType, _, _ := mime.ParseMediaType(answer.Header().Get("Content-Type"))
	switch {
	case by.hasEnded():
		return stepsies.Unauthorized()
	case by.ctx.Err() != nil:
		return stepsies.Unavailable(fmt.Errorf("the tools did not end: %w", by.ctx.Err()))
	case answer.code() >= http.StatusInternalServerError:
		return fmt.Errorf("the tools answered %d: %.200s", answer.code(), answer.body.String())
	case answer.code() >= http.StatusBadRequest && mediaType != "application/json":
		return stepsies.BadRequest("This is no message of the Model Context Protocol that can be answered: %.300s.", strings.TrimRight(answer.body.String(), ". \n"))
	}
	if mediaType != "" {
		w.Header().Set("Content-Type", mediaType)
	}
	w.WriteHeader(answer.code())
	_, _ = answer.body.WriteTo(w) // the client has gone
	return nil
}
