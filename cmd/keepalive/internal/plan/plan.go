// Package plan is the command keepalive plan: settings that survive a path.
package plan

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/flags"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/output"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/paths"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/syntax"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/table"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

type options struct {
	paths.Flags
	fromFailure   bool
	noUserTimeout bool
	here          bool
	json          bool
	as            program
	svg           string
}

// New makes the command.
func New() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "plan --path ID[,ID...] [--detect TIME]",
		Short: "Find keepalive settings that survive a path, with the proof",
		Long: `plan finds settings that keep a silent connection alive on a path, whatever of
the following comes together: as many probes lost as --lost-probes says, every
kernel timer as late as it may be, the longest round trip. The tightest
middlebox of the path decides; keepalive profiles lists them.

The idle time is at most 60 s, so that a dead peer is noticed in good time, and
5 % of the timeout are kept in reserve. --longest gives the longest idle time
that survives.

A middlebox of your own is box:15m (it forgets silently, and probes count; with
box:15m/60s half-closed connections after 60 s), proxy:15m or server:15m (it
ends idle connections, and probes do not count).

A proxy ends the connection: plan is for the client's own leg of the path, or
with --server for the server's, and names the others.

Where probes do not help, because a proxy on the path ignores them, plan says so
and names the heartbeat that the application needs instead.

--detect plans for noticing a dead peer that soon: idle, from the last segment;
with data in flight, from the write. --from-failure counts from the death, also
if the program writes just before keepalive would have noticed. Without --path
it is not known what the path makes of such a plan: exit code 5.

A plan that rests on what nobody verified has the verdict "survives if";
--assume-refresh takes it for true that probes count. The exit code:
  0 survives; 1 does not, or needs a heartbeat; 5 survives if, or not known;
  2 wrong use

--as prints the plan in the syntax of another program. If what the program will
really have does not survive the path, a warning says why, and the exit code is
1: so it is where the program itself ends idle connections and cannot be told
not to, as MariaDB. It is 5 if the sysctls of the system decide, unless --here
reads them, and if the text reaches only programs that switch keepalive on, as
sysctls do. It is what check --file says of the text:
` + formatList(),
		Example: `  keepalive plan --path aws-nlb-tcp,aws-nat-gateway
  keepalive plan --path aws-nlb-tcp --idle-timeout aws-nlb-tcp=1000s --detect 1m
  keepalive plan --path box:15m --lost-probes 3
  keepalive plan --path aws-nlb-tcp --as nginx
  keepalive plan --path aws-nlb-tcp --svg plan.svg`,
		Args: func(cmd *cobra.Command, args []string) error {
			if _, err := align.Path(args...); len(args) > 0 && err == nil {
				return flags.MeantFor(args, "path", ",")
			}
			return flags.NoArgs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := exit.Join(flags.Exclusive(cmd, "json", "as"), o.drawingOnly(), output.Apart(cmd, output.File{Flag: "--svg", Path: o.svg})); err != nil {
				return err
			}
			return o.run(cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.AddFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.Request.Longest, "longest", false, "the longest idle time that survives, instead of at most 60s and a reserve of 5 %")
	f.BoolVar(&o.Request.HalfClosed, "half-closed", false, "plan for connections that one end has closed for writing, too")
	f.BoolVar(&o.fromFailure, "from-failure", false, "count --detect from the death of the peer, whatever the program does")
	f.BoolVar(&o.noUserTimeout, "no-user-timeout", false, "plan without TCP_USER_TIMEOUT")
	f.BoolVar(&o.here, "here", false, "the program runs on this machine: its sysctls decide where no option of a socket does (Linux)")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	f.Var(&o.as, "as", "print the plan in the syntax of this program, see above")
	f.StringVar(&o.svg, "svg", "", "also draw the plan into this file; - prints the drawing only")
	flags.CompleteWords(cmd, "as", syntax.Names)
	flags.CompleteFiles(cmd, "svg")
	return cmd
}

