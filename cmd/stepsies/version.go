package main

import (
	"fmt"
	"runtime/debug"
	"strings"
)

// What make build sets, by -ldflags "-X main.version=v1.2.3 …": the tag of the commit,
// the commit, with -dirty where the tree differed from it, and its date. What is not
// set, go install and go build know, as far as they were told.
var (
	version = "dev"
	commit  string
	date    string
)

type versionCmd struct{}

// Run prints the version.
func (cmd *versionCmd) Run(t *terminal) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	_, err := fmt.Fprintln(t.out, "stepsies "+versionOf(info))
	return err
}

// versionOf names the tag, and in brackets the commit and its date as far as they are
// known: "v1.2.3 (0123456789ab, 2026-11-30)".
func versionOf(info *debug.BuildInfo) string {
	name, revision, day := version, commit, date
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if name == "dev" && strings.HasPrefix(info.Main.Version, "v") {
		name = info.Main.Version // of go install …@v1.2.3
	}
	if revision == "" {
		if revision = settings["vcs.revision"]; len(revision) > 12 {
			revision = revision[:12]
		}
		if revision != "" && settings["vcs.modified"] == "true" {
			revision += "-dirty"
		}
		day = settings["vcs.time"]
	}
	day, _, _ = strings.Cut(day, "T")
	switch {
	case revision == "":
		return name
	case day == "":
		return name + " (" + revision + ")"
	}
	return name + " (" + revision + ", " + day + ")"
}
