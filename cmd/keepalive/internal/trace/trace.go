// Package trace implements keepalive trace, which shows probes on the wire.
package trace

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/flags"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/output"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
	"github.com/tcpkeepalive/keepalive/internal/alike"
	"github.com/tcpkeepalive/keepalive/internal/endpoint"
	"github.com/tcpkeepalive/keepalive/internal/segment"
)

type options struct {
	ports []uint
	peers []string
	sockets.Place
	all   bool
	only  []string
	json  bool
	write string
	svg   string
	count int
	limit flags.Seconds

	kind    map[segment.Kind]bool // those to show
	process int                   // that --pid is, or is a thread of
}

// New returns the command.
func New() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "trace",
		Short: "Show keepalive probes, answers and resets on the wire, live",
		Long: `trace shows the keepalive probes that cross the interfaces of this machine,
their answers, window probes and resets, a line each (Linux):

  TIME      when the kernel saw it
  FROM, TO  the two ends; "*" marks the one that is a socket of this machine's
            namespace, with its process
  WHAT      probe, answer, window probe, RST; "probe 2" is the second one
            without an answer
  AFTER     the time since the segment before it on the connection, in either
            direction; the kernel counts from the last one received, which may
            be 0.04s longer ago
  EXPECTED  what the socket's settings, when it was first shown, say that should
            be: idle 15s, interval 15s; "idle ?" where they may not be read

A connection of which nothing was seen before its first probe is shown when the
probe is answered or repeated.

It takes CAP_NET_RAW, and for the settings of other users' sockets root. Only
the headers of packets are looked at, and kept.

With --pid it ends when the process has ended, with exit code 4.

Where packets were lost because there were too many of them, the exit code is 5;
where the settings of a socket may not be read, 3.`,
		Example: `  sudo keepalive trace
  sudo keepalive trace --port 5432 --for 10m
  sudo keepalive trace --only probe,answer --json | jq .from
  sudo keepalive trace --peer 10.0.0.0/8 --write probes.pcapng
  sudo keepalive trace --write - | wireshark -k -i -`,
		Args: flags.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := exit.Join(flags.Exclusive(cmd, "all", "only"), o.check()); err != nil {
				return exit.UsageError(err)
			}
			if err := output.Apart(cmd, output.File{Flag: "--write", Path: o.write}, output.File{Flag: "--svg", Path: o.svg}); err != nil {
				return err
			}
			if err := o.Place.Parse(cmd); err != nil {
				return err
			}
			return o.run(cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.UintSliceVar(&o.ports, "port", nil, "only connections with this port at either end; any of several")
	f.StringSliceVar(&o.peers, "peer", nil, "only connections with this address, prefix, :port or :port-port at either end")
	o.Place.AddFlags(cmd, "connections")
	f.BoolVar(&o.all, "all", false, "show every segment, data and acknowledgements too")
	f.StringSliceVar(&o.only, "only", nil, "show only these of "+strings.Join(kindWords(), ", ")+" (default: the first four)")
	f.BoolVar(&o.json, "json", false, "print one JSON object a line; see keepalive trace --json --help")
	f.StringVarP(&o.write, "write", "w", "", "write the packets that are shown to this file, pcapng, headers only; - writes them to standard output, and the lines to standard error")
	f.StringVar(&o.svg, "svg", "", "draw what is shown into this file at the end; - writes it to standard output, and the lines to standard error")
	f.Var(flags.Number(&o.count, 1, flags.Unlimited), "count", "end after so many lines")
	f.Var(flags.MoreThan0(&o.limit), "for", "end after this time")
	flags.CompleteWords(cmd, "only", kindWords)
	flags.CompleteFiles(cmd, "write", "svg")
	flags.ShowSchema(cmd, traceSchema)
	return cmd
}

// kinds maps the words of --only to kinds of segments. The kinds that are shown by default
// come first.
var kinds = []struct {
	word string
	kind segment.Kind
}{
	{"probe", segment.Probe}, {"answer", segment.Answer}, {"window-probe", segment.WindowProbe}, {"rst", segment.Reset},
	{"syn", segment.Open}, {"fin", segment.Close}, {"data", segment.Data}, {"ack", segment.Acknowledgement},
	{"retransmission", segment.Retransmission},
}

const shownByDefault = 4

func kindWords() []string {
	words := make([]string, len(kinds))
	for i, k := range kinds {
		words[i] = k.word
	}
	return words
}

// kindWord returns the word for a kind.
func kindWord(kind segment.Kind) string {
	for _, k := range kinds {
		if k.kind == kind {
			return k.word
		}
	}
	return kind.String()
}

// parseKinds returns the kinds that are to be shown.
func (o *options) parseKinds() error {
	o.kind = map[segment.Kind]bool{}
	for i, k := range kinds {
		o.kind[k.kind] = o.all || len(o.only) == 0 && i < shownByDefault
	}
	for _, word := range o.only {
		i := slices.Index(kindWords(), strings.ToLower(word))
		if i < 0 {
			return fmt.Errorf("--only %s: want one of %s%s", word, strings.Join(kindWords(), ", "), alike.Question(alike.Nearest(word, kindWords())))
		}
		o.kind[kinds[i].kind] = true
	}
	return nil
}

// check returns an error for values of flags that have no meaning.
func (o *options) check() error {
	for _, p := range o.ports {
		if p == 0 || p > 65535 {
			return fmt.Errorf("--port %d: want 1 to 65535", p)
		}
	}
	if len(o.ports) > 30 { // of the kernel's filter, whose jumps are short
		return errors.New("--port: at most 30 ports")
	}
	for _, text := range o.peers {
		if _, err := endpoint.Parse(text); err != nil {
			return fmt.Errorf("--peer %w", err)
		}
	}
	if o.write == "-" && o.svg == "-" {
		return errors.New("--write - and --svg - both want standard output")
	}
	return o.parseKinds()
}
