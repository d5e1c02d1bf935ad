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

// scripts are what is made, each of the folder of sources after it.
var scripts = []struct{ name, folder string }{
	{"editor.js", "richtext"},   // rich text, loaded when a step needs it
	{"writing.js", "writing"},   // the page on which a stepsy is written
	{"versions.js", "versions"}, // the page with two versions of it
}

// licences names the file with the licences of what is in the scripts.
const licences = "editor-licences.txt"

// build writes the scripts and their licences. The same inputs give the same bytes on
// every machine.
func build(sources, assets, inputs string) error {
	packages := map[string]bool{}
	for _, s := range scripts {
		text, used, err := bundle(sources, s.folder)
		if err != nil {
			return err
		}
		for name := range used {
			packages[name] = true
		}
		if err := os.WriteFile(filepath.Join(assets, s.name), sign(text, inputs), 0o644); err != nil {
			return err
		}
	}
	text, err := licencesOf(sources, packages)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(assets, licences), sign(text, inputs), 0o644)
}

// bundle makes one script, and says which packages are in it.
func bundle(sources, folder string) (text []byte, packages map[string]bool, err error) {
	dir, err := filepath.Abs(sources)
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
	b.WriteString("The editor of stepsies contains parts of these packages.\n")
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
