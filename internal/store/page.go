package store

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/stepsies/stepsies"
)

// Page asks for a part of a list.
type Page struct {
	Limit  int    // 1 to 100
	Cursor string // where the part before ended; "" for the first
}

// Paged is a part of a list.
type Paged[T any] struct {
	Items []T
	Next  string // cursor of the next part, "" when this is the last one
}

// cursor is the place of the last item in its order. It is opaque to clients,
// and names the order so that it cannot be used in another one.
type cursor struct {
	Sort string `json:"s"`
	ID   int64  `json:"i"`
	Num  int64  `json:"n,omitempty"`
	Text string `json:"t,omitempty"`

	Real   float64 `json:"r,omitempty"`
	Before int64   `json:"b,omitempty"` // of a search: the id before which it looks
}

// maxCursor bounds what is decoded: a title key of 200 characters fits well.
const maxCursor = 4096

func (c cursor) String() string {
	b, _ := json.Marshal(c) // strings and numbers never fail
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseCursor reads a cursor of the given order. nil is the beginning.
func parseCursor(text, sort string) (*cursor, error) {
	if text == "" {
		return nil, nil
	}
	var c cursor
	bad := stepsies.BadRequest("The cursor is not one of this list. Take next_cursor from the answer before, with the same sort, or leave it out.")
	if len(text) > maxCursor || strings.ContainsAny(text, "\r\n") { // which the decoder would pass over
		return nil, bad
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(b, &c) != nil || c.Sort != sort || stepsies.CheckText(c.Text, false) != nil {
		return nil, bad
	}
	return &c, nil
}

// conditions builds the where clause of a list from what was asked.
type conditions struct {
	texts []string
	args  []any
}

// where adds a condition; each %d in it is the number of the argument.
func (c *conditions) where(format string, arg any) {
	c.args = append(c.args, arg)
	numbers := make([]any, strings.Count(format, "%d"))
	for i := range numbers {
		numbers[i] = len(c.args)
	}
	c.texts = append(c.texts, fmt.Sprintf(format, numbers...))
}

// and adds a condition without an argument.
func (c *conditions) and(text string) { c.texts = append(c.texts, text) }

// arg adds an argument that no condition uses and returns its number.
func (c *conditions) arg(v any) int {
	c.args = append(c.args, v)
	return len(c.args)
}

// String is the clause with a space before it, "" without conditions.
func (c *conditions) String() string {
	if len(c.texts) == 0 {
		return ""
	}
	return " where " + strings.Join(c.texts, " and ")
}

// newestFirst names the order of a list by a descending id column. Columns have the
// alias of their table, so that no list takes the cursor of another one.
func newestFirst(column string) string { return "-" + column }

// pageByID reads a part of a list that is ordered by a descending id column.
func pageByID[T any](ctx context.Context, s *Store, p Page, q *conditions, query, column string,
	row func(scan func(...any) error) (T, int64, error)) (Paged[T], error) {
	query, err := p.byID(q, query, column)
	if err != nil {
		return Paged[T]{}, err
	}
	var out Paged[T]
	var last int64
	err = s.read.each(ctx, query, q.args, func(scan func(...any) error) error {
		item, id, err := row(scan)
		if err != nil {
			return err
		}
		if len(out.Items) == p.Limit {
			out.Next = cursor{Sort: newestFirst(column), ID: last}.String()
			return nil
		}
		last = id
		out.Items = append(out.Items, item)
		return nil
	})
	return out, err
}

// byID completes the statement of one page, whose arguments stand in q.
func (p Page) byID(q *conditions, query, column string) (string, error) {
	after, err := parseCursor(p.Cursor, newestFirst(column))
	if err != nil {
		return "", err
	}
	if after != nil {
		q.where(column+" < $%d", after.ID)
	}
	return fmt.Sprintf("%s%s order by %s desc limit $%d", query, q, column, q.arg(p.Limit+1)), nil
}

// like turns text into a pattern that finds it anywhere, taken literally.
func like(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}
