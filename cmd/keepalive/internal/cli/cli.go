// Package cli is the command keepalive, but for what only a larger program has.
package cli

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Run runs the command line and returns the exit code. secure may be nil.
func Run(args []string, stdout, stderr io.Writer, secure Secure) int {
	root := newRoot(args, secure)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	if errors.Is(err, errNeedsTLS) {
		var code int
		if code, err = handOver(args, stdout, stderr); err == nil {
			return code
		}
	}
	printError(stderr, err)
	return exitCode(err)
}

// A subcommand is made only where it is wanted.
type subcommand struct {
	name string
	make func() *cobra.Command
}

func commands(secure Secure) []subcommand {
	return []subcommand{
		{"check", newCheck},
		{"demo", newDemo},
		{"discover", func() *cobra.Command { return newDiscover(secure) }},
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
func newRoot(args []string, secure Secure) *cobra.Command {
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
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	for _, c := range commands(secure) {
		if len(args) > 0 && args[0] == c.name {
			root.CompletionOptions.DisableDefaultCmd = true
			root.AddCommand(withExitCodes(c.make()))
			return root
		}
	}
	for _, c := range commands(secure) {
		root.AddCommand(withExitCodes(c.make()))
	}
	return root
}

func withExitCodes(cmd *cobra.Command) *cobra.Command {
	cmd.Long += "\n\n" + exitCodes
	return cmd
}

// noArgs refuses anything that is not a flag, or a command further down.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%q is not understood; see %s --help", args[0], cmd.CommandPath())}
	}
	return nil
}
