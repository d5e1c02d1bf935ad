// Package keys is the tab Developer: the API keys of one user.
package keys

import (
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// Pages are those of the tab.
type Pages struct {
	*page.Site
	Store   *store.Store
	Limiter page.Limiter // nil: limits are off
}
