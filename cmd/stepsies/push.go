package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/stepsies/stepsies/client"
	"github.com/stepsies/stepsies/internal/foldersync"
)

type pushCmd struct {
	Paths  []string `arg:"" name:"path" help:"A folder of Markdown files, or single files." placeholder:"DIR|FILE"`
	DryRun bool     `help:"Show the plan and stop."`
	Force  bool     `help:"Overwrite newer versions on the server, and make anew what was deleted there."`
	Yes    bool     `help:"Do not ask."`
	JSON   bool     `help:"Print JSON."`
}

// Help says what a file looks like.
func (cmd *pushCmd) Help() string {
	return `A file begins with front matter (title, slug, description, category, status, featured) and has a heading "## Title" for each step; stepsies new writes one to begin with. What a file says of the status is done: published, or a draft. Pictures and links have whole addresses (https://…).

A version on the server that the file was not based on is never overwritten without --force. What it was based on is remembered in DIR/.stepsies, which keeps out of git; in a fresh clone, the history of the file in git tells.`
}

// Run writes to the server what changed in the files.
func (cmd *pushCmd) Run(ctx context.Context, t *terminal) error {
	r := syncRun{t: t, json: cmd.JSON, dryRun: cmd.DryRun, verb: "push", past: pushed}
	folder, c, err := r.open(cmd.Paths)
	if err != nil {
		return err
	}
	if r.plan, err = folder.PlanPush(ctx, c, foldersync.Options{Force: cmd.Force}); err != nil {
		return err
	}
	r.showPlan()
	if n := r.plan.Elsewhere; n > 0 {
		r.say("%s on the server %s no file here; stepsies pull writes %s.\n", counted(n, "stepsy", "stepsies"), hasOrHave(n), itOrThem(n))
	}
	return r.carryOut(ctx, r.plan.Push, func() error {
		return ask(ctx, t, cmd.Yes, fmt.Sprintf("Push %s to %s?", counted(len(r.plan.Changes()), "change", "changes"), c.BaseURL()),
			"say --yes to push without being asked, or --dry-run to see the plan")
	})
}

type pullCmd struct {
	Paths  []string `arg:"" name:"path" help:"A folder, which is made when missing, or single files, which are named for the slug where they are not there yet." placeholder:"DIR|FILE"`
	DryRun bool     `help:"Show the plan and stop."`
	Force  bool     `help:"Overwrite files with changes that were not pushed."`
	Yes    bool     `help:"Do not ask."`
	JSON   bool     `help:"Print JSON."`
}

// Help says what becomes of the files.
func (cmd *pullCmd) Help() string {
	return `Each of your stepsies is one Markdown file, SLUG.md where there is none yet. A push after a pull changes nothing.

A file with changes that were not pushed is never overwritten without --force, which asks first. What was deleted on the server is told, and its file stays.`
}

// Run writes to the files what changed on the server.
func (cmd *pullCmd) Run(ctx context.Context, t *terminal) error {
	r := syncRun{t: t, json: cmd.JSON, dryRun: cmd.DryRun, verb: "pull", past: pulled}
	if one := cmd.Paths[0]; len(cmd.Paths) == 1 && filepath.Ext(one) != ".md" {
		if _, err := os.Stat(one); cmd.DryRun && errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is no folder %s yet, and a dry run makes none; without --dry-run, pull writes all of your stepsies into it", one)
		}
		if err := os.MkdirAll(one, 0o755); err != nil {
			return fmt.Errorf("make the folder: %w", err)
		}
	}
	folder, c, err := r.open(cmd.Paths)
	if err != nil {
		return err
	}
	if r.plan, err = folder.PlanPull(ctx, c, foldersync.Options{Force: cmd.Force}); err != nil {
		return err
	}
	r.showPlan()
	if n := r.plan.Elsewhere; n > 0 {
		r.say("%s %s not on the server; stepsies push --dry-run says what becomes of %s.\n", counted(n, "file", "files"), isOrAre(n), itOrThem(n))
	}
	return r.carryOut(ctx, r.plan.Pull, func() error {
		overwritten := 0
		for _, i := range r.plan.Changes() {
			if i.Forced {
				overwritten++
			}
		}
		if overwritten == 0 {
			return nil
		}
		return ask(ctx, t, cmd.Yes, fmt.Sprintf("Overwrite %s with changes that were not pushed?", counted(overwritten, "file", "files")),
			"say --yes to overwrite files without being asked, or --dry-run to see the plan")
	})
}

// open finds the files and the server.
func (r *syncRun) open(paths []string) (*foldersync.Folder, *client.Client, error) {
	folder, err := foldersync.Open(paths)
	if err != nil {
		return nil, nil, err
	}
	c, err := remote(r.t)
	return folder, c, err
}
