// Package writing is where authors make their stepsies: the list, the editor, the trash,
// and what readers did with each.
package writing

import (
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// Pages are those of the tab Stepsies, and the draft that a preview link shows.
type Pages struct {
	*page.Site
	Store *store.Store
}
