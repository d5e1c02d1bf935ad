// Package stepsyfile keeps stepsies as files that people write and version: one
// Markdown file for each, with front matter in YAML and a heading for each step.
//
//	---
//	title: Email Welcome Sequence Blueprint
//	category: marketing
//	status: draft
//	featured: false
//	---
//
//	## Define Your Sequence Goal
//
//	Before writing a single email...
//
// A heading of the second level that is written with ## begins a step, unless it
// stands in code, HTML, a quote or a list. Its text is the step's title to the
// letter. Headings of the first and second level within a step are written as
// HTML (<h2>…</h2>); those of the third and below are written with ###.
//
// Ids of steps are not kept in files. Of what people write in files, comments and
// the alignment of table columns are not kept by stepsies.
package stepsyfile

// MaxSize is the size that a file may have, in bytes.
const MaxSize = 2 << 20

// File is a stepsy as it stands in a file. Fields other than the title may be
// empty, which leaves them to the server.
type File struct {
	Title       string
	Slug        string
	Description string
	Category    string
	Status      string // draft, published or empty
	Featured    bool
	Steps       []Step
}

// Step is one step of a file: a title of one line, and sanitised HTML.
type Step struct {
	Title string
	HTML  string
}
