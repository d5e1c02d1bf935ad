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

// alone are the commands that know nothing of an installation's place, and with the
// value false those that log nothing either.
var alone = map[string]bool{"demo": true, "version": false, "completion": false}

// printHelp prints kong's help, without the flags that mean nothing to a command.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	if n := ctx.Selected(); n != nil {
		logs, isAlone := alone[n.Name]
		for _, f := range ctx.Model.Flags {
			switch {
			case f.Name == "help":
			case isRemote(n), isAlone && (!logs || isInstallationFlag(f)):
				f.Hidden = true
			}
		}
	}
	return kong.DefaultHelpPrinter(options, ctx)
}

// refuseForeignFlags refuses flags that say where an installation is with commands
// that know nothing of it: whoever gives them expects something else to happen.
func refuseForeignFlags(parsed *kong.Context) error {
	n := parsed.Selected()
	_, isAlone := alone[n.Name]
	if !isRemote(n) && !isAlone {
		return nil
	}
	for _, p := range parsed.Path {
		switch {
		case p.Flag == nil || p.Resolved || !isInstallationFlag(p.Flag):
		case n.Name == "demo":
			return usagef("--%s is for an installation that stays, and demo leaves nothing behind; run stepsies serve", p.Flag.Name)
		case isAlone:
			return usagef("--%s means nothing to %s", p.Flag.Name, n.Name)
		default:
			return usagef("--%s is for an installation on this machine; %s talks to a server, which stepsies login or STEPSIES_URL names", p.Flag.Name, n.Name)
		}
	}
	return nil
}
