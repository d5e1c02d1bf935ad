package main

import (
	"runtime/debug"
	"testing"
)

func TestVersionNamesTagCommitAndDate(t *testing.T) {
	vcs := func(main, revision, modified string) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: main}, Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: revision}, {Key: "vcs.time", Value: "2026-11-30T08:21:00Z"}, {Key: "vcs.modified", Value: modified},
		}}
	}
	for _, c := range []struct {
		info *debug.BuildInfo
		want string
	}{
		{&debug.BuildInfo{}, "dev"},
		{&debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, "dev"},
		{&debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, "v1.2.3"},
		{vcs("(devel)", "0123456789abcdef", "false"), "dev (0123456789ab, 2026-11-30)"},
		{vcs("v1.2.3", "0123456789abcdef", "true"), "v1.2.3 (0123456789ab-dirty, 2026-11-30)"},
	} {
		if got := versionOf(c.info); got != c.want {
			t.Errorf("%+v: %s, want %s", c.info, got, c.want)
		}
	}
}
