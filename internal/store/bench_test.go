package store

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stepsies/stepsies"
)

// onEngines runs a benchmark on a database of each engine.
func onEngines(b *testing.B, bench func(b *testing.B, f *fixture)) {
	b.Run("engine=sqlite", func(b *testing.B) { bench(b, sqliteFixture(b)) })
	b.Run("engine=postgres", func(b *testing.B) { bench(b, postgresFixture(b)) })
}

// atOnce shares the iterations of a benchmark between callers.
func atOnce(b *testing.B, callers int, call func(i int) error) {
	b.Helper()
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := c; i < b.N; i += callers {
				if err := call(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// BenchmarkLookUp looks up one of a hundred keys among 20,000. With SQLite what is
// remembered answers; fresh is the query itself.
func BenchmarkLookUp(b *testing.B) {
	onEngines(b, func(b *testing.B, f *fixture) {
		u := f.member(b, "sarah")
		f.raw(b, `insert into api_keys (user_id, name, description, scopes, hint, hash, created_at, revoked_reason, leak_source) `+numbers(20_000)+
			`select cast($1 as bigint), 'a name', '', 'read write', 'sk_0123…4567', `+
			f.pick(`cast('a hash of thirty two bytes ' || cast(i as text) as blob)`, `cast('a hash of thirty two bytes ' || cast(i as text) as bytea)`)+
			`, 0, '', '' from numbers`, u.ID)
		var hashes []stepsies.KeyHash
		for range 100 {
			_, secret := f.key(b, u, "read")
			hashes = append(hashes, secret.Hash())
		}
		f.analyze(b)
		for name, look := range map[string]func(hash stepsies.KeyHash) ([]Bearer, error){
			"whole": func(hash stepsies.KeyHash) ([]Bearer, error) {
				return f.LookUpKeys(b.Context(), []stepsies.KeyHash{hash})
			},
			"fresh": func(hash stepsies.KeyHash) ([]Bearer, error) {
				return f.lookUpKeys(b.Context(), []stepsies.KeyHash{hash}, nil)
			},
		} {
			for _, callers := range []int{1, 16} {
				b.Run(fmt.Sprintf("%s/callers=%d", name, callers), func(b *testing.B) {
					atOnce(b, callers, func(i int) error {
						found, err := look(hashes[i%len(hashes)])
						if err == nil && len(found) != 1 {
							err = fmt.Errorf("%d keys are found", len(found))
						}
						return err
					})
				})
			}
		}
	})
}

// BenchmarkStepsies reads one stepsy and lists of 20 among a thousand and among a
// hundred thousand of one author: neither may cost more for the others. Another
// author has twenty of the same words, and searches them.
func BenchmarkStepsies(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint("stepsies=", n), func(b *testing.B) {
			onEngines(b, func(b *testing.B, f *fixture) {
				u := f.member(b, "sarah")
				f.seed(b, u, n, n/3, `'Stepsy number ' || cast(i as text)`, `'stepsy-number-' || cast(i as text)`)
				first := f.count(b, `select min(id) from stepsies`)
				b.Run("read", func(b *testing.B) {
					atOnce(b, 1, func(i int) error {
						_, err := f.Stepsy(b.Context(), first+int64(i*7919%n), of(u))
						return err
					})
				})
				b.Run("create", func(b *testing.B) {
					atOnce(b, 1, func(i int) error {
						_, err := f.CreateStepsy(b.Context(), by(u), "sarah", stepsies.StepsyChange{Title: ptr("Stepsy"), Slug: ptr(fmt.Sprintf("created-%d-%d", b.N, i))})
						return err
					})
				})
				few := f.member(b, "few")
				for i := range 20 {
					f.stepsy(b, few, fmt.Sprint("Stepsy number ", i))
				}
				b.Run("search=few", func(b *testing.B) {
					atOnce(b, 1, func(int) error {
						list, err := f.ListStepsies(b.Context(), StepsyFilter{Author: "few", Access: of(few), Query: "stepsy number 1", Page: Page{Limit: 20}})
						if err == nil && len(list.Items) == 0 {
							err = fmt.Errorf("nothing is found")
						}
						return err
					})
				})
				for name, filter := range map[string]StepsyFilter{
					"list": {}, "list=title": {Sort: "title"}, "list=published": {Sort: "-published_at"}, "list=category": {Category: "marketing"}, "search": {Query: "number 77"},
				} {
					filter.Author, filter.Access, filter.Page.Limit = "sarah", of(u), 20
					deep := filter
					deep.Page.Cursor = f.middle(b, filter, first+int64(n/2))
					for place, filter := range map[string]StepsyFilter{"first": filter, "deep": deep} {
						b.Run(name+"/page="+place, func(b *testing.B) {
							atOnce(b, 1, func(int) error {
								list, err := f.ListStepsies(b.Context(), filter)
								if err == nil && len(list.Items) == 0 {
									err = fmt.Errorf("the list is empty")
								}
								return err
							})
						})
					}
				}
			})
		})
	}
}

// middle is the cursor behind a stepsy.
func (f *fixture) middle(b *testing.B, filter StepsyFilter, id int64) string {
	b.Helper()
	s, err := f.Stepsy(b.Context(), id, everyone)
	if err != nil {
		b.Fatal(err)
	}
	if filter.Sort == "" {
		filter.Sort = StepsySorts[0]
	}
	return cursorAt(s, filter.Sort)
}
