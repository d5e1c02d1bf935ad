// Package reading is what everyone may read: stepsies, one at a time and in lists, and
// what other sites and programs take of them.
package reading

import (
	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/ratelimit"
	"github.com/stepsies/stepsies/internal/readers"
	"github.com/stepsies/stepsies/internal/store"
	"github.com/stepsies/stepsies/internal/web/page"
)

// Pages are those that everyone may read.
type Pages struct {
	*page.Site
	Store   *store.Store
	Readers *readers.Counter // counts what readers do
	// StepsyJSON writes a stepsy that was read with its steps as the API does.
	StepsyJSON func(stepsies.Stepsy) ([]byte, error)

	reached  *ratelimit.AddressLimiter // of what pages tell about reading
	ratings  *ratelimit.AddressLimiter
	searches *ratelimit.AddressLimiter
	files    *files
	parts    sitemapParts
}

// New returns the pages. The limits of what one address may send are shared by all nodes
// where there is Redis; shared may be nil.
func New(site *page.Site, st *store.Store, shared *ratelimit.Redis, counter *readers.Counter, stepsyJSON func(stepsies.Stepsy) ([]byte, error)) *Pages {
	p := &Pages{Site: site, Store: st, Readers: counter, StepsyJSON: stepsyJSON, searches: newSearchLimit(site.Now), files: newFiles()}
	p.reached, p.ratings = newReadingLimits(shared, site.Now)
	return p
}
