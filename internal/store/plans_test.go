package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/stepsies/stepsies"
)

// plans asserts how the engines find what hot paths ask for: a suite that compares
// results alone cannot see what they cost.
var plans = []guarantee{
	{"HotPathsUseTheirIndexes", testPlans},
}

// hotPath is a statement with the index that has to carry it.
type hotPath struct {
	name, table, alias string
	query              string
	args               []any
	index              string
	post               string // the index in PostgreSQL, where it has another name there
	fresh              bool   // planned for its values each time
	sorts              bool   // puts the few that it finds in order
}

func testPlans(t *testing.T, f *fixture) {
	u, other := f.member(t, "sarah"), f.member(t, "mike")
	for _, author := range []stepsies.User{u, other} {
		f.seed(t, author, 4000, 700, `'Stepsy number ' || cast(i as text)`, `'stepsy-number-' || cast(i as text)`)
	}
	const many = 20_000
	f.raw(t, `insert into users (account_id, username, email, email_key, display_name, name_key, bio, role, time_zone, created_at, updated_at) `+numbers(many/5)+
		`select cast($1 as bigint), 'user' || cast(i as text), '', 'mail' || cast(i as text), '', '', '', 'member', '', 0, 0 from numbers`, u.Account.ID)
	// Users have five keys and five rows of activity, and sarah has every hundredth.
	f.raw(t, `insert into api_keys (user_id, name, description, scopes, hint, hash, created_at, revoked_reason, leak_source) `+numbers(many)+
		`select $1 + (case when i % 100 = 0 then 0 else i % $2 end), 'a name', '', 'read write', 'sk_0123…4567', `+
		f.pick(`cast('a hash of thirty two bytes ' || cast(i as text) as blob)`, `cast('a hash of thirty two bytes ' || cast(i as text) as bytea)`)+
		`, 0, '', '' from numbers`, u.ID, many/5)
	f.raw(t, `insert into activity (at, actor_kind, actor_user_id, actor_name, key_id, key_name, ip, action, owner_id, target, target_id, target_name, detail) `+numbers(many)+
		`select 0, 'key', 0, 'someone', 0, 'a key', '192.0.2.1', 'api_key.update', $1 + (case when i % 100 = 0 then 0 else i % $2 end), 'api_key', i, 'a name', '' from numbers`, u.ID, many/5)
	f.raw(t, `insert into slug_history (user_id, slug, stepsy_id, created_at) `+numbers(many/5)+`select cast($1 as bigint), cast(i as text), i, 0 from numbers`, u.ID)
	f.raw(t, `insert into preview_links (stepsy_id, token_hash, created_at) `+numbers(many/5)+
		`select i, `+f.pick(`cast('a token of ' || cast(i as text) as blob)`, `cast('a token of ' || cast(i as text) as bytea)`)+`, 0 from numbers`)
	f.raw(t, `update stepsies set deleted_at = id where id % 20 = 0`)
	f.raw(t, `insert into key_usage (key_id, last_used_ip, refused_count) select id, '', 0 from api_keys`)
	f.raw(t, `insert into stepsy_counts (stepsy_id, views, completions, ratings, stars, rated, lately)
		select id, 0, 9, 4, 16, 3 + (id % 200) / 100.0, 2900 + id % 50 from stepsies`)
	f.analyze(t)
	for _, p := range f.hotPaths(t, u) {
		for mode, plan := range f.explain(t, p) {
			f.judge(t, p, mode, plan)
		}
	}
}

