package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/stepsies/stepsies"
)

type leakReport struct {
	Keys   []string         `json:"keys" minItems:"1" maxItems:"100" doc:"1 to 100 keys. Whatever is not a key is ignored." example:"[\"sk_…\"]"`
	Source optional[string] `json:"source_url,omitempty" doc:"Where they were found, for their owners. At most 2,000 characters. User, password and whatever reads as a key are cut out of it." example:"https://example.com/repository/config.js"`
}

type leakedKeysInput struct {
	Body   leakReport
	source string
}

// Resolve checks the source, which an owner will be shown.
func (in *leakedKeysInput) Resolve(huma.Context) []error {
	var err error
	if in.source, err = stepsies.ParseSourceURL(*in.Body.Source.orEmpty()); err != nil {
		return problems(stepsies.Invalid("source_url", "%s", err))
	}
	return nil
}

type leakReceipt struct {
	Received int `json:"received" example:"2" doc:"How many keys were in the report, whichever of them existed."`
}

type leakedKeysAnswer struct {
	Body leakReceipt
}

var reportLeakedKeys = serve((*API).reportLeakedKeys, operation{
	id: "report-leaked-keys", route: "POST /leaked-keys", atRoot: true, open: (*API).admitLeakReport, tag: tagKeys,
	summary:     "Report leaked keys",
	description: "Asks for no key of its own: whoever holds a key can end it. Each reported key that is live is revoked at once, and its owner is told why and where it was found. The answer does not say which of them existed.",
	status:      http.StatusAccepted, answer: "The report is received, and those of the keys that were live are dead.",
	request:  map[string]any{"keys": []string{"sk_not_a_real_key"}, "source_url": "https://example.com/repository/config.js"},
	response: leakReceipt{Received: 1},
})

// admitLeakReport lets a stranger's report in.
func (a *API) admitLeakReport(ctx context.Context, c *call) error {
	err := a.countLeakReport(ctx, c.principal.Actor.IP)
	if err != nil {
		a.observeLeaks("anyone", 0, err)
	}
	return err
}

// countLeakReport bounds what an address reports.
func (a *API) countLeakReport(ctx context.Context, address string) error {
	if a.Leaks == nil {
		return nil
	}
	if v := a.Leaks.Take(ctx, address); !v.Allowed {
		return stepsies.TooManyRequests(v.RetryAfter)
	}
	return nil
}

func (a *API) reportLeakedKeys(ctx context.Context, in *leakedKeysInput) (*leakedKeysAnswer, error) {
	var hashes []stepsies.KeyHash
	for _, text := range in.Body.Keys {
		if secret, ok := stepsies.ParseSecret(text); ok {
			hashes = append(hashes, secret.Hash())
		}
	}
	revoked := 0
	var err error
	if len(hashes) > 0 {
		revoked, err = a.Store.RevokeLeaked(ctx, callOf(ctx).plainWrite(), hashes, in.source)
	}
	if a.observeLeaks("anyone", revoked, err); err != nil {
		return nil, err
	}
	out := &leakedKeysAnswer{}
	out.Body.Received = len(in.Body.Keys)
	return out, nil
}