// drawingOnly refuses --svg - with what would be printed beside the drawing, and was not.
func (o *options) drawingOnly() error {
	switch {
	case o.svg == "-" && o.json:
		return exit.UsageError(errors.New("--json and --svg - exclude each other: --svg FILE draws into a file"))
	case o.svg == "-" && o.as.Name != "":
		return exit.UsageError(errors.New("--as and --svg - exclude each other: --svg FILE draws into a file"))
	}
	return nil
}

func formatList() string {
	var b strings.Builder
	for _, f := range syntax.Formats {
		fmt.Fprintf(&b, "  %-15s %s\n", f.Name, f.What)
	}
	return b.String()
}

func (o *options) run(stdout, stderr io.Writer) error {
	o.Request.FromFailure, o.Request.NoUserTimeout = o.fromFailure, o.noUserTimeout
	if err := o.Parse(); err != nil {
		return err
	}
	if o.here {
		limits, err := kernel.SystemRetries()
		if err != nil {
			return exit.UnknownError(fmt.Errorf("--here: the limits of this machine: %w", err))
		}
		o.Request.Retries = new(platform.Retries(limits))
	}
	if len(o.Request.Path) == 0 && o.Request.Detect == 0 {
		return exit.UsageError(errors.New("--path is missing: what does the connection cross? keepalive profiles lists what is known"))
	}
	plan, err := o.Plan()
	if o.json && errors.Is(err, sockopt.ErrUnknown) {
		return exit.Join(unknownJSON(stdout, o.Request, err), err)
	}
	if err != nil {
		return err
	}
	if o.Request.Server && plan.Heartbeat != nil {
		plan.Heartbeat = heartbeatOfServer(o.Request, plan.Heartbeat)
	}
	if err := o.print(plan, stdout, stderr); err != nil {
		return err
	}
	switch {
	case o.as.Name == "":
		return verdictOf(plan)
	case o.ofProgram():
		return o.shortfalls(plan, stderr)
	}
	return exit.Join(verdictOf(plan), o.shortfalls(plan, stderr))
}

// verdictOf is what the verdict on a plan means for the exit code.
func verdictOf(plan *align.Plan) error {
	switch {
	case plan.Verdict == align.Survives:
		return nil
	case plan.Verdict == align.SurvivesIf:
		return paths.IfAssumed(&plan.Assessment)
	case plan.Verdict == align.Unknown:
		return exit.Said(exit.UnknownError(errors.New(plan.Reason)))
	}
	return exit.ErrProblems
}

func (o *options) print(plan *align.Plan, stdout, stderr io.Writer) error {
	line := newTimeline(o.Request, plan)
	switch o.svg {
	case "":
	case "-":
		return line.svg(stdout)
	default:
		if err := output.WriteFile(o.svg, stderr, line.svg); err != nil {
			return err
		}
	}
	out := bufio.NewWriter(stdout)
	switch {
	case o.json:
		if err := planJSON(out, o.Request, plan); err != nil {
			return err
		}
	case o.as.Name != "":
		text, notes, err := o.as.Write(o.forProgram(plan))
		switch {
		case errors.Is(err, sockopt.ErrUnknown):
			return exit.UnknownError(fmt.Errorf("--as %s: %w", o.as.Name, err))
		case err != nil:
			return exit.UsageError(fmt.Errorf("--as %s: %w", o.as.Name, err))
		}
		fmt.Fprint(out, text)
		if err := out.Flush(); err != nil {
			return err
		}
		for _, n := range notes {
			terminal.Say(stderr, "note: %s", n)
		}
		if plan.Verdict != align.Survives && !o.ofProgram() {
			terminal.Say(stderr, "warning: %s: %s", plan.Verdict, plan.Reason)
		}
	default:
		var text strings.Builder
		width := terminal.Width(stdout)
		printPlan(&text, width, o.Request, plan, line)
		if err := terminal.Fold(out, text.String(), width); err != nil {
			return err
		}
	}
	return out.Flush()
}

