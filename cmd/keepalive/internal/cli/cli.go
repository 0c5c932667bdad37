// Package cli is the command keepalive, but for what only a larger program has.
package cli

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Exit codes, the same for every command.
const (
	exitOK       = 0
	exitProblems = 1 // what the command looks for was found
	exitUsage    = 2 // wrong flags or arguments, or a config this system cannot honour
	exitDenied   = 3 // the system does not permit it
)

// errProblems ends a command that has already said what it found.
var errProblems = errors.New("problems found")

// A usageError is a mistake in the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// A deniedError is what the system does not permit.
type deniedError struct{ error }

func (e deniedError) Unwrap() error { return e.error }

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
	var usage usageError
	var denied deniedError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errProblems):
		return exitProblems
	case errors.As(err, &usage):
		fmt.Fprintln(stderr, "keepalive:", err)
		return exitUsage
	case errors.As(err, &denied):
		fmt.Fprintln(stderr, "keepalive:", err)
		return exitDenied
	}
	fmt.Fprintln(stderr, "keepalive:", err)
	return exitProblems
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

Exit codes: 0 all is well; 1 problems were found, or something failed;
2 the command line is wrong; 3 the system does not permit it.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	for _, c := range commands(secure) {
		if len(args) > 0 && args[0] == c.name {
			root.CompletionOptions.DisableDefaultCmd = true
			root.AddCommand(c.make())
			return root
		}
	}
	for _, c := range commands(secure) {
		root.AddCommand(c.make())
	}
	return root
}

// noArgs refuses anything that is not a flag, or a command further down.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%q is not understood; see %s --help", args[0], cmd.CommandPath())}
	}
	return nil
}
