package store

import (
	"strconv"
	"testing"

	"github.com/stepsies/stepsies"
)

// BenchmarkWrite makes and changes a stepsy and a key, by a person who is signed in. What
// judging a write again costs is the difference to a program that does not.
func BenchmarkWrite(b *testing.B) {
	onEngines(b, func(b *testing.B, f *fixture) {
		u := f.member(b, "sarah")
		k, _ := f.key(b, u, "read")
		s, err := f.CreateStepsy(b.Context(), by(u), u.Username, stepsies.StepsyChange{Title: ptr("A title")})
		if err != nil {
			b.Fatal(err)
		}
		for name, write := range map[string]func(i int) error{
			"create-stepsy": func(i int) error {
				return second(f.CreateStepsy(b.Context(), by(u), u.Username, stepsies.StepsyChange{Title: ptr(strconv.Itoa(i))}))
			},
			"update-stepsy": func(i int) error {
				return second(f.UpdateStepsy(b.Context(), by(u), s.Value.ID, stepsies.StepsyChange{Title: ptr(strconv.Itoa(i))}))
			},
			"create-key": func(int) error {
				return second(f.CreateAPIKey(b.Context(), by(u), u.Username, stepsies.KeyChange{Name: ptr("n"), Scopes: &[]string{"read"}}, stepsies.NewSecret()))
			},
			"update-key": func(i int) error {
				return second(f.UpdateAPIKey(b.Context(), by(u), k.ID, stepsies.KeyChange{Name: ptr(strconv.Itoa(i))}))
			},
		} {
			b.Run(name, func(b *testing.B) { atOnce(b, 1, write) })
		}
	})
}
