package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/client"
	"github.com/stepsies/stepsies/internal/stepsyfile"
)

// stepsyRef is a slug or an id, as people name one stepsy.
type stepsyRef string

// find returns the stepsy with its steps: the one of that id, or the user's own of
// that slug.
func (r stepsyRef) find(ctx context.Context, c *client.Client) (*client.Stepsy, error) {
	if id, ok := r.id(); ok {
		s, err := c.GetStepsy(ctx, id)
		if !errors.Is(err, client.ErrNotFound) {
			return s, err
		}
	}
	if _, err := stepsies.ParseSlug(string(r)); err != nil {
		return nil, usagef("%q is neither an id nor a slug; stepsies list shows both", printable(string(r)))
	}
	for s, err := range c.AllStepsies(ctx, client.StepsyQuery{Sort: client.SortRecentlyUpdated}) {
		if err != nil {
			return nil, err
		}
		if s.Slug == string(r) {
			return c.GetStepsy(ctx, s.ID)
		}
	}
	return nil, fmt.Errorf("you have no stepsy %s; stepsies list shows what there is", r)
}

func (r stepsyRef) id() (int64, bool) {
	id, err := strconv.ParseInt(string(r), 10, 64)
	return id, err == nil && id > 0
}

type getCmd struct {
	Stepsy stepsyRef `arg:"" help:"Slug or id." placeholder:"SLUG-or-ID"`
	JSON   bool      `help:"Print JSON instead of the Markdown file."`
}

// Run prints a stepsy as the file that pull would write.
func (cmd *getCmd) Run(ctx context.Context, t *terminal) error {
	c, err := remote(t)
	if err != nil {
		return err
	}
	s, err := cmd.Stepsy.find(ctx, c)
	if err != nil {
		return err
	}
	if cmd.JSON {
		return printJSON(t.out, s)
	}
	f := stepsyfile.File{
		Title: s.Title, Slug: s.Slug, Description: s.Description, Category: s.Category, Status: string(s.Status), Featured: s.Featured,
	}
	for _, step := range s.Steps {
		f.Steps = append(f.Steps, stepsyfile.Step{Title: step.Title, HTML: step.Content})
	}
	text, err := stepsyfile.Format(f)
	if err != nil {
		return fmt.Errorf("%s cannot be shown as a file; use --json: %w", s.Slug, err)
	}
	_, err = t.out.Write(text)
	return err
}

type newCmd struct {
	Title    string `arg:"" help:"Title of the stepsy."`
	File     string `help:"File to write, whose folder is made when missing. Default: the slug of the title with .md, in the current folder." placeholder:"FILE"`
	Category string `help:"What it is about: ${categories}. Default: other." default:"other" placeholder:"NAME"`
	JSON     bool   `help:"Print JSON."`
}

