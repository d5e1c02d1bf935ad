package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// completeCommand is the command that the shells' scripts ask, with the words of a
// command line up to the one that is being typed.
const completeCommand = "__complete"

// filesHere is printed where the name of a file is to be typed, which the shell
// completes by itself.
const filesHere = ":files"

type completionCmd struct {
	Shell string `arg:"" help:"bash, zsh or fish." enum:"bash,zsh,fish"`
}

// Help says how to use the script.
func (cmd *completionCmd) Help() string {
	return `bash: add to ~/.bashrc: source <(stepsies completion bash)

zsh: add to ~/.zshrc, behind compinit: source <(stepsies completion zsh)

fish: stepsies completion fish > ~/.config/fish/completions/stepsies.fish`
}

// Run prints the script. It is the same for all versions of the program, which it
// asks for what can stand where.
func (cmd *completionCmd) Run(t *terminal) error {
	_, err := io.WriteString(t.out, map[string]string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}[cmd.Shell])
	return err
}

const bashCompletion = `# bash completion of stepsies
_stepsies() {
    local value about
    COMPREPLY=()
    while IFS=$'\t' read -r value about; do
        if [[ $value == ` + filesHere + ` ]]; then
            compopt -o default
        else
            COMPREPLY+=("$value")
        fi
    done < <("${COMP_WORDS[0]}" ` + completeCommand + ` "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _stepsies stepsies
`

const zshCompletion = `#compdef stepsies
_stepsies() {
    local line
    local -a values
    for line in "${(@f)$("${words[1]}" ` + completeCommand + ` "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        if [[ $line == ` + filesHere + ` ]]; then
            _files
        elif [[ -n $line ]]; then
            line=${line//:/\\:}
            values+=("${line/$'\t'/:}")
        fi
    done
    (( $#values )) && _describe stepsies values
}
if [[ ${funcstack[1]} == _stepsies ]]; then
    _stepsies "$@"
else
    compdef _stepsies stepsies
fi
`

const fishCompletion = `# fish completion of stepsies
function __stepsies_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] ` + completeCommand + ` $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = ` + filesHere + `
            __fish_complete_path "$current"
        else
            printf '%s\n' $line
        end
    end
end
complete -c stepsies -f -a '(__stepsies_complete)'
`

// complete prints what the last word can be, one a line, with a tab before what it
// is about.
func complete(app *kong.Application, words []string, w io.Writer) {
	if len(words) == 0 {
		words = []string{""}
	}
	words, joined := joinValues(words)
	last := words[len(words)-1]
	node, waiting, free := app.Node, (*kong.Flag)(nil), true
	for _, word := range words[:len(words)-1] {
		switch {
		case waiting != nil:
			waiting = nil
		case word == "--":
			free = false
		case free && strings.HasPrefix(word, "-"):
			if f := flagOf(node, word); f != nil && !f.IsBool() && !strings.Contains(word, "=") {
				waiting = f
			}
		default:
			if child := childOf(node, word); child != nil {
				node = child
			}
		}
	}
	switch name, value, cut := strings.Cut(last, "="); {
	case waiting != nil:
		offerValues(w, waiting.Value, "", last)
	case free && cut && strings.HasPrefix(last, "--"):
		prefix := name + "="
		if joined {
			prefix = "" // the shell takes the value for a word of its own
		}
		if f := flagOf(node, name); f != nil {
			offerValues(w, f.Value, prefix, value)
		}
	case free && strings.HasPrefix(last, "-"):
		offerFlags(w, node, last)
	default:
		offerCommands(w, node, last)
		if len(node.Positional) > 0 {
			offerValues(w, node.Positional[len(node.Positional)-1], "", last)
		}
	}
}

// joinValues puts words that bash has parted at an equals sign together again, and
// reports whether the last one is such.
func joinValues(words []string) (whole []string, joined bool) {
	for i := 0; i < len(words); i++ {
		joined = false
		if words[i] == "=" && len(whole) > 0 && strings.HasPrefix(whole[len(whole)-1], "--") {
			value := ""
			if i+1 < len(words) {
				i++
				value = words[i]
			}
			whole[len(whole)-1] += "=" + value
			joined = true
			continue
		}
		whole = append(whole, words[i])
	}
	return whole, joined
}

func childOf(n *kong.Node, name string) *kong.Node {
	for _, child := range n.Children {
		if !child.Hidden && (child.Name == name || slices.Contains(child.Aliases, name)) {
			return child
		}
	}
	return nil
}

// flagsOf returns the flags that a command takes: its own, those of the commands
// above it, and for those that know an installation where that is.
func flagsOf(n *kong.Node) []*kong.Flag {
	var flags []*kong.Flag
	for at := n; at != nil; at = at.Parent {
		for _, f := range at.Flags {
			if !f.Hidden && (at == n || !isRemote(n) || f.Name == "help") {
				flags = append(flags, f)
			}
		}
	}
	return flags
}

func flagOf(n *kong.Node, word string) *kong.Flag {
	name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
	for _, f := range flagsOf(n) {
		if f.Name == name || len(name) == 1 && f.Short == []rune(name)[0] {
			return f
		}
	}
	return nil
}

func offer(w io.Writer, value, typed, about string) {
	if strings.HasPrefix(value, typed) {
		_, _ = fmt.Fprintf(w, "%s\t%s\n", value, about)
	}
}

func offerFlags(w io.Writer, n *kong.Node, typed string) {
	for _, f := range flagsOf(n) {
		offer(w, "--"+f.Name, typed, f.Help)
	}
}

func offerCommands(w io.Writer, n *kong.Node, typed string) {
	for _, child := range n.Children {
		if !child.Hidden {
			offer(w, child.Name, typed, child.Help)
		}
	}
}

// fileNames are what help calls the arguments that are files or folders.
var fileNames = []string{"DIR|FILE", "FILE", "FOLDER"}

func offerValues(w io.Writer, v *kong.Value, prefix, typed string) {
	for _, value := range v.EnumSlice() {
		if value != "" {
			offer(w, prefix+value, prefix+typed, "")
		}
	}
	if slices.Contains(fileNames, v.Tag.PlaceHolder) {
		_, _ = fmt.Fprintln(w, filesHere)
	}
}
