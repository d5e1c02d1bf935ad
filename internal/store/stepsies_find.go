package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/stepsies/stepsies"
)

// Bounds of a search; see docs/decisions.
const (
	// searchBatch is how many of the newest matches are put in order at a time:
	// those with all words in their title come first. It bounds what a search reads,
	// however much it finds.
	searchBatch = 100
	// maxBatches is how many of them are looked through for a stepsy that everyone
	// may read.
	maxBatches = 10
	// maxSearchedSteps bounds the steps of one stepsy, in bytes, that are read to
	// show where the words stand in it.
	maxSearchedSteps = 256 << 10
)

// maxTerms is how many words a beginning may stand for and still be looked for word
// by word. SQLite walks through a whole word in order; of a beginning it gathers all
// that is found before it gives the first.
const maxTerms = 32

const searchSort = "search"

// match is a stepsy that a search finds.
type match struct {
	id     int64
	title  int64 // 1: all words stand in its title, else 0
	public bool
}

// anyID is above every id.
const anyID = 1<<63 - 1

// SearchPublic returns what everyone may read and holds, for each word of the
// query, a word that begins so. Among each 100 of the newest matches those come
// first whose title holds all words. Where title and description do not hold all
// words the steps are there, up to the first that does, unless they are too long to
// look through. A page may be empty and not the last one, where thousands of drafts
// match.
func (s *Store) SearchPublic(ctx context.Context, query string, p Page) (Paged[stepsies.Stepsy], error) {
	var out Paged[stepsies.Stepsy]
	from, err := parseCursor(p.Cursor, searchSort)
	if err != nil {
		return out, err
	}
	words := stepsies.SearchWords(query)
	if len(words) == 0 {
		return out, nil // nothing but punctuation: no stepsy holds it
	}
	if from == nil {
		from = &cursor{Sort: searchSort, Before: anyID, ID: anyID, Num: 1}
	}
	expression, err := s.searchExpression(ctx, words)
	if err != nil || expression == "" {
		return out, wrap(err, "search what is published")
	}
	for range maxBatches {
		batch, oldest, err := s.searchMatches(ctx, expression, words, from.Before)
		if err != nil {
			return out, wrap(err, "search what is published")
		}
		batch = slices.DeleteFunc(batch, func(m match) bool {
			return !m.public || m.title > from.Num || m.title == from.Num && m.id >= from.ID
		})
		slices.SortFunc(batch, func(a, b match) int { return cmp.Or(cmp.Compare(b.title, a.title), cmp.Compare(b.id, a.id)) })
		next := &cursor{Sort: searchSort, Before: oldest, ID: anyID, Num: 1}
		if len(batch) > p.Limit {
			last := batch[p.Limit-1]
			batch, next = batch[:p.Limit], &cursor{Sort: searchSort, Before: from.Before, ID: last.id, Num: last.title}
		} else if oldest == 0 {
			next = nil
		}
		out.Next = ""
		if next != nil {
			out.Next = next.String()
		}
		if len(batch) > 0 || next == nil {
			out.Items, err = s.searched(ctx, batch, words)
			return out, wrap(err, "read what a search found")
		}
		from = next
	}
	return out, nil
}

// searchMatches returns the newest matches before an id, and the oldest id among
// them where there may be more.
func (s *Store) searchMatches(ctx context.Context, expression string, words []string, before int64) (found []match, oldest int64, err error) {
	gather, err := s.gathers(ctx, expression)
	if err != nil {
		return nil, 0, err
	}
	query, args := s.searchMatchesQuery(expression, before, gather)
	oldest = anyID
	err = s.read.each(ctx, query, args, func(scan func(...any) error) error {
		var m match
		var title string
		var public int64
		err := scan(&m.id, &title, &public)
		if stepsies.HasWords(title, words) {
			m.title = 1
		}
		m.public = public == 1
		found, oldest = append(found, m), min(oldest, m.id)
		return err
	})
	if len(found) < searchBatch {
		oldest = 0
	}
	return found, oldest, err
}

