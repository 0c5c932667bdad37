// Package cli runs a command line: the root command, its help and version, and what is the
// same for every command.
package cli

import (
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/flags"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/output"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
)

// A Command is one of the program, which is made only where it is wanted.
type Command struct {
	Name string
	New  func() *cobra.Command
}

// Run runs the command line of a program that has these commands, and returns the exit
// code.
func Run(commands []Command, args []string, stdout, stderr io.Writer) int {
	root := newRoot(commands, args)
	root.SetArgs(args)
	root.SetErr(stderr)
	out := output.NewWriter(stdout)
	if terminal.Width(stdout) > 0 { // a terminal, which commands want to see as such
		root.SetOut(stdout)
	} else {
		root.SetOut(out)
	}
	err := unknownCommand(root, commands, args)
	if err == nil {
		err = root.Execute()
	}
	if out.Err != nil && !errors.Is(err, out.Err) {
		err = exit.Join(err, out.Err) // of help and the like, which return none
	}
	exit.Print(stderr, err)
	return exit.Code(err)
}

// unknownCommand refuses what cobra answers with some other help and exit code 0: the help
// of a command that does not exist, in whatever way it is asked for.
func unknownCommand(root *cobra.Command, commands []Command, args []string) error {
	if len(args) == 0 || strings.HasPrefix(args[0], "__") { // for the shell
		return nil
	}
	names, shells := []string{"completion", "help"}, []string{"bash", "zsh", "fish", "powershell"}
	for _, c := range commands {
		names = append(names, c.Name)
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
			return flags.NotUnderstood(root, w, append(names, "--version"))
		}
		if names = nil; w == "completion" {
			names = shells
		}
	}
	return nil
}

// newRoot builds only the command that args name: making them all, and those
// for shell completion, takes a tenth of the time and a fifth of the memory of
// a short list.
func newRoot(commands []Command, args []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "keepalive",
		Short: "TCP keepalive that is exactly what was asked for",
		Long: `keepalive asks for TCP keepalive, and shows what the kernel made of it.

` + exit.Codes,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          flags.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(flags.Error)
	root.SetHelpFunc(flags.InOnePiece(root.HelpFunc()))
	for _, c := range commands {
		if len(args) > 0 && args[0] == c.Name {
			root.CompletionOptions.DisableDefaultCmd = true
			root.AddCommand(c.complete())
			return root
		}
	}
	addVersion(root)
	for _, c := range commands {
		cmd := c.complete()
		flags.CompleteNothingElse(cmd)
		root.AddCommand(cmd)
	}
	return root
}

// complete makes the command, with what is the same for all.
func (c Command) complete() *cobra.Command {
	cmd := c.New()
	cmd.Long += "\n\n" + exit.Codes
	flags.RefuseMistakes(cmd)
	return cmd
}