// Run begins a file. The server learns of it when it is pushed.
func (cmd *newCmd) Run(t *terminal) error {
	if err := stepsies.CheckCategory(cmd.Category); err != nil {
		return usagef("--category %w", err)
	}
	if strings.TrimSpace(cmd.Title) == "" {
		return usagef("a stepsy needs a title: stepsies new \"Tie a bowline\"")
	}
	if cmd.File != "" && filepath.Ext(cmd.File) != ".md" {
		return usagef("--file %s does not end in .md; stepsies are kept in Markdown files", cmd.File)
	}
	text, err := stepsyfile.Format(stepsyfile.File{
		Title: cmd.Title, Slug: stepsies.SlugFromTitle(cmd.Title), Category: cmd.Category, Status: string(stepsies.StatusDraft),
		Steps: []stepsyfile.Step{
			{Title: "First step", HTML: "<p>What to do, and how to see that it worked.</p>"},
			{Title: "Second step", HTML: "<p>A line that begins with two number signs begins a step.</p>"},
		},
	})
	if err != nil {
		return usageError{err}
	}
	path := cmd.File
	if path == "" {
		path = stepsies.SlugFromTitle(cmd.Title) + ".md"
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already; name another file with --file", path)
	}
	if err != nil {
		return fmt.Errorf("begin a file: %w", err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("begin a file: %w", err)
	}
	if cmd.JSON {
		return printJSON(t.out, map[string]string{"file": path})
	}
	_, err = fmt.Fprintf(t.out, "Wrote %s. Edit it, and push it: stepsies push %s\n", path, path)
	return err
}

type publishCmd struct {
	Stepsy stepsyRef `arg:"" help:"Slug or id." placeholder:"SLUG-or-ID"`
	JSON   bool      `help:"Print JSON."`
}

// Run makes a stepsy public.
func (cmd *publishCmd) Run(ctx context.Context, t *terminal) error {
	s, err := cmd.Stepsy.move(ctx, t, (*client.Client).PublishStepsy)
	if err != nil {
		return err
	}
	if cmd.JSON {
		return printJSON(t.out, s)
	}
	_, err = fmt.Fprintf(t.out, "Published %q at %s\n", printable(s.Title), printable(s.URL))
	return err
}

type unpublishCmd publishCmd

// Run makes a stepsy a draft again.
func (cmd *unpublishCmd) Run(ctx context.Context, t *terminal) error {
	s, err := cmd.Stepsy.move(ctx, t, (*client.Client).UnpublishStepsy)
	if err != nil {
		return err
	}
	if cmd.JSON {
		return printJSON(t.out, s)
	}
	_, err = fmt.Fprintf(t.out, "%q is a draft that only you can see.\n", printable(s.Title))
	return err
}

// move publishes or unpublishes. By its id a stepsy is not read before, so that a
// key with the scope write alone will do.
func (r stepsyRef) move(ctx context.Context, t *terminal, how func(*client.Client, context.Context, int64, ...client.CallOption) (*client.Stepsy, error)) (*client.Stepsy, error) {
	c, err := remote(t)
	if err != nil {
		return nil, err
	}
	if id, ok := r.id(); ok {
		s, err := how(c, ctx, id)
		if !errors.Is(err, client.ErrNotFound) {
			return s, err
		}
	}
	s, err := r.find(ctx, c)
	if err != nil {
		return nil, err
	}
	return how(c, ctx, s.ID)
}

type deleteCmd struct {
	Stepsy stepsyRef `arg:"" help:"Slug or id." placeholder:"SLUG-or-ID"`
	Yes    bool      `help:"Do not ask."`
	JSON   bool      `help:"Print JSON."`
}

// Run deletes a stepsy.
func (cmd *deleteCmd) Run(ctx context.Context, t *terminal) error {
	if !cmd.Yes && !isTerminal(t.in) {
		return usagef("say --yes to delete without being asked")
	}
	c, err := remote(t)
	if err != nil {
		return err
	}
	s, err := cmd.Stepsy.find(ctx, c)
	if errors.Is(err, client.ErrForbidden) && cmd.Yes {
		if id, ok := cmd.Stepsy.id(); ok { // a key with the scope write alone will do
			s, err = &client.Stepsy{ID: id, Title: string(cmd.Stepsy)}, nil
		}
	}
	if err != nil {
		return err
	}
	if err := confirm(ctx, t, cmd.Yes, fmt.Sprintf("Delete %q, a %s stepsy with %d steps?", printable(s.Title), s.Status, s.StepsCount)); err != nil {
		return err
	}
	if err := c.DeleteStepsy(ctx, s.ID); err != nil {
		return err
	}
	if cmd.JSON {
		return printJSON(t.out, map[string]any{"deleted": s.ID})
	}
	_, err = fmt.Fprintf(t.out, "Deleted %q. For 30 days it can be put back from the trash in the dashboard.\n", printable(s.Title))
	return err
}

type openCmd struct {
	Stepsy stepsyRef `arg:"" optional:"" help:"Slug or id. Default: the dashboard." placeholder:"SLUG-or-ID"`
	Edit   bool      `help:"The editor, and not the public page."`
	Print  bool      `help:"Print the address, and open nothing."`
	JSON   bool      `help:"Print the address as JSON, and open nothing."`
}

// Run opens a stepsy in the browser: its public page, or the editor of a draft.
func (cmd *openCmd) Run(ctx context.Context, t *terminal) error {
	c, err := remote(t)
	if err != nil {
		return err
	}
	address := c.BaseURL() + "/dashboard"
	if cmd.Stepsy != "" {
		s, err := cmd.Stepsy.find(ctx, c)
		if err != nil {
			return err
		}
		address = s.URL
		if s.Status != client.StatusPublished || cmd.Edit {
			if address, err = editorOf(s); err != nil {
				return err
			}
		}
	}
	// It goes to a program that may do more with other schemes.
	if u, err := url.Parse(address); err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return errors.New("the server names no address of a web page")
	}
	if cmd.JSON {
		return printJSON(t.out, map[string]string{"url": address})
	}
	if !cmd.Print {
		if err := browse(ctx, address); err == nil {
			_, err = fmt.Fprintln(t.out, "Opened "+address)
			return err
		}
	}
	_, err = fmt.Fprintln(t.out, address)
	return err
}

// editorOf returns the address of the page on which a stepsy is edited: it stands
// beside the public pages, which the address of the API need not.
func editorOf(s *client.Stepsy) (string, error) {
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" {
		return "", errors.New("the server names no address of a web page")
	}
	return fmt.Sprintf("%s://%s/dashboard/stepsies/%d", u.Scheme, u.Host, s.ID), nil
}

// browse opens an address in the user's browser.
func browse(ctx context.Context, address string) error {
	name, args := "xdg-open", []string{address}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", address}
	default:
		if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
			return errors.New("no screen") // xdg-open would start a browser in the terminal
		}
	}
	return exec.CommandContext(ctx, name, args...).Run()
}