// searchMatchesQuery finds the newest matches by walking through the stepsies from
// the newest on, or by gathering all and putting them in order. SQLite takes the
// tables of a cross join in the order in which they stand.
func (s *Store) searchMatchesQuery(expression string, before int64, gather bool) (string, []any) {
	order := "rowid"
	if gather {
		order = "rowid + 0" // which no index is ordered by
	}
	return `select s.id, s.title_key, case when ` + isPublic + ` then 1 else 0 end
		from (select rowid as id from stepsy_search where ` + fmt.Sprintf(s.engine.searchMatch, 1) + ` and rowid < $2
			order by ` + order + ` desc limit $3) as found
		cross join stepsies s cross join users u where s.id = found.id and u.id = s.user_id`, append(s.engine.fresh, expression, before, searchBatch)
}

// gathers says which way looks at fewer stepsies. PostgreSQL knows well how often
// frequent words stand, but takes it for cheap to look into the words of a stepsy,
// which are long: left alone it walks where gathering takes a tenth of the time.
func (s *Store) gathers(ctx context.Context, expression string) (bool, error) {
	if s.engine.explain == "" {
		return false, nil
	}
	var text []byte
	query := s.engine.explain + `select 1 from stepsy_search where ` + fmt.Sprintf(s.engine.searchMatch, 1) + ` union all select 1 from stepsy_search`
	if err := s.read.one(ctx, query, append(s.engine.fresh, expression), &text); err != nil {
		return false, err
	}
	type plan struct {
		Rows  float64 `json:"Plan Rows"`
		Parts []plan  `json:"Plans"`
	}
	var plans []struct{ Plan plan }
	if err := json.Unmarshal(text, &plans); err != nil || len(plans) != 1 || len(plans[0].Plan.Parts) != 2 {
		return false, fmt.Errorf("read how PostgreSQL would search: it says %.200s", text)
	}
	matches, all := plans[0].Plan.Parts[0].Rows, plans[0].Plan.Parts[1].Rows
	return matches*matches <= searchBatch*all, nil
}

// searchExpression is what the index is asked for the words, "" where one of them
// begins no word in it.
func (s *Store) searchExpression(ctx context.Context, words []string) (string, error) {
	if s.engine.searchTerms == "" {
		return s.engine.searchQuery(words), nil
	}
	all := make([]string, len(words))
	for i, word := range words {
		var terms []string
		err := s.read.few(ctx, s.engine.searchTerms, []any{word, maxTerms + 1}, func(scan func(...any) error) error {
			var term string
			err := scan(&term)
			terms = append(terms, `"`+term+`"`)
			return err
		})
		switch {
		case err != nil:
			return "", err
		case len(terms) == 0:
			return "", nil
		case len(terms) > maxTerms:
			all[i] = s.engine.searchQuery([]string{word})
		default:
			all[i] = "(" + strings.Join(terms, " OR ") + ")"
		}
	}
	return strings.Join(all, " AND "), nil
}

// searched reads what was found, in the order given.
func (s *Store) searched(ctx context.Context, found []match, words []string) ([]stepsies.Stepsy, error) {
	if len(found) == 0 {
		return nil, nil
	}
	ids := make([]int64, len(found))
	for i, m := range found {
		ids[i] = m.id
	}
	heads := map[int64]stepsies.Stepsy{}
	var inside []int64 // those whose steps hold what is looked for
	err := s.read.few(ctx, `select `+headColumns+stepsyTables+` where s.id in (`+holes(len(ids))+`) and `+isPublic, anys(ids), func(scan func(...any) error) error {
		head, err := scanStepsy(scan, false)
		heads[head.ID] = head
		if !stepsies.HasWords(head.Title+"\n"+head.Description, words) {
			inside = append(inside, head.ID)
		}
		return err
	})
	if err == nil {
		err = s.readSteps(ctx, heads, inside, maxSearchedSteps, func(text []byte) ([]stepsies.Step, error) {
			return decodeStepsUntil(text, func(step stepsies.Step) bool {
				return stepsies.HasWords(step.Title+"\n"+step.Content.Text(), words)
			})
		})
	}
	var list []stepsies.Stepsy
	for _, id := range ids {
		if head, ok := heads[id]; ok { // or it was taken back this moment
			list = append(list, head)
		}
	}
	return list, err
}

// holes are the placeholders of n arguments from the first on.
func holes(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("$%d", i+1)
	}
	return strings.Join(all, ", ")
}

func anys(ids []int64) []any {
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = id
	}
	return list
}
