// Package examples holds the sample stepsies that the demo shows and the
// documentation quotes.
package examples

import "embed"

// Stepsies holds, in the folder stepsies, one Markdown file for each sample and
// authors.yaml, which says who wrote which and how readers took it.
//
//go:embed stepsies
var Stepsies embed.FS
