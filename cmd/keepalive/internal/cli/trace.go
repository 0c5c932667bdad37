package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcpkeepalive/keepalive/inspect"
)

type traceOptions struct {
	ports []uint
	peers []string
	pid   int
	all   bool
	write string
	svg   string
	count int
	limit seconds

	peer []inspect.Endpoint
}

func newTrace() *cobra.Command {
	var o traceOptions
	cmd := &cobra.Command{
		Use:   "trace",
		Short: "Show keepalive probes, answers, window probes and resets on the wire, live",
		Long: `trace shows the keepalive probes that cross the interfaces of this machine, their
answers, window probes and resets, a line each (Linux):

  TIME      when the kernel saw it
  FROM, TO  the two ends; "*" marks the one that is a socket of this machine's
            namespace, with its process
  WHAT      probe, answer, window probe, RST; "probe 2" is the second one without
            an answer
  AFTER     the time since the segment before it on the connection, in either
            direction; the kernel counts from the last one received, which may be
            0.04s longer ago
  EXPECTED  what the socket's settings, when it was first shown, say that should be:
            idle 15s, interval 15s; "idle ?" where they may not be read

A connection of which nothing was seen before its first probe is shown when the
probe is answered or repeated.

It takes CAP_NET_RAW, and for the settings of other users' sockets root. Only the
headers of packets are looked at, and kept.`,
		Example: `  sudo keepalive trace
  sudo keepalive trace --port 5432 --for 10m
  sudo keepalive trace --peer 10.0.0.0/8 --write probes.pcapng`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return usageError{err}
			}
			return o.run(cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.UintSliceVar(&o.ports, "port", nil, "only connections with this port at either end; any of several")
	f.StringSliceVar(&o.peers, "peer", nil, "only connections with this address, prefix, :port or :port-port at either end")
	f.IntVar(&o.pid, "pid", 0, "only connections that this process has open")
	f.BoolVar(&o.all, "all", false, "show every segment, data and acknowledgements too")
	f.StringVarP(&o.write, "write", "w", "", "write the packets that are shown to this file, pcapng, headers only")
	f.StringVar(&o.svg, "svg", "", "draw what is shown into this file at the end")
	f.IntVar(&o.count, "count", 0, "end after so many lines")
	f.Var(&o.limit, "for", "end after this time")
	completeFiles(cmd, "write", "svg")
	return cmd
}

// check finds flags that make no sense.
func (o *traceOptions) check() error {
	for _, p := range o.ports {
		if p == 0 || p > 65535 {
			return fmt.Errorf("--port %d: want 1 to 65535", p)
		}
	}
	if len(o.ports) > 30 { // of the kernel's filter, whose jumps are short
		return errors.New("--port: at most 30 of them")
	}
	for _, text := range o.peers {
		e, err := inspect.ParseEndpoint(text)
		if err != nil {
			return fmt.Errorf("--peer %w", err)
		}
		o.peer = append(o.peer, e)
	}
	switch {
	case o.pid < 0:
		return fmt.Errorf("--pid %d: a process number is greater than 0", o.pid)
	case o.count < 0:
		return fmt.Errorf("--count %d: want 1 or more", o.count)
	case o.limit < 0:
		return fmt.Errorf("--for %s: want a positive time", time.Duration(o.limit))
	}
	return nil
}
