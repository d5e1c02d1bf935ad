package main

import (
	"github.com/alecthomas/kong"
)

// Groups of commands and flags in the help.
const (
	remoteGroup       = "remote"             // commands that talk to a server with an API key
	installationFlags = "installation-flags" // what says where an installation is
)

// isRemote reports whether the command talks to a server with an API key.
func isRemote(n *kong.Node) bool {
	for ; n != nil; n = n.Parent {
		if n.Group != nil && n.Group.Key == remoteGroup {
			return true
		}
	}
	return false
}

func isInstallationFlag(f *kong.Flag) bool {
	return f.Group != nil && f.Group.Key == installationFlags
}

// printHelp prints kong's help, without the flags that mean nothing to a command.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	if isRemote(ctx.Selected()) {
		for _, f := range ctx.Model.Flags {
			f.Hidden = f.Hidden || f.Name != "help"
		}
	}
	return kong.DefaultHelpPrinter(options, ctx)
}

// refuseForeignFlags refuses flags that say where an installation is with commands
// that know nothing of it: whoever gives them expects something else to happen.
func refuseForeignFlags(parsed *kong.Context) error {
	if !isRemote(parsed.Selected()) {
		return nil
	}
	for _, p := range parsed.Path {
		if p.Flag != nil && !p.Resolved && isInstallationFlag(p.Flag) {
			return usagef("--%s is for an installation on this machine; %s talks to a server, which stepsies login or STEPSIES_URL names", p.Flag.Name, parsed.Selected().Name)
		}
	}
	return nil
}
