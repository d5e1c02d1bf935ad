package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/stepsies/stepsies/client"
)

type listCmd struct {
	Status   *string `help:"Only these: draft or published." enum:"draft,published" placeholder:"STATUS"`
	Category string  `help:"Only of this category, such as marketing." placeholder:"NAME"`
	Query    string  `short:"q" help:"Only with these words in title, description or steps." placeholder:"WORDS"`
	Sort     string  `help:"Order: newest (the default), oldest, updated, published (latest first) or title." enum:"newest,oldest,updated,published,title" default:"newest" placeholder:"ORDER"`
	Limit    *int    `short:"n" help:"At most so many. Default: 30." placeholder:"N"`
	All      bool    `help:"All of them."`
	JSON     bool    `help:"Print JSON."`
}

// orders are the names that people give to the API's.
var orders = map[string]client.Sort{
	"newest": client.SortNewest, "oldest": client.SortOldest, "updated": client.SortRecentlyUpdated,
	"published": client.SortRecentlyPublished, "title": client.SortTitle,
}

// Help says what is printed.
func (cmd *listCmd) Help() string {
	return "On a terminal a table is printed; elsewhere lines with a tab between id, slug, status, category, number of steps, views, day of the last change and title."
}

// Run lists the user's own stepsies.
func (cmd *listCmd) Run(ctx context.Context, t *terminal) error {
	limit := 30
	if cmd.Limit != nil {
		limit = *cmd.Limit
	}
	switch {
	case limit < 1:
		return usagef("--limit must be a whole number from 1 on")
	case cmd.All && cmd.Limit != nil:
		return usagef("--all and --limit do not go together; give one of them")
	}
	c, err := remote(t)
	if err != nil {
		return err
	}
	query := client.StepsyQuery{Category: cmd.Category, Q: cmd.Query, Sort: orders[cmd.Sort]}
	if cmd.Status != nil {
		query.Status = client.Status(*cmd.Status)
	}
	if !cmd.All {
		query.Limit = min(limit+1, client.MaxPageSize) // one more tells that there are more
	}
	found, more := []client.Stepsy{}, false
	for s, err := range c.AllStepsies(ctx, query) {
		if err != nil {
			return err
		}
		if more = !cmd.All && len(found) == limit; more {
			break
		}
		found = append(found, s)
	}
	if cmd.JSON {
		err = printJSON(t.out, found)
	} else if filtered := cmd.Status != nil || cmd.Category != "" || cmd.Query != ""; filtered && len(found) == 0 {
		_, err = fmt.Fprintln(t.err, "None of your stepsies fits.")
	} else {
		err = printStepsies(t, found)
	}
	if more {
		_, _ = fmt.Fprintf(t.err, "stepsies: there are more than %d; see all of them with --all\n", limit)
	}
	return err
}

func printStepsies(t *terminal, found []client.Stepsy) error {
	if len(found) == 0 {
		_, err := fmt.Fprintln(t.err, "There is nothing to list. Begin a stepsy: stepsies new TITLE")
		return err
	}
	tb := table{
		heading: []string{"ID", "SLUG", "STATUS", "CATEGORY", "STEPS", "VIEWS", "CHANGED", "TITLE"},
		paint: func(row, column int) string {
			switch {
			case column == 2 && found[row].Status == client.StatusPublished:
				return green
			case column == 2:
				return yellow
			case column == 0:
				return faint
			}
			return ""
		},
	}
	for _, s := range found {
		tb.rows = append(tb.rows, []string{
			strconv.FormatInt(s.ID, 10), printable(s.Slug), printable(string(s.Status)), printable(s.Category), strconv.Itoa(s.StepsCount),
			strconv.FormatInt(s.ViewsCount, 10), s.UpdatedAt.Format("2006-01-02"), printable(s.Title),
		})
	}
	return tb.write(t.out)
}
