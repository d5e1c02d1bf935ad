package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/client"
)

type activityCmd struct {
	Since string `help:"Only what happened since then: 30m, 12h or 90d ago, a day such as 2027-01-31 (UTC), or a time such as 2027-01-31T10:30:00Z." placeholder:"WHEN"`
	Limit int    `help:"Only so many of the newest lines." placeholder:"N"`
}

// Run prints the record of who did what as JSON Lines, oldest first, so that the
// output can be appended to a file and read like a log.
func (cmd *activityCmd) Run(ctx context.Context, t *terminal, in *Installation) error {
	query := url.Values{}
	if cmd.Since != "" {
		since, err := parseSince(cmd.Since, time.Now())
		if err != nil {
			return usagef("--since: %w", err)
		}
		query.Set("since", since.UTC().Format(time.RFC3339))
	}
	switch {
	case cmd.Limit < 0:
		return usagef("--limit must be a whole number from 1 on")
	case cmd.Limit > 0:
		query.Set("newest", strconv.Itoa(cmd.Limit))
	}
	c, done, err := connect(ctx, t, in)
	if err != nil {
		return err
	}
	defer done()
	out := bufio.NewWriter(t.out)
	if err := printActivity(ctx, c, query, out); err != nil {
		_ = out.Flush() // what there is may be of use
		return err
	}
	return out.Flush()
}

// printActivity prints part after part: however long the record is, a part of it is
// in memory.
func printActivity(ctx context.Context, c *client.Client, query url.Values, out io.Writer) error {
	for {
		var part struct {
			Data []json.RawMessage `json:"data"`
			Next int64             `json:"next"`
		}
		if err := c.Do(ctx, "GET", "/operator/activity?"+query.Encode(), nil, &part); err != nil {
			return err
		}
		for _, line := range part.Data {
			if _, err := fmt.Fprintf(out, "%s\n", line); err != nil {
				return err
			}
		}
		if part.Next == 0 {
			return nil
		}
		query.Del("newest")
		query.Set("after", strconv.FormatInt(part.Next, 10))
	}
}

// parseSince reads a period before now, a day's beginning in UTC, or a time.
func parseSince(text string, now time.Time) (time.Time, error) {
	if m := period.FindStringSubmatch(text); m != nil {
		n, _ := strconv.ParseInt(m[1], 10, 64) // at most nine digits
		unit := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[m[2]]
		// Whole seconds are counted, since a time.Duration ends after 292 years.
		return time.Unix(max(now.Unix()-n*int64(unit/time.Second), 0), 0), nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day, nil
	}
	at, err := stepsies.ParseTime(text)
	if err != nil {
		return at, fmt.Errorf("%q is not a period such as 30m, 12h or 90d, nor a day such as 2027-01-31, nor a time such as 2027-01-31T10:30:00Z", text)
	}
	return at, nil
}
