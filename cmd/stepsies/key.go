package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/client"
)

type keyCmd struct {
	Create keyCreateCmd `cmd:"" help:"Create an API key and print it, this once."`
	List   keyListCmd   `cmd:"" help:"List API keys, newest first, the revoked ones too."`
	Revoke keyRevokeCmd `cmd:"" help:"End an API key at once and for good."`
	Rotate keyRotateCmd `cmd:"" help:"Make a successor of an API key and print it, this once."`
}

type keyCreateCmd struct {
	User        string   `help:"Username of the owner." required:"" placeholder:"USERNAME"`
	Name        string   `help:"What the key is for, such as \"CI Pipeline\"." required:"" placeholder:"TEXT"`
	Description string   `help:"More about it." placeholder:"TEXT"`
	Scope       []string `help:"read, write or admin; may be repeated." required:"" enum:"read,write,admin"`
	Expires     *string  `help:"When the key ends: after 30s, 12h or 90d, or at the end of a day such as 2027-01-31 (UTC). Default: never." placeholder:"WHEN"`
}

// Run creates the key. The key, and nothing else, is printed on standard output.
func (cmd *keyCreateCmd) Run(ctx context.Context, t *terminal, in *Installation) error {
	want := client.NewAPIKey{Name: cmd.Name, Description: cmd.Description, UserID: cmd.User}
	for _, s := range cmd.Scope {
		want.Scopes = append(want.Scopes, client.Scope(s))
	}
	if cmd.Expires != nil { // "" is no expiry, and not never: a variable that is not set stands behind it
		var err error
		if want.ExpiresAt, err = parseExpiry(*cmd.Expires, time.Now()); err != nil {
			return usagef("--expires: %w", err)
		}
	}
	c, done, err := connect(ctx, t, in)
	if err != nil {
		return err
	}
	defer done()
	k, err := c.CreateAPIKey(ctx, want)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(t.out, k.Key.Reveal())
	return err
}

var period = regexp.MustCompile(`^([0-9]{1,9})([smhd])$`)

// parseExpiry reads a period from now on, or a day at whose end in UTC a key
// stops.
func parseExpiry(text string, now time.Time) (time.Time, error) {
	if seconds, ok := parsePeriod(text); ok {
		if seconds == 0 {
			return time.Time{}, fmt.Errorf("a key cannot end after %s; make it 1s at least", text)
		}
		// Up to the whole second, so that a key never lives shorter than asked for.
		return time.Unix(now.Unix()+seconds+1, 0).UTC(), nil
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a period such as 30s, 12h or 90d, nor a day such as 2027-01-31", text)
	}
	return day.AddDate(0, 0, 1), nil
}

// parsePeriod reads a period in whole seconds, since a time.Duration ends after 292
// years.
func parsePeriod(text string) (seconds int64, ok bool) {
	m := period.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	n, _ := strconv.ParseInt(m[1], 10, 64) // at most nine digits
	return n * map[string]int64{"s": 1, "m": 60, "h": 60 * 60, "d": 24 * 60 * 60}[m[2]], true
}

type keyListCmd struct {
	User string `help:"Only this user's keys." placeholder:"USERNAME"`
	JSON bool   `help:"Print JSON."`
}

// Run lists the keys.
func (cmd *keyListCmd) Run(ctx context.Context, t *terminal, in *Installation) error {
	c, done, err := connect(ctx, t, in)
	if err != nil {
		return err
	}
	defer done()
	keys := []client.APIKey{}
	for k, err := range c.AllAPIKeys(ctx, client.APIKeyQuery{UserID: cmd.User}) {
		if err != nil {
			return err
		}
		keys = append(keys, k)
	}
	if cmd.JSON {
		return printJSON(t.out, keys)
	}
	if len(keys) == 0 {
		_, err := fmt.Fprintln(t.err, "There are no keys. Make one: stepsies key create --user NAME --name NAME --scope read"+in.flags())
		return err
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "ID\tUSER\tNAME\tKEY\tSCOPES\tSTATUS\tLAST USED\tEXPIRES\tREFUSED")
	for _, k := range keys {
		var scopes []string
		for _, s := range k.Scopes {
			scopes = append(scopes, string(s))
		}
		refused := "-"
		if k.RefusedCount > 0 && k.LastRefusedAt != nil {
			refused = fmt.Sprintf("%d times, last %s", k.RefusedCount, k.LastRefusedAt.Format(time.RFC3339))
		}
		_, _ = fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.UserID, k.Name, k.Hint,
			strings.Join(scopes, ","), k.Status, timeOr(k.LastUsedAt, "never"), timeOr(k.ExpiresAt, "never"), refused)
	}
	return w.Flush()
}

func timeOr(at *time.Time, none string) string {
	if at == nil {
		return none
	}
	return at.Format(time.RFC3339)
}

type keyRevokeCmd struct {
	ID int64 `arg:"" help:"Id of the key, as stepsies key list shows it."`
}

// Run revokes the key. It is dead in a running server when this returns.
func (cmd *keyRevokeCmd) Run(ctx context.Context, t *terminal, in *Installation) error {
	c, done, err := connect(ctx, t, in)
	if err != nil {
		return err
	}
	defer done()
	k, err := c.RevokeAPIKey(ctx, cmd.ID)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.out, "Revoked %s (%s) of %s.\n", k.Name, k.Hint, k.UserID)
	return err
}

type keyRotateCmd struct {
	ID    int64  `arg:"" help:"Id of the key, as stepsies key list shows it."`
	Grace string `help:"How long the old key lives on: 0s to 30d. Default: 24h." default:"24h" placeholder:"PERIOD"`
}

// Run rotates the key. The new key, and nothing else, is printed on standard
// output.
func (cmd *keyRotateCmd) Run(ctx context.Context, t *terminal, in *Installation) error {
	grace, ok := parsePeriod(cmd.Grace)
	if !ok {
		return usagef("--grace: %q is not a period such as 30s, 12h or 7d", cmd.Grace)
	}
	if grace > int64(stepsies.MaxGrace/time.Second) {
		return usagef("--grace must be from 0s to 30d")
	}
	c, done, err := connect(ctx, t, in)
	if err != nil {
		return err
	}
	defer done()
	k, err := c.RotateAPIKey(ctx, cmd.ID, client.Rotation{GracePeriod: client.Set(time.Duration(grace) * time.Second)})
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(t.err, "%s has a successor with id %d.%s\n", printable(k.Name), k.ID, untilWhen(ctx, c, cmd.ID))
	_, err = fmt.Fprintln(t.out, k.Key.Reveal())
	return err
}

// untilWhen says how long a key that was rotated still works, which may be shorter
// than the grace period.
func untilWhen(ctx context.Context, c *client.Client, id int64) string {
	old, err := c.GetAPIKey(ctx, id)
	switch {
	case err != nil || old.ExpiresAt == nil:
		return "" // the successor is there, and is what counts
	case old.Status == client.KeyExpired:
		return " The old key has ended."
	}
	return " The old key works until " + old.ExpiresAt.UTC().Format(time.RFC3339) + "."
}
