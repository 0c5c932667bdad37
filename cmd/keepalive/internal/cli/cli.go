// Package cli is the command keepalive.
package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcpkeepalive/keepalive/internal/alike"
)

// Run runs the command line and returns the exit code.
func Run(args []string, stdout, stderr io.Writer) int {
	root := newRoot(args)
	root.SetArgs(args)
	root.SetErr(stderr)
	out := &firstError{w: stdout}
	if widthOf(stdout) > 0 { // a terminal, which commands want to see as such
		root.SetOut(stdout)
	} else {
		root.SetOut(out)
	}
	err := unknownCommand(root, args)
	if err == nil {
		err = root.Execute()
	}
	if out.err != nil && !errors.Is(err, out.err) {
		err = several(err, out.err) // of help and the like, which return none
	}
	printError(stderr, err)
	return exitCode(err)
}

// unknownCommand refuses what cobra answers with some other help and exit code 0: the help
// of a command that does not exist, in whatever way it is asked for.
func unknownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 || strings.HasPrefix(args[0], "__") { // for the shell
		return nil
	}
	names, shells := []string{"completion", "help"}, []string{"bash", "zsh", "fish", "powershell"}
	for _, c := range commands() {
		names = append(names, c.name)
	}
	isFlag := func(arg string) bool { return strings.HasPrefix(arg, "-") }
	words := slices.DeleteFunc(slices.Clone(args), isFlag)
	switch args[0] {
	case "help":
		words = words[1:]
	case "completion", "-h", "--help":
	default: // what follows, the command itself looks at
		if isFlag(args[0]) {
			return nil
		}
		words = args[:1]
	}
	for _, w := range words {
		if !slices.Contains(names, w) {
			return notUnderstood(root, w, append(names, "--version"))
		}
		if names = nil; w == "completion" {
			names = shells
		}
	}
	return nil
}

// A firstError remembers the first error of a writer, and writes no more after it.
type firstError struct {
	w   io.Writer
	err error
}

func (f *firstError) Write(b []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.w.Write(b)
	f.err = err
	return n, err
}

// A subcommand is made only where it is wanted.
type subcommand struct {
	name string
	make func() *cobra.Command
}

func commands() []subcommand {
	return []subcommand{
		{"check", newCheck},
		{"demo", newDemo},
		{"discover", newDiscover},
		{"ls", newLs},
		{"plan", newPlan},
		{"profiles", newProfiles},
		{"trace", newTrace},
		{"watch", newWatch},
	}
}

// newRoot builds only the command that args name: making them all, and those
// for shell completion, takes a tenth of the time and a fifth of the memory of
// a short list.
func newRoot(args []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "keepalive",
		Short: "TCP keepalive that is exactly what was asked for",
		Long: `keepalive asks for TCP keepalive, and shows what the kernel made of it.

` + exitCodes,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(inOnePiece(root.HelpFunc()))
	for _, c := range commands() {
		if len(args) > 0 && args[0] == c.name {
			root.CompletionOptions.DisableDefaultCmd = true
			root.AddCommand(c.complete())
			return root
		}
	}
	addVersion(root)
	for _, c := range commands() {
		cmd := c.complete()
		completeNothingElse(cmd)
		root.AddCommand(cmd)
	}
	return root
}

// helpWidth is how wide a help text is at most.
const helpWidth = 80

// inOnePiece is a help that does not print an error of the output, which Run does, and
// whose flags are not wider than helpWidth.
func inOnePiece(help func(*cobra.Command, []string)) func(*cobra.Command, []string) {
	return func(cmd *cobra.Command, args []string) {
		out := cmd.OutOrStdout()
		var text bytes.Buffer
		cmd.SetOut(&text)
		help(cmd, args)
		cmd.SetOut(out)
		flags := cmd.LocalFlags()
		wide, narrow := []byte(flags.FlagUsages()), []byte(flags.FlagUsagesWrapped(helpWidth))
		out.Write(bytes.Replace(text.Bytes(), bytes.TrimSpace(wide), bytes.TrimSpace(narrow), 1))
	}
}

// complete makes the command, with what is the same for all.
func (c subcommand) complete() *cobra.Command {
	cmd := c.make()
	cmd.Long += "\n\n" + exitCodes
	refuseMistakes(cmd)
	return cmd
}

// noArgs refuses anything that is not a flag, or a command further down.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	return notUnderstood(cmd, args[0], names)
}

func notUnderstood(cmd *cobra.Command, word string, names []string) error {
	return usageError{fmt.Errorf("%q is not understood; see %s --help%s", word, cmd.CommandPath(), alike.Question(alike.Nearest(word, names)))}
}
