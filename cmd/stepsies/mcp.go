package main

import (
	"context"
	"fmt"
	"time"

	"github.com/stepsies/stepsies/client"
	"github.com/stepsies/stepsies/internal/mcp"
)

// An assistant waits for the answer of a tool, and its user for the assistant: it
// is told of a limit soon rather than left waiting for its end.
const (
	mcpRetries = 2
	mcpMaxWait = 5 * time.Second
	mcpTimeout = 30 * time.Second
)

type mcpCmd struct{}

// Help is shown by stepsies mcp --help.
func (cmd *mcpCmd) Help() string {
	return `An assistant starts this program and speaks with it over standard input and output. It acts with the API key in STEPSIES_API_KEY, at the address in STEPSIES_URL, or with the login that stepsies login has saved. It can do what the scopes of that key allow: with the scope read alone it can change nothing, so give an assistant a key of its own.`
}

// Run serves one assistant until it ends the conversation. Standard output belongs
// to the protocol; what people should know goes to standard error.
func (cmd *mcpCmd) Run(ctx context.Context, t *terminal) error {
	c, err := remote(t, client.WithUserAgent("stepsies-mcp/"+version),
		client.WithRetries(mcpRetries), client.WithMaxWait(mcpMaxWait), client.WithTimeout(mcpTimeout))
	if err != nil {
		return err
	}
	if isTerminal(t.in) {
		_, _ = fmt.Fprintln(t.err, "This is for an assistant to start, which then speaks JSON with it. End it with Ctrl-D.")
	}
	t.log.Info("serving an assistant", "url", c.BaseURL())
	if err := mcp.New(mcp.Config{Client: c, Version: version, Log: t.log}).Run(ctx, t.in, t.out); err != nil {
		return fmt.Errorf("the conversation with the assistant broke off: %w", err)
	}
	return nil
}
