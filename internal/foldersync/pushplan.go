package foldersync

import (
	"context"
	"fmt"
	"strings"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/client"
)

// PlanPush compares the files with the server and says what a push would do. It
// writes nothing.
func (f *Folder) PlanPush(ctx context.Context, c *client.Client, o Options) (*Plan, error) {
	if len(f.missing) > 0 {
		shown := make([]string, len(f.missing))
		for i, name := range f.missing {
			shown[i] = f.show(name)
		}
		return nil, fmt.Errorf("there is no file %s", strings.Join(shown, ", "))
	}
	s, err := read(ctx, c, len(f.files) > fewFiles)
	if err != nil {
		return nil, err
	}
	p := &pushPlanner{
		Plan: &Plan{Skipped: f.skipped, folder: f, server: s}, options: o,
		known: f.state.of(s), history: openHistory(ctx, f.root), claims: map[int64]*file{}, slugs: map[string][]*file{},
	}
	matches := p.match(ctx)
	for _, one := range f.files {
		if one.err == nil {
			slug := slugBeside(one, matches[one])
			p.slugs[slug] = append(p.slugs[slug], one)
		}
	}
	for _, one := range f.files {
		item, err := p.item(ctx, one, matches[one])
		if err != nil {
			return nil, err
		}
		p.Items = append(p.Items, item)
	}
	for _, has := range s.stepsies {
		if f.whole && p.claims[has.ID] == nil {
			p.Elsewhere++
		}
	}
	return p.Plan, nil
}

type pushPlanner struct {
	*Plan
	options Options
	known   map[string]*entry
	history history
	claims  map[int64]*file    // which file stands for which stepsy
	slugs   map[string][]*file // which files want which slug
}

// match finds the stepsy of each file: the one that it stood for at the last time,
// the one with its slug, or the one with a slug that it had in an earlier commit.
func (p *pushPlanner) match(ctx context.Context) map[*file]*client.Stepsy {
	matches := map[*file]*client.Stepsy{}
	claim := func(f *file, has *client.Stepsy) {
		if has != nil && p.claims[has.ID] == nil && matches[f] == nil {
			p.claims[has.ID], matches[f] = f, has
		}
	}
	for _, f := range p.folder.files {
		if e := p.known[f.name]; e != nil && f.err == nil {
			claim(f, p.server.byID[e.ID])
		}
	}
	for _, f := range p.folder.files {
		if f.err == nil {
			claim(f, p.server.bySlug[wantedSlug(f)])
		}
	}
	for _, f := range p.folder.files {
		if f.err != nil || matches[f] != nil || p.known[f.name] != nil || p.server.bySlug[wantedSlug(f)] != nil {
			continue
		}
		for _, slug := range p.history.formerSlugs(ctx, f) {
			claim(f, p.server.bySlug[slug])
		}
	}
	return matches
}

// wantedSlug is the slug of a file, or the one that its title makes.
func wantedSlug(f *file) string {
	if f.File.Slug != "" {
		return f.File.Slug
	}
	return stepsies.SlugFromTitle(f.File.Title)
}

// slugBeside is the slug that a file will have, which is that of its stepsy where it
// names none.
func slugBeside(f *file, has *client.Stepsy) string {
	if f.File.Slug == "" && has != nil {
		return has.Slug
	}
	return wantedSlug(f)
}

// rival returns another file that wants the same slug. The one that is known to stand
// for the stepsy of that slug has none; where nobody knows of one, as with two copies
// in a fresh clone, no file is preferred, whatever its name.
func (p *pushPlanner) rival(f *file, slug string) *file {
	stands := func(f *file) bool {
		e, owner := p.known[f.name], p.server.bySlug[slug]
		return e != nil && owner != nil && e.ID == owner.ID
	}
	if stands(f) {
		return nil
	}
	var rival *file
	for _, other := range p.slugs[slug] {
		if other != f && (rival == nil || stands(other)) {
			rival = other
		}
	}
	return rival
}

func (p *pushPlanner) item(ctx context.Context, f *file, has *client.Stepsy) (*Item, error) {
	i := &Item{Path: f.path, Title: f.File.Title, Slug: f.File.Slug, name: f.name, server: has}
	if f.err != nil {
		i.Action, i.Note = Invalid, f.err.Error()
		return i, nil
	}
	if has != nil {
		i.ID = has.ID
		var err error
		if i.current, err = p.server.document(ctx, has); err != nil {
			return nil, err
		}
	}
	var err error
	if i.local, err = ofFile(f.File, has); err != nil {
		i.Action, i.Note = Invalid, err.Error()
		return i, nil
	}
	i.Title, i.Slug = i.local.Title, i.local.Slug
	if other := p.rival(f, i.Slug); other != nil {
		i.Action, i.Note = Invalid, fmt.Sprintf("%s has the slug %s too; give one of them another", other.path, i.Slug)
		return i, nil
	}
	switch owner := p.server.bySlug[i.Slug]; {
	case has == nil:
		p.missing(i)
	case owner != nil && owner.ID != has.ID:
		i.Action, i.Note = Conflict, fmt.Sprintf("its new slug %s belongs to another stepsy, %q; choose another slug", i.Slug, owner.Title)
	default:
		p.compare(ctx, i)
	}
	return i, nil
}

// missing is about a file whose stepsy is not on the server.
func (p *pushPlanner) missing(i *Item) {
	i.Action = Create
	if e := p.known[i.name]; e != nil && e.ID != 0 {
		i.Action, i.Note = Gone, "it was deleted on the server; remove the file, or make it anew with --force"
		p.options.force(i, Create)
	}
}

// compare is about a file whose stepsy is on the server.
func (p *pushPlanner) compare(ctx context.Context, i *Item) {
	e := base(p.known, i.name, i.ID)
	local, current := i.local.sum, i.current.sum
	if local == current || local == e.Local && current == e.Server {
		i.Action = Unchanged
		return
	}
	i.Fields = differences(i.current, i.local)
	switch {
	case e.saw(current), p.history.knew(ctx, i.name, i.server, i.current):
		p.update(i)
	case local == e.Local:
		i.Action, i.Note = Newer, "the server has a newer version; get it with stepsies pull"
		p.force(i)
	default:
		i.Action, i.Note = Conflict, p.whyConflict(e)
		p.force(i)
	}
}

func (p *pushPlanner) whyConflict(e *entry) string {
	const then = "; pull it (stepsies pull --force, once the file is committed), put the changes together, and push again, or overwrite the server's with --force"
	switch {
	case e.Server != "":
		return "both the file and the server's version have changed" + then
	case p.history.shallow:
		return "the server's version is another one, and this clone has no history to tell whether the file was based on it; clone with the whole history (fetch-depth: 0), or overwrite the server's with --force"
	}
	return "the server has a version that this file was not based on" + then
}

func (p *pushPlanner) force(i *Item) {
	if p.options.Force {
		i.Forced = true
		p.update(i)
	}
}

// update says which of the updates is due.
func (p *pushPlanner) update(i *Item) {
	i.Action = Update
	status := Action("")
	switch {
	case i.local.Status == i.current.Status:
	case i.local.Status == string(client.StatusPublished):
		status = Publish
	default:
		status = Unpublish
	}
	if len(i.Fields) == 0 && status != "" {
		i.Action = status
	} else {
		i.Then = status
	}
}
