package foldersync

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/stepsies/stepsies/client"
	"github.com/stepsies/stepsies/internal/stepsyfile"
)

// PlanPull compares the server with the files and says what a pull would do. It
// writes nothing.
func (f *Folder) PlanPull(ctx context.Context, c *client.Client, o Options) (*Plan, error) {
	s, err := read(ctx, c, f.whole || len(f.files)+len(f.missing) > fewFiles)
	if err != nil {
		return nil, err
	}
	p := &pullPlanner{
		Plan: &Plan{Skipped: f.skipped, folder: f, server: s}, options: o,
		known: f.state.of(s), history: openHistory(ctx, f.root), files: map[int64]*file{},
	}
	p.match()
	for _, has := range s.stepsies {
		item, err := p.item(ctx, has)
		if err != nil {
			return nil, err
		}
		if item != nil {
			p.Items = append(p.Items, item)
		}
	}
	return p.Plan, p.rest()
}

type pullPlanner struct {
	*Plan
	options Options
	known   map[string]*entry
	history history
	files   map[int64]*file   // by stepsy
	wanted  map[string]string // slugs of files that were asked for and are not there, and their names
}

// match finds the file of each stepsy.
func (p *pullPlanner) match() {
	taken := map[*file]bool{}
	claim := func(f *file, has *client.Stepsy) {
		if has != nil && p.files[has.ID] == nil && !taken[f] {
			p.files[has.ID], taken[f] = f, true
		}
	}
	for _, f := range p.folder.files {
		if e := p.known[f.name]; e != nil {
			claim(f, p.server.byID[e.ID])
		}
	}
	for _, f := range p.folder.files {
		if f.err == nil {
			claim(f, p.server.bySlug[wantedSlug(f)])
		} else {
			// A file that cannot be read keeps its place, which is most likely named for it.
			claim(f, p.server.bySlug[strings.TrimSuffix(path.Base(f.name), ".md")])
		}
	}
	p.wanted = map[string]string{}
	for _, name := range p.folder.missing {
		slug := strings.TrimSuffix(path.Base(name), ".md")
		if e := p.known[name]; e != nil && p.server.byID[e.ID] != nil {
			slug = p.server.byID[e.ID].Slug
		}
		p.wanted[slug] = name
	}
}

// item is nil for a stepsy that nobody asked for.
func (p *pullPlanner) item(ctx context.Context, has *client.Stepsy) (*Item, error) {
	f := p.files[has.ID]
	name, isWanted := p.wanted[has.Slug]
	if f == nil && !isWanted && (!p.folder.whole || p.elsewhere(has.ID)) {
		return nil, nil
	}
	current, err := p.server.document(ctx, has)
	if err != nil {
		return nil, err
	}
	i := &Item{ID: has.ID, Slug: has.Slug, Title: has.Title, server: has, current: current}
	switch {
	case f != nil:
		i.name, i.Path = f.name, f.path
		p.compare(ctx, i, f)
	case isWanted:
		i.Action, i.name, i.Path = Create, name, p.folder.show(name)
	default:
		i.Action = Create
		if i.name, i.Path, err = p.place(has); err != nil {
			i.Action, i.Note, i.Path = Invalid, err.Error(), has.Slug+".md"
		}
	}
	return i, nil
}

// elsewhere reports whether the stepsy has its file in another part of the root than
// the folder that was asked for.
func (p *pullPlanner) elsewhere(id int64) bool {
	for name, e := range p.known {
		if e.ID != id || p.folder.seen[name] || path.Ext(name) != ".md" || !filepath.IsLocal(filepath.FromSlash(name)) {
			continue
		}
		if info, err := os.Lstat(filepath.Join(p.folder.root, filepath.FromSlash(name))); err == nil && info.Mode().IsRegular() {
			return true
		}
	}
	return false
}

// place returns where a stepsy without a file goes: where it was, or into a file
// named for its slug.
func (p *pullPlanner) place(has *client.Stepsy) (name, shown string, err error) {
	for name, e := range p.known {
		at := filepath.Join(p.folder.root, filepath.FromSlash(name))
		if e.ID != has.ID || !mayBeOurs(name) {
			continue
		}
		if _, err := os.Lstat(at); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if p.folder.holds(path.Dir(name)) && p.folder.reserve(name) {
			return name, p.folder.show(name), nil
		}
	}
	return p.folder.newFile(has.Slug, has.ID)
}

// holds reports whether the root holds a folder of that name, not by a link that leads
// out of it.
func (f *Folder) holds(name string) bool {
	root, err := os.OpenRoot(f.root)
	if err != nil {
		return false
	}
	defer func() { _ = root.Close() }()
	info, err := root.Stat(name)
	return err == nil && info.IsDir()
}

