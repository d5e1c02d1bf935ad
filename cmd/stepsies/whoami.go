package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/stepsies/stepsies/client"
)

type whoamiCmd struct {
	JSON bool `help:"Print JSON."`
}

// Run prints who the key acts as, what it may do and how much of the limits is
// left.
func (cmd *whoamiCmd) Run(ctx context.Context, t *terminal) error {
	c, err := remote(t)
	if err != nil {
		return err
	}
	me, err := c.Me(ctx)
	if err != nil {
		return err
	}
	if cmd.JSON {
		return printJSON(t.out, me)
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	line := func(name, value string) { _, _ = fmt.Fprintf(w, "%s\t%s\n", name, printable(value)) }
	line("Server", c.BaseURL())
	line("User", fmt.Sprintf("%s (%s), %s on the plan %s", me.Username, me.DisplayName, me.Role, me.Plan))
	if k := me.Key; k != nil {
		line("Key", fmt.Sprintf("%s (%s)", k.Name, k.Hint))
		line("Scopes", joinScopes(k.Scopes))
		line("Expires", timeOr(k.ExpiresAt, "never"))
	}
	line("This minute", leftOf(me.Limits.Minute))
	line("This hour", leftOf(me.Limits.Hour))
	line("This month", leftOf(me.Limits.Month))
	return w.Flush()
}

func leftOf(w *client.Window) string {
	if w == nil {
		return "no limit"
	}
	return fmt.Sprintf("%d of %d requests left until %s", w.Remaining, w.Limit, w.ResetTime().Format(time.RFC3339))
}
