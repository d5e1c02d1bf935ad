package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/client"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// cli is the command line: flags, environment variables and help in one place.
type cli struct {
	Installation `group:"installation-flags"`

	LogLevel  string `help:"Log from this level on: debug, info, warn or error." enum:"debug,info,warn,error" default:"info" env:"STEPSIES_LOG_LEVEL"`
	LogFormat string `help:"Log as text or as JSON lines." enum:"text,json" default:"text" env:"STEPSIES_LOG_FORMAT"`

	Demo demoCmd `cmd:"" help:"Try it: a server with sample stepsies in a temporary folder."`

	remoteCommands `embed:"" group:"remote"`

	Serve    serveCmd    `cmd:"" group:"installation" help:"Run the server."`
	User     userCmd     `cmd:"" group:"installation" help:"Create, list, change and delete users."`
	Key      keyCmd      `cmd:"" group:"installation" help:"Create, list, revoke and rotate API keys."`
	Activity activityCmd `cmd:"" group:"installation" help:"Print the record of who did what as JSON Lines, oldest first."`
	Backup   backupCmd   `cmd:"" group:"installation" help:"Write everything worth keeping into one file."`
	Restore  restoreCmd  `cmd:"" group:"installation" help:"Put a backup in the place of everything."`
	Migrate  migrateCmd  `cmd:"" group:"installation" help:"Bring the database to this program's version."`
	Version  versionCmd  `cmd:"" help:"Print the version."`

	Completion completionCmd `cmd:"" help:"Print a script that has bash, zsh or fish complete this program's commands."`
}

// remoteCommands are the commands that talk to a server with an API key, as any
// other program does.
type remoteCommands struct {
	Login     loginCmd     `cmd:"" help:"Check an API key and keep it for the commands below."`
	Logout    logoutCmd    `cmd:"" help:"Forget the saved key."`
	Whoami    whoamiCmd    `cmd:"" help:"Print the user, the key and what its limits still admit."`
	List      listCmd      `cmd:"" help:"List your stepsies."`
	Get       getCmd       `cmd:"" help:"Print a stepsy as a Markdown file."`
	New       newCmd       `cmd:"" help:"Begin a Markdown file for a stepsy."`
	Push      pushCmd      `cmd:"" help:"Write to the server what changed in Markdown files."`
	Pull      pullCmd      `cmd:"" help:"Write to Markdown files what changed on the server."`
	Publish   publishCmd   `cmd:"" help:"Make a stepsy public."`
	Unpublish unpublishCmd `cmd:"" help:"Make a stepsy a draft again."`
	Delete    deleteCmd    `cmd:"" help:"Delete a stepsy."`
	Open      openCmd      `cmd:"" help:"Open a stepsy or the dashboard in the browser."`
	MCP       mcpCmd       `cmd:"" name:"mcp" help:"Let an assistant work with stepsies: tools of the Model Context Protocol."`
}

// Installation says where an installation keeps its data.
type Installation struct {
	Data     string `help:"Data folder: SQLite, the lock and the operator's socket. Made when missing. Default: ./data." default:"./data" placeholder:"FOLDER" env:"STEPSIES_DATA"`
	Database string `help:"PostgreSQL 15 or newer instead of SQLite: postgres://user:password@host/name." placeholder:"URL" env:"STEPSIES_DATABASE"`
	Redis    string `help:"Redis or Valkey that several nodes share for their rate limits: redis://host:6379." placeholder:"URL" env:"STEPSIES_REDIS"`
}

// terminal is what a command reads from and writes to.
type terminal struct {
	in  *os.File
	out io.Writer
	err io.Writer
	log *slog.Logger
	bar *progress // on the screen; nil without one
}

// notice tells on standard error of something that is no failure.
func (t *terminal) notice(format string, args ...any) {
	t.bar.clear()
	_, _ = fmt.Fprintf(t.err, "stepsies: "+format+"\n", args...)
}

