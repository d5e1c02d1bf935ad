package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/stepsies/stepsies"
)

// indexForm numbers the form in which SQLite indexes words. It is raised where that
// changes; an index of another form is made anew by Migrate.
const indexForm = 3

// indexed returns the words of an author as a search of theirs asks for them. FTS5
// reads all that begins with a word before it looks at anything else, whoever wrote
// it: so that a search costs what its author's stepsies cost, words are indexed a
// second time with their author, behind a mark that is in no word. PostgreSQL weighs
// that by itself.
func (e engine) indexed(userID int64, words []string) []string {
	if !e.authored {
		return words
	}
	mark := "·" + strconv.FormatInt(userID, 10) + "·"
	marked := make([]string, len(words))
	for i, w := range words {
		marked[i] = mark + w
	}
	return marked
}

// index replaces the words under which a stepsy is found.
func (t *tx) index(ctx context.Context, s stepsies.Stepsy) error {
	if _, err := t.exec(ctx, `delete from stepsy_search where rowid = $1`, s.ID); err != nil {
		return wrap(err, "index stepsy %d", s.ID)
	}
	words := strings.Fields(s.SearchText())
	if t.s.engine.authored {
		words = append(words, t.s.engine.indexed(s.UserID, words)...)
	}
	_, err := t.exec(ctx, `insert into stepsy_search (rowid, words) values ($1, `+fmt.Sprintf(t.s.engine.searchValue, 2)+`)`, s.ID, strings.Join(words, " "))
	return wrap(err, "index stepsy %d", s.ID)
}

// indexAll makes the words of every stepsy anew, a bounded number at a time.
func (t *tx) indexAll(ctx context.Context) error {
	for last := int64(0); ; {
		var found []stepsies.Stepsy
		err := t.each(ctx, `select `+headColumns+`, s.steps`+stepsyTables+`
			where s.id > $1 and s.deleted_at is null order by s.id limit 100`, []any{last}, func(scan func(...any) error) error {
			st, err := scanStepsy(scan, true)
			found = append(found, st)
			return err
		})
		if err != nil || len(found) == 0 {
			return wrap(err, "index the stepsies")
		}
		for _, st := range found {
			if err := t.index(ctx, st); err != nil {
				return err
			}
		}
		last = found[len(found)-1].ID
	}
}

// indexAgain makes the index anew where it has another form than this program's.
func (s *Store) indexAgain(ctx context.Context) error {
	if !s.engine.authored {
		return nil
	}
	var form int64
	if err := s.read.one(ctx, `pragma user_version`, nil, &form); err != nil || form == indexForm {
		return wrap(err, "read the form of the index")
	}
	// Without the deadline of a request: it takes as long as there are stepsies.
	sqlTx, err := s.write.db.BeginTx(ctx, nil)
	if err != nil {
		return classify(err)
	}
	defer func() { _ = sqlTx.Rollback() }()
	t := &tx{Tx: sqlTx, pool: s.write, s: s, now: s.clock(), keysUntouched: true}
	if err := t.indexAll(ctx); err != nil {
		return err
	}
	if _, err := t.exec(ctx, `pragma user_version = `+strconv.Itoa(indexForm)); err != nil {
		return wrap(err, "note the form of the index")
	}
	return classify(t.commit())
}
