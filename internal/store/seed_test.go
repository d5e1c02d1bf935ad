package store

import (
	"fmt"
	"testing"

	"github.com/stepsies/stepsies"
)

// numbers is the beginning of a statement that selects from numbers, the integers i
// from 1 to n.
func numbers(n int) string {
	return fmt.Sprintf(`with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < %d) `, n)
}

// seed puts n stepsies of the author into the database at once, past the rules: title
// and slug are SQL over i, the number of the stepsy from 1. Every tenth is a draft,
// and distinct is how many minutes they are spread over, several to a minute.
func (f *fixture) seed(tb testing.TB, author stepsies.User, n, distinct int, title, slug string) {
	tb.Helper()
	// One statement on the writer, without the deadline that a request has.
	f.raw(tb, `insert into stepsies (user_id, slug, title, title_key, description, category, status, published_at, published_key,
			created_at, updated_at, steps, steps_count, next_step_id, version) `+numbers(n)+`
		select cast($1 as bigint), `+slug+`, `+title+`, lower(`+title+`), 'A description of some length, which a list carries along.',
			case when i % 3 = 0 then 'marketing' else 'other' end,
			case when i % 10 = 0 then 'draft' else 'published' end,
			case when i % 10 = 0 then null else at end, case when i % 10 = 0 then at - cast($4 as bigint) else at end,
			at, at, '[{"id":1,"title":"One","content":"<p>First</p>"}]', 1, 2, 1
		from (select i, cast($2 as bigint) + i % cast($3 as bigint) * 60000 as at from numbers) as n`, author.ID, epoch.UnixMilli(), distinct, int64(1)<<60)
	f.raw(tb, `insert into stepsy_search (rowid, words)
		select id, `+f.pick(`title_key || ' ·' || user_id || '·' || replace(title_key, ' ', ' ·' || user_id || '·')`, `array_to_tsvector(array(select distinct word from unnest(string_to_array(title_key, ' ')) as word))`)+`
		from stepsies where user_id = $1`, author.ID)
	f.analyze(tb)
}

// analyze does what PostgreSQL does by itself a moment later. Nothing gathers
// statistics in SQLite.
func (f *fixture) analyze(tb testing.TB) {
	tb.Helper()
	if f.engine != "sqlite" {
		f.raw(tb, `vacuum analyze`)
	}
}