func (f *fixture) hotPaths(t *testing.T, u stepsies.User) []hotPath {
	t.Helper()
	var paths []hotPath
	for _, size := range lookupSizes {
		p := hotPath{name: fmt.Sprint("look up ", size), table: "api_keys", alias: "k", query: lookupQueries[size], index: "api_keys_hash"}
		for i := range size {
			p.args = append(p.args, []byte(fmt.Sprint("a hash of thirty two bytes ", i)))
		}
		paths = append(paths, p)
	}
	for sort, index := range map[string]string{
		"-created_at": "stepsies_created", "created_at": "stepsies_created", "-updated_at": "stepsies_updated",
		"-published_at": "stepsies_published", "title": "stepsies_title",
	} {
		for who, access := range map[string]stepsies.Access{"own": of(u), "another's": {}} {
			filter := StepsyFilter{Author: "sarah", Access: access, Sort: sort, Page: Page{Limit: 20}}
			list, err := f.ListStepsies(t.Context(), filter)
			if err != nil || len(list.Items) != 20 {
				t.Fatal(err, len(list.Items))
			}
			for page, cursor := range map[string]string{"first": "", "next": list.Next} {
				filter.Page.Cursor = cursor
				q, err := f.stepsyConditions(t.Context(), filter)
				if err != nil {
					t.Fatal(err)
				}
				p := hotPath{name: strings.Join([]string{"list", who, sort, page}, " "), table: "stepsies", alias: "s", index: index}
				if p.query, p.args, err = filter.query(q); err != nil {
					t.Fatal(err)
				}
				paths = append(paths, p)
			}
		}
	}
	byID := func(name, table, alias, query, column, index string, q *conditions) {
		text, err := Page{Limit: 20, Cursor: cursor{Sort: newestFirst(column), ID: 1_000_000}.String()}.byID(q, query, column)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, hotPath{name: name, table: table, alias: alias, query: text, args: q.args, index: index})
	}
	byID("activity of an owner", "activity", "activity", activityRows, "id", "activity_owner", ActivityFilter{Access: of(u)}.conditions())
	byID("activity of a key", "activity", "activity", activityRows, "id", "activity_target", ActivityFilter{Access: everyone, Target: "api_key", TargetID: 8}.conditions())
	var ofUser conditions
	ofUser.where("k.user_id = $%d", u.ID)
	byID("keys of a user", "api_keys", "k", `select `+keyColumns+keyTables, "k.id", "api_keys_user", &ofUser)
	taken, args := takenSlugsQuery(stepsies.Stepsy{UserID: u.ID}, []string{"stepsy-number-1", "stepsy-number-1-2", "stepsy-number-1-3"})
	paths = append(paths, f.publicPaths(t, u)...)
	return append(paths,
		hotPath{name: "stepsy by id", table: "stepsies", alias: "s", query: stepsyByID, args: []any{17}, index: "INTEGER PRIMARY KEY", post: "stepsies_pkey"},
		hotPath{name: "slug", table: "stepsies", alias: "stepsies", query: presentSlug, args: []any{u.ID, "stepsy-number-7"}, index: "stepsies_slug"},
		hotPath{name: "earlier slug", table: "slug_history", alias: "slug_history", query: earlierSlug, args: []any{u.ID, "7"}, index: "sqlite_autoindex_slug_history_1", post: "slug_history_pkey"},
		hotPath{name: "preview link", table: "preview_links", alias: "l", query: stepsyByPreviewLink, args: []any{[]byte("a token of 7")}, index: "preview_links_token"},
		hotPath{name: "free slug", table: "stepsies", alias: "stepsies", query: taken, args: args, index: "stepsies_slug"},
		hotPath{name: "free slug among earlier ones", table: "slug_history", alias: "h", query: taken, args: args, index: "sqlite_autoindex_slug_history_1", post: "slug_history_pkey"},
		hotPath{name: "trash", table: "stepsies", alias: "stepsies", query: oldTrash, args: []any{100, 20}, index: "stepsies_deleted"},
		hotPath{name: "user by name", table: "users", alias: "u", query: `select ` + userColumns + userTables + ` where u.username = $1`, args: []any{"user7"}, index: "users_username"},
		hotPath{name: "user by login", table: "users", alias: "u", query: `select ` + userColumns + userTables + ` where (u.username = $1 or u.email_key = $1)`, args: []any{"user7"}, index: "users_email_key"},
	)
}

