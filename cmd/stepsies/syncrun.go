package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/stepsies/stepsies/internal/foldersync"
)

// syncRun is one push or pull, from its plan to its report.
type syncRun struct {
	t      *terminal
	plan   *foldersync.Plan
	json   bool
	dryRun bool
	verb   string // push or pull
	past   map[foldersync.Action]string
}

// pushed and pulled say what was done.
var (
	pushed = map[foldersync.Action]string{
		foldersync.Create: "created", foldersync.Update: "updated", foldersync.Publish: "published", foldersync.Unpublish: "unpublished",
	}
	pulled = map[foldersync.Action]string{foldersync.Create: "written", foldersync.Update: "replaced"}
)

var actionColours = map[foldersync.Action]string{
	foldersync.Create: green, foldersync.Update: cyan, foldersync.Publish: green, foldersync.Unpublish: yellow,
	foldersync.Newer: yellow, foldersync.Changed: yellow, foldersync.Conflict: red, foldersync.Gone: red, foldersync.Invalid: red,
}

// say prints for people, and nothing where JSON is wanted.
func (r *syncRun) say(format string, args ...any) {
	if !r.json {
		_, _ = fmt.Fprintf(r.t.out, format, args...)
	}
}

// showPlan prints a line for each item that is more than unchanged.
func (r *syncRun) showPlan() {
	width := 0
	for _, i := range r.plan.Items {
		if i.Action != foldersync.Unchanged {
			width = max(width, columnsOf(printable(i.Path)))
		}
	}
	for _, path := range r.plan.Skipped {
		width = max(width, columnsOf(printable(path)))
	}
	padded := func(path string) string {
		path = printable(path)
		return path + strings.Repeat(" ", width-columnsOf(path))
	}
	for _, i := range r.plan.Items {
		if i.Action != foldersync.Unchanged {
			r.say("%s  %s  %s\n", r.painted(i.Action), padded(i.Path), printable(about(i)))
		}
	}
	for _, path := range r.plan.Skipped {
		r.say("%s  %s  it has no front matter, so it is no stepsy\n", colour(r.t.out, faint, fmt.Sprintf("%-9s", "skip")), padded(path))
	}
	if n := r.plan.Count(foldersync.Unchanged); n > 0 {
		r.say("%s unchanged.\n", counted(n, "file is", "files are"))
	}
}

func (r *syncRun) painted(a foldersync.Action) string {
	return colour(r.t.out, actionColours[a], fmt.Sprintf("%-9s", a))
}

// about says what of an item will change, or why nothing will.
func about(i *foldersync.Item) string {
	text := i.Title
	switch {
	case len(i.Fields) > 0 && i.Changes():
		text = strings.Join(i.Fields, ", ")
		if i.Then != "" {
			text += ", then " + string(i.Then)
		}
	case i.Note != "":
		return i.Note
	}
	if i.Forced {
		text += " (by --force)"
	}
	return text
}

// carryOut asks, does what the plan says and reports.
func (r *syncRun) carryOut(ctx context.Context, do func(context.Context, func(*foldersync.Item)) error, ask func() error) error {
	changes := r.plan.Changes()
	if r.dryRun {
		return r.report(nil, 0)
	}
	if len(changes) > 0 {
		if err := ask(); err != nil {
			return err
		}
	}
	bar := &progress{w: r.t.err, total: len(changes)}
	r.t.bar = bar
	done := 0
	err := do(ctx, func(i *foldersync.Item) {
		if i.Done {
			done++
		}
		r.did(bar, i)
	})
	bar.clear()
	if err != nil && len(changes) > 0 {
		err = stopped{done: done, total: len(changes), verb: r.verb, err: err}
	}
	return r.report(err, done)
}

// did shows that an item is done or was refused: on a terminal by the bar, elsewhere
// by a line.
func (r *syncRun) did(bar *progress, i *foldersync.Item) {
	switch {
	case !i.Done:
		bar.clear()
		r.say("%s  %s  %s\n", r.painted(i.Action), printable(i.Path), printable(i.Note))
	case !isScreen(r.t.err):
		text := r.past[i.Action]
		if i.Then != "" {
			text += " and " + r.past[i.Then]
		}
		r.say("%s %s\n", text, printable(i.Path))
	}
	bar.step(printable(i.Path))
}

// report says what became of the plan, and fails where something is left that
// somebody must look at.
func (r *syncRun) report(err error, done int) error {
	refused := 0
	for _, i := range r.plan.Items {
		if i.Refused() {
			refused++
		}
	}
	if r.json {
		out := struct {
			DryRun    bool               `json:"dry_run"`
			Items     []*foldersync.Item `json:"items"`
			Skipped   []string           `json:"skipped"`
			Elsewhere int                `json:"elsewhere"`
		}{r.dryRun, r.plan.Items, r.plan.Skipped, r.plan.Elsewhere}
		if out.Items == nil {
			out.Items = []*foldersync.Item{}
		}
		if out.Skipped == nil {
			out.Skipped = []string{}
		}
		if jsonErr := printJSON(r.t.out, out); jsonErr != nil {
			return jsonErr
		}
	}
	switch {
	case err != nil:
		return err
	case r.dryRun:
		r.say("Nothing was done: this was a dry run.\n")
	case len(r.plan.Changes()) == 0 && refused == 0:
		r.say("There is nothing to %s.\n", r.verb)
	case done > 0:
		r.say("Done: %s.\n", r.summary())
	}
	if refused > 0 {
		return fmt.Errorf("%s not %sed; the plan says why", counted(refused, "file was", "files were"), r.verb)
	}
	return nil
}

func (r *syncRun) summary() string {
	var parts []string
	for _, a := range []foldersync.Action{foldersync.Create, foldersync.Update, foldersync.Publish, foldersync.Unpublish} {
		n := 0
		for _, i := range r.plan.Items {
			if i.Done && (i.Action == a || i.Then == a) {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, r.past[a]))
		}
	}
	return strings.Join(parts, ", ")
}

// stopped is a push or pull that did not come to its end.
type stopped struct {
	done, total int
	verb        string
	err         error
}

func (s stopped) Error() string { return s.of(s.err) }

// of says what happened and how to go on.
func (s stopped) of(err error) string {
	return fmt.Sprintf("%s (%d of %d done; %s again to go on from there)", strings.TrimSuffix(sentence(err), "."), s.done, s.total, s.verb)
}

func (s stopped) Unwrap() error { return s.err }

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func isOrAre(n int) string  { return strings.Fields(counted(n, "is", "are"))[1] }
func itOrThem(n int) string { return strings.Fields(counted(n, "it", "them"))[1] }
func hasOrHave(n int) string {
	return strings.Fields(counted(n, "has", "have"))[1]
}
