package api

import "strings"

// Sayings are all that huma finds, in the words that it is given.
func Sayings() (all []string) {
	for _, s := range sayings {
		all = append(all, strings.NewReplacer("%s", "", "%v", "", "%d", "").Replace(s.words))
	}
	return all
}
