package page

import (
	"strings"

	"github.com/stepsies/stepsies"
)

// MaxQuery bounds what is searched for, in bytes.
const MaxQuery = 500

// CleanQuery is what was searched for as it can be shown, and searched for again.
func CleanQuery(query string) string {
	query = strings.ToValidUTF8(query[:min(len(query), MaxQuery)], "")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if stepsies.CheckText(string(r), false) != nil {
			return ' '
		}
		return r
	}, query))
}
