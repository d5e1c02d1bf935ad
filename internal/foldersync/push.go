package foldersync

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/stepsies/stepsies/client"
)

// Push carries the plan out, and calls did after each item that writes. It stops at
// the first failure that is not one of a single file; what is done by then stays
// done, and a new plan goes on from there. Items that the server refused become
// Conflict or Invalid.
func (p *Plan) Push(ctx context.Context, did func(*Item)) error {
	known := p.folder.state.of(p.server)
	for _, i := range p.Items {
		if i.Action == Unchanged && i.current != nil {
			remember(known, i.name, &entry{ID: i.ID, Local: i.local.sum, Server: i.current.sum})
		}
		if !i.Changes() {
			continue
		}
		e := *base(known, i.name, i.ID)
		e.ID, e.Pushing = i.ID, i.onTheWay()
		remember(known, i.name, &e)
	}
	if err := p.folder.state.save(); err != nil {
		return err
	}
	for _, i := range p.Changes() {
		err := p.pushOne(ctx, i)
		if i.Done {
			remember(known, i.name, &entry{ID: i.ID, Local: i.local.sum, Server: i.current.sum})
		}
		if err == nil || refusedAlone(i, err) {
			if saveErr := p.folder.state.save(); saveErr != nil {
				return saveErr
			}
			did(i)
			continue
		}
		return errors.Join(fmt.Errorf("push %s: %w", i.Path, err), p.folder.state.save())
	}
	return nil
}

// onTheWay returns the sums of all texts that the server may have while the item is
// carried out, which takes two calls where the status changes too.
func (i *Item) onTheWay() []string {
	sums := []string{i.local.sum}
	switch i.Then {
	case Unpublish: // first
		f := i.current.File
		f.Status = i.local.Status
		sums = append(sums, newDocument(f).sum)
	case Publish: // last
		f := i.local.File
		f.Status = i.current.Status
		sums = append(sums, newDocument(f).sum)
	}
	return sums
}

// errOverwritten means that somebody else wrote since the plan was made.
var errOverwritten = errors.New("the server's version has changed since the plan was made; push again")

// refusedAlone reports whether a failure concerns this item alone, and notes it.
func refusedAlone(i *Item, err error) bool {
	failed, _ := errors.AsType[*client.Error](err)
	switch {
	case errors.Is(err, errOverwritten):
		i.Action, i.Note = Conflict, err.Error()
	case errors.Is(err, client.ErrConflict):
		i.Action, i.Note = Conflict, failed.Message
	case errors.Is(err, client.ErrNotFound):
		i.Action, i.Note = Gone, "it was deleted on the server meanwhile; push again to decide about it"
	case errors.Is(err, client.ErrValidation), errors.Is(err, client.ErrPayloadTooLarge), errors.Is(err, client.ErrBadRequest):
		i.Action, i.Note = Invalid, failed.Message
		if len(failed.Details) > 0 { // they say all of it
			said := make([]string, len(failed.Details))
			for n, d := range failed.Details {
				said[n] = d.Field + " " + d.Message
			}
			i.Note = strings.Join(said, "; ")
		}
	default:
		return false
	}
	i.Then = ""
	return true
}

func (p *Plan) pushOne(ctx context.Context, i *Item) error {
	if i.Action == Create {
		return p.create(ctx, i)
	}
	has, err := p.server.GetStepsy(ctx, i.ID)
	if err != nil {
		return err
	}
	switch now := ofServer(has); now.sum {
	case i.local.sum: // an earlier push got through whose answer was lost
		i.done(has)
		return nil
	case i.current.sum:
	default:
		return errOverwritten
	}
	return p.write(ctx, i, has)
}

// create makes the stepsy. The slug is always given, and unique: a create that got
// through unnoticed is met here as a conflict with itself.
func (p *Plan) create(ctx context.Context, i *Item) error {
	made, err := p.server.CreateStepsy(ctx, newStepsy(i.local))
	if errors.Is(err, client.ErrConflict) {
		s, readErr := read(ctx, p.server.Client, false)
		if readErr != nil {
			return readErr
		}
		other := s.bySlug[i.local.Slug]
		if other == nil {
			return err
		}
		now, readErr := s.document(ctx, other)
		if readErr != nil {
			return readErr
		}
		if now.sum != i.local.sum {
			return err
		}
		made, err = other, nil
	}
	if err != nil {
		return err
	}
	i.done(made)
	return nil
}

// write changes the stepsy in up to two calls, and makes sure that nothing that
// others write in between is overwritten.
func (p *Plan) write(ctx context.Context, i *Item, has *client.Stepsy) (err error) {
	was, then := has.Status, client.Status(i.local.Status)
	if was == client.StatusPublished && then == client.StatusDraft {
		moved, err := p.server.UnpublishStepsy(ctx, i.ID)
		if err != nil {
			return err
		}
		if has = withStatus(has, then); ofServer(moved).sum != ofServer(has).sum {
			return errOverwritten
		}
		has = moved
	}
	if c, any := change(has, i.local); any {
		if has, err = p.server.UpdateStepsy(ctx, i.ID, c, client.IfMatch(has.ETag)); err != nil {
			return p.settle(ctx, i, err)
		}
	}
	if was == client.StatusDraft && then == client.StatusPublished {
		moved, err := p.server.PublishStepsy(ctx, i.ID)
		if err != nil {
			return err
		}
		// What others wrote just before is public now, as they would have it, but this
		// folder has not seen it: the text that it knows is remembered.
		has = withStatus(has, then)
		has.URL = moved.URL
	}
	i.done(has)
	return nil
}

func withStatus(s *client.Stepsy, status client.Status) *client.Stepsy {
	moved := *s
	moved.Status = status
	return &moved
}

// settle looks again after a write that was refused for its version: it may be our
// own, whose answer was lost.
func (p *Plan) settle(ctx context.Context, i *Item, err error) error {
	if !errors.Is(err, client.ErrPreconditionFailed) {
		return err
	}
	has, err := p.server.GetStepsy(ctx, i.ID)
	if err != nil {
		return err
	}
	if ofServer(has).sum != i.local.sum {
		return errOverwritten
	}
	i.done(has)
	return nil
}

// done notes what the server has now.
func (i *Item) done(has *client.Stepsy) {
	i.Done, i.ID, i.Slug, i.server, i.current = true, has.ID, has.Slug, has, ofServer(has)
	if has.Status == client.StatusPublished {
		i.URL = has.URL
	}
}
