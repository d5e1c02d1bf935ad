// Package overview looks back: what happened lately to what is one's own, and the record
// of who did what.
package overview

import (
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/keys"
	"github.com/stepsies/stepsies/internal/web/page"
)

// Pages are the tabs Overview and Activity.
type Pages struct {
	*page.Site
	Store *store.Store
	Keys  *keys.Pages // which know how much of the plan is used
}
