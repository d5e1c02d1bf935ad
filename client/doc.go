// Package client is the Go SDK of Stepsies: every operation of the API under
// /v1, with typed answers and errors, paging, conditional requests and retries
// that repeat only what is safe to repeat.
//
//	c, err := client.New() // STEPSIES_API_KEY, and STEPSIES_URL where set
//	if err != nil {
//		return err
//	}
//	stepsy, err := c.CreateStepsy(ctx, client.NewStepsy{
//		Title: "Brew a cup of tea",
//		Steps: []client.StepInput{{Title: "Boil water", Content: "<p>Fresh water.</p>"}},
//	})
//
// Failures that the server reports are of type [*Error] and are told apart by
// their code: errors.Is(err, client.ErrNotFound). [Error.Advice] says what to do
// about a key that has ended, a scope that is missing and a limit that is reached.
//
// Every write carries an Idempotency-Key, which stays the same when the request
// is repeated: whatever breaks on the way, it is carried out once. Network
// failures and the statuses 429, 502, 503 and 504 are retried with jittered
// exponential backoff, honouring Retry-After; see [WithRetries] and
// [WithMaxWait].
//
// API keys are of type [Secret], which no way of printing reveals. The package
// stands on the standard library alone and ignores fields that it does not
// know, so that it works with newer servers.
package client
