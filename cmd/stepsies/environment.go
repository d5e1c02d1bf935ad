package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

const prefix = "STEPSIES_"

// secretVariables may also be given as a file, NAME_FILE, as service managers and
// container platforms hand out secrets.
var secretVariables = []string{"STEPSIES_DATABASE", "STEPSIES_REDIS", "STEPSIES_SMTP"}

// clientVariables are read by the SDK and not by a flag.
var clientVariables = []string{"STEPSIES_API_KEY", "STEPSIES_URL"}

// maxSecretFile bounds a file that holds one secret.
const maxSecretFile = 64 << 10

// secretsFromFiles sets each secret variable from its file, before flags are read.
func secretsFromFiles() error {
	for _, name := range secretVariables {
		file := os.Getenv(name + "_FILE")
		if file == "" {
			continue
		}
		if os.Getenv(name) != "" {
			return usagef("%s and %s_FILE are both set; set one of them", name, name)
		}
		f, err := os.Open(file)
		if err != nil {
			return fmt.Errorf("%s_FILE: %w", name, err)
		}
		text, err := io.ReadAll(io.LimitReader(f, maxSecretFile))
		_ = f.Close()
		if err != nil {
			return fmt.Errorf("%s_FILE: %w", name, err)
		}
		if err := os.Setenv(name, strings.TrimSpace(string(text))); err != nil {
			return fmt.Errorf("%s_FILE: %w", name, err)
		}
	}
	return nil
}

// warnOfUnknownVariables tells of variables that look like settings and are none:
// a misspelt one would otherwise do nothing, silently.
func warnOfUnknownVariables(model *kong.Application, w io.Writer) {
	known := slices.Clone(clientVariables)
	for _, name := range secretVariables {
		known = append(known, name+"_FILE")
	}
	var walk func(n *kong.Node)
	walk = func(n *kong.Node) {
		for _, f := range n.Flags {
			known = append(known, f.Envs...)
		}
		for _, child := range n.Children {
			walk(child)
		}
	}
	walk(model.Node)
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, prefix) || slices.Contains(known, name) {
			continue
		}
		hint := ""
		if near := nearest(name, known); near != "" {
			hint = "; did you mean " + near + "?"
		}
		_, _ = fmt.Fprintf(w, "stepsies: warning: the environment variable %s means nothing here%s\n", name, hint)
	}
}

// nearest returns the known name that a misspelt one most likely stands for, ""
// where none is near.
func nearest(name string, known []string) string {
	// Three wrong letters of a long name are a slip, of a short one another word.
	best, bestDistance := "", min(4, 1+(len(name)-len(prefix))/2)
	for _, k := range known {
		if d := distance(name, k); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance is how many letters must be put in, left out or replaced to make b of
// a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
