// Package check is the command keepalive check: which connections a path loses.
package check

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/columns"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/flags"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/paths"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/table"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
	"github.com/tcpkeepalive/keepalive/inspect"
)

type options struct {
	paths.Flags
	list  sockets.Query
	files fileFlags
	json  bool
}

// New makes the command.
func New() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "check {--path ID[,ID...] | --file FILE}",
		Short: "Find connections that a path loses, or whose death goes unnoticed",
		Long: `check looks at the open connections of this network namespace (Linux) and
tells, for each that would be lost in silence on the path, why, and what to
change; with --detect also for each whose peer's death would be noticed too
late. keepalive plan --help says how that is calculated.

  VERDICT  loses: the path forgets it. needs a heartbeat: the path ignores
           probes. unnoticed (with --detect): it survives, or that is not
           known, but a dead peer is never noticed, or later than --detect.
           survives if: it survives if the unverified facts about the path are
           true. unknown: its settings cannot be read, or the path is not known
  CHANGE   the settings that the plan has and the socket has not, as
           sockopt.Parse and keepalive demo --config read them; or the heartbeat
           that it needs

Verdicts that rest on what nobody verified about the path make the exit code 5;
--assume-refresh takes it for true that probes count. A connection that one end
has closed for writing is held against the timeout that middleboxes have for
those.

A connection that only this machine sees (loopback) crosses no path and is left
out, unless --peer names it. One that the peer keeps alive with probes of its
own is reported all the same: that cannot be seen from here.

With --file check reads the configuration of another program in place of the
connections: it prints what it means, and who sets each value, and finds
mistakes, such as milliseconds for seconds, with or without --path. It reads:
` + formatList() + `
Files that are included have to be given too, or the exit code is 5. Connections
that the program accepts are at the server's end of the path, behind its
proxies, and those that it opens are at the client's; --server says that all
are at the server's.`,
		Example: `  keepalive check --path aws-nlb-tcp
  keepalive check --path aws-nat-gateway --peer :5432 --detect 60s
  keepalive check --path azure-lb --pid 12 --json | jq -r 'select(.bad).change'
  nginx -T | keepalive check --file - --path aws-nlb-tcp
  keepalive check --file haproxy.cfg --file /etc/sysctl.d/60-keepalive.conf`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch _, err := align.Path(args...); {
			case len(args) == 0:
			case err == nil:
				return flags.MeantFor(args, "path", ",")
			case strings.ContainsAny(args[0], "./\\"):
				return flags.MeantFor(args, "file", " --file ")
			}
			return flags.NoArgs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case len(o.files.names) > 0:
				if err := exit.Join(o.files.parse(cmd, o.Path), o.Parse()); err != nil {
					return err
				}
				return o.runFiles(cmd)
			case cmd.Flags().Changed("format"):
				return exit.UsageError(errors.New("--format says what a file of --file is, and there is none"))
			case len(o.Path) == 0:
				return exit.UsageError(errors.New("--path is missing: what do the connections cross? keepalive profiles lists what is known; --file reads a configuration without"))
			}
			if err := exit.Join(o.Parse(), o.list.Selection.Parse(cmd)); err != nil {
				return err
			}
			return o.run(cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.AddFlags(cmd)
	f := cmd.Flags()
	o.list.Place.AddFlags(cmd, "connections")
	f.StringSliceVar(&o.list.Local, "local", nil, "only connections with this local address, prefix, :port or :port-port; any of several")
	f.StringSliceVar(&o.list.Peer, "peer", nil, "only connections with this peer, written like --local")
	f.BoolVar(&o.json, "json", false, "print one JSON object a line, for every connection that was checked, and a summary; see keepalive check --json --help")
	o.files.addFlags(cmd)
	flags.ShowSchema(cmd, checkSchema+fileSchema)
	return cmd
}

// A tally counts findings.
type tally struct {
	checked, bad, unknown, local int
	denied, assumed              int // some of unknown
	// rests is the assessment of one of assumed: a half-closed connection may rest on
	// something else than the plan.
	rests *align.Assessment
}

func (o *options) run(stdout, stderr io.Writer) error {
	plan, err := o.Plan()
	if err != nil {
		return err
	}
	o.list.Filter.States = []inspect.State{inspect.Established, inspect.FinWait2, inspect.CloseWait}
	v := o.list.Survey()
	out := bufio.NewWriter(stdout)
	var rows [][]string
	var count tally
	for r, err := range v.Rows() {
		if err != nil {
			return exit.Join(out.Flush(), err)
		}
		if len(o.list.Peer) == 0 && (r.Peer.Addr().Unmap().IsLoopback() || r.Peer.Addr() == r.Local.Addr()) {
			count.local++
			continue
		}
		if r.Gone || r.State == inspect.FinWait2 && r.Inode == 0 { // which the kernel ends by itself
			continue
		}
		f := o.judge(r, plan)
		count.add(f)
		switch {
		case o.json:
			if err := f.writeJSON(out); err != nil {
				return err
			}
		case f.verdict != align.Survives.String():
			cells := f.cells()
			if o.list.SeveralNetNS() {
				cells = append([]string{columns.NetNS.Cell(r)}, cells...)
			}
			rows = append(rows, cells)
		}
	}
	if o.json {
		if err := count.writeJSON(out); err != nil {
			return err
		}
	}
	if len(rows) > 0 {
		shown := checkColumns
		if o.list.SeveralNetNS() {
			shown = append([]table.Column{columns.NetNS.Column}, shown...)
		}
		if err := table.Print(stdout, stderr, shown, rows); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	v.Notes.Print(stderr)
	if as := judgedAs(o.Request); as != "" {
		terminal.Say(stderr, "%s", as)
	}
	count.print(stderr)
	err = exit.Join(v.Notes.Unseen(), v.Notes.Lost(), count.result())
	if count.assumed > 0 {
		err = exit.Join(err, paths.IfAssumed(count.rests))
	}
	return err
}

func (t *tally) add(f finding) {
	t.checked++
	switch {
	case f.bad:
		t.bad++
	case f.verdict == align.Unknown.String():
		t.unknown++
		if f.Cause == exit.Denied {
			t.denied++
		}
	case f.verdict == align.SurvivesIf.String():
		t.unknown++
		t.assumed++
		t.rests = f.assess
	}
}

func (t *tally) print(w io.Writer) {
	fmt.Fprintf(w, "checked %d: %d bad, %d unknown", t.checked, t.bad, t.unknown)
	if t.local > 0 {
		fmt.Fprintf(w, "; left out %d that stay on this machine", t.local)
	}
	fmt.Fprintln(w)
}

func (t *tally) result() error {
	switch {
	case t.bad > 0:
		return exit.ErrProblems
	case t.checked == 0:
		return exit.NothingError(errors.New("no connection matches, so none was checked"))
	}
	var errs []error
	if t.denied > 0 {
		errs = append(errs, exit.DeniedError(fmt.Errorf("%d of %d connections cannot be judged for lack of permission", t.denied, t.checked)))
	}
	if n := t.unknown - t.denied - t.assumed; n > 0 {
		errs = append(errs, exit.UnknownError(fmt.Errorf("%d of %d connections cannot be judged: their settings, or the path, are not known", n, t.checked)))
	}
	return exit.Join(errs...)
}