// usageError is a command line that makes no sense; it ends with exit code 2.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// run carries out a command line and returns the exit code. Errors are one
// sentence on errOut.
func run(args []string, in *os.File, out, errOut io.Writer) int {
	if err := secretsFromFiles(); err != nil {
		return fail(errOut, err)
	}
	var c cli
	parser, err := kong.New(&c,
		kong.Name("stepsies"),
		kong.Description("Step-by-step guides with a REST API whose keys can be trusted."),
		kong.Writers(out, errOut),
		kong.Vars{"hosted": client.DefaultBaseURL, "categories": strings.Join(stepsies.Categories, ", ")},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
		kong.Help(printHelp),
		kong.ExplicitGroups([]kong.Group{
			{Key: remoteGroup, Title: "Stepsies on a server, with an API key:"},
			{Key: "installation", Title: "An installation on this machine:"},
			{Key: installationFlags, Title: "Flags of the commands for an installation:"},
		}),
		kong.Exit(func(code int) { panic(exited(code)) }),
	)
	if err != nil {
		return fail(errOut, err)
	}
	if len(args) > 0 && args[0] == completeCommand {
		complete(parser.Model, args[1:], out)
		return exitDone
	}
	parser.Model.HelpFlag.Help = "Show this help."
	code, parsed := parse(parser, familiar(args))
	if parsed == nil {
		return code
	}
	if err := refuseForeignFlags(parsed); err != nil {
		return fail(errOut, err)
	}
	warnOfUnknownVariables(parser.Model, errOut)
	t := &terminal{in: in, out: out, err: errOut, log: newLogger(errOut, c.LogLevel, c.LogFormat)}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second Ctrl-C ends the program at once, but not one that comes with the first:
	// a terminal and a wrapper may both pass on the same.
	context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, stop) })
	parsed.BindTo(ctx, (*context.Context)(nil))
	if err := parsed.Run(t, &c.Installation); err != nil {
		return fail(errOut, explain(ctx, parsed, err))
	}
	return exitDone
}

// exited carries kong's wish to end, after --help, to where run returns.
type exited int

func parse(parser *kong.Kong, args []string) (code int, parsed *kong.Context) {
	defer func() {
		if v := recover(); v != nil {
			e, ok := v.(exited)
			if !ok {
				panic(v)
			}
			code, parsed = int(e), nil
		}
	}()
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		_, _ = fmt.Fprintf(parser.Stderr, "stepsies: %s; see %s --help\n", withoutKeys(err.Error()), reached(err))
		return exitUsage, nil
	}
	return exitDone, parsed
}

// familiar returns the command line with what other programs have in the place of a
// command: stepsies --version, stepsies help push.
func familiar(args []string) []string {
	switch {
	case len(args) == 1 && args[0] == "--version":
		return []string{"version"}
	case len(args) > 0 && args[0] == "help":
		return append(slices.Clone(args[1:]), "--help")
	}
	return args
}

// reached is the command line up to the command that was understood before the error.
func reached(err error) string {
	command := "stepsies"
	if failed, ok := errors.AsType[*kong.ParseError](err); ok && failed.Context != nil {
		for _, p := range failed.Context.Path {
			if p.Command != nil {
				command = p.Command.FullPath()
			}
		}
	}
	return command
}

// keyLike matches an API key, whole or cut short.
var keyLike = regexp.MustCompile(`sk_[0-9a-fA-F]{8,}`)

// withoutKeys takes keys out of a text that may quote the command line.
func withoutKeys(text string) string {
	if !keyLike.MatchString(text) {
		return text
	}
	return keyLike.ReplaceAllLiteralString(text, "sk_[redacted]") + " (a key never stands on the command line, where others can read it: give it to stepsies login on standard input)"
}

func fail(errOut io.Writer, err error) int {
	_, _ = fmt.Fprintln(errOut, "stepsies: "+sentence(err))
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	return exitFailed
}

// sentence is what an error says to whoever runs the program. What a server
// answered is its message and every field that does not fit.
func sentence(err error) string {
	if e, ok := errors.AsType[explained](err); ok {
		return oneLine(e.Error())
	}
	e, ok := errors.AsType[*client.Error](err)
	if !ok {
		return oneLine(err.Error())
	}
	if len(e.Details) == 0 {
		return printable(e.Message)
	}
	said := make([]string, len(e.Details)) // they say all of it
	for i, d := range e.Details {
		said[i] = d.Field + " " + d.Message
	}
	return printable(strings.Join(said, "; "))
}

// oneLine joins the lines of what a library says, without those that say the same
// again: the PostgreSQL driver has one for each address and way that it tried.
func oneLine(text string) string {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
	for i := range lines {
		lines[i] = strings.TrimSpace(printable(lines[i]))
	}
	lines = slices.Compact(lines)
	var b strings.Builder
	for i, line := range lines {
		b.WriteString(line)
		switch {
		case i == len(lines)-1:
		case line != "" && strings.ContainsRune(".:;,", rune(line[len(line)-1])):
			b.WriteByte(' ')
		default:
			b.WriteString("; ") // errors that were joined
		}
	}
	return b.String()
}

func newLogger(w io.Writer, level, format string) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // kong has checked it
	options := &slog.HandlerOptions{Level: l}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
