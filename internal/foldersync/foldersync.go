// Package foldersync keeps a folder of stepsy files and a server in step: push
// writes to the server what changed in the files, pull writes to the files what
// changed on the server, and neither overwrites what it has not seen.
//
// Both compare three texts: that of the file, that of the server, and the one on
// which both agreed last (see state). Where there is no record of the last one, as
// in a fresh clone, the git history of the file stands in: a server's text that
// the file once had is one that its author has seen.
package foldersync

import (
	"context"
	"fmt"
	"iter"

	"github.com/stepsies/stepsies/client"
)

// Action is what is to be done, or why nothing can be done, about one file or
// stepsy.
type Action string

// The actions of push and pull.
const (
	Create    Action = "create"    // push: it is not on the server; pull: there is no file
	Update    Action = "update"    // the other side is older
	Publish   Action = "publish"   // push: only the status differs
	Unpublish Action = "unpublish" // push: only the status differs
	Unchanged Action = "unchanged"

	Newer    Action = "newer"    // push: the server has a newer version, and the file is as it was
	Changed  Action = "changed"  // pull: the file has changes that were not pushed, and the server is as it was
	Conflict Action = "conflict" // both have changed, or nobody knows who has
	Gone     Action = "gone"     // it was deleted on the server
	Invalid  Action = "invalid"  // the file cannot be pushed, or the stepsy cannot be kept in a file
)

// Item is one file, stepsy, or both, and what is to be done about it.
type Item struct {
	Path   string   `json:"path"` // of the file, as the paths given to Open are
	ID     int64    `json:"id,omitzero"`
	Slug   string   `json:"slug,omitzero"`
	Title  string   `json:"title,omitzero"`
	Action Action   `json:"action"`
	Then   Action   `json:"then,omitzero"`   // push: Publish or Unpublish, beside Update
	Fields []string `json:"fields,omitzero"` // push: what differs
	Note   string   `json:"note,omitzero"`   // why, and what to do about it
	Forced bool     `json:"forced,omitzero"` // done in spite of Newer, Changed, Conflict or Gone
	Done   bool     `json:"done"`
	URL    string   `json:"url,omitzero"` // push: of the public page, once it was written

	name    string         // of the file, from the root; "" where there is none yet
	local   *document      // nil without a file that can be read
	server  *client.Stepsy // nil where the server has none
	current *document      // of the server; nil where it has none
}

// Changes reports whether carrying out the item writes something.
func (i *Item) Changes() bool {
	switch i.Action {
	case Create, Update, Publish, Unpublish:
		return true
	}
	return false
}

// Refused reports whether the item needs somebody to look at it. Newer alone does
// not: the file has nothing to push.
func (i *Item) Refused() bool {
	switch i.Action {
	case Conflict, Gone, Invalid:
		return true
	}
	return false
}

// Options say how to plan.
type Options struct {
	Force bool // do in spite of everything but Invalid
}

// force turns what is refused into the action, where the options say so.
func (o Options) force(i *Item, action Action) {
	if o.Force {
		i.Action, i.Forced, i.Note = action, true, ""
	}
}

// Plan is what push or pull will do.
type Plan struct {
	Items     []*Item
	Skipped   []string // files without front matter, which are no stepsies
	Elsewhere int      // push: stepsies of the server without a file; pull: files without a stepsy

	folder *Folder
	server *server
}

// Count returns how many items have the action.
func (p *Plan) Count(a Action) int {
	n := 0
	for _, i := range p.Items {
		if i.Action == a {
			n++
		}
	}
	return n
}

// Changes returns the items that write something.
func (p *Plan) Changes() []*Item {
	var items []*Item
	for _, i := range p.Items {
		if i.Changes() {
			items = append(items, i)
		}
	}
	return items
}

// server is what is read of a server.
type server struct {
	*client.Client
	username string
	stepsies []*client.Stepsy
	byID     map[int64]*client.Stepsy
	bySlug   map[string]*client.Stepsy
}

// maxStepsies bounds how many stepsies of one author are read.
const maxStepsies = 100_000

// fewFiles is up to how many files their stepsies are read one by one.
const fewFiles = 10

// wholePage is how many stepsies are asked for at once when their steps come along:
// with all of them as large as they may be, the answer stays below the SDK's bound.
const wholePage = 25

// read lists the stepsies of the key's user, with their steps if whole.
func read(ctx context.Context, c *client.Client, whole bool) (*server, error) {
	me, err := c.Me(ctx)
	if err != nil {
		return nil, err
	}
	s := &server{Client: c, username: me.Username, byID: map[int64]*client.Stepsy{}, bySlug: map[string]*client.Stepsy{}}
	query := client.StepsyQuery{Sort: client.SortOldest}
	if whole {
		query.IncludeSteps, query.Limit = true, wholePage
	}
	for one, err := range bounded(c.AllStepsies(ctx, query), maxStepsies) {
		if err != nil {
			return nil, err
		}
		s.stepsies = append(s.stepsies, &one)
		s.byID[one.ID], s.bySlug[one.Slug] = &one, &one
	}
	return s, nil
}

// bounded ends a sequence that goes on for too long with an error.
func bounded(seq iter.Seq2[client.Stepsy, error], most int) iter.Seq2[client.Stepsy, error] {
	return func(yield func(client.Stepsy, error) bool) {
		n := 0
		for v, err := range seq {
			if n++; n > most {
				yield(client.Stepsy{}, fmt.Errorf("the server has more than %d stepsies of yours; name the files to push or pull", most))
				return
			}
			if !yield(v, err) {
				return
			}
		}
	}
}

// document returns what the server has of a stepsy, reading its steps where the
// list did not bring them.
func (s *server) document(ctx context.Context, one *client.Stepsy) (*document, error) {
	if one.Steps == nil && one.StepsCount > 0 {
		whole, err := s.GetStepsy(ctx, one.ID)
		if err != nil {
			return nil, err
		}
		*one = *whole
	}
	return ofServer(one), nil
}
