// Package ls is the command keepalive ls: the sockets of this machine, as a table, as
// JSON, and as ss and netstat print them.
package ls

import (
	"bufio"
	"errors"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/columns"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/flags"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
)

type options struct {
	sockets.Query
	columns.Choice
	json     bool
	ss       bool
	extended bool
	netstat  bool
}

// New makes the command.
func New() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List TCP sockets with keepalive settings, timers and processes",
		Long: `ls lists the TCP sockets of a network namespace (Linux), with what ss -o does
not show: the settings of each socket, and when its next probe really leaves.

  LOCAL, PEER
             with the interface that the socket is bound to: 127.0.0.1%lo:53
  KEEPALIVE  on, off; "on:go" with the 15 s, 15 s and 9 that Go sets on its own
  IDLE, INTERVAL, COUNT, USER-TIMEOUT
             what getsockopt reads on the socket; "*" marks the system's default
             (net.ipv4.tcp_keepalive_time, _intvl, _probes), not set or set
             alike
  TIMER      the kernel's timer as ss -o names it: keepalive, on
             (retransmission), persist (zero window), timewait; "-" for none
  NEXT       when the next probe leaves if nothing happens until then: not
             before the timer fires, nor before the socket was idle for IDLE
  PROBES     probes or retransmissions without an answer
  PROCESS    who has the socket open; "+2" for two more

On a terminal without room for all that, KEEPALIVE has the settings in it: idle,
interval and count in seconds, and the user timeout after a u, as in 240/15/3
u60, 7200*/75*/9*, go:15/15/9 and off; other columns are shortened ("~") or left
out, and a line at the end says which. --wide prints all, --columns those you
name. A pipe or a file gets all.

"?" is unknown, and a note at the end says how to find out. Settings and process
of other users' sockets take root (CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH).`,
		Example: `  keepalive ls
  keepalive ls --peer :5432 --peer :6379
  keepalive ls --local 10.0.0.0/8 --state established,close-wait
  keepalive ls --pid 1234 --json | jq .idle_seconds
  keepalive ls --listening
  keepalive ls --all-netns --json
  keepalive ls --columns process,peer,keepalive,next
  keepalive ls --ss --peer '[2001:db8::]/32:443'`,
		Args: flags.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(cmd); err != nil {
				return err
			}
			return o.run(cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.Selection.AddFlags(cmd)
	o.Choice.AddFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.NoProcess, "no-process", false, "do not look for processes, nor for the settings of their sockets")
	f.BoolVar(&o.json, "json", false, "print one JSON object a line; see keepalive ls --json --help")
	f.BoolVar(&o.ss, "ss", false, "print the lines of ss -Htno, as the ss installed here writes them")
	f.BoolVarP(&o.WithProcess, "process", "p", false, "with --ss: what ss -p adds")
	f.BoolVarP(&o.extended, "extended", "e", false, "with --ss: what ss -e adds")
	f.BoolVar(&o.netstat, "netstat", false, "print the lines of netstat -tnoW")
	flags.ShowSchema(cmd, sockets.Schema)
	return cmd
}

func (o *options) check(cmd *cobra.Command) error {
	if err := flags.Exclusive(cmd, "json", "ss", "netstat"); err != nil {
		return err
	}
	if !o.ss && (o.WithProcess || o.extended) {
		return exit.UsageError(errors.New("--process and --extended are for --ss"))
	}
	if err := exit.Join(o.Selection.Parse(cmd), o.Choice.Parse(cmd)); err != nil {
		return err
	}
	asks := func(c columns.Column) bool { return !c.Plain }
	if o.Chosen != nil && !slices.ContainsFunc(o.Chosen, asks) {
		o.NoProcess = true // nothing of a process is shown
	}
	return nil
}

func (o *options) run(stdout, stderr io.Writer) error {
	out := bufio.NewWriterSize(stdout, 16<<10)
	n, err := o.list(out, stdout, stderr)
	if flushErr := out.Flush(); err == nil {
		err = flushErr
	}
	if err != nil {
		return err
	}
	n.Print(stderr)
	return n.Result(&o.Selection)
}

// list prints to out, which writes to stdout, and returns what is to be said after it.
func (o *options) list(out *bufio.Writer, stdout, stderr io.Writer) (*sockets.Notes, error) {
	switch {
	case o.ss:
		return o.listSS(out)
	case o.netstat:
		return o.listNetstat(out)
	case o.json:
		return o.listJSON(out)
	}
	return o.listTable(out, stdout, stderr)
}