// publicPaths are what everyone reads: lists and searches of what is published.
func (f *fixture) publicPaths(t *testing.T, u stepsies.User) []hotPath {
	t.Helper()
	var paths []hotPath
	list := func(name string, by publicOrder, conditions func() *conditions, table, alias, index string) {
		t.Helper()
		for page, c := range map[string]string{"first": "", "next": cursor{Sort: by.name, Num: epoch.UnixMilli(), Real: 4, ID: 1 << 40}.String()} {
			q := conditions()
			query, err := by.query(q, Page{Limit: 20, Cursor: c})
			if err != nil {
				t.Fatal(err)
			}
			paths = append(paths, hotPath{name: "public " + name + " " + page, table: table, alias: alias, query: query, args: q.args, index: index})
		}
	}
	for order, index := range map[PublicOrder]string{Newest: "stepsies_public", BestRated: "stepsy_counts_rated", CompletedLately: "stepsy_counts_lately"} {
		table := map[bool][2]string{true: {"stepsies", "s without its index"}, false: {"stepsy_counts", "c"}}[order == Newest]
		by := publicOrders[order]
		list(string(order), by, func() *conditions { return by.conditions() }, table[0], table[1], index)
	}
	by, _ := inCategory("marketing")
	list("category", by, func() *conditions { _, q := inCategory("marketing"); return q }, "stepsies", "s", "stepsies_public_category")
	for _, part := range authorParts {
		list(part.by.name, part.by, func() *conditions { return ofAuthor(u.ID, part.featured) }, "stepsies", "s", "stepsies_author")
	}
	list("newest of an author", newestOfAuthor, func() *conditions { return ofAuthorAny(u.ID) }, "stepsies", "s", "stepsies_published")
	paths = append(paths, hotPath{name: "sitemap", table: "stepsies", alias: "s", query: sitemapPart, args: []any{0, 10_000}, index: "INTEGER PRIMARY KEY", post: "stepsies_pkey", sorts: true})
	var names []any
	for _, name := range stepsies.Categories {
		names = append(names, name)
	}
	paths = append(paths, hotPath{name: "categories", table: "stepsies", alias: "s", query: publicCategories, args: names, index: "stepsies_public_category"})
	for name, words := range map[string][]string{"common": {"stepsy", "number"}, "rare": {"3999"}} {
		expression, err := f.searchExpression(t.Context(), words)
		if err != nil {
			t.Fatal(err)
		}
		gather, err := f.gathers(t.Context(), expression)
		if err != nil {
			t.Fatal(err)
		}
		query, args := f.searchMatchesQuery(expression, 1<<40, gather)
		paths = append(paths, hotPath{
			name: "search " + name, table: f.pick("stepsies", "stepsy_search"), alias: "found in order", query: query, args: args,
			index: "VIRTUAL TABLE INDEX", post: map[bool]string{true: "stepsy_search_words", false: "stepsy_search_pkey"}[gather], fresh: true, sorts: gather,
		})
	}
	return paths
}

// explain returns the plans that an engine may choose, by name.
func (f *fixture) explain(t *testing.T, p hotPath) map[string]string {
	t.Helper()
	if f.engine == "sqlite" {
		var lines []string
		err := f.read.each(t.Context(), `explain query plan `+p.query, p.args, func(scan func(...any) error) error {
			var id, parent, unused int64
			var detail string
			err := scan(&id, &parent, &unused, &detail)
			lines = append(lines, detail)
			return err
		})
		if err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
		return map[string]string{"sqlite": strings.Join(lines, "\n")}
	}
	found := map[string]string{"custom": f.lines(t, f.write.db, p, `explain `+p.query, p.args...)}
	if f.engine == "postgres" && !p.fresh {
		// After five uses PostgreSQL may keep a plan that knows no values.
		conn, err := f.write.db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for _, statement := range []string{`set plan_cache_mode = force_generic_plan`, `prepare hot as ` + p.query} {
			if _, err := conn.ExecContext(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", p.name, err)
			}
		}
		literals := make([]string, len(p.args))
		for i, arg := range p.args {
			switch v := arg.(type) {
			case string:
				literals[i] = `'` + v + `'`
			case []byte:
				literals[i] = fmt.Sprintf(`'\x%x'`, v)
			default:
				literals[i] = fmt.Sprint(v)
			}
		}
		found["generic"] = f.lines(t, conn, p, `explain execute hot (`+strings.Join(literals, ", ")+`)`)
		for _, statement := range []string{`deallocate hot`, `reset plan_cache_mode`} {
			if _, err := conn.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	return found
}

func (f *fixture) lines(t *testing.T, db interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, p hotPath, query string, args ...any) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	return strings.Join(lines, "\n")
}

// judge wants the index, no walk through the whole table and, where rows are asked
// for in an order, no sort.
func (f *fixture) judge(t *testing.T, p hotPath, mode, plan string) {
	t.Helper()
	index := p.index
	if f.engine != "sqlite" && p.post != "" {
		index = p.post
	}
	forbidden := []string{"Seq Scan on " + p.table, "SCAN " + p.table, "SCAN " + p.alias}
	if strings.Contains(p.query, "order by") && !p.sorts {
		forbidden = append(forbidden, "Sort", "TEMP B-TREE")
	}
	wrong := !strings.Contains(plan, index)
	for _, bad := range forbidden {
		wrong = wrong || strings.Contains(plan, bad)
	}
	if strings.HasPrefix(p.name, "public") && strings.HasSuffix(p.name, "next") {
		wrong = wrong || !strings.Contains(plan, f.pick("<?", "ROW("))
	}
	if strings.HasPrefix(p.name, "list") && strings.HasSuffix(p.name, "next") {
		// A page deep in the list starts at its place instead of walking up to it.
		starts := "AND (ROW("
		if f.engine == "sqlite" {
			starts = "=? AND "
		}
		wrong = wrong || !strings.Contains(plan, starts)
	}
	if wrong {
		t.Errorf("%s, %s plan, wants %s:\n%.3000s", p.name, mode, index, plan)
	}
}
