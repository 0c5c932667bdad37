// Package demo is the command keepalive demo: what was asked, and what the kernel holds.
package demo

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/flags"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/record"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// configFlag makes a Config a flag of cobra's.
type configFlag struct{ *sockopt.Config }

func (configFlag) Type() string { return "config" }

func (f configFlag) Set(text string) error { return f.UnmarshalText([]byte(text)) }

// New makes the command.
func New() *cobra.Command {
	cfg := sockopt.Recommended()
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show on real connections what was asked, and what the kernel holds",
		Long: `demo makes three connections on loopback and looks at both ends of each:

  library  dialed and accepted through this module
  default  dialed and accepted by package net as it is
  naive    a Control hook that sets the same options, as found in many programs

For each socket it prints what was asked, what getsockopt reads back, the live
timer of the kernel, and the line of ss -tno where ss is installed.

The exit code is 0 only if the library's sockets have exactly what was asked,
rounded up to whole seconds where the kernel counts in them, which it says,
and the others show how package net sets 15 s, 15 s and 9.`,
		Example: `  keepalive demo
  keepalive demo --config idle=4m,interval=15s,count=3
  keepalive demo --config off
  keepalive demo --json`,
		Args: flags.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r := report{}
			if !cmd.Flags().Changed("config") {
				_, changes, err := sockopt.RecommendedFor(platform.Current())
				if err != nil {
					return err
				}
				for _, c := range changes {
					r.Adapted = append(r.Adapted, c.String())
				}
			}
			if err := cfg.Validate(); err != nil {
				return exit.UsageError(fmt.Errorf("--config %v: %w", cfg, err))
			}
			if err := r.fill(cmd.Context(), cfg); err != nil {
				return err
			}
			if asJSON {
				e := record.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				if err := e.Encode(r); err != nil {
					return err
				}
			} else if err := r.print(cmd.OutOrStdout()); err != nil {
				return err
			}
			if !r.OK {
				return exit.ErrProblems
			}
			return nil
		},
	}
	cmd.Flags().Var(configFlag{&cfg}, "config", "what the library and the naive hook ask for")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
