package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// script is what is made of a folder of sources.
type script struct{ name, folder string }

// parseScripts reads NAME=FOLDER.
func parseScripts(args []string) ([]script, error) {
	scripts := make([]script, len(args))
	for i, arg := range args {
		name, folder, ok := strings.Cut(arg, "=")
		if !ok || name == "" || folder == "" {
			return nil, fmt.Errorf("%q is not NAME=FOLDER, as in editor.js=richtext", arg)
		}
		scripts[i] = script{name, folder}
	}
	return scripts, nil
}

// bundle is what is made of what, and where.
type bundle struct {
	sources string // folder with package.json, its lock file and a folder for each script
	assets  string // folder of what is made
	scripts []script
}

// licences names the file with the licences of what is in the scripts.
func (b bundle) licences() string {
	dir, err := filepath.Abs(b.sources)
	if err != nil {
		dir = b.sources
	}
	return filepath.Base(dir) + "-licences.txt"
}

// names lists the files that are made.
func (b bundle) names() []string {
	names := make([]string, len(b.scripts))
	for i, s := range b.scripts {
		names[i] = s.name
	}
	return append(names, b.licences())
}

// build writes the scripts and their licences. The same inputs give the same bytes on
// every machine.
func (b bundle) build(inputs string) error {
	packages := map[string]bool{}
	for _, s := range b.scripts {
		text, used, err := b.script(s.folder)
		if err != nil {
			return err
		}
		for name := range used {
			packages[name] = true
		}
		if err := os.WriteFile(filepath.Join(b.assets, s.name), b.sign(text, inputs), 0o644); err != nil {
			return err
		}
	}
	text, err := licencesOf(b.sources, packages)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.assets, b.licences()), b.sign(text, inputs), 0o644)
}

// script makes one script, and says which packages are in it.
func (b bundle) script(folder string) (text []byte, packages map[string]bool, err error) {
	dir, err := filepath.Abs(b.sources)
	if err != nil {
		return nil, nil, err
	}
	result := api.Build(api.BuildOptions{
		AbsWorkingDir: dir,
		EntryPoints:   []string{folder + "/main.js"},
		Bundle:        true, Format: api.FormatESModule, Platform: api.PlatformBrowser, Target: api.ES2022,
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true,
		LegalComments: api.LegalCommentsNone, // all licences are in a file of their own
		Charset:       api.CharsetUTF8,
		Define:        map[string]string{"process.env.NODE_ENV": `"production"`},
		Outfile:       "out.js", Write: false, Metafile: true, LogLevel: api.LogLevelSilent,
	})
	if len(result.Errors) > 0 {
		return nil, nil, errors.New(strings.Join(api.FormatMessages(result.Errors, api.FormatMessagesOptions{}), ""))
	}
	packages, err = packagesIn(result.Metafile)
	return result.OutputFiles[0].Contents, packages, err
}

// licencesOf gathers the licences of npm packages, in the order of their names.
func licencesOf(sources string, packages map[string]bool) ([]byte, error) {
	var b strings.Builder
	b.WriteString("The scripts beside this file contain parts of these packages.\n")
	names := make([]string, 0, len(packages))
	for name := range packages {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		folder := filepath.Join(sources, "node_modules", filepath.FromSlash(name))
		found, err := filepath.Glob(filepath.Join(folder, "[Ll][Ii][Cc][Ee][Nn][SsCc][Ee]*"))
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s has no licence file", name)
		}
		text, err := os.ReadFile(found[0])
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "\n== %s\n\n%s\n", name, strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n")))
	}
	return []byte(b.String()), nil
}