func printPlan(w io.Writer, width int, r align.Request, p *align.Plan, line timeline) {
	fmt.Fprintln(w, p.Config)
	fmt.Fprintf(w, "\n%s: %s\n", p.Verdict, p.Reason)
	endsFirst := p.Heartbeat != nil && speaksHTTP(r)
	if endsFirst {
		printEnds(w, r)
		fmt.Fprintln(w, "\nto keep a silent connection for longer")
	}
	if h := p.Heartbeat; h != nil {
		paths.PrintHeartbeat(w, h)
		fmt.Fprintln(w, "the settings above notice dead peers, and refresh the rest of the path")
	}
	if line.forgets > 0 {
		line.text(w, width)
	}
	if len(r.Path) > 0 {
		fmt.Fprintln(w)
		printPath(w, r)
	}
	printLegs(w, r)
	if !endsFirst {
		printEnds(w, r)
	}
	if p.Tightest.Timeout > 0 {
		fmt.Fprintf(w, "\nmargin %s beyond the worst case; %.1f probes an hour on a silent connection\n", duration.Seconds(p.Margin.Truncate(time.Second/10)), p.ProbesPerHour)
	}
	printDetection(w, p.Detection)
	if len(p.Limits) > 0 {
		fmt.Fprintf(w, "\nwhat no setting of a socket can notice within %s\n", duration.Format(r.Detect))
		for _, l := range p.Limits {
			fmt.Fprintf(w, "  - %s\n    what helps: %s\n", l.When, l.Remedy)
		}
	}
	printList(w, "rests on what nobody verified", p.Assumptions)
	printList(w, "to know", p.Warnings)
}

func printPath(w io.Writer, r align.Request) {
	var rows [][]string
	for _, p := range r.Path {
		timeout := paths.TimeoutCell(p)
		if r.HalfClosed && p.HalfClosed > 0 {
			timeout += ", half-closed " + paths.Marked(duration.Format(p.HalfClosed), true, p.HalfClosedEvidence)
		}
		rows = append(rows, []string{
			p.ID, timeout,
			"probes refresh it: " + paths.Marked(p.Refreshed.String(), p.Refreshed != platform.Unknown, p.RefreshedEvidence),
			"then: " + paths.Marked(paths.ExpiryText(p), p.Expiry.Known(), p.ExpiryEvidence),
		})
	}
	l := table.Fit(make([]table.Column, 4), rows, 0)
	for _, cells := range rows {
		fmt.Fprintf(w, "%s\n", l.Append(nil, cells))
	}
}

func printDetection(w io.Writer, d align.Detection) {
	fmt.Fprintln(w, "\na dead peer is noticed")
	for _, b := range d.Bounds() {
		switch {
		case b.Phase == d.Connect.Phase && b.Note != "":
			fmt.Fprintf(w, "  %-12s %s to %s after %s: %s\n", b.Phase, duration.Seconds(b.Earliest.Truncate(time.Second/10)), duration.Bound(b.Latest), b.Since, b.Note)
		case !b.Promised():
			fmt.Fprintf(w, "  %-12s no promise: %s\n", b.Phase, b.Note)
			continue
		case b.Earliest == 0:
			fmt.Fprintf(w, "  %-12s within %s of %s\n", b.Phase, duration.Bound(b.Latest), b.Since)
		default:
			fmt.Fprintf(w, "  %-12s %s to %s after %s\n", b.Phase, duration.Seconds(b.Earliest.Truncate(time.Second/10)), duration.Bound(b.Latest), b.Since)
		}
	}
	fmt.Fprintf(w, "  beware: %s\n", d.InFlight.Note)
	if note := d.ZeroWindow.Note; d.ZeroWindow.Promised() && note != d.InFlight.Note {
		fmt.Fprintf(w, "  beware: %s\n", note)
	}
}

func printList(w io.Writer, title string, items []string) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", title)
	for _, item := range items {
		fmt.Fprintf(w, "  - %s\n", item)
	}
}
