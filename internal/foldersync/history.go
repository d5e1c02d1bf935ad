package foldersync

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/stepsies/stepsies/client"
	"github.com/stepsies/stepsies/internal/stepsyfile"
)

// maxVersions is how many commits of a file are looked at.
const maxVersions = 200

// history is the git repository that a folder may lie in.
type history struct {
	root    string // of the folder
	git     string // the program; "" without it or without a repository
	shallow bool   // the clone has no past
}

func openHistory(ctx context.Context, root string) history {
	h := history{root: root}
	git, err := exec.LookPath("git")
	if err != nil {
		return h
	}
	h.git = git
	out, err := h.run(ctx, "rev-parse", "--is-shallow-repository")
	if err != nil {
		return history{root: root}
	}
	h.shallow = strings.TrimSpace(string(out)) == "true"
	return h
}

// run runs git in the root, without settings that ask people or page.
func (h history) run(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, h.git, append([]string{"--no-pager", "-c", "core.quotePath=false"}, args...)...)
	cmd.Dir = h.root
	return cmd.Output()
}

// past returns what the file was in earlier commits, the newest first. follow also
// looks at what it was called before.
func (h history) past(ctx context.Context, name string, follow bool) []stepsyfile.File {
	if h.git == "" {
		return nil
	}
	args := []string{"log", "--format=%x00%H", "--name-only", "-n", strconv.Itoa(maxVersions)}
	if follow {
		args = append(args, "--follow")
	}
	out, err := h.run(ctx, append(args, "--", filepath.FromSlash(name))...)
	if err != nil {
		return nil // no commit yet
	}
	var objects strings.Builder
	for commit := range strings.SplitSeq(string(out), "\x00") {
		hash, path, ok := strings.Cut(strings.TrimSpace(commit), "\n")
		if path = strings.TrimSpace(path); ok && path != "" && !strings.Contains(path, "\n") {
			objects.WriteString(hash + ":" + path + "\n")
		}
	}
	return h.files(ctx, objects.String())
}

// files reads files out of commits, leaving out those that are no stepsies.
func (h history) files(ctx context.Context, objects string) []stepsyfile.File {
	cmd := exec.CommandContext(ctx, h.git, "cat-file", "--batch")
	cmd.Dir, cmd.Stdin = h.root, strings.NewReader(objects)
	out, err := cmd.Output()
	if err != nil {
		return nil
	}
	var files []stepsyfile.File
	r := bufio.NewReader(bytes.NewReader(out))
	for {
		header, err := r.ReadString('\n') // "<hash> blob <size>", or "<name> missing"
		if err != nil {
			return files
		}
		words := strings.Fields(header)
		size, err := strconv.Atoi(words[len(words)-1])
		if err != nil || len(words) != 3 {
			continue
		}
		data := make([]byte, size+1) // and a line break
		if _, err := io.ReadFull(r, data); err != nil {
			return files
		}
		if f, err := stepsyfile.Parse(data[:size]); err == nil {
			files = append(files, f)
		}
	}
}

// knew reports whether the file once had the text that the server has, so that its
// author has seen it.
func (h history) knew(ctx context.Context, name string, has *client.Stepsy, current *document) bool {
	for _, f := range h.past(ctx, name, true) {
		if d, err := ofFile(f, has); err == nil && d.sum == current.sum {
			return true
		}
	}
	return false
}

// formerSlugs returns the slugs that the file had, but for its present one.
func (h history) formerSlugs(ctx context.Context, f *file) []string {
	var slugs []string
	for _, was := range h.past(ctx, f.name, false) {
		if was.Slug != "" && was.Slug != f.File.Slug {
			slugs = append(slugs, was.Slug)
		}
	}
	return slugs
}
