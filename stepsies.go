// Package stepsies is the domain: stepsies (step-by-step guides) and their
// steps, the users who write them, the API keys that let programs act for those
// users, the scopes that limit the keys and the plans that limit the accounts.
//
// It holds types that cannot be wrong once parsed, and the rules between them.
// It knows nothing of HTML, SQL or HTTP and imports the standard library and
// golang.org/x/text only.
package stepsies
