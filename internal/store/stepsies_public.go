package store

import (
	"context"
	"fmt"

	"github.com/stepsies/stepsies"
)

// PublicOrder is an order of everyone's published stepsies.
type PublicOrder string

// The orders.
const (
	Newest          PublicOrder = "newest"           // by publication
	BestRated       PublicOrder = "best-rated"       // by a mean that few ratings move little; without ratings: not there
	CompletedLately PublicOrder = "completed-lately" // by completions that fade with time; without one: not there
)

// publicOrder is how a list of what is published is sorted: by an indexed
// expression, then by id, both descending.
type publicOrder struct {
	name   string // of its cursors
	tables string
	key    string
	id     string
}

const (
	publicTables = ` from stepsies s join users u on u.id = s.user_id left join stepsy_counts c on c.stepsy_id = s.id`
	// SQLite takes the tables of a cross join in the order in which they stand.
	countedTables = ` from stepsy_counts c cross join stepsies s cross join users u`

	// isPublic is for stepsies that everyone may see: no drafts, nothing from the
	// trash, and no author who is suspended. It is written as the indexes have it.
	isPublic = `s.status = 'published' and s.deleted_at is null and u.suspended_at is null`
)

var publicOrders = map[PublicOrder]publicOrder{
	Newest:          {"newest", publicTables, "s.published_key", "s.id"},
	BestRated:       {"best-rated", countedTables, "c.rated", "c.stepsy_id"},
	CompletedLately: {"completed-lately", countedTables, "c.lately", "c.stepsy_id"},
}

// PublicStepsies returns what everyone may read, of all authors. A page costs the
// same wherever it is in the list.
func (s *Store) PublicStepsies(ctx context.Context, order PublicOrder, p Page) (Paged[stepsies.Stepsy], error) {
	by, ok := publicOrders[order]
	if !ok {
		return Paged[stepsies.Stepsy]{}, fmt.Errorf("list what is published: no order %q", order)
	}
	return s.publicPage(ctx, by, by.conditions(), p)
}

// conditions choose all that has a place in the order.
func (by publicOrder) conditions() *conditions {
	var q conditions
	q.and(isPublic)
	if by.tables == countedTables {
		q.and("s.id = c.stepsy_id and u.id = s.user_id and " + by.key + " is not null")
	}
	return &q
}

// CategoryStepsies returns what everyone may read about a category, newest first.
func (s *Store) CategoryStepsies(ctx context.Context, category string, p Page) (Paged[stepsies.Stepsy], error) {
	by, q := inCategory(category)
	return s.publicPage(ctx, by, q, p)
}

func inCategory(category string) (publicOrder, *conditions) {
	var q conditions
	q.and(isPublic)
	q.where("s.category = $%d", category)
	by := publicOrders[Newest]
	by.name = "in " + category
	return by, &q
}

// authorParts are the two parts of an author's list: what is featured stands on top.
var authorParts = []struct {
	by       publicOrder
	featured int
}{
	{publicOrder{"featured", publicTables, "s.published_key", "s.id"}, 1},
	{publicOrder{"not featured", publicTables, "s.published_key", "s.id"}, 0},
}

// AuthorStepsies returns what everyone may read of an author: featured stepsies
// first, and the newest first among both. A page costs the same wherever it is.
func (s *Store) AuthorStepsies(ctx context.Context, userID int64, p Page) (Paged[stepsies.Stepsy], error) {
	var out Paged[stepsies.Stepsy]
	first := 0
	if _, err := parseCursor(p.Cursor, authorParts[0].by.name); err != nil {
		first = 1
	}
	for i, part := range authorParts[first:] {
		here := Page{Limit: p.Limit - len(out.Items), Cursor: p.Cursor}
		if i > 0 {
			here.Cursor = ""
		}
		if here.Limit == 0 {
			// The page is full; whether anything follows is all that is asked.
			here.Limit = 1
			more, err := s.publicPage(ctx, part.by, ofAuthor(userID, part.featured), here)
			if err == nil && len(more.Items) > 0 {
				out.Next = cursor{Sort: part.by.name, Num: 1<<63 - 1, ID: 1<<63 - 1}.String()
			}
			return out, err
		}
		some, err := s.publicPage(ctx, part.by, ofAuthor(userID, part.featured), here)
		if err != nil {
			return out, err
		}
		out.Items, out.Next = append(out.Items, some.Items...), some.Next
		if out.Next != "" {
			break
		}
	}
	return out, nil
}

