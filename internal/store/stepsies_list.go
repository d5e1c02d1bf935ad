package store

import (
	"context"
	"fmt"

	"github.com/stepsies/stepsies"
)

// StepsyFilter chooses stepsies of one author.
type StepsyFilter struct {
	Author    string // username; "" for the user of Access
	Access    stepsies.Access
	Status    stepsies.Status // "" for every one
	Category  string          // "" for every one
	Featured  *bool
	Query     string // words that must all begin some word of the stepsy
	Sort      string // one of StepsySorts, "" for the first
	Page      Page
	WithSteps bool
}

// StepsySorts lists the orders of a list of stepsies; "-" is descending.
var StepsySorts = []string{"-created_at", "created_at", "-updated_at", "-published_at", "title"}

// order is how a list is sorted: by an indexed expression, then by id.
type order struct {
	expression string
	descending bool
	text       bool // the expression is text, else a number
}

var orders = map[string]order{
	"-created_at":   {expression: "s.created_at", descending: true},
	"created_at":    {expression: "s.created_at"},
	"-updated_at":   {expression: "s.updated_at", descending: true},
	"-published_at": {expression: "s.published_key", descending: true}, // drafts last
	"title":         {expression: "s.title_key", text: true},
}

// ListStepsies returns the stepsies of an author as far as the access reaches:
// what is published only, where they are another's. A page costs the same
// wherever it is in the list.
func (s *Store) ListStepsies(ctx context.Context, f StepsyFilter) (Paged[stepsies.Stepsy], error) {
	q, err := s.stepsyConditions(ctx, f)
	if err != nil || q == nil {
		return Paged[stepsies.Stepsy]{}, err
	}
	if f.Sort == "" {
		f.Sort = StepsySorts[0]
	}
	query, args, err := f.query(q)
	if err != nil {
		return Paged[stepsies.Stepsy]{}, err
	}
	var out Paged[stepsies.Stepsy]
	err = s.read.each(ctx, query, args, func(scan func(...any) error) error {
		item, err := scanStepsy(scan, f.WithSteps)
		if err != nil {
			return err
		}
		if n := len(out.Items); n == f.Page.Limit {
			out.Next = cursorAt(out.Items[n-1], f.Sort)
			return nil
		}
		out.Items = append(out.Items, item)
		return nil
	})
	return out, wrap(err, "list stepsies")
}

// query returns the statement of one page of what the conditions choose.
func (f StepsyFilter) query(q *conditions) (text string, args []any, err error) {
	by, ok := orders[f.Sort]
	if !ok {
		return "", nil, fmt.Errorf("list stepsies: no order %q", f.Sort)
	}
	after, err := parseCursor(f.Page.Cursor, f.Sort)
	if err != nil {
		return "", nil, err
	}
	sign, direction := ">", ""
	if by.descending {
		sign, direction = "<", " desc"
	}
	if after != nil {
		var value any = after.Num
		if by.text {
			value = after.Text
		}
		n, id := q.arg(value), q.arg(after.ID)
		q.and(fmt.Sprintf("(%s, s.id) %s ($%d, $%d)", by.expression, sign, n, id))
	}
	columns := headColumns
	if f.WithSteps {
		columns += ", s.steps"
	}
	text = fmt.Sprintf("select %s%s%s order by %s%s, s.id%s limit $%d",
		columns, stepsyTables, q, by.expression, direction, direction, q.arg(f.Page.Limit+1))
	return text, q.args, nil
}

func cursorAt(s stepsies.Stepsy, sort string) string {
	c := cursor{Sort: sort, ID: s.ID}
	switch sort {
	case "-updated_at":
		c.Num = s.UpdatedAt.UnixMilli()
	case "-published_at":
		c.Num = publishedKey(s)
	case "title":
		c.Text = stepsies.Fold(s.Title)
	default:
		c.Num = s.CreatedAt.UnixMilli()
	}
	return c.String()
}

// publishedKey is what a list by publication is sorted by: drafts come last, the
// newest first. They have keys of their own since SQLite walks through equal ones.
func publishedKey(s stepsies.Stepsy) int64 {
	if s.PublishedAt.IsZero() {
		return s.CreatedAt.UnixMilli() - 1<<60
	}
	return s.PublishedAt.UnixMilli()
}

// stepsyConditions turns the filter into conditions, nil where nothing can match.
func (s *Store) stepsyConditions(ctx context.Context, f StepsyFilter) (*conditions, error) {
	author := stepsies.User{ID: f.Access.UserID}
	if f.Author != "" {
		var err error
		if author, err = s.User(ctx, f.Author); err != nil {
			return nil, err
		}
	}
	var q conditions
	q.and("s.deleted_at is null")
	q.where("s.user_id = $%d", author.ID)
	if !f.Access.Everyone && f.Access.UserID != author.ID {
		if f.Status == stepsies.StatusDraft || author.Suspended() {
			return nil, nil
		}
		f.Status = stepsies.StatusPublished
	}
	if f.Status != "" {
		q.where("s.status = $%d", string(f.Status))
	}
	if f.Category != "" {
		q.where("s.category = $%d", f.Category)
	}
	if f.Featured != nil {
		q.and(map[bool]string{true: "s.featured_at is not null", false: "s.featured_at is null"}[*f.Featured])
	}
	if f.Query != "" {
		words := stepsies.SearchWords(f.Query)
		if len(words) == 0 {
			return nil, nil // nothing but punctuation: no stepsy holds it
		}
		q.where("s.id in (select rowid from stepsy_search where "+s.engine.searchMatch+")", s.engine.searchQuery(s.engine.indexed(author.ID, words)))
	}
	return &q, nil
}