// show returns what people call a file of that name.
func (f *Folder) show(name string) string {
	path := filepath.Join(f.root, filepath.FromSlash(name))
	shown, err := filepath.Abs(f.shown)
	if err == nil {
		shown, err = filepath.EvalSymlinks(shown)
	}
	if err == nil {
		if rel, err := filepath.Rel(shown, path); err == nil && filepath.IsLocal(rel) {
			return filepath.Join(f.shown, rel)
		}
	}
	return path
}

// compare is about a stepsy that has a file.
func (p *pullPlanner) compare(ctx context.Context, i *Item, f *file) {
	e := base(p.known, f.name, i.ID)
	err := f.err
	if err == nil {
		i.local, err = ofFile(f.File, i.server)
	}
	if err != nil && !f.begun() {
		i.Action, i.Note = Invalid, "the file there is no stepsy; move it away, it is not written over"
		return
	}
	if err != nil {
		i.Action, i.Note = Conflict, fmt.Sprintf("the file cannot be read (%v); correct it, or replace it by the server's with --force", err)
		p.options.force(i, Update)
		return
	}
	local, current := i.local.sum, i.current.sum
	switch {
	case local == current, local == e.Local && current == e.Server:
		i.Action = Unchanged
		return
	case local == e.Local:
		i.Action = Update
		return
	case e.saw(current), p.history.knew(ctx, f.name, i.server, i.current):
		i.Action, i.Note = Changed, "the file has changes that were not pushed"
	case e.Server != "":
		i.Action, i.Note = Conflict, "both the file and the server's version have changed; commit the file, replace it with --force, and put the changes together"
	default:
		i.Action, i.Note = Conflict, "the file and the server's version differ, and there is no record of what the file was based on; commit the file, replace it with --force, and compare"
	}
	p.options.force(i, Update)
}

// rest tells of files whose stepsy is not on the server, and of files that were
// asked for and are nowhere.
func (p *pullPlanner) rest() error {
	done := map[string]bool{}
	for _, i := range p.Items {
		done[i.name] = true
	}
	for _, name := range p.folder.missing {
		if !done[name] {
			return fmt.Errorf("there is neither a file %s nor a stepsy of that slug", p.folder.show(name))
		}
	}
	for _, f := range p.folder.files {
		if done[f.name] {
			continue
		}
		if e := p.known[f.name]; e != nil && e.Server != "" {
			p.Items = append(p.Items, &Item{
				Path: f.path, ID: e.ID, Title: f.File.Title, Slug: f.File.Slug, Action: Gone, name: f.name,
				Note: "it was deleted on the server; the file stays, remove it or make the stepsy anew with stepsies push --force",
			})
			continue
		}
		p.Elsewhere++
	}
	return nil
}

// Pull carries the plan out, and calls did after each item that writes. What a file
// cannot hold becomes Invalid and stays on the server as it is.
func (p *Plan) Pull(ctx context.Context, did func(*Item)) error {
	known := p.folder.state.of(p.server)
	for _, i := range p.Items {
		if i.Action == Unchanged {
			remember(known, i.name, &entry{ID: i.ID, Local: i.local.sum, Server: i.current.sum})
		}
	}
	for _, i := range p.Changes() {
		if err := ctx.Err(); err != nil {
			return errors.Join(err, p.folder.state.save())
		}
		text, err := format(i.current)
		if err != nil {
			i.Action, i.Note = Invalid, err.Error()
			did(i)
			continue
		}
		if err := p.writeFile(i, text); err != nil {
			if errors.Is(err, errEdited) || errors.Is(err, errNotOurs) {
				i.Action, i.Note = Conflict, err.Error()
				did(i)
				continue
			}
			return errors.Join(fmt.Errorf("write %s: %w", i.Path, err), p.folder.state.save())
		}
		i.Done = true
		remember(known, i.name, &entry{ID: i.ID, Local: sumOfFile(text, i), Server: i.current.sum})
		if err := p.folder.state.save(); err != nil {
			return err
		}
		did(i)
	}
	return p.folder.state.save()
}

// sumOfFile is that of a file just written, as it will be read: the same as the
// server's, unless the server's rules are others than ours.
func sumOfFile(text []byte, i *Item) string {
	if f, err := stepsyfile.Parse(text); err == nil {
		if d, err := ofFile(f, i.server); err == nil {
			return d.sum
		}
	}
	return i.current.sum
}

// errEdited means that somebody wrote the file since the plan was made.
var errEdited = errors.New("the file has changed since the plan was made; pull again")

// writeFile replaces a file that is still as the plan found it.
func (p *Plan) writeFile(i *Item, text []byte) error {
	if path.Ext(i.name) != ".md" {
		return fmt.Errorf("%q does not end in .md", i.name)
	}
	root, err := os.OpenRoot(p.folder.root)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	now, err := readPresent(root, i.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case i.Action == Create:
		return errEdited
	default:
		for _, f := range p.folder.files {
			if f.name == i.name && string(f.data) != string(now) {
				return errEdited
			}
		}
	}
	return writeWhole(root, i.name, text)
}
