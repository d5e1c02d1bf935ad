package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
)

func sumOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// hashInputs returns the hash of everything that the scripts are made of: the sources,
// what npm is told, the bundler's version and this program's settings of it.
func (b bundle) hashInputs() (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "esbuild %s\nsettings %d\n", bundlerVersion(), settings)
	for _, s := range b.scripts {
		fmt.Fprintf(h, "script %s %s\n", s.name, s.folder)
	}
	err := fs.WalkDir(os.DirFS(b.sources), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "node_modules" {
			return fs.SkipDir
		}
		if d.IsDir() || d.Name() == ".gitignore" {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(b.sources, path))
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "%s %s\n", path, sumOf(text))
		return nil
	})
	return hex.EncodeToString(h.Sum(nil)), err
}

// settings goes up when build.go is changed so that it makes other bytes of the same
// sources.
const settings = 2

// bundlerVersion is the version of esbuild in this program.
func bundlerVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range info.Deps {
		if m.Path == "github.com/evanw/esbuild" {
			return m.Version
		}
	}
	return "unknown"
}

// signature is the first line of a file that was made here.
const signature = "/* Made by internal/tools/bundle of inputs %s; the rest has %s. Licences: %s */"

// sign puts the hashes in front of a text.
func (b bundle) sign(text []byte, inputs string) []byte {
	return append(fmt.Appendf(nil, signature+"\n", inputs, sumOf(text), b.licences()), text...)
}

// upToDate reports what is not as the inputs would make it: a file that is missing, was
// made of other inputs or was changed since.
func (b bundle) upToDate(inputs string) error {
	for _, name := range b.names() {
		text, err := os.ReadFile(filepath.Join(b.assets, name))
		if err != nil {
			return fmt.Errorf("%s cannot be read: %w", name, err)
		}
		first, rest, _ := bytes.Cut(text, []byte("\n"))
		switch {
		case string(first) == fmt.Sprintf(signature, inputs, sumOf(rest), b.licences()):
		case strings.Contains(string(first), inputs):
			return fmt.Errorf("%s was changed by hand", name)
		default:
			return fmt.Errorf("%s was made of other sources", name)
		}
	}
	return nil
}

// packagesIn reads from esbuild's account of a script which packages are in it.
func packagesIn(metafile string) (map[string]bool, error) {
	var meta struct {
		Outputs map[string]struct {
			Inputs map[string]struct {
				BytesInOutput int `json:"bytesInOutput"`
			} `json:"inputs"`
		} `json:"outputs"`
	}
	if err := json.Unmarshal([]byte(metafile), &meta); err != nil {
		return nil, fmt.Errorf("esbuild's metafile: %w", err)
	}
	packages := map[string]bool{}
	for _, out := range meta.Outputs {
		for path, in := range out.Inputs {
			_, inside, ok := strings.Cut(path, "node_modules/")
			if !ok || in.BytesInOutput == 0 {
				continue
			}
			name, rest, _ := strings.Cut(inside, "/")
			if strings.HasPrefix(name, "@") {
				scoped, _, _ := strings.Cut(rest, "/")
				name += "/" + scoped
			}
			packages[name] = true
		}
	}
	return packages, nil
}
