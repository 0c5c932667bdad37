package cli

import (
	"bufio"
	"errors"
	"io"
	"slices"

	"github.com/spf13/cobra"
)

type lsOptions struct {
	query
	columnChoice
	json     bool
	ss       bool
	extended bool
	netstat  bool
}

func newLs() *cobra.Command {
	var o lsOptions
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

"?" is unknown, and a line at the end says what would tell. Settings and process
of other users' sockets take root (CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH).`,
		Example: `  keepalive ls
  keepalive ls --peer :5432 --peer :6379
  keepalive ls --local 10.0.0.0/8 --state established,close-wait
  keepalive ls --pid 1234 --json | jq .idle_seconds
  keepalive ls --listening
  keepalive ls --all-netns --json
  keepalive ls --columns process,peer,keepalive,next
  keepalive ls --ss --peer '[2001:db8::]/32:443'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(cmd); err != nil {
				return err
			}
			return o.run(cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.selection.addFlags(cmd)
	o.columnChoice.addFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.noProcess, "no-process", false, "do not look for processes, nor for the settings of their sockets")
	f.BoolVar(&o.json, "json", false, "print one JSON object a line; see keepalive ls --json --help")
	f.BoolVar(&o.ss, "ss", false, "print the lines of ss -Htno, as the ss installed here writes them")
	f.BoolVarP(&o.process, "process", "p", false, "with --ss: what ss -p adds")
	f.BoolVarP(&o.extended, "extended", "e", false, "with --ss: what ss -e adds")
	f.BoolVar(&o.netstat, "netstat", false, "print the lines of netstat -tnoW")
	showSchema(cmd, schema)
	return cmd
}

func (o *lsOptions) check(cmd *cobra.Command) error {
	if err := exclusive(cmd, "json", "ss", "netstat"); err != nil {
		return err
	}
	if !o.ss && (o.process || o.extended) {
		return usageError(errors.New("--process and --extended are for --ss"))
	}
	if err := several(o.selection.parse(cmd), o.columnChoice.parse(cmd)); err != nil {
		return err
	}
	asks := func(c socketColumn) bool { return !c.plain }
	if o.chosen != nil && !slices.ContainsFunc(o.chosen, asks) {
		o.noProcess = true // nothing of a process is shown
	}
	return nil
}

func (o *lsOptions) run(stdout, stderr io.Writer) error {
	out := bufio.NewWriterSize(stdout, 16<<10)
	n, err := o.list(out, stdout, stderr)
	if flushErr := out.Flush(); err == nil {
		err = flushErr
	}
	if err != nil {
		return err
	}
	n.print(stderr)
	return n.result(&o.selection)
}

// list prints to out, which writes to stdout, and returns what is to be said after it.
func (o *lsOptions) list(out *bufio.Writer, stdout, stderr io.Writer) (*notes, error) {
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
