package store

import (
	"fmt"
	"testing"

	"github.com/stepsies/stepsies"
)

// BenchmarkPublic reads what everyone finds among a thousand and among a hundred
// thousand published stepsies. Lists may not cost more for the others, a search less
// than in proportion: "common" finds all of them, "some" one in a hundred, "rare" one.
func BenchmarkPublic(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint("stepsies=", n), func(b *testing.B) {
			onEngines(b, func(b *testing.B, f *fixture) {
				u := f.member(b, "sarah")
				f.seed(b, u, n, n/3, `'Stepsy about ' || cast(i % 100 as text) || 'th thing number ' || cast(i as text)`, `'stepsy-number-' || cast(i as text)`)
				f.raw(b, `insert into stepsy_counts (stepsy_id, views, completions, ratings, stars, rated, lately)
					select id, 100, 10, 5, 20, 3 + (id % 200) / 100.0, 2900 + id % 50 from stepsies`)
				f.raw(b, `update stepsies set featured_at = 1 where id % 100 = 7`)
				f.analyze(b)
				deep := func(list Paged[stepsies.Stepsy], err error) Page {
					if err != nil || list.Next == "" {
						b.Fatal(err, len(list.Items))
					}
					return Page{Limit: 20, Cursor: list.Next}
				}
				first := Page{Limit: 20}
				lists := map[string]func(Page) (Paged[stepsies.Stepsy], error){
					"category": func(p Page) (Paged[stepsies.Stepsy], error) {
						return f.CategoryStepsies(b.Context(), "marketing", p)
					},
					"author": func(p Page) (Paged[stepsies.Stepsy], error) { return f.AuthorStepsies(b.Context(), u.ID, p) },
				}
				for _, order := range []PublicOrder{Newest, BestRated, CompletedLately} {
					lists[string(order)] = func(p Page) (Paged[stepsies.Stepsy], error) { return f.PublicStepsies(b.Context(), order, p) }
				}
				for name, query := range map[string]string{"common": "stepsy number", "some": "thing 55th", "rare": fmt.Sprint(n - 1), "letter": "n"} {
					lists["search="+name] = func(p Page) (Paged[stepsies.Stepsy], error) { return f.SearchPublic(b.Context(), query, p) }
				}
				for name, list := range lists {
					pages := map[string]Page{"first": first}
					if name != "search=rare" && !(n == 1000 && name == "search=some") {
						pages["next"] = deep(list(first))
					}
					for place, page := range pages {
						b.Run(name+"/page="+place, func(b *testing.B) {
							atOnce(b, 1, func(int) error {
								got, err := list(page)
								if err == nil && len(got.Items) == 0 {
									err = fmt.Errorf("the list is empty")
								}
								return err
							})
						})
					}
				}
				b.Run("categories", func(b *testing.B) {
					atOnce(b, 1, func(int) error {
						names, err := f.PublicCategories(b.Context())
						if err == nil && len(names) != 2 {
							err = fmt.Errorf("there are %d", len(names))
						}
						return err
					})
				})
			})
		})
	}
}
