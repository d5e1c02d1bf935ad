package web

import (
	"strings"

	"github.com/stepsies/stepsies"
)

// maxQuery bounds what is searched for, in bytes.
const maxQuery = 500

// cleanQuery is what was searched for as it can be shown, and searched for again.
func cleanQuery(query string) string {
	query = strings.ToValidUTF8(query[:min(len(query), maxQuery)], "")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if stepsies.CheckText(string(r), false) != nil {
			return ' '
		}
		return r
	}, query))
}