func ofAuthor(userID int64, featured int) *conditions {
	var q conditions
	q.and(isPublic)
	q.where("s.user_id = $%d", userID)
	q.and(fmt.Sprintf("(case when s.featured_at is null then 0 else 1 end) = %d", featured)) // as the index has it
	return &q
}

// AuthorNewest returns the newest of what everyone may read of an author.
func (s *Store) AuthorNewest(ctx context.Context, userID int64, p Page) (Paged[stepsies.Stepsy], error) {
	return s.publicPage(ctx, newestOfAuthor, ofAuthorAny(userID), p)
}

var newestOfAuthor = publicOrder{"newest of an author", publicTables, "s.published_key", "s.id"}

func ofAuthorAny(userID int64) *conditions {
	var q conditions
	q.and(isPublic)
	q.where("s.user_id = $%d", userID)
	return &q
}

// publicPage reads a part of a list of heads.
func (s *Store) publicPage(ctx context.Context, by publicOrder, q *conditions, p Page) (Paged[stepsies.Stepsy], error) {
	query, err := by.query(q, p)
	if err != nil {
		return Paged[stepsies.Stepsy]{}, err
	}
	var out Paged[stepsies.Stepsy]
	var last cursor
	err = s.read.each(ctx, query, q.args, func(scan func(...any) error) error {
		at := cursor{Sort: by.name}
		item, err := scanStepsy(func(dest ...any) error { return scan(append(dest, keyTo{&at})...) }, false)
		if err != nil {
			return err
		}
		if len(out.Items) == p.Limit {
			out.Next = last.String()
			return nil
		}
		at.ID, last = item.ID, at
		last.ID = item.ID
		out.Items = append(out.Items, item)
		return nil
	})
	return out, wrap(err, "list what is published, %s", by.name)
}

// query completes the statement of one page, whose arguments stand in q.
func (by publicOrder) query(q *conditions, p Page) (string, error) {
	after, err := parseCursor(p.Cursor, by.name)
	if err != nil {
		return "", err
	}
	if after != nil {
		kind, value := "bigint", any(after.Num)
		if by.tables == countedTables {
			kind, value = "double precision", after.Real
		}
		key, id := q.arg(value), q.arg(after.ID)
		q.and(fmt.Sprintf("(%s, %s) < (cast($%d as %s), cast($%d as bigint))", by.key, by.id, key, kind, id))
	}
	return fmt.Sprintf("select %s, %s%s%s order by %s desc, %s desc limit $%d",
		headColumns, by.key, by.tables, q, by.key, by.id, q.arg(p.Limit+1)), nil
}

// keyTo scans what a list is sorted by into its cursor.
type keyTo struct{ *cursor }

func (k keyTo) Scan(v any) error {
	switch v := v.(type) {
	case int64:
		k.Num = v
	case float64:
		k.Real = v
	default:
		return fmt.Errorf("a list is sorted by %T", v)
	}
	return nil
}

// PublicCategories returns the categories in which there is something that everyone
// may read, in the order of [stepsies.Categories].
func (s *Store) PublicCategories(ctx context.Context) ([]string, error) {
	var args []any
	for _, name := range stepsies.Categories {
		args = append(args, name)
	}
	known := map[string]bool{}
	err := s.read.each(ctx, publicCategories, args, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		known[name] = true
		return err
	})
	var names []string
	for _, name := range stepsies.Categories {
		if known[name] {
			names = append(names, name)
		}
	}
	return names, wrap(err, "list the categories")
}

var publicCategories = rows(len(stepsies.Categories), "text") +
	` where (select s.id from stepsies s join users u on u.id = s.user_id where s.category = v.column1 and ` + isPublic + `
		order by s.published_key desc limit 1) is not null`
